"""``app.add_middleware(corscore_starlette.CORSMiddleware, ...)``, with Starlette and FastAPI."""

from __future__ import annotations

import asyncio
import builtins
import inspect
import logging
import os
import socket
import subprocess
import sys
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import starlette.middleware.cors
from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.testclient import TestClient

import corscore_asgi
from cors_headers import OTHER_PAGE, PAGE, READABLE, REFUSED, UNTOUCHED, cors_of
from corscore import ConfigError, Policy
from corscore_starlette import CORSMiddleware, install

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = Policy(allow_origins=[PAGE], allow_methods=["PUT"])
FROM_PAGE = {"Origin": PAGE}
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "PUT"}
FRAMEWORKS = pytest.mark.parametrize("framework", [Starlette, FastAPI])
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def limited_to(size: int, framework: type[Starlette]) -> dict[str, Any]:
    """Return the option for a limit on bodies; skip the test where there is none."""
    if "max_body_size" not in inspect.signature(framework).parameters:
        pytest.skip(f"this {framework.__name__} has no body limit of its own")
    return {"max_body_size": size}


class BoomError(Exception):
    """The exception of the endpoints."""


async def ok(request: Request) -> Response:
    return PlainTextResponse("ok")


async def boom(request: Request) -> Response:
    raise BoomError


def quiet_client(app: ASGIApp, **options: Any) -> TestClient:
    """Return a client that gets the answer to an exception, as from a server."""
    return TestClient(app, raise_server_exceptions=False, **options)


def notices(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged, without refused requests."""
    found = [record.getMessage() for record in caplog.records if record.name == "corscore"]
    return [text for text in found if not text.startswith("CORS refused")]


# --- as users know it


@FRAMEWORKS
@BACKENDS
@pytest.mark.parametrize("form", ["options", "policy", "constructor", "positional"])
def test_the_middleware_is_added_in_every_way_of_starlette(
    framework: type[Starlette], backend: Any, form: str
) -> None:
    middleware = [Middleware(CORSMiddleware, policy=POLICY)] if form == "constructor" else []
    app = framework(routes=[Route("/ok", ok)], middleware=middleware)
    if form == "options":
        app.add_middleware(CORSMiddleware, allow_origins=[PAGE], allow_methods=["PUT"])
    elif form == "policy":
        app.add_middleware(CORSMiddleware, policy=POLICY)
    elif form == "positional":
        app.add_middleware(CORSMiddleware, POLICY)
    with TestClient(app, backend=backend) as client:
        answer = client.get("/ok", headers=FROM_PAGE)
        assert (answer.text, cors_of(answer.headers.multi_items())) == ("ok", READABLE)
        refused = client.get("/ok", headers={"Origin": OTHER_PAGE})
        assert (refused.text, cors_of(refused.headers.multi_items())) == ("ok", REFUSED)
        preflight = client.options("/nowhere", headers=PREFLIGHT)
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == PAGE
        missing = client.get("/nowhere", headers=FROM_PAGE)
        assert (missing.status_code, cors_of(missing.headers.multi_items())) == (404, READABLE)


def test_the_middleware_is_a_subclass_of_the_asgi_middleware() -> None:
    inner = FastAPI()
    layer = CORSMiddleware(inner, POLICY)
    assert isinstance(layer, corscore_asgi.CORSMiddleware)
    assert layer.app is inner
    assert layer.policy is POLICY


def test_the_middleware_may_be_put_around_an_app() -> None:
    answer = quiet_client(CORSMiddleware(FastAPI(routes=[Route("/boom", boom)]), POLICY)).get(
        "/boom", headers=FROM_PAGE
    )
    assert (answer.status_code, cors_of(answer.headers.multi_items())) == (500, READABLE)


# --- a wrong configuration

_MAIN = """
from fastapi import FastAPI
from starlette.applications import Starlette
from corscore_starlette import CORSMiddleware, install

fastapi, starlette, inside = FastAPI(), Starlette(), FastAPI()
for app in (fastapi, starlette):
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example/"])
inside.add_middleware(CORSMiddleware, policy=["https://app.example"])
inside.add_middleware(type("Outside", (), {"__init__": lambda self, app: setattr(self, "app", app),
    "__call__": lambda self, *args: self.app(*args)}))

def factory():
    app = FastAPI()
    install(app, allow_origins=[])
    return app
"""


def test_a_wrong_configuration_stops_uvicorn(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(_MAIN)
    starts = {
        ("fastapi", "--lifespan", "auto"): 'write "https://app.example"',
        ("fastapi", "--lifespan", "on"): 'write "https://app.example"',
        ("starlette", "--lifespan", "auto"): 'write "https://app.example"',
        ("starlette", "--lifespan", "on"): 'write "https://app.example"',
        ("inside", "--lifespan", "auto"): "a Policy was expected, not list",
        ("factory", "--factory"): "origins-missing",
    }
    # The port is in use, so that a server without our error stops, too.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "uvicorn", "--port", str(taken.getsockname()[1])]
        servers = {
            args: subprocess.Popen(
                [*command, f"main:{args[0]}", *args[1:]],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for args in starts
        }
        said = {args: server.communicate(timeout=60)[0] for args, server in servers.items()}
    for args, wanted in starts.items():
        assert wanted in said[args]
        assert "address already in use" not in said[args]
        assert servers[args].returncode not in (0, None)
        if "--factory" not in args:
            assert "Application startup failed" in said[args]


WRONG: list[Any] = [
    pytest.param({"allow_origins": [f"{PAGE}/"]}, ConfigError, id="origin"),
    pytest.param({}, ConfigError, id="nothing"),
    pytest.param({"allow_origin": [PAGE]}, (ConfigError, TypeError), id="misspelt"),
    pytest.param({"policy": [PAGE]}, TypeError, id="a list where a policy belongs"),
    pytest.param({"policy": POLICY, "max_age": 1}, TypeError, id="policy and options"),
]


@FRAMEWORKS
@pytest.mark.parametrize(("options", "error"), WRONG)
def test_a_wrong_configuration_raises_in_a_test_client(
    framework: type[Starlette], options: Any, error: Any
) -> None:
    app = framework(routes=[Route("/ok", ok)])
    app.add_middleware(CORSMiddleware, **options)
    with pytest.raises(error) as at_start, TestClient(app):
        pass
    with pytest.raises(error) as at_request:
        TestClient(app).get("/ok")
    with pytest.raises(error) as at_websocket, TestClient(app).websocket_connect("/ws"):
        pass
    assert str(at_start.value) == str(at_request.value) == str(at_websocket.value) != ""


def test_a_wrong_configuration_that_raises_again_has_no_longer_traceback() -> None:
    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=[])
    lengths = []
    for _ in range(3):
        with pytest.raises(ConfigError) as caught:
            TestClient(app).get("/")
        lengths.append(len(traceback.extract_tb(caught.value.__traceback__)))
    assert len(set(lengths)) == 1


# --- an unhandled exception


class _Inside:
    """A middleware that raises a given exception before it calls the application."""

    def __init__(self, app: ASGIApp, error: Exception | None = None) -> None:
        self.app = app
        self.error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.error is not None and scope["type"] == "http":
            raise self.error
        await self.app(scope, receive, send)


class _ErrorGroup(Exception):
    """The exception of a task group, for which Python has a class since 3.11."""

    def __init__(self, *exceptions: Exception) -> None:
        super().__init__("unhandled errors in a TaskGroup")
        self.exceptions = exceptions


class _Subclass(CORSMiddleware):
    """A subclass as users write them."""


async def _json(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": type(error).__name__}, status_code=500)


async def _bare_app(scope: Scope, receive: Receive, send: Send) -> None:
    raise BoomError


async def _begun(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    raise BoomError


async def _debug_message_first(scope: Scope, receive: Receive, send: Send) -> None:
    # A response made from a template sends such a message to test clients.
    await send({"type": "http.response.debug", "info": {"template": "", "context": {}}})
    raise BoomError


CORS = Middleware(CORSMiddleware, policy=POLICY)
ROUTES: list[BaseRoute] = [Route("/", boom)]


def _raising(error: Exception) -> Middleware:
    return Middleware(_Inside, error=error)


def _instrumented(app: FastAPI) -> FastAPI:
    FastAPIInstrumentor.instrument_app(app, tracer_provider=TracerProvider())
    return app


class Row(NamedTuple):
    """An app that raises, and the answer that is expected."""

    why: str
    app: Callable[[Any], Starlette]
    """Makes the app; takes its class, ``Starlette`` or ``FastAPI``."""
    wanted: dict[str, list[str]] = READABLE
    """The CORS headers of the answer."""
    noticed: bool = False
    """Whether it is logged, once, that ``install`` covers this."""
    status: int = 500
    body: str = "Internal Server Error"
    """A part of the answer's body."""
    error: type[Exception] = BoomError
    """The exception that reaches the server."""


ERRORS = [
    Row("nothing else would answer", lambda f: f(routes=ROUTES, middleware=[CORS])),
    Row(
        "other middleware inside",
        lambda f: f(
            routes=ROUTES,
            middleware=[
                CORS,
                Middleware(GZipMiddleware),
                Middleware(BaseHTTPMiddleware, dispatch=lambda request, go_on: go_on(request)),
            ],
        ),
    ),
    Row("a middleware inside raises", lambda f: f(middleware=[CORS, _raising(BoomError())])),
    Row(
        "a subclass of ours",
        lambda f: f(routes=ROUTES, middleware=[Middleware(_Subclass, policy=POLICY)]),
    ),
    Row(
        "a handler for another exception",
        lambda f: f(
            routes=ROUTES, middleware=[CORS], exception_handlers={KeyError: _json, 404: _json}
        ),
    ),
    Row(
        "a group of errors",
        lambda f: f(middleware=[CORS, _raising(_ErrorGroup(BoomError(), KeyError()))]),
        error=_ErrorGroup,
    ),
    Row(
        "a message that starts no response",
        lambda f: f(routes=[Mount("/", _debug_message_first)], middleware=[CORS]),
    ),
    Row(
        "a bare application mounted",
        lambda f: f(routes=[Mount("/", _bare_app)], middleware=[CORS]),
    ),
    Row(
        "an application mounted, and CORS on the outer one",
        lambda f: f(routes=[Mount("/", f(routes=ROUTES))], middleware=[CORS]),
    ),
    Row(
        "an application mounted that handles it, and CORS on the outer one",
        lambda f: f(
            routes=[Mount("/", f(routes=ROUTES, exception_handlers={500: _json}))],
            middleware=[CORS],
        ),
        body='{"error":"BoomError"}',
    ),
    Row(
        "an application mounted, with CORS of its own",
        lambda f: f(routes=[Mount("/", f(routes=ROUTES, middleware=[CORS]))]),
    ),
    Row(
        "an application mounted that mounts a third",
        lambda f: f(
            routes=[Mount("/", f(routes=[Mount("/", f(routes=ROUTES))]))], middleware=[CORS]
        ),
    ),
    Row(
        "instrumented by OpenTelemetry",
        lambda f: _instrumented(FastAPI(routes=ROUTES, middleware=[CORS])),
    ),
    Row(
        "instrumented by OpenTelemetry, other middleware outside",
        lambda f: _instrumented(FastAPI(routes=ROUTES, middleware=[Middleware(_Inside), CORS])),
        wanted=UNTOUCHED,
        noticed=True,
    ),
    Row(
        "installed as well",
        lambda f: _installed(f(routes=ROUTES, middleware=[Middleware(_Inside), CORS])),
    ),
    Row(
        "other middleware outside",
        lambda f: f(routes=ROUTES, middleware=[Middleware(_Inside), CORS]),
        wanted=UNTOUCHED,
        noticed=True,
    ),
    Row(
        "other middleware of Starlette's outside",
        lambda f: f(routes=ROUTES, middleware=[Middleware(GZipMiddleware), CORS]),
        wanted=UNTOUCHED,
        noticed=True,
    ),
    Row(
        "a handler for Exception",
        lambda f: f(routes=ROUTES, middleware=[CORS], exception_handlers={Exception: _json}),
        wanted=UNTOUCHED,
        noticed=True,
        body='{"error":"BoomError"}',
    ),
    Row(
        "a handler for 500",
        lambda f: f(routes=ROUTES, middleware=[CORS], exception_handlers={500: _json}),
        wanted=UNTOUCHED,
        noticed=True,
        body='{"error":"BoomError"}',
    ),
    Row(
        "debug mode",
        lambda f: f(routes=ROUTES, middleware=[CORS], debug=True),
        wanted=UNTOUCHED,
        noticed=True,
        body="Traceback",
    ),
    Row(
        "an HTTPException of a middleware",
        lambda f: f(middleware=[CORS, _raising(HTTPException(503))]),
        wanted=UNTOUCHED,
        noticed=True,
        error=HTTPException,
    ),
    Row(
        "an HTTPException in a group, which nothing looks into",
        lambda f: f(middleware=[CORS, _raising(_ErrorGroup(BoomError(), HTTPException(503)))]),
        error=_ErrorGroup,
    ),
    Row(
        "CORS on a mount only",
        lambda f: f(routes=[Mount("/", routes=ROUTES, middleware=[CORS])]),
        wanted=UNTOUCHED,
        noticed=True,
    ),
    Row(
        "CORS on a mount, other middleware on the app",
        lambda f: f(
            routes=[Mount("/", routes=ROUTES, middleware=[CORS])], middleware=[Middleware(_Inside)]
        ),
        wanted=UNTOUCHED,
        noticed=True,
    ),
    Row(
        "made by a function",
        lambda f: f(routes=ROUTES, middleware=[Middleware(partial(CORSMiddleware, policy=POLICY))]),
        wanted=UNTOUCHED,
        noticed=True,
    ),
    Row(
        "the response has begun",
        lambda f: f(routes=[Mount("/", _begun)], middleware=[CORS]),
        status=200,
        body="",
    ),
]


def _installed(app: Any) -> Any:
    install(app, POLICY)
    return app


@pytest.fixture
def no_notice_of_two_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the notice of two layers, which has another test."""
    monkeypatch.setattr("corscore_starlette._install.note_two_layers", lambda *_: None)
    monkeypatch.setattr("corscore_starlette._middleware.note_two_layers", lambda *_: None)


@FRAMEWORKS
@BACKENDS
@pytest.mark.usefixtures("no_notice_of_two_layers")
@pytest.mark.parametrize("row", ERRORS, ids=[row.why for row in ERRORS])
def test_an_unhandled_exception_is_answered_by_the_outermost_layer(
    row: Row, framework: type[Starlette], backend: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = row.app(framework)
    client = quiet_client(app, backend=backend)
    with caplog.at_level(logging.WARNING, logger="corscore"):
        for _ in range(2):
            answer = client.get("/", headers=FROM_PAGE)
            assert answer.status_code == row.status
            assert row.body in answer.text
            assert cors_of(answer.headers.multi_items()) == row.wanted
            # The exception still reaches the server's log and error trackers.
            with pytest.raises(row.error):
                TestClient(app, backend=backend).get("/", headers=FROM_PAGE)
    assert len(notices(caplog)) == row.noticed
    assert all("corscore_starlette.install" in notice for notice in notices(caplog))


@FRAMEWORKS
def test_a_page_of_a_refused_origin_cannot_read_a_500(
    framework: type[Starlette], caplog: pytest.LogCaptureFixture
) -> None:
    covered = framework(routes=ROUTES, middleware=[CORS])
    outside = framework(routes=ROUTES, middleware=[Middleware(_Inside), CORS])
    for headers in ({}, {"Origin": OTHER_PAGE}):
        answer = quiet_client(covered).get("/", headers=headers)
        assert (answer.status_code, cors_of(answer.headers.multi_items())) == (500, REFUSED)
        answer = quiet_client(outside).get("/", headers=headers)
        assert (answer.status_code, cors_of(answer.headers.multi_items())) == (500, UNTOUCHED)
    assert notices(caplog) == []


@FRAMEWORKS
def test_the_500_is_that_of_starlette_with_cors_headers(framework: type[Starlette]) -> None:
    ours = quiet_client(framework(routes=ROUTES, middleware=[CORS])).get("/", headers=FROM_PAGE)
    theirs = quiet_client(framework(routes=ROUTES)).get("/", headers=FROM_PAGE)
    assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
    kept = [pair for pair in ours.headers.multi_items() if not cors_of([pair])]
    assert kept == theirs.headers.multi_items()


def test_the_server_gets_the_applications_own_exception() -> None:
    error = BoomError()
    app = FastAPI(middleware=[CORS, _raising(error)])
    with pytest.raises(BoomError) as caught:
        TestClient(app).get("/", headers=FROM_PAGE)
    assert caught.value is error


@pytest.mark.parametrize("instrument_first", [True, False])
def test_spans_of_opentelemetry_are_recorded_in_either_order(instrument_first: bool) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = FastAPI(routes=[Route("/boom", boom)])
    if instrument_first:
        FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    app.add_middleware(CORSMiddleware, policy=POLICY)
    if not instrument_first:
        FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    answer = quiet_client(app).get("/boom", headers=FROM_PAGE)
    assert (answer.status_code, cors_of(answer.headers.multi_items())) == (500, READABLE)
    (served,) = [span for span in exporter.get_finished_spans() if span.parent is None]
    assert served.name == "GET /boom"
    assert [event.name for event in served.events] == ["exception"]


def test_a_cancellation_gets_no_response() -> None:
    async def cancelled(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    app = Starlette(routes=[Mount("/", cancelled)], middleware=[CORS])
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"origin", PAGE.encode())]}
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(app(scope, receive, send))
    assert sent == []


def test_an_exception_in_a_websocket_passes() -> None:
    async def handler(scope: Scope, receive: Receive, send: Send) -> None:
        raise BoomError

    app = Starlette(routes=[Mount("/", handler)], middleware=[CORS])
    with pytest.raises(BoomError), TestClient(app).websocket_connect("/", headers=FROM_PAGE):
        pass


# --- the body limit, which is outside


async def _read(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _do_not_read(request: Request) -> Response:
    return PlainTextResponse("not read")


class _ReadsFirst(_Inside):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            message = await receive()

            async def again() -> Message:
                return message

            await self.app(scope, again, send)


@pytest.mark.parametrize(
    ("inside", "path"),
    [([], "/read"), ([], "/do-not-read"), ([Middleware(_ReadsFirst)], "/read")],
    ids=["endpoint reads", "endpoint does not read", "middleware reads"],
)
@FRAMEWORKS
def test_a_413_stays_what_it_was(
    framework: type[Starlette],
    inside: list[Middleware],
    path: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    routes = [
        Route("/read", _read, methods=["POST"]),
        Route("/do-not-read", _do_not_read, methods=["POST"]),
    ]
    options = limited_to(4, framework)
    clients = [
        TestClient(framework(routes=routes, middleware=[*middleware, *inside], **options))
        for middleware in ([], [CORS])
    ]
    answers = []
    for client in clients:
        answers += [client.post(path, content=b"too large", headers=FROM_PAGE) for _ in range(2)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(413, "Content Too Large")}
    assert cors_of(answers[-1].headers.multi_items()) == UNTOUCHED
    (notice,) = notices(caplog)
    assert "body limits" in notice
    assert clients[1].post(path, content=b"fits", headers=FROM_PAGE).status_code == 200


def test_a_413_of_a_task_group_stays_what_it_was() -> None:
    # FastAPI answers an exception in a group.
    group: Any = getattr(builtins, "ExceptionGroup", None)
    if group is None:
        pytest.skip("groups of exceptions came with Python 3.11")

    class ReadsInAGroup(_Inside):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            try:
                if scope["type"] == "http":
                    await receive()
            except HTTPException as error:
                raise group("unhandled errors in a TaskGroup", [error]) from None
            await self.app(scope, receive, send)

    options = limited_to(4, FastAPI)
    app = FastAPI(middleware=[CORS, Middleware(ReadsInAGroup)], **options)
    answer = TestClient(app).post("/", content=b"too large", headers=FROM_PAGE)
    assert (answer.status_code, answer.text) == (413, "Content Too Large")


def test_a_client_that_went_away_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def send(message: Message) -> None:
        raise OSError("the client went away")

    async def receive() -> Message:
        return {"type": "http.request"}

    app = Starlette(routes=[Route("/ok", ok)], middleware=[CORS])
    scope = {"type": "http", "method": "GET", "path": "/ok", "query_string": b"", "headers": []}
    scope["headers"] = [(b"origin", PAGE.encode())]
    with pytest.raises(OSError, match="went away"):
        asyncio.run(app(scope, receive, send))
    assert notices(caplog) == []


# --- two layers

THEIRS = Middleware(starlette.middleware.cors.CORSMiddleware, allow_origins=["*"])


@pytest.mark.parametrize(
    ("installed", "middleware", "noticed"),
    [
        (False, [CORS], 0),
        (True, [], 0),
        (False, [THEIRS], 0),
        (False, [CORS, CORS], 1),
        (False, [CORS, Middleware(_Subclass, policy=POLICY)], 1),
        (False, [CORS, THEIRS], 1),
        (False, [THEIRS, CORS], 1),
        (True, [CORS], 1),
        (True, [THEIRS], 1),
        (True, [Middleware(partial(GZipMiddleware, minimum_size=9))], 0),
    ],
)
@FRAMEWORKS
def test_two_layers_are_noticed_once_an_app(
    framework: type[Starlette],
    installed: bool,
    middleware: list[Middleware],
    noticed: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for number in (1, 2):
        app = framework(routes=[Route("/ok", ok)])
        if installed:
            install(app, POLICY)
        for added in reversed(middleware):
            app.add_middleware(added.cls, *added.args, **added.kwargs)
        with TestClient(app) as client:
            for _ in range(2):
                answer = client.get("/ok", headers=FROM_PAGE)
                assert len(answer.headers.get_list("access-control-allow-origin")) == 1
        assert len(notices(caplog)) == noticed * number
    assert all("two layers of CORS are on one app" in notice for notice in notices(caplog))


def test_layers_are_noticed_when_requests_come_first(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI(routes=[Route("/ok", ok)], middleware=[THEIRS, CORS])
    assert TestClient(app).get("/ok", headers=FROM_PAGE).status_code == 200
    assert len(notices(caplog)) == 1
