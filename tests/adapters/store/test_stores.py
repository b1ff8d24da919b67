"""Rules that every engine of a store keeps."""

from __future__ import annotations

import json
import os
import threading
import time
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import pytest

from corscore import ConfigError, OriginResolver, Policy, PolicyMap, RequestInfo
from corscore_store import Store, StoreError, VersionConflict, Worker, open_store, push
from corscore_store._store import KEPT_CHANGES, KEPT_VERSIONS, Address

if TYPE_CHECKING:
    from pathlib import Path

A, B = "https://a.example", "https://b.example"
POLICY = Policy(allow_origins=[A])


def write(store: Store, document: str, number: int, expected: int) -> None:
    store.write(document, number=number, expected=expected, author="ann@shop")


def test_an_empty_store_has_nothing(store: Store) -> None:
    assert store.state() == (0, "", 0)
    assert store.version(1) is None
    assert store.history() == []
    assert store.workers() == []


def test_a_version_is_read_as_it_was_written(store: Store) -> None:
    write(store, '{"max_age": "\u00e9"}', 1, 0)
    write(store, "{}", 7, 1)
    newest, first = store.history()
    assert (newest.number, newest.document, newest.author) == (7, "{}", "ann@shop")
    assert store.version(1) == first
    assert first.document == '{"max_age": "\u00e9"}'
    assert 0 <= newest.time - first.time < 60
    assert store.state().version == 7
    assert store.history(1) == [newest]


def test_only_the_expected_version_is_replaced(store: Store) -> None:
    write(store, "{}", 1, 0)
    for expected in (0, 2):
        with pytest.raises(VersionConflict) as caught:
            write(store, '{"other": 1}', 3, expected)
        assert caught.value.version == 1
    assert [version.document for version in store.history()] == ["{}"]


def test_of_writers_at_one_time_each_gets_a_version_of_its_own(store: Store) -> None:
    push(store, POLICY)
    numbers: list[int] = []

    def write_often() -> None:
        numbers.extend(push(store, POLICY) for _ in range(5))

    threads = [threading.Thread(target=write_often) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [*range(2, 17)]


def test_old_versions_are_deleted(store: Store) -> None:
    write(store, "{}", 1, 0)
    write(store, "{}", 2, 1)
    write(store, "{}", KEPT_VERSIONS + 1, 2)
    assert [version.number for version in store.history()] == [KEPT_VERSIONS + 1, 2]


def test_a_push_is_above_every_version_that_a_worker_serves(store: Store) -> None:
    assert push(store, POLICY) == 1
    store.beat(Worker("w", "host", 1, 41))
    assert push(store, POLICY) == 42


def test_heartbeats_are_listed(store: Store) -> None:
    push(store, POLICY)
    worker = Worker("one", "host", 12, 1, 2, "1 problem", ("tenants",))
    for report in (Worker("one", "host", 12, 1), Worker("two", "host", 13, 1), worker):
        store.beat(report)
    found = store.workers()
    assert [one.report() for one in found] == [
        worker.report(),
        Worker("two", "host", 13, 1).report(),
    ]
    assert all(0 <= one.age < 30 for one in found)


def beat_by_hand(store: Any, report: str, seconds: float = 0.0) -> None:
    """Write a heartbeat as another program would, with a time relative to now."""
    if store._address.scheme == "file":
        store._workers.mkdir(parents=True, exist_ok=True)
        file = store._workers / f"{token_hex(8)}.json"
        file.write_text(report)
        os.utime(file, times=(time.time() + seconds, time.time() + seconds))
    elif store._address.scheme == "redis":
        kept = f"{int(time.time() + seconds)} {report}"
        store._redis.hset(store._workers, token_hex(8), kept)
    else:
        with store._transaction() as execute:
            execute(
                "INSERT INTO corscore_worker (name, id, report, seen) "
                "VALUES (%s, %s, %s, {now} + %s)",
                (store.name, token_hex(8), report, seconds),
            )


MALFORMED = [
    "",
    "[]",
    "null",
    "[" * 100_000,
    '{"version": "1"}',
    '{"version": -1}',
    '{"version": 1.5}',
    '{"version": true}',
    '{"version": 9007199254740992}',
    '{"version": %s}' % ("9" * 5_000),
    '{"host": ["a"]}',
    '{"resolvers": "tenants"}',
    '{"resolvers": [1]}',
    '{"problems": null}',
]


@pytest.mark.parametrize(
    ("report", "worker"),
    [
        (Worker("id", "host", 1, 2, 3, "all", ("tenants",)).report(), ("id", 2, 3, ("tenants",))),
        ('{"id": "new", "version": 4, "age": "x", "weight": [1]}', ("new", 4, 0, ())),
        ("{}", ("", 0, 0, ())),
        *((report, None) for report in MALFORMED),
    ],
)
def test_a_report_of_another_release_is_read_and_a_malformed_one_is_not(
    report: str, worker: object
) -> None:
    found = Worker.from_report(report, -1)
    shown = found and (found.id, found.version, found.refused, found.resolvers)
    assert shown == worker
    assert found is None or found.age == 0


def test_malformed_heartbeats_disturb_no_push_and_no_status(store: Store) -> None:
    push(store, POLICY)
    for report in MALFORMED:
        beat_by_hand(store, report)
    beat_by_hand(store, '{"version": 1, "host": "next", "colour": "red"}')
    # A version so far above the others is a mistake.
    beat_by_hand(store, '{"version": 9007199254740991, "host": "off"}')
    assert {worker.host for worker in store.workers()} == {"next", "off"}
    assert push(store, POLICY) == 2


@pytest.mark.parametrize("seconds", [-3_600.0, 3_600.0])
def test_a_heartbeat_far_from_now_is_deleted(store: Store, seconds: float) -> None:
    push(store, POLICY)
    beat_by_hand(store, '{"host": "gone"}', seconds)
    assert store.workers() == []
    store.beat(Worker("id", "host", 1, 1))
    assert [worker.host for worker in store.workers()] == ["host"]


def test_a_worker_may_have_any_name(store: Store) -> None:
    push(store, POLICY)
    names = ["../../x", "a/b", "'; DROP TABLE corscore_worker; --", "\x1b", "%s", "{now}"]
    for name in names:
        store.beat(Worker(f"{name}-1", name, 1, 1))
    assert sorted(worker.host for worker in store.workers()) == sorted(names)


TENANTS = [
    "acme",
    "ACME",
    "acme ",
    "other:origins:acme",
    "{default}",
    "*",
    "a?",
    "%s",
    "{now}",
    "' OR '1'='1",
    "'; DROP TABLE corscore_origin; --",
    "a\nb\r\n$3",
    "\u00e9",
    "e\u0301",
    "\u202e",
    "x" * 512,
]


def test_every_tenant_has_origins_of_its_own(store: Store) -> None:
    if store._address.scheme == "file":
        pytest.skip("files hold no origins of tenants")
    for number, tenant in enumerate(TENANTS):
        store.change_origins(tenant, add=(f"https://{number}.example",))
    for number, tenant in enumerate(TENANTS):
        assert store.origins(tenant) == (f"https://{number}.example",)
        assert store.allows(f"https://{number}.example", tenant)
        assert not store.allows(f"https://{number + 1}.example", tenant)
    assert store.changed_tenants(0, len(TENANTS)) == TENANTS
    assert push(store, POLICY) == 1


@pytest.mark.parametrize("tenant", ["", "a\0b", "\ud800", "x" * 513])
def test_a_tenant_that_no_engine_can_keep_is_refused_without_the_store(tenant: str) -> None:
    nowhere = open_store("redis://127.0.0.1:1")
    assert not nowhere.allows(A, tenant)
    with pytest.raises(ValueError, match="a tenant has"):
        nowhere.change_origins(tenant, add=(A,))
    with pytest.raises(TypeError, match="not one text"):
        nowhere.change_origins("acme", add=A)


def test_a_state_that_was_written_by_hand_is_an_error_of_the_store(store: Any) -> None:
    push(store, POLICY)
    if store._address.scheme == "redis":
        store._redis.hset(store._head, "version", "one")
    elif store._address.scheme == "sqlite":
        with store._transaction() as execute:
            execute("UPDATE corscore_policy SET version = 'one'", ())
    else:
        pytest.skip("it cannot be written")
    with pytest.raises(StoreError, match="was not written by corscore"):
        store.state()


@pytest.mark.parametrize(
    "kept",
    [
        "[]",
        '{"document": 1}',
        '{"document": null, "author": 7, "time": "noon"}',
        '{"document": "{}", "author": "ann", "time": NaN}',
        '{"document": "{}", "time": 1e300}',
    ],
)
def test_a_version_that_was_written_by_hand_has_the_right_types(store: Any, kept: str) -> None:
    push(store, POLICY)
    if store._address.scheme == "file":
        (store._versions / "2.json").write_text(kept)
        (store._versions / "notes.json").write_text(kept)
    elif store._address.scheme == "redis":
        store._redis.hset(store._versions, mapping={"2": f"noon {kept}", "notes": "by ann"})
    else:
        with store._transaction() as execute:
            table = json.loads(kept) if kept != "[]" else {}
            time = table.get("time", 1.0) if isinstance(table.get("time"), float) else -1.0
            execute(
                "INSERT INTO corscore_version (name, version, document, author, written) "
                "VALUES (%s, 2, %s, %s, %s)",
                (store.name, kept, "", time if time == time else 1e300),
            )
    newest, first = store.history()
    assert (newest.number, first.number) == (2, 1)
    assert [type(each) for each in (newest.document, newest.author)] == [str, str]
    assert newest.time == 0.0
    assert store.version(2) == newest
    if store._address.scheme == "redis":
        assert push(store, POLICY) == 2


def test_a_file_of_a_store_may_be_read_by_other_users(tmp_path: Path) -> None:
    store: Any = open_store(f"file:{tmp_path}/store")
    push(store, POLICY)
    umask = os.umask(0)
    os.umask(umask)
    assert (store._versions / "1.json").stat().st_mode & 0o777 == 0o666 & ~umask
    assert list(store._versions.glob("*.part")) == []


def test_the_state_of_a_folder_is_read_again_when_its_file_changes(tmp_path: Path) -> None:
    store: Any = open_store(f"file:{tmp_path}/store")
    push(store, POLICY)
    before = store.state()
    assert store.state() is before
    (store._versions / "1.json").write_text('{"document": "{}"}')
    assert store.state().digest != before.digest
    (store._versions / "1.json").unlink()
    assert store.state().version == 0


def test_each_name_has_its_own_versions(store: Store, tmp_path: Path) -> None:
    push(store, POLICY)
    other = open_store(store._address.url, name="other")
    assert other.state().version == 0
    assert other.history() == []
    other.disconnect()


def test_a_write_is_noticed(store: Store) -> None:
    push(store, POLICY)
    store.listen()
    push(store, POLICY)
    assert any(store.wait(1.0) for _ in range(20))


def test_a_tenants_origins_are_added_and_removed(store: Store) -> None:
    if store._address.scheme == "file":
        with pytest.raises(StoreError, match="use sqlite:"):
            store.origins("acme")
        with pytest.raises(StoreError, match="use sqlite:"):
            store.change_origins("acme", add=(A,))
        with pytest.raises(StoreError, match="use sqlite:"):
            store.allows(A, "acme")
        assert store.changed_tenants(0, 1) is None
        return
    store.change_origins("acme", add=(B, A, A))
    store.change_origins("other", add=(A,))
    store.change_origins("acme", add=(A,), remove=(B, "https://c.example"))
    assert store.origins("acme") == (A,)
    assert [store.allows(*pair) for pair in ((A, "acme"), (B, "acme"), (A, None))] == [
        True,
        False,
        False,
    ]
    assert store.state().changes == 3
    assert store.changed_tenants(0, 3) == ["acme", "other", "acme"]
    assert store.changed_tenants(2, 3) == ["acme"]
    assert store.changed_tenants(3, 2) is None
    assert store.changed_tenants(0, 4) is None
    assert store.changed_tenants(0, KEPT_CHANGES + 1) is None


@pytest.mark.parametrize(
    ("url", "shown", "secrets"),
    [
        ("redis://ann:s%40crt@cache:1/0", "redis://cache:1/0", ["s%40crt", "s@crt"]),
        ("postgresql:///app?host=db&password=h%20h", "postgresql:/app", ["h%20h", "h h"]),
        ("sqlite:/srv/a b.db", "sqlite:/srv/a b.db", []),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str, secrets: list[str]) -> None:
    address = Address(url)
    assert address.shown == shown
    text = address.redacted(f"{url} {' '.join(secrets)}")
    assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize(
    ("url", "name", "text"),
    [
        ("hunter2", "default", "names no store"),
        ("mysql://ann:hunter2@db", "default", "'mysql' names no store"),
        ("redis://ann:hunter2@db:port", "default", "Port"),
        ("redis://ann:hun/ter2@db", "default", "%2F"),
        ("redis://ann:hun#ter2@db", "default", "%2F"),
        ("redis://ann:hun?ter2@db", "default", "%2F"),
        ("redis://ann:h@n/ter2@db", "default", "%2F"),
        ("sqlite:", "default", "without a path"),
        ("file:", "default", "without a path"),
        ("file:/srv/cors", "a/b", "no name"),
    ],
)
def test_a_url_that_names_no_store_is_a_problem(url: str, name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text) as caught:
        open_store(url, name=name)
    assert caught.value.problems[0].code == "store-invalid"
    assert not [part for part in ("hun", "ter2", "h@n") if part in str(caught.value)]


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "corscore_store._redis", None)
    with pytest.raises(ConfigError, match=r"corscore\[redis\]"):
        open_store("redis://cache")


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hunter2@127.0.0.1:1/0",
        "postgresql://ann:hunter2@127.0.0.1:1/app",
        "sqlite:/nowhere/at/all",
        "file:/dev/null/store",
    ],
)
def test_a_store_that_is_down_raises_without_credentials(url: str) -> None:
    store = open_store(url)
    for call in (store.state, store.history, lambda: push(store, POLICY)):
        with pytest.raises(StoreError) as caught:
            call()
        assert "hunter2" not in str(caught.value)
    with pytest.raises(StoreError):
        store.beat(Worker("id", "host", 1, 1))
    assert "hunter2" not in repr(store)


def test_a_tenants_origins_are_asked_for_once(store: Store) -> None:
    if store._address.scheme == "file":
        pytest.skip("files hold no origins of tenants")
    store.change_origins("acme.example", add=(A,))
    resolver = OriginResolver(store.allows, timeout=None)
    request = RequestInfo.from_pairs("GET", [(b"origin", A.encode()), (b"host", b"acme.example")])
    assert resolver.ask(request)
    store.change_origins("acme.example", remove=(A,))
    assert resolver.ask(request), "it is remembered"
    resolver.forget("acme.example")
    assert not resolver.ask(request)


def test_a_push_of_a_map_is_its_mapping(store: Store) -> None:
    policies = PolicyMap({"api.example.com/*": (Policy(allow_origins=[B]), POLICY), "/x": None})
    push(store, policies)
    assert json.loads(store.history()[0].document) == policies.to_mapping()


def test_a_push_refuses_a_resolver_without_a_name(store: Store) -> None:
    with pytest.raises(TypeError, match="name it"):
        push(store, Policy(origin_resolver=lambda origin, request: False))
    assert store.history() == []
