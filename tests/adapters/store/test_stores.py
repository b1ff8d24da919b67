"""What every engine of a store does."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

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


def test_names_are_apart(store: Store, tmp_path: Path) -> None:
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


def test_origins_of_a_tenant(store: Store) -> None:
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
        ("postgresql:///app?host=db&password=hush", "postgresql:/app", ["hush"]),
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
        ("sqlite:", "default", "without a path"),
        ("file:", "default", "without a path"),
        ("file:/srv/cors", "a/b", "no name"),
    ],
)
def test_a_url_that_names_no_store_is_a_problem(url: str, name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text) as caught:
        open_store(url, name=name)
    assert caught.value.problems[0].code == "store-invalid"
    assert "hunter2" not in str(caught.value)


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
