"""Policies in a TOML file, which is read again when it changes."""

from __future__ import annotations

import os
from hashlib import sha256
from logging import getLogger
from pathlib import Path

from corscore._policy.follower import Follower
from corscore._policy.map import read_policies
from corscore._standard.problem import ConfigError, Problem
from corscore._standard.text import escaped, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from corscore._policy.reference import Current, PolicyRef

_FIELD = "PolicyRef.from_file"


def read_policy(path: str | os.PathLike[str]) -> tuple[Current, bytes]:
    """The policies in a TOML file, and its bytes.

    Raises:
        ConfigError: ``file-unreadable``, or every problem of the options.
    """
    content = _read(path)
    return _policy_in(path, content), content


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        _refuse(path, f"cannot be read: {error}.", "check its name and its permissions")


def _policy_in(path: str | os.PathLike[str], content: bytes) -> Current:
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


class FileWatcher(Follower):
    """A follower of a policy file, which it reads every second.

    It waits for no event: network file systems and mounted volumes send none.

    Args:
        path: The file.
        content: The bytes of the first reading.
    """

    __slots__ = ("_path", "_seen", "_version")

    thread_name = "corscore-policy-file"

    def __init__(self, path: str | os.PathLike[str], content: bytes) -> None:
        super().__init__()
        self._path = path
        # The bytes read last, or the text of the error instead, which is logged once.
        self._seen: bytes | str | None = content
        self._version = _version(content)

    def _begin(self) -> None:
        self._seen = None

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
            # The message has every problem; a traceback adds nothing.
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
