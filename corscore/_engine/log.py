"""Bounds of what requests write into the log: the number of lines, and their characters."""

from __future__ import annotations

from time import monotonic

from corscore._standard.text import escaped

_SECONDS = 60.0
_MAX_KEYS = 1000


class LogLimit:
    """A limit of one line a minute for each key, and of a thousand keys; safe between threads."""

    __slots__ = ("_ends", "_lock")

    def __init__(self) -> None:
        # Imported late: only adapters need it.
        from threading import Lock

        self._lock = Lock()
        # When each key may be logged again, the next one first.
        self._ends: dict[tuple[str | bytes, str], float] = {}

    def lets_pass(self, subject: str | bytes, reason: str) -> bool:
        """Whether a line may be logged now.

        Args:
            subject: The subject of the line; clients choose it, so there may be any number.
            reason: One of a few codes.
        """
        key = (subject, reason)
        now = monotonic()
        with self._lock:
            ends = self._ends
            end = ends.get(key)
            if end is not None:
                if now < end:
                    return False
                # Put last again, so that the first one always ends first.
                del ends[key]
            while ends and next(iter(ends.values())) <= now:
                del ends[next(iter(ends))]
            if len(ends) >= _MAX_KEYS:
                return False
            ends[key] = now + _SECONDS
            return True


def traced(error: BaseException) -> str:
    """The traceback and the message of an exception, the message escaped.

    ``exc_info`` would not escape it, and messages often quote the request. All but the lines of
    source is printable ASCII.
    """
    # Imported late: few requests need it.
    from traceback import format_tb

    where = "".join(format_tb(error.__traceback__))
    return f"{where}{type(error).__name__}: {escaped(error)}"
