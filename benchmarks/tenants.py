"""asv: a million tenants' origins in a store: the memory of a worker, and the time of a look-up.

``python -m benchmarks.tenants`` starts the servers, and prints the table of docs/reliability.md.
"""

from __future__ import annotations

import os
import platform
import socket
import sys
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from corscore import OriginResolver, RequestInfo
from corscore_store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore_store import Store

TENANTS = 1_000_000
MAX_ENTRIES = 10_000
ENGINES = ("redis", "postgres")
_NAME = "benchmark"
_CHUNK = 10_000
_ADDED = b":1\r\n"  # Redis's response to SADD
_ASKED = 2_000
_FEW, _MANY = MAX_ENTRIES, 3 * MAX_ENTRIES
_SUPPORT = Path(__file__).parents[1] / "tests" / "support"
_OPENED: list[Store] = []


def tenant(number: int) -> str:
    """Return the host of a tenant."""
    return f"tenant-{number}.api.example.com"


def origin(number: int) -> str:
    """Return the origin of a tenant's pages."""
    return f"https://tenant-{number}.example.com"


def support(module: str) -> Any:
    """Import a module of tests/support.

    Raises:
        NotImplementedError: It needs pytest, which asv's environments lack.
    """
    sys.path.append(str(_SUPPORT))
    try:
        return import_module(module)
    except ImportError as error:
        raise NotImplementedError from error
    finally:
        sys.path.remove(str(_SUPPORT))


def load(url: str, count: int) -> int:
    """Write an origin for each tenant, and return the bytes that they take in the store."""
    store: Any = open_store(url, name=_NAME)
    # The first change makes the tables.
    store.change_origins(tenant(0), add=(origin(0),))
    if store._address.scheme == "redis":
        before = store._redis.info("memory")["used_memory"]
        with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0)) as connection:
            for start in range(1, count, _CHUNK):
                numbers = range(start, min(start + _CHUNK, count))
                sets = (store._set_of(tenant(number)) for number in numbers)
                pairs = zip(sets, map(origin, numbers), strict=True)
                # Commands written here, since a client takes minutes for a million.
                connection.sendall("".join(map(_sadd, pairs)).encode())
                left = len(_ADDED) * len(numbers)
                while left:
                    left -= len(connection.recv(left))
        taken = store._redis.info("memory")["used_memory"] - before
    else:
        # Another connection, without the store's time limits.
        with import_module("psycopg").connect(url) as connection:
            with connection.cursor().copy("COPY corscore_origin FROM STDIN") as rows:
                for number in range(1, count):
                    rows.write_row((_NAME, tenant(number), origin(number)))
            found = connection.execute("SELECT pg_total_relation_size('corscore_origin')")
            taken = found.fetchone()[0]
    store.disconnect()
    return int(taken)


def _sadd(pair: tuple[str, str]) -> str:
    key, member = pair
    return f"*3\r\n$4\r\nSADD\r\n${len(key)}\r\n{key}\r\n${len(member)}\r\n{member}\r\n"


def requests(numbers: range) -> Iterator[RequestInfo]:
    """Yield a request of each tenant's page."""
    for number in numbers:
        headers = [(b"host", tenant(number).encode()), (b"origin", origin(number).encode())]
        yield RequestInfo.from_pairs("GET", headers)


def resolver_of(url: str) -> OriginResolver:
    """Return the resolver of a worker."""
    store = open_store(url, name=_NAME)
    _OPENED.append(store)
    return OriginResolver(store.allows, timeout=None, ttl=3_600, max_entries=MAX_ENTRIES)


def seconds(resolver: OriginResolver, asked: list[RequestInfo]) -> float:
    """Return the seconds of the median look-up."""
    taken = []
    for request in asked:
        started = perf_counter()
        allowed = resolver.ask(request)
        taken.append(perf_counter() - started)
        if not allowed:
            raise RuntimeError("an origin is missing")
    return median(taken)


def _disconnect() -> None:
    while _OPENED:
        _OPENED.pop().disconnect()


def memory(url: str, counts: tuple[int, ...]) -> list[int]:
    """Return by how many bytes a new worker process grows with look-ups of so many tenants."""
    with get_context("spawn").Pool(1) as pool:
        found: list[int] = pool.apply(_memory, (url, counts))
    return found


def _memory(url: str, counts: tuple[int, ...]) -> list[int]:
    resolver = resolver_of(url)
    done = 100
    for request in requests(range(done)):
        resolver.ask(request)
    before, found = _resident(), []
    for count in counts:
        for request in requests(range(done, count)):
            resolver.ask(request)
        found.append(_resident() - before)
        done = count
    return found


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Tenants:
    """Look-ups of one worker in a store of many tenants."""

    params = ((10_000, TENANTS), ENGINES)
    param_names = ("tenants", "store")
    rounds = 1
    processes = 1
    number = 1
    timeout = 600

    def setup(self, count: int, engine: str) -> None:
        self.servers = support("stores").StoreServers()
        self.url = self.servers[engine].url
        load(self.url, count)
        self.resolver = resolver_of(self.url)
        self.first = 0
        seconds(self.resolver, list(requests(range(10))))

    def teardown(self, count: int, engine: str) -> None:
        _disconnect()
        self.servers.kill()

    def time_thousand_cold(self, count: int, engine: str) -> None:
        # No origin is remembered.
        self.resolver.forget()
        seconds(self.resolver, list(requests(range(1_000))))

    def time_thousand_remembered(self, count: int, engine: str) -> None:
        for request in requests(range(10)):
            for _ in range(100):
                self.resolver.ask(request)

    def track_bytes_of_a_worker(self, count: int, engine: str) -> int:
        return memory(self.url, (count // 50,))[-1]


def main() -> None:
    """Print the table."""
    started = perf_counter()
    print(f"{os.cpu_count()} processors, Python {platform.python_version()}, {TENANTS:,} tenants\n")
    print(
        f"| store | to load | its size | worker, {_FEW:,} asked | {_MANY:,} asked | cold | "
        "round trips | remembered |\n|---|--:|--:|--:|--:|--:|--:|--:|"
    )
    found = support("stores").StoreServers()
    try:
        for engine in ENGINES:
            server = found[engine]
            loading = perf_counter()
            taken = load(server.url, TENANTS)
            loaded = perf_counter() - loading
            few, many = (size / 2**20 for size in memory(server.url, (_FEW, _MANY)))
            resolver = resolver_of(server.url)
            # Tenants spread over the whole store.
            far = list(requests(range(7, TENANTS, TENANTS // _ASKED)))
            cold = seconds(resolver, far)
            remembered = seconds(resolver, far * 5)
            network = support("fleet").Network(server.port)
            behind = resolver_of(server.url.replace(f":{server.port}/", f":{network.port}/"))
            seconds(behind, list(requests(range(10))))
            before = network.round_trips
            seconds(behind, list(requests(range(10, 10 + _ASKED))))
            trips = (network.round_trips - before) / _ASKED
            print(
                f"| {engine} | {loaded:.0f} s | {taken / 2**20:.0f} MiB | {few:.1f} MiB | "
                f"{many:.1f} MiB | {cold * 1e6:.0f} µs | {trips:g} | {remembered * 1e6:.1f} µs |",
                flush=True,
            )
    finally:
        _disconnect()
        found.kill()
    print(f"\nMeasured in {perf_counter() - started:.0f} seconds.")


if __name__ == "__main__":
    main()
