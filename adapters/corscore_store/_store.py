"""``Store``, the base of all engines, and the records that it keeps."""

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

ANSWER_SECONDS = 2.0
"""Seconds that a store may take to answer before it counts as down."""

KEPT_VERSIONS = 100
KEPT_CHANGES = 1_000
WORKER_SECONDS = 60.0
"""Seconds for which a worker that sends no heartbeats is listed."""

# The seconds between two readings of a store without notices.
_POLL_SECONDS = 0.25
# JSON and Lua hold these numbers exactly.
_NUMBERS = range(2**53)
_LAST_SECOND = 253_402_300_799  # The end of the year 9999.
# Bounds a tenant's name, which a client may choose.
_MAX_NAME = 512


class StoreError(Exception):
    """The store does not answer, or answers wrongly; the text has no credentials."""


class VersionConflict(StoreError):
    """Another version was written first.

    Attributes:
        version: The newest version in the store.
    """

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version} was written meanwhile")
        self.version = version


class State(NamedTuple):
    """The state of a store, which a re-read compares with the last one.

    Attributes:
        version: The number of the newest version; 0 in an empty store.
        digest: The start of the digest of its document; empty in an empty store.
        changes: The number of changes of tenants so far.
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
        """A version from values that may have been written by hand, with the right types."""
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
        """The version in a stored text; None if the text was written by hand."""
        table = table_in(text)
        if table is None or "document" not in table:
            return None
        return cls.of(number, table["document"], table.get("author"), table.get("time", time))


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that serves the policy, from its last heartbeat.

    Attributes:
        id: The unique name of the worker.
        host: The name of its host.
        process: The number of the process.
        version: The version that it serves.
        refused: The newest version if the worker could not take it over; else 0.
        problems: The problems of the refused version.
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
        """The heartbeat as a store keeps it."""
        table = asdict(self)
        del table["age"]
        return json.dumps(table)

    @classmethod
    def from_report(cls, report: object, age: float) -> Worker | None:
        """The worker of a heartbeat; None if it is malformed.

        Hosts may run another release: unknown fields are ignored, and missing ones have their
        defaults.
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
    """The URL of a store, which is shown without its secrets.

    Args:
        url: The URL.

    Attributes:
        is_clear: Whether the end of the password is unambiguous.

    Raises:
        ValueError: The text is no URL.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        # A part of a password that is not encoded may look like a path.
        rest = parts.path + parts.fragment + ("" if parts.path else parts.query)
        self.is_clear: bool = not (parts.netloc and "@" in rest)
        self.url = url
        self.scheme: str = parts.scheme
        self.path: str = unquote(parts.path)
        host = parts.netloc.rpartition("@")[2]
        self.shown: str = escaped(f"{parts.scheme}:{f'//{host}' if host else ''}{parts.path}")
        userinfo = parts.netloc.rpartition("@")[0]
        passwords = [userinfo.partition(":")[2]]
        pairs = (pair.partition("=") for pair in parts.query.split("&"))
        passwords += [value for key, _, value in pairs if "pass" in key.lower()]
        secrets = {
            spelling
            for password in passwords
            for spelling in (password, unquote(password), unquote_plus(password))
            if spelling
        }
        # The longest first, since one may be a part of another.
        self._secrets = sorted(secrets, key=len, reverse=True)

    def redacted(self, text: object) -> str:
        """A text, such as a driver's message, without the URL's secrets."""
        text = str(text).replace(self.url, self.shown)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return escaped(text.strip())


class Store(ABC):
    """A place that many processes read a policy from.

    Threads may share it, and forked processes. Every method raises ``StoreError`` if the store does
    not answer.

    Args:
        address: The URL of the store.
        name: The name of the policy in the store, which may have several.
    """

    _errors_of_driver: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, address: Address, name: str) -> None:
        self._address = address
        self.name = name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def __str__(self) -> str:
        return f"{self._address.shown} ({self.name})"

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise the errors of the driver, or of the file system, as ``StoreError``."""
        try:
            yield
        except self._errors_of_driver as error:
            raise StoreError(f"{self}: {self._address.redacted(error)}") from None

    @abstractmethod
    def state(self) -> State:
        """Return the state, in one round trip."""

    @abstractmethod
    def version(self, number: int) -> Version | None:
        """A version; None if the store does not have it."""

    @abstractmethod
    def history(self, limit: int = 20) -> list[Version]:
        """The newest versions, the newest first."""

    @abstractmethod
    def write(
        self, document: str, *, number: int, expected: int, author: str, time: float | None = None
    ) -> None:
        """Write a version in one step, and notify all listeners.

        Args:
            document: The policies as JSON, which is not checked: ``push`` does that.
            number: The number of the version, above ``expected``.
            expected: The number of the newest version in the store.
            author: The user and host.
            time: The time of the first writing, by the store's clock; None is now.

        Raises:
            VersionConflict: The newest version is another one.
        """

    @abstractmethod
    def beat(self, worker: Worker) -> None:
        """Keep a worker's heartbeat."""

    def workers(self) -> list[Worker]:
        """The workers whose last heartbeat is at most a minute ago; malformed ones are left out."""
        workers = (Worker.from_report(*heartbeat) for heartbeat in self._heartbeats())
        return [worker for worker in workers if worker is not None]

    @abstractmethod
    def _heartbeats(self) -> Iterable[tuple[object, float]]:
        """Return reports and their ages, in the order of the workers' ids; delete old ones."""

    def _state(self, version: Any, digest: Any, changes: Any) -> State:
        """The state from stored values, which another program may have written."""
        try:
            return State(int(version or 0), str(digest or ""), int(changes or 0))
        except (ValueError, TypeError, OverflowError):
            raise StoreError(f"{self}: its version was not written by corscore") from None

    def listen(self) -> None:  # noqa: B027 - not all stores have notices
        """Listen for notices, if the store has any; reopen a lost connection."""

    def wait(self, seconds: float) -> bool:
        """Wait for a notice, at most ``seconds``; return whether there may be something to read."""
        sleep(min(seconds, _POLL_SECONDS))
        return True

    def disconnect(self) -> None:  # noqa: B027 - not all stores have connections
        """Close all connections; the next call opens them again."""

    def allows(self, origin: str, tenant: str | None) -> bool:
        """Whether a tenant has an origin: the function of an ``OriginResolver``.

        Args:
            origin: The origin.
            tenant: The value of the resolver's key for the tenant, such as the host.
        """
        return tenant is not None and _is_name(tenant) and self._has_origin(tenant, origin)

    @abstractmethod
    def _has_origin(self, tenant: str, origin: str) -> bool: ...

    @abstractmethod
    def origins(self, tenant: str) -> tuple[str, ...]:
        """All origins of a tenant, sorted."""

    def change_origins(
        self, tenant: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> None:
        """Add and remove origins of a tenant in one step.

        The resolvers of all processes then forget their results for the tenant.

        Args:
            tenant: The value of the resolver's key for the tenant, such as the host.
            add: Origins that the tenant gets.
            remove: Origins that it loses.

        Raises:
            TypeError: ``add`` or ``remove`` is one text, not several.
            ValueError: The tenant is empty, longer than 512 characters, or has characters that not
                all engines can keep.
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
        """The tenants of the changes numbered above ``since`` and up to ``until``.

        Returns:
            None if the store no longer has all of these changes.
        """


def digest_of(document: str) -> str:
    """The digest by which a re-read recognises a document."""
    return sha256(document.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def chunks(items: tuple[str, ...], size: int = 1_000) -> Iterator[tuple[str, ...]]:
    """Yield parts of a long list."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


@contextmanager
def temporary_file(folder: Path, text: str) -> Iterator[Path]:
    """A complete file under a temporary name, to be renamed or linked."""
    path = folder / f"{token_hex(8)}.part"
    try:
        # Unlike ``tempfile``, it lets other users read the file: workers may be another user.
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield path
    finally:
        path.unlink(missing_ok=True)


def table_in(text: object) -> dict[str, Any] | None:
    """The table in a JSON text, or None."""
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
    """Whether every engine can keep a tenant's name, distinct from all others."""
    try:
        tenant.encode()
    except UnicodeError:
        return False
    return 0 < len(tenant) <= _MAX_NAME and "\0" not in tenant
