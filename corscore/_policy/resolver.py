"""``OriginResolver``: verdicts on origins from a user's function, remembered by key."""

from __future__ import annotations

from corscore._policy.cached import CachedLookup, Lookup
from corscore._policy.function import MAX_THREADS, NO_VERDICT, ResolverFunction, verdict
from corscore._policy.memory import UNKNOWN
from corscore._standard.problem import ConfigError, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corscore._engine.request import RequestInfo
    from corscore._policy.policy import Policy
    from corscore._policy.tenant import PolicyResolver


class Resolver(Lookup):
    """The resolver of a plain function, which is asked every time, with the whole request.

    Args:
        fn: ``fn(origin, request) -> bool``, sync or async.
    """

    __slots__ = ()

    vary: tuple[str, ...] = ()
    """Request headers that the verdict depends on, beside Origin."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self._function = ResolverFunction(fn, None)

    @property
    def needs_anyio(self) -> bool:
        """Whether ``ask_async`` does more than await the function."""
        return not self.is_async

    def remembered(self, request: RequestInfo) -> bool | None:  # noqa: ARG002
        """The verdict on a request's origin, if it is known without asking."""
        return None

    def ask(self, request: RequestInfo) -> bool:
        """The verdict on a request's origin; never raises."""
        origin = request.origin or ""
        function = self._function
        result = function.in_server_thread(origin, lambda: function.call(origin, origin, request))
        return result is True

    async def ask_async(self, request: RequestInfo) -> bool:
        """``ask`` under asyncio or trio."""
        origin = request.origin or ""
        return await self._function.call_async(origin, origin, request) is True


class OriginResolver(CachedLookup):
    """A cached origin resolver: ``Policy(origin_resolver=OriginResolver(fn, ...))``.

    One request at a time asks about a key; others with that key wait for its result.

    Args:
        fn: Takes the values that ``key`` names, in its order: each a ``str``, or None if the
            request has none. Returns True or False; sync or async. An exception or any other value
            refuses the origin, is logged and is not remembered.
        key: The values that the result may depend on: ``"origin"``, which is required, ``"host"``,
            ``"path"``, ``"header:X-Tenant"``. Headers go into ``Vary`` on every response of the
            policy.
        ttl: Seconds for which an allowance is remembered.
        negative_ttl: Seconds for which a refusal is remembered.
        max_entries: The most results to remember. The least recently used refusals are forgotten
            first, until they are a tenth of all; then the least recently used allowances.
        timeout: Seconds to wait for a result, after which the origin is refused; None waits.
            Needs ASGI: nothing can stop a function that runs in a sync server's own thread.
        max_threads: The most threads that may run a sync function at a time, or under a sync server
            wait for it. When all are busy, further origins are refused at once, and logged.
        stale_if_error: Seconds for which an allowance still counts when the function fails, takes
            too long or finds all threads busy. They begin with the last result, and failures do
            not extend them; a refusal or ``forget`` ends them.

    Raises:
        ConfigError: With every problem (``resolver-invalid``).
    """

    __slots__ = ()

    _field = "origin_resolver"
    _example = "is_allowed"
    _failure = NO_VERDICT
    _needs_origin = True

    def __init__(
        self,
        fn: Callable[..., Any],
        *,
        key: tuple[str, ...] | list[str] = ("origin", "host"),
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

    def remembered(self, request: RequestInfo) -> bool | None:
        """The verdict on a request's origin, if it is known without asking."""
        known = self._known(request)
        return None if known is UNKNOWN else known is True

    def ask(self, request: RequestInfo) -> bool:
        """The verdict on a request's origin, remembered or asked for; never raises."""
        return self._result(request) is True

    async def ask_async(self, request: RequestInfo) -> bool:
        """``ask`` under asyncio or trio."""
        return await self._result_async(request) is True

    def _read(self, result: Any) -> bool:
        return verdict(result)

    def _subject(self, request: RequestInfo, values: tuple[str | None, ...]) -> str:  # noqa: ARG002
        return request.origin or ""


def resolver_of(
    given: Callable[..., Any] | OriginResolver,
) -> Resolver | OriginResolver:
    """The resolver that a checked value of the option ``origin_resolver`` means."""
    if callable(given):
        return Resolver(given)
    return given


def check_sync(policy: Policy | PolicyResolver) -> None:
    """Refuse a resolver that a sync adapter cannot ask.

    Raises:
        ConfigError: ``resolver-is-async``, or ``resolver-invalid`` for a time-out.
    """
    resolver = policy.resolver
    if resolver is None:
        return
    problems = []
    if resolver.is_async:
        problems.append(
            Problem(
                "resolver-is-async",
                _field(policy),
                # As the user wrote it, so that views that share it have one problem.
                getattr(policy, "origin_resolver", policy),
                "the resolver is async, and nothing awaits it in a sync adapter.",
                "write it as def is_allowed(...), or use an ASGI adapter",
            )
        )
    if resolver.timeout is not None:
        problems.append(
            Problem(
                "resolver-invalid",
                _field(policy),
                resolver.timeout,
                "a time-out cannot be kept in a sync adapter: the resolver runs in the request's "
                "own thread, which nothing can stop.",
                "write timeout=None, and set the time limit of the database's driver",
            )
        )
    if problems:
        raise ConfigError(tuple(problems))


def check_async(policy: Policy | PolicyResolver) -> None:
    """Refuse a resolver that needs anyio if it is not installed.

    Raises:
        ConfigError: ``resolver-invalid``.
    """
    resolver = policy.resolver
    if resolver is None or not resolver.needs_anyio:
        return
    try:
        import anyio as _  # noqa: F401
    except ImportError:
        raise ConfigError(
            (
                Problem(
                    "resolver-invalid",
                    _field(policy),
                    resolver,
                    "the resolver needs the package anyio, which is not installed.",
                    'run pip install "corscore[resolver]"',
                ),
            )
        ) from None


def _field(policy: Policy | PolicyResolver) -> str:
    return "PolicyResolver" if policy.resolver is policy else "origin_resolver"
