"""Says in the log what was refused, without letting strangers fill the disk."""

from __future__ import annotations

from corscore._engine.log import LogLimit, traced
from corscore._standard.text import escaped
from corscore.integration._cross_site import host_note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corscore._engine.request import RequestInfo


# Strangers choose how long an origin is; no real one is longer.
_LONGEST_KEY = 326


class Refusals:
    """The log of refusals of one application."""

    __slots__ = ("_failures", "_limit", "_noted")

    def __init__(self) -> None:
        self._limit = LogLimit()
        self._noted = LogLimit()
        # Apart: strangers, who can use up the one, are not to silence the other.
        self._failures = LogLimit()

    def wants(self, origin: bytes) -> bool:
        """Whether it is time to look at a refusal of this origin: mostly once a minute."""
        return self._noted.lets_pass(origin[:_LONGEST_KEY], "")

    def log(
        self, reason: str, request: RequestInfo, explain: Callable[[], str] | None = None
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
            "refused (%s): origin %s, %s %s%s%s",
            reason,
            origin,
            escaped(request.method),
            escaped(request.path),
            host_note(request, is_handshake=reason == "websocket-not-allowed"),
            "" if explain is None else f"\n{explain()}",
        )

    def log_failure(self, what: str, error: Exception) -> None:
        """Logs what a user's callback raised, at most once a minute for a kind of exception."""
        if not self._failures.lets_pass(type(error).__name__, what):
            return
        from logging import getLogger

        getLogger("corscore").error("%s raised, and the request went on\n%s", what, traced(error))

    def log_lookup(self, request: RequestInfo, error: Exception) -> None:
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
