"""PostgreSQL as a store: tables, and ``LISTEN`` for notices."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from selectors import EVENT_READ, DefaultSelector
from time import monotonic
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from corscore_store._sql import TABLES, SqlStore
from corscore_store._store import ANSWER_SECONDS, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from corscore_store._store import Address

_MAX_IDLE = 8
# The key of an advisory lock, without which two processes that create tables at once would fail.
_LOCK = 0x636F7273


class _Connection(psycopg.Connection[Any]):
    """A connection on which no call takes longer than ``ANSWER_SECONDS``."""

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        return super().wait(_limited(gen), *arguments, **options)


def _limited(gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    give_up = monotonic() + ANSWER_SECONDS
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


class _Connections:
    """The connections of one process."""

    def __init__(self) -> None:
        self.idle: list[Any] = []
        self.listening: Any = None


class PostgresStore(SqlStore):
    """A store in tables of PostgreSQL: two connections a process, and more for parallel lookups."""

    _errors_of_driver = (psycopg.Error, OSError)
    _now = "extract(epoch from clock_timestamp())::double precision"

    def __init__(self, address: Address, name: str) -> None:
        super().__init__(address, name)
        self._channel = f"corscore_{name}"
        self._processes: dict[int, _Connections] = {}

    def _mine(self) -> _Connections:
        """The connections of this process.

        Those of a parent process stay open: to close one would end it at the server, where the
        parent goes on to use it.
        """
        return self._processes.setdefault(os.getpid(), _Connections())

    def listen(self) -> None:
        """Execute ``LISTEN`` on a connection of its own."""
        mine = self._mine()
        if mine.listening is None:
            with self._errors():
                mine.listening = self._connect()
                mine.listening.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))

    def wait(self, seconds: float) -> bool:
        """Wait for a notification."""
        with self._errors():
            notices = self._mine().listening.notifies(timeout=seconds, stop_after=1)
            return any(True for _ in notices)

    def disconnect(self) -> None:
        """Close the connections of this process."""
        mine = self._mine()
        idle, mine.idle = mine.idle, []
        listening, mine.listening = mine.listening, None
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
        """A connection for this thread alone; one with an error is closed."""
        mine = self._mine()
        with self._errors():
            connection = self._idle(mine) or self._connect()
            try:
                yield connection
            except BaseException as error:
                if not isinstance(error, StoreError):
                    connection.close()
                raise
            finally:
                if not connection.closed and len(mine.idle) < _MAX_IDLE:
                    mine.idle.append(connection)
                else:
                    connection.close()

    def _idle(self, mine: _Connections) -> Any:
        """An idle connection that the server has not closed meanwhile, or None."""
        with suppress(IndexError):
            while True:
                connection = mine.idle.pop()
                with DefaultSelector() as selector:
                    selector.register(connection.fileno(), EVENT_READ)
                    # The only data that a server sends unasked is that it ends the connection.
                    if not selector.select(0):
                        return connection
                connection.close()
        return None

    def _connect(self) -> Any:
        return _Connection.connect(
            self._address.url,
            autocommit=True,
            connect_timeout=int(ANSWER_SECONDS),
            # Behind a pooler in transaction mode the next transaction may be in another session.
            prepare_threshold=None,
        )

    def _execute(self, connection: Any, statement: str, values: Any) -> list[Any]:
        cursor = connection.execute(statement.replace("{now}", self._now), values)
        rows: list[Any] = cursor.fetchall() if cursor.description is not None else []
        return rows
