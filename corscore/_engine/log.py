"""What is logged on behalf of requests: no more often than somebody can read, and never raw."""

from __future__ import annotations

from time import monotonic

from corscore._standard.text import escaped

_SECONDS = 60.0
_MAX_KEYS = 1000


class LogLimit:
    """Lets each key pass once a minute, and a thousand of them at most. Safe between threads."""

    __slots__ = ("_lock", "_said")

    def __init__(self) -> None:
        # Imported late: `import corscore` needs none, only an adapter does.
        from threading import Lock

        self._lock = Lock()
        # A key to when it may be said again.
        self._said: dict[tuple[str | bytes, str], float] = {}

    def lets_pass(self, subject: str | bytes, reason: str) -> bool:
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


def traced(error: BaseException) -> str:
    """Where an exception was raised, and what it says.

    In the place of ``exc_info``, which writes the message as it is: it mostly quotes what the
    request said. All but the lines of source is printable ASCII.
    """
    # Imported late, as whatever a request does not need.
    from traceback import format_tb

    where = "".join(format_tb(error.__traceback__))
    return f"{where}{type(error).__name__}: {escaped(error)}"
