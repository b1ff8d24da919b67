"""Hosts of workers that follow a store, and clients that send requests to every worker."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from corscore import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ORIGIN = "https://app.example.com"
_ADDRESSES = ("127.0.0.1", "127.0.0.2")
_PAUSE = 0.01


def numbered(number: int) -> Policy:
    """Return a policy whose preflights have its number in two headers."""
    return Policy(allow_origins=[ORIGIN], max_age=number, allow_headers=[f"x-n-{number}"])


class Client(threading.Thread):
    """A client that sends requests to one worker until it is stopped.

    Attributes:
        seen: The time of each answer, with the number of its policy.
        faults: Answers that failed or mixed two policies.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(daemon=True)
        self.address = address
        self.seen: list[tuple[float, int]] = []
        self.faults: list[str] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
        while not self.stopped.wait(_PAUSE):
            try:
                connection.request("OPTIONS", "/", headers=headers)
                response = connection.getresponse()
                response.read()
                number = int(response.getheader("Access-Control-Max-Age") or 0)
                allowed = response.getheader("Access-Control-Allow-Headers") or ""
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.faults.append(repr(error))
                connection.close()
                continue
            if response.status != 204 or f"x-n-{number}" not in allowed.split(", "):
                self.faults.append(f"{response.status}: {number}, {allowed}")
            self.seen.append((time.monotonic(), number))
        connection.close()

    @property
    def number(self) -> int:
        return self.seen[-1][1] if self.seen else 0

    def delay(self, number: int, since: float) -> float:
        """Return the seconds until an answer had a policy of at least this number."""
        return next(when for when, seen in self.seen if seen >= number) - since

    def went_back(self) -> bool:
        return any(later < earlier for (_, earlier), (_, later) in pairwise(self.seen))


@contextmanager
def fleet(url: str, name: str, workers: int) -> Iterator[list[Client]]:
    """Run two hosts with so many workers each, and a client of each worker."""
    script = str(Path(__file__).with_name("fleet_host.py"))
    hosts = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", script, url, name, address, str(workers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for address in _ADDRESSES
    ]
    clients: list[Client] = []
    try:
        for host in hosts:
            assert host.stdout is not None
            addresses = json.loads(host.stdout.readline())
            clients += [Client((address, port)) for address, port in addresses]
        for client in clients:
            client.start()
        yield clients
    finally:
        for client in clients:
            client.stopped.set()
            client.join()
        for host in hosts:
            host.communicate()


class Network:
    """A network in front of a server, which a test can cut.

    A cut network loses all packets: no connection is closed, and none is accepted.

    Attributes:
        round_trips: How often a client sent something, and waited for the answer.
    """

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port: int = self._listener.getsockname()[1]
        self._is_whole = threading.Event()
        self._is_whole.set()
        self._sockets: list[socket.socket] = []
        self.round_trips = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._is_whole.clear()

    def mend(self) -> None:
        """Let new connections work again; the old ones stay lost."""
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._sockets.clear()
        self._is_whole.set()

    def close(self) -> None:
        self.mend()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._is_whole.wait()
                try:
                    server = socket.create_connection(self._target)
                except OSError:
                    client.close()
                    continue
                self._sockets += [client, server]
                is_asked = threading.Event()
                for pair in ((client, server, is_asked.set), (server, client, is_asked.clear)):
                    arguments = (*pair, is_asked)
                    threading.Thread(target=self._carry, args=arguments, daemon=True).start()

    def _carry(
        self,
        source: socket.socket,
        target: socket.socket,
        turn: Callable[[], None],
        is_asked: threading.Event,
    ) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._is_whole.wait()
                was_asked = is_asked.is_set()
                turn()
                self.round_trips += is_asked.is_set() and not was_asked
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        source.close()
