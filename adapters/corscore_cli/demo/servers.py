"""Servers of ASGI and WSGI applications on loopback, each in a thread."""

from __future__ import annotations

import errno
import io
import os
import socket
import sys
import threading
import time
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed.wsgi import WSGIApplication

# Never another address: the page can replace the policy of the API.
HOST = "127.0.0.1"
_POLL_SECONDS = 0.005


class PortUnavailable(Exception):
    """A port is in use, or this user may not take it; the text says which."""

    def __init__(self, port: int, error: OSError) -> None:
        in_use = error.errno == errno.EADDRINUSE
        why = "is in use" if in_use else f"cannot be used: {os.strerror(error.errno or 0)}"
        super().__init__(f"port {port} {why}")
        self.port = port


def listen(port: int) -> socket.socket:
    """Return a listening socket on loopback; 0 takes any free port.

    Raises:
        PortUnavailable: The port is not free.
    """
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise PortUnavailable(port, error) from error


def asgi_server(app: Any) -> uvicorn.Server:
    """Return a server of an ASGI application, which logs nothing and ends soon."""
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        # uvicorn would print the traceback of a 500, which is one of the demo's answers.
        log_level="critical",
        # Browsers keep connections open, which would keep the command from ending.
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


@contextmanager
def serving_asgi(app: Any, listener: socket.socket) -> Iterator[None]:
    """Serve an ASGI application for as long as the context lasts."""
    server = asgi_server(app)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def serving_wsgi(app: WSGIApplication, listener: socket.socket) -> Iterator[None]:
    """Serve a WSGI application for as long as the context lasts."""
    server = _Server(listener)
    server.set_app(app)
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    """The standard library's server, with a thread a request, on a socket that listens already."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        # `server_bind` sets these, too, but asks the name servers for the host's name.
        self.server_address = listener.getsockname()
        self.server_name, self.server_port = HOST, listener.getsockname()[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A browser that closes the connection early is no error.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's name)
        """Log nothing: the terminal shows the table."""

    def get_stderr(self) -> io.StringIO:
        """Drop tracebacks: the exception of /broken is part of the table."""
        return io.StringIO()
