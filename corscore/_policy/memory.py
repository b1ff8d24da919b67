"""``Memory``: the results of a resolver, bounded in time and number."""

from __future__ import annotations

from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Any

# In a full memory, a tenth of the entries is left to refusals.
_REFUSALS_SHARE = 10

UNKNOWN: Any = object()
"""The sign that no result is remembered, since a result may be None."""


class Memory:
    """Results by key, the least recently used forgotten first; safe between threads.

    True and a policy are allowances, False and None are refusals. Clients choose the keys, and
    attackers send origins and hosts that are refused. Refusals are therefore forgotten first, so
    that a flood of them does not displace the results for real visitors.

    Args:
        max_entries: The most results to keep, those for ``stale`` included.
        ttl: Seconds for which an allowance is kept.
        negative_ttl: Seconds for which a refusal is kept.
        stale_ttl: Seconds for which an allowance is kept for ``stale``.
    """

    __slots__ = ("_allowed", "_lock", "_max_entries", "_refused", "_stale_ttl", "_tables")

    def __init__(
        self, max_entries: int, ttl: float, negative_ttl: float, stale_ttl: float = 0
    ) -> None:
        # Imported late: only a policy with a cached resolver needs it.
        from threading import Lock

        self._lock = Lock()
        self._max_entries = max_entries
        self._stale_ttl = stale_ttl
        # By key, the time of the result and the result; the least recently used first.
        self._allowed: dict[Hashable, tuple[float, Any]] = {}
        self._refused: dict[Hashable, tuple[float, Any]] = {}
        # Each with the seconds for which its results count, and for which they are kept.
        self._tables = (
            (self._allowed, ttl, max(ttl, stale_ttl)),
            (self._refused, negative_ttl, negative_ttl),
        )

    def get(self, key: Hashable) -> Any:
        """The result for a key; ``UNKNOWN`` if there is none, or it has expired."""
        now = monotonic()
        with self._lock:
            for table, ttl, kept in self._tables:
                entry = table.pop(key, None)
                if entry is None:
                    continue
                since = now - entry[0]
                if since < kept:
                    table[key] = entry
                if since < ttl:
                    return entry[1]
        return UNKNOWN

    def stale(self, key: Hashable) -> Any:
        """The last result for a key, if it is an allowance and not too old; else ``UNKNOWN``."""
        with self._lock:
            entry = self._allowed.get(key)
        if entry is None or monotonic() - entry[0] >= self._stale_ttl:
            return UNKNOWN
        return entry[1]

    def put(self, key: Hashable, result: Any) -> None:
        """Keep a result."""
        now = monotonic()
        with self._lock:
            allowed, refused = self._allowed, self._refused
            for table in (allowed, refused):
                table.pop(key, None)
            (allowed if result else refused)[key] = now, result
            if len(allowed) + len(refused) > self._max_entries:
                is_flooded = len(refused) > self._max_entries // _REFUSALS_SHARE
                crowded = refused if is_flooded or not allowed else allowed
                del crowded[next(iter(crowded))]

    def clear(self) -> None:
        """Forget all results."""
        with self._lock:
            self._allowed.clear()
            self._refused.clear()

    def forget(self, value: object) -> None:
        """Forget the results whose key is or contains the value, and all whose key is a digest."""
        with self._lock:
            for table in (self._allowed, self._refused):
                for key in [key for key in table if _has(key, value)]:
                    del table[key]

    def __len__(self) -> int:
        return len(self._allowed) + len(self._refused)


def _has(key: Hashable, value: object) -> bool:
    return value in key if isinstance(key, tuple) else key == value or isinstance(key, bytes)
