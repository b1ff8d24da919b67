"""Two hosts of workers under load, and every fault of their store.

``make fleet`` runs all of it, and prints the figures of docs/reliability.md.
"""

from __future__ import annotations

import json
import sys
import time
from secrets import token_hex
from typing import TYPE_CHECKING

import pytest

from corscore_store import open_store, push
from corscore_store.documents import write_next
from fleet import Client, Network, fleet, numbered
from stores import wait_for

if TYPE_CHECKING:
    from corscore_store import Store
    from stores import StoreServers

_FULL = ["redis", "postgres"]


def sizes(sample: str, *, small: int, large: int) -> pytest.MarkDecorator:
    """Return the parameters: one engine with two workers, or in a full run both with eight."""
    slow = [pytest.param(one, 4, large, marks=pytest.mark.slow) for one in _FULL]
    return pytest.mark.parametrize(("engine", "workers", "count"), [(sample, 1, small), *slow])


def agree(clients: list[Client], number: int) -> float:
    """Wait until every worker serves a policy, and return the seconds."""
    return wait_for(lambda: {client.number for client in clients} == {number}, 60)


def check(clients: list[Client]) -> None:
    for client in clients:
        assert client.faults == []
        assert not client.went_back()


@sizes("postgres", small=3, large=100)
def test_every_worker_serves_every_change(
    store_servers: StoreServers, engine: str, workers: int, count: int
) -> None:
    store = fresh(store_servers[engine].url)
    with fleet(store._address.url, store.name, workers) as clients:
        agree(clients, 1)
        delays: list[float] = []
        for number in range(2, count + 2):
            start = time.monotonic()
            push(store, numbered(number))
            agree(clients, number)
            delays += [client.delay(number, start) for client in clients]
        check(clients)
    delays.sort()
    say(
        f"{engine}: {count} changes, {2 * workers} workers: median "
        f"{delays[len(delays) // 2]:.3f} s, 99 % {delays[int(len(delays) * 0.99)]:.3f} s, "
        f"all {delays[-1]:.3f} s; {sum(len(one.seen) for one in clients)} requests"
    )
    store.disconnect()


@sizes("redis", small=20, large=1_000)
def test_no_fault_of_the_store_reaches_a_request(
    store_servers: StoreServers, engine: str, workers: int, count: int
) -> None:
    server = store_servers[engine]
    store = fresh(server.url)
    network = Network(server.port)
    url = server.url.replace(f":{server.port}/", f":{network.port}/")
    figures = {}
    with fleet(url, store.name, workers) as clients:
        agree(clients, 1)
        server.kill()
        server.start()
        store.disconnect()
        push(store, numbered(2))
        figures["kill -9, restart"] = agree(clients, 2)
        for number in range(count):
            document = ("[", json.dumps({"allow_origins": [f"https://{number}.example/"]}), "{}")
            write_next(store, document[number % 3], store.state().version)
        wait_for(lambda: {one.refused for one in store.workers()} == {store.state().version})
        assert {client.number for client in clients} == {2}
        push(store, numbered(3))
        figures[f"{count} malformed documents"] = agree(clients, 3)
        network.cut()
        push(store, numbered(4))
        seen = [len(client.seen) for client in clients]
        wait_for(lambda: all(len(one.seen) > before + 20 for one, before in zip(clients, seen)))  # noqa: B905
        assert {client.number for client in clients} == {3}
        network.mend()
        figures["cut network"] = agree(clients, 4)
        check(clients)
    network.close()
    store.disconnect()
    say(f"{engine}: agreement after " + ", ".join(f"{k} {v:.2f} s" for k, v in figures.items()))


def fresh(url: str) -> Store:
    """A store with the first policy."""
    store = open_store(url, name=token_hex(8))
    push(store, numbered(1))
    return store


def say(figures: str) -> None:
    """Print a figure, for a run with ``-s``."""
    sys.stderr.write(f"\n{figures}\n")
