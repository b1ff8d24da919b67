"""``Remembered``: verdicts of a resolver, kept for a time and in bounded number."""

from __future__ import annotations

from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable

# When there are too many entries, a tenth of them stays for refusals.
_REFUSALS_SHARE = 10


class Remembered:
    """Verdicts by key, the least recently used forgotten first. Safe between threads.

    Clients choose the keys, and the origins that attackers send are refused. So refusals are
    forgotten first, and a flood of them does not push out what real visitors need.

    Args:
        max_entries: How many to keep at most.
        ttl: Seconds for which an allowance is kept.
        negative_ttl: Seconds for which a refusal is kept.
    """

    __slots__ = ("_lock", "_max_entries", "_tables", "_ttls")

    def __init__(self, max_entries: int, ttl: float, negative_ttl: float) -> None:
        # Imported late: only a policy with a cached resolver needs it.
        from threading import Lock

        self._lock = Lock()
        self._max_entries = max_entries
        self._ttls = {True: ttl, False: negative_ttl}
        # By verdict: a key to the time when it expires. Least recently used first, as dicts keep
        # the order of insertion.
        self._tables: dict[bool, dict[Hashable, float]] = {True: {}, False: {}}

    def get(self, key: Hashable) -> bool | None:
        """The verdict for a key; None if there is none, or it has expired."""
        now = monotonic()
        with self._lock:
            for verdict, table in self._tables.items():
                until = table.pop(key, None)
                if until is not None and until > now:
                    table[key] = until
                    return verdict
        return None

    def put(self, key: Hashable, verdict: bool) -> None:
        """Keep a verdict."""
        until = monotonic() + self._ttls[verdict]
        with self._lock:
            for table in self._tables.values():
                table.pop(key, None)
            self._tables[verdict][key] = until
            allowed, refused = self._tables[True], self._tables[False]
            if len(allowed) + len(refused) > self._max_entries:
                is_flooded = len(refused) > self._max_entries // _REFUSALS_SHARE
                crowded = refused if is_flooded or not allowed else allowed
                del crowded[next(iter(crowded))]

    def clear(self) -> None:
        """Forget all verdicts."""
        with self._lock:
            for table in self._tables.values():
                table.clear()

    def __len__(self) -> int:
        return sum(map(len, self._tables.values()))
