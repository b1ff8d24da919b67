"""SQLite as a store, for the processes of one host."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from corscore_store._sql import TABLES, SqlStore
from corscore_store._store import ANSWER_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from corscore_store._store import Address


class SqliteStore(SqlStore):
    """A file of SQLite, opened for each call: nothing is shared between threads or processes."""

    _errors_of_driver = (sqlite3.Error,)
    _now = "((julianday('now') - 2440587.5) * 86400.0)"

    def __init__(self, address: Address, name: str) -> None:
        super().__init__(address, name)
        if not address.path.strip("/"):
            raise ValueError("sqlite: is without a path")

    def _rows(self, statement: str, *values: object) -> list[Any]:
        with self._connection() as connection:
            try:
                return self._execute(connection, statement, values)
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    @contextmanager
    def _transaction(self) -> Iterator[Callable[..., list[Any]]]:
        with self._connection() as connection:
            # With it, readers do not wait for a writer.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            for table in TABLES:
                connection.execute(table)
            yield lambda statement, values: self._execute(connection, statement, values)
            connection.execute("COMMIT")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with (
            self._errors(),
            # Closing rolls an open transaction back.
            closing(
                sqlite3.connect(self._address.path, timeout=ANSWER_SECONDS, isolation_level=None)
            ) as connection,
        ):
            yield connection

    def _execute(self, connection: sqlite3.Connection, statement: str, values: Any) -> list[Any]:
        text = statement.replace("%s", "?").replace("{now}", self._now)
        return connection.execute(text, values).fetchall()
