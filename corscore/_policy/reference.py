"""``PolicyRef``: a policy that can be replaced while requests are served."""

from __future__ import annotations

from os import getpid

from corscore._policy.changes import Change, changes
from corscore._policy.map import PolicyMap
from corscore._policy.policy import Policy
from corscore._policy.tenant import PolicyResolver
from corscore._policy.tuple import PolicyTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from corscore._policy.follower import Follower

    Check = Callable[[Policy | PolicyResolver], None]
    Current = Policy | PolicyTuple | PolicyMap | PolicyResolver
    Given = Policy | tuple[Policy, ...] | PolicyMap | PolicyResolver


class PolicyRef:
    """A policy that can be replaced; adapters take it where they take a policy.

    Each request reads it once.

    Args:
        policy: A ``Policy``, a tuple, a ``PolicyMap`` or a ``PolicyResolver``.

    Raises:
        ConfigError: When a policy is in the wrong place of a tuple.
        TypeError: When it is none of these.
    """

    __slots__ = ("__weakref__", "_checks", "_lock", "current")

    current: Current
    """The current policy; a slot, which a gateway reads faster than a property."""

    def __init__(self, policy: Given) -> None:
        # Imported late: only a policy that changes needs it.
        from threading import RLock

        self._lock = RLock()
        self._set(_current("PolicyRef(...)", policy))
        self._checks: tuple[Check, ...] = ()

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, watch: bool = False) -> PolicyRef:
        """Return a reference to the policies in a TOML file.

        Args:
            path: The file: a table as ``Policy.from_mapping`` or ``PolicyMap.from_mapping`` takes
                it.
            watch: Whether each process that serves the policy reads the file again every second, in
                a daemon thread that ``close`` ends. A broken file leaves the policy as it is, and
                all of its problems are logged.

        Raises:
            ConfigError: With every problem of the options, or ``file-unreadable``.
        """
        # Imported late: most programs need no file.
        from corscore._policy.file import FileWatcher, read_policy

        policy, content = read_policy(path)
        return FollowedRef(policy, FileWatcher(path, content)) if watch else cls(policy)

    @property
    def policy(self) -> Current:
        """The current policy."""
        return self.current

    def replace(self, new: Given) -> tuple[Change, ...]:
        """Replace the policy for all later requests; return and log the changes.

        Atomic between threads and tasks. The logger is ``corscore``.

        Args:
            new: A ``Policy``, a tuple, a ``PolicyMap`` or a ``PolicyResolver``.

        Raises:
            ConfigError: When an adapter that uses this reference cannot serve ``new``, such as an
                async resolver in a sync adapter, or when a policy is in the wrong place of a tuple.
                Nothing changes then.
            TypeError: When ``new`` is none of these. Nothing changes then, either.
        """
        later = _current("PolicyRef.replace(...)", new)
        with self._lock:
            for check in self._checks:
                check_every(later, check)
            changed = changes(self._latest(), later)
            self._set(later)
        # Imported late: logging is larger than the whole engine.
        from logging import getLogger

        getLogger("corscore").info(
            "policy replaced: %s", "; ".join(map(str, changed)) or "nothing changed"
        )
        return changed

    def diff(self, new: Given) -> tuple[Change, ...]:
        """Return what ``replace(new)`` would change."""
        return changes(self._latest(), _current("PolicyRef.diff(...)", new))

    def require(self, check: Check) -> None:
        """Check the current policy, and each that replaces it; for adapters.

        Args:
            check: Raises ``ConfigError`` about a policy that the adapter cannot serve.

        Raises:
            ConfigError: When ``check`` refuses the current policy.
        """
        with self._lock:
            check_every(self._latest(), check)
            if check not in self._checks:
                self._checks += (check,)

    def renew_lock(self) -> None:
        """Make a new lock in a forked process, whose parent's threads may have held the old one."""
        # Imported late: only a policy that changes needs it.
        from threading import RLock

        self._lock = RLock()

    def close(self) -> None:
        """Stop watching the file, if one is watched."""

    def _set(self, policy: Current) -> None:
        self.current = policy

    def _latest(self) -> Current:
        return self.current

    def __repr__(self) -> str:
        return f"<PolicyRef to {self._latest()!r}>"


class FollowedRef(PolicyRef):
    """A reference to a policy whose source is followed in each process that serves it.

    Args:
        policy: The policy of the first reading.
        follower: Replaces the policy when its source changes.
    """

    __slots__ = ("_follower", "_policy")

    def __init__(self, policy: Given, follower: Follower) -> None:
        self._follower = follower
        super().__init__(policy)

    def __getattr__(self, name: str) -> Current:
        # The first request of a process finds the slot empty, and starts the follower.
        if name != "current":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self._follower.start(self)
        with self._lock:
            self.current = self._policy
            return self._policy

    def _set(self, policy: Current) -> None:
        self._policy = policy
        if self._follower.process == getpid():
            self.current = policy

    def empty_slot(self) -> None:
        """Let the first request of a forked process start a thread."""
        try:
            del self.current
        except AttributeError:
            return

    def close(self) -> None:
        """Stop following the source."""
        self._follower.stop()

    def _latest(self) -> Current:
        # Building an application starts no thread: it may be built before a server forks.
        return self._policy


SOURCES = (Policy, tuple, PolicyMap, PolicyResolver, PolicyRef)
"""The types that adapters take as policies."""


def check_every(source: Given | PolicyRef, check: Check) -> None:
    """Check every policy and resolver of a source; of a reference, also each that replaces them.

    The policies of a ``PolicyResolver`` are checked when it returns them.
    """
    if isinstance(source, PolicyRef):
        source.require(check)
    elif isinstance(source, PolicyMap):
        for each in (*dict(source.items()).values(), source.default):
            if each is not None:
                check_every(each, check)
    elif isinstance(source, tuple):
        for policy in source:
            check(policy)
    else:
        check(source)
        if isinstance(source, PolicyResolver):
            source.require(check)


def compiled_source(caller: str, source: object) -> Current | PolicyRef:
    """Return a source of policies, a plain tuple as a ``PolicyTuple``.

    Args:
        caller: The call as its user writes it, for exceptions.
        source: A ``Policy``, a tuple, a ``PolicyMap``, ``PolicyResolver`` or ``PolicyRef``.

    Raises:
        ConfigError: When a policy is in the wrong place of the tuple.
        TypeError: When ``source`` is none of these.
    """
    return source if isinstance(source, PolicyRef) else _current(caller, source)


def _current(caller: str, policy: object) -> Current:
    if type(policy) is tuple:
        return PolicyTuple(policy, caller)
    if isinstance(policy, (Policy, PolicyTuple, PolicyMap, PolicyResolver)):
        return policy
    raise TypeError(
        f"{caller}: a Policy, a tuple or a PolicyMap was expected, not {type(policy).__name__}"
    )
