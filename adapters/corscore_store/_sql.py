"""``SqlStore``: the tables and statements of SQLite and PostgreSQL."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from corscore_store._store import (
    KEPT_CHANGES,
    KEPT_VERSIONS,
    WORKER_SECONDS,
    State,
    Store,
    Version,
    VersionConflict,
    Worker,
    digest_of,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

TABLES = (
    """CREATE TABLE IF NOT EXISTS corscore_policy (
        name text PRIMARY KEY,
        version bigint NOT NULL DEFAULT 0,
        digest text NOT NULL DEFAULT '',
        changes bigint NOT NULL DEFAULT 0
    )""",
    """CREATE TABLE IF NOT EXISTS corscore_version (
        name text NOT NULL,
        version bigint NOT NULL,
        document text NOT NULL,
        author text NOT NULL,
        written double precision NOT NULL,
        PRIMARY KEY (name, version)
    )""",
    """CREATE TABLE IF NOT EXISTS corscore_worker (
        name text NOT NULL,
        id text NOT NULL,
        report text NOT NULL,
        seen double precision NOT NULL,
        PRIMARY KEY (name, id)
    )""",
    """CREATE TABLE IF NOT EXISTS corscore_origin (
        name text NOT NULL,
        tenant text NOT NULL,
        origin text NOT NULL,
        PRIMARY KEY (name, tenant, origin)
    )""",
    """CREATE TABLE IF NOT EXISTS corscore_change (
        name text NOT NULL,
        number bigint NOT NULL,
        tenant text NOT NULL,
        PRIMARY KEY (name, number)
    )""",
)


class SqlStore(Store):
    """A store in tables, which the first write creates."""

    # The expression for ``{now}`` in statements: seconds since 1970 by the store's clock.
    _now: str

    @abstractmethod
    def _rows(self, statement: str, *values: object) -> list[Any]:
        """The rows of one statement with ``%s`` for values; none without the tables."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[Any]:
        """A transaction, as a function that executes a statement and returns its rows.

        It creates missing tables, and keeps other processes from writing what it reads.
        """

    def _notify(self, execute: Any) -> None:
        """Notify all listeners when the transaction ends."""

    def state(self) -> State:
        """The row of the policy."""
        rows = self._rows(
            "SELECT version, digest, changes FROM corscore_policy WHERE name = %s", self.name
        )
        return self._state(*rows[0]) if rows else State()

    def version(self, number: int) -> Version | None:
        """A version, from its row."""
        rows = self._rows(
            "SELECT version, document, author, written FROM corscore_version "
            "WHERE name = %s AND version = %s",
            self.name,
            number,
        )
        return Version.of(*rows[0]) if rows else None

    def history(self, limit: int = 20) -> list[Version]:
        """The newest versions."""
        rows = self._rows(
            "SELECT version, document, author, written FROM corscore_version "
            "WHERE name = %s ORDER BY version DESC LIMIT %s",
            self.name,
            limit,
        )
        return [Version.of(*row) for row in rows]

    def write(
        self, document: str, *, number: int, expected: int, author: str, time: float | None = None
    ) -> None:
        """Write a version in one transaction, which locks the policy's row."""
        with self._transaction() as execute:
            self._lock(execute)
            newest = execute(
                "UPDATE corscore_policy SET version = %s, digest = %s "
                "WHERE name = %s AND version = %s RETURNING version",
                (number, digest_of(document), self.name, expected),
            )
            if not newest:
                rows = execute("SELECT version FROM corscore_policy WHERE name = %s", (self.name,))
                raise VersionConflict(rows[0][0])
            execute(
                "DELETE FROM corscore_version WHERE name = %s AND (version <= %s OR version = %s)",
                (self.name, number - KEPT_VERSIONS, number),
            )
            execute(
                "INSERT INTO corscore_version (name, version, document, author, written) "
                "VALUES (%s, %s, %s, %s, coalesce(CAST(%s AS double precision), {now}))",
                (self.name, number, document, author, time),
            )
            self._notify(execute)

    def _lock(self, execute: Any) -> None:
        execute(
            "INSERT INTO corscore_policy (name) VALUES (%s) ON CONFLICT (name) DO NOTHING",
            (self.name,),
        )

    def beat(self, worker: Worker) -> None:
        """Keep a heartbeat; before the first version there is no table for it."""
        self._rows(
            "INSERT INTO corscore_worker (name, id, report, seen) "
            "VALUES (%s, %s, %s, {now}) "
            "ON CONFLICT (name, id) DO UPDATE SET report = excluded.report, seen = excluded.seen",
            self.name,
            worker.id,
            worker.report(),
        )

    def _heartbeats(self) -> list[tuple[object, float]]:
        # A heartbeat of the future is from before a clock was set back.
        self._rows(
            "DELETE FROM corscore_worker "
            "WHERE name = %s AND (seen < {now} - %s OR seen > {now} + %s)",
            self.name,
            WORKER_SECONDS,
            WORKER_SECONDS,
        )
        rows = self._rows(
            "SELECT report, {now} - seen FROM corscore_worker WHERE name = %s ORDER BY id",
            self.name,
        )
        return [(report, float(age)) for report, age in rows]

    def _has_origin(self, tenant: str, origin: str) -> bool:
        return bool(
            self._rows(
                "SELECT 1 FROM corscore_origin WHERE name = %s AND tenant = %s AND origin = %s",
                self.name,
                tenant,
                origin,
            )
        )

    def origins(self, tenant: str) -> tuple[str, ...]:
        """All origins of a tenant, sorted."""
        rows = self._rows(
            "SELECT origin FROM corscore_origin WHERE name = %s AND tenant = %s ORDER BY origin",
            self.name,
            tenant,
        )
        return tuple(row[0] for row in rows)

    def _change_origins(self, tenant: str, add: tuple[str, ...], remove: tuple[str, ...]) -> None:
        with self._transaction() as execute:
            self._lock(execute)
            for origin in remove:
                execute(
                    "DELETE FROM corscore_origin WHERE name = %s AND tenant = %s AND origin = %s",
                    (self.name, tenant, origin),
                )
            for origin in add:
                execute(
                    "INSERT INTO corscore_origin (name, tenant, origin) VALUES (%s, %s, %s) "
                    "ON CONFLICT (name, tenant, origin) DO NOTHING",
                    (self.name, tenant, origin),
                )
            # The row is locked until the transaction ends, so that numbers appear in their order.
            ((number,),) = execute(
                "UPDATE corscore_policy SET changes = changes + 1 WHERE name = %s "
                "RETURNING changes",
                (self.name,),
            )
            execute(
                "INSERT INTO corscore_change (name, number, tenant) VALUES (%s, %s, %s)",
                (self.name, number, tenant),
            )
            execute(
                "DELETE FROM corscore_change WHERE name = %s AND number <= %s",
                (self.name, number - KEPT_CHANGES),
            )
            self._notify(execute)

    def changed_tenants(self, since: int, until: int) -> list[str] | None:
        """The tenants of these changes."""
        if until - since > KEPT_CHANGES or until < since:
            return None
        rows = self._rows(
            "SELECT tenant FROM corscore_change WHERE name = %s AND number > %s AND number <= %s",
            self.name,
            since,
            until,
        )
        return [row[0] for row in rows] if len(rows) == until - since else None
