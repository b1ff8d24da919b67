"""Stores on a server: connections across forks, restarts, threads, event loops and exits."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import pytest

from corscore import OriginResolver, Policy
from corscore_asgi import CORSMiddleware
from corscore_store import StoreError, StoreRef, VersionConflict, open_store, push
from stores import PgBouncer, TlsPostgres, TlsRedis, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore_store import Store
    from stores import StoreServers

DOCS = Path(__file__).parents[3] / "docs"
A, B = "https://a.example", "https://b.example"
ENGINES = ["redis", "postgres"]


@pytest.fixture(params=ENGINES)
def served(request: pytest.FixtureRequest, store_servers: StoreServers) -> Iterator[Any]:
    """A store on a server, with a policy."""
    engine: str = request.param
    found = open_store(store_servers[engine].url, name=token_hex(8))
    push(found, Policy(allow_origins=[A]))
    yield found
    found.disconnect()


def test_connections_that_the_server_closed_cost_no_lookup(
    store_servers: StoreServers, served: Store
) -> None:
    server = store_servers["redis" if served._address.scheme == "redis" else "postgres"]
    served.change_origins("acme", add=(A,))
    at_once = threading.Barrier(4)
    answers: list[bool] = []

    def ask() -> None:
        at_once.wait()
        answers.append(served.allows(A, "acme"))

    for _ in range(2):
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [True] * len(answers)
        server.kill()
        server.start()
    assert len(answers) == 8
    assert served.allows(A, "acme")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_process_has_a_subscription_of_its_own(served: Any) -> None:
    def clients() -> int:
        if served._address.scheme == "redis":
            return int(served._redis.execute_command("PUBSUB", "NUMSUB", served._notices)[1])
        text = f'LISTEN "{served._channel}"'
        rows = served._rows("SELECT count(*) FROM pg_stat_activity WHERE query = %s", text)
        return int(rows[0][0])

    served.listen()
    assert clients() == 1
    asked, told = os.pipe()
    end, ended = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            served.listen()
            os.write(told, b"x")
            os.read(end, 1)
            served.disconnect()
            status = 0
        finally:
            os._exit(status)
    assert os.read(asked, 1) == b"x"
    assert clients() == 2
    os.write(ended, b"x")
    assert os.waitpid(child, 0)[1] == 0
    for each in (asked, told, end, ended):
        os.close(each)
    # The child has closed its own connection only.
    served.write("{}", number=2, expected=1, author="")
    assert any(served.wait(1.0) for _ in range(20))


def test_a_subscription_that_was_cut_is_a_notice(store_servers: StoreServers) -> None:
    store: Any = open_store(store_servers["redis"].url, name=token_hex(8))
    store.listen()
    assert not store.wait(0.01)
    assert store._redis.execute_command("CLIENT", "KILL", "TYPE", "PUBSUB") == 1
    assert any(store.wait(1.0) for _ in range(20))
    store.disconnect()


def test_a_user_of_redis_with_the_documented_rights_does_everything(
    store_servers: StoreServers,
) -> None:
    page = (DOCS / "redis.md").read_text(encoding="utf-8")
    rights = page.partition("```text\n")[2].partition("\n")[0].split()
    admin: Any = open_store(store_servers["redis"].url)
    admin._redis.execute_command("ACL", "SETUSER", "app", "reset", "on", ">hunter2", *rights)
    url = store_servers["redis"].url.replace("//", "//app:hunter2@")
    store: Any = open_store(url, name=token_hex(8))
    push(store, Policy(allow_origins=[A]))
    store.change_origins("acme", add=(A,))
    ref = StoreRef(store)
    assert ref.current == Policy(allow_origins=[A])
    push(store, Policy(allow_origins=[B]))
    wait_for(lambda: [worker.version for worker in store.workers()] == [2])
    assert store.allows(A, "acme")
    assert store.origins("acme") == (A,)
    assert store.changed_tenants(0, 1) == ["acme"]
    assert len(store.history()) == 2
    ref.close()
    with pytest.raises(StoreError):
        store._run("return redis.call('GET', KEYS[1])", ("elsewhere",))
    admin.disconnect()
    store.disconnect()


def test_a_worker_with_the_documented_rights_on_tables_of_postgresql_follows(
    store_servers: StoreServers,
) -> None:
    rights = "SELECT, INSERT, UPDATE, DELETE"
    assert f"Workers need `{rights}`" in (DOCS / "postgresql.md").read_text(encoding="utf-8")
    admin: Any = open_store(store_servers["postgres"].url, name=token_hex(8))
    push(admin, Policy(allow_origins=[A]))
    names = ("policy", "version", "worker", "origin", "change")
    tables = ", ".join(f"corscore_{name}" for name in names)
    admin._rows("CREATE ROLE app LOGIN PASSWORD 'hunter2'")
    admin._rows(f"GRANT {rights} ON {tables} TO app")
    url = store_servers["postgres"].url.replace("corscore:secret", "app:hunter2")
    store = open_store(url, name=admin.name)
    ref = StoreRef(store)
    assert ref.current == Policy(allow_origins=[A])
    store.change_origins("acme", add=(A,))
    push(store, Policy(allow_origins=[B]))
    wait_for(lambda: [worker.version for worker in admin.workers()] == [2])
    ref.close()
    store.disconnect()
    admin.disconnect()


def test_notices_without_end_end_a_wait() -> None:
    class Endless:
        def get_message(self, timeout: float) -> object:
            return {"type": "message"}

    store: Any = open_store("redis://127.0.0.1:1")
    store._client().channel = Endless()
    assert store.wait(1.0)


def test_lookups_overlap_under_asyncio(served: Store) -> None:
    tenants = [f"{number}.example" for number in range(30)]
    for tenant in tenants[::2]:
        served.change_origins(tenant, add=(B,))
    resolver = OriginResolver(served.allows, timeout=None)
    resolvers = {"tenants": resolver}
    push(served, Policy(allow_origins=[A], origin_resolver=resolver), resolvers=resolvers)
    ref = StoreRef(served, resolvers=resolvers)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    middleware = CORSMiddleware(app, ref)

    async def ask(tenant: str) -> bool:
        sent: list[Any] = []
        headers = [(b"origin", B.encode()), (b"host", tenant.encode())]
        scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}

        async def receive() -> Any:
            return {"type": "http.request"}

        async def send(message: Any) -> None:
            sent.append(message)

        await middleware(scope, receive, send)
        return b"access-control-allow-origin" in dict(sent[0]["headers"])

    async def ask_all() -> list[bool]:
        return await asyncio.gather(*map(ask, tenants))

    assert asyncio.run(ask_all()) == [number % 2 == 0 for number in range(30)]
    ref.close()


EXIT = """
import sys
from corscore import OriginResolver
from corscore_store import StoreRef, open_store

store = open_store(sys.argv[1], name=sys.argv[2])
ref = StoreRef(store)
assert ref.current.allows_origin(sys.argv[3])
assert not store.allows(sys.argv[3], "acme")
"""


def test_the_end_of_an_interpreter_waits_for_nothing_and_says_nothing(served: Store) -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", EXIT]
    done = subprocess.run(
        [*command, served._address.url, served.name, A],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [TlsRedis, TlsPostgres])
def test_tls_and_credentials_come_from_the_url_and_reach_no_log(
    store_servers: StoreServers, kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = store_servers.start(kind.__name__, kind)
    store = open_store(server.url)
    push(store, Policy(allow_origins=[A]))
    ref = StoreRef(store, interval=0.1)
    assert ref.current == Policy(allow_origins=[A])
    server.kill()
    wait_for(lambda: "the store does not answer" in caplog.text)
    server.start()
    push(store, Policy(allow_origins=[B]))
    wait_for(lambda: ref.current == Policy(allow_origins=[B]))
    ref.close()
    secret = "hunter2" if kind is TlsRedis else "secret"
    wrong = server.url.replace(secret, "wrong-one")
    plain = server.url.partition("?")[0].replace("rediss", "redis")
    for url in (wrong, plain + ("" if kind is TlsRedis else "?sslmode=disable")):
        with pytest.raises(StoreError) as caught:
            open_store(url).state()
        assert "wrong-one" not in str(caught.value)
        assert secret not in str(caught.value)
    assert secret not in caplog.text
    store.disconnect()
    server.kill()


@pytest.mark.slow
def test_behind_a_pooler_in_transaction_mode_re_reads_find_each_version_and_it_is_logged_once(
    store_servers: StoreServers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "corscore")
    server = store_servers["postgres"]
    pooler = store_servers.start("pgbouncer", lambda folder: PgBouncer(folder, server))
    pooled = open_store(pooler.url, name=token_hex(8))
    direct = open_store(server.url, name=pooled.name)
    push(pooled, Policy(allow_origins=[A]))
    ref = StoreRef(pooled, interval=0.2)
    assert ref.version == 1
    policies = [Policy(allow_origins=[one]) for one in (A, B)]
    assert ref.current == policies[0]
    for number in range(2, 8):
        push((pooled, direct)[number % 2], policies[number % 2])
        wait_for(lambda: ref.version == number)  # noqa: B023
    assert caplog.text.count("no notices come") == 1
    wait_for(lambda: [worker.version for worker in direct.workers()] == [7])
    pooled.change_origins("acme", add=(A,))
    assert pooled.allows(A, "acme")
    pooler.kill()
    wait_for(lambda: "the store does not answer" in caplog.text)
    assert ref.current == policies[1]
    pooler.start()
    push(direct, policies[0])
    wait_for(lambda: ref.current == policies[0])
    ref.close()
    direct.disconnect()
    pooled.disconnect()
    pooler.kill()


def test_a_write_that_redis_gets_again_after_its_answer_was_lost_is_no_conflict(
    store_servers: StoreServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Any = open_store(store_servers["redis"].url, name=token_hex(8))
    run = store._run

    def sent_twice(*script: Any) -> Any:
        run(*script)
        return run(*script)

    monkeypatch.setattr(store, "_run", sent_twice)
    store.write("{}", number=1, expected=0, author="one")
    with pytest.raises(VersionConflict):
        store.write("{}", number=1, expected=0, author="one")
    assert [version.number for version in store.history()] == [1]
    store.disconnect()
