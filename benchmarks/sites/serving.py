"""Servers in process, which call an application many times or once."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from importlib.util import find_spec
from io import BytesIO
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks import cases

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from benchmarks.cases import Run

    # Statuses as numbers, header names in lower case.
    Response = tuple[int, list[tuple[str, str]]]

# Requests that are prepared before the clock starts.
_CHUNK = 100


def installed(layers: dict[str, str]) -> tuple[str, ...]:
    """Return the layers whose package is installed, from their names and packages."""
    return tuple(layer for layer, module in layers.items() if find_spec(module) is not None)


class AsgiSite:
    """A server of ``app``, an ASGI 3 application that waits for nothing."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app

    def runner(self, request: str) -> Run:
        """Return a function that serves a number of requests of one kind."""
        app, scope = self.app, _scope(request)

        def run(count: int) -> float:
            started = perf_counter()
            for _ in range(count):
                # No event loop, which would take longer than what is measured; and a copy of the
                # scope, since routers write into it.
                try:
                    app(scope.copy(), _receive, _send).send(None)
                except StopIteration:
                    pass
            return perf_counter() - started

        return run

    def remember(self, request: str) -> None:
        """Serve one request in an event loop, so that a resolver's verdict is remembered."""
        asyncio.run(self.app(_scope(request), _receive, _send))

    def answer(self, request: str) -> Response:
        """Return the response to one request of that kind."""
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        try:
            self.app(_scope(request), _receive, send).send(None)
        except StopIteration:
            pass
        return sent[0]["status"], [
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in sent[0]["headers"]
        ]


class WsgiSite:
    """A server of ``app``, a WSGI application.

    Args:
        app: The application.
        serving: Returns a context to serve requests in, such as one that changes settings.
    """

    def __init__(
        self,
        app: Callable[..., Any],
        serving: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.app = app
        self.serving = serving

    def runner(self, request: str) -> Run:
        """Return a function that serves a number of requests of one kind."""
        app, base = self.app, environ_of(request)

        def run(count: int) -> float:
            seconds = 0.0
            with self.serving():
                for already in range(0, count, _CHUNK):
                    # Copies, since applications write into them.
                    environs = [base.copy() for _ in range(min(_CHUNK, count - already))]
                    started = perf_counter()
                    for environ in environs:
                        body = app(environ, _start_response)
                        for _ in body:
                            pass
                        if hasattr(body, "close"):
                            body.close()
                    seconds += perf_counter() - started
            return seconds

        return run

    def answer(self, request: str) -> Response:
        """Return the response to one request of that kind."""
        started: list[Response] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: object = None
        ) -> None:
            lower = [(name.lower(), value) for name, value in headers]
            started.append((int(status[:3]), lower))

        with self.serving():
            body = self.app(environ_of(request), start_response)
            for _ in body:
                pass
            if hasattr(body, "close"):
                body.close()
        return started[-1]


Site = AsgiSite | WsgiSite


def _scope(request: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": cases.method(request),
        "scheme": "https",
        "path": cases.PATH,
        "raw_path": cases.PATH.encode("ascii"),
        "root_path": "",
        "query_string": b"",
        "headers": cases.raw_headers(request),
        "client": ("192.0.2.1", 50000),
        "server": ("192.0.2.2", 443),
    }


def environ_of(request: str) -> dict[str, Any]:
    """Return the environ of a request of that kind, with its streams."""
    return {**cases.environ(request), "wsgi.input": BytesIO(), "wsgi.errors": BytesIO()}


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: object) -> None:
    pass


def _start_response(status: str, headers: object, exc_info: object = None) -> None:
    pass
