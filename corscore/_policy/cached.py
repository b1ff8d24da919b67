"""``CachedLookup``: results of a user's function, remembered by key.

The function gets only the values that its ``key`` names. Its result therefore holds for every
request with that key, and no tenant gets the result of another.
"""

from __future__ import annotations

from operator import attrgetter

from corscore._policy.function import FAILED, MAX_THREADS, ResolverFunction
from corscore._policy.memory import UNKNOWN, Memory
from corscore._standard.grammar import is_token
from corscore._standard.problem import ConfigError, Problem
from corscore._standard.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Any

    from corscore._engine.request import RequestInfo

    # The value, the message and the hint of a problem.
    _Found = tuple[object, str, str]

_HEADER = "header:"
# Names in a key to the attributes of a request.
_ATTRIBUTES = {"origin": "origin", "host": "host_name", "path": "path"}
_EXAMPLES = {
    "ttl": 60,
    "negative_ttl": 10,
    "max_entries": 10_000,
    "timeout": 2.0,
    "max_threads": MAX_THREADS,
    "stale_if_error": 600,
}
# A longer key is remembered by its digest: clients choose the length of paths and headers.
_MAX_KEY_LENGTH = 512


class Lookup:
    """A user's function that is asked about requests."""

    __slots__ = ("_function",)

    _function: ResolverFunction

    @property
    def is_async(self) -> bool:
        """Whether the function needs awaiting."""
        return self._function.is_async

    @property
    def timeout(self) -> float | None:
        """Seconds to wait for a result; None waits for as long as it takes."""
        return self._function.timeout


class CachedLookup(Lookup):
    """A function whose results are remembered; one request at a time asks for a key."""

    __slots__ = ("_calls", "_memory", "_values_of", "key", "vary")

    key: tuple[str, ...]
    """The names of the values that the function gets."""

    vary: tuple[str, ...]
    """Request headers that the result depends on."""

    # Of a subclass: its name in problems, its example of a function, and its message of a failure.
    _field: str
    _example: str
    _failure: str
    _needs_origin = False

    def _read(self, result: Any) -> Any:
        """The result in what the function returned; raises ``TypeError`` for any other value."""
        raise NotImplementedError

    def _subject(self, request: RequestInfo, values: tuple[str | None, ...]) -> str:
        """The subject of a failure in the log."""
        raise NotImplementedError

    def _set_up(
        self,
        fn: Callable[..., Any],
        key: tuple[str, ...] | list[str],
        *,
        ttl: float,
        negative_ttl: float,
        max_entries: int,
        timeout: float | None,
        max_threads: int,
        stale_if_error: float,
    ) -> None:
        found = [
            *_key_problems(key, needs_origin=self._needs_origin),
            *_number_problems("ttl", ttl, may_be_zero=True),
            *_number_problems("negative_ttl", negative_ttl, may_be_zero=True),
            *_number_problems("max_entries", max_entries, is_whole=True),
            *([] if timeout is None else _number_problems("timeout", timeout)),
            *_number_problems("max_threads", max_threads, is_whole=True),
            *_number_problems("stale_if_error", stale_if_error, may_be_zero=True),
        ]
        if not callable(fn):
            hint = f"write {type(self).__name__}({self._example})"
            found.insert(0, (fn, f"{shown(fn)} is not a function.", hint))
        if found:
            raise ConfigError(
                tuple(Problem("resolver-invalid", self._field, *problem) for problem in found)
            )
        self._function = ResolverFunction(
            fn, timeout, max_threads, read=self._read, failure=self._failure
        )
        self.key = tuple(key)
        self.vary = self._varying()
        self._values_of = _values_reader(self.key)
        self._memory = Memory(max_entries, ttl, negative_ttl, stale_if_error)
        # Calls in progress, by event loop (None: threads) and key.
        self._calls: dict[tuple[object, Hashable], _Call] = {}

    def _varying(self) -> tuple[str, ...]:
        return tuple(name.removeprefix(_HEADER) for name in self.key if name.startswith(_HEADER))

    @property
    def needs_anyio(self) -> bool:
        """True, since other requests await the same result."""
        return True

    def forget(self, value: str | None = None) -> None:
        """Forget results, for example after a change of a tenant's settings.

        Args:
            value: Only the results whose key has it, such as the tenant's host; None forgets all.
        """
        # A call in progress may return a result from before the change.
        for call in list(self._calls.values()):
            call.is_outdated = True
        if value is None:
            self._memory.clear()
        else:
            self._memory.forget(value)

    def _known(self, request: RequestInfo) -> Any:
        return self._memory.get(_compact(self._values_of(request)))

    def _result(self, request: RequestInfo) -> Any:
        """The result for a request, remembered or asked for; ``FAILED`` without one."""
        values = self._values_of(request)
        key = _compact(values)
        result = self._memory.get(key)
        if result is not UNKNOWN:
            return result
        subject = self._subject(request, values)
        # Waiting threads count, too: one slow result must not take every thread of the server.
        result = self._function.in_server_thread(
            subject, lambda: self._resolve(subject, key, values)
        )
        return self._last(key) if result is FAILED else result

    def _resolve(self, subject: str, key: Hashable, values: tuple[str | None, ...]) -> Any:
        """Call the function, or wait for the thread that calls it for the same key."""
        from threading import Event

        while True:
            own = _Call(Event())
            call = self._calls.setdefault((None, key), own)
            if call is own:
                try:
                    # Another thread may have got a result since.
                    result = self._memory.get(key)
                    if result is not UNKNOWN:
                        own.result = result
                        own.has_result = True
                        return result
                    own.result = self._function.call(subject, *values)
                    return self._finish(own, key)
                finally:
                    del self._calls[None, key]
                    own.ended.set()
            call.ended.wait()
            if call.has_result:
                return call.result

    async def _result_async(self, request: RequestInfo) -> Any:
        """``_result`` under asyncio or trio."""
        values = self._values_of(request)
        key = _compact(values)
        result = self._memory.get(key)
        if result is not UNKNOWN:
            return result
        from anyio import Event
        from anyio.lowlevel import current_token

        # An event belongs to one loop, and a process may run several.
        loop = current_token()
        while True:
            own = _Call(Event())
            call = self._calls.setdefault((loop, key), own)
            if call is own:
                try:
                    subject = self._subject(request, values)
                    own.result = await self._function.call_async(subject, *values)
                    return self._finish(own, key)
                finally:
                    # If this request was cancelled, another one asks now.
                    del self._calls[loop, key]
                    own.ended.set()
            await call.ended.wait()
            if call.has_result:
                return call.result

    def _finish(self, call: _Call, key: Hashable) -> Any:
        if call.result is FAILED:
            call.result = self._last(key)
        elif not call.is_outdated:
            self._memory.put(key, call.result)
        call.has_result = True
        return call.result

    def _last(self, key: Hashable) -> Any:
        """The last result if ``stale_if_error`` lets it count, or ``FAILED``."""
        result = self._memory.stale(key)
        return FAILED if result is UNKNOWN else result

    def __repr__(self) -> str:
        return f"<{type(self).__name__} key={self.key!r} of {self._function.fn!r}>"


class _Call:
    """A call in progress.

    Attributes:
        ended: The event that is set when the call has ended.
        has_result: Whether it ended with a result or a failure, and was not cancelled.
        result: The result; ``FAILED`` if the function gave none.
        is_outdated: Whether ``forget`` was called meanwhile, so that the result is not remembered.
    """

    __slots__ = ("ended", "has_result", "is_outdated", "result")

    def __init__(self, ended: Any) -> None:
        self.ended: Any = ended
        self.has_result = False
        self.is_outdated = False
        self.result: Any = FAILED


def _values_reader(key: tuple[str, ...]) -> Callable[[RequestInfo], tuple[str | None, ...]]:
    if not key or any(name.startswith(_HEADER) for name in key):
        getters = [_getter(name) for name in key]
        return lambda request: tuple([get(request) for get in getters])
    # In one call: reading the values takes most of the time of a remembered result.
    read: Any = attrgetter(*(_ATTRIBUTES[name] for name in key))
    return read if len(key) > 1 else lambda request: (read(request),)


def _getter(name: str) -> Callable[[RequestInfo], str | None]:
    if name in _ATTRIBUTES:
        return attrgetter(_ATTRIBUTES[name])
    header = name.removeprefix(_HEADER)
    return lambda request: request.header(header)


def _compact(values: tuple[str | None, ...]) -> Hashable:
    length = 0
    for value in values:
        if value is not None:
            length += len(value)
    if length <= _MAX_KEY_LENGTH:
        return values[0] if len(values) == 1 else values
    # Imported late: browsers send no such keys.
    from hashlib import sha256

    return sha256(repr(values).encode("utf-8", "surrogatepass")).digest()


def _key_problems(key: object, *, needs_origin: bool) -> list[_Found]:
    hint = 'write key=("origin", "host")' if needs_origin else 'write key=("host",)'
    if not isinstance(key, (tuple, list)):
        return [(key, f"key is not a tuple of names: {shown(key)}.", hint)]
    problems = [
        (
            name,
            f"key has {shown(name)} in it.",
            'write "origin", "host", "path", or a header as in "header:X-Tenant"',
        )
        for name in key
        if not _is_key_name(name)
    ]
    if needs_origin and "origin" not in key:
        problems.append((key, 'key is without "origin": every site would get one verdict.', hint))
    return problems


def _is_key_name(name: object) -> bool:
    return isinstance(name, str) and (
        name in _ATTRIBUTES or (name.startswith(_HEADER) and is_token(name.removeprefix(_HEADER)))
    )


def _number_problems(
    name: str, value: object, *, may_be_zero: bool = False, is_whole: bool = False
) -> list[_Found]:
    kinds = int if is_whole else (int, float)
    if (
        isinstance(value, kinds)
        and not isinstance(value, bool)
        and (value > 0 or (may_be_zero and value == 0))
    ):
        return []
    what = "a whole number" if is_whole else "a number of seconds"
    example = _EXAMPLES[name]
    return [(value, f"{name} is not {what}: {shown(value)}.", f"write {name}={example}")]
