"""A folder of files as a store, for one host or a shared volume."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, NoReturn

from corscore_store._store import (
    KEPT_VERSIONS,
    WORKER_SECONDS,
    State,
    Store,
    StoreError,
    Version,
    VersionConflict,
    Worker,
    digest_of,
    written_in,
)

if TYPE_CHECKING:
    from corscore_store._store import Address


class FileStore(Store):
    """A folder with a file for each version and each worker. It holds no tenants' origins."""

    def __init__(self, address: Address, name: str) -> None:
        super().__init__(address, name)
        if not address.path.strip("/"):
            raise ValueError("file: is without a path")
        self._versions = Path(address.path) / name / "versions"
        self._workers = Path(address.path) / name / "workers"

    def state(self) -> State:
        """The highest number among the files, and the digest of its document."""
        found = self.version(max(self._numbers(), default=0))
        return State() if found is None else State(found.number, digest_of(found.document))

    def version(self, number: int) -> Version | None:
        """A version, from its file."""
        try:
            text = self._file(number).read_text("utf-8", "replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._down(error) from None
        try:
            table = json.loads(text)
            return Version(number, table["document"], table["author"], table["time"])
        except (ValueError, TypeError, KeyError, RecursionError):
            # Written by hand: its reader reports what is wrong.
            return Version(number, text, "", 0.0)

    def history(self, limit: int = 20) -> list[Version]:
        """The newest versions."""
        numbers = sorted(self._numbers(), reverse=True)[:limit]
        return [found for found in map(self.version, numbers) if found is not None]

    def write(self, document: str, *, number: int, expected: int, author: str) -> None:
        """Write the file of a version, which only one of several processes can create."""
        table = {"document": document, "author": author, "time": time()}
        try:
            self._versions.mkdir(parents=True, exist_ok=True)
            newest = max(self._numbers(), default=0)
            if newest != expected:
                raise VersionConflict(newest)
            written = written_in(self._versions, json.dumps(table))
            try:
                # Unlike a rename, a link fails where the name is taken.
                os.link(written, self._file(number))
            except FileExistsError:
                raise VersionConflict(number) from None
            finally:
                written.unlink()
            for old in self._numbers():
                if old <= number - KEPT_VERSIONS:
                    self._file(old).unlink(missing_ok=True)
        except OSError as error:
            raise self._down(error) from None

    def beat(self, worker: Worker) -> None:
        """Keep a heartbeat: the time is that of the file."""
        try:
            self._workers.mkdir(parents=True, exist_ok=True)
            written_in(self._workers, worker.report()).replace(self._workers / f"{worker.id}.json")
        except OSError as error:
            raise self._down(error) from None

    def workers(self) -> list[Worker]:
        """The workers; the files of those that ended are deleted."""
        found = []
        try:
            for file in sorted(self._workers.glob("*.json")):
                # Another process may delete it meanwhile.
                with suppress(FileNotFoundError):
                    age = time() - file.stat().st_mtime
                    if age > WORKER_SECONDS:
                        file.unlink()
                    else:
                        found.append(Worker.from_report(file.read_text("utf-8"), age))
        except OSError as error:
            raise self._down(error) from None
        return found

    def _has_origin(self, tenant: str, origin: str) -> bool:  # noqa: ARG002 - as in Store
        self._refuse_tenants()

    def origins(self, tenant: str) -> tuple[str, ...]:  # noqa: ARG002
        """Raise: there are none."""
        self._refuse_tenants()

    def change_origins(
        self,
        tenant: str,  # noqa: ARG002
        *,
        add: tuple[str, ...] = (),  # noqa: ARG002
        remove: tuple[str, ...] = (),  # noqa: ARG002
    ) -> None:
        """Raise: there are none."""
        self._refuse_tenants()

    def changed_tenants(self, since: int, until: int) -> list[str] | None:  # noqa: ARG002
        """None."""
        return None

    def _refuse_tenants(self) -> NoReturn:
        raise StoreError(f"{self}: files hold no origins of tenants; use sqlite:")

    def _numbers(self) -> list[int]:
        try:
            names = os.listdir(self._versions)  # noqa: PTH208 - names alone are needed
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._down(error) from None
        stems = (name.removesuffix(".json") for name in names if name.endswith(".json"))
        return [int(stem) for stem in stems if stem.isascii() and stem.isdigit()]

    def _file(self, number: int) -> Path:
        return self._versions / f"{number}.json"

    def _down(self, error: OSError) -> StoreError:
        return StoreError(f"{self}: {self._address.redacted(error)}")
