"""Limits of what requests may write into the log, in number and in characters."""

from __future__ import annotations

from time import monotonic

from corscore._standard.text import escaped

_SECONDS = 60.0
_MAX_KEYS = 1000


class LogLimit:
    """A limit of one line a minute for each key, and of a thousand keys. Safe between threads."""

    __slots__ = ("_lock", "_said")

    def __init__(self) -> None:
        # Imported late: `import corscore` needs none, only an adapter does.
        from threading import Lock

        self._lock = Lock()
        # A key to when it may be logged again.
        self._said: dict[tuple[str | bytes, str], float] = {}

    def lets_pass(self, subject: str | bytes, reason: str) -> bool:
        """Whether to log it now.

        Args:
            subject: What the line is about; clients choose it, so there may be any number.
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
    """The traceback and the message of an exception, the message escaped.

    ``exc_info`` would write the message as it is, and it often quotes the request. All but the
    lines of source is printable ASCII.
    """
    # Imported late: few requests need it.
    from traceback import format_tb

    where = "".join(format_tb(error.__traceback__))
    return f"{where}{type(error).__name__}: {escaped(error)}"
