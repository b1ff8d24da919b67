"""Real servers on loopback, for tests that need a socket."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_SECONDS = 30.0
_STOP_SECONDS = 30.0


class Served:
    """The address of an application; its port has an origin for each name of loopback."""

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def origin(self) -> str:
        return self.origin_as("127.0.0.1")

    def origin_as(self, host: str) -> str:
        return f"http://{host}:{self.port}"


@contextmanager
def serve(app: Any, **config: Any) -> Iterator[Served]:
    """Run an ASGI application under uvicorn, in a thread, on a free port of 127.0.0.1.

    Args:
        app: The application.
        config: Further options of ``uvicorn.Config``, such as ``lifespan="on"``.

    Raises:
        RuntimeError: The server stopped before it was ready, or did not become ready.
    """
    options: dict[str, Any] = {
        "loop": "asyncio",
        "http": "h11",
        "log_level": "critical",
        # Browsers keep connections open, which would delay the end of the test.
        "timeout_graceful_shutdown": 1,
        **config,
    }
    server = uvicorn.Server(uvicorn.Config(app, **options))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        thread = threading.Thread(target=_run, args=(server, listener), daemon=True)
        thread.start()
        try:
            _wait_until_ready(server, thread)
            yield Served(port)
        finally:
            server.should_exit = True
            thread.join(_STOP_SECONDS)
    if thread.is_alive():
        raise RuntimeError("the server did not stop")


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    # A server whose application does not start ends the process.
    with suppress(SystemExit):
        server.run([listener])


def _wait_until_ready(server: uvicorn.Server, thread: threading.Thread) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server stopped before it was ready")
        if time.monotonic() > give_up:
            raise RuntimeError("the server did not become ready")
        time.sleep(0.005)
