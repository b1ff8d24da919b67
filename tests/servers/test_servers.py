"""Adapters behind real servers on loopback: every header line on the wire.

To add a server, put a ``Server`` into ``SERVERS`` with the command that starts it; to add a
framework, write its application in ``server_apps`` with the paths of ``fastapi_app``.
"""

from __future__ import annotations

import http.client
import importlib.util
import os
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import cors_headers
from cors_headers import OTHER_PAGE, PAGE, cors_of

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 60.0
STOP_SECONDS = 20.0

Lines = list[tuple[str, str]]

READABLE = {
    "access-control-allow-origin": [PAGE],
    "access-control-allow-credentials": ["true"],
    "access-control-expose-headers": ["X-Total"],
    "vary": ["origin"],
}
PREFLIGHT = {
    "access-control-allow-origin": [PAGE],
    "access-control-allow-credentials": ["true"],
    "access-control-allow-methods": ["GET, HEAD, POST, PUT"],
    "access-control-allow-headers": [
        "accept, accept-language, content-language, content-type, range, x-one"
    ],
    "access-control-max-age": ["600"],
    "vary": ["origin"],
}
REFUSED = {"vary": ["origin"]}
FROM_PAGE: Lines = [("Origin", PAGE)]


class Server(NamedTuple):
    """How to start a server.

    Attributes:
        arguments: Arguments of ``python -m``, with ``{port}``, and ``{app}`` for a function of
            ``server_apps``.
        needs: Packages that its tests need.
        app: The application it serves.
        wrong_app: An application with a wrong configuration.
        streams: Whether it sends each chunk as it comes.
    """

    arguments: str
    needs: tuple[str, ...]
    app: str = "fastapi_app"
    wrong_app: str | None = "misconfigured_fastapi_app"
    streams: bool = True


SERVERS = {
    "uvicorn-h11": Server(
        "uvicorn --port {port} --http h11 --loop asyncio --factory server_apps:{app}",
        ("uvicorn", "h11"),
    ),
    "uvicorn-httptools-uvloop": Server(
        "uvicorn --port {port} --http httptools --loop uvloop --factory server_apps:{app}",
        ("uvicorn", "httptools", "uvloop"),
    ),
    "hypercorn": Server(
        "hypercorn --bind 127.0.0.1:{port} server_apps:{app}()", ("hypercorn",), "asgi_app"
    ),
    "granian": Server(
        "granian --interface asgi --port {port} --factory server_apps:{app}", ("granian",)
    ),
    "gunicorn-sync": Server(
        "gunicorn --bind 127.0.0.1:{port} --worker-class sync server_apps_wsgi:{app}()",
        ("gunicorn", "flask"),
        "flask_app",
        "misconfigured_flask_app",
        # This server serves one request at a time.
        streams=False,
    ),
    "gunicorn-gthread": Server(
        "gunicorn --bind 127.0.0.1:{port} --threads 4 server_apps_wsgi:{app}()",
        ("gunicorn", "flask"),
        "wsgi_app",
        "misconfigured_wsgi_app",
    ),
    "waitress": Server(
        "waitress --listen 127.0.0.1:{port} --call server_apps_wsgi:{app}",
        ("waitress", "flask"),
        "wsgi_app",
        "misconfigured_wsgi_app",
    ),
    "flask-run": Server(
        "flask --app server_apps_wsgi:{app}() run --port {port}",
        ("flask",),
        "flask_app",
        "misconfigured_flask_app",
    ),
    "django-runserver": Server(
        "django runserver --noreload {port} --settings {app}",
        ("django",),
        "server_django",
        "server_django_misconfigured",
    ),
    "django-daphne": Server(
        "daphne --bind 127.0.0.1 --port {port} server_django:{app}",
        ("daphne",),
        "django_asgi",
        "misconfigured_django_asgi",
    ),
    "django-uvicorn": Server(
        "uvicorn --port {port} server_django:{app}",
        ("django", "uvicorn"),
        "django_asgi",
        "misconfigured_django_asgi",
    ),
    "django-gunicorn-uvicorn": Server(
        "gunicorn --bind 127.0.0.1:{port} --worker-class uvicorn_worker.UvicornWorker "
        "server_django:{app}",
        ("django", "gunicorn", "uvicorn_worker"),
        "django_asgi",
        "misconfigured_django_asgi",
    ),
    "django-gunicorn-gthread": Server(
        "gunicorn --bind 127.0.0.1:{port} --threads 4 server_django:{app}",
        ("django", "gunicorn"),
        "django_wsgi",
        "misconfigured_django_wsgi",
    ),
}


class Answer(NamedTuple):
    status: int
    headers: Lines
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for other, value in self.headers if other.lower() == name]


class Running:
    """A running server with its log."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self._log = log

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, method: str, path: str, headers: Lines) -> Answer:
        with closing(self.connect()) as connection:
            return ask(connection, method, path, headers)

    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")


def start(
    connection: http.client.HTTPConnection, method: str, path: str, headers: Lines
) -> http.client.HTTPResponse:
    """Send a request with the given header lines, and read the start of the response."""
    connection.putrequest(method, path)
    for name, value in headers:
        connection.putheader(name, value.encode("latin-1"))
    connection.endheaders()
    return connection.getresponse()


def ask(connection: http.client.HTTPConnection, method: str, path: str, headers: Lines) -> Answer:
    response = start(connection, method, path, headers)
    return Answer(response.status, response.getheaders(), response.read())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _start(server: Server, app: str, port: int, log: Path) -> subprocess.Popen[bytes]:
    missing = [name for name in server.needs if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    arguments = server.arguments.format(port=port, app=app).split()
    search = [str(Path(cors_headers.__file__).parent), *filter(None, sys.path)]
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=log.parent,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(search), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def _running(server: Server, log: Path) -> Iterator[Running]:
    port = _free_port()
    process = _start(server, server.app, port, log)
    running = Running(port, log)
    try:
        give_up = time.monotonic() + START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > give_up:
                pytest.fail(f"the server did not start:\n{running.log()}", pytrace=False)
            time.sleep(0.02)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Server:
    found: Server = SERVERS[request.param]
    return found


@pytest.fixture(scope="module")
def running(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with _running(server, tmp_path_factory.mktemp("server") / "log") as started:
        yield started


def test_an_actual_request_gets_the_headers(running: Running) -> None:
    answer = running.ask("GET", "/ok", FROM_PAGE)
    assert (answer.status, answer.body, answer.all("x-total")) == (200, b"ok", ["3"])
    assert cors_of(answer.headers) == READABLE
    head = running.ask("HEAD", "/nowhere", FROM_PAGE)
    assert (head.status, cors_of(head.headers)) == (404, READABLE)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Origin", OTHER_PAGE)],
        [("Origin", PAGE), ("Origin", PAGE)],
        [("Origin", PAGE), ("origin", OTHER_PAGE)],
        [("Origin", f"{PAGE}, {OTHER_PAGE}")],
        [("Origin", "https://\xe9\xff.example")],
        [("Origin", f"https://{'a' * 1000}.example")],
        [("Origin", "null")],
        [("Origin", "")],
    ],
    ids=["none", "other", "twice", "two", "joined", "latin-1", "long", "null", "empty"],
)
def test_a_refused_request_is_served_without_the_headers(running: Running, headers: Lines) -> None:
    answer = running.ask("GET", "/ok", headers)
    assert (answer.status, answer.body) == (200, b"ok")
    assert cors_of(answer.headers) == REFUSED


def test_a_preflight_leaves_the_connection_usable(running: Running) -> None:
    asked = [("Access-Control-Request-Method", "PUT"), ("Access-Control-Request-Headers", "x-one")]
    with closing(running.connect()) as connection:
        for _ in range(2):
            allowed = ask(connection, "OPTIONS", "/nowhere", [*FROM_PAGE, *asked])
            assert (allowed.status, allowed.body) == (204, b"")
            assert cors_of(allowed.headers) == PREFLIGHT
            assert not allowed.all("content-length")
            assert not allowed.all("transfer-encoding")
            refused = ask(connection, "OPTIONS", "/ok", [("Origin", OTHER_PAGE), *asked])
            assert (refused.status, refused.body) == (403, b"")
            assert cors_of(refused.headers) == REFUSED
            assert refused.all("content-length") == ["0"]
            actual = ask(connection, "GET", "/ok", FROM_PAGE)
            assert (actual.body, cors_of(actual.headers)) == (b"ok", READABLE)


def test_headers_of_cors_that_the_application_sets_are_merged_or_replaced(running: Running) -> None:
    answer = running.ask("GET", "/own", FROM_PAGE)
    assert cors_of(answer.headers) == {**READABLE, "vary": ["accept", "origin"]}
    assert answer.all("set-cookie") == ["one=1", "two=2"]
    refused = running.ask("GET", "/own", [("Origin", OTHER_PAGE)])
    assert cors_of(refused.headers) == {"vary": ["accept", "origin"]}
    assert refused.all("set-cookie") == ["one=1", "two=2"]


def test_an_unhandled_exception_is_readable_and_logged(running: Running) -> None:
    answer = running.ask("GET", "/boom", FROM_PAGE)
    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    assert cors_of(answer.headers) == READABLE
    assert running.ask("GET", "/ok", FROM_PAGE).status == 200
    give_up = time.monotonic() + START_SECONDS
    while "Boom" not in running.log():
        assert time.monotonic() < give_up, running.log()
        time.sleep(0.02)


def test_streams_are_not_buffered(server: Server, running: Running) -> None:
    if not server.streams:
        pytest.skip("this server waits for the whole response, or serves one request at a time")
    with closing(running.connect()) as connection:
        response = start(connection, "GET", "/stream", FROM_PAGE)
        assert cors_of(response.getheaders()) == READABLE
        assert response.read(3) == b"one"
        # Only now may the application go on.
        assert running.ask("GET", "/go-on", FROM_PAGE).status == 200
        assert response.read() == b"two"


def test_a_wrong_configuration_stops_the_server(server: Server, tmp_path: Path) -> None:
    if server.wrong_app is None:
        pytest.skip("the application is made before the server starts")
    log = tmp_path / "log"
    process = _start(server, server.wrong_app, _free_port(), log)
    try:
        process.wait(START_SECONDS)
    finally:
        process.kill()
    assert 'write "https://app.example"' in log.read_text("utf-8", "replace")
