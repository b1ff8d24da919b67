"""``StoreRef``: what a process serves under every fault of its store."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from corscore import ConfigError, OriginResolver, Policy, PolicyResolver
from corscore_store import Store, StoreError, StoreRef, _follower, _store, open_store, push
from corscore_store._follower import StoreFollower
from stores import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

A, B, C = "https://a.example", "https://b.example", "https://c.example"
POLICIES = {origin: Policy(allow_origins=[origin]) for origin in (A, B, C)}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_store, "_POLL_SECONDS", 0.02)
    monkeypatch.setattr(_follower, "_RETRY_SECONDS", (0.02, 0.08))


@pytest.fixture
def pushed(store: Store) -> Store:
    """A store with a policy."""
    push(store, POLICIES[A])
    return store


@pytest.fixture
def local(tmp_path: Path) -> Store:
    """A store of an engine that needs no server."""
    store = open_store(f"sqlite:{tmp_path}/local.db")
    push(store, POLICIES[A])
    return store


@pytest.fixture
def refs() -> Iterator[list[StoreRef]]:
    """References that are closed after the test."""
    opened: list[StoreRef] = []
    yield opened
    for ref in opened:
        ref.close()


def serves(ref: StoreRef, origin: str) -> bool:
    policy: Any = ref.current
    return bool(policy == POLICIES[origin])


def test_a_pushed_policy_is_served(pushed: Store, refs: list[StoreRef]) -> None:
    refs += [StoreRef(pushed), StoreRef(open_store(pushed._address.url, name=pushed.name))]
    assert all(serves(ref, A) and ref.version == 1 for ref in refs)
    for number, origin in enumerate((B, C, A), 2):
        assert push(pushed, POLICIES[origin]) == number
        wait_for(lambda: all(serves(ref, origin) and ref.version == number for ref in refs))  # noqa: B023
    wait_for(lambda: {worker.version for worker in pushed.workers()} == {4})
    assert len(pushed.workers()) == 2
    assert all(ref.age < 30 for ref in refs)


def test_building_a_reference_starts_no_thread_and_closing_ends_it(local: Store) -> None:
    ref = StoreRef(local)
    assert ref.policy == POLICIES[A]
    names = [thread.name for thread in threading.enumerate()]
    # A request reads `policy`.
    assert "corscore-store" in names
    ref.close()
    assert "corscore-store" not in [thread.name for thread in threading.enumerate()]
    assert serves(ref, A)


def test_an_invalid_document_keeps_the_last_good_policy(
    pushed: Store, refs: list[StoreRef], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "corscore")
    ref = StoreRef(pushed)
    refs.append(ref)
    assert serves(ref, A)
    documents = [
        '{"allow_origins": ["https://x.example/"], "max_age": -1}',
        "[" * 100_000,
        '"text"',
        '{"origin_resolver": "tenants"}',
    ]
    for number, document in enumerate(documents, 2):
        pushed.write(document, number=number, expected=number - 1, author="")
        wait_for(lambda: [one.refused for one in pushed.workers()] == [number])  # noqa: B023
        assert serves(ref, A)
        assert ref.version == 1
    assert "resolver-unknown" in pushed.workers()[0].problems
    text = caplog.text
    for code in ("origin-trailing-slash", "max-age", "document-invalid", "resolver-unknown"):
        assert text.count(f"[{code}") >= 1
    push(pushed, POLICIES[B])
    wait_for(lambda: serves(ref, B) and ref.version == 6)
    wait_for(lambda: [one.problems for one in pushed.workers()] == [""])


def test_a_start_takes_the_newest_valid_version(local: Store, refs: list[StoreRef]) -> None:
    push(local, POLICIES[B])
    local.write("{}", number=3, expected=2, author="")
    refs.append(StoreRef(local))
    assert serves(refs[0], B)
    assert refs[0].version == 2


def test_a_store_with_nothing_but_an_invalid_document_stops_the_start(tmp_path: Path) -> None:
    store = open_store(f"file:{tmp_path}/store")
    store.write("{}", number=1, expected=0, author="")
    with pytest.raises(ConfigError) as caught:
        StoreRef(store)
    assert [problem.code for problem in caught.value.problems] == ["origins-missing"]


@pytest.mark.parametrize("url", ["sqlite:{}/empty.db", "redis://127.0.0.1:1", "file:{}/none"])
def test_a_start_needs_the_store_or_a_snapshot(
    tmp_path: Path, url: str, refs: list[StoreRef]
) -> None:
    url = url.format(tmp_path)
    snapshot = tmp_path / "cors.snapshot.json"
    for text in (None, "{", "[]", '{"version": "7"}', "\x1b", ""):
        if text:
            snapshot.write_text(text)
        elif text is not None:
            snapshot.unlink()
            snapshot.mkdir()
        with pytest.raises(ConfigError) as caught:
            StoreRef(url, snapshot=snapshot)
        assert [problem.code for problem in caught.value.problems] == ["store-unavailable"]
    snapshot.rmdir()
    document = json.dumps(POLICIES[A].to_mapping())
    snapshot.write_text(json.dumps({"version": 7, "document": document}))
    refs.append(StoreRef(url, snapshot=snapshot))
    assert serves(refs[0], A)
    assert refs[0].version == 7


def test_a_snapshot_is_written_at_the_start_and_at_each_change(
    local: Store, tmp_path: Path, refs: list[StoreRef]
) -> None:
    snapshot = tmp_path / "cors.snapshot.json"
    ref = StoreRef(local, snapshot=snapshot)
    refs.append(ref)
    first = StoreRef("redis://127.0.0.1:1", snapshot=snapshot)
    assert (first._latest(), first.version) == (POLICIES[A], 1)
    assert serves(ref, A)
    push(local, POLICIES[B])
    wait_for(lambda: json.loads(snapshot.read_text())["version"] == 2)
    again = StoreRef("redis://127.0.0.1:1", snapshot=snapshot)
    assert (again._latest(), again.version) == (POLICIES[B], 2)
    assert [each.name for each in tmp_path.glob("*.part")] == []


def test_a_snapshot_of_versions_that_the_store_lost_is_served_and_restored(
    local: Store, tmp_path: Path, refs: list[StoreRef]
) -> None:
    snapshot = tmp_path / "cors.snapshot.json"
    backup = open_store(f"sqlite:{tmp_path}/backup.db")
    push(backup, POLICIES[C])
    push(local, POLICIES[B])
    StoreRef(local, snapshot=snapshot)
    refs.append(StoreRef(backup, snapshot=snapshot, interval=0.05))
    assert refs[0].version == 2
    assert serves(refs[0], B)
    wait_for(lambda: backup.state().version == 2)
    # A store with a newer policy has not lost versions.
    other = open_store(f"sqlite:{tmp_path}/other.db")
    push(other, POLICIES[C])
    refs.append(StoreRef(other, snapshot=snapshot))
    assert serves(refs[1], C)


def test_a_snapshot_is_served_where_the_store_has_no_valid_document(
    local: Store, tmp_path: Path, refs: list[StoreRef]
) -> None:
    snapshot = tmp_path / "cors.snapshot.json"
    StoreRef(local, snapshot=snapshot)
    broken = open_store(f"sqlite:{tmp_path}/broken.db")
    broken.write("{}", number=1, expected=0, author="")
    refs.append(StoreRef(broken, snapshot=snapshot))
    assert serves(refs[0], A)
    wait_for(lambda: [one.refused for one in broken.workers()] == [1])


def test_an_unwritable_snapshot_is_logged(
    local: Store, tmp_path: Path, refs: list[StoreRef], caplog: pytest.LogCaptureFixture
) -> None:
    refs.append(StoreRef(local, snapshot=tmp_path / "no" / "folder"))
    assert serves(refs[0], A)
    push(local, POLICIES[B])
    wait_for(lambda: serves(refs[0], B) and "cannot be written" in caplog.text)


class FailingStore(Store):
    """A store around another one, which can be down or without notices."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner._address, inner.name)
        self.inner = inner
        self.is_down = False
        self.error: Exception = StoreError("it is down")
        self.has_notices = True

    def __getattribute__(self, name: str) -> Any:
        if name in {"state", "version", "history", "write", "beat", "workers", "changed_tenants"}:
            if self.is_down:
                raise self.error
            return getattr(self.inner, name)
        return super().__getattribute__(name)

    def wait(self, seconds: float) -> bool:
        return self.inner.wait(seconds) and self.has_notices

    state: Any = None
    version: Any = None
    history: Any = None
    write: Any = None
    beat: Any = None
    workers: Any = None
    changed_tenants: Any = None
    _heartbeats: Any = None
    _has_origin: Any = None
    origins: Any = None
    _change_origins: Any = None


@pytest.mark.parametrize("error", [StoreError("it is down"), RuntimeError("a surprise")])
def test_an_outage_is_logged_once_and_its_end_too(
    local: Store, refs: list[StoreRef], caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    store = FailingStore(local)
    store.error = error
    ref = StoreRef(store, interval=0.05)
    refs.append(ref)
    assert serves(ref, A)
    store.is_down = True
    age = ref.age
    push(local, POLICIES[B])
    wait_for(lambda: ref.age > age + 0.4)
    assert serves(ref, A)
    assert caplog.text.count("the store does not answer") == 1
    assert ("Traceback" in caplog.text) is not isinstance(error, StoreError)
    assert "is back" not in caplog.text
    store.is_down = False
    wait_for(lambda: serves(ref, B))
    wait_for(lambda: caplog.text.count("is back") == 1)


def test_a_store_that_lost_versions_gets_them_back(
    local: Store, tmp_path: Path, refs: list[StoreRef]
) -> None:
    store = FailingStore(local)
    refs.append(StoreRef(store, interval=0.05))
    backup = open_store(f"sqlite:{tmp_path}/backup.db")
    push(backup, POLICIES[C])
    push(local, POLICIES[B])
    wait_for(lambda: serves(refs[0], B))
    store.inner = backup
    wait_for(lambda: backup.state().version == 2)
    restored, pushed = backup.history()[0], local.history()[0]
    assert (restored.document, restored.time) == (pushed.document, pushed.time)
    assert restored.author.endswith(": restored")
    assert serves(refs[0], B)


def test_a_push_after_a_loss_is_served_under_a_higher_number(
    local: Store, tmp_path: Path, refs: list[StoreRef]
) -> None:
    store = FailingStore(local)
    refs.append(StoreRef(store, interval=0.05))
    push(local, POLICIES[B])
    wait_for(lambda: serves(refs[0], B))
    empty = open_store(f"sqlite:{tmp_path}/empty.db")
    assert push(empty, POLICIES[C]) == 1
    store.inner = empty
    wait_for(lambda: serves(refs[0], C))
    assert refs[0].version == 3


def test_a_store_that_lost_its_document_is_reported(
    local: Store, refs: list[StoreRef], caplog: pytest.LogCaptureFixture
) -> None:
    store = FailingStore(local)
    ref = StoreRef(store, interval=0.05)
    refs.append(ref)
    assert serves(ref, A)
    local.write("{}", number=2, expected=1, author="")
    wait_for(lambda: [one.refused for one in local.workers()] == [2])
    caplog.clear()
    with sqlite3.connect(local._address.path) as connection:
        connection.execute("UPDATE corscore_policy SET version = 3")
    connection.close()
    wait_for(lambda: [one.refused for one in local.workers()] == [3])
    assert caplog.text.count("lost its document") == 1
    assert serves(ref, A)


def test_another_document_of_one_version_is_taken_from_the_store(
    local: Store, tmp_path: Path, refs: list[StoreRef]
) -> None:
    store = FailingStore(local)
    refs.append(StoreRef(store, interval=0.05))
    assert serves(refs[0], A)
    other = open_store(f"sqlite:{tmp_path}/other.db")
    push(other, POLICIES[C])
    store.inner = other
    wait_for(lambda: serves(refs[0], C))
    assert refs[0].version == 1


def test_versions_that_no_notice_announced_are_found_and_logged(
    local: Store, refs: list[StoreRef], caplog: pytest.LogCaptureFixture
) -> None:
    store = FailingStore(local)
    store.has_notices = False
    refs.append(StoreRef(store, interval=0.05))
    assert serves(refs[0], A)
    for origin in (B, C, A, B):
        push(local, POLICIES[origin])
        wait_for(lambda: serves(refs[0], origin))  # noqa: B023
    assert caplog.text.count("no notices come") == 1


def test_resolvers_forget_a_tenant_whose_origins_change(
    pushed: Store, refs: list[StoreRef]
) -> None:
    if pushed._address.scheme == "file":
        pytest.skip("files hold no origins of tenants")
    forgotten: list[str | None] = []

    class Noticing(OriginResolver):
        def forget(self, value: str | None = None) -> None:
            super().forget(value)
            forgotten.append(value)

    tenants = Noticing(pushed.allows, timeout=None)
    resolvers = {"tenants": tenants, "plain": pushed.allows}
    asking = Policy(origin_resolver=tenants)
    push(pushed, asking, resolvers=resolvers)
    refs.append(StoreRef(pushed, resolvers=resolvers))
    assert refs[0].current == asking
    for tenant in ("acme", "other"):
        pushed.change_origins(tenant, add=(A,))
        wait_for(lambda: tenant in forgotten)  # noqa: B023
    assert None not in forgotten


def test_a_resolver_of_policies_is_stored_by_its_name(local: Store, refs: list[StoreRef]) -> None:
    resolver = PolicyResolver(lambda host: POLICIES[A], timeout=None)
    push(local, resolver, resolvers={"tenants": resolver})
    refs.append(StoreRef(local, resolvers={"tenants": resolver}))
    current: Any = refs[0].current
    assert current is resolver


def test_an_async_resolver_that_the_adapter_cannot_serve_is_refused(
    local: Store, refs: list[StoreRef]
) -> None:
    async def is_allowed(origin: str, host: str | None) -> bool:
        return False

    def check(policy: Any) -> None:
        if policy.resolver is not None:
            raise ConfigError(())

    resolvers = {"tenants": is_allowed}
    ref = StoreRef(local, resolvers=resolvers)
    refs.append(ref)
    ref.require(check)
    assert serves(ref, A)
    push(local, Policy(origin_resolver=is_allowed), resolvers=resolvers)
    wait_for(lambda: [one.refused for one in local.workers()] == [2])
    assert serves(ref, A)


FORK = """
import os, sys, time
from corscore import Policy
from corscore_store import StoreRef, open_store, push

url, name, before, after = sys.argv[1:]
ref = StoreRef(open_store(url, name=name), host="parent")
assert ref.current.allows_origin(before)


def wait_for(condition):
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


child = os.fork()
if not child:
    assert ref.current.allows_origin(before)
    wait_for(lambda: ref.current.allows_origin(after))
    os._exit(0)
store = open_store(url, name=name)
wait_for(lambda: len({worker.process for worker in store.workers()}) == 2)
push(store, Policy(allow_origins=[after]))
wait_for(lambda: ref.current.allows_origin(after))
assert os.waitpid(child, 0)[1] == 0
# The parent's connections still work, and the end of the process waits for no thread.
assert store.state().version == 2
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_process_follows_the_store(pushed: Store) -> None:
    done = subprocess.run(
        # Python 3.12 warns of a fork beside threads, which this test needs.
        [sys.executable, "-W", "ignore", "-c", FORK, pushed._address.url, pushed.name, A, B],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_check_that_raises_refuses_the_version(local: Store, refs: list[StoreRef]) -> None:
    ref = StoreRef(local, interval=0.05)
    refs.append(ref)

    def check(policy: Any) -> None:
        if policy == POLICIES[B]:
            raise RuntimeError("not\x1b here")

    ref.require(check)
    assert serves(ref, A)
    push(local, POLICIES[B])
    wait_for(lambda: [one.problems for one in local.workers()] == ["RuntimeError: not\\x1b here"])
    push(local, POLICIES[C])
    wait_for(lambda: serves(ref, C))


def test_a_documents_text_is_escaped_in_the_log(
    local: Store, refs: list[StoreRef], caplog: pytest.LogCaptureFixture
) -> None:
    refs.append(StoreRef(local, interval=0.05))
    assert serves(refs[0], A)
    document = json.dumps({"allow_origins": ["https://\x1b[31m"], "\x1b[2J\u202e": 1})
    local.write(document, number=2, expected=1, author="")
    wait_for(lambda: [one.refused for one in local.workers()] == [2])
    assert "\\x1b[2J\\u202e" in caplog.text
    assert "\x1b" not in caplog.text
    assert "\u202e" not in caplog.text


def test_a_store_that_raises_while_it_is_waited_for_is_followed_again(
    local: Store, refs: list[StoreRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FailingStore(local)
    refs.append(StoreRef(store, interval=0.05))
    assert serves(refs[0], A)
    failed = threading.Event()

    def wait(seconds: float) -> bool:
        failed.set()
        raise AttributeError("a surprise")

    monkeypatch.setattr(store, "wait", wait, raising=False)
    assert failed.wait(30)
    push(local, POLICIES[B])
    wait_for(lambda: serves(refs[0], B))


def test_notices_without_end_leave_a_gap_between_two_readings(local: Store) -> None:
    follower = StoreFollower(FailingStore(local), {}, 2.0, None, None)
    waited: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0.0)
            return False

    for _ in range(3):
        follower._pause(Stop())
    assert len(waited) == 3
    assert min(waited) > 0
