"""Plays the server: calls an application in process, many times or once."""

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

# So many requests are made ready before the clock starts.
_CHUNK = 100


def installed(layers: dict[str, str]) -> tuple[str, ...]:
    """The layers whose package is there: names to the module that has to be."""
    return tuple(layer for layer, module in layers.items() if find_spec(module) is not None)


class AsgiSite:
    """Serves ``app``, an ASGI 3 application that waits for nothing."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app

    def runner(self, request: str) -> Run:
        """What serves requests of one kind, as many as it is told."""
        app, scope = self.app, _scope(request)

        def run(count: int) -> float:
            started = perf_counter()
            for _ in range(count):
                # No event loop: it would cost more than what is measured, and vary more.
                # A scope of its own: routers write into it.
                try:
                    app(scope.copy(), _receive, _send).send(None)
                except StopIteration:
                    pass
            return perf_counter() - started

        return run

    def remember(self, request: str) -> None:
        """Serve a request of that kind in an event loop, so that later ones await nothing."""
        asyncio.run(self.app(_scope(request), _receive, _send))

    def answer(self, request: str) -> Response:
        """The response to one request of that kind."""
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
    """Serves ``app``, a WSGI application.

    Args:
        app: The application.
        serving: Makes a context to serve requests in, for what is configured for a whole process.
    """

    def __init__(
        self,
        app: Callable[..., Any],
        serving: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.app = app
        self.serving = serving

    def runner(self, request: str) -> Run:
        """What serves requests of one kind, as many as it is told."""
        app, base = self.app, environ_of(request)

        def run(count: int) -> float:
            seconds = 0.0
            with self.serving():
                for already in range(0, count, _CHUNK):
                    # Applications write into it, so that each request needs its own.
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
        """The response to one request of that kind."""
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
    """A request of that kind, with what else a server puts beside its headers."""
    return {**cases.environ(request), "wsgi.input": BytesIO(), "wsgi.errors": BytesIO()}


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: object) -> None:
    pass


def _start_response(status: str, headers: object, exc_info: object = None) -> None:
    pass
