"""What every engine of a store has to do: ``Store``, and the records that it keeps."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from secrets import token_hex
from time import sleep
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, unquote_plus, urlsplit

from corscore.integration import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SECONDS = 2.0
"""How long a store may take to answer before it counts as down."""

KEPT_VERSIONS = 100
KEPT_CHANGES = 1_000
WORKER_SECONDS = 60.0
"""How long a worker that sends no heartbeats is listed."""

# How often a store without notices is read.
_POLL_SECONDS = 0.25
# A double holds every number below.
_NUMBERS = range(2**53)
_LAST_SECOND = 253_402_300_799  # of the year 9999
# Of a tenant's name, which a client may choose.
_MAX_NAME = 512


class StoreError(Exception):
    """The store does not answer, or not as it should. The text has no credentials."""


class VersionConflict(StoreError):
    """Another version was written first.

    Attributes:
        version: The newest version in the store.
    """

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version} was written meanwhile")
        self.version = version


class State(NamedTuple):
    """What a re-read compares.

    Attributes:
        version: The number of the newest version; 0 in an empty store.
        digest: The start of the digest of its document; empty in an empty store.
        changes: How many changes of tenants there were.
    """

    version: int = 0
    digest: str = ""
    changes: int = 0


@dataclass(frozen=True, slots=True)
class Version:
    """A document that was written to a store.

    Attributes:
        number: The number of the version, from 1.
        document: The policies as JSON.
        author: The user and host that wrote it.
        time: Seconds since 1970.
    """

    number: int
    document: str
    author: str
    time: float

    @classmethod
    def of(cls, number: int, document: object, author: object, time: Any) -> Version:
        """A version as it is kept, of the right types whatever was written by hand."""
        try:
            seconds = float(time)
        except (ValueError, TypeError, OverflowError):
            seconds = 0.0
        return cls(
            number,
            document if isinstance(document, str) else repr(document),
            author if isinstance(author, str) else "",
            seconds if 0 <= seconds <= _LAST_SECOND else 0.0,
        )

    @classmethod
    def from_json(cls, number: int, text: str, time: object = None) -> Version | None:
        """The version in a text that is kept; None where it was written by hand."""
        table = table_in(text)
        if table is None or "document" not in table:
            return None
        return cls.of(number, table["document"], table.get("author"), table.get("time", time))


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that serves the policy, as its last heartbeat said.

    Attributes:
        id: Differs between all workers, also of two processes with one number.
        host: The name of its host.
        process: The number of the process.
        version: The version that it serves.
        refused: The newest version, where the worker could not take it over; else 0.
        problems: Why.
        resolvers: The names of its resolvers.
        age: Seconds since the heartbeat.
    """

    id: str = ""
    host: str = ""
    process: int = 0
    version: int = 0
    refused: int = 0
    problems: str = ""
    resolvers: tuple[str, ...] = ()
    age: float = 0.0

    def report(self) -> str:
        """The heartbeat, as a store keeps it."""
        table = asdict(self)
        del table["age"]
        return json.dumps(table)

    @classmethod
    def from_report(cls, report: object, age: float) -> Worker | None:
        """The worker of a heartbeat; None where it is malformed.

        Hosts of another release may report more or less: what is unknown is ignored, and what is
        missing has its default.
        """
        table = table_in(report)
        if table is None:
            return None
        given: dict[str, Any] = {}
        for name, default in asdict(cls()).items():
            value = default if name == "age" else table.get(name, default)
            if isinstance(value, list) and all(isinstance(one, str) for one in value):
                value = tuple(value)
            if type(value) is not type(default):
                return None
            if isinstance(value, int) and value not in _NUMBERS:
                return None
            given[name] = value
        given["age"] = max(age, 0.0)
        return cls(**given)


class Address:
    """The URL of a store, of which only what is no secret is shown.

    Args:
        url: The URL.

    Attributes:
        is_clear: Whether it is known where its password ends.

    Raises:
        ValueError: It is none.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        # A password that is not encoded ends early, and the rest of it looks like a path.
        rest = parts.path + parts.fragment + ("" if parts.path else parts.query)
        self.is_clear: bool = not (parts.netloc and "@" in rest)
        self.url = url
        self.scheme: str = parts.scheme
        self.path: str = unquote(parts.path)
        host = parts.netloc.rpartition("@")[2]
        self.shown: str = escaped(f"{parts.scheme}:{f'//{host}' if host else ''}{parts.path}")
        userinfo = parts.netloc.rpartition("@")[0]
        written = [userinfo.partition(":")[2]]
        pairs = (pair.partition("=") for pair in parts.query.split("&"))
        written += [value for key, _, value in pairs if "pass" in key.lower()]
        secrets = {
            one for each in written for one in (each, unquote(each), unquote_plus(each)) if one
        }
        # The longest first: one may be a part of another.
        self._secrets = sorted(secrets, key=len, reverse=True)

    def redacted(self, text: object) -> str:
        """A text, such as a driver's message, without the URL's secrets."""
        text = str(text).replace(self.url, self.shown)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return escaped(text.strip())


class Store(ABC):
    """A place that many processes read a policy from.

    Safe between threads, and in forked processes. Every method raises ``StoreError`` where the
    store does not answer.

    Args:
        address: Its URL.
        name: The name of the policy in it: a store may have several.
    """

    def __init__(self, address: Address, name: str) -> None:
        self._address = address
        self.name = name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def __str__(self) -> str:
        return f"{self._address.shown} ({self.name})"

    @abstractmethod
    def state(self) -> State:
        """What a re-read compares, in one round trip."""

    @abstractmethod
    def version(self, number: int) -> Version | None:
        """A version; None where the store does not have it."""

    @abstractmethod
    def history(self, limit: int = 20) -> list[Version]:
        """The newest versions, the newest first."""

    @abstractmethod
    def write(
        self, document: str, *, number: int, expected: int, author: str, time: float | None = None
    ) -> None:
        """Write a version in one step, and notify all who listen.

        Args:
            document: The policies as JSON. It is not checked: ``push`` does that.
            number: The number of the version, above ``expected``.
            expected: The newest version in the store.
            author: The user and host.
            time: When it was written first, by the store's clock; None is now.

        Raises:
            VersionConflict: The newest version is another one.
        """

    @abstractmethod
    def beat(self, worker: Worker) -> None:
        """Keep a worker's heartbeat."""

    def workers(self) -> list[Worker]:
        """The workers whose last heartbeat is at most a minute ago; malformed ones are left out."""
        found = (Worker.from_report(*kept) for kept in self._heartbeats())
        return [worker for worker in found if worker is not None]

    @abstractmethod
    def _heartbeats(self) -> Iterable[tuple[object, float]]:
        """Reports and their ages, in the order of the workers' ids; old ones are deleted."""

    def _state(self, version: Any, digest: Any, changes: Any) -> State:
        """The state of what is kept, which another program may have written."""
        try:
            return State(int(version or 0), str(digest or ""), int(changes or 0))
        except (ValueError, TypeError, OverflowError):
            raise StoreError(f"{self}: its version was not written by corscore") from None

    def listen(self) -> None:  # noqa: B027 - not all stores have notices
        """Listen for notices, if the store has any; a connection that was lost is opened again."""

    def wait(self, seconds: float) -> bool:
        """Wait for a notice; whether there may be something to read."""
        sleep(min(seconds, _POLL_SECONDS))
        return True

    def disconnect(self) -> None:  # noqa: B027 - nor connections
        """Close what is open; the next call opens it again."""

    def allows(self, origin: str, tenant: str | None) -> bool:
        """Whether an origin is one of a tenant's: the function of an ``OriginResolver``.

        Args:
            origin: The origin.
            tenant: The tenant, by whatever the resolver's key names, such as the host.
        """
        return tenant is not None and _is_name(tenant) and self._has_origin(tenant, origin)

    @abstractmethod
    def _has_origin(self, tenant: str, origin: str) -> bool: ...

    @abstractmethod
    def origins(self, tenant: str) -> tuple[str, ...]:
        """All origins of a tenant, in order."""

    def change_origins(
        self, tenant: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> None:
        """Add and remove origins of a tenant in one step, and make all processes forget it.

        Raises:
            TypeError: One text was given, and not several.
            ValueError: No request has such a tenant: it is longer than 512 characters, or has
                characters that not all engines can keep.
        """
        if isinstance(add, str) or isinstance(remove, str):
            raise TypeError("change_origins: add and remove are lists of origins, not one text")
        if not _is_name(tenant):
            raise ValueError("change_origins: a tenant has 1 to 512 characters, and no NUL")
        self._change_origins(tenant, tuple(add), tuple(remove))

    @abstractmethod
    def _change_origins(
        self, tenant: str, add: tuple[str, ...], remove: tuple[str, ...]
    ) -> None: ...

    @abstractmethod
    def changed_tenants(self, since: int, until: int) -> list[str] | None:
        """The tenants of these changes; None where the store no longer knows all of them."""


def digest_of(document: str) -> str:
    """The digest of a document by which a re-read knows it."""
    return sha256(document.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def chunks(items: tuple[str, ...], size: int = 1_000) -> Iterator[tuple[str, ...]]:
    """Parts of a long list."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


@contextmanager
def written_in(folder: Path, text: str) -> Iterator[Path]:
    """A file of a passing name, complete on the disk, that can take the place of another."""
    path = folder / f"{token_hex(8)}.part"
    try:
        # Unlike a temporary file, others may read it: a push and the workers may be two users.
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield path
    finally:
        path.unlink(missing_ok=True)


def table_in(text: object) -> dict[str, Any] | None:
    """The table of a JSON text; None where it is none."""
    try:
        table = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return table if isinstance(table, dict) else None


def numbers_in(names: Iterable[str]) -> list[int]:
    """The numbers of versions among names, the newest first."""
    found = (int(name) for name in names if name.isascii() and name.isdigit() and len(name) < 17)
    return sorted(found, reverse=True)


def _is_name(tenant: str) -> bool:
    """Whether every engine can keep it, and apart from all others."""
    try:
        tenant.encode()
    except UnicodeError:
        return False
    return 0 < len(tenant) <= _MAX_NAME and "\0" not in tenant
