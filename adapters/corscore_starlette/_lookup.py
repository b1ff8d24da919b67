"""The lookup of a request's route with the framework's own router, before the application runs.

https://www.starlette.io/routing/: the first full match counts; a match of the path without the
method is no route. Starlette and FastAPI then route the request a second time.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.routing import Host, Match, Mount, Route, Router

from corscore_starlette._marks import Mark, mark_of
from corscore_starlette._tree import find_router

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.routing import BaseRoute
    from starlette.types import Scope

    from corscore_starlette._tree import Inside

# The result for an endpoint class without a handler for the method: its route matches in full.
_NO_ROUTE = Mark(None)


def look_up(inside: Inside, scope: Scope, method: str) -> Mark | None:
    """Return the innermost mark for a request, or None.

    Args:
        inside: The router that gets the request.
        scope: The request's scope, which is not changed.
        method: The request's method; for a preflight the method that it announces.

    Raises:
        Exception: Any exception of the user's converters and routes.
    """
    # Routes of FastAPI write into the dicts in a scope.
    copy = {key: dict(value) if type(value) is dict else value for key, value in scope.items()}
    copy["method"] = method
    try:
        return _in_router(inside, copy, None)
    except HTTPException:
        # A converter answers the request itself, so that there is no route.
        return None


def _in_router(inside: Inside, scope: Scope, around: Mark | None) -> Mark | None:
    """Return the mark for a request in a router.

    Args:
        inside: The router.
        scope: The scope as the router gets it.
        around: The mark of the mount around it, for paths without a route.
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
    """The mount of an application: its own ``root_path``, as in FastAPI, else the scope's."""
    root: str = getattr(inside.app, "root_path", "") or scope.get("root_path", "")
    return root


def _in_route(route: BaseRoute, scope: Scope, around: Mark | None) -> Mark | None:
    """Return the mark for a request that a route matches."""
    original = route
    # FastAPI since 0.137 keeps an included router, which chooses among its routes by itself.
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
    return _endpoint_mark(original, around, scope["method"])


def _endpoint_mark(route: BaseRoute, around: Mark | None, method: str) -> Mark | None:
    """The mark of a route's endpoint, else ``around``; ``_NO_ROUTE`` without a handler."""
    endpoint = getattr(route, "endpoint", None)
    if isinstance(endpoint, type) and issubclass(endpoint, HTTPEndpoint):
        handler = _handler(endpoint, method)
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


class Leaf:
    """A route that occurs once below a router, so that the mark around it is known.

    Args:
        route: The route, as Starlette and FastAPI leave it in the scope.
        around: The mark for an endpoint without one.
        is_top: Whether path and method alone decide, without a mount or a host around it.

    Attributes:
        is_proof: Whether ``mark`` counts for every method in ``methods``.
        mark: The mark of the endpoint; ``mark_for`` knows those of a class's handlers.
        methods: The methods that the route answers; None for all.
    """

    __slots__ = ("_around", "is_proof", "mark", "methods", "route")

    def __init__(self, route: BaseRoute, around: Mark | None, *, is_top: bool) -> None:
        self.route = route
        self._around = around
        endpoint = getattr(route, "endpoint", None)
        has_handlers = isinstance(endpoint, type) and issubclass(endpoint, HTTPEndpoint)
        self.mark: Mark | None = mark_of(endpoint) or around
        self.methods: Collection[str] | None = getattr(route, "methods", None)
        self.is_proof: bool = is_top and not has_handlers

    def mark_for(self, method: str) -> tuple[Mark | None] | None:
        """The mark that counts for a method, in a tuple; None if the route answers it with 405."""
        if self.methods is not None and method not in self.methods:
            return None
        mark = _endpoint_mark(self.route, self._around, method)
        return None if mark is _NO_ROUTE else (mark,)


def leaves_of(router: Router) -> dict[int, Leaf]:
    """The routes that occur once below a router, by ``id``."""
    found: dict[int, Leaf] = {}
    twice: set[int] = set()
    _gather(router, None, True, found, twice, {})
    return {key: leaf for key, leaf in found.items() if key not in twice}


def _gather(
    router: Router,
    around: Mark | None,
    is_top: bool,
    found: dict[int, Leaf],
    twice: set[int],
    visits: dict[int, int],
) -> None:
    known = _matches()
    around = mark_of(router) or around
    # A router that is visited twice has its routes twice. One that includes itself would be visited
    # without end.
    visit = visits[id(router)] = visits.get(id(router), 0) + 1
    if visit > 2:
        return
    for route in router.routes:
        below: Router | None = getattr(route, "original_router", None)
        if isinstance(route, (Mount, Host)):
            inside = find_router(route.app)
            below = None if inside is None else inside.router
        if below is None:
            if id(route) in found:
                twice.add(id(route))
            mark = mark_of(route) or mark_of(getattr(route, "name", None)) or around
            found[id(route)] = Leaf(route, mark, is_top=is_top and type(route).matches in known)
        else:
            mark = mark_of(route) or mark_of(getattr(route, "name", None)) or around
            is_mounted = isinstance(route, (Mount, Host))
            _gather(below, mark, is_top and not is_mounted, found, twice, visits)


def _matches() -> set[object]:
    """The ``matches`` methods that depend on method, path and headers only."""
    known: set[object] = {Route.matches}
    fastapi: Any = sys.modules.get("fastapi.routing")
    if fastapi is not None:
        known.add(fastapi.APIRoute.matches)
    return known
