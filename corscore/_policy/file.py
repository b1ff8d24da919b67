"""A policy in a TOML file, which is read again when the file changes."""

from __future__ import annotations

from corscore._policy.policy import Policy
from corscore._standard.problem import ConfigError, Problem
from corscore._standard.text import escaped, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from threading import Event, Thread
    from typing import Any, NoReturn

_FIELD = "PolicyRef.from_file"
# Seconds after which the file is read without a notice, to find changes on network file systems
# and those between the first reading and the first notice.
_LOOK_AGAIN = 5.0
_STOP_SECONDS = 10.0


class ReadPolicy:
    """A policy with the bytes that it was read from."""

    __slots__ = ("content", "policy")

    def __init__(self, policy: Policy, content: bytes) -> None:
        self.policy = policy
        self.content = content


def read_policy(path: str | os.PathLike[str]) -> ReadPolicy:
    """The policy in a TOML file.

    Raises:
        ConfigError: ``file-unreadable``, or all that is wrong with the options.
    """
    content = _read(path)
    return ReadPolicy(_policy_in(path, content), content)


def _read(path: str | os.PathLike[str]) -> bytes:
    # Imported late: only a policy in a file needs it.
    from pathlib import Path

    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        _refuse(path, f"cannot be read: {error}.", "check its name and its permissions")


def _policy_in(path: str | os.PathLike[str], content: bytes) -> Policy:
    toml = _toml(path)
    try:
        table: dict[str, object] = toml.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        _refuse(path, f"is not TOML: {error}.", 'write allow_origins = ["https://app.example.com"]')
    return Policy.from_mapping(table)


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
    """A daemon thread that reads a policy file again when its content changes.

    Args:
        path: The file.
        content: The bytes that were read last.
        replace: Called with each new policy.

    Raises:
        ConfigError: When the package watchfiles is missing.
    """

    __slots__ = ("_content", "_path", "_replace", "_stop", "_thread")

    _stop: Event
    _thread: Thread

    def __init__(
        self,
        path: str | os.PathLike[str],
        content: bytes,
        replace: Callable[[Policy], object],
    ) -> None:
        from threading import Event, Thread

        try:
            import watchfiles as _  # noqa: F401
        except ImportError:
            _refuse(
                path, "cannot be watched without watchfiles.", 'run pip install "corscore[watch]"'
            )
        self._path = path
        self._content = content
        self._replace = replace
        self._stop = Event()
        self._thread = Thread(target=self._watch, name="corscore-policy-file", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and wait for it."""
        self._stop.set()
        self._thread.join(_STOP_SECONDS)

    def look(self) -> None:
        """Read the file, and replace the policy if its content is new. Never raises."""
        # Imported late: logging is larger than the whole engine.
        from logging import getLogger

        try:
            content = _read(self._path)
            if content == self._content:
                return
            self._content = content
            self._replace(_policy_in(self._path, content))
        except ConfigError as error:
            # A missing file is logged once until it is back.
            if str(error).encode() == self._content:
                return
            if error.problems[0].code == "file-unreadable":
                self._content = str(error).encode()
            # The text has the problems; a traceback would add nothing.
            getLogger("corscore").error(  # noqa: TRY400
                "%s is broken, and the policy stays as it was: %s", escaped(self._path), error
            )

    def _watch(self) -> None:
        from pathlib import Path

        from watchfiles import watch

        # The folder, not the file: editors and Kubernetes replace the file. Of a link also the
        # folder of its target, where a change of the target is noticed.
        path = Path(self._path)
        folders = {path.absolute().parent, path.resolve().parent}
        try:
            for _ in watch(
                *folders,
                recursive=False,
                stop_event=self._stop,
                rust_timeout=int(_LOOK_AGAIN * 1000),
                yield_on_timeout=True,
                raise_interrupt=False,
            ):
                self.look()
        except Exception:
            from logging import getLogger

            getLogger("corscore").exception("%s is not watched any more", escaped(self._path))
