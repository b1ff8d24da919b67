"""The demo's API without a framework, for any WSGI server."""

from __future__ import annotations

import json
from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

from corscore_cli.demo.api import (
    ARTICLES,
    COOKIE_NAME,
    COOKIE_VALUE,
    HEADERS,
    HEALTH,
    NEWS,
    SAVED,
    SESSION,
    SET_COOKIE,
    UNAUTHORIZED,
    Broken,
)
from corscore_cli.demo.rows import TOKEN
from corscore_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from corscore import PolicyRef

    Answer = tuple[HTTPStatus, object, Mapping[str, str]]

_PATHS = ("/articles", "/articles/1", "/session", "/broken", "/public/news", "/internal/health")


def make_app(ref: PolicyRef) -> WSGIApplication:
    """The API behind the policies of the moment."""
    return CORSMiddleware(_serve, ref)


def _serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    try:
        status, value, headers = _answer(environ)
    except Broken:
        # As frameworks do. What leaves an application is answered outside of the policy.
        status, value, headers = HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error", {}
    body = json.dumps(value).encode()
    start_response(
        f"{status.value} {status.phrase}",
        [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            *headers.items(),
        ],
    )
    return [body]


def _answer(environ: WSGIEnvironment) -> Answer:
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "GET", "/articles":
            return HTTPStatus.OK, ARTICLES, HEADERS
        case "PUT", "/articles/1":
            return _saved(authorized=environ.get("HTTP_AUTHORIZATION") == TOKEN)
        case "PATCH" | "DELETE", "/articles/1":
            return _saved(authorized=True)
        case "POST", "/session":
            return HTTPStatus.OK, SESSION, {"Set-Cookie": SET_COOKIE}
        case "GET", "/session":
            return _session(SimpleCookie(environ.get("HTTP_COOKIE", "")))
        case "GET", "/public/news":
            return HTTPStatus.OK, NEWS, {}
        case "GET", "/internal/health":
            return HTTPStatus.OK, HEALTH, {}
        case "GET", "/broken":
            raise Broken
        case _, path if path in _PATHS:
            return HTTPStatus.METHOD_NOT_ALLOWED, {"detail": "method not allowed"}, {}
        case _:
            return HTTPStatus.NOT_FOUND, {"detail": "not found"}, {}


def _saved(*, authorized: bool) -> Answer:
    if not authorized:
        return HTTPStatus.UNAUTHORIZED, UNAUTHORIZED, {}
    return HTTPStatus.OK, SAVED, {}


def _session(cookies: SimpleCookie) -> Answer:
    if COOKIE_NAME not in cookies or cookies[COOKIE_NAME].value != COOKIE_VALUE:
        return HTTPStatus.UNAUTHORIZED, UNAUTHORIZED, {}
    return HTTPStatus.OK, SESSION, {}
