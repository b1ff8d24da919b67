"""``StoreRef``: a reference to the policy in a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore.integration.following import FollowedRef
from corscore_store._engines import open_store
from corscore_store._follower import StoreFollower

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from corscore_store._store import Store


class StoreRef(FollowedRef):
    """A reference to the policy in a store, which adapters take like a policy.

    The policy is read when the reference is built. The first request of each process starts a
    daemon thread, which follows the store. While the store is down, or its newest document is
    invalid, the last good policy stays.

    Args:
        store: A URL for ``open_store``, or a store.
        name: With a URL, the name of the policy in the store.
        resolvers: The resolvers by their names in stored policies. A resolver with a method
            ``forget`` forgets each tenant whose origins change in the store.
        interval: Seconds between two re-reads if no notice comes.
        snapshot: A file that keeps the last good policy, for a start without the store.
        host: The name of this host in ``corscore store status``; by default its own.

    Raises:
        ConfigError: ``store-unavailable`` without both store and snapshot, ``store-invalid``, or
            the problems of the only document.
    """

    __slots__ = ()

    _follower: StoreFollower

    def __init__(
        self,
        store: Store | str,
        *,
        name: str = "default",
        resolvers: Mapping[str, object] | None = None,
        interval: float = 2.0,
        snapshot: str | os.PathLike[str] | None = None,
        host: str | None = None,
    ) -> None:
        opened = open_store(store, name=name) if isinstance(store, str) else store
        follower = StoreFollower(opened, resolvers or {}, interval, snapshot, host)
        super().__init__(follower.load(), follower)

    @property
    def version(self) -> int:
        """The number of the version that this process serves."""
        return self._follower.version

    @property
    def age(self) -> float:
        """Seconds since the store last confirmed that version; for metrics."""
        return self._follower.age
