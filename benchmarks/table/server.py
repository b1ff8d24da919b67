"""Figures of a real server: the requests a second that wrk gets from uvicorn."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import cases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.table.figures import Figures

_ROUNDS = 15
_SECONDS = 1
_CONNECTIONS = 16
# Servers for each application, in turns: the places of a server's objects in memory make it a few
# per cent faster or slower.
_COPIES = 3

# Applications, each with a kind of request.
_RACES = (
    ("bare", cases.NO_ORIGIN),
    ("corscore", cases.NO_ORIGIN),
    ("by-hand", cases.ACTUAL),
    ("corscore", cases.ACTUAL),
)
# Which races are compared, by the ratio in each round.
RATIOS = {
    "no-origin": (("corscore", cases.NO_ORIGIN), ("bare", cases.NO_ORIGIN)),
    "actual": (("corscore", cases.ACTUAL), ("by-hand", cases.ACTUAL)),
}


def server() -> Figures:
    """Measure the requests a second, or nothing where wrk is not installed."""
    wrk = shutil.which("wrk")
    if wrk is None:
        return {}
    rates: dict[tuple[str, str], list[float]] = {race: [] for race in _RACES}
    with ExitStack() as servers:
        names = {name for name, _ in _RACES}
        copies = [
            {name: servers.enter_context(_served(name)) for name in names} for _ in range(_COPIES)
        ]
        for ports in copies:
            for name, request in _RACES:
                _rate(wrk, ports[name], request)  # warms up
        for number in range(_ROUNDS):
            for name, request in _RACES:
                rate = _rate(wrk, copies[number % _COPIES][name], request)
                rates[name, request].append(rate)
    figures = {
        f"server/{name}/{request}": [max(found), median(found)]
        for (name, request), found in rates.items()
    }
    for label, (one, other) in RATIOS.items():
        ratios = [a / b for a, b in zip(rates[one], rates[other], strict=True)]
        figures[f"server/ratio/{label}"] = [max(rates[one]) / max(rates[other]), median(ratios)]
    return figures


@contextmanager
def _served(name: str) -> Iterator[int]:
    """Start a server for an application, and return its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    process = subprocess.Popen(  # noqa: S603 -- our own interpreter
        [sys.executable, "-m", "benchmarks.table.served", name, str(port)]
    )
    # Server and client run on different processors, where there are two.
    _pin(process.pid, -1)
    try:
        _wait(port)
        yield port
    finally:
        process.kill()
        process.wait()


def _pin(pid: int, which: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, {sorted(os.sched_getaffinity(0))[which]})


def _wait(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _rate(wrk: str, port: int, request: str) -> float:
    """Return the requests a second."""
    # wrk sends its own Host.
    lines = [f"{name}: {value}" for name, value in cases.headers(request) if name != "host"]
    process = subprocess.Popen(  # noqa: S603 -- the path that `which` found
        [
            wrk,
            *("-t1", f"-c{_CONNECTIONS}", f"-d{_SECONDS}s"),
            *(part for line in lines for part in ("-H", line)),
            f"http://127.0.0.1:{port}/",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    _pin(process.pid, 0)
    output, _ = process.communicate()
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if found is None or "Non-2xx" in output:
        raise RuntimeError(f"wrk did not get its answers:\n{output}")
    return float(found[1])
