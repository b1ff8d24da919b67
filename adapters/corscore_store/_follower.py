"""``StoreFollower``: keeps the policy of a process up to date with a store."""

from __future__ import annotations

import json
import os
import secrets
from logging import getLogger
from pathlib import Path
from random import uniform
from socket import gethostname
from time import monotonic
from typing import TYPE_CHECKING, Any

from corscore import ConfigError, Problem
from corscore.integration import escaped
from corscore.integration.following import Follower
from corscore_store._store import (
    KEPT_VERSIONS,
    State,
    Store,
    StoreError,
    Version,
    VersionConflict,
    Worker,
    digest_of,
    table_in,
    temporary_file,
)
from corscore_store.documents import policies_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from threading import Event

    from corscore import PolicyRef

_BEAT_SECONDS = 5.0
# The longest single wait, so that ``close`` ends it soon.
_WAIT_SECONDS = 0.5
# The shortest time between two readings, since notices may come without end.
_GAP_SECONDS = 0.02
# The random time before another try of a store that is down, so that workers do not come at once.
_RETRY_SECONDS = (0.2, 0.8)
# The longest text of problems in a heartbeat; the log has all of them.
_MAX_PROBLEMS = 20_000
# One or two versions may be read before their notices come; behind a pooler none ever comes.
_MISSED_NOTICES = 3


class StoreFollower(Follower):
    """A follower that reads a store at every notice, at every reconnect, and every few seconds.

    Args:
        store: The store.
        resolvers: The resolvers by their names in documents.
        interval: Seconds between two re-reads.
        snapshot: A file for the last good policy.
        host: The name of this host.

    Attributes:
        version: The number of the version that is served.
    """

    __slots__ = (
        "_beat_due",
        "_changes",
        "_checked",
        "_confirmed",
        "_document",
        "_host",
        "_id",
        "_interval",
        "_is_down",
        "_is_noticed",
        "_missed",
        "_refused",
        "_resolvers",
        "_snapshot",
        "_store",
        "_time",
        "version",
    )

    thread_name = "corscore-store"

    def __init__(
        self,
        store: Store,
        resolvers: Mapping[str, object],
        interval: float,
        snapshot: str | os.PathLike[str] | None,
        host: str | None,
    ) -> None:
        super().__init__()
        self._store = store
        self._resolvers = dict(resolvers)
        self._interval = interval
        self._snapshot = None if snapshot is None else Path(snapshot)
        self._host = host or gethostname()
        self.version = 0
        self._document = ""
        # The time when that version was written.
        self._time = 0.0
        self._confirmed = monotonic()
        # The version and the digest that were taken over or refused last.
        self._checked = (0, "")
        # The version that was refused last, and its problems.
        self._refused = (0, "")
        self._changes = 0
        self._is_down = False
        self._is_noticed = False
        self._missed = 0
        self._begin()

    @property
    def age(self) -> float:
        """Seconds since the store last confirmed the version."""
        return monotonic() - self._confirmed

    def load(self) -> Any:
        """The policies to start with: of the newest valid document, or of the snapshot.

        Raises:
            ConfigError: There are none.
        """
        kept, reason = self._read_snapshot()
        try:
            state = self._store.state()
            self._changes = state.changes
            refused: ConfigError | None = None
            for version in self._versions():
                if kept is not None and kept.number > version.number and kept.time >= version.time:
                    reason = f"{self._store} lost versions"
                    break
                try:
                    policies = policies_in(version.document, self._resolvers)
                except ConfigError as error:
                    if refused is None:
                        refused = error
                        self._refuse(version.number, error)
                    continue
                self._checked = (state.version, state.digest)
                self._take(version)
                self._write_snapshot()
                return policies
            else:
                if refused is not None and kept is None:
                    raise refused
                reason = reason or f"{self._store}: it has no policy of this name"
        except StoreError as error:
            reason = "; and ".join(filter(None, (str(error), reason)))
        finally:
            # The process may fork, and its children must not share the connection.
            self._store.disconnect()
        return self._load_snapshot(kept, reason)

    def _versions(self) -> Iterator[Version]:
        """All versions, the newest first; most callers need only the newest."""
        yield from self._store.history(1)
        yield from self._store.history(KEPT_VERSIONS)[1:]

    def _read_snapshot(self) -> tuple[Version | None, str]:
        """The version in the snapshot, or None and the reason."""
        if self._snapshot is None:
            return None, ""
        try:
            table = table_in(self._snapshot.read_text("utf-8", "replace"))
        except FileNotFoundError:
            return None, ""
        except OSError as error:
            return None, f"{escaped(self._snapshot)} cannot be read: {escaped(error)}"
        number = 0 if table is None else table.get("version")
        if table is None or type(number) is not int or "document" not in table:
            return None, f"{escaped(self._snapshot)} is no snapshot"
        return Version.of(number, table["document"], "", table.get("time")), ""

    def _load_snapshot(self, kept: Version | None, reason: str) -> Any:
        if kept is not None:
            policies = policies_in(kept.document, self._resolvers)
            self._take(kept)
            getLogger("corscore").warning(
                "version %d of %s is served, since: %s",
                self.version,
                escaped(self._snapshot),
                reason,
            )
            return policies
        raise ConfigError(
            (
                Problem(
                    "store-unavailable",
                    "StoreRef",
                    None,
                    f"there is no policy to start with: {reason}.",
                    "start the store, push a policy (corscore store push cors.toml --to URL), or "
                    'name a file for such a start: snapshot="cors.snapshot.json"',
                ),
            )
        )

    def _begin(self) -> None:
        self._id = f"{self._host}-{os.getpid()}-{secrets.token_hex(4)}"
        self._beat_due = 0.0

    def _end(self) -> None:
        self._store.disconnect()

    def _read_again(self, policy_ref: PolicyRef | None) -> bool:
        if policy_ref is None:
            return False
        try:
            # Before the reading, so that a later version causes a notice.
            self._store.listen()
            self._synchronise(policy_ref)
            self._beat()
        except Exception as error:  # noqa: BLE001 - a thread that ends follows nothing
            self._note_down(error)
        else:
            if self._is_down:
                getLogger("corscore").warning("%s is back", self._store)
            self._is_down = False
        return True

    def _pause(self, stop: Event) -> None:
        self._is_noticed = False
        if self._is_down:
            stop.wait(uniform(*_RETRY_SECONDS))  # noqa: S311 - no secret
            return
        stop.wait(_GAP_SECONDS)
        until = monotonic() + self._interval
        try:
            while not self._is_noticed and not stop.is_set() and monotonic() < until:
                self._is_noticed = self._store.wait(min(self._interval, _WAIT_SECONDS))
        except Exception as error:  # noqa: BLE001 - a thread that ends follows nothing
            self._note_down(error)

    def _note_down(self, error: Exception) -> None:
        self._store.disconnect()
        if not self._is_down:
            getLogger("corscore").error(
                "the store does not answer, and version %d of the policy stays: %s",
                self.version,
                error,
                # Any other exception is a mistake of ours or of a driver.
                exc_info=None if isinstance(error, StoreError) else error,
            )
        self._is_down = True

    def _synchronise(self, policy_ref: PolicyRef) -> None:
        state = self._store.state()
        self._forget(state.changes)
        if state.version < self.version:
            self._restore(state)
        elif (state.version, state.digest) != self._checked:
            found = self._store.version(state.version)
            if found is not None:
                self._serve(found, policy_ref)
            elif self._refused[0] != state.version:
                self._refuse(state.version, f"{self._store} lost its document")
            self._check_notices()
        self._confirmed = monotonic()

    def _serve(self, found: Version, policy_ref: PolicyRef) -> None:
        """Take a version over, or refuse it."""
        self._checked = (found.number, digest_of(found.document))
        self._beat_due = 0.0
        if found.document != self._document:
            try:
                policy_ref.replace(policies_in(found.document, self._resolvers))
            except Exception as error:  # noqa: BLE001 - a check of the application may raise anything
                is_known = isinstance(error, ConfigError)
                self._refuse(
                    found.number, error if is_known else f"{type(error).__name__}: {error}"
                )
                return
        self._take(found)
        self._write_snapshot()
        getLogger("corscore").info(
            "process %d serves version %d of %s", os.getpid(), self.version, self._store
        )

    def _take(self, found: Version) -> None:
        self.version, self._document, self._time = found.number, found.document, found.time
        if self._refused[0] <= found.number:
            self._refused = (0, "")

    def _refuse(self, number: int, problems: object) -> None:
        # Problems quote a document's keys, which may hold any character.
        text = "".join(
            char if char.isprintable() or char == "\n" else ascii(char)[1:-1]
            for char in str(problems)
        )
        self._refused = (number, text[:_MAX_PROBLEMS])
        self._beat_due = 0.0
        getLogger("corscore").error(
            "version %d of %s is invalid, and the policy stays as it was: %s",
            number,
            self._store,
            text,
        )

    def _restore(self, state: State) -> None:
        """Write a version into a store that lost it, for all other workers.

        It is the served version, unless a newer one was pushed after the loss: that one gets a
        number above the served version's.
        """
        found = self._store.version(state.version)
        is_newer = found is not None and found.time > self._time
        document, number, time = self._document, self.version, self._time
        if found is not None and is_newer:
            document, number, time = found.document, self.version + 1, found.time
        try:
            self._store.write(
                document,
                number=number,
                expected=state.version,
                author=f"{self._host}: restored",
                time=time,
            )
        except VersionConflict:
            # Another worker was faster, and the next re-read finds its version.
            return
        if not is_newer:
            self._checked = (number, digest_of(document))
            self._refused = (0, "")
        getLogger("corscore").warning(
            "%s was at version %d after version %d, and version %d was written",
            self._store,
            state.version,
            self.version,
            number,
        )

    def _forget(self, changes: int) -> None:
        if changes == self._changes:
            return
        tenants = self._store.changed_tenants(self._changes, changes)
        for resolver in self._resolvers.values():
            forget = getattr(resolver, "forget", None)
            if forget is None:
                continue
            for tenant in [None] if tenants is None else set(tenants):
                forget(tenant)
        self._changes = changes

    def _check_notices(self) -> None:
        """Log once that versions are found by re-reads alone."""
        if self._is_noticed or self._is_down:
            self._missed = 0
            return
        self._missed += 1
        if self._missed == _MISSED_NOTICES:
            getLogger("corscore").warning(
                "no notices come from %s, as behind a pooler in transaction mode: a change takes "
                "up to %g seconds",
                self._store,
                self._interval,
            )

    def _beat(self) -> None:
        now = monotonic()
        if now < self._beat_due:
            return
        self._store.beat(
            Worker(
                self._id,
                self._host,
                os.getpid(),
                self.version,
                *self._refused,
                resolvers=tuple(self._resolvers),
            )
        )
        self._beat_due = now + _BEAT_SECONDS

    def _write_snapshot(self) -> None:
        if self._snapshot is None:
            return
        try:
            table = {"version": self.version, "document": self._document, "time": self._time}
            with temporary_file(self._snapshot.parent, json.dumps(table)) as file:
                file.replace(self._snapshot)
        except OSError as error:
            getLogger("corscore").warning(
                "%s cannot be written: %s", escaped(self._snapshot), escaped(error)
            )
