"""PostgreSQL as a store: tables, and LISTEN for notices."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from corscore_store._sql import TABLES, SqlStore
from corscore_store._store import SECONDS, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from corscore_store._store import Address

_MOST_IDLE = 8
_LOCK = 0x636F7273  # The key of an advisory lock: two processes that create tables at once fail.

# A closed connection says goodbye to the server, on a socket that a forked process shares with its
# parent. So the parent's connections are kept open here.
_OF_PARENTS: list[Any] = []


class _Connection(psycopg.Connection[Any]):
    """A connection on which nothing takes longer than ``SECONDS``, whatever the network does."""

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        return super().wait(_limited(gen), *arguments, **options)


def _limited(gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    give_up = monotonic() + SECONDS
    state = next_state = None
    try:
        state = next(gen)
        while True:
            next_state = yield state
            if not next_state and monotonic() > give_up:
                gen.close()
                raise psycopg.OperationalError("the server does not answer")
            state = gen.send(next_state)
    except StopIteration as end:
        return end.value


class PostgresStore(SqlStore):
    """A store in tables of PostgreSQL; two connections a process, more while lookups overlap."""

    _now = "extract(epoch from clock_timestamp())::double precision"

    def __init__(self, address: Address, name: str) -> None:
        super().__init__(address, name)
        self._channel = f"corscore_{name}"
        self._process = 0
        self._idle: list[Any] = []
        self._listening: Any = None

    def listen(self) -> None:
        """LISTEN, on a connection of its own."""
        self._check_process()
        if self._listening is None:
            with self._errors():
                connection = self._connect()
                self._listening = connection
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))

    def wait(self, seconds: float) -> bool:
        """Wait for a notification."""
        with self._errors():
            return any(True for _ in self._listening.notifies(timeout=seconds, stop_after=1))

    def disconnect(self) -> None:
        """Close the connections of this process."""
        self._check_process()
        idle, self._idle = self._idle, []
        listening, self._listening = self._listening, None
        for connection in [*idle, listening]:
            if connection is not None:
                with suppress(psycopg.Error):
                    connection.close()

    def _notify(self, execute: Any) -> None:
        execute("SELECT pg_notify(%s, '')", (self._channel,))

    def _rows(self, statement: str, *values: object) -> list[Any]:
        with self._connection() as connection:
            try:
                return self._execute(connection, statement, values)
            except psycopg.errors.UndefinedTable:
                return []

    @contextmanager
    def _transaction(self) -> Iterator[Callable[..., list[Any]]]:
        with self._connection() as connection, connection.transaction():
            found = self._execute(connection, "SELECT to_regclass('corscore_change')", ())
            if found[0][0] is None:
                self._execute(connection, "SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                for table in TABLES:
                    self._execute(connection, table, ())
            yield lambda statement, values: self._execute(connection, statement, values)

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        """A connection of which this thread has the only use; a broken one is closed."""
        self._check_process()
        with self._errors():
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect()
            try:
                yield connection
            except BaseException as error:
                if not isinstance(error, StoreError):
                    connection.close()
                raise
            finally:
                if not connection.closed and len(self._idle) < _MOST_IDLE:
                    self._idle.append(connection)
                else:
                    connection.close()

    def _connect(self) -> Any:
        return _Connection.connect(
            self._address.url,
            autocommit=True,
            connect_timeout=int(SECONDS),
            # A pooler in transaction mode gives every transaction another session.
            prepare_threshold=None,
        )

    def _check_process(self) -> None:
        if self._process != os.getpid():
            _OF_PARENTS.extend([*self._idle, self._listening])
            self._idle, self._listening = [], None
            self._process = os.getpid()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.Error, OSError) as error:
            raise StoreError(f"{self}: {self._address.redacted(error)}") from None

    def _execute(self, connection: Any, statement: str, values: Any) -> list[Any]:
        cursor = connection.execute(statement.replace("{now}", self._now), values)
        rows: list[Any] = cursor.fetchall() if cursor.description is not None else []
        return rows
