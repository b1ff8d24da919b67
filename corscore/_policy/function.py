"""Calls a resolver's function, in the way that fits the function and the place that asks.

A function may be sync or async, and so may an adapter. What it raises, what takes too long and what
is no verdict ends as a refusal in the log: the request goes on, without its headers.
"""

from __future__ import annotations

from corscore._engine.log import LogLimit, traced
from corscore._standard.text import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MAX_THREADS = 40


class ResolverFunction:
    """A function that gives verdicts.

    Args:
        fn: Takes what ``ask`` is given; returns True or False, or an awaitable of either.
        timeout: Seconds to wait for an answer under ASGI; None waits for as long as it takes.

    Attributes:
        is_async: Whether ``fn`` is known to need awaiting.
    """

    __slots__ = ("_failures", "fn", "is_async", "timeout")

    def __init__(self, fn: Callable[..., Any], timeout: float | None) -> None:
        # Imported late: inspect is larger than the whole engine.
        from inspect import iscoroutinefunction

        self.fn = fn
        self.timeout = timeout
        self._failures = LogLimit()
        self.is_async = iscoroutinefunction(fn) or iscoroutinefunction(
            getattr(fn, "__call__", None)  # noqa: B004 - the method of a callable object
        )

    def ask(self, origin: str, *args: object) -> bool | None:
        """Calls the function here and now; None where it gave no verdict.

        Args:
            origin: What the verdict is about, for the log.
            args: The function's arguments.
        """
        try:
            return _verdict(self.fn(*args))
        except Exception as error:  # noqa: BLE001 - a user's function may raise anything
            self._log_failure(origin, error)
            return None

    async def ask_async(self, origin: str, *args: object) -> bool | None:
        """The same under asyncio or trio: a sync function runs in a worker thread."""
        try:
            if self.timeout is None and self.is_async:
                return _verdict(await self.fn(*args))
            from anyio import fail_after

            with fail_after(self.timeout):
                return _verdict(await self._call(*args))
        except Exception as error:  # noqa: BLE001
            self._log_failure(origin, error)
            return None

    async def _call(self, *args: object) -> object:
        if self.is_async:
            return await self.fn(*args)
        from inspect import isawaitable

        from anyio import to_thread

        # In a tuple, since trio takes no coroutine from a thread.
        (answer,) = await to_thread.run_sync(
            lambda: (self.fn(*args),), abandon_on_cancel=True, limiter=_limiter()
        )
        return await answer if isawaitable(answer) else answer

    def _log_failure(self, origin: str, error: Exception) -> None:
        # A database that is gone fails every request: once a minute for a kind of exception.
        if not self._failures.lets_pass(type(error).__name__, "no verdict"):
            return
        # Imported late: logging is larger than the whole engine.
        from logging import getLogger

        getLogger("corscore").error(
            "the origin resolver gave no verdict on %s, which is refused\n%s",
            escaped(origin),
            f"TimeoutError: {escaped(error)}" if isinstance(error, TimeoutError) else traced(error),
        )


def _verdict(answer: object) -> bool:
    if isinstance(answer, bool):
        return answer
    close: Callable[[], object] | None = getattr(answer, "close", None)
    if hasattr(answer, "__await__"):
        if close is not None:
            close()  # a coroutine that nobody awaits would warn
        raise TypeError("an awaitable was returned where nothing can await it")
    # Not by its truth: an object that means "no" is as true as one that means "yes".
    raise TypeError(f"True or False was expected, not {type(answer).__name__}")


_limiter_of_loop: Any = None


def _limiter() -> Any:
    # Threads of our own: a database that hangs must not take those that sync endpoints run in.
    global _limiter_of_loop
    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

    if _limiter_of_loop is None:
        _limiter_of_loop = RunVar("corscore_resolver_threads")
    try:
        return _limiter_of_loop.get()
    except LookupError:
        limiter = CapacityLimiter(_MAX_THREADS)
        _limiter_of_loop.set(limiter)
        return limiter
