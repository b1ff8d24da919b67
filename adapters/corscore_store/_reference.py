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
    """A reference to the policy in a store; adapters take it where they take a policy.

    The policy is read once where the reference is built. The first request of each process starts a
    daemon thread, which follows the store. While the store is down, or its newest document is
    invalid, the last good policy stays.

    Args:
        store: A URL as ``open_store`` takes it, or what it returned.
        name: The name of the policy in the store, beside a URL.
        resolvers: Resolvers by the names that stored policies refer to them by. Those that have
            ``forget`` forget a tenant whose origins change in the store.
        interval: Seconds between two re-reads, where no notice comes in between.
        snapshot: A file that keeps the last good policy, for a start without the store.
        host: The name of this host in ``corscore store status``; by default its own.

    Raises:
        ConfigError: ``store-unavailable`` without the store and a snapshot, ``store-invalid``, or
            all that is wrong with the only document.
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
