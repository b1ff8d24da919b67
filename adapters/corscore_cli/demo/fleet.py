"""``corscore store demo``: two hosts of two workers on loopback, which follow one store."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from corscore import Policy
from corscore.browser import Request, fetch
from corscore_cli.demo.model import send_request
from corscore_cli.demo.worker import VERSION
from corscore_cli.shell.output import Mistake, say
from corscore_store import StoreError, open_store, push

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from rich.console import Console

    from corscore_store import Store

PAGE, SHOP = "https://app.example", "https://shop.example"
_POLICIES = (Policy(allow_origins=[PAGE]), Policy(allow_origins=[PAGE, SHOP]))
_HOSTS = {"host-1": "127.0.0.2", "host-2": "127.0.0.3"}
_WORKERS_A_HOST = 2
_START_SECONDS = 20.0
_ASK_SECONDS = 0.01
_TIMEOUT_SECONDS = 10.0


class Arrival(NamedTuple):
    """The first answer of a worker under a version.

    Attributes:
        time: When it came, in seconds of the monotonic clock.
        name: The worker's host and process.
        version: The version.
        readable: Whether a page of the shop may read the answer.
    """

    time: float
    name: str
    version: int
    readable: bool


class DemoWorker(Thread):
    """A worker process, and a page of the shop that sends it requests all the time.

    Attributes:
        url: The URL of the worker's API.
        served: The newest arrival; None before the first answer.
    """

    def __init__(self, store: str, host: str, address: str, arrivals: Queue[Arrival]) -> None:
        super().__init__(daemon=True)
        self.served: Arrival | None = None
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "corscore_cli.demo.worker", store, host, address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl+C is for the command, which ends its workers.
            start_new_session=True,
        )
        self._title = f"{host}  process {self._process.pid}"
        self._host, self._address = host, address
        self._arrivals = arrivals
        self._is_ended = Event()

    def wait(self) -> None:
        """Wait until the worker serves, and begin to send requests.

        Raises:
            Mistake: The worker ended.
        """
        port = self._process.stdout.readline().decode().strip() if self._process.stdout else ""
        if not port:
            raise Mistake(f"a worker of {self._host} did not start; its error is above")
        self.url: str = f"http://{self._address}:{port}/"
        self.start()

    def run(self) -> None:
        """Send requests until ``end`` is called."""
        while not self._is_ended.wait(_ASK_SECONDS):
            with suppress(OSError, http.client.HTTPException):
                result = fetch(Request("GET", self.url, origin=SHOP), send_request)
                version = int(dict(result.exchanges[-1].response_headers)[VERSION])
                if self.served is None or self.served.version != version:
                    served = Arrival(time.monotonic(), self._title, version, result.readable)
                    self._arrivals.put(served)
                    self.served = served

    def end(self) -> None:
        """End the worker, and wait until it has ended."""
        self._is_ended.set()
        with self._process as process:
            if process.stdin:
                process.stdin.close()
        if self.is_alive():
            self.join()


class Fleet:
    """Two hosts of two workers, and their store.

    Attributes:
        store: The store.
        url: The URL of the store.
        engine: The kind of the store, and why it was chosen, in words.
        workers: The workers.
        arrivals: The arrivals to print.
    """

    def __init__(self, store: Store, url: str, engine: str) -> None:
        self.store = store
        self.url = url
        self.engine = engine
        self.arrivals: Queue[Arrival] = Queue()
        self.workers: list[DemoWorker] = []

    def push(self) -> tuple[int, Policy]:
        """Push the policies in turn; return the version and the policy."""
        policy = _POLICIES[self.store.state().version % len(_POLICIES)]
        return push(self.store, policy), policy


@contextmanager
def running() -> Iterator[Fleet]:
    """Start a store and the workers, for as long as the context lasts."""
    with ExitStack() as stack:
        folder = stack.enter_context(
            TemporaryDirectory(prefix="corscore-", ignore_cleanup_errors=True)
        )
        url, engine = stack.enter_context(_store(Path(folder)))
        store = open_store(url)
        stack.callback(store.disconnect)
        push(store, _POLICIES[0])
        fleet = Fleet(store, url, engine)
        for host, address in _addresses().items():
            for _ in range(_WORKERS_A_HOST):
                fleet.workers.append(DemoWorker(url, host, address, fleet.arrivals))
                stack.callback(fleet.workers[-1].end)
        for worker in fleet.workers:
            worker.wait()
        yield fleet


def print_fleet(console: Console, fleet: Fleet) -> None:
    """Print the store, the workers, and their first arrivals."""
    say(console, f"Two hosts of two workers follow one policy in {fleet.engine}.\n")
    for worker in fleet.workers:
        say(console, worker.url, indent=2)
    _print_arrivals(console, fleet, time.monotonic(), 1)
    say(console, "")


def print_push(console: Console, fleet: Fleet) -> bool:
    """Push the next policy, print its arrivals, and return whether all workers serve it."""
    started = time.monotonic()
    version, policy = fleet.push()
    allowed = policy.allows_origin(SHOP)
    say(console, Text(f"Version {version} is pushed: a page of the shop {_may(allowed)}.", "bold"))
    _print_arrivals(console, fleet, started, version)
    served = [worker.served for worker in fleet.workers]
    good = sum((one.version, one.readable) == (version, allowed) for one in served if one)
    verdict = f"{good} of {len(served)} workers serve version {version}.\n"
    say(console, Text(verdict, "green" if good == len(served) else "bold red"))
    return good == len(served)


def print_pushes(console: Console, fleet: Fleet, lines: TextIO) -> None:
    """Push a policy for each line, and print all arrivals, until Ctrl+C or the last line."""
    entered: Queue[str] = Queue()

    def read() -> None:
        for line in lines:
            entered.put(line)
        entered.put("")

    Thread(target=read, daemon=True).start()
    with suppress(KeyboardInterrupt):
        while True:
            while entered.empty():
                _print_arrival(console, fleet, time.monotonic())
            if not entered.get():
                return
            print_push(console, fleet)


def _print_arrivals(console: Console, fleet: Fleet, started: float, version: int) -> None:
    """Print arrivals until all workers serve a version, for ten seconds at most."""
    while time.monotonic() - started < _TIMEOUT_SECONDS:
        # Before the arrivals are printed, since what is served now is among them.
        is_everywhere = all(one.served and one.served.version >= version for one in fleet.workers)
        if not _print_arrival(console, fleet, started) and is_everywhere:
            return


def _print_arrival(console: Console, fleet: Fleet, started: float) -> bool:
    try:
        one = fleet.arrivals.get(timeout=_ASK_SECONDS)
    except Empty:
        return False
    after = round((one.time - started) * 1_000)
    text = (
        f"{max(after, 0):>6,} ms  {one.name}  version {one.version}: the shop {_may(one.readable)}"
    )
    say(console, Text(text, "green" if one.readable else "yellow"))
    return True


def _may(allowed: bool) -> str:
    return "may read" if allowed else "may not read"


def _addresses() -> dict[str, str]:
    """Return the hosts' addresses: one for both where loopback has only one."""
    try:
        for address in _HOSTS.values():
            socket.create_server((address, 0)).close()
    except OSError:
        return dict.fromkeys(_HOSTS, "127.0.0.1")
    return _HOSTS


@contextmanager
def _store(folder: Path) -> Iterator[tuple[str, str]]:
    """Start a Redis, or take SQLite; return the URL of the store, and which it is."""
    sqlite = f"sqlite:{folder}/cors.db"
    program = shutil.which("redis-server")
    if program is None or find_spec("redis") is None:
        missing = "redis-server" if program is None else "the package redis"
        yield sqlite, f"SQLite, since {missing} is not installed"
        return
    url = f"unix://{folder}/redis.sock"
    command = [program, "--port", "0", "--unixsocket", f"{folder}/redis.sock", "--save", ""]
    server = subprocess.Popen(  # noqa: S603 - the path that `which` found
        [*command, "--dir", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        if _answers(url, server):
            yield url, "a Redis that was started for it"
        else:
            yield sqlite, "SQLite, since redis-server did not start"
    finally:
        server.terminate()
        server.wait()


def _answers(url: str, server: subprocess.Popen[bytes]) -> bool:
    give_up = time.monotonic() + _START_SECONDS
    store = open_store(url)
    while server.poll() is None and time.monotonic() < give_up:
        with suppress(StoreError):
            store.state()
            store.disconnect()
            return True
        time.sleep(_ASK_SECONDS)
    return False
