"""Policies by host under Django, which decides which Host counts."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from corscore import Policy, PolicyMap
from corscore.testing.conformance import wsgi_sender
from django_project import project

PAGE = "https://page.example"
PUBLIC = Policy(allow_origins=["*"])
ASKED = [("Access-Control-Request-Method", "GET")]


@pytest.mark.parametrize(
    ("host", "settings", "is_found"),
    [
        ("one.example.com", {}, True),
        ("ONE.example.com:8443", {}, True),
        ("one.example.com", {"ALLOWED_HOSTS": ["two.example.com"]}, False),
        ("proxy.example", {"ALLOWED_HOSTS": ["*"]}, False),
        ("proxy.example", {"ALLOWED_HOSTS": ["*"], "USE_X_FORWARDED_HOST": True}, True),
    ],
)
def test_django_says_which_host_counts(host: str, settings: dict[str, Any], is_found: bool) -> None:
    policies = PolicyMap({"one.example.com/*": PUBLIC})
    middleware = ["corscore_django.middleware.CorsMiddleware"]
    with project(CORS_POLICY=policies, MIDDLEWARE=middleware, **settings):
        send = wsgi_sender(WSGIHandler())
        forwarded = [("X-Forwarded-Host", "one.example.com"), ("Origin", PAGE)]
        answer = send("OPTIONS", f"https://{host}/", [*forwarded, *ASKED])
    names = {name.lower() for name, _ in answer.headers}
    assert ("access-control-allow-origin" in names) is is_found
