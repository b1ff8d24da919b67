"""One policy for all workers on all hosts: references that follow a shared store.

A store is Redis, PostgreSQL, SQLite or a folder of files.
"""

from corscore_store._engines import open_store
from corscore_store._reference import StoreRef
from corscore_store._store import Store, StoreError, Version, VersionConflict, Worker
from corscore_store.documents import push

__all__ = (
    "Store",
    "StoreError",
    "StoreRef",
    "Version",
    "VersionConflict",
    "Worker",
    "open_store",
    "push",
)
