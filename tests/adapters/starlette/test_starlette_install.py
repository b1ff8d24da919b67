"""``corscore_starlette.install``: the app stays the same object, with CORS as outermost layer."""

from __future__ import annotations

import inspect
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.testclient import TestClient

import corscore_asgi
from cors_headers import OTHER_PAGE, PAGE, READABLE, REFUSED, cors_of
from corscore import ConfigError, Policy
from corscore_starlette import install

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = Policy(allow_origins=[PAGE], allow_methods=["PUT"])
FROM_PAGE = {"Origin": PAGE}
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "PUT"}


class OwnStarlette(Starlette):
    """A subclass as users write them."""


class OwnFastAPI(FastAPI):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["seen_by_own_call"] = True
        await super().__call__(scope, receive, send)


FRAMEWORKS = [Starlette, FastAPI, OwnStarlette, OwnFastAPI]


async def ok(request: Request) -> Response:
    return PlainTextResponse("ok")


async def boom(request: Request) -> Response:
    raise ValueError("boom")


@pytest.fixture(params=FRAMEWORKS, ids=lambda cls: cls.__name__)
def app(request: pytest.FixtureRequest) -> Starlette:
    made: Starlette = request.param(routes=[Route("/ok", ok), Route("/boom", boom)])
    install(made, POLICY)
    return made


def quiet_client(app: ASGIApp, **options: Any) -> TestClient:
    """Return a client that gets the answer to an exception, as from a server."""
    return TestClient(app, raise_server_exceptions=False, **options)


# --- the app stays the object that it was


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_app_stays_the_object_that_it_was(framework: type[Starlette]) -> None:
    app = framework(debug=True)
    app.state.answer = 42
    before = dict(vars(app))
    install(app, POLICY)
    assert isinstance(app, framework)
    assert type(app).__name__ == framework.__name__
    assert type(app).__qualname__ == framework.__qualname__
    assert type(app).__module__ == framework.__module__
    assert type(app).__doc__ == framework.__doc__
    assert app.state.answer == 42
    assert before.items() <= vars(app).items()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_other_apps_of_the_class_are_left_alone(framework: type[Starlette]) -> None:
    install(framework(), POLICY)
    other = framework(routes=[Route("/ok", ok)])
    assert cors_of(TestClient(other).get("/ok", headers=FROM_PAGE).headers.multi_items()) == {}


def test_each_app_has_its_own_policy() -> None:
    apps = [FastAPI(routes=[Route("/ok", ok)]) for _ in range(2)]
    install(apps[0], allow_origins=[PAGE])
    install(apps[1], allow_origins=[OTHER_PAGE])
    answers = [TestClient(app).get("/ok", headers=FROM_PAGE) for app in apps]
    assert [cors_of(a.headers.multi_items()) for a in answers] == [READABLE, REFUSED]


def test_the_method_of_a_subclass_is_still_called() -> None:
    async def seen(request: Request) -> Response:
        return JSONResponse(request.scope["seen_by_own_call"])

    app = OwnFastAPI(routes=[Route("/seen", seen)])
    install(app, POLICY)
    assert TestClient(app).get("/seen", headers=FROM_PAGE).json() is True


def test_a_method_that_is_replaced_later_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    # Error trackers do that when they start, which may be after `install`.
    app = Starlette(routes=[Route("/ok", ok)])
    install(app, POLICY)
    original, paths = Starlette.__call__, []

    async def noting(self: Starlette, scope: Scope, receive: Receive, send: Send) -> None:
        paths.append(scope["path"])
        await original(self, scope, receive, send)

    monkeypatch.setattr(Starlette, "__call__", noting)
    assert TestClient(app).get("/ok", headers=FROM_PAGE).status_code == 200
    assert paths == ["/ok"]


def test_tools_can_walk_from_the_policy_to_the_stack() -> None:
    app = FastAPI()
    install(app, POLICY)
    layer: Any = vars(app)["corscore_layer"]
    assert isinstance(layer, corscore_asgi.CORSMiddleware)
    inside: Any = layer
    while inside is not app:
        inside = inside.app


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_installed_policy_governs_requests_and_answers_preflights(
    app: Starlette, backend: Any
) -> None:
    with TestClient(app, backend=backend) as client:
        answer = client.get("/ok", headers=FROM_PAGE)
        assert (answer.status_code, answer.text) == (200, "ok")
        assert cors_of(answer.headers.multi_items()) == READABLE
        refused = client.get("/ok", headers={"Origin": OTHER_PAGE})
        assert (refused.status_code, refused.text) == (200, "ok")
        assert cors_of(refused.headers.multi_items()) == REFUSED
        preflight = client.options("/nowhere", headers=PREFLIGHT)
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-origin"] == PAGE
        assert "PUT" in preflight.headers["access-control-allow-methods"]
        assert client.options("/ok", headers=FROM_PAGE).status_code == 405


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_unhandled_exception_is_readable_and_reaches_the_server(
    app: Starlette, backend: Any
) -> None:
    answer = quiet_client(app, backend=backend).get("/boom", headers=FROM_PAGE)
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert cors_of(answer.headers.multi_items()) == READABLE
    with pytest.raises(ValueError, match="boom"):  # for the server's log
        TestClient(app, backend=backend).get("/boom", headers=FROM_PAGE)


# --- what is done to it afterwards


def test_routes_that_are_included_afterwards_have_the_policy() -> None:
    app = FastAPI()
    install(app, POLICY)
    router = APIRouter(prefix="/items")

    @router.get("/{number}")
    def item(number: int) -> dict[str, int]:
        return {"number": number}

    app.include_router(router)
    client = TestClient(app)
    answer = client.get("/items/3", headers=FROM_PAGE)
    assert answer.json() == {"number": 3}
    assert cors_of(answer.headers.multi_items()) == READABLE
    wrong = client.get("/items/three", headers=FROM_PAGE)
    assert wrong.status_code == 422
    assert cors_of(wrong.headers.multi_items()) == READABLE
    assert "/items/{number}" in client.get("/openapi.json").json()["paths"]


def test_the_schema_is_the_same() -> None:
    apps = [FastAPI(title="Same"), FastAPI(title="Same")]
    for app in apps:
        app.add_api_route("/ok", lambda: "ok", name="ok")
    install(apps[1], POLICY)
    assert apps[0].openapi() == apps[1].openapi()
    assert TestClient(apps[1]).get("/docs", headers=FROM_PAGE).status_code == 200


def _user() -> str:
    return "real"


def _me(name: Annotated[str, Depends(_user)]) -> str:
    return name


def test_dependency_overrides_work() -> None:
    app = FastAPI()
    app.add_api_route("/me", _me)
    install(app, POLICY)
    app.dependency_overrides[_user] = lambda: "stand-in"
    assert TestClient(app).get("/me", headers=FROM_PAGE).json() == "stand-in"


def test_middleware_added_afterwards_is_inside(app: Starlette) -> None:
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["api.example"])
    refused = TestClient(app, base_url="http://elsewhere.example").get("/ok", headers=FROM_PAGE)
    assert refused.status_code == 400
    assert cors_of(refused.headers.multi_items()) == READABLE
    good = TestClient(app, base_url="http://api.example").get("/ok", headers=FROM_PAGE)
    assert (good.status_code, cors_of(good.headers.multi_items())) == (200, READABLE)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_lifespan_runs_once_with_its_state(framework: type[Starlette], backend: Any) -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
        events.append("start")
        yield {"database": "open"}
        events.append("stop")

    async def read(request: Request) -> Response:
        return PlainTextResponse(request.state.database)

    app = framework(routes=[Route("/read", read)], lifespan=lifespan)
    install(app, POLICY)
    with TestClient(app, backend=backend) as client:
        assert client.get("/read", headers=FROM_PAGE).text == "open"
        assert events == ["start"]
    assert events == ["start", "stop"]


def test_the_state_is_the_apps(app: Starlette) -> None:
    async def read(request: Request) -> Response:
        assert request.app is app
        return PlainTextResponse(request.app.state.answer)

    app.state.answer = "42"
    app.router.routes.append(Route("/read", read))
    assert TestClient(app).get("/read").text == "42"


def test_websockets_reach_the_application() -> None:
    app = FastAPI()
    install(app, POLICY)

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    app.router.routes.append(WebSocketRoute("/plain", echo))
    for path in ("/echo", "/plain"):
        with TestClient(app).websocket_connect(path, headers={"Origin": OTHER_PAGE}) as session:
            session.send_text("hello")
            assert session.receive_text() == "hello"


# --- what it refuses


def test_a_second_install_is_an_error(app: Starlette) -> None:
    cls = type(app)
    with pytest.raises(RuntimeError, match="called twice on one app"):
        install(app, POLICY)
    assert type(app) is cls


@pytest.mark.parametrize(
    "thing",
    [FastAPI, APIRouter(), corscore_asgi.CORSMiddleware(FastAPI(), POLICY), ok, None, "main:app"],
    ids=["class", "router", "middleware", "function", "None", "str"],
)
def test_install_takes_applications_of_starlette_only(thing: Any) -> None:
    with pytest.raises(TypeError, match=r"a Starlette or FastAPI application.*corscore_asgi"):
        install(thing, POLICY)


def test_a_wrong_configuration_raises_and_leaves_the_app_as_it_was() -> None:
    app = FastAPI()
    with pytest.raises(ConfigError, match="origin-trailing-slash"):
        install(app, allow_origins=[f"{PAGE}/"])
    expected = rf'install\(app, .*write install\(app, allow_origins=\["{PAGE}"\]\)'
    with pytest.raises(TypeError, match=expected):
        install(app, [PAGE])  # type: ignore[arg-type]
    assert type(app) is FastAPI
    install(app, allow_origins=[PAGE])


def test_a_wrong_configuration_ends_in_its_text_below_the_line_of_the_user() -> None:
    with pytest.raises(ConfigError) as caught:
        install(FastAPI(), allow_origins=[f"{PAGE}/"])
    assert len(caught.traceback) == 2


# --- CORS is outside everything


def _spans(order: str, app: FastAPI) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    steps: dict[str, Callable[[], None]] = {
        "install": lambda: install(app, POLICY),
        "instrument": lambda: FastAPIInstrumentor.instrument_app(app, tracer_provider=provider),
    }
    for step in order.split(", "):
        steps[step]()
    return exporter


@pytest.mark.parametrize("order", ["install, instrument", "instrument, install"])
def test_the_policy_is_outermost_when_the_app_is_instrumented(order: str) -> None:
    app = FastAPI(routes=[Route("/ok", ok), Route("/boom", boom)])
    exporter = _spans(order, app)
    client = quiet_client(app)
    for path, status in (("/ok", 200), ("/boom", 500)):
        answer = client.get(path, headers=FROM_PAGE)
        assert answer.status_code == status
        assert cors_of(answer.headers.multi_items()) == READABLE
    assert client.options("/boom", headers=PREFLIGHT).status_code == 204
    served = {span.name: span for span in exporter.get_finished_spans() if span.parent is None}
    assert served.keys() == {"GET /ok", "GET /boom"}
    assert [event.name for event in served["GET /boom"].events] == ["exception"]
    FastAPIInstrumentor.uninstrument_app(app)
    answer = client.get("/boom", headers=FROM_PAGE)
    assert (answer.status_code, cors_of(answer.headers.multi_items())) == (500, READABLE)


@pytest.mark.skipif(
    "telemetry" not in inspect.signature(FastAPI).parameters,
    reason="this FastAPI has no telemetry of its own",
)
def test_the_policy_is_outermost_with_fastapis_own_telemetry() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    options: dict[str, Any] = {"telemetry": {"tracer_provider": provider}}
    app = FastAPI(routes=[Route("/boom", boom)], **options)
    install(app, POLICY)
    answer = quiet_client(app).get("/boom", headers=FROM_PAGE)
    assert (answer.status_code, cors_of(answer.headers.multi_items())) == (500, READABLE)
    assert len(exporter.get_finished_spans()) == 1


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("announced", [True, False], ids=["content-length", "chunked"])
def test_the_body_limit_is_inside(framework: type[Starlette], announced: bool) -> None:
    if "max_body_size" not in inspect.signature(framework).parameters:
        pytest.skip(f"this {framework.__name__} has no body limit of its own")

    async def read(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    options: dict[str, Any] = {"max_body_size": 4}
    app = framework(routes=[Route("/read", read, methods=["POST"])], **options)
    install(app, POLICY)
    client = TestClient(app)
    content: Any = b"too large" if announced else iter([b"too ", b"large"])
    answer = client.post("/read", content=content, headers=FROM_PAGE)
    assert answer.status_code == 413
    assert cors_of(answer.headers.multi_items()) == READABLE
    assert client.post("/read", content=b"fits", headers=FROM_PAGE).text == "4"


async def _json_500(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=500)


async def _json_404(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "not here"}, status_code=404)


class _Raising:
    """A middleware that fails before the application is called."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/fails"):
            raise ValueError("in the middleware")
        await self.app(scope, receive, send)


async def _dispatch(request: Request, call_next: Any) -> Response:
    response: Response = await call_next(request)
    response.headers["X-Seen"] = "yes"
    return response


async def _unauthorized(request: Request) -> Response:
    raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})


async def _session(request: Request) -> Response:
    request.session["user"] = "someone"
    return PlainTextResponse("ok" * 1000)


async def _away(request: Request) -> Response:
    return RedirectResponse("/ok")


def _sub_app(framework: type[Starlette]) -> Starlette:
    return framework(
        routes=[Route("/ok", ok), Route("/boom", boom), Route("/fails", ok)],
        middleware=[Middleware(_Raising), Middleware(BaseHTTPMiddleware, dispatch=_dispatch)],
        exception_handlers={404: _json_404},
    )


@pytest.fixture(params=[Starlette, FastAPI], ids=lambda cls: cls.__name__)
def everything(request: pytest.FixtureRequest, tmp_path: Path) -> TestClient:
    """An app with one of each kind of route and middleware of Starlette."""
    (tmp_path / "file.txt").write_bytes(b"0123456789")

    async def file(request: Request) -> Response:
        return FileResponse(tmp_path / "file.txt")

    routes: list[BaseRoute] = [
        Route("/ok", ok),
        Route("/session", _session),
        Route("/file", file),
        Route("/away", _away),
        Route("/boom", boom),
        Route("/fails", ok),
        Route("/unauthorized", _unauthorized),
        Route("/unchanged", lambda request: Response(status_code=304)),
        Mount("/sub", _sub_app(request.param)),
    ]
    app: Starlette = request.param(
        routes=routes,
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["testserver"]),
            Middleware(SessionMiddleware, secret_key="not a secret"),
            Middleware(GZipMiddleware, minimum_size=1000),
            Middleware(BaseHTTPMiddleware, dispatch=_dispatch),
            Middleware(_Raising),
        ],
    )
    install(app, POLICY)
    return quiet_client(app, follow_redirects=False)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/ok", 200),
        ("HEAD", "/ok", 200),
        ("GET", "/file", 200),
        ("HEAD", "/file", 200),
        ("GET", "/session", 200),
        ("GET", "/unchanged", 304),
        ("GET", "/away", 307),
        ("GET", "/ok/", 307),
        ("GET", "/unauthorized", 401),
        ("GET", "/nowhere", 404),
        ("DELETE", "/ok", 405),
        ("GET", "/boom", 500),
        ("GET", "/fails", 500),
        ("GET", "/sub/ok", 200),
        ("GET", "/sub/nowhere", 404),
        ("DELETE", "/sub/ok", 405),
        ("GET", "/sub/boom", 500),
        ("GET", "/sub/fails", 500),
    ],
)
def test_every_answer_has_the_headers_of_its_page(
    everything: TestClient, method: str, path: str, status: int
) -> None:
    for origin, wanted in ((PAGE, READABLE), (OTHER_PAGE, REFUSED)):
        answer = everything.request(method, path, headers={"Origin": origin})
        assert answer.status_code == status
        found = cors_of(answer.headers.multi_items())
        # GZip and sessions vary on something of their own.
        others = {"accept-encoding", "cookie"}
        assert {**found, "vary": [v for v in found["vary"] if v not in others]} == wanted


def test_the_work_of_inner_layers_is_kept(everything: TestClient) -> None:
    answer = everything.get("/session", headers={**FROM_PAGE, "Accept-Encoding": "gzip"})
    assert answer.text == "ok" * 1000
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["x-seen"] == "yes"
    assert "session=" in answer.headers["set-cookie"]
    assert set(cors_of(answer.headers.multi_items())["vary"]) >= {"accept-encoding", "origin"}
    part = everything.get("/file", headers={**FROM_PAGE, "Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")
    assert cors_of(part.headers.multi_items())["access-control-allow-origin"] == [PAGE]
    assert everything.get("/sub/nowhere", headers=FROM_PAGE).json() == {"error": "not here"}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_users_own_500_is_readable(framework: type[Starlette]) -> None:
    app = framework(routes=[Route("/boom", boom)], exception_handlers={Exception: _json_500})
    install(app, POLICY)
    answer = quiet_client(app).get("/boom", headers=FROM_PAGE)
    assert (answer.status_code, answer.json()) == (500, {"error": "boom"})
    assert cors_of(answer.headers.multi_items()) == READABLE


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_users_own_500_that_fails_is_replaced_by_a_readable_one(
    framework: type[Starlette],
) -> None:
    async def failing(request: Request, error: Exception) -> Response:
        raise LookupError("no template")

    app = framework(routes=[Route("/boom", boom)], exception_handlers={Exception: failing})
    install(app, POLICY)
    answer = quiet_client(app).get("/boom", headers=FROM_PAGE)
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert cors_of(answer.headers.multi_items()) == READABLE
    with pytest.raises(LookupError, match="no template"):
        TestClient(app).get("/boom", headers=FROM_PAGE)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_debug_page_is_readable(framework: type[Starlette]) -> None:
    app = framework(routes=[Route("/boom", boom)], debug=True)
    install(app, POLICY)
    answer = quiet_client(app).get("/boom", headers={**FROM_PAGE, "Accept": "text/html"})
    assert answer.status_code == 500
    assert "Traceback" in answer.text
    assert cors_of(answer.headers.multi_items()) == READABLE


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_background_tasks_run(backend: Any) -> None:
    done: list[str] = []

    async def later(request: Request) -> Response:
        return PlainTextResponse("ok", background=BackgroundTask(done.append, "done"))

    app = FastAPI(routes=[Route("/later", later)])
    install(app, POLICY)
    answer = TestClient(app, backend=backend).get("/later", headers=FROM_PAGE)
    assert cors_of(answer.headers.multi_items()) == READABLE
    assert done == ["done"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_streams_are_not_buffered(framework: type[Starlette], backend: str) -> None:
    received: list[Message] = []

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(3):
            # All chunks that were sent before have arrived.
            assert len(received) == 1 + number
            yield b"%d" % number

    async def stream(request: Request) -> Response:
        return StreamingResponse(chunks())

    app = framework(routes=[Route("/stream", stream)])
    install(app, POLICY)

    async def receive() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        received.append(message)

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/stream",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"origin", PAGE.encode())],
    }
    anyio.run(app, scope, receive, send, backend=backend)
    pairs = [(name.decode(), value.decode()) for name, value in received[0]["headers"]]
    assert cors_of(pairs) == READABLE
    assert b"".join(message["body"] for message in received[1:]) == b"012"


def test_a_policy_inside_is_overruled_and_noticed_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    inside = FastAPI(routes=[Route("/ok", ok)])
    install(inside, allow_origins=[OTHER_PAGE])
    outside = FastAPI(routes=[Mount("/sub", inside)])
    install(outside, POLICY)
    client = TestClient(outside)
    with caplog.at_level(logging.WARNING, logger="corscore"):
        for origin, wanted in ((OTHER_PAGE, REFUSED), (PAGE, READABLE), (OTHER_PAGE, REFUSED)):
            answer = client.get("/sub/ok", headers={"Origin": origin})
            assert cors_of(answer.headers.multi_items()) == wanted
    found = [record.getMessage() for record in caplog.records]
    assert len([text for text in found if "another CORS layer in it" in text]) == 1
