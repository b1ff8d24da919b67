"""``Governor``: everything that may stand around a policy, in the order in which it happens.

An adapter hands it a request, and gets what to send back or what to do to the response. Where
nothing but one plain policy is in use, ``plain`` has it, and the adapter takes its fast path.
"""

from __future__ import annotations

from corscore._policy.map import PolicyMap
from corscore._policy.policy import Policy
from corscore._policy.reference import PolicyRef, check_all
from corscore._policy.resolver import check_async, check_sync, decide, decide_async
from corscore.integration._cross_site import admits_handshake, passes, read_own_origins
from corscore.integration._refusals import Refusals
from corscore.integration._shadow import Treatment, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corscore._engine.context import RequestContext
    from corscore._engine.decision import Decision

    Policies = Policy | PolicyMap | PolicyRef
    OnDecision = Callable[[Decision, RequestContext], object]
    Pairs = tuple[tuple[str, str], ...]

_FORBIDDEN = 403
_EMPTY: Pairs = (("Content-Length", "0"), ("Content-Type", "text/plain; charset=utf-8"))


class Outcome:
    """What becomes of a request that a policy governs.

    Attributes:
        decision: What the policy says; ``apply`` and its kind change the response's headers.
        response: Status, headers and body to send now, without calling the application: a
            preflight's answer, or the 403 of ``block_cross_site``. None where the app answers.
    """

    __slots__ = ("decision", "response")

    def __init__(self, decision: Decision, *, is_forbidden: bool) -> None:
        self.decision: Decision = decision
        self.response: tuple[int, Pairs, bytes] | None = None
        if is_forbidden:
            self.response = (_FORBIDDEN, tuple(decision.apply(_EMPTY)), b"")
        elif decision.is_preflight:
            self.response = (decision.status, decision.headers, decision.body)


class Governor:
    """Policies by path or by reference, resolvers, enforcement, and who watches it all.

    Args:
        policies: A ``Policy``, ``PolicyMap`` or ``PolicyRef``.
        is_async: Whether the adapter awaits: decides which resolvers it can ask.
        on_decision: ``fn(decision, request)``, called for every request that a policy governs.
            What it raises is logged, and changes nothing.
        shadow: Policies to compare with: requests on which a browser would be treated differently
            are logged.
        block_cross_site: Whether requests that CORS does not stop are stopped.
        own_origins: Further origins of the site itself, for ``block_cross_site`` and WebSockets.

    Raises:
        ConfigError: With all that is wrong with ``own_origins``, or a resolver that this kind of
            adapter cannot ask.
        TypeError: When ``on_decision`` is no sync function, or ``shadow`` no policies.
    """

    __slots__ = (
        "_check",
        "_nobody",
        "_on_decision",
        "_own_origins",
        "_refusals",
        "_shadow",
        "block_cross_site",
        "plain",
        "policies",
        "policy_for",
    )

    policy_for: Callable[[str], Policy | None]
    """The policy of the moment for a path; None leaves the request alone altogether."""

    def __init__(
        self,
        policies: Policies,
        *,
        is_async: bool,
        on_decision: OnDecision | None = None,
        shadow: Policies | None = None,
        block_cross_site: bool = False,
        own_origins: object = (),
    ) -> None:
        check = check_async if is_async else check_sync
        self._check = check
        self._nobody: Policy | None = None
        self.policies: Policies = policies
        self.policy_for: Callable[[str], Policy | None] = _lookup(policies, check)
        self.block_cross_site: bool = block_cross_site
        self._own_origins = read_own_origins(own_origins)
        self._on_decision = on_decision
        self._shadow = None
        if on_decision is not None:
            _check_callback(on_decision)
        if shadow is not None:
            if not isinstance(shadow, (Policy, PolicyMap, PolicyRef)):
                raise TypeError(f"shadow: a Policy was expected, not {type(shadow).__name__}")
            self._shadow = _lookup(shadow, check)
        self._refusals = Refusals()
        is_plain = on_decision is None and shadow is None and not block_cross_site
        self.plain: Policy | None = (
            policies
            if is_plain
            and isinstance(policies, Policy)
            and policies.resolver is None
            # What a policy under scrutiny refuses is explained in the log.
            and not policies.debug
            else None
        )
        """The policy, where there is nothing else to do than to ask it; else None."""

    def require(self, policy: Policy | PolicyRef) -> None:
        """Refuses a route's policy that this kind of adapter cannot serve.

        Args:
            policy: A policy, or a reference: then also what replaces its policy later.

        Raises:
            ConfigError: It has a resolver that cannot be asked here.
        """
        if isinstance(policy, PolicyRef):
            policy.require(self._check)
        else:
            self._check(policy)

    def govern(
        self, policy: Policy, request: RequestContext, *, origin_allowed: bool | None = None
    ) -> Outcome:
        """What becomes of a request, in a sync adapter. Resolvers are asked here.

        Args:
            policy: What governs it: a route's policy, else ``policy_for(request.path)``.
            request: The request.
            origin_allowed: The verdict of somebody else on the origin, as ``Policy.decide`` takes
                it; no resolver is asked then.
        """
        decision = (
            decide(policy, request)
            if origin_allowed is None
            else policy.decide(request, origin_allowed=origin_allowed)
        )
        if self._shadow is not None:
            candidate = self._shadow(request.path)
            other = None if candidate is None else decide(candidate, request)
            report(request, Treatment(policy, decision), Treatment(candidate, other))
        return self._outcome(policy, decision, request)

    async def govern_async(
        self, policy: Policy, request: RequestContext, *, origin_allowed: bool | None = None
    ) -> Outcome:
        """The same in an async adapter."""
        decision = (
            await decide_async(policy, request)
            if origin_allowed is None
            else policy.decide(request, origin_allowed=origin_allowed)
        )
        if self._shadow is not None:
            candidate = self._shadow(request.path)
            other = None if candidate is None else await decide_async(candidate, request)
            report(request, Treatment(policy, decision), Treatment(candidate, other))
        return self._outcome(policy, decision, request)

    async def admits_handshake(self, policy: Policy, request: RequestContext) -> bool:
        """Whether a WebSocket's handshake may reach the application; a refusal is logged."""
        # As the site's own, it needs nobody's verdict.
        if admits_handshake(request, policy, self._own_origins, origin_allowed=False):
            return True
        decision = await decide_async(policy, request)
        allowed = decision.origin_allowed
        if admits_handshake(request, policy, self._own_origins, origin_allowed=allowed):
            return True
        self._refusals.log("websocket-not-allowed", request)
        return False

    def leave_alone(self, request: RequestContext) -> None:
        """Compares a request that no policy governs with what the shadow says of it."""
        candidate = None if self._shadow is None else self._shadow(request.path)
        if candidate is not None:
            decision = candidate.decide(request)
            # Nobody is asked on behalf of a request that is to be left alone.
            if not decision.needs_resolver:
                report(request, Treatment(None, None), Treatment(candidate, decision))

    def wants_refusal(self, origin: str) -> bool:
        """Whether ``note_refusal`` may have something to say about an origin: else spare it."""
        return self._refusals.wants(origin)

    def note_refusal(self, policy: Policy, request: RequestContext) -> None:
        """Logs that a plain policy refused a request, which did not come through here."""
        # Every form that a page posts to its own site has an Origin, which no policy need allow.
        reason = None if request.is_own_origin else policy.decide(request).reason
        if reason is not None:
            self._refusals.log(reason, request)

    def note_failed_lookup(self, request: RequestContext, error: Exception) -> None:
        """Logs that the framework's router raised where an adapter looked a request's route up."""
        self._refusals.log_lookup(request, error)

    def policy_without_route(self, request: RequestContext, error: Exception) -> Policy | None:
        """What governs a request whose route could not be looked up; logs why.

        Nobody knows which policy the route means, so that a preflight is refused. To any other
        request the policy of its path applies, and it will meet the same exception.
        """
        self.note_failed_lookup(request, error)
        if not request.is_preflight:
            return self.policy_for(request.path)
        if self._nobody is None:
            self._nobody = Policy(allow_origin_regex="(?!)")
        return self._nobody

    def _outcome(self, policy: Policy, decision: Decision, request: RequestContext) -> Outcome:
        if self._on_decision is not None:
            try:
                self._on_decision(decision, request)
            except Exception as error:  # noqa: BLE001 - a user's function may raise anything
                self._refusals.log_failure("on_decision", error)
        # Every form that a page posts to its own site has an Origin, which no policy need allow.
        if request.origin is not None and not request.is_own_origin:
            reason = decision.reason
            if reason is not None:
                self._refusals.log(
                    reason,
                    request,
                    (lambda: _explained(policy, request, decision)) if policy.debug else None,
                )
        is_forbidden = self.block_cross_site and not passes(
            request, policy, self._own_origins, origin_allowed=decision.origin_allowed
        )
        if is_forbidden:
            self._refusals.log("request-not-allowed", request)
        return Outcome(decision, is_forbidden=is_forbidden)


def _lookup(policies: Policies, check: Callable[[Policy], None]) -> Callable[[str], Policy | None]:
    if isinstance(policies, PolicyRef):
        ref = policies
        ref.require(check)

        def current(path: str) -> Policy | None:
            # Read once: what replaces it meanwhile is for later requests.
            policy = ref.policy
            return policy if isinstance(policy, Policy) else policy.policy_for(path)

        return current
    check_all(policies, check)
    return policies.policy_for if isinstance(policies, PolicyMap) else lambda _: policies


def _explained(policy: Policy, request: RequestContext, decision: Decision) -> str:
    """Why a request was refused, by the policy or by somebody who was asked in its place."""
    alone = policy.decide(request)
    # Nobody is asked about "null", say, whatever resolver there is.
    was_asked = alone.needs_resolver or alone.origin_allowed is not decision.origin_allowed
    verdict = decision.origin_allowed if was_asked else None
    return policy.explain(request, origin_allowed=verdict).log_text


def _check_callback(on_decision: object) -> None:
    # Imported late: inspect is larger than the whole engine.
    from inspect import iscoroutinefunction

    if not callable(on_decision):
        raise TypeError(f"on_decision: a function was expected, not {type(on_decision).__name__}")
    if iscoroutinefunction(on_decision):
        raise TypeError("on_decision: nothing awaits it; write it as def on_decision(...)")
