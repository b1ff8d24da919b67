"""``corscore_starlette.cors_policy``: policies of endpoints, routes, routers and mounts."""

from __future__ import annotations

import functools
import inspect
import logging
import sys
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import fastapi
import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

import corscore_asgi
from cors_headers import OTHER_PAGE, PAGE, REFUSED, UNTOUCHED, cors_of
from corscore import ConfigError, OriginResolver, Policy, PolicyMap, PolicyRef
from corscore._policy.resolver import check_async
from corscore.integration import _governor
from corscore_starlette import CORSMiddleware, cors_policy, install
from servers import serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from corscore import Decision, RequestInfo

# FastAPI before 0.137 copies the routes of a router that it includes.
COPIES_ROUTES = not hasattr(fastapi.routing, "_IncludedRouter")
keeps_routers = pytest.mark.skipif(COPIES_ROUTES, reason="this FastAPI copies routes")


def policy(name: str, **options: Any) -> Policy:
    """A policy whose answers tell its name, be it to a preflight or to a request."""
    return Policy(
        **{
            "allow_origins": [PAGE],
            "allow_methods": ["PUT", "DELETE", "PATCH"],
            "allow_headers": [f"X-{name}"],
            "expose_headers": [f"X-{name}"],
            **options,
        }
    )


APP, PATH, ONE, TWO = map(policy, ("app", "path", "one", "two"))


def endpoint() -> Callable[[Request], Any]:
    """A function of its own: marks are on functions."""

    async def answer(request: fastapi.Request) -> Response:
        return PlainTextResponse(f"{request.method} was seen")

    return answer


def names_in(response: Any) -> list[str]:
    """The name of the policy that a response is from; none where there is nothing of CORS in it."""
    found = cors_of(response.headers.multi_items())
    lines = found.get("access-control-expose-headers", found.get("access-control-allow-headers"))
    if lines is None:
        assert found == UNTOUCHED
        return []
    names = [name.strip().lower() for name in lines[0].split(",")]
    return [name[2:] for name in names if name.startswith("x-")]


def governing(client: httpx.Client | TestClient, method: str, url: str) -> str | None:
    """The name of what governs a request, and the preflight that announces it; None for nothing."""
    announced = {"Origin": PAGE, "Access-Control-Request-Method": method}
    to_preflight = client.options(url, headers=announced, follow_redirects=False)
    to_request = client.request(method, url, headers={"Origin": PAGE}, follow_redirects=False)
    assert names_in(to_preflight) == names_in(to_request)
    # Nobody but the layer answers so.
    assert (to_preflight.status_code == 204) == bool(names_in(to_preflight))
    return next(iter(names_in(to_request)), None)


def with_middleware(app: Starlette, policies: Any = APP, **options: Any) -> TestClient:
    app.add_middleware(CORSMiddleware, policy=policies, **options)
    return TestClient(app, raise_server_exceptions=False)


def with_install(app: Starlette, policies: Any = APP, **options: Any) -> TestClient:
    install(app, policies, **options)
    return TestClient(app, raise_server_exceptions=False)


LAYERS = pytest.mark.parametrize("layer", [with_middleware, with_install])
Layer = Any


def told(root_path: str, **options: Any) -> FastAPI:
    """An application that knows where it is mounted; newer ones are not to be told any more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return FastAPI(root_path=root_path, **options)


# --- Starlette


class Both(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        return PlainTextResponse("ok")

    @cors_policy(TWO)
    async def delete(self, request: Request) -> Response:
        return PlainTextResponse("ok")


class Marked(Both):
    """With a policy of its own below."""


class Inheriting(Marked):
    """One that has its policy from its base."""


cors_policy(ONE)(Marked)


class Views:
    async def view(self, request: Request) -> Response:
        return PlainTextResponse("ok")

    @cors_policy(TWO)
    async def marked(self, request: Request) -> Response:
        return PlainTextResponse("ok")


async def opaque(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("ok")(scope, receive, send)


class Endless:
    """An application that seems to have itself inside."""

    @property
    def app(self) -> Endless:
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await opaque(scope, receive, send)


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(request: Request) -> Any:
        return await function(request)

    return wrapper


def hiding(app: ASGIApp) -> ASGIApp:
    """A middleware that does not show what it has inside."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return middleware


def shared() -> list[BaseRoute]:
    function = endpoint()
    one, two = (
        cors_policy(mark)(Route(path, function)) for mark, path in ((ONE, "/one"), (TWO, "/two"))
    )
    return [one, two, Route("/none", function)]


def here(*marks: Policy | PolicyRef | None, path: str = "/x", **options: Any) -> Route:
    """A route whose endpoint has a policy, if one is given."""
    function = endpoint()
    return Route(path, cors_policy(marks[0])(function) if marks else function, **options)


class Case(NamedTuple):
    routes: Callable[[], list[Any]]
    expected: dict[str, str | None]


CASES = {
    "a function": Case(
        lambda: [here(ONE)],
        {"GET /x": "one", "HEAD /x": "one", "PUT /x": "app", "GET /y": "app"},
    ),
    "None": Case(lambda: [here(None)], {"GET /x": None, "PUT /x": "app"}),
    "methods": Case(
        lambda: [
            here(ONE),
            here(TWO, methods=["DELETE"]),
            here(methods=["PUT"]),
            here(None, methods=["POST", "OPTIONS"]),
        ],
        {
            "GET /x": "one",
            "DELETE /x": "two",
            "PUT /x": "app",
            "POST /x": None,
            "OPTIONS /x": None,
            "PATCH /x": "app",
        },
    ),
    "a class, and a method of it": Case(
        lambda: [Route("/both", Both), Route("/marked", Marked), Route("/sub", Inheriting)],
        {
            "GET /both": "app",
            "DELETE /both": "two",
            "GET /marked": "one",
            "HEAD /marked": "one",
            "DELETE /marked": "two",
            "PUT /marked": "app",
            "GET /sub": "one",
        },
    ),
    "nothing but a method of a class": Case(
        lambda: [Route("/x", Both)], {"DELETE /x": "two", "GET /x": "app"}
    ),
    "a class in a router in a mount": Case(
        lambda: [cors_policy(ONE)(Mount("/m", cors_policy(TWO)(Router([Route("/x", Both)]))))],
        {"GET /m/x": "two", "PUT /m/x": "one"},
    ),
    "other callables": Case(
        lambda: [
            Route("/partial", functools.partial(cors_policy(ONE)(endpoint()))),
            Route("/around", cors_policy(ONE)(functools.partial(endpoint()))),
            Route("/method", cors_policy(ONE)(Views().view)),
            Route("/unmarked", Views().view),
            Route("/marked", Views().marked),
            Route("/wrapped", wrapped(cors_policy(ONE)(endpoint()))),
            Route("/outside", cors_policy(ONE)(wrapped(endpoint()))),
        ],
        {
            "GET /partial": "one",
            "GET /around": "one",
            "GET /method": "one",
            "GET /unmarked": "app",
            "GET /marked": "two",
            "GET /wrapped": "one",
            "GET /outside": "one",
        },
    ),
    "routes that share an endpoint": Case(
        shared, {"GET /one": "one", "GET /two": "two", "GET /none": "app"}
    ),
    "an endpoint in a marked route": Case(
        lambda: [cors_policy(ONE)(here(TWO))], {"GET /x": "two", "PUT /x": "app"}
    ),
    "a mount": Case(
        lambda: [
            cors_policy(ONE)(
                Mount("/m", routes=[here(), here(TWO, path="/two"), here(None, path="/none")])
            )
        ],
        {
            "GET /m/x": "one",
            "PUT /m/x": "one",
            "GET /m/y": "one",
            "GET /m/two": "two",
            "PUT /m/two": "one",
            "GET /m/none": None,
            "GET /m": "app",
            "GET /mm/x": "app",
        },
    ),
    "a mount that is left alone": Case(
        lambda: [cors_policy(None)(Mount("/m", routes=[here(), here(ONE, path="/one")]))],
        {"GET /m/x": None, "PUT /m/y": None, "GET /m/one": "one"},
    ),
    "a mount of what shows no routes": Case(
        lambda: [
            cors_policy(ONE)(Mount("/m", opaque)),
            Mount("/n", opaque),
            cors_policy(TWO)(Mount("/endless", Endless())),
        ],
        {"GET /m/x": "one", "DELETE /m": "app", "GET /n/x": "app", "GET /endless/x": "two"},
    ),
    "mounts in mounts": Case(
        lambda: [
            Mount(
                "/a",
                routes=[
                    cors_policy(ONE)(
                        Mount("/{b}", routes=[here(), Mount("/c", routes=[here(TWO)])])
                    ),
                    here(),
                ],
            )
        ],
        {"GET /a/b/x": "one", "GET /a/b/c/x": "two", "GET /a/b/c/y": "one", "GET /a/x": "app"},
    ),
    "an application that is mounted": Case(
        lambda: [
            Mount("/sub", Starlette(routes=[here(ONE), here(path="/y")])),
            Mount("/api", FastAPI(routes=[here(TWO)])),
            Mount("/told", told("/told", routes=[here(TWO)])),
            Mount("/layers", GZipMiddleware(GZipMiddleware(Starlette(routes=[here(ONE)])))),
            Mount("/layered", routes=[here(ONE)], middleware=[Middleware(GZipMiddleware)]),
        ],
        {
            "GET /sub/x": "one",
            "GET /sub/y": "app",
            "GET /sub/none": "app",
            "GET /api/x": "two",
            "GET /told/x": "two",
            "GET /layers/x": "one",
            "GET /layered/x": "one",
        },
    ),
    "a host": Case(
        lambda: [
            Host("one.example", cors_policy(ONE)(Router([here(), here(TWO, path="/two")]))),
            cors_policy(TWO)(Host("{name}.two.example", Router([here()]))),
            Route("/x", endpoint()),
        ],
        {
            "GET http://one.example/x": "one",
            "GET http://one.example/two": "two",
            "GET http://one.example/y": "app",
            "GET http://a.two.example/x": "two",
            "GET http://a.two.example/y": "two",
            "GET /x": "app",
        },
    ),
    "a router": Case(
        lambda: [
            Mount("/m", cors_policy(ONE)(Router([here(), here(TWO, path="/two")]))),
            cors_policy(TWO)(Mount("/n", cors_policy(ONE)(Router([here()])))),
        ],
        {
            "GET /m/x": "one",
            "PUT /m/x": "app",
            "GET /m/y": "app",
            "GET /m/two": "two",
            "GET /n/x": "one",
            "PUT /n/x": "two",
        },
    ),
    "converters": Case(
        lambda: [
            here(ONE, path="/items/{item:int}"),
            here(TWO, path="/items/{name}"),
            here(None, path="/files/{rest:path}"),
        ],
        {
            "GET /items/7": "one",
            "GET /items/seven": "two",
            "GET /items/7/parts": "app",
            "GET /files/a/b": None,
            "GET /caf%C3%A9": "app",
        },
    ),
    "redirects to a slash and from it": Case(
        lambda: [here(ONE, path="/x/"), here(TWO, path="/y")],
        {"GET /x/": "one", "GET /x": "app", "GET /y/": "app"},
    ),
    "the first that matches in full": Case(
        lambda: [here(ONE, methods=["PUT"]), here(TWO, path="/{name}"), here(ONE)],
        {"GET /x": "two", "PUT /x": "one", "DELETE /x": "app"},
    ),
    "a path, and the routes there": Case(
        lambda: [
            here(ONE, path="/path/one"),
            here(path="/path/x"),
            here(ONE, path="/alone/one"),
            here(path="/alone/x"),
        ],
        {
            "GET /path/one": "one",
            "PUT /path/one": "path",
            "GET /path/x": "path",
            "GET /path/y": "path",
            "GET /alone/one": "one",
            "PUT /alone/one": None,
            "GET /alone/x": None,
        },
    ),
}

BY_PATH = PolicyMap({"/path/*": PATH, "/alone/*": None}, default=APP)


@LAYERS
@pytest.mark.parametrize("policies", [APP, BY_PATH], ids=["policy", "map"])
@pytest.mark.parametrize("name", CASES)
def test_a_route_has_its_policy(layer: Layer, policies: Any, name: str) -> None:
    if "path" in name and policies is APP:
        return
    case = CASES[name]
    client = layer(Starlette(routes=case.routes()), policies)
    asked = {line: governing(client, *line.split()) for line in case.expected}
    assert asked == case.expected


@LAYERS
def test_none_leaves_a_route_alone(layer: Layer) -> None:
    own = {"Access-Control-Allow-Origin": "https://own.example", "Vary": "Cookie"}

    @cors_policy(None)
    async def endpoint(request: Request) -> Response:
        return PlainTextResponse(request.method, headers=own)

    routes = [Route("/x", endpoint, methods=["GET", "OPTIONS", "POST"])]
    client = layer(Starlette(routes=routes), block_cross_site=True)
    for method in ("GET", "OPTIONS", "POST"):
        headers = {"Origin": OTHER_PAGE, "Access-Control-Request-Method": "GET"}
        response = client.request(method, "/x", headers=headers)
        assert response.text == method
        assert cors_of(response.headers.multi_items()) == {
            "access-control-allow-origin": ["https://own.example"],
            "vary": ["cookie"],
        }


# --- FastAPI


def test_both_sides_of_fastapis_decorator() -> None:
    app = FastAPI()

    @app.get("/inner")
    @cors_policy(ONE)
    def inner() -> str:
        return "ok"

    @cors_policy(TWO)
    @app.get("/outer")
    @app.get("/again")
    async def outer() -> str:
        return "ok"

    @app.post("/inner")
    def post() -> str:
        return "ok"

    client = with_install(app)
    assert inner() == "ok"
    assert client.get("/outer").json() == "ok"
    expected = {
        "GET /inner": "one",
        "POST /inner": "app",
        "PUT /inner": "app",
        # FastAPI answers 405, unlike Starlette.
        "HEAD /inner": "app",
        "GET /outer": "two",
        "GET /again": "two",
        "GET /docs": "app",
    }
    assert {line: governing(client, *line.split()) for line in expected} == expected


def marked_router() -> APIRouter:
    """Routes added before and after the router had its policy."""
    router = APIRouter()
    router.add_api_route("/before", endpoint())
    assert cors_policy(ONE)(router) is router
    router.add_api_route("/after", endpoint())
    router.add_api_route("/two", cors_policy(TWO)(endpoint()))
    router.add_api_route("/none", cors_policy(None)(endpoint()))
    router.add_route("/starlette", endpoint())
    return router


IN_A_ROUTER: dict[str, str | None] = {
    "GET /before": "one",
    "GET /after": "one",
    "PUT /after": "app",
    "GET /unknown": "app",
    "GET /two": "two",
    "GET /none": None,
    "GET /starlette": "one",
}


@LAYERS
@pytest.mark.parametrize("outer", [None, ONE, TWO], ids=["plain", "same", "marked"])
def test_a_router_has_its_policy_wherever_it_is_included(
    layer: Layer, outer: Policy | None
) -> None:
    app, between = FastAPI(), APIRouter()
    between.add_api_route("/own", endpoint())
    if outer is not None:
        cors_policy(outer)(between)
    between.include_router(marked_router(), prefix="/in")
    app.include_router(between, prefix="/api/v1")
    app.include_router(marked_router())
    client = layer(app)
    for prefix in ("", "/api/v1/in"):
        asked = {line: line.replace(" ", f" {prefix}").split() for line in IN_A_ROUTER}
        assert {line: governing(client, *of) for line, of in asked.items()} == IN_A_ROUTER
    own = {None: "app", ONE: "one", TWO: "two"}[outer]
    assert governing(client, "GET", "/api/v1/own") == own


@LAYERS
@pytest.mark.parametrize("is_fastapi", [False, True])
def test_a_router_inside_one_that_occurs_twice_has_the_policy_of_its_place(
    layer: Layer, is_fastapi: bool
) -> None:
    app: Any = FastAPI()
    if is_fastapi:
        marked, plain, between, inner = (APIRouter() for _ in range(4))
        inner.add_api_route("/r", endpoint())
        between.include_router(inner, prefix="/in")
        for outer, prefix in ((cors_policy(ONE)(marked), "/marked"), (plain, "/plain")):
            outer.include_router(between)
            app.include_router(outer, prefix=prefix)
    else:
        router = Router([Mount("/in", Router([Route("/r", endpoint())]))])
        marked_mount = cors_policy(ONE)(Mount("/marked", router))
        app = Starlette(routes=[marked_mount, Mount("/plain", router)])
    client = layer(app)
    assert governing(client, "GET", "/marked/in/r") == "one"
    assert governing(client, "GET", "/plain/in/r") == "app"


def test_a_router_without_a_policy_has_that_of_the_one_around_it() -> None:
    app, outer, inner = FastAPI(), cors_policy(ONE)(APIRouter()), APIRouter()
    inner.add_api_route("/x", endpoint())
    inner.add_api_route("/two", cors_policy(TWO)(endpoint()))
    outer.include_router(inner, prefix="/inner")
    app.include_router(outer)
    app.include_router(inner, prefix="/alone")
    client = with_install(app)
    assert governing(client, "GET", "/inner/x") == "one"
    assert governing(client, "GET", "/inner/two") == "two"
    assert governing(client, "GET", "/alone/x") == "app"


@keeps_routers
def test_a_router_may_have_its_policy_after_it_was_included() -> None:
    app, router = FastAPI(), APIRouter()
    app.include_router(router, prefix="/api")
    router.add_api_route("/x", endpoint())
    client = with_install(app)
    assert governing(client, "GET", "/api/x") == "app"
    cors_policy(ONE)(router)
    assert governing(client, "GET", "/api/x") == "one"


@keeps_routers
def test_mounts_and_hosts_in_an_included_router() -> None:
    app, router = FastAPI(), cors_policy(ONE)(APIRouter())
    router.mount("/plain", Router([here(), here(None, path="/none")]))
    router.routes.append(cors_policy(TWO)(Mount("/marked", routes=[here()])))
    router.routes.append(cors_policy(TWO)(Host("two.example", Router([here()]))))
    app.include_router(router, prefix="/api")
    client = with_install(app)
    expected = {
        "GET /api/plain/x": "one",
        "GET /api/plain/y": "one",
        "GET /api/plain/none": None,
        "GET /api/marked/x": "two",
        "GET http://two.example/api/x": "two",
        "GET /api/none": "app",
    }
    assert {line: governing(client, *line.split()) for line in expected} == expected


@LAYERS
def test_an_application_that_was_told_where_it_is_mounted(layer: Layer) -> None:
    app = told("/behind")
    app.add_api_route("/x", cors_policy(ONE)(endpoint()))
    app.add_api_route("/path/x", endpoint())
    client = layer(app, BY_PATH)
    # Some proxies take the prefix away, and some do not.
    for prefix in ("/behind", ""):
        assert governing(client, "GET", f"{prefix}/x") == "one"
        assert governing(client, "GET", f"{prefix}/path/x") == "path"


class Greedy(APIRouter):
    """A router that takes what it has no route for, too."""

    def matches(self, scope: Scope) -> Any:
        match, child_scope = super().matches(scope)
        return Match.FULL if scope["type"] == "http" else match, child_scope


@keeps_routers
def test_a_router_that_takes_everything_has_its_routes_only() -> None:
    app, router = FastAPI(), cors_policy(ONE)(Greedy())
    router.add_api_route("/x", endpoint())
    app.include_router(router)
    client = with_install(app)
    assert governing(client, "GET", "/x") == "one"
    assert governing(client, "GET", "/y") == "app"


def test_a_copy_of_a_route_has_its_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI before 0.137 passes on path, endpoint and name when it includes a router."""
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


class OfItsApp(Route):
    """One that matches as its application says."""

    def matches(self, scope: Scope) -> Any:
        if not scope["app"].state.is_open:
            return Match.NONE, {}
        return super().matches(scope)


@LAYERS
def test_a_route_may_ask_its_application(layer: Layer) -> None:
    app, sub = Starlette(), Starlette()
    for each in (app, sub):
        each.routes.append(OfItsApp("/x", cors_policy(ONE)(endpoint())))
        each.state.is_open = each is app
    app.mount("/sub", sub)
    client = layer(app)
    assert governing(client, "GET", "/x") == "one"
    assert governing(client, "GET", "/sub/x") == "app"


# --- what stands between the layer and the route


@LAYERS
def test_what_never_comes_to_the_route_has_its_policy(layer: Layer) -> None:
    async def unauthorized(request: Request, call_next: Any) -> Response:
        return Response(status_code=401)

    app = Starlette(routes=[here(ONE), here(TWO, methods=["DELETE"])])
    app.add_middleware(BaseHTTPMiddleware, dispatch=unauthorized)
    client = layer(app)
    for method, name in (("GET", "one"), ("DELETE", "two"), ("PUT", "app")):
        response = client.request(method, "/x", headers={"Origin": PAGE})
        assert (response.status_code, names_in(response)) == (401, [name])


@LAYERS
@pytest.mark.parametrize("mark", [ONE, None], ids=["policy", "None"])
def test_an_unhandled_exception_is_answered_under_the_routes_policy(
    layer: Layer, mark: Policy | None
) -> None:
    @cors_policy(mark)
    async def boom(request: Request) -> Response:
        raise ValueError

    client = layer(Starlette(routes=[Route("/x", boom)]))
    response = client.get("/x", headers={"Origin": PAGE})
    assert (response.status_code, names_in(response)) == (500, [] if mark is None else ["one"])


def test_a_middleware_may_hide_the_routes() -> None:
    app = Starlette(routes=[here(ONE)], middleware=[Middleware(hiding)])
    client = with_middleware(app)
    assert governing(client, "GET", "/x") == "one"
    # A mount's middleware has another router inside than that of the application around.
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
    """An application that notes the scope that comes to it."""

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
def test_under_a_real_server(layer: Layer) -> None:
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
        # Decoded once, by the server: this is two segments to the router, too.
        "GET /api/files/a%2Fb": "app",
        "GET /api/files/a%252Fb": "one",
        "PUT /api/files/x": "app",
        "GET /path/%78": "path",
        "GET /alone/x": None,
    }
    with (
        serve(app, lifespan="on", root_path="/mounted") as served,
        httpx.Client(base_url=served.origin) as client,
    ):
        assert client.get("/api/files/caf%C3%A9").json() == "café"
        assert {line: governing(client, *line.split()) for line in expected} == expected


# --- a lookup that raises


class Clumsy(Route):
    def matches(self, scope: Scope) -> Any:
        raise ValueError(f"\x1b[2J{scope['path']}")


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


@LAYERS
@pytest.mark.parametrize(
    ("route", "path"),
    [
        # Python refuses to read a number of more than 4,300 digits.
        pytest.param(
            lambda: here(ONE, path="/items/{item:int}"),
            f"/items/{'7' * 5000}",
            marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="it reads them"),
        ),
        (lambda: Clumsy("/x", cors_policy(ONE)(endpoint())), "/path/x"),
    ],
    ids=["converter", "route"],
)
@pytest.mark.parametrize("policies", [APP, PolicyMap({}), Policy(allow_origins=["*"])])
def test_a_lookup_that_raises_refuses_the_preflight(
    layer: Layer,
    caplog: pytest.LogCaptureFixture,
    route: Callable[[], Route],
    path: str,
    policies: Any,
) -> None:
    client = layer(Starlette(routes=[route()]), policies)
    announced = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
    for _ in range(3):
        response = client.options(path, headers=announced)
        assert response.status_code == 403
        assert cors_of(response.headers.multi_items()) == REFUSED
        response = client.get(path, headers={"Origin": PAGE})
        assert response.status_code == 500
        # As that of any other exception.
        if policies is APP:
            assert names_in(response) == ["app"]
    logged = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    ours = [line for line in logged if line.startswith("the route of")]
    assert len(ours) == 1
    assert ours[0].isprintable()
    assert ours[0].isascii()
    assert len(ours[0]) < 1000
    assert "ValueError" in ours[0]


# --- everything else that stands around a policy


def test_the_arguments_are_those_of_the_asgi_middleware() -> None:
    theirs = inspect.signature(corscore_asgi.CORSMiddleware).parameters
    for ours in (CORSMiddleware, install):
        parameters = inspect.signature(ours).parameters
        assert list(parameters) == list(theirs)
        assert {name: parameters[name].default for name in theirs} == {
            name: parameter.default for name, parameter in theirs.items()
        }


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
def test_a_line_break_at_the_end_of_a_path(layer: Layer) -> None:
    # To Starlette's router such a path is the one without it.
    routes = [Route("/pay", endpoint(), methods=["GET", "POST"])]
    by_path = PolicyMap({"/pay": ONE}, default=None)
    client = layer(Starlette(routes=routes), by_path, block_cross_site=True)
    for path in ("/pay", "/pay%0A"):
        assert governing(client, "GET", path) == "one"
        assert client.post(path, headers={"Origin": OTHER_PAGE}).status_code == 403
    # There, two are a path of their own.
    assert governing(client, "GET", "/pay%0A%0A") is None
    assert client.post("/pay%0A%0A", headers={"Origin": OTHER_PAGE}).status_code == 404


@LAYERS
def test_those_who_watch_see_the_policy_of_the_route(
    layer: Layer, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[tuple[str, bool]] = []

    def on_decision(decision: Decision, request: RequestInfo) -> None:
        seen.append((request.path, decision.origin_allowed))

    @cors_policy(policy("one", allow_origins=[OTHER_PAGE]))
    async def decided(request: Request) -> Response:
        decision = corscore_asgi.decision_of(request.scope)
        return PlainTextResponse("" if decision is None else str(decision.origin_allowed))

    routes = [Route("/x", decided), here(None, path="/none")]
    client = layer(Starlette(routes=routes), on_decision=on_decision, shadow=APP)
    assert client.get("/x", headers={"Origin": OTHER_PAGE}).text == "True"
    assert client.get("/x", headers={"Origin": PAGE}).text == "False"
    client.get("/none", headers={"Origin": PAGE})
    client.get("/y", headers={"Origin": PAGE})
    assert seen == [("/x", True), ("/x", False), ("/y", True)]
    refused = [line for line in caplog.messages if line.startswith("CORS refused")]
    assert refused == [
        (
            f"CORS refused (origin-not-allowed): origin {PAGE}, GET /x"
            "; why: debug=True, or corscore explain"
        )
    ]
    assert any("shadow" in line for line in caplog.messages)


@LAYERS
def test_enforcement_goes_by_the_route(layer: Layer) -> None:
    trusted = policy("one", allow_origins=[OTHER_PAGE], allow_credentials=True)
    client = layer(
        Starlette(
            routes=[
                here(trusted, path="/trusted", methods=["POST"]),
                here(None, path="/none", methods=["POST"]),
                here(path="/x", methods=["POST"]),
            ]
        ),
        block_cross_site=True,
    )
    foreign = {"Origin": OTHER_PAGE, "Sec-Fetch-Site": "cross-site"}
    got = {path: client.post(path, headers=foreign).status_code for path in ("/trusted", "/none")}
    assert got == {"/trusted": 200, "/none": 200}
    assert client.post("/x", headers=foreign).status_code == 403


@LAYERS
def test_a_route_may_ask_a_resolver(layer: Layer) -> None:
    asked: list[str] = []

    async def is_tenant(origin: str) -> bool:
        asked.append(origin)
        return origin == OTHER_PAGE

    tenants = policy("one", origin_resolver=OriginResolver(is_tenant, key=("origin",)))
    client = layer(Starlette(routes=[here(tenants), here(path="/y")]))
    announced = {"Origin": OTHER_PAGE, "Access-Control-Request-Method": "GET"}
    assert client.options("/x", headers=announced).status_code == 204
    assert client.options("/y", headers=announced).status_code == 403
    assert names_in(client.get("/x", headers={"Origin": OTHER_PAGE})) == ["one"]
    assert asked == [OTHER_PAGE]


@LAYERS
@pytest.mark.parametrize("hold", [lambda policy: policy, PolicyRef], ids=["policy", "reference"])
def test_a_route_whose_policy_cannot_be_served_stops_the_start(
    layer: Layer, hold: Callable[[Policy], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_tenant(origin: str, request: object) -> bool:
        raise AssertionError

    def without_anyio(policy: Policy) -> None:
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "anyio", None)
            check_async(policy)

    monkeypatch.setattr(_governor, "check_async", without_anyio)
    app = Starlette(routes=[here(hold(policy("one", origin_resolver=is_tenant)))])
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
    # A server may go on without start-up events.
    assert client.get("/x").status_code == 500


def test_a_policy_that_changes() -> None:
    ref = PolicyRef(ONE)
    client = with_install(Starlette(routes=[here(ref)]))
    assert governing(client, "GET", "/x") == "one"
    ref.replace(TWO)
    assert governing(client, "GET", "/x") == "two"
    ref.replace(PolicyMap({"/x": PATH}, default=None))
    assert governing(client, "GET", "/x") == "path"
    ref.replace(PolicyMap({}, default=None))
    assert governing(client, "GET", "/x") is None


def test_debug_explains_the_policy_of_the_route(caplog: pytest.LogCaptureFixture) -> None:
    client = with_install(Starlette(routes=[here(policy("one", debug=True))]))
    announced = {"Origin": OTHER_PAGE, "Access-Control-Request-Method": "GET"}
    assert "Origin" in client.options("/x", headers=announced).text
    assert client.options("/y", headers=announced).text == ""
    assert any("Refused: origin-not-allowed" in line for line in caplog.messages)


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
    trusted = policy("one", allow_origins=[OTHER_PAGE], allow_credentials=True)
    router = cors_policy(trusted)(APIRouter())
    router.add_api_websocket_route("/in", sockets().endpoint)
    router.add_websocket_route("/plain", sockets().endpoint)
    app = framework(
        routes=[
            sockets(),
            sockets(trusted, path="/trusted"),
            sockets(None, path="/none"),
            # An endpoint for requests only says nothing about handshakes.
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
def test_handshakes_pass_where_nobody_asked_for_checks(layer: Layer) -> None:
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
    # Another application of the same process has some.
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
def test_what_is_no_policy_says_what_to_write(given: Any, says: str) -> None:
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
def test_what_is_no_route_says_what_to_write(target: Any, says: str) -> None:
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
def test_it_returns_what_it_is_given_and_takes_one_policy(make: Callable[[], Any]) -> None:
    target = make()
    assert cors_policy(ONE)(target) is target
    assert cors_policy(policy("one"))(target) is target
    with pytest.raises(RuntimeError, match="has another policy already"):
        cors_policy(TWO)(target)
    with pytest.raises(RuntimeError, match=r"cors_policy\(policy\)\(Route\(path, endpoint\)\)"):
        cors_policy(None)(target)


def test_a_bound_method_leaves_its_function_alone() -> None:
    one, two = Views(), Views()
    client = with_install(
        Starlette(
            routes=[
                Route("/one", cors_policy(ONE)(one.view)),
                Route("/two", cors_policy(TWO)(two.view)),
                Route("/plain", one.view),
            ]
        )
    )
    got = {path: governing(client, "GET", path) for path in ("/one", "/two", "/plain")}
    assert got == {"/one": "one", "/two": "two", "/plain": "app"}


@pytest.fixture(autouse=True)
def log_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
