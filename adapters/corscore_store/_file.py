"""A folder of files as a store, for one host or a shared volume."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from time import time as now
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote

from corscore_store import _store
from corscore_store._store import State, Store, StoreError, Version, VersionConflict, Worker

if TYPE_CHECKING:
    from corscore_store._store import Address


class FileStore(Store):
    """A folder with a file for each version and each worker, without origins of tenants."""

    def __init__(self, address: Address, name: str) -> None:
        super().__init__(address, name)
        if not address.path.strip("/"):
            raise ValueError("file: is without a path")
        self._versions = Path(address.path) / name / "versions"
        self._workers = Path(address.path) / name / "workers"
        # The file that was read last, and its state, which is read four times a second.
        self._last_read: tuple[object, State] = ((), State())

    def state(self) -> State:
        """The highest number among the files, and the digest of its document."""
        newest = next(iter(self._numbers()), 0)
        with self._errors():
            try:
                file = self._file(newest).stat()
            except FileNotFoundError:
                return State()
        identity = (newest, file.st_ino, file.st_size, file.st_mtime_ns)
        if self._last_read[0] != identity:
            found = self.version(newest)
            if found is None:
                return State()
            self._last_read = identity, State(newest, _store.digest_of(found.document))
        return self._last_read[1]

    def version(self, number: int) -> Version | None:
        """A version, from its file."""
        with self._errors():
            try:
                text = self._file(number).read_text("utf-8", "replace")
            except FileNotFoundError:
                return None
        # A file that was written by hand is a document, whose reader reports its mistakes.
        return Version.from_json(number, text) or Version.of(number, text, "", 0)

    def history(self, limit: int = 20) -> list[Version]:
        """The newest versions."""
        numbers = self._numbers()[:limit]
        return [found for found in map(self.version, numbers) if found is not None]

    def write(
        self, document: str, *, number: int, expected: int, author: str, time: float | None = None
    ) -> None:
        """Write the file of a version, which only one of several processes can create."""
        written = now() if time is None else time
        text = json.dumps({"document": document, "author": author, "time": written})
        with self._errors():
            self._versions.mkdir(parents=True, exist_ok=True)
            newest = next(iter(self._numbers()), 0)
            if newest != expected:
                raise VersionConflict(newest)
            with _store.temporary_file(self._versions, text) as file:
                try:
                    # Unlike a rename, a link fails where the name is taken.
                    os.link(file, self._file(number))
                except FileExistsError:
                    raise VersionConflict(number) from None
            for old in self._numbers():
                if old <= number - _store.KEPT_VERSIONS:
                    self._file(old).unlink(missing_ok=True)

    def beat(self, worker: Worker) -> None:
        """Keep a heartbeat, whose time is that of its file."""
        with self._errors():
            self._workers.mkdir(parents=True, exist_ok=True)
            # A host's name may be any text.
            path = self._workers / f"{quote(worker.id, safe='')}.json"
            with _store.temporary_file(self._workers, worker.report()) as file:
                file.replace(path)

    def _heartbeats(self) -> list[tuple[object, float]]:
        found: list[tuple[object, float]] = []
        with self._errors():
            for file in sorted(self._workers.glob("*.json")):
                # Another process may delete it meanwhile.
                with suppress(FileNotFoundError):
                    age = now() - file.stat().st_mtime
                    # A heartbeat of the future is from before a clock was set back.
                    if abs(age) > _store.WORKER_SECONDS:
                        file.unlink()
                    else:
                        found.append((file.read_text("utf-8", "replace"), age))
        return found

    def _has_origin(self, tenant: str, origin: str) -> bool:  # noqa: ARG002 - as in Store
        self._refuse_tenants()

    def origins(self, tenant: str) -> tuple[str, ...]:  # noqa: ARG002
        """Raise ``StoreError``: files hold no origins."""
        self._refuse_tenants()

    def _change_origins(self, tenant: str, add: tuple[str, ...], remove: tuple[str, ...]) -> None:  # noqa: ARG002
        self._refuse_tenants()

    def changed_tenants(self, since: int, until: int) -> list[str] | None:  # noqa: ARG002
        """Return None: files know no changes."""
        return None

    def _refuse_tenants(self) -> NoReturn:
        raise StoreError(f"{self}: files hold no origins of tenants; use sqlite:")

    def _numbers(self) -> list[int]:
        with self._errors():
            try:
                names = os.listdir(self._versions)  # noqa: PTH208 - names alone are needed
            except FileNotFoundError:
                return []
        return _store.numbers_in(
            name.removesuffix(".json") for name in names if name.endswith(".json")
        )

    def _file(self, number: int) -> Path:
        return self._versions / f"{number}.json"
