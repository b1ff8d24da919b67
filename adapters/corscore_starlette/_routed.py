"""The middleware that knows of routes: what it does with them, wherever it stands."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

import corscore_asgi
from corscore_starlette._lookup import look_up, root_path
from corscore_starlette._marks import Marks
from corscore_starlette._tree import Inside, all_marks, all_routers, find_router

if TYPE_CHECKING:
    from starlette.routing import Router
    from starlette.types import Scope

    from corscore import Policy
    from corscore.integration import RequestContext


class RoutedMiddleware(corscore_asgi.CORSMiddleware):
    """A middleware whose application may have routes with policies of their own.

    Until ``notice_routes`` finds one, it is what it inherits, and takes the same fast path.
    """

    has_routes: bool = False
    """Whether some route has a policy, or was left alone by its user."""

    _inside: Inside | None = None
    _seen: tuple[int, ...] = ()
    _routers: tuple[Router, ...] = ()

    def notice_routes(self) -> None:
        """Looks for routes with policies; called where ``cors_policy`` is in use at all.

        Raises:
            ConfigError: A route's policy cannot be served here.
        """
        # Routes may be added at any time, and decorated.
        if self.has_routes or self._seen == self._sizes():
            return
        self._inside = self.find_router()
        routers = [] if self._inside is None else all_routers(self._inside.router)
        sources = [mark.source for mark in all_marks(routers)]
        for source in sources:
            if source is not None:
                self.governor.require(source)
        self._routers = tuple(routers)
        self._seen = self._sizes()
        if sources:
            self.has_routes = True
            self.govern_all()

    def find_router(self) -> Inside | None:
        """The router that requests go to from here."""
        return self._below

    def _sizes(self) -> tuple[int, ...]:
        return (Marks.count, *(len(router.routes) for router in self._routers))

    def path_of(self, scope: Scope) -> str:
        """The path as the application routes it."""
        inside = self._below
        if inside is not None and inside.app is not None:
            scope = {**scope, "root_path": root_path(inside, scope)}
        # Starlette's regexes end in "$", which is also in front of a line break at the end: to its
        # router, "/orders%0A" is "/orders".
        return super().path_of(scope).removesuffix("\n")

    @cached_property
    def _below(self) -> Inside | None:
        return find_router(self.app)

    def policy_at(self, request: RequestContext) -> Policy | None:
        """What governs a request: its route's policy, else that of its path."""
        if self.has_routes and self._inside is not None:
            method = request.method
            if request.is_preflight:
                method = request.request_method or ""
            try:
                mark = look_up(self._inside, cast("Scope", request.native), method)
            except Exception as error:  # noqa: BLE001 - converters and routes may be the user's
                return self.governor.policy_without_route(request, error)
            if mark is not None:
                return mark.policy(request)
        return super().policy_at(request)
