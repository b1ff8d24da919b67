"""Every kind of answer that is not a plain 200, through every adapter: its headers, exactly once.

``ROWS`` are kinds of answers, ``COLUMNS`` are adapters, and each cell is one test. Answers that a
framework gives outside of the adapter are in the table, too: the column lists the cell, with the
way that covers it, and the test wants the headers to be missing there.

To add an adapter, write an application of its framework with the paths of ``ROWS`` and put a
``Column`` into ``COLUMNS``:

- ``/ok`` answers GET alone, ``/stream`` in pieces, ``/unchanged`` with 304, ``/away`` with a
  redirect to ``/ok``, ``/unauthorized`` with the framework's own 401.
- ``/exception`` raises an exception without a handler. ``/handler`` raises one whose handler raises
  in turn. ``/middleware`` makes a middleware between the adapter and the view raise.
- A ``Host`` other than ``api.example`` is refused by the framework's own check, if it has one.
- ``POST /upload`` reads the body; ``LIMIT`` bytes are what the framework's own limit allows, if it
  has one.
- With ``Variant.OWN_500`` the application has a handler of its own for every exception, which
  answers 500; with ``Variant.FAILING_500`` that handler raises.

``Column.build`` gets the variant and returns a ``Send``: method, path, headers and body to a status
and all header lines. Where nothing answers it returns 500 without headers, as a server would.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

import corscore_asgi
import corscore_flask
import corscore_starlette
import corscore_wsgi
import django_errors
import flask_errors
from cors_headers import OTHER_PAGE, PAGE, READABLE, REFUSED, UNTOUCHED, cors_of
from corscore import Policy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope
    from starlette.types import Send as ASGISend

Headers = list[tuple[str, str]]
Send = Callable[[str, str, dict[str, str], bytes], tuple[int, Headers]]

POLICY = Policy(allow_origins=[PAGE])
LIMIT = 16


class Variant(Enum):
    """How an application answers what its views raise."""

    PLAIN = auto()
    OWN_500 = auto()
    FAILING_500 = auto()


class Row(NamedTuple):
    """A kind of answer."""

    status: int
    path: str
    method: str = "GET"
    host: str = "api.example"
    body: bytes = b""
    variant: Variant = Variant.PLAIN


ROWS = {
    "view exception": Row(500, "/exception"),
    "view exception, handler of last resort": Row(500, "/exception", variant=Variant.OWN_500),
    "handler exception": Row(500, "/handler"),
    "handler of last resort exception": Row(500, "/exception", variant=Variant.FAILING_500),
    "middleware exception": Row(500, "/middleware"),
    "400 bad host": Row(400, "/ok", host="elsewhere.example"),
    "401": Row(401, "/unauthorized"),
    "404": Row(404, "/nowhere"),
    "405": Row(405, "/ok", "DELETE"),
    "413": Row(413, "/upload", "POST", body=b"x" * (LIMIT + 1)),
    "redirect": Row(307, "/away"),
    "redirect of the router": Row(307, "/ok/"),
    "HEAD": Row(200, "/ok", "HEAD"),
    "304": Row(304, "/unchanged"),
    "streaming": Row(200, "/stream"),
}


class Column(NamedTuple):
    """An adapter.

    Attributes:
        build: Makes the application under ``POLICY``.
        out_of_reach: Names of rows that the framework answers outside the adapter, each with the
            way that covers it.
        for_page: Rows that the adapter answers for the page that waits, and leaves to the server
            for other requests, each with the reason.
        statuses: Rows where this framework's own status is another one.
        missing: Rows that the framework does not have, each with the reason.
    """

    build: Callable[[Variant], Send]
    out_of_reach: Mapping[str, str] = MappingProxyType({})
    for_page: Mapping[str, str] = MappingProxyType({})
    statuses: Mapping[str, int] = MappingProxyType({})
    missing: Mapping[str, str] = MappingProxyType({})


# --- Starlette and FastAPI


def _has_body_limit(framework: type[Starlette]) -> bool:
    return "max_body_size" in inspect.signature(framework).parameters


def _no_body_limit(framework: type[Starlette]) -> dict[str, str]:
    if _has_body_limit(framework):
        return {}
    return {"413": f"this {framework.__name__} has no body limit of its own"}


async def _ok(request: Request) -> Response:
    return PlainTextResponse("ok")


async def _exception(request: Request) -> Response:
    raise ValueError("in the view")


async def _for_handler(request: Request) -> Response:
    raise KeyError("for the handler")


async def _unauthorized(request: Request) -> Response:
    raise HTTPException(401)


async def _upload(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _away(request: Request) -> Response:
    return RedirectResponse("/ok")


async def _unchanged(request: Request) -> Response:
    return Response(status_code=304)


async def _stream(request: Request) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    return StreamingResponse(chunks())


async def _failing_handler(request: Request, error: Exception) -> Response:
    raise ValueError("in the handler")


async def _own_500(request: Request, error: Exception) -> Response:
    return PlainTextResponse("our own page", status_code=500)


class _FailingMiddleware:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: ASGISend) -> None:
        if scope["type"] == "http" and scope["path"] == "/middleware":
            raise ValueError("in the middleware")
        await self.app(scope, receive, send)


def _application(
    framework: type[Starlette], variant: Variant, outermost: list[Middleware]
) -> Starlette:
    handlers: dict[Any, Any] = {KeyError: _failing_handler}
    if variant is Variant.OWN_500:
        handlers[Exception] = _own_500
    elif variant is Variant.FAILING_500:
        handlers[Exception] = _failing_handler
    options: dict[str, Any] = {"max_body_size": LIMIT} if _has_body_limit(framework) else {}
    return framework(
        routes=[
            Route("/ok", _ok),
            Route("/exception", _exception),
            Route("/handler", _for_handler),
            Route("/unauthorized", _unauthorized),
            Route("/upload", _upload, methods=["POST"]),
            Route("/away", _away),
            Route("/unchanged", _unchanged),
            Route("/stream", _stream),
        ],
        middleware=[
            *outermost,
            Middleware(TrustedHostMiddleware, allowed_hosts=["api.example"]),
            Middleware(_FailingMiddleware),
        ],
        exception_handlers=handlers,
        **options,
    )


def _sender(app: ASGIApp) -> Send:
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)

    def send(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Headers]:
        response = client.request(method, path, headers=headers, content=body)
        return response.status_code, response.headers.multi_items()

    return send


def _asgi(variant: Variant) -> Send:
    return _sender(corscore_asgi.CORSMiddleware(_application(Starlette, variant, []), POLICY))


def _asgi_and_last_resort(variant: Variant) -> Send:
    app = ServerErrorMiddleware(_application(Starlette, variant, []))
    return _sender(corscore_asgi.CORSMiddleware(app, POLICY))


def _add_middleware(framework: type[Starlette]) -> Callable[[Variant], Send]:
    ours = Middleware(corscore_starlette.CORSMiddleware, policy=POLICY)
    return lambda variant: _sender(_application(framework, variant, [ours]))


def _install(framework: type[Starlette]) -> Callable[[Variant], Send]:
    def build(variant: Variant) -> Send:
        app = _application(framework, variant, [])
        corscore_starlette.install(app, POLICY)
        return _sender(app)

    return build


_OUTSIDE_USER_MIDDLEWARE = {
    "view exception, handler of last resort": "install",
    "handler of last resort exception": "install",
    "413": "install",
}

# --- WSGI and Flask


def _wsgi(variant: Variant) -> Send:
    app = flask_errors.application(variant.name, LIMIT)
    return flask_errors.sender(corscore_wsgi.CORSMiddleware(app, POLICY))


def _wsgi_and_last_resort(variant: Variant) -> Send:
    app = flask_errors.last_resort(flask_errors.application(variant.name, LIMIT))
    return flask_errors.sender(corscore_wsgi.CORSMiddleware(app, POLICY))


def _flask(*, debug: bool) -> Callable[[Variant], Send]:
    def build(variant: Variant) -> Send:
        app = flask_errors.application(variant.name, LIMIT)
        app.debug = debug
        corscore_flask.CORS(app, POLICY)
        return flask_errors.sender(app)

    return build


# --- Django

_SERVERS_OWN = "the server's log and error tracker want it"


def _django(mode: Literal["sync", "async"]) -> Callable[[Variant], Send]:
    return lambda variant: django_errors.sender(mode, POLICY, variant.name, LIMIT)


_OF_DJANGO: dict[str, Any] = {
    "for_page": {
        "handler of last resort exception": _SERVERS_OWN,
    },
    "statuses": {"413": 400},
    "missing": {"redirect of the router": "Django adds a slash, and takes none away"},
}

_UNANSWERED = ("handler of last resort exception", "middleware exception")
_PROPAGATED = (
    *_UNANSWERED,
    "view exception",
    "view exception, handler of last resort",
    "handler exception",
)
_OF_FLASK = {"redirect of the router": 308}

COLUMNS = {
    "asgi": Column(
        _asgi,
        for_page={"handler of last resort exception": _SERVERS_OWN},
        missing=_no_body_limit(Starlette),
    ),
    "asgi, last resort inside": Column(_asgi_and_last_resort, missing=_no_body_limit(Starlette)),
    "starlette add_middleware": Column(
        _add_middleware(Starlette),
        {row: f"starlette {way}" for row, way in _OUTSIDE_USER_MIDDLEWARE.items()},
        missing=_no_body_limit(Starlette),
    ),
    "starlette install": Column(_install(Starlette), missing=_no_body_limit(Starlette)),
    "fastapi add_middleware": Column(
        _add_middleware(FastAPI),
        {row: f"fastapi {way}" for row, way in _OUTSIDE_USER_MIDDLEWARE.items()},
        missing=_no_body_limit(FastAPI),
    ),
    "fastapi install": Column(_install(FastAPI), missing=_no_body_limit(FastAPI)),
    "wsgi": Column(_wsgi, for_page=dict.fromkeys(_UNANSWERED, _SERVERS_OWN), statuses=_OF_FLASK),
    "wsgi, last resort inside": Column(_wsgi_and_last_resort, statuses=_OF_FLASK),
    "flask": Column(
        _flask(debug=False),
        for_page=dict.fromkeys(_UNANSWERED, _SERVERS_OWN),
        statuses=_OF_FLASK,
    ),
    "flask, debug mode": Column(
        _flask(debug=True),
        for_page=dict.fromkeys(_PROPAGATED, "the debugger wants it"),
        statuses=_OF_FLASK,
    ),
    "django sync": Column(_django("sync"), **_OF_DJANGO),
    "django async": Column(_django("async"), **_OF_DJANGO),
}


# --- the matrix


@pytest.mark.parametrize("row_name", ROWS)
@pytest.mark.parametrize("column_name", COLUMNS)
def test_an_error_is_readable_for_the_page_that_may_read_it(
    column_name: str, row_name: str
) -> None:
    row, column = ROWS[row_name], COLUMNS[column_name]
    if row_name in column.missing:
        pytest.skip(column.missing[row_name])
    send = column.build(row.variant)
    status = column.statuses.get(row_name, row.status)
    is_covered = row_name not in column.out_of_reach
    is_left_to_server = row_name in column.for_page
    refused = UNTOUCHED if is_left_to_server else REFUSED
    for origin, wanted in ((PAGE, READABLE), (OTHER_PAGE, refused)):
        answered, headers = send(
            row.method, row.path, {"Host": row.host, "Origin": origin}, row.body
        )
        assert answered == status
        assert cors_of(headers) == (wanted if is_covered else UNTOUCHED)


def test_every_cell_out_of_reach_has_a_way() -> None:
    for name, column in COLUMNS.items():
        named = {*column.out_of_reach, *column.for_page, *column.statuses, *column.missing}
        assert named <= ROWS.keys(), name
        for row, way in column.out_of_reach.items():
            assert row not in COLUMNS[way].out_of_reach, f"{name}: {way} does not cover {row}"
