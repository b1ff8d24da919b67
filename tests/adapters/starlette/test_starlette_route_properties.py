"""What a preflight was told is what its request gets, over generated trees of routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import fastapi
from fastapi import APIRouter, FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Host, Mount, Route, Router

from cors_headers import governing_of, numbered
from corscore import Policy, PolicyMap
from corscore.testing.conformance._asgi import asgi_sender
from corscore.testing.conformance._site import Crash, transport_of
from corscore_starlette import CORSMiddleware, cors_policy, install

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

POLICIES = PolicyMap({"/a/*": numbered(1), "/b": None}, default=numbered(2))
MARKS: list[Policy | None] = [numbered(3), numbered(4), None]
PATHS = ["/a", "/b", "/a/", "/a/b", "/{name}", "/{rest:path}"]
METHODS = ["GET", "HEAD", "POST", "PUT", "OPTIONS", "put"]
HOSTS = ["one.example", "two.example"]

# A policy, or nothing.
marks = st.sampled_from(["none", "none", 0, 1, 2])


class Node(NamedTuple):
    """A route, or another router of the tree at a place.

    Attributes:
        kind: What it is built of.
        path: Where it is.
        methods: Of a route.
        router: Of a mount and an include, which of the routers before it, if there are any.
        mark: Which policy it has, if any.
    """

    kind: str
    path: str
    methods: tuple[str, ...]
    router: int
    mark: Any


nodes = st.builds(
    Node,
    st.sampled_from(["route", "class", "crash", "missing", "mount", "mount", "mount", "host"]),
    st.sampled_from(PATHS),
    st.sampled_from([("GET",), ("POST",), ("GET", "PUT"), ("DELETE",)]),
    st.integers(0, 3),
    marks,
)
# Each may have those before it inside, and more than once.
trees = st.lists(st.tuples(st.lists(nodes, min_size=1, max_size=4), marks), min_size=1, max_size=4)


def marked(target: Any, mark: Any) -> Any:
    return target if mark == "none" else cors_policy(MARKS[mark])(target)


def endpoint_of(node: Node) -> Any:
    if node.kind == "class":
        names = [method.lower() for method in node.methods]

        async def handle(self: Any, request: Request) -> PlainTextResponse:
            return PlainTextResponse("class")

        return type("Endpoint", (HTTPEndpoint,), dict.fromkeys(names, handle))

    async def endpoint(request: fastapi.Request) -> PlainTextResponse:
        if node.kind == "crash":
            raise Crash
        if node.kind == "missing":
            raise HTTPException(404)
        return PlainTextResponse("route")

    return endpoint


def starlette_of(tree: list[tuple[list[Node], Any]]) -> Starlette:
    routers: list[Router] = []
    for number, (level, mark) in enumerate(tree):
        routes: list[BaseRoute] = []
        for node in level:
            route: BaseRoute
            if node.kind in ("mount", "host") and routers:
                below = routers[node.router % len(routers)]
                if node.kind == "host":
                    route = Host(HOSTS[node.router % 2], below)
                else:
                    route = Mount(node.path.removesuffix("/"), below)
            elif node.kind == "class":
                route = Route(node.path, endpoint_of(node))
            else:
                route = Route(node.path, endpoint_of(node), methods=node.methods)
            routes.append(marked(route, node.mark))
        if number == len(tree) - 1:
            return Starlette(routes=routes)
        routers.append(marked(Router(routes), mark))
    raise AssertionError


def fastapi_of(tree: list[tuple[list[Node], Any]]) -> FastAPI:
    routers: list[APIRouter] = []
    app = FastAPI(openapi_url=None)
    for number, (level, mark) in enumerate(tree):
        is_last = number == len(tree) - 1
        router: Any = app if is_last else APIRouter()
        for node in level:
            if node.kind == "mount" and routers:
                # No variables: FastAPI joins the two paths, which has each name once.
                prefix = ("/a", "/b", "")[node.router % 3]
                router.include_router(routers[node.router % len(routers)], prefix=prefix)
            elif node.kind == "host" and routers:
                router.mount("/a", marked(Router(routers[node.router % len(routers)].routes), mark))
            elif node.kind == "class":
                router.add_route(node.path, marked(endpoint_of(node), node.mark))
            else:
                endpoint = marked(endpoint_of(node), node.mark)
                router.api_route(node.path, methods=[*node.methods])(endpoint)
        if not is_last:
            routers.append(marked(router, mark))
    return app


# --- middleware between the layer and the routes


def changing(change: Callable[[Scope], Any], *, is_copied: bool) -> Callable[[ASGIApp], ASGIApp]:
    def around(app: ASGIApp) -> ASGIApp:
        async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
            if is_copied:
                scope = dict(scope)
            change(scope)
            await app(scope, receive, send)

        return middleware

    return around


def to_other(scope: Scope) -> None:
    if scope["type"] == "http":
        scope["path"] = scope["path"].translate(str.maketrans("ab", "ba"))


def to_get(scope: Scope) -> None:
    scope["method"] = "GET"


def to_host(scope: Scope) -> None:
    scope["headers"] = [(b"host", b"two.example")]


def answering(app: ASGIApp) -> ASGIApp:
    return PlainTextResponse("answered before routing")


class Passing(BaseHTTPMiddleware):
    """A middleware of Starlette's own kind that does nothing."""

    async def dispatch(self, request: Any, call_next: Any) -> Any:
        return await call_next(request)


# To whether a request may come to another route than that of its URL.
MIDDLEWARE: dict[str, tuple[Any, bool]] = {
    "none": (None, False),
    "copy": (changing(lambda _: None, is_copied=True), False),
    "passing": (Passing, False),
    "answering": (answering, False),
    "path": (changing(to_other, is_copied=False), True),
    "path-copy": (changing(to_other, is_copied=True), False),
    "method": (changing(to_get, is_copied=False), True),
    "host": (changing(to_host, is_copied=False), True),
}
LAYERS = ["added", "installed", "around"]
requests = st.tuples(
    st.sampled_from(METHODS),
    st.sampled_from(["/", "/a", "/b", "/a/", "/b/", "/a/b", "/a/b/a", "/b/a/", "/a/a/a/b", "/c"]),
    st.sampled_from(HOSTS),
)


@settings(max_examples=100)
@given(
    st.sampled_from([starlette_of, fastapi_of]),
    trees,
    st.sampled_from([*MIDDLEWARE]),
    st.sampled_from(LAYERS),
    st.lists(requests, min_size=4, max_size=8),
)
def test_what_the_preflight_was_told_is_what_the_request_gets(
    build: Any, tree: Any, middleware: str, layer: str, sent: Any
) -> None:
    app: Any = build(tree)
    between, may_differ = MIDDLEWARE[middleware]
    if between is not None:
        app.add_middleware(between)
    if layer == "added":
        app.add_middleware(CORSMiddleware, policy=POLICIES)
    elif layer == "installed":
        install(app, POLICIES)
    else:
        app = CORSMiddleware(app, policy=POLICIES)
    send = transport_of(asgi_sender(app))
    for method, path, host in sent:
        asked, got = governing_of(send, method, f"https://{host}{path}")
        assert got == asked or (may_differ and got == "no origin"), (method, path, host)
