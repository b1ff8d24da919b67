"""The middleware that knows of routes: what it does with them, wherever it stands."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

import corscore_asgi
from corscore.integration import check_every, scope_path
from corscore_starlette._lookup import Leaf, leaves_of, look_up, root_path
from corscore_starlette._marks import Marks
from corscore_starlette._tree import Inside, all_marks, all_routers, find_router

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.routing import Router
    from starlette.types import Scope

    from corscore import Policy, PolicyMap, PolicyRef


class RoutedMiddleware(corscore_asgi.CORSMiddleware):
    """A middleware whose application may have routes with policies of their own.

    Until ``notice_routes`` finds one, policies are found as in what it inherits.
    """

    has_routes: bool = False
    """Whether some route has a policy, or was left alone by its user."""

    _inside: Inside | None = None
    _seen: tuple[int, ...] = ()
    _routers: tuple[Router, ...] = ()
    _leaves: dict[int, Leaf]

    def notice_routes(self) -> None:
        """Look for routes with policies; called where ``cors_policy`` is in use at all.

        Raises:
            ConfigError: A route's policy cannot be served here.
        """
        # Routes may be added at any time, and decorated.
        if self._seen == self._sizes():
            return
        self._inside = self.find_router()
        routers = [] if self._inside is None else all_routers(self._inside.router)
        sources = [mark.source for mark in all_marks(routers)]
        for source in sources:
            if source is not None:
                self.governor.require(source)
        self._routers = tuple(routers)
        self._seen = self._sizes()
        if not sources or self._inside is None:
            return
        self.has_routes = True
        self._leaves = leaves_of(self._inside.router)
        later = self._later if self.governor.defers_routes else None
        self.governor.gateway.use_routes(self.policy_at, later)
        of_all: list[Policy | PolicyMap | PolicyRef | None] = [self.governor.policies, *sources]
        for every in of_all:
            if every is not None:
                check_every(every, self._look_up_first_for)

    def _look_up_first_for(self, policy: Policy) -> None:
        """Find policies before the application is called, where one of them has a resolver."""
        if policy.resolver is not None:
            self.governor.gateway.use_routes(self.policy_at, None)

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
        return scope_path(scope).removesuffix("\n")

    @cached_property
    def _below(self) -> Inside | None:
        return find_router(self.app)

    def policy_at(self, scope: Scope) -> Policy | None:
        """The policy that governs a request: its route's, else that of its path."""
        if not self.has_routes or self._inside is None:
            return super().policy_at(scope)
        request = self.request_of(scope)
        method = request.method
        if request.is_preflight:
            method = request.request_method or ""
        try:
            mark = look_up(self._inside, scope, method)
        except Exception as error:  # noqa: BLE001 - converters and routes may be the user's
            return self.governor.policy_without_route(request, error)
        return super().policy_at(scope) if mark is None else mark.policy(self.path_of, scope)

    def _later(self, scope: Scope) -> Callable[[], Policy | None]:
        """How to find the policy of an actual request when its response starts.

        The router leaves its result in the scope. It proves what a look-up would find where the
        request is still the one that came, and its route occurs once. Else the look-up decides.
        """
        path, method, headers = scope["path"], scope["method"], scope["headers"]
        root, route_before = scope.get("root_path"), scope.get("route")

        def find() -> Policy | None:
            route = scope.get("route")
            leaf = None if route is route_before else self._leaves.get(id(route))
            if leaf is not None and (leaf.route is not route or not leaf.answers(method)):
                leaf = None
            is_same = (
                scope["path"] is path
                and scope["method"] is method
                and scope["headers"] is headers
                and scope.get("root_path") is root
            )
            if leaf is not None and leaf.is_top and is_same:
                return self._policy_of(leaf, method, scope)
            came = {**scope, "path": path, "method": method, "headers": headers, "root_path": root}
            if root is None:
                del came["root_path"]
            found = self.policy_at(came)
            if leaf is None:
                return found
            return self.governor.of_route(found, self._policy_of(leaf, method, came), self.notices)

        # Once, so that an endpoint sees the policy that its response gets.
        return cache(find)

    def _policy_of(self, leaf: Leaf, method: str, scope: Scope) -> Policy | None:
        mark = leaf.mark(method)
        return super().policy_at(scope) if mark is None else mark.policy(self.path_of, scope)
