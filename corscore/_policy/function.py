"""``ResolverFunction``: the calls of a user's function, in a limited number of threads.

An exception, a time-out, too many busy threads and a value that is no result are failures. They are
logged, and the request goes on without CORS headers.
"""

from __future__ import annotations

from corscore._engine.log import LogLimit, traced
from corscore._standard.text import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_THREADS = 40
NO_VERDICT = "the origin resolver gave no verdict on %s, which is refused"

FAILED: Any = object()
"""The result of a call that failed."""


class ThreadsBusyError(Exception):
    """Raised when all threads that may wait for a function are busy."""


class ResolverFunction:
    """A user's function that is asked about requests.

    Args:
        fn: Takes the arguments of ``call``; returns a result or an awaitable of one.
        timeout: Seconds to wait for a result under ASGI; None waits for as long as it takes.
        max_threads: The most threads that may wait for the function at a time.
        read: Takes what ``fn`` returned, and returns the result or raises ``TypeError``; by default
            ``verdict``.
        failure: The log message of a call without a result, with ``%s`` for its subject.

    Attributes:
        is_async: Whether ``fn`` is a coroutine function, or an object with one.
    """

    __slots__ = (
        "_failure",
        "_failures",
        "_read",
        "_threads",
        "fn",
        "is_async",
        "max_threads",
        "timeout",
    )

    def __init__(
        self,
        fn: Callable[..., Any],
        timeout: float | None,
        max_threads: int = MAX_THREADS,
        *,
        read: Callable[[Any], Any] | None = None,
        failure: str = NO_VERDICT,
    ) -> None:
        # Imported late: both are larger than the whole engine.
        from inspect import iscoroutinefunction
        from threading import Semaphore

        self.fn = fn
        self.timeout = timeout
        self.max_threads = max_threads
        self._read = read or verdict
        self._failure = failure
        self._failures = LogLimit()
        self._threads = Semaphore(max_threads)
        self.is_async = iscoroutinefunction(fn) or iscoroutinefunction(
            getattr(fn, "__call__", None)  # noqa: B004 - the method of a callable object
        )

    def in_server_thread(self, subject: str, resolve: Callable[[], Any]) -> Any:
        """Run ``resolve`` in this thread; ``FAILED`` at once if all threads are busy.

        Args:
            subject: The origin or the key, for the log.
            resolve: Calls the function, or waits for another thread that calls it.
        """
        if not self._threads.acquire(blocking=False):
            self._log_failure(subject, self._busy())
            return FAILED
        try:
            return resolve()
        finally:
            self._threads.release()

    def call(self, subject: str, *args: object) -> Any:
        """Call the function in this thread; ``FAILED`` if it gave no result.

        Args:
            subject: The origin or the key that the result is about, for the log.
            args: The function's arguments.
        """
        try:
            return self._read(_not_awaitable(self.fn(*args)))
        except BaseException as error:
            if not _is_failure(error):
                raise
            self._log_failure(subject, error)
            return FAILED

    async def call_async(self, subject: str, *args: object) -> Any:
        """``call`` under asyncio or trio: a sync function runs in a worker thread."""
        try:
            if self.timeout is None and self.is_async:
                return self._read(_not_awaitable(await self.fn(*args)))
            from anyio import fail_after

            with fail_after(self.timeout):
                return self._read(_not_awaitable(await self._result(*args)))
        except BaseException as error:
            if not _is_failure(error):
                raise
            self._log_failure(subject, error)
            return FAILED

    async def _result(self, *args: object) -> object:
        if self.is_async:
            return await self.fn(*args)
        from inspect import isawaitable

        result = await self._in_worker_thread(*args)
        return await result if isawaitable(result) else result

    async def _in_worker_thread(self, *args: object) -> object:
        from anyio import CapacityLimiter, to_thread

        threads = self._threads
        if not threads.acquire(blocking=False):
            raise self._busy()
        # Released once, by the side that pops the item: the thread when it ends, even long after
        # its request was cancelled, or a request that is cancelled before its thread starts.
        not_started = [True]

        def run() -> tuple[object, BaseException | None]:
            try:
                not_started.pop()
            except IndexError:
                return None, None
            try:
                return self.fn(*args), None
            except BaseException as error:  # noqa: BLE001 - raised where the request waits
                return None, error
            finally:
                threads.release()

        try:
            # A limiter for this call alone, since anyio's own counts the thread as ended too early.
            result, error = await to_thread.run_sync(
                run, abandon_on_cancel=True, limiter=CapacityLimiter(1)
            )
        except BaseException:
            try:
                not_started.pop()
            except IndexError:
                pass
            else:
                threads.release()
            raise
        if error is None:
            return result
        # No request is cancelled in the thread, so that the function itself raised it.
        from asyncio import CancelledError

        if not isinstance(error, CancelledError):
            raise error
        raise RuntimeError("the function raised CancelledError") from error

    def _busy(self) -> ThreadsBusyError:
        return ThreadsBusyError(f"all {self.max_threads} threads for it are busy")

    def _log_failure(self, subject: str, error: BaseException) -> None:
        # Once a minute for a kind of exception: a database that is down fails every request.
        if not self._failures.lets_pass(type(error).__name__, "no verdict"):
            return
        # Imported late: logging is larger than the whole engine.
        from logging import getLogger

        is_ours = isinstance(error, (TimeoutError, ThreadsBusyError))
        getLogger("corscore").error(
            "%s\n%s",
            self._failure % escaped(subject),
            f"{type(error).__name__}: {escaped(error)}" if is_ours else traced(error),
        )


def _is_failure(error: BaseException) -> bool:
    """Whether the function failed, and neither the request nor the process was stopped."""
    if isinstance(error, Exception):
        return True
    # Imported late: only a function with tasks of its own raises it.
    from asyncio import CancelledError, current_task

    if not isinstance(error, CancelledError):
        return False
    try:
        task = current_task()
    except RuntimeError:
        return True  # Nothing but the function raises it outside of asyncio.
    # Python 3.10 cannot tell whether the request's own task is cancelled.
    cancelling = getattr(task, "cancelling", None)
    return cancelling is not None and not cancelling()


def _not_awaitable(result: object) -> object:
    """The result, if it is no awaitable; raises ``TypeError``."""
    close: Callable[[], object] | None = getattr(result, "close", None)
    if not hasattr(result, "__await__"):
        return result
    if close is not None:
        close()  # A coroutine that is never awaited would warn.
    raise TypeError("an awaitable was returned where nothing can await it")


def verdict(result: object) -> bool:
    """The verdict on an origin, which is True or False; raises ``TypeError`` for another value."""
    if isinstance(result, bool):
        return result
    # The truth value does not count: an object that means "no" may be true.
    raise TypeError(f"True or False was expected, not {type(result).__name__}")
