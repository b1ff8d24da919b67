"""``Follower``: a thread that reads the source of a policy again and again."""

from __future__ import annotations

import os
from logging import getLogger
from threading import Event, Thread
from weakref import WeakSet, ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from corscore._policy.reference import FollowedRef, PolicyRef

_SECONDS = 1.0
# The first request waits no longer for the first reading: a network file system may never answer.
_FIRST_SECONDS = 2.0
_STOP_SECONDS = 10.0


class Follower:
    """A daemon thread, in each process that serves a policy, that follows the policy's source.

    A forked process has none of its parent's threads, and not every server runs Python's hooks when
    it forks. Therefore the first request of a process starts the thread.

    Attributes:
        process: The id of the process that the thread runs in; 0 before there is a thread.
    """

    __slots__ = ("_first_readings", "_is_closed", "_stop", "_thread", "process")

    _stop: Event
    _thread: Thread

    thread_name = "corscore-policy"

    def __init__(self) -> None:
        self.process: int = 0
        # By process: the event that is set when its first reading has ended.
        self._first_readings: dict[int, Event] = {}
        self._is_closed = False

    def start(self, policy_ref: FollowedRef) -> None:
        """Follow in this process; return when the source was read, or after two seconds.

        Args:
            policy_ref: Gets each new policy; the thread ends when it is garbage-collected.
        """
        process = os.getpid()
        own = Event()
        # No lock, since in a forked process a thread of the parent may have held it.
        first_reading = self._first_readings.setdefault(process, own)
        if first_reading is own and not self._is_closed:
            if self.process:
                policy_ref.renew_lock()
            self._begin()
            self._stop = Event()
            self._thread = Thread(
                target=self._follow,
                args=(ref(policy_ref), self._stop, own),
                name=self.thread_name,
                daemon=True,
            )
            try:
                self._thread.start()
            except RuntimeError:
                own.set()
                getLogger("corscore").exception("no thread follows the policy's source")
        if not self._is_closed:
            first_reading.wait(_FIRST_SECONDS)
        _STARTED.add(policy_ref)
        self.process = process

    def stop(self) -> None:
        """End the thread, and wait for it."""
        self._is_closed = True
        if self.process == os.getpid():
            self._stop.set()
            self._thread.join(_STOP_SECONDS)

    def _follow(
        self, policy_ref: Callable[[], FollowedRef | None], stop: Event, first_reading: Event
    ) -> None:
        try:
            is_wanted = self._read_again(policy_ref())
        finally:
            first_reading.set()
        while is_wanted:
            self._pause(stop)
            is_wanted = not stop.is_set() and self._read_again(policy_ref())
        self._end()

    def _begin(self) -> None:
        """Forget the state of another process, before the first reading."""

    def _read_again(self, policy_ref: PolicyRef | None) -> bool:
        """Replace the policy if the source has another one; False if ``policy_ref`` is None."""
        raise NotImplementedError

    def _pause(self, stop: Event) -> None:
        """Wait until it is time to read again."""
        stop.wait(_SECONDS)

    def _end(self) -> None:
        """Release what the thread holds."""


_STARTED: WeakSet[FollowedRef] = WeakSet()


def _empty_slots() -> None:
    for policy_ref in list(_STARTED):
        policy_ref.empty_slot()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_empty_slots)
