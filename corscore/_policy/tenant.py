"""``PolicyResolver``: a tenant's policy from a user's function, remembered by key."""

from __future__ import annotations

from corscore._policy.cached import CachedLookup
from corscore._policy.function import FAILED, MAX_THREADS
from corscore._policy.policy import NO_ORIGIN, Policy
from corscore._policy.tuple import PolicyTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corscore._engine.request import RequestInfo


class PolicyResolver(CachedLookup):
    """A tenant's policy from a user's function; adapters take it where they take a policy.

    One request at a time asks for a key; others with that key wait for its result.

    Args:
        fn: Takes the values that ``key`` names, in its order: each a ``str``, or None if the
            request has none. Returns a ``Policy``, a tuple of policies, or None, which leaves the
            request alone; sync or async. An exception or any other value allows no origin, is
            logged and is not remembered.
        key: The values that the policy depends on: ``"host"`` (as the framework accepts it, in
            lower case and without port), ``"path"``, ``"origin"``, ``"header:X-Tenant"``. Headers,
            and Origin, go into ``Vary`` on every response that has a policy.
        ttl: Seconds for which a policy is remembered.
        negative_ttl: Seconds for which None is remembered.
        max_entries: As for ``OriginResolver``; None is forgotten first.
        timeout: As for ``OriginResolver``.
        max_threads: As for ``OriginResolver``.
        stale_if_error: As for ``OriginResolver``.

    Raises:
        ConfigError: With every problem (``resolver-invalid``).
    """

    __slots__ = ("_checks", "_refusing")

    _field = "PolicyResolver"
    _example = "policy_of"
    _failure = "the policy resolver gave no policy for %s, which gets one that allows no origin"

    # A gateway asks its governor for the policy if these are None.
    _responder = None
    _table = None
    _hosts = None
    _by_origin = None
    _is_choice = True

    def __init__(
        self,
        fn: Callable[..., Any],
        key: tuple[str, ...] | list[str] = ("host",),
        *,
        ttl: float = 60,
        negative_ttl: float = 10,
        max_entries: int = 10_000,
        timeout: float | None = 2.0,
        max_threads: int = MAX_THREADS,
        stale_if_error: float = 0,
    ) -> None:
        self._set_up(
            fn,
            key,
            ttl=ttl,
            negative_ttl=negative_ttl,
            max_entries=max_entries,
            timeout=timeout,
            max_threads=max_threads,
            stale_if_error=stale_if_error,
        )
        self._checks: tuple[Callable[[Any], None], ...] = ()
        self._refusing = NO_ORIGIN._varying_by(*self.vary)

    @property
    def resolver(self) -> PolicyResolver:
        """The object itself, for checks that also read ``Policy.resolver``."""
        return self

    def require(self, check: Callable[[Any], None]) -> None:
        """Check each policy that the function returns; for adapters.

        Args:
            check: Raises ``ConfigError`` about a policy that the adapter cannot serve.
        """
        if check not in self._checks:
            self._checks += (check,)

    def remembered(self, request: RequestInfo) -> Any:
        """The policies for a request if they are known without asking, or ``UNKNOWN``."""
        return self._known(request)

    def find(self, request: RequestInfo) -> Policy | PolicyTuple | None:
        """The policies for a request, remembered or asked for; never raises."""
        found: Policy | PolicyTuple | None = self._found(self._result(request))
        return found

    async def find_async(self, request: RequestInfo) -> Policy | PolicyTuple | None:
        """``find`` under asyncio or trio."""
        found: Policy | PolicyTuple | None = self._found(await self._result_async(request))
        return found

    def _found(self, result: Any) -> Any:
        return self._refusing if result is FAILED else result

    def _varying(self) -> tuple[str, ...]:
        headers = super()._varying()
        return ("Origin", *headers) if "origin" in self.key else headers

    def _subject(self, request: RequestInfo, values: tuple[str | None, ...]) -> str:  # noqa: ARG002
        return " ".join("-" if value is None else value for value in values)

    def _read(self, result: Any) -> Policy | PolicyTuple | None:
        if result is None:
            return None
        if not isinstance(result, (Policy, tuple)):
            raise TypeError(
                f"a Policy, a tuple of policies or None was expected, not {type(result).__name__}"
            )
        is_one = isinstance(result, Policy)
        given: Any = (result,) if is_one else result
        policies = PolicyTuple(given, "PolicyResolver")
        for policy in policies:
            for check in self._checks:
                check(policy)
        varying = [policy._varying_by(*self.vary) for policy in policies]
        return varying[0] if is_one else PolicyTuple(varying)
