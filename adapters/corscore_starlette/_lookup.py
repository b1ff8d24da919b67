"""Which route a request is for, found with the framework's own router before that one runs.

https://www.starlette.io/routing/: the first route that matches in full; one that matches but for
the method is none. What Starlette and FastAPI do with the request then, they do a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.routing import Host, Match, Mount

from corscore_starlette._marks import Mark, mark_of
from corscore_starlette._tree import find_router

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.types import Scope

    from corscore_starlette._tree import Inside

# Of what matches in full and has no route all the same: a class without a handler for the method.
_NO_ROUTE = Mark(None)


def look_up(inside: Inside, scope: Scope, method: str) -> Mark | None:
    """The mark that counts for a request: the innermost one; None where there is none.

    Args:
        inside: Where the request goes.
        scope: Of the request. It stays as it is.
        method: Of the request that the answer is about, which a preflight announces.

    Raises:
        Exception: What converters and routes of the user's raise.
    """
    # Routes write into what is in a scope: FastAPI's do.
    copy = {key: dict(value) if type(value) is dict else value for key, value in scope.items()}
    copy["method"] = method
    try:
        return _in_router(inside, copy, None)
    except HTTPException:
        # A converter's own answer: no route's.
        return None


def _in_router(inside: Inside, scope: Scope, around: Mark | None) -> Mark | None:
    """What counts in a router.

    Args:
        inside: The router.
        scope: As it comes there.
        around: What counts where the router has no such route: everything below a mount is the
            mount's.
    """
    router, app = inside
    if app is not None:
        scope["app"] = app
        scope["root_path"] = root_path(inside, scope)
    for route in router.routes:
        match, child_scope = route.matches(scope)
        if match is Match.FULL:
            found = _in_route(route, {**scope, **child_scope}, mark_of(router) or around)
            return around if found is _NO_ROUTE else found
    return around


def root_path(inside: Inside, scope: Scope) -> str:
    """Where an application is mounted, as it will say itself: FastAPI can be told."""
    told: str = getattr(inside.app, "root_path", "") or scope.get("root_path", "")
    return told


def _in_route(route: BaseRoute, scope: Scope, around: Mark | None) -> Mark | None:
    """What counts for a request that is a route's."""
    original = route
    # FastAPI, since 0.137: what is included stays a router, and chooses among its routes itself.
    while hasattr(route, "original_router"):
        included: Any = route
        around = mark_of(included.original_router) or around
        _, child_scope, chosen, context = included._match(scope)
        if chosen is None:
            return _NO_ROUTE
        scope = {**scope, **child_scope}
        route = chosen
        original = chosen if context is None else context.original_route
    around = mark_of(original) or mark_of(getattr(original, "name", None)) or around
    if isinstance(route, (Mount, Host)):
        below = find_router(route.app)
        return around if below is None else _in_router(below, scope, around)
    endpoint = getattr(original, "endpoint", None)
    if isinstance(endpoint, type) and issubclass(endpoint, HTTPEndpoint):
        handler = _handler(endpoint, scope["method"])
        if handler is None:
            return _NO_ROUTE
        return mark_of(handler) or mark_of(endpoint) or around
    return mark_of(endpoint) or around


def _handler(endpoint: type[HTTPEndpoint], method: str) -> object:
    # As in `HTTPEndpoint.dispatch`.
    handler = getattr(endpoint, method.lower(), None)
    if handler is None and method == "HEAD":
        return getattr(endpoint, "get", None)
    return handler
