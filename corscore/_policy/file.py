"""Policies in a TOML file, which is read again when the file changes."""

from __future__ import annotations

import os
from hashlib import sha256
from logging import getLogger
from pathlib import Path
from threading import Event, Thread
from weakref import ref

from corscore._policy.map import read_policies
from corscore._standard.problem import ConfigError, Problem
from corscore._standard.text import escaped, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from corscore._policy.map import PolicyMap
    from corscore._policy.policy import Policy
    from corscore._policy.reference import PolicyRef
    from corscore._policy.tuple import PolicyTuple

_FIELD = "PolicyRef.from_file"
# The file is read again and again: network file systems and mounted volumes notify of no change.
_SECONDS = 1.0
# How long the first request waits for the first reading: a network file system may never answer.
_FIRST_SECONDS = 2.0
_STOP_SECONDS = 10.0


class ReadPolicy:
    """Policies with the bytes that they were read from."""

    __slots__ = ("content", "policy")

    def __init__(self, policy: Policy | PolicyTuple | PolicyMap, content: bytes) -> None:
        self.policy = policy
        self.content = content


def read_policy(path: str | os.PathLike[str]) -> ReadPolicy:
    """The policies in a TOML file.

    Raises:
        ConfigError: ``file-unreadable``, or all that is wrong with the options.
    """
    content = _read(path)
    return ReadPolicy(_policy_in(path, content), content)


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        _refuse(path, f"cannot be read: {error}.", "check its name and its permissions")


def _policy_in(path: str | os.PathLike[str], content: bytes) -> Policy | PolicyTuple | PolicyMap:
    toml = _toml(path)
    try:
        table: dict[str, object] = toml.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        hint = 'write lines such as allow_origins = ["https://app.example.com"]'
        _refuse(path, f"is not TOML: {error}.", hint)
    return read_policies(table)


def _toml(path: str | os.PathLike[str]) -> Any:
    import sys

    try:
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
    except ImportError:
        _refuse(
            path,
            "is TOML, which this Python cannot read by itself.",
            'run pip install "corscore[toml]"',
        )
    return tomllib


def _refuse(path: object, mistake: str, hint: str) -> NoReturn:
    problem = Problem("file-unreadable", _FIELD, path, f"{shown(str(path))} {mistake}", hint)
    raise ConfigError((problem,)) from None


class FileWatcher:
    """Reads a policy file every second, in a daemon thread of each process that serves the policy.

    A forked process has none of its parent's threads, and not every server runs Python's hooks when
    it forks. So the thread is started by the first request of a process.

    Args:
        path: The file.
        content: Its bytes as they were read last.

    Attributes:
        process: The process that the thread runs in; 0 before there is one.
    """

    __slots__ = (
        "_first_readings",
        "_is_closed",
        "_path",
        "_seen",
        "_stop",
        "_thread",
        "_version",
        "process",
    )

    _stop: Event
    _thread: Thread

    def __init__(self, path: str | os.PathLike[str], content: bytes) -> None:
        self.process = 0
        self._path = path
        # What was read last, or why nothing could be read, which is logged once.
        self._seen: bytes | str | None = content
        self._version = _version(content)
        # By process; set when its first reading has ended.
        self._first_readings: dict[int, Event] = {}
        self._is_closed = False

    def start(self, policy_ref: PolicyRef) -> None:
        """Watch in this process, and return when the file was read.

        Args:
            policy_ref: Gets each new policy; the thread ends when it is gone.
        """
        process = os.getpid()
        own = Event()
        # No lock: in a forked process, a thread that is not there may hold it.
        first_reading = self._first_readings.setdefault(process, own)
        if first_reading is own and not self._is_closed:
            if self.process:
                policy_ref.renew_lock()
            self._seen = None
            self._stop = Event()
            self._thread = Thread(
                target=self._watch,
                args=(ref(policy_ref), self._stop, own),
                name="corscore-policy-file",
                daemon=True,
            )
            try:
                self._thread.start()
            except RuntimeError:
                own.set()
                getLogger("corscore").exception("%s is not watched", escaped(self._path))
        if not self._is_closed:
            first_reading.wait(_FIRST_SECONDS)
        self.process = process

    def stop(self) -> None:
        """End the thread, and wait for it."""
        self._is_closed = True
        if self.process == os.getpid():
            self._stop.set()
            self._thread.join(_STOP_SECONDS)

    def _watch(
        self, policy_ref: Callable[[], PolicyRef | None], stop: Event, first_reading: Event
    ) -> None:
        try:
            self._read_again(policy_ref())
        finally:
            first_reading.set()
        while not stop.wait(_SECONDS) and self._read_again(policy_ref()):
            pass

    def _read_again(self, policy_ref: PolicyRef | None) -> bool:
        """Replace the policy if the file has another one; False when its reference is gone."""
        if policy_ref is None:
            return False
        is_news = self._seen is None
        try:
            content = _read(self._path)
            if content == self._seen:
                return True
            self._seen = content
            version = _version(content)
            if version != self._version:
                policy_ref.replace(_policy_in(self._path, content))
                self._version = version
                is_news = True
        except ConfigError as error:
            text = str(error)
            if text == self._seen:
                return True
            if error.problems[0].code == "file-unreadable":
                self._seen = text
            # The message has all that is wrong; a traceback adds nothing.
            getLogger("corscore").error(  # noqa: TRY400
                "%s is broken, and the policy stays as it was: %s", escaped(self._path), error
            )
        except Exception:
            getLogger("corscore").exception("%s was not taken over", escaped(self._path))
        if is_news:
            getLogger("corscore").info(
                "process %d serves %s in version %s",
                os.getpid(),
                escaped(self._path),
                self._version,
            )
        return True


def _version(content: bytes) -> str:
    return sha256(content).hexdigest()[:12]
