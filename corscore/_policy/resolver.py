"""``OriginResolver``: verdicts on origins from a user's function, remembered by key.

The function gets only the values that its ``key`` names. So its verdict holds for every request
with that key, and one tenant's verdict cannot serve another.
"""

from __future__ import annotations

from corscore._policy.function import MAX_THREADS, ResolverFunction
from corscore._policy.memory import Remembered
from corscore._standard.grammar import is_token
from corscore._standard.problem import ConfigError, Problem
from corscore._standard.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Any

    from corscore._engine.request import RequestInfo
    from corscore._policy.policy import Policy

_FIELD = "origin_resolver"
_HEADER = "header:"
_FIELDS = ("origin", "host", "path")
_CODE = "resolver-invalid"
_EXAMPLES = {
    "ttl": 60,
    "negative_ttl": 10,
    "max_entries": 10_000,
    "timeout": 2.0,
    "max_threads": MAX_THREADS,
}
# A longer key is remembered by its digest: clients choose the length of paths and headers.
_MAX_KEY_LENGTH = 512


class Resolver:
    """A function that is asked every time, with the whole request.

    Args:
        fn: ``fn(origin, request) -> bool``, sync or async.
    """

    __slots__ = ("_function",)

    vary: tuple[str, ...] = ()
    """Request headers that the verdict depends on, beside Origin."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self._function = ResolverFunction(fn, None)

    @property
    def is_async(self) -> bool:
        """Whether the function needs awaiting."""
        return self._function.is_async

    @property
    def needs_anyio(self) -> bool:
        """Whether ``ask_async`` does more than awaiting the function."""
        return not self.is_async

    @property
    def timeout(self) -> float | None:
        """Seconds to wait for an answer; None waits for as long as it takes."""
        return self._function.timeout

    def remembered(self, request: RequestInfo) -> bool | None:  # noqa: ARG002
        """The verdict on a request's origin, if it is known without asking."""
        return None

    def ask(self, request: RequestInfo) -> bool:
        """The verdict on a request's origin. Never raises."""
        origin = request.origin or ""
        function = self._function
        return function.in_server_thread(
            origin, lambda: function.call(origin, origin, request) is True
        )

    async def ask_async(self, request: RequestInfo) -> bool:
        """The same under asyncio or trio."""
        origin = request.origin or ""
        return await self._function.call_async(origin, origin, request) is True


class OriginResolver(Resolver):
    """A cached origin resolver: ``Policy(origin_resolver=OriginResolver(fn, ...))``.

    One request at a time asks about a key; others with that key wait for its answer.

    Args:
        fn: Takes the values that ``key`` names, in its order, each a ``str`` or None where the
            request has none; returns True or False. Sync or async. What it raises, and anything
            else that it returns, refuses the origin; that is logged and not remembered.
        key: What the answer may depend on: ``"origin"``, which must be in it, ``"host"``,
            ``"path"``, ``"header:X-Tenant"``. Headers go into ``Vary`` on every response of the
            policy.
        ttl: Seconds for which an allowance is remembered.
        negative_ttl: Seconds for which a refusal is remembered.
        max_entries: How many answers are remembered at most. The least recently used refusals are
            forgotten first, until they are a tenth; then allowances.
        timeout: Seconds to wait for an answer, after which the origin is refused; None waits.
            Needs ASGI: nothing can stop a function that runs in a sync server's own thread.
        max_threads: How many threads at a time may run a sync function, or under a sync server wait
            for it. When all are busy, further origins are refused at once, and logged.

    Raises:
        ConfigError: With all that is wrong (``resolver-invalid``).
    """

    __slots__ = ("_flights", "_getters", "_remembered", "key", "vary")

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
    ) -> None:
        problems = [
            *_function_problems(fn),
            *_key_problems(key),
            *_number_problems("ttl", ttl, may_be_zero=True),
            *_number_problems("negative_ttl", negative_ttl, may_be_zero=True),
            *_number_problems("max_entries", max_entries, is_whole=True),
            *([] if timeout is None else _number_problems("timeout", timeout)),
            *_number_problems("max_threads", max_threads, is_whole=True),
        ]
        if problems:
            raise ConfigError(tuple(problems))
        self._function = ResolverFunction(fn, timeout, max_threads)
        self.key: tuple[str, ...] = tuple(key)
        headers = [name.removeprefix(_HEADER) for name in self.key if name.startswith(_HEADER)]
        self.vary: tuple[str, ...] = tuple(headers)
        self._getters = tuple(map(_getter, self.key))
        self._remembered = Remembered(max_entries, ttl, negative_ttl)
        # Calls in progress, by event loop (None: threads) and key.
        self._flights: dict[tuple[object, Hashable], _Flight] = {}

    @property
    def needs_anyio(self) -> bool:
        """True: ``ask_async`` waits for other requests, too."""
        return True

    def forget(self) -> None:
        """Forget all answers, for example after a change of the tenants' settings."""
        self._remembered.clear()

    def remembered(self, request: RequestInfo) -> bool | None:
        """The verdict on a request's origin, if it is known without asking."""
        return self._remembered.get(_compact([get(request) for get in self._getters]))

    def ask(self, request: RequestInfo) -> bool:
        """The verdict on a request's origin, remembered or asked for. Never raises."""
        values = [get(request) for get in self._getters]
        key = _compact(values)
        verdict = self._remembered.get(key)
        if verdict is not None:
            return verdict
        origin = request.origin or ""
        # Waiting threads count too: one slow answer must not take every thread of the server.
        return self._function.in_server_thread(origin, lambda: self._resolve(origin, key, values))

    def _resolve(self, origin: str, key: Hashable, values: list[str | None]) -> bool:
        """Call the function, or wait for the thread that calls it for the same key."""
        from threading import Event

        while True:
            own = _Flight(Event())
            flight = self._flights.setdefault((None, key), own)
            if flight is own:
                try:
                    # Another thread may have got an answer since.
                    verdict = self._remembered.get(key)
                    if verdict is not None:
                        own.verdict = verdict
                        own.has_landed = True
                        return verdict
                    own.verdict = self._function.call(origin, *values)
                    return self._land(own, key)
                finally:
                    del self._flights[None, key]
                    own.over.set()
            flight.over.wait()
            if flight.has_landed:
                return flight.verdict is True

    async def ask_async(self, request: RequestInfo) -> bool:
        """The same under asyncio or trio."""
        values = [get(request) for get in self._getters]
        key = _compact(values)
        verdict = self._remembered.get(key)
        if verdict is not None:
            return verdict
        from anyio import Event
        from anyio.lowlevel import current_token

        # An event belongs to one loop, and a process may run several.
        loop = current_token()
        while True:
            own = _Flight(Event())
            flight = self._flights.setdefault((loop, key), own)
            if flight is own:
                try:
                    own.verdict = await self._function.call_async(request.origin or "", *values)
                    return self._land(own, key)
                finally:
                    # Also when this request is cancelled: another one asks then.
                    del self._flights[loop, key]
                    own.over.set()
            await flight.over.wait()
            if flight.has_landed:
                return flight.verdict is True

    def _land(self, flight: _Flight, key: Hashable) -> bool:
        flight.has_landed = True
        if flight.verdict is not None:
            self._remembered.put(key, flight.verdict)
        return flight.verdict is True

    def __repr__(self) -> str:
        return f"<OriginResolver key={self.key!r} of {self._function.fn!r}>"


def resolver_of(given: Callable[..., Any] | OriginResolver | None) -> Resolver | None:
    """The resolver that a checked value of the option ``origin_resolver`` means, or None."""
    if callable(given) and not isinstance(given, Resolver):
        return Resolver(given)
    return given


def check_sync(policy: Policy) -> None:
    """Refuse a resolver that a sync adapter cannot ask as its options say.

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
                _FIELD,
                policy.origin_resolver,
                "the resolver is async, and nothing awaits it in a sync adapter.",
                "write it as def is_allowed(...), or use an ASGI adapter",
            )
        )
    if resolver.timeout is not None:
        problems.append(
            Problem(
                "resolver-invalid",
                _FIELD,
                resolver.timeout,
                "a time-out cannot be kept in a sync adapter: the resolver runs in the request's "
                "own thread, which nothing can stop.",
                "write timeout=None, and set the time limit of the database's driver",
            )
        )
    if problems:
        raise ConfigError(tuple(problems))


def check_async(policy: Policy) -> None:
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
                    _FIELD,
                    policy.origin_resolver,
                    "the resolver needs the package anyio, which is not installed.",
                    'run pip install "corscore[resolver]"',
                ),
            )
        ) from None


class _Flight:
    """A call in progress.

    Attributes:
        over: The event that is set when the call has ended.
        has_landed: Whether it ended with an answer or a failure, and was not cancelled.
        verdict: The answer; None where the function failed.
    """

    __slots__ = ("has_landed", "over", "verdict")

    def __init__(self, over: Any) -> None:
        self.over: Any = over
        self.has_landed = False
        self.verdict: bool | None = None


def _getter(name: str) -> Callable[[RequestInfo], str | None]:
    if name == "origin":
        return lambda request: request.origin
    if name == "host":
        # Host names have no case: each spelling would be another key.
        return lambda request: None if request.host is None else request.host.lower()
    if name == "path":
        return lambda request: request.path
    header = name.removeprefix(_HEADER)
    return lambda request: request.header(header)


def _compact(values: list[str | None]) -> Hashable:
    if len(values) == 1 and len(values[0] or "") <= _MAX_KEY_LENGTH:
        return values[0]
    if sum(len(value) for value in values if value is not None) <= _MAX_KEY_LENGTH:
        return tuple(values)
    # Imported late: browsers send no such keys.
    from hashlib import sha256

    return sha256(repr(values).encode("utf-8", "surrogatepass")).digest()


def _function_problems(fn: object) -> list[Problem]:
    if callable(fn):
        return []
    return [_problem(fn, f"{shown(fn)} is not a function.", "write OriginResolver(is_allowed)")]


def _key_problems(key: object) -> list[Problem]:
    hint = 'write key=("origin", "host")'
    if not isinstance(key, (tuple, list)):
        return [_problem(key, f"key is not a tuple of names: {shown(key)}.", hint)]
    problems = [
        _problem(
            name,
            f"key has {shown(name)} in it.",
            'write "origin", "host", "path", or a header as in "header:X-Tenant"',
        )
        for name in key
        if not _is_key_name(name)
    ]
    if "origin" not in key:
        problems.append(
            _problem(key, 'key is without "origin": every site would get one answer.', hint)
        )
    return problems


def _is_key_name(name: object) -> bool:
    return isinstance(name, str) and (
        name in _FIELDS or (name.startswith(_HEADER) and is_token(name.removeprefix(_HEADER)))
    )


def _number_problems(
    name: str, value: object, *, may_be_zero: bool = False, is_whole: bool = False
) -> list[Problem]:
    kinds = int if is_whole else (int, float)
    if (
        isinstance(value, kinds)
        and not isinstance(value, bool)
        and (value > 0 or (may_be_zero and value == 0))
    ):
        return []
    what = "a whole number" if is_whole else "a number of seconds"
    example = _EXAMPLES[name]
    return [_problem(value, f"{name} is not {what}: {shown(value)}.", f"write {name}={example}")]


def _problem(value: object, message: str, hint: str) -> Problem:
    return Problem(_CODE, _FIELD, value, message, hint)
