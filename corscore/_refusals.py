"""Says in the log what was refused, without letting strangers fill the disk."""

from __future__ import annotations

from time import monotonic

from corscore._text import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corscore._context import RequestContext

_SECONDS = 60.0
_MAX_KEYS = 1000


class LogLimit:
    """Lets each key pass once a minute, and a thousand of them at most. Safe between threads."""

    __slots__ = ("_lock", "_said")

    def __init__(self) -> None:
        # Imported late: only where more than a plain policy is in use.
        from threading import Lock

        self._lock = Lock()
        # A key to when it may be said again.
        self._said: dict[tuple[str, str], float] = {}

    def lets_pass(self, subject: str, reason: str) -> bool:
        """Whether to say it now.

        Args:
            subject: Whom it is about; from a request, so of any number.
            reason: One of a few codes.
        """
        key = (subject, reason)
        now = monotonic()
        with self._lock:
            said = self._said
            until = said.get(key)
            if until is not None:
                if now < until:
                    return False
                # Put last again, so that the first one is always the oldest.
                del said[key]
            while said and next(iter(said.values())) <= now:
                del said[next(iter(said))]
            if len(said) >= _MAX_KEYS:
                return False
            said[key] = now + _SECONDS
            return True


class Refusals:
    """The log of refusals of one application."""

    __slots__ = ("_failures", "_limit")

    def __init__(self) -> None:
        self._limit = LogLimit()
        # Apart: strangers, who can use up the one, are not to silence the other.
        self._failures = LogLimit()

    def log(
        self, reason: str, request: RequestContext, explain: Callable[[], str] | None = None
    ) -> None:
        """Logs a refusal, at most once a minute for an origin and a reason.

        Args:
            reason: A code such as ``"origin-not-allowed"``.
            request: What was refused.
            explain: Makes the text that follows, in printable ASCII but for its line breaks.
        """
        origin = "-" if request.origin is None else escaped(request.origin)
        if not self._limit.lets_pass(origin, reason):
            return
        # Imported late: logging is larger than the whole engine.
        from logging import getLogger

        getLogger("corscore").warning(
            "refused (%s): origin %s, %s %s%s",
            reason,
            origin,
            escaped(request.method),
            escaped(request.path),
            "" if explain is None else f"\n{explain()}",
        )

    def log_failure(self, what: str, error: Exception) -> None:
        """Logs what a user's callback raised, at most once a minute for a kind of exception."""
        if not self._failures.lets_pass(type(error).__name__, what):
            return
        from logging import getLogger

        getLogger("corscore").error("%s raised, and the request went on", what, exc_info=error)

    def log_lookup(self, request: RequestContext, error: Exception) -> None:
        """Logs what a router raised about a request, at most once a minute for a kind of it."""
        if not self._failures.lets_pass(type(error).__name__, "lookup"):
            return
        from logging import getLogger

        # Without its traceback: what is raised about a path mostly quotes it as it is.
        getLogger("corscore").error(
            "the route of %s %s could not be looked up (%s: %s): its preflights are refused, and "
            "its other requests get the policy of the path",
            escaped(request.method),
            escaped(request.path),
            type(error).__name__,
            escaped(error),
        )
