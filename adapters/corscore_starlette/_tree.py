"""The routers and routes of Starlette below an ASGI application; nothing here changes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.routing import BaseRoute, Host, Mount, Router

from corscore_starlette._marks import Mark, mark_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# Bounds the search: an object that has every attribute would have layers without end.
_MAX_LAYERS = 100


class Inside(NamedTuple):
    """The router inside a layer.

    Attributes:
        router: The router.
        app: The router's application if it is inside the layer, too; else None.
    """

    router: Router
    app: Starlette | None


def find_router(app: object) -> Inside | None:
    """Return the router inside an application or a middleware, or None."""
    for _ in range(_MAX_LAYERS):
        if isinstance(app, Starlette):
            return Inside(app.router, app)
        if isinstance(app, Router):
            return Inside(app, None)
        if app is None or isinstance(app, BaseRoute):
            return None
        # `Router(middleware=...)` puts its layers around a method of its own.
        app = getattr(app, "__self__", None) or getattr(app, "app", None)
    return None


def all_routers(router: Router) -> list[Router]:
    """A router, and all that are included or mounted below it."""
    routers = [router]
    for each in routers:
        for route in each.routes:
            below = _router_below(route)
            if below is not None and all(below is not known for known in routers):
                routers.append(below)
    return routers


def all_marks(routers: list[Router]) -> Iterator[tuple[str, Mark]]:
    """Every mark on routers, on the routes in them, and on their endpoints, each with a name."""
    for router in routers:
        names = (getattr(route, "name", None) for route in router.routes)
        for marked in (router, *router.routes, *names, *_endpoints(router)):
            mark = mark_of(marked)
            if mark is not None:
                yield _name_of(marked), mark


def _name_of(marked: object) -> str:
    if isinstance(marked, Router):
        return f"the router {getattr(marked, 'prefix', '')}".rstrip()
    path = getattr(marked, "path", None)
    if path is not None:
        return f"the route {path}"
    return f"the endpoint {getattr(marked, '__qualname__', marked)}"


def _router_below(route: BaseRoute) -> Router | None:
    # FastAPI since 0.137 keeps an included router.
    included = getattr(route, "original_router", None)
    if isinstance(included, Router):
        return included
    if isinstance(route, (Mount, Host)):
        inside = find_router(route.app)
        return None if inside is None else inside.router
    return None


def _endpoints(router: Router) -> Iterator[object]:
    for route in router.routes:
        endpoint = getattr(route, "endpoint", None)
        yield endpoint
        if isinstance(endpoint, type) and issubclass(endpoint, HTTPEndpoint):
            yield from (getattr(endpoint, name) for name in dir(endpoint))
