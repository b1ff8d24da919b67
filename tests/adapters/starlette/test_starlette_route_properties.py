"""A preflight and its request have the same policy, over generated trees of routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

from corscore.testing.conformance import Crash, asgi_sender
from corscore_starlette import CORSMiddleware, cors_policy, install
from route_trees import (
    HOSTS,
    MARKS,
    POLICIES,
    UNMARKED,
    Level,
    Node,
    assert_one_policy,
    requests,
    trees,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

KINDS = ["route", "class", "crash", "missing", "mount", "mount", "mount", "host"]
PATHS = ["/a", "/b", "/a/", "/a/b", "/{name}", "/{rest:path}"]


def marked(target: Any, mark: Any) -> Any:
    return target if mark == UNMARKED else cors_policy(MARKS[mark])(target)


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


def starlette_of(tree: list[Level]) -> Starlette:
    routers: list[Router] = []
    for number, (level, mark) in enumerate(tree):
        routes: list[BaseRoute] = []
        for node in level:
            route: BaseRoute
            if node.kind in ("mount", "host") and routers:
                below = routers[node.number % len(routers)]
                if node.kind == "host":
                    route = Host(HOSTS[node.number % 2], below)
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


def fastapi_of(tree: list[Level]) -> FastAPI:
    routers: list[APIRouter] = []
    app = FastAPI(openapi_url=None)
    for number, (level, mark) in enumerate(tree):
        is_last = number == len(tree) - 1
        router: Any = app if is_last else APIRouter()
        for node in level:
            if node.kind == "mount" and routers:
                # No variables, since FastAPI joins the paths, which may have each name only once.
                prefix = ("/a", "/b", "")[node.number % 3]
                router.include_router(routers[node.number % len(routers)], prefix=prefix)
            elif node.kind == "host" and routers:
                router.mount("/a", marked(Router(routers[node.number % len(routers)].routes), mark))
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


# Each with whether it may send a request to another route than that of its URL.
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


@settings(max_examples=min(100, settings().max_examples))
@given(
    st.sampled_from([starlette_of, fastapi_of]),
    trees(KINDS, PATHS),
    st.sampled_from([*MIDDLEWARE]),
    st.sampled_from(LAYERS),
    requests(),
)
def test_a_preflight_and_its_request_have_the_same_policy(
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
    assert_one_policy(asgi_sender(app), sent, may_differ=may_differ)
