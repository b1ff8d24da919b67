"""Policies that change under load, with real threads: no request sees a mixture of two.

Under gunicorn with threads, and under Werkzeug's server with a thread for each connection.
"""

from __future__ import annotations

import http.client
import importlib.util
import os
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug.serving import make_server

import cors_headers
from cors_headers import OTHER_PAGE, PAGE, UNTOUCHED, cors_of
from server_apps_live import flask_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Headers = dict[str, list[str]]
    Server = Callable[[Path], AbstractContextManager[int]]

REPLACEMENTS = 1000
AT_ONCE = 20
CLIENTS = 4
START_SECONDS = 60.0
SAFELISTED = "accept, accept-language, content-language, content-type, range"
MOVING = ("/seen", "/moving", "/blue/seen")


@contextmanager
def gunicorn(folder: Path) -> Iterator[int]:
    """Serve the application in one process with a pool of threads."""
    if importlib.util.find_spec("gunicorn") is None:
        pytest.skip("gunicorn is not installed")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    search = [str(Path(cors_headers.__file__).parent), *filter(None, sys.path)]
    log = folder / "log"
    options = ["--bind", f"127.0.0.1:{port}", "--threads", "8", "--keep-alive", "60"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *options, "server_apps_live:flask_app()"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(search)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        give_up = time.monotonic() + START_SECONDS
        while not answers(port):
            assert process.poll() is None, log.read_text("utf-8", "replace")
            assert time.monotonic() < give_up, log.read_text("utf-8", "replace")
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def werkzeug(folder: Path) -> Iterator[int]:
    """Serve the application with a thread for each connection."""
    server = make_server("127.0.0.1", 0, flask_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(START_SECONDS)
        server.server_close()


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str]
) -> tuple[int, Headers, str]:
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read().decode()
    return response.status, cors_of(response.getheaders()), body


def numbers_in(headers: Headers) -> set[str]:
    """Return the generations that the headers come from."""
    text = " ".join(value for lines in headers.values() for value in lines)
    return {
        *re.findall(r"generation-(\d+)", text, re.IGNORECASE),
        *headers.get("access-control-max-age", ()),
    }


def preflight(origin: str) -> dict[str, str]:
    return {"Origin": origin, "Access-Control-Request-Method": "GET"}


def look(connection: http.client.HTTPConnection, found: set[str]) -> None:
    """Ask everything once, and fail if an answer mixes two generations."""
    for path in MOVING:
        status, headers, _ = ask(connection, "OPTIONS", path, preflight(PAGE))
        (number,) = numbers_in(headers)
        assert status == 204
        assert headers == {
            "access-control-allow-origin": [PAGE],
            "access-control-allow-methods": [f"GET, HEAD, POST, GENERATION-{number}"],
            "access-control-allow-headers": [f"{SAFELISTED}, x-generation-{number}"],
            "access-control-max-age": [number],
            "vary": ["origin"],
        }
        found.add(number)
        status, headers, body = ask(connection, "GET", path, {"Origin": PAGE})
        assert status == 200, body
        (number,) = numbers_in(headers)
        assert headers["access-control-expose-headers"] == [f"X-Generation-{number}"] == [body]
    _, headers, body = ask(connection, "GET", "/fixed", {"Origin": OTHER_PAGE})
    assert (headers["access-control-expose-headers"], body) == (["X-Fixed"], "X-Fixed")
    status, headers, _ = ask(connection, "OPTIONS", "/fixed", preflight(OTHER_PAGE))
    assert (status, headers["access-control-max-age"]) == (204, ["77"])
    status, headers, _ = ask(connection, "OPTIONS", "/alone", preflight(PAGE))
    assert (status, headers) == (200, UNTOUCHED)


@pytest.mark.parametrize("server", [gunicorn, pytest.param(werkzeug, marks=pytest.mark.slow)])
def test_no_request_sees_a_mixture(server: Server, tmp_path: Path) -> None:
    failures: list[BaseException] = []
    found: list[set[str]] = []
    is_ready, is_over = threading.Barrier(CLIENTS + 1), threading.Event()

    def client(port: int) -> None:
        seen: set[str] = set()
        found.append(seen)
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                look(connection, seen)
                is_ready.wait(START_SECONDS)
                while not is_over.is_set():
                    look(connection, seen)
                look(connection, seen)
        except BaseException as error:  # noqa: BLE001 - shown below, in the thread of the test
            failures.append(error)
            is_ready.abort()

    with server(tmp_path) as port:
        threads = [threading.Thread(target=client, args=(port,)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            with suppress(threading.BrokenBarrierError):
                is_ready.wait(START_SECONDS)
            for _ in range(REPLACEMENTS // AT_ONCE):
                assert ask(connection, "GET", f"/replace/{AT_ONCE}", {})[0] == 200
            is_over.set()
            for thread in threads:
                thread.join(START_SECONDS)
    assert failures == []
    assert all({"0", str(REPLACEMENTS)} <= seen for seen in found)
    # Some answers came between the first and the last generation.
    assert len(set().union(*found)) > 2
