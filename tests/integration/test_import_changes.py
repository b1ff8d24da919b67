"""A user who changes only the import loses nothing without an error or a warning.

Each row of ``tests/data/import_changes.json`` has the options of a library, and a page that reads
before the change. Either it reads after it as well, and nothing is said; or the start, or the first
request to any page, says what is lost.
"""

from __future__ import annotations

import logging
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import corsheaders.signals
import flask_cors
import pytest
import starlette.middleware.cors
from django.core.wsgi import get_wsgi_application
from flask import Flask
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

import corscore_flask
import corscore_starlette
from corscore import ConfigError
from corscore.browser import Request, fetch
from corscore.integration import Notices, _arguments
from corscore.testing.conformance import asgi_sender, wsgi_sender
from corscore.testing.conformance._site import transport_of
from django_project import OURS, THEIRS, project
from tables import cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from corscore.testing.conformance._site import Transport

API = "https://api.example"
Options = dict[str, Any]


async def page(_: Any) -> Response:
    return Response("page")


def under_starlette(options: Options, stack: ExitStack, *, ours: bool) -> Transport:
    app = Starlette(routes=[Route("/{path:path}", page)])
    theirs: Any = starlette.middleware.cors.CORSMiddleware
    layer: Any = corscore_starlette.CORSMiddleware if ours else theirs
    app.add_middleware(layer, **options)
    return transport_of(asgi_sender(app))


def under_flask(options: Options, stack: ExitStack, *, ours: bool) -> Transport:
    app = Flask("x", static_folder=None)
    for rule in ("/ok/", "/api", "/api/ok/", "/docs-x/<name>"):
        app.add_url_rule(rule, rule, lambda name="": f"page {name}")
    given = dict(options)
    if "origins" in given:
        given["origins"] = [
            re.compile(one["regex"]) if isinstance(one, dict) else one for one in given["origins"]
        ]
    extension: Any = corscore_flask if ours else flask_cors
    extension.CORS(app, **given)
    return transport_of(wsgi_sender(app))


def under_django(options: Options, stack: ExitStack, *, ours: bool) -> Transport:
    given = {"ROOT_URLCONF": "django_views", "MIDDLEWARE": [OURS if ours else THEIRS], **options}
    stack.enter_context(project(**given))
    return transport_of(wsgi_sender(get_wsgi_application()))


UNDER: dict[str, Callable[..., Transport]] = {
    "starlette": under_starlette,
    "flask-cors": under_flask,
    "django-cors-headers": under_django,
}


def reads(case: dict[str, Any], *, ours: bool) -> bool:
    """Whether the page of the row can read, after a request to another page."""
    with ExitStack() as stack:
        transport = UNDER[case["library"]](case["options"], stack, ours=ours)
        fetch(Request("GET", f"{API}/ok/", origin="https://other.example"), transport)
        url = f"{API}{case.get('path', '/ok/')}"
        credentials = any("redentials" in name.lower() for name in case["options"])
        mode: Any = "include" if credentials else "omit"
        # `Request` refuses origins that no page has.
        if case["origin"] == "file://":
            headers = transport("GET", url, [("Origin", "file://")])[1]
            return "file://" in dict(headers).values()
        return fetch(
            Request("GET", url, origin=case["origin"], credentials=mode), transport
        ).readable


@pytest.fixture
def _receiver(request: pytest.FixtureRequest) -> Iterator[None]:
    def allows(sender: None, request: Any, **_: Any) -> bool:
        return True

    signal = corsheaders.signals.check_request_enabled
    if request.getfixturevalue("case").get("receives"):
        signal.connect(allows)
    yield
    signal.disconnect(allows)


@pytest.mark.usefixtures("_receiver")
@pytest.mark.parametrize("case", cases("import_changes"))
def test_a_page_that_loses_access_is_named_in_a_problem_or_the_log(
    case: dict[str, Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_arguments, "_notices", Notices())
    assert reads(case, ours=False)
    caplog.clear()
    said: list[str] = []
    try:
        with caplog.at_level(logging.WARNING, "corscore"):
            is_readable = reads(case, ours=True)
    except ConfigError as error:
        said = [problem.code for problem in error.problems]
        is_readable = False
    said += [message for message in caplog.messages if not message.startswith("CORS refused")]
    if case["says"] is None:
        assert is_readable
        assert said == []
    else:
        assert not is_readable
        assert any(case["says"] in message for message in said), said


@pytest.mark.parametrize("left", ["decorator", "extension"])
def test_flask_cors_that_is_still_on_the_app_is_named(
    left: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Flask("x", static_folder=None)

    def view() -> str:
        return "page"

    app.add_url_rule("/", "view", flask_cors.cross_origin()(view) if left == "decorator" else view)
    if left == "extension":
        flask_cors.CORS(app)
    corscore_flask.CORS(app, origins=["https://a.example"])
    app.test_client().get("/")
    where = "views (view)" if left == "decorator" else "CORS(...)"
    (said,) = [message for message in caplog.messages if "flask-cors" in message]
    assert said.startswith(f"flask-cors is still on the app, by its {where}")
