"""``flask run --debug``: Werkzeug's debugger outside of the policy, and its reloader."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx2
import pytest

from cors_headers import OTHER_PAGE, PAGE, READABLE, REFUSED, UNTOUCHED, cors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 60.0

APPLICATION = """
from flask import Flask
from corscore_flask import CORS

def create_app():
    app = Flask(__name__)
    CORS(app, origins=["{origin}"])

    @app.get("/")
    def index():
        return "index"

    @app.get("/boom")
    def boom():
        raise LookupError("boom")

    return app
"""


class Running(NamedTuple):
    client: httpx2.Client
    source: Path
    log: Path

    def get(self, path: str, origin: str | None = None) -> httpx2.Response:
        return self.client.get(path, headers={"Origin": origin} if origin else {})

    def waits_for(self, condition: Callable[[], bool]) -> None:
        give_up = time.monotonic() + SECONDS
        while not _holds(condition):
            assert time.monotonic() < give_up, self.log.read_text()
            time.sleep(0.05)


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except httpx2.TransportError:
        return False  # not started yet, or restarting


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    source, log = tmp_path / "application.py", tmp_path / "log"
    source.write_text(APPLICATION.format(origin=PAGE))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = ["-m", "flask", "--app", "application:create_app", "run", "--debug", "--port"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command, str(port)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # The reloader has a child process, which must end, too.
            start_new_session=True,
        )
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            found = Running(client, source, log)
            found.waits_for(lambda: found.get("/").status_code == 200)
            yield found
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")
def test_the_debugger_answers_with_the_headers_and_the_reloader_keeps_the_policy(
    running: Running,
) -> None:
    assert cors_of(running.get("/", PAGE).headers.multi_items()) == READABLE
    assert cors_of(running.get("/", OTHER_PAGE).headers.multi_items()) == REFUSED

    # The page of an allowed origin can read the error.
    awaited = running.get("/boom", PAGE)
    assert (awaited.status_code, awaited.text) == (500, "Internal Server Error")
    assert cors_of(awaited.headers.multi_items()) == READABLE
    running.waits_for(lambda: "LookupError: boom" in running.log.read_text())

    # Other requests get Werkzeug's debugger.
    for origin in (None, OTHER_PAGE, str(running.client.base_url)):
        page = running.get("/boom", origin)
        assert page.status_code == 500
        assert "LookupError" in page.text
        assert cors_of(page.headers.multi_items()) == UNTOUCHED

    running.source.write_text(APPLICATION.format(origin=OTHER_PAGE))
    running.waits_for(
        lambda: cors_of(running.get("/", OTHER_PAGE).headers.multi_items()) != REFUSED
    )
    assert cors_of(running.get("/", PAGE).headers.multi_items()) == REFUSED
