"""``RefusalLog``: the log of refusals, limited in number, since clients cause them."""

from __future__ import annotations

from corscore._engine.log import LogLimit, traced
from corscore._standard.origin import MAX_ORIGIN_LENGTH
from corscore._standard.page import code_page
from corscore._standard.text import escaped
from corscore.integration._cross_site import host_note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corscore._engine.request import RequestInfo


# The reasons that `Policy.explain` never gives.
_CROSS_SITE = ("request-not-allowed", "websocket-not-allowed")


class RefusalLog:
    """The log of refusals of one application."""

    __slots__ = ("_failures", "_origins", "_refusals")

    def __init__(self) -> None:
        self._refusals = LogLimit()
        self._origins = LogLimit()
        # Failures have a limit of their own: clients can use up those of refusals.
        self._failures = LogLimit()

    def wants(self, origin: bytes) -> bool:
        """Whether a refusal of this origin may be logged now, about once a minute."""
        # Bounded: clients choose the length.
        return self._origins.lets_pass(origin[:MAX_ORIGIN_LENGTH], "")

    def log(
        self, reason: str, request: RequestInfo, explain: Callable[[], str] | None = None
    ) -> None:
        """Log a refusal, at most once a minute for an origin and a reason.

        Args:
            reason: A code such as ``"origin-not-allowed"``.
            request: The refused request.
            explain: Returns a text to add, of printable ASCII and line breaks.
        """
        origin = "-" if request.origin is None else escaped(request.origin)
        if not self._refusals.lets_pass(origin, reason):
            return
        # Imported late: logging is larger than the whole engine.
        from logging import getLogger

        getLogger("corscore").warning(
            "CORS refused (%s): origin %s, %s %s%s%s",
            reason,
            origin,
            escaped(request.method),
            escaped(request.path),
            host_note(request, is_handshake=reason == "websocket-not-allowed"),
            _what_to_do(reason) if explain is None else f"\n{explain()}",
        )

    def log_failure(self, what: str, error: Exception) -> None:
        """Log an exception of a user's callback, at most once a minute for its type."""
        if not self._failures.lets_pass(type(error).__name__, what):
            return
        from logging import getLogger

        getLogger("corscore").error("%s raised, and the request went on\n%s", what, traced(error))

    def log_lookup(self, request: RequestInfo, error: Exception) -> None:
        """Log an exception of a router, at most once a minute for its type."""
        if not self._failures.lets_pass(type(error).__name__, "lookup"):
            return
        from logging import getLogger

        # Without a traceback, whose messages often quote the path unescaped.
        getLogger("corscore").error(
            "the route of %s %s could not be looked up (%s: %s): its preflights are refused, and "
            "its other requests get the policy of the path",
            escaped(request.method),
            escaped(request.path),
            type(error).__name__,
            escaped(error),
        )


def _what_to_do(reason: str) -> str:
    # Without the request, since a line that is pasted into a shell must not have a client's text.
    more = "" if reason in _CROSS_SITE else ", corscore explain, or debug=True"
    return f"; what to do: {code_page(reason)}{more}"
