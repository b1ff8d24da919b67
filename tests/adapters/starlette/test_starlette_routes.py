"""``corscore_starlette.cors_policy``: policies of endpoints, routes, routers and mounts."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import anyio
import fastapi
import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

import cors_headers
from cors_headers import OTHER_PAGE, PAGE, named
from corscore import ConfigError, Policy, PolicyMap, PolicyRef
from corscore._policy.resolver import check_async
from corscore.integration import _governor
from corscore.testing.conformance import Answer
from corscore.testing.conformance._oracle import SERVER
from corscore_starlette import CORSMiddleware, cors_policy, install
from servers import serve
from starlette_routed import (
    APP,
    BY_PATH,
    COPIES_ROUTES,
    ONE,
    TWO,
    Both,
    endpoint,
    here,
    opaque,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send


pytestmark = pytest.mark.usefixtures("build")

keeps_routers = pytest.mark.skipif(COPIES_ROUTES, reason="this FastAPI copies routes")


def names_in(response: Any) -> list[str]:
    """Return the names of the policies whose headers a response has."""
    names: str = response.headers.get("Access-Control-Expose-Headers", "").lower()
    return names.removeprefix("x-").split()


def governing(client: Any, method: str, url: str) -> str | None:
    def send(method: str, url: str, headers: Any) -> Answer:
        path = url.removeprefix(SERVER)
        response = client.request(method, path, headers=headers, follow_redirects=False)
        return Answer(response.status_code, response.headers.multi_items(), response.content)

    return cors_headers.governing(send, method, url)


def with_middleware(app: Starlette, policies: Any = APP, **options: Any) -> TestClient:
    app.add_middleware(CORSMiddleware, policy=policies, **options)
    return TestClient(app, raise_server_exceptions=False)


def with_install(app: Starlette, policies: Any = APP, **options: Any) -> TestClient:
    install(app, policies, **options)
    return TestClient(app, raise_server_exceptions=False)


LAYERS = pytest.mark.parametrize("layer", [with_middleware, with_install])
Layer = Any


def hiding(app: ASGIApp) -> ASGIApp:
    """A middleware without an attribute for the application inside."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return middleware


@keeps_routers
def test_a_router_may_have_its_policy_after_it_was_included() -> None:
    app, router = FastAPI(), APIRouter()
    app.include_router(router, prefix="/api")
    router.add_api_route("/x", endpoint())
    client = with_install(app)
    assert governing(client, "GET", "/api/x") == "app"
    cors_policy(ONE)(router)
    assert governing(client, "GET", "/api/x") == "one"


def test_a_copy_of_a_route_has_its_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI before 0.137 includes a router as copies, with path, endpoint and name only."""
    router, app = APIRouter(), FastAPI()
    router.add_api_route("/before", endpoint())
    with monkeypatch.context() as patch:
        patch.delattr(fastapi.routing, "_IncludedRouter", raising=False)
        cors_policy(ONE)(router)
        router.add_api_route("/after", endpoint())
        router.add_api_route("/two", cors_policy(TWO)(endpoint()))
        router.add_api_websocket_route("/ws", sockets().endpoint)
        router.routes.append(cors_policy(TWO)(here(path="/route")))
    for route in list(router.routes):
        copy = Route(f"/copy{route.path}", route.endpoint, name=route.name)  # type: ignore[attr-defined]
        app.router.routes.append(copy)
    expected = {"before": "one", "after": "one", "two": "two", "ws": "one", "route": "two"}
    client = with_install(app)
    assert {name: governing(client, "GET", f"/copy/{name}") for name in expected} == expected


# --- middleware between the layer and the route


@LAYERS
def test_a_request_that_never_reaches_its_route_has_the_routes_policy(layer: Layer) -> None:
    async def unauthorized(request: Request, call_next: Any) -> Response:
        return Response(status_code=401)

    app = Starlette(routes=[here(ONE), here(TWO, methods=["DELETE"])])
    app.add_middleware(BaseHTTPMiddleware, dispatch=unauthorized)
    client = layer(app)
    for method, name in (("GET", "one"), ("DELETE", "two"), ("PUT", "app")):
        response = client.request(method, "/x", headers={"Origin": PAGE})
        assert (response.status_code, names_in(response)) == (401, [name])


def test_a_middleware_may_hide_the_routes() -> None:
    app = Starlette(routes=[here(ONE)], middleware=[Middleware(hiding)])
    client = with_middleware(app)
    assert governing(client, "GET", "/x") == "one"
    # Inside of a mount's middleware there is another router.
    layers = [Middleware(CORSMiddleware, policy=APP), Middleware(hiding)]
    mount = Mount("/m", routes=[here(path="/m/x"), here()], middleware=layers)
    client = TestClient(Starlette(routes=[here(ONE), mount]))
    assert governing(client, "GET", "/m/x") == "app"


def test_a_layer_of_a_mount_or_a_router_knows_the_routes_in_it() -> None:
    layers = [Middleware(CORSMiddleware, policy=APP)]
    app = Starlette(
        routes=[
            Mount("/m", routes=[here(ONE)], middleware=layers),
            Mount("/r", Router([here(TWO)], middleware=layers)),
            Mount("/a", CORSMiddleware(Starlette(routes=[here(ONE)]), APP)),
            Mount("/f", CORSMiddleware(told("/f", routes=[here(TWO)]), APP)),
            here(TWO),
        ]
    )
    client = TestClient(app)
    for path, name in (("/m/x", "one"), ("/r/x", "two"), ("/a/x", "one"), ("/f/x", "two")):
        assert governing(client, "GET", path) == name
    assert governing(client, "GET", "/x") is None


def test_an_application_left_alone_has_a_layer_of_its_own() -> None:
    sub = Starlette(routes=[here(TWO), here(path="/y")])
    install(sub, ONE)
    client = with_install(
        Starlette(routes=[cors_policy(None)(Mount("/sub", sub)), here(path="/y")])
    )
    assert governing(client, "GET", "/sub/y") == "one"
    assert governing(client, "GET", "/sub/x") == "two"
    assert governing(client, "GET", "/y") == "app"


class Seen:
    """An application that keeps its scopes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.before: dict[str, Any] = {}
        self.after: dict[str, Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        layer = CORSMiddleware(self._inside, APP)
        layer.find_router = lambda: _found(self.app)  # type: ignore[method-assign]
        self.before = {**scope, "state": dict(scope["state"])}
        await layer(scope, receive, send)

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.after = {key: value for key, value in scope.items() if key != "corscore.policy"}
        await PlainTextResponse("ok")(scope, receive, send)


def _found(app: object) -> Any:
    from corscore_starlette._tree import find_router

    return find_router(app)


def test_the_lookup_changes_nothing_in_the_scope() -> None:
    app, router = FastAPI(), APIRouter()
    router.add_api_route("/{name}", cors_policy(ONE)(endpoint()))
    app.include_router(router, prefix="/api")
    seen = Seen(app)
    response = TestClient(seen).get("/api/x", headers={"Origin": PAGE})
    assert names_in(response) == ["one"]
    assert seen.after == seen.before
    assert "fastapi" not in seen.after


@LAYERS
def test_routes_have_their_policies_under_a_real_server(layer: Layer) -> None:
    app, router = FastAPI(), cors_policy(ONE)(APIRouter())

    @router.get("/files/{name}")
    async def read(name: str) -> str:
        return name

    @cors_policy(TWO)
    @router.delete("/files/{name}")
    async def delete(name: str) -> str:
        return name

    app.include_router(router, prefix="/api")
    layer(app, BY_PATH)
    expected = {
        "GET /api/files/x": "one",
        "DELETE /api/files/x": "two",
        "GET /api/files/caf%C3%A9": "one",
        # The server decodes it, so the router sees two segments, too.
        "GET /api/files/a%2Fb": "app",
        "GET /api/files/a%252Fb": "one",
        "PUT /api/files/x": "app",
        "GET /path/%78": "path",
        "GET /alone/x": None,
    }
    with (
        serve(app, lifespan="on", root_path="/mounted") as served,
        httpx2.Client(base_url=served.origin) as client,
    ):
        assert client.get("/api/files/caf%C3%A9").json() == "café"
        assert {line: governing(client, *line.split()) for line in expected} == expected


# --- a lookup that raises


class Closed(Route):
    def matches(self, scope: Scope) -> Any:
        raise HTTPException(410)


@LAYERS
def test_an_answer_of_the_router_itself_is_no_routes(
    layer: Layer, caplog: pytest.LogCaptureFixture
) -> None:
    client = layer(Starlette(routes=[Closed("/x", cors_policy(ONE)(endpoint()))]))
    assert governing(client, "GET", "/x") == "app"
    assert client.get("/x").status_code == 410
    assert caplog.messages == []


# --- everything else that stands around a policy


@LAYERS
def test_paths_are_those_on_entry(layer: Layer) -> None:
    async def boom(request: Request) -> Response:
        raise ValueError

    def mounted(app: Any) -> Mount:
        return Mount("/m", routes=[Mount("/n", app)])

    by_path = PolicyMap({"/m/n/x": ONE, "/x": TWO}, default=APP)
    routes = [Route("/x", boom, methods=["GET", "PUT"])]
    outside = layer(Starlette(routes=[mounted(Router(routes))]), by_path)
    inner = Starlette(routes=routes)
    layer(inner, by_path)
    inside = TestClient(Starlette(routes=[mounted(inner)]), raise_server_exceptions=False)
    for client, name in ((outside, "one"), (inside, "two")):
        assert governing(client, "PUT", "/m/n/x") == name
        assert governing(client, "GET", "/m/n/y") == "app"


@LAYERS
def test_a_line_break_at_the_end_of_a_path_does_not_change_its_policy(layer: Layer) -> None:
    # Starlette's router ignores such a line break.
    routes = [Route("/pay", endpoint(), methods=["GET", "POST"])]
    by_path = PolicyMap({"/pay": ONE}, default=None)
    client = layer(Starlette(routes=routes), by_path, block_cross_site=True)
    for path in ("/pay", "/pay%0A"):
        assert governing(client, "GET", path) == "one"
        assert client.post(path, headers={"Origin": OTHER_PAGE}).status_code == 403
    # Two line breaks make another path.
    assert governing(client, "GET", "/pay%0A%0A") is None
    assert client.post("/pay%0A%0A", headers={"Origin": OTHER_PAGE}).status_code == 404


@LAYERS
@pytest.mark.parametrize("given", [lambda policy: policy, PolicyRef], ids=["policy", "reference"])
def test_a_route_whose_policy_cannot_be_served_stops_the_start(
    layer: Layer, given: Callable[[Policy], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_tenant(origin: str, request: object) -> bool:
        raise AssertionError

    def without_anyio(policy: Policy) -> None:
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "anyio", None)
            check_async(policy)

    monkeypatch.setattr(_governor, "check_async", without_anyio)
    app = Starlette(routes=[here(given(named("one", origin_resolver=is_tenant)))])
    client = layer(app)
    sent: list[Any] = []

    async def start() -> None:
        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "lifespan.startup"}

        await app({"type": "lifespan", "state": {}}, receive, send)

    with pytest.raises(ConfigError, match="anyio"):
        anyio.run(start)
    assert [message["type"] for message in sent] == ["lifespan.startup.failed"]
    assert "anyio" in sent[0]["message"]
    # A server may run without start-up events.
    assert client.get("/x").status_code == 500


# --- WebSockets


def sockets(*marks: Any, path: str = "/ws") -> WebSocketRoute:
    async def talk(websocket: fastapi.WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    return WebSocketRoute(path, cors_policy(marks[0])(talk) if marks else talk)


def opens(client: TestClient, path: str) -> bool:
    try:
        with client.websocket_connect(path, headers={"Origin": OTHER_PAGE}):
            return True
    except WebSocketDisconnect:
        return False


@LAYERS
@pytest.mark.parametrize("framework", [Starlette, FastAPI])
def test_a_handshake_goes_by_its_route(layer: Layer, framework: type[Starlette]) -> None:
    trusted = named("one", allow_origins=[OTHER_PAGE], allow_credentials=True)
    router = cors_policy(trusted)(APIRouter())
    router.add_api_websocket_route("/in", sockets().endpoint)
    router.add_websocket_route("/plain", sockets().endpoint)
    app = framework(
        routes=[
            sockets(),
            sockets(trusted, path="/trusted"),
            sockets(None, path="/none"),
            # The policy of an endpoint for requests is not for handshakes.
            here(trusted, path="/ws"),
            Mount("/m", routes=[sockets(trusted)]),
        ]
    )
    paths = {"/ws": False, "/trusted": True, "/none": True, "/m/ws": True, "/unknown": False}
    if isinstance(app, FastAPI):
        app.include_router(router, prefix="/r")
        paths |= {"/r/in": True, "/r/plain": True}
    client = layer(app, check_websocket_origin=True)
    assert {path: opens(client, path) for path in paths} == paths


@LAYERS
def test_handshakes_pass_where_checks_are_off(layer: Layer) -> None:
    client = layer(Starlette(routes=[sockets(ONE)]))
    assert opens(client, "/ws")


# --- late, never, and wrong


@LAYERS
def test_routes_and_marks_may_come_late(layer: Layer) -> None:
    later = endpoint()
    app = Starlette(routes=[Route("/x", later), Mount("/m", routes=[])])
    client = layer(app)
    assert governing(client, "GET", "/x") == "app"
    cors_policy(ONE)(later)
    assert governing(client, "GET", "/x") == "one"


def in_a_mount(app: FastAPI) -> Any:
    router = Router()
    app.mount("/m", router)
    return router


def in_an_included_router(app: FastAPI) -> Any:
    router = APIRouter()
    router.add_route("/first", endpoint())
    app.include_router(router, prefix="/m")
    return router


@LAYERS
@pytest.mark.parametrize(
    ("where", "path"),
    [
        (lambda app: app.router, "/x"),
        (in_a_mount, "/m/x"),
        pytest.param(in_an_included_router, "/m/x", marks=keeps_routers),
    ],
)
def test_a_marked_route_may_come_late(
    layer: Layer, where: Callable[[FastAPI], Any], path: str
) -> None:
    marked = cors_policy(ONE)(endpoint())
    app = FastAPI()
    router = where(app)
    client = layer(app)
    assert governing(client, "GET", path) == "app"
    router.add_route("/x", marked)
    assert governing(client, "GET", path) == "one"


@LAYERS
def test_an_application_without_marks_never_looks_anything_up(
    layer: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> Any:
        raise AssertionError("a route was looked up")

    monkeypatch.setattr("corscore_starlette._routed.look_up", fail)
    monkeypatch.setattr("corscore_starlette._routed.RoutedMiddleware.policy_at", fail)
    # Another application of this process has marks.
    cors_policy(ONE)(endpoint())
    client = layer(Starlette(routes=[here(), Mount("/m", routes=[here()])]))
    assert governing(client, "GET", "/x") == "app"
    assert governing(client, "PUT", "/m/x") == "app"


def test_a_process_without_marks_does_not_even_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corscore_starlette._marks.Marks.count", 0)
    monkeypatch.delattr("corscore_starlette._routed.RoutedMiddleware.notice_routes")
    for layer in (with_install, with_middleware):
        assert governing(layer(Starlette(routes=[here()])), "GET", "/x") == "app"


NOT_A_POLICY = [
    ([PAGE], "Policy(allow_origins="),
    (PAGE, "Policy(allow_origins="),
    ({"allow_origins": [PAGE]}, "Policy(allow_origins="),
    (False, "cors_policy(None)"),
    (BY_PATH, "install(app, PolicyMap(...))"),
    (PolicyRef(BY_PATH), "PolicyMap"),
    (endpoint(), "write @cors_policy(policy)"),
    (Both, "@cors_policy on Both"),
]


@pytest.mark.parametrize(("given", "says"), NOT_A_POLICY)
def test_a_mark_without_a_policy_says_what_to_write(given: Any, says: str) -> None:
    with pytest.raises(TypeError) as error:
        cors_policy(given)
    assert says in str(error.value)


class WithStatic:
    @staticmethod
    async def view(request: Request) -> Response:
        raise NotImplementedError


NOT_A_ROUTE = [
    (Starlette(), "install(app, policy)"),
    (FastAPI(), "Mount("),
    (ONE, "Policy"),
    ("/path", "str"),
    ([here()], "list"),
    (None, "NoneType"),
    (WithStatic.__dict__["view"], "an endpoint"),
    (len, "len"),
    (CORSMiddleware(opaque, ONE), "CORSMiddleware"),
]


@pytest.mark.parametrize(("target", "says"), NOT_A_ROUTE)
def test_a_mark_on_another_object_says_what_to_write(target: Any, says: str) -> None:
    with pytest.raises(TypeError) as error:
        cors_policy(ONE)(target)
    assert "an endpoint, a route, a router or a Mount" in str(error.value)
    assert says in str(error.value)


MARKABLE: list[Callable[[], Any]] = [
    endpoint,
    lambda: type("Endpoint", (HTTPEndpoint,), {}),
    here,
    Router,
    APIRouter,
    lambda: Mount("/m", opaque),
    lambda: Host("h", opaque),
    sockets,
]


@pytest.mark.parametrize("make", MARKABLE)
def test_cors_policy_returns_its_object_which_may_have_one_policy(make: Callable[[], Any]) -> None:
    target = make()
    assert cors_policy(ONE)(target) is target
    assert cors_policy(named("one"))(target) is target
    with pytest.raises(RuntimeError, match="has another policy already"):
        cors_policy(TWO)(target)
    with pytest.raises(RuntimeError, match=r"cors_policy\(policy\)\(Route\(path, endpoint\)\)"):
        cors_policy(None)(target)


@pytest.fixture(autouse=True)
def log_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
