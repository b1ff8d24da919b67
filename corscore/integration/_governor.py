"""``Governor``: resolvers, cross-site blocking, observers and the log around a policy."""

from __future__ import annotations

from corscore._engine import matcher
from corscore._engine.decision import Decision
from corscore._policy.map import PolicyMap
from corscore._policy.memory import UNKNOWN
from corscore._policy.policy import NO_ORIGIN, Policy
from corscore._policy.reference import PolicyRef, check_every
from corscore._policy.resolver import check_async, check_sync
from corscore._policy.tenant import PolicyResolver
from corscore.integration._arguments import check_observer, checked_source
from corscore.integration._cross_site import (
    admits_handshake,
    is_from_own_origin,
    passes,
    read_own_origins,
)
from corscore.integration._outcome import Outcome, by_origin
from corscore.integration._refusal_log import RefusalLog
from corscore.integration._shadow import Treatment, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corscore._engine.headers import OnConflict
    from corscore._engine.matcher import Answer, Gateway
    from corscore._engine.request import RequestInfo
    from corscore._policy.tuple import PolicyTuple
    from corscore.integration._arguments import Notices

    Policies = Policy | tuple[Policy, ...] | PolicyMap | PolicyResolver | PolicyRef
    # The policies of a path or a route.
    PathPolicy = Policy | PolicyTuple | PolicyResolver | None
    OnDecision = Callable[[Decision, RequestInfo], object]

# The length of a gateway's tuple that begins with a `PolicyResolver` to await.
_WAITS_FOR_POLICY = 3


class Governor:
    """Policies by path or by reference, resolvers, cross-site blocking, and observers.

    Args:
        policies: A ``Policy``, a tuple of policies, a ``PolicyMap``, a ``PolicyResolver`` or a
            ``PolicyRef``.
        is_async: Whether the adapter is async, and so can await resolvers.
        on_decision: ``fn(decision, request)``, called for every request that a policy governs.
            What it raises is logged, and changes nothing.
        shadow: Policies on trial. A request that a browser would treat differently under them is
            logged.
        block_cross_site: Whether to block cross-site requests that CORS lets pass.
        own_origins: Further origins of the site itself, for ``block_cross_site``, WebSockets,
            resolvers and the log.
        request_of: Returns the ``RequestInfo`` of a scope, an environ or the framework's own
            request; needed for the ``gateway``.
        on_conflict: Called with the lower-case name of each header of a response that was removed
            because the policy alone may set it.
        path_of: Returns, of a scope or environ, the path to look policies up by; by default the
            path relative to the mount.
        host_of: Returns, of a scope or environ, the Host to look policies up by, or None; needed
            if ``path_of`` is given. ``RequestInfo`` has it as ``host_name``.

    Raises:
        ConfigError: With every problem of ``own_origins``, or with a resolver that this kind of
            adapter cannot ask.
        TypeError: When ``on_decision`` is no sync function, or ``shadow`` is no policy.
    """

    __slots__ = (
        "_awaits_policies",
        "_is_async",
        "_observes",
        "_on_decision",
        "_own_origins",
        "_refusal_log",
        "_request_of",
        "_shadow",
        "block_cross_site",
        "gateway",
        "policies",
    )

    gateway: Gateway
    """The way of every request; adapters call its ``sender`` or ``starter``."""

    def __init__(
        self,
        policies: Policies,
        *,
        is_async: bool,
        on_decision: OnDecision | None = None,
        shadow: Policies | None = None,
        block_cross_site: bool = False,
        own_origins: object = (),
        request_of: Callable[[Any], RequestInfo] | None = None,
        on_conflict: OnConflict | None = None,
        path_of: Callable[[Any], str] | None = None,
        host_of: Callable[[Any], str | None] | None = None,
    ) -> None:
        self._is_async = is_async
        self._awaits_policies = False
        self.policies: Policies = checked_source("Governor(...)", policies, self._check)
        self.block_cross_site: bool = block_cross_site
        self._own_origins = read_own_origins(own_origins)
        self._on_decision = on_decision
        self._request_of: Callable[[Any], RequestInfo] = request_of or _as_it_is
        self._shadow: Policies | None = None
        if on_decision is not None:
            check_observer(on_decision)
        if shadow is not None:
            self._shadow = checked_source("shadow", shadow, self._check)
        self._observes: bool = bool(on_decision or shadow or block_cross_site)
        self._refusal_log = RefusalLog()
        self.gateway: Gateway = matcher.Gateway(
            self.policies,
            self,
            on_conflict or _no_conflict,
            path_of,
            host_of,
            examines_all=on_decision is not None or shadow is not None,
            blocks_cross_site=block_cross_site,
            # The shadow policy may have a resolver, now or after a replacement.
            awaits_all=is_async and shadow is not None,
        )

    @property
    def defers_routes(self) -> bool:
        """Whether the policy of an actual request may be found when its response starts."""
        return not (self._observes or self._awaits_policies)

    def require(self, policies: Policies) -> None:
        """Check that this kind of adapter can serve a route's policy.

        Args:
            policies: A policy or several; of a reference, later policies are checked, too.

        Raises:
            ConfigError: A policy has a resolver that cannot be asked here.
        """
        check_every(policies, self._check)

    def _check(self, policy: Policy | PolicyResolver) -> None:
        (check_async if self._is_async else check_sync)(policy)
        if self._is_async and isinstance(policy, PolicyResolver):
            self._awaits_policies = True

    def policy_for(self, request: RequestInfo) -> Policy | None:
        """The current policy for a request in a sync adapter, or None.

        It is found by host, path and origin; a ``PolicyResolver`` is asked.
        """
        found = self.chosen(self._at(self.policies, request), request)
        return None if isinstance(found, PolicyResolver) else found

    async def policy_for_async(self, request: RequestInfo) -> Policy | None:
        """``policy_for`` in an async adapter."""
        return await self.chosen_async(self._at(self.policies, request), request)

    def chosen(self, policies: PathPolicy, request: RequestInfo) -> Policy | PolicyResolver | None:
        """The policy of a request among those of its path or route, or the resolver to await."""
        if isinstance(policies, PolicyResolver):
            policies = self._of_tenant(policies, request)
        found: Policy | PolicyResolver | None = by_origin(policies, request)
        return found

    async def chosen_async(self, policies: PathPolicy, request: RequestInfo) -> Policy | None:
        """``chosen`` in an async adapter, with the resolver's policy."""
        if isinstance(policies, PolicyResolver):
            policies = await policies.find_async(request)
        policy: Policy | None = by_origin(policies, request)
        return policy

    def _of_tenant(self, resolver: PolicyResolver, request: RequestInfo) -> PathPolicy:
        known: PathPolicy = resolver.remembered(request)
        if known is not UNKNOWN:
            return known
        return resolver if self._is_async else resolver.find(request)

    def policies_for(self, request: RequestInfo, policies: Policies | None) -> PathPolicy:
        """Return the policy, or the tuple of policies, for a request's host and path.

        Args:
            request: The request.
            policies: Those of its route, or all of the application.
        """
        return None if policies is None else self._at(policies, request)

    def _at(self, policies: Policies, request: RequestInfo) -> Any:
        # Read once: a reference may be replaced at any time.
        current: Any = policies.policy if isinstance(policies, PolicyRef) else policies
        if not isinstance(current, PolicyMap):
            return current
        host = None if current._hosts is None else request.host_name
        return current._at(request.path, host)

    def govern(
        self, policy: Policy, request: RequestInfo, *, origin_allowed: bool | None = None
    ) -> Outcome:
        """Return the outcome of a request in a sync adapter; asks resolvers.

        Args:
            policy: The policy that governs it: the route's, else ``policy_for(request)``.
            request: The request.
            origin_allowed: As for ``Policy.decide``; if given, no resolver is asked.
        """
        if origin_allowed is None:
            origin_allowed = self._ask(policy, request)
        return self._outcome(policy, origin_allowed, request)

    async def govern_async(
        self, policy: Policy, request: RequestInfo, *, origin_allowed: bool | None = None
    ) -> Outcome:
        """``govern`` in an async adapter."""
        if origin_allowed is None:
            origin_allowed = await self.ask_async(policy, request)
        elif self._shadow is not None:
            await self._report_async(policy, origin_allowed, request)
        return self._outcome(policy, origin_allowed, request)

    def _outcome(self, policy: Policy, verdict: bool | None, request: RequestInfo) -> Outcome:
        decision = policy.decide(request, origin_allowed=verdict)
        answer = decision._answer
        is_blocked = self._examine(policy, verdict, request, decision)
        return Outcome(decision, policy._responder.blocked(answer) if is_blocked else answer)

    def of_route(self, found: PathPolicy, served: PathPolicy, notices: Notices) -> PathPolicy:
        """Return the policy of a response whose route may not be that of its URL.

        Args:
            found: The policy of the route that the lookup finds, as for a preflight.
            served: The policy of the route that served the request.
            notices: Logs once that the two differ; then no origin is allowed.
        """
        if served is found or served == found:
            return found
        notices.once(
            "other-route",
            "a middleware sent a request to another route than that of its URL, and the two have "
            "different policies: no origin may read such a response. Give both routes one policy, "
            "or rewrite the URL outside of corscore.",
        )
        return NO_ORIGIN

    def decision(self, policy: Policy | None, answer: Answer, request: RequestInfo) -> Decision:
        """The decision on a request whose policy and answer are known."""
        return (policy or NO_ORIGIN)._decision(answer, request)

    def decision_of(self, policy: Policy, answer: Answer, native: object) -> Decision:
        """``decision`` for the framework's own request, which is read when it is needed."""
        return Decision.of_native(answer, policy, self._request_of, native)

    def pending(self, policy: PathPolicy, request: RequestInfo, passed: Any) -> Decision | None:
        """The decision on a request; None if its response has started under ASGI.

        Args:
            policy: The policy of the request's path, or several by origin.
            request: The request.
            passed: The ``send`` or ``start_response`` of the gateway, or that of a server.
        """
        answer = getattr(getattr(passed, "__self__", passed), "answer", None)
        if not isinstance(answer, matcher.Answer):
            return None
        found = request.native.get(matcher.FOUND)
        # A tenant's policy may have been forgotten since.
        chosen: Any = found[0] if isinstance(found, tuple) else self.chosen(policy, request)
        return self.decision(chosen, answer, request)

    def is_awaited(self, decision: Decision | None) -> bool:
        """Whether the adapter has to send the 500 after an exception of the application.

        It has to if a page of another origin, which the policy allows, waits for the response: the
        server's own 500 has no headers of the policy, and looks like a mistake in CORS. Under
        ``debug=True`` the exception goes on, so that a debugger outside shows its page.

        Args:
            decision: The decision on the request; None if the request is left alone.
        """
        return (
            decision is not None
            and decision.kind == "actual"
            and decision.origin_allowed
            and not decision._compiled.responder.is_debug
            and not is_from_own_origin(decision._request, self._own_origins)
        )

    # Called by a gateway: `Extras` in `corscore._engine.gateway_py`.

    def policies_of(self, resolver: PolicyResolver, native: Any) -> PathPolicy:
        """The policies of a request's tenant; the resolver itself if it has to be awaited."""
        return self._of_tenant(resolver, self._request_of(native))

    def verdict(self, policy: Policy, native: Any, origin: bytes) -> bool | None:
        """The verdict of a policy's resolver on an origin; None if it has to be awaited."""
        resolver = policy.resolver
        if resolver is None:
            return False
        request = self._request_of(native)
        request.origin = origin.decode("latin-1")
        # Needs no check, since only verdicts on origins that may be asked about are remembered.
        known = resolver.remembered(request)
        if known is not None:
            return known
        if not self._may_ask(policy, request):
            return False
        return None if self._is_async else resolver.ask(request)

    def examine(
        self,
        policy: Policy,
        verdict: bool | None,
        native: Any,
        answer: Answer,
        origin: bytes | None,
    ) -> bool:
        """Report a request to observers and the log, and return whether to block it."""
        if (
            not self._observes
            and not policy.debug
            and (origin is None or not self._refusal_log.wants(origin))
        ):
            return False
        request = self._request_of(native)
        decision = policy._decision(answer, request)
        return self._examine(policy, verdict, request, decision)

    def left_alone(self, native: Any) -> None:
        """Compare a request that no policy governs with the shadow policy."""
        if self._shadow is None:
            return
        request = self._request_of(native)
        candidate = self._candidate(request)
        if isinstance(candidate, Policy):
            request.own_origins = self._own_origins
            decision = candidate.decide(request)
            # No resolver is asked about a request that is left alone.
            if not decision.needs_resolver:
                report(request, Treatment(None, None), Treatment(candidate, decision))

    # Called by async adapters if a gateway cannot answer without awaiting.

    async def resume(self, waiting: tuple[Any, ...], request: RequestInfo) -> Any:
        """Ask resolvers, and return the ``send`` or the two messages as ``Gateway.sender`` does.

        Args:
            waiting: The longer tuple that ``sender`` returned.
            request: The request.
        """
        result: Any = waiting
        if len(waiting) == _WAITS_FOR_POLICY:
            resolver, scope, send = waiting
            policy = await self.chosen_async(resolver, request)
            result = self.gateway.sender_for(policy, scope, send)
        if type(result) is tuple and len(result) > _WAITS_FOR_POLICY:
            verdict = await self.ask_async(result[0], request)
            result = self.gateway.resume(verdict, result)
        return result

    async def ask_async(self, policy: Policy, request: RequestInfo) -> bool | None:
        """Await the verdict of a policy's resolver; None if it is not asked.

        Args:
            policy: The policy that governs the request.
            request: The request, also for the shadow policy.
        """
        verdict = await self._await_verdict(policy, request)
        if self._shadow is not None:
            await self._report_async(policy, verdict, request)
        return verdict

    async def admits_handshake(self, policy: Policy, request: RequestInfo) -> bool:
        """Whether a WebSocket's handshake may reach the application; a refusal is logged.

        Args:
            policy: The policy that governs the handshake.
            request: The request that opens the WebSocket, a GET.
        """
        # The site's own handshakes need no verdict.
        if admits_handshake(request, policy, self._own_origins, origin_allowed=False):
            return True
        verdict = await self._await_verdict(policy, request)
        allowed = policy.decide(request, origin_allowed=verdict).origin_allowed
        if admits_handshake(request, policy, self._own_origins, origin_allowed=allowed):
            return True
        self._refusal_log.log("websocket-not-allowed", request)
        return False

    def policy_without_route(self, request: RequestInfo, error: Exception) -> PathPolicy:
        """Log an exception of the lookup of a route, and return the policy of the request.

        A preflight is refused, since its route's policy is unknown. Any other request gets the
        policy of its path; the application will meet the same exception.
        """
        self._refusal_log.log_lookup(request, error)
        return NO_ORIGIN if request.is_preflight else self._at(self.policies, request)

    def _candidate(self, request: RequestInfo) -> Policy | PolicyResolver | None:
        """The shadow policy for a request, or its resolver."""
        return self.chosen(self.policies_for(request, self._shadow), request)

    def _may_ask(self, policy: Policy, request: RequestInfo) -> bool:
        """Whether to ask a resolver: not about a malformed origin or the site's own."""
        return policy.decide(request).needs_resolver and not is_from_own_origin(
            request, self._own_origins
        )

    def _ask(self, policy: Policy, request: RequestInfo) -> bool | None:
        if policy.resolver is None or not self._may_ask(policy, request):
            return None
        return policy.resolver.ask(request)

    async def _await_verdict(self, policy: Policy, request: RequestInfo) -> bool | None:
        if policy.resolver is None or not self._may_ask(policy, request):
            return None
        return await policy.resolver.ask_async(request)

    def _examine(
        self, policy: Policy, verdict: bool | None, request: RequestInfo, decision: Decision
    ) -> bool:
        request.own_origins = self._own_origins
        if self._shadow is not None and not self._is_async:
            candidate: Any = self._candidate(request)
            asked = None if candidate is None else self._ask(candidate, request)
            _compare(policy, decision, candidate, asked, request)
        if self._on_decision is not None:
            try:
                self._on_decision(decision, request)
            except Exception as error:  # noqa: BLE001 - a user's function may raise anything
                self._refusal_log.log_failure("on_decision", error)
        if (
            self.block_cross_site
            and not decision.is_preflight
            and not passes(
                request, policy, self._own_origins, origin_allowed=decision.origin_allowed
            )
        ):
            self._refusal_log.log("request-not-allowed", request)
            return True
        if not decision.origin_allowed or decision.is_preflight:
            self._log_refusal(policy, verdict, request, decision)
        return False

    def _log_refusal(
        self, policy: Policy, verdict: bool | None, request: RequestInfo, decision: Decision
    ) -> None:
        # A form of the site itself carries an Origin, which the policy need not allow.
        if request.origin is None or is_from_own_origin(request, self._own_origins):
            return
        reason = decision.reason
        if reason is not None:
            self._refusal_log.log(
                reason,
                request,
                (lambda: _explained(policy, request, verdict)) if policy.debug else None,
            )

    async def _report_async(
        self, policy: Policy, verdict: bool | None, request: RequestInfo
    ) -> None:
        request.own_origins = self._own_origins
        candidate = await self.chosen_async(self.policies_for(request, self._shadow), request)
        asked = None if candidate is None else await self._await_verdict(candidate, request)
        decision = policy.decide(request, origin_allowed=verdict)
        _compare(policy, decision, candidate, asked, request)


def _compare(
    policy: Policy,
    decision: Decision,
    candidate: Policy | None,
    verdict: bool | None,
    request: RequestInfo,
) -> None:
    """Report a difference between a decision and that of the shadow policy."""
    other = None if candidate is None else candidate.decide(request, origin_allowed=verdict)
    report(request, Treatment(policy, decision), Treatment(candidate, other))


def _explained(policy: Policy, request: RequestInfo, verdict: bool | None) -> str:
    # A resolver that was not asked, as about "null", has refused nothing.
    was_asked = policy.decide(request).needs_resolver
    return policy.explain(request, origin_allowed=verdict if was_asked else None).log_text


def _as_it_is(native: Any) -> RequestInfo:
    request: RequestInfo = native
    return request


def _no_conflict(name: str) -> None:
    """Ignore a conflict."""
