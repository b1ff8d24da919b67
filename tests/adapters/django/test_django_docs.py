"""Every example of the pages about Django runs, and does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from corscore import PolicyMap, PolicyRef
from corscore_django import check_request_enabled
from corscore_django._settings import KNOWN
from corscore_django.checks import ERROR_IDS
from django_project import exchange, project

DOCS = Path(__file__).parents[3] / "docs"
TEXT = "".join(
    (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("django", "django-views")
)
CHECKS = (DOCS / "django-checks.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Manager:
    """A stand-in for the manager of a model."""

    def filter(self, **values: object) -> Any:
        self.is_there = values["origin"] == "https://customer.example"
        return self

    def exists(self) -> bool:
        return self.is_there

    async def aexists(self) -> bool:
        return self.is_there


class Customer:
    """A stand-in for a model."""

    objects = Manager()


@pytest.fixture
def names() -> dict[str, Any]:
    """Run the page's examples one after the other, and return the names that they define."""
    given: dict[str, Any] = {"__name__": "django.md", "Customer": Customer}
    for code in FENCED.findall(TEXT):
        defined: dict[str, Any] = given
        exec(compile(code, "django.md", "exec"), defined)  # noqa: S102
        if isinstance(defined.get("CORS_POLICY"), PolicyMap):
            given["by_path"] = defined["CORS_POLICY"]
    check_request_enabled.disconnect(given["allow_customers"])
    return given


def asked(url: str, method: str, origin: str) -> str | None:
    """Return the origin that a preflight allows."""
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    allowed: str | None = exchange("sync", "OPTIONS", url, headers).headers.get(
        "Access-Control-Allow-Origin"
    )
    return allowed


SHOP, ADMIN = "https://shop.example.com", "https://admin.example.com"
ROUTES = [
    ("/prices/", "GET", SHOP),
    ("/saml/acs", "POST", None),
    ("/orders/1/", "GET", SHOP),
    ("/orders/1/", "DELETE", ADMIN),
    ("/orders/1/", "PUT", None),
    ("/statistics/", "GET", ADMIN),
    ("/reports/", "GET", ADMIN),
]


def test_views_have_their_policies(names: dict[str, Any]) -> None:
    urls = type("Urls", (), {"urlpatterns": names["urlpatterns"]})
    with project(CORS_POLICY=PolicyMap({}, default=None), ROOT_URLCONF=urls):
        for url, method, allowed in ROUTES:
            for origin in (SHOP, ADMIN):
                got = asked(url, method, origin)
                assert got == (origin if origin == allowed else None), (url, method)


def test_paths_have_their_policies(names: dict[str, Any]) -> None:
    with project(CORS_POLICY=names["by_path"]):
        assert asked("/fonts/a.woff2", "GET", ADMIN) == "*"
        assert asked("/api/x", "GET", ADMIN) is None
        assert asked("/saml/acs", "POST", "https://app.example.com") is None


def test_the_example_of_a_reference_replaces_its_policy(names: dict[str, Any]) -> None:
    with project(CORS_POLICY=names["CORS_POLICY"]):
        assert isinstance(settings.CORS_POLICY, PolicyRef)
        assert asked("/ok/", "GET", SHOP) is None
        settings.CORS_POLICY.replace(names["shop"])
        assert asked("/ok/", "GET", SHOP) == SHOP


@pytest.mark.parametrize("name", ["is_customer", "is_customer_in_thread", "is_customer_async"])
def test_the_example_of_a_resolver_allows_customers(names: dict[str, Any], name: str) -> None:
    mode: Any = "async" if name.endswith("async") else "sync"
    with project(CORS_ORIGIN_RESOLVER=names[name]):
        for origin in ("https://customer.example", "https://evil.example"):
            response = exchange(mode, "GET", "/ok/", {"Origin": origin})
            allowed = response.headers.get("Access-Control-Allow-Origin")
            assert allowed == (origin if "customer" in origin else None)


def test_every_setting_and_every_check_is_on_a_page() -> None:
    assert [name for name in KNOWN if f"`{name}`" not in TEXT] == []
    assert [number for number in ERROR_IDS.values() if f"`{number}`" not in CHECKS] == []
    source = (Path(__file__).parents[3] / "adapters/corscore_django/checks.py").read_text()
    used = set(re.findall(r'"(corscore\.[EW][0-9]{3})"', source))
    assert [number for number in used if f"`{number}`" not in CHECKS] == []
