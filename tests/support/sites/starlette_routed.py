"""Routes with their own policies, in every way of Starlette and FastAPI."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import fastapi
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router

from cors_headers import named
from corscore import Policy, PolicyMap, PolicyRef
from corscore.testing.conformance import Crash, asgi_sender
from corscore_starlette import CORSMiddleware, cors_policy, install

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from corscore.testing.conformance import Sender

APP, PATH, ONE, TWO = map(named, ("app", "path", "one", "two"))
BY_PATH = PolicyMap({"/path/*": PATH, "/alone/*": None}, default=APP)

# FastAPI before 0.137 copies the routes of a router that it includes.
COPIES_ROUTES = not hasattr(fastapi.routing, "_IncludedRouter")


def endpoint() -> Callable[[Request], Any]:
    """Return a new function, since marks are on functions."""

    async def answer(request: fastapi.Request) -> Response:
        return PlainTextResponse(f"{request.method} was seen")

    return answer


def sender_of(app: ASGIApp) -> Sender:
    """Return a sender, which ignores exceptions that Starlette raises after its answer."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except Exception as error:
            raise Crash from error

    return asgi_sender(served)


def with_middleware(app: Starlette, policies: Any = APP, **options: Any) -> Sender:
    app.add_middleware(CORSMiddleware, policy=policies, **options)
    return sender_of(app)


def with_install(app: Starlette, policies: Any = APP, **options: Any) -> Sender:
    install(app, policies, **options)
    return sender_of(app)


def told(root_path: str, **options: Any) -> FastAPI:
    """Return an application that is given its mount path, which newer releases warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return FastAPI(root_path=root_path, **options)


class Both(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        return PlainTextResponse("ok")

    @cors_policy(TWO)
    async def delete(self, request: Request) -> Response:
        return PlainTextResponse("ok")


class Marked(Both):
    """An endpoint with a policy."""


class Inheriting(Marked):
    """A subclass, which inherits the policy."""


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
    """An application whose attribute is the application itself."""

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


def shared() -> list[BaseRoute]:
    function = endpoint()
    one, two = (
        cors_policy(mark)(Route(path, function)) for mark, path in ((ONE, "/one"), (TWO, "/two"))
    )
    return [one, two, Route("/none", function)]


def here(*marks: Policy | PolicyRef | None, path: str = "/x", **options: Any) -> Route:
    """Return a route whose endpoint has a policy, if one is given."""
    function = endpoint()
    return Route(path, cors_policy(marks[0])(function) if marks else function, **options)


# --- FastAPI


def both_sides() -> FastAPI:
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

    return app


def marked_router() -> APIRouter:
    """Return a router with routes added before and after its policy."""
    router = APIRouter()
    router.add_api_route("/before", endpoint())
    assert cors_policy(ONE)(router) is router
    router.add_api_route("/after", endpoint())
    router.add_api_route("/two", cors_policy(TWO)(endpoint()))
    router.add_api_route("/none", cors_policy(None)(endpoint()))
    router.add_route("/starlette", endpoint())
    return router


def in_a_router(prefix: str = "") -> dict[str, str | None]:
    return {
        f"GET {prefix}/before": "one",
        f"GET {prefix}/after": "one",
        f"PUT {prefix}/after": "app",
        f"GET {prefix}/unknown": "app",
        f"GET {prefix}/two": "two",
        f"GET {prefix}/none": None,
        f"GET {prefix}/starlette": "one",
    }


def included(*marks: Policy) -> FastAPI:
    app, between = FastAPI(), APIRouter()
    between.add_api_route("/own", endpoint())
    for mark in marks:
        cors_policy(mark)(between)
    between.include_router(marked_router(), prefix="/in")
    app.include_router(between, prefix="/api/v1")
    app.include_router(marked_router())
    return app


def twice_in_fastapi() -> FastAPI:
    app = FastAPI()
    marked, plain, between, inner = (APIRouter() for _ in range(4))
    inner.add_api_route("/r", endpoint())
    inner.add_api_route("/two", cors_policy(TWO)(endpoint()))
    between.include_router(inner, prefix="/in")
    for outer, prefix in ((cors_policy(ONE)(marked), "/marked"), (plain, "/plain")):
        outer.include_router(between)
        app.include_router(outer, prefix=prefix)
    return app


def twice_in_starlette() -> list[BaseRoute]:
    router = Router([Mount("/in", Router([Route("/r", endpoint()), here(TWO, path="/two")]))])
    return [cors_policy(ONE)(Mount("/marked", router)), Mount("/plain", router)]


TWICE: dict[str, str | None] = {
    "GET /marked/in/r": "one",
    "GET /marked/in/two": "two",
    "GET /plain/in/r": "app",
    "GET /plain/in/two": "two",
}


def mounts_and_hosts_included() -> FastAPI:
    app, router = FastAPI(), cors_policy(ONE)(APIRouter())
    router.mount("/plain", Router([here(), here(None, path="/none")]))
    router.routes.append(cors_policy(TWO)(Mount("/marked", routes=[here()])))
    router.routes.append(cors_policy(TWO)(Host("two.example", Router([here()]))))
    app.include_router(router, prefix="/api")
    return app


def behind_a_prefix() -> FastAPI:
    app = told("/behind")
    app.add_api_route("/x", cors_policy(ONE)(endpoint()))
    app.add_api_route("/path/x", endpoint())
    return app


class Greedy(APIRouter):
    """A router that also serves paths without a route."""

    def matches(self, scope: Scope) -> Any:
        match, child_scope = super().matches(scope)
        return Match.FULL if scope["type"] == "http" else match, child_scope


def greedy() -> FastAPI:
    app, router = FastAPI(), cors_policy(ONE)(Greedy())
    router.add_api_route("/x", endpoint())
    app.include_router(router)
    return app


class OfItsApp(Route):
    """A route that matches as its application says."""

    def matches(self, scope: Scope) -> Any:
        if not scope["app"].state.is_open:
            return Match.NONE, {}
        return super().matches(scope)


def asking_their_app() -> Starlette:
    app, sub = Starlette(), Starlette()
    for each in (app, sub):
        each.routes.append(OfItsApp("/x", cors_policy(ONE)(endpoint())))
        each.state.is_open = each is app
    app.mount("/sub", sub)
    return app


def bound_methods() -> list[BaseRoute]:
    """Return routes of bound methods; a policy of one is not that of its function."""
    one, two = Views(), Views()
    return [
        Route("/one", cors_policy(ONE)(one.view)),
        Route("/two", cors_policy(TWO)(two.view)),
        Route("/plain", one.view),
    ]


CASES: dict[str, tuple[Callable[[], Any], dict[str, str | None]]] = {
    "a function": (
        lambda: [here(ONE)],
        {"GET /x": "one", "HEAD /x": "one", "PUT /x": "app", "GET /y": "app"},
    ),
    "None": (lambda: [here(None)], {"GET /x": None, "PUT /x": "app"}),
    "methods": (
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
    "a class, and a method of it": (
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
    "nothing but a method of a class": (
        lambda: [Route("/x", Both)],
        {"DELETE /x": "two", "GET /x": "app"},
    ),
    "a class in a router in a mount": (
        lambda: [cors_policy(ONE)(Mount("/m", cors_policy(TWO)(Router([Route("/x", Both)]))))],
        {"GET /m/x": "two", "PUT /m/x": "one"},
    ),
    "other callables": (
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
    "routes that share an endpoint": (
        shared,
        {"GET /one": "one", "GET /two": "two", "GET /none": "app"},
    ),
    "an endpoint in a marked route": (
        lambda: [cors_policy(ONE)(here(TWO))],
        {"GET /x": "two", "PUT /x": "app"},
    ),
    "a mount": (
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
    "a mount that is left alone": (
        lambda: [cors_policy(None)(Mount("/m", routes=[here(), here(ONE, path="/one")]))],
        {"GET /m/x": None, "PUT /m/y": None, "GET /m/one": "one"},
    ),
    "a mount of what shows no routes": (
        lambda: [
            cors_policy(ONE)(Mount("/m", opaque)),
            Mount("/n", opaque),
            cors_policy(TWO)(Mount("/endless", Endless())),
        ],
        {"GET /m/x": "one", "DELETE /m": "app", "GET /n/x": "app", "GET /endless/x": "two"},
    ),
    "mounts in mounts": (
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
    "an application that is mounted": (
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
    "a host": (
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
    "a router": (
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
    "converters": (
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
    "redirects to a slash and from it": (
        lambda: [here(ONE, path="/x/"), here(TWO, path="/y")],
        {"GET /x/": "one", "GET /x": "app", "GET /y/": "app"},
    ),
    "the first that matches in full": (
        lambda: [here(ONE, methods=["PUT"]), here(TWO, path="/{name}"), here(ONE)],
        {"GET /x": "two", "PUT /x": "one", "DELETE /x": "app"},
    ),
    "by path, and by route": (
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
    "bound methods": (
        bound_methods,
        {"GET /one": "one", "GET /two": "two", "GET /plain": "app"},
    ),
    "routes that ask their application": (
        asking_their_app,
        {"GET /x": "one", "GET /sub/x": "app"},
    ),
    "a router that occurs twice": (twice_in_starlette, TWICE),
    "FastAPI: a router that occurs twice": (twice_in_fastapi, TWICE),
    "FastAPI: both sides of its decorator": (
        both_sides,
        {
            "GET /inner": "one",
            "POST /inner": "app",
            "PUT /inner": "app",
            # FastAPI answers 405, unlike Starlette.
            "HEAD /inner": "app",
            "GET /outer": "two",
            "GET /again": "two",
            "GET /docs": "app",
        },
    ),
    "FastAPI: a router, wherever it is included": (
        included,
        {**in_a_router(), **in_a_router("/api/v1/in"), "GET /api/v1/own": "app"},
    ),
    "FastAPI: a router in one with the same policy": (
        lambda: included(ONE),
        {**in_a_router(), **in_a_router("/api/v1/in"), "GET /api/v1/own": "one"},
    ),
    "FastAPI: a router in one with another policy": (
        lambda: included(TWO),
        {**in_a_router(), **in_a_router("/api/v1/in"), "GET /api/v1/own": "two"},
    ),
    "FastAPI: told a prefix, which some proxies take away; by path": (
        behind_a_prefix,
        {
            "GET /behind/x": "one",
            "GET /x": "one",
            "GET /behind/path/x": "path",
            "GET /path/x": "path",
        },
    ),
}
if not COPIES_ROUTES:
    CASES |= {
        "FastAPI: mounts and hosts in an included router": (
            mounts_and_hosts_included,
            {
                "GET /api/plain/x": "one",
                "GET /api/plain/y": "one",
                "GET /api/plain/none": None,
                "GET /api/marked/x": "two",
                "GET http://two.example/api/x": "two",
                "GET /api/none": "app",
            },
        ),
        "FastAPI: a router that takes everything": (greedy, {"GET /x": "one", "GET /y": "app"}),
    }
