"""``RoutedMiddleware``: policies of routes, for ``install`` and ``CORSMiddleware``."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import corscore_asgi
from corscore import Policy
from corscore.integration import check_every, scope_path
from corscore_starlette._lookup import Leaf, leaves_of, look_up, root_path
from corscore_starlette._marks import Mark, Marks
from corscore_starlette._tree import Inside, all_marks, all_routers, find_router

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.routing import Router
    from starlette.types import Scope

    from corscore import PolicyResolver
    from corscore.integration import PathPolicy, Policies


class RoutedMiddleware(corscore_asgi.CORSMiddleware):
    """A middleware whose application may have routes with policies of their own.

    Until ``notice_routes`` finds one, it is the same as its base class.
    """

    has_routes: bool = False
    """Whether some route has a mark."""

    _answers_exceptions = False

    _inside: Inside | None = None
    _seen: int = 0
    _routers: Sequence[tuple[Router, int]] = ()
    _leaves: dict[int, Leaf]

    def notice_routes(self) -> None:
        """Look for routes with policies, if there are new routes or marks.

        Raises:
            ConfigError: A route's policy cannot be served here.
        """
        # Routes may be added and decorated at any time.
        if self._seen == Marks.count:
            for router, size in self._routers:
                if len(router.routes) != size:
                    break
            else:
                return
        self._inside = self.find_router()
        routers = [] if self._inside is None else all_routers(self._inside.router)
        sources = [mark.source for _, mark in all_marks(routers)]
        for source in sources:
            if source is not None:
                self.governor.require(source)
        self._routers = [(router, len(router.routes)) for router in routers]
        self._seen = Marks.count
        if not sources or self._inside is None:
            return
        self.has_routes = True
        self._leaves = leaves_of(self._inside.router)
        later = self._later if self.governor.defers_routes else None
        self.governor.gateway.use_routes(self.policy_at, later)
        all_sources: list[Policies | None] = [self.governor.policies, *sources]
        for source in all_sources:
            if source is not None:
                check_every(source, self._look_up_early_for)

    def route_policies(self) -> list[tuple[str, Policies | None]]:
        """The policies of routes, each with the route, router or endpoint that has it; for tools.

        Raises:
            ConfigError: As ``notice_routes``.
        """
        self.notice_routes()
        routers = [] if self._inside is None else all_routers(self._inside.router)
        # FastAPI copies marks: the first name is the one that the user wrote.
        named = {mark: name for name, mark in reversed([*all_marks(routers)])}
        return [(name, mark.source) for mark, name in reversed(named.items())]

    def _look_up_early_for(self, policy: Policy | PolicyResolver) -> None:
        """Look up routes before the application runs, if a policy has or is a resolver."""
        if policy.resolver is not None:
            self.governor.gateway.use_routes(self.policy_at, None)

    def find_router(self) -> Inside | None:
        """The router that gets the requests of this middleware."""
        return self._below

    def path_of(self, scope: Scope) -> str:
        """The path as the application routes it."""
        inside = self._below
        if inside is not None and inside.app is not None:
            scope = {**scope, "root_path": root_path(inside, scope)}
        # Starlette's router takes "/orders%0A" for "/orders": the "$" of its regexes also matches
        # before a final line break.
        return scope_path(scope).removesuffix("\n")

    @cached_property
    def _below(self) -> Inside | None:
        return find_router(self.app)

    def policy_at(self, scope: Scope) -> PathPolicy:
        """The policy or policies of a request: its route's, else those of its path."""
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
        return self._policy_of(mark, scope)

    def _later(self, scope: Scope) -> Callable[[], PathPolicy]:
        """Return a function that finds an actual request's policy when its response starts.

        The router leaves the route that it took in the scope. If the request is unchanged and the
        route occurs once, that route decides; else a lookup does.
        """
        path, method, headers = scope["path"], scope["method"], scope["headers"]
        root, route_before = scope.get("root_path"), scope.get("route")
        # Found once, so that an endpoint sees the policy that its response gets.
        found: list[PathPolicy] = []

        def find() -> PathPolicy:
            if found:
                return found[0]
            route = scope.get("route")
            leaf = None if route is route_before else self._leaves.get(id(route))
            if (
                leaf is not None
                and leaf.is_proof
                and leaf.route is route
                and (leaf.methods is None or method in leaf.methods)
                and scope["path"] is path
                and scope["method"] is method
                and scope["headers"] is headers
                and scope.get("root_path") is root
            ):
                policy = self._policy_of(leaf.mark, scope)
            else:
                original = {**scope, "path": path, "method": method, "headers": headers}
                original["root_path"] = root
                if root is None:
                    del original["root_path"]
                policy = self.policy_at(original)
                served = None
                if leaf is not None and leaf.route is route:
                    served = leaf.mark_for(method)
                if served is not None:
                    policy_served = self._policy_of(served[0], original)
                    policy = self.governor.of_route(policy, policy_served, self.notices)
            found.append(policy)
            return policy

        return find

    def _policy_of(self, mark: Mark | None, scope: Scope) -> PathPolicy:
        source = self.governor.policies if mark is None else mark.source
        if type(source) is Policy:
            # For speed: the usual kind does not depend on the request.
            return source
        return self.governor.policies_for(self.request_of(scope), source)
