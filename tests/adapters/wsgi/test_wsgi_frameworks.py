"""``corscore_wsgi.CORSMiddleware`` around the applications of five frameworks."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from cors_headers import OTHER_PAGE, PAGE, READABLE, REFUSED, cors_of
from corscore import Policy
from corscore.testing.conformance._wsgi import Response, call, wsgi_environ
from corscore_wsgi import CORSMiddleware
from wsgi_apps import APPS, BoomError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from _typeshed.wsgi import WSGIApplication

    Headers = list[tuple[str, str]]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # WebOb imports cgi

POLICY = Policy(allow_origins=[PAGE], allow_methods=["PUT"], expose_headers=["X-Id"])
ALLOWED = {**READABLE, "access-control-expose-headers": ["X-Id"]}
SERVER = "https://api.example"

REQUESTS = [
    ("GET", "/ok"),
    ("HEAD", "/ok"),
    ("OPTIONS", "/ok"),
    ("PUT", "/ok"),
    ("POST", "/echo"),
    ("GET", "/moved"),
    ("GET", "/stream"),
    ("GET", "/boom"),
    ("GET", "/missing"),
]


def outcome(app: WSGIApplication, request: dict[str, Any]) -> tuple[int, bytes, Headers] | None:
    """Return status, body and headers, or None for an exception that reaches the server."""
    try:
        response = call(app, request)
    except BoomError:
        return None
    return response.status, response.body, response.headers


@pytest.mark.parametrize("framework", APPS)
@pytest.mark.parametrize(
    ("origin", "cors"), [(PAGE, ALLOWED), (OTHER_PAGE, REFUSED), (None, REFUSED)]
)
def test_a_framework_answers_as_without(
    framework: str, origin: str | None, cors: dict[str, list[str]]
) -> None:
    sent = [("Content-Length", "3"), *([("Origin", origin)] if origin else [])]
    with APPS[framework]() as app:
        for method, path in REQUESTS:
            request = wsgi_environ(method, f"{SERVER}{path}", sent)
            bare, layered = (
                outcome(each, {**request, "wsgi.input": io.BytesIO(b"abc")})
                for each in (app, CORSMiddleware(app, POLICY))
            )
            if bare is None or layered is None:
                assert bare is layered
                continue
            assert layered[:2] == bare[:2], (method, path)
            of_framework, of_both = cors_of(bare[2]), cors_of(layered[2])
            vary = of_framework.get("vary", []) + cors["vary"]
            assert of_both == {**cors, "vary": vary}, (method, path)
            assert without(of_both, layered[2]) == without(of_both, bare[2])


def test_a_500_of_pyramid_keeps_its_headers_where_a_page_waits() -> None:
    # Pyramid leaves exceptions to the server.
    with APPS["pyramid"]() as app:
        response = Response()
        with pytest.raises(BoomError):
            call(
                CORSMiddleware(app, POLICY),
                wsgi_environ("GET", f"{SERVER}/boom", [("Origin", PAGE)]),
                response,
            )
    assert (response.status, response.body) == (500, b"Internal Server Error")
    assert cors_of(response.headers) == ALLOWED


def without(names: Iterable[str], headers: Headers) -> Headers:
    return [pair for pair in headers if pair[0].lower() not in names]


@pytest.mark.parametrize("framework", APPS)
def test_cors_headers_that_a_framework_sets_are_replaced_or_merged(framework: str) -> None:
    with APPS[framework]() as app:
        layer = CORSMiddleware(app, POLICY)
        requests = (
            wsgi_environ("GET", f"{SERVER}/cors", [("Origin", origin)])
            for origin in (PAGE, OTHER_PAGE)
        )
        allowed, refused = (cors_of(call(layer, request).headers) for request in requests)
    vary = {"vary": ["accept-encoding", "origin"]}
    assert refused == vary
    assert allowed == {**ALLOWED, **vary, "access-control-expose-headers": ["X-Id, X-Total"]}
