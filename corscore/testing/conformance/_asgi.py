"""Requests to an ASGI application in process, and the suite's application without a framework."""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from corscore.testing.conformance._site import Answer, Crash

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from corscore.testing.conformance._site import Headers, Sender, Site

    Message = dict[str, Any]
    # Frameworks type the three parameters differently.
    ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]


def http_scope(method: str, url: str, headers: Headers) -> dict[str, Any]:
    """Return the scope that a server makes of a request; header values are encoded as latin-1."""
    target = urlsplit(url)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": target.scheme,
        "path": unquote(target.path),
        "raw_path": target.path.encode("ascii"),
        "query_string": target.query.encode("ascii"),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in [("Host", target.netloc), *headers]
        ],
        "client": ("192.0.2.1", 50000),
        "server": (target.hostname, target.port or 443),
    }


def asgi_sender(app: ASGIApp) -> Sender:
    """Return a function that sends requests to an ASGI application, one after the other.

    Tasks that the application leaves running are cancelled when it has answered.
    """
    # Making an event loop takes longer than most requests.
    loop = asyncio.new_event_loop()

    def send(method: str, url: str, headers: Headers) -> Answer:
        try:
            return loop.run_until_complete(_exchange(app, http_scope(method, url, headers)))
        finally:
            # `asyncio.run` does the same, but makes a loop for each request.
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(asyncio.wait(left))

    weakref.finalize(send, loop.close)
    return send


async def _exchange(app: ASGIApp, scope: dict[str, Any]) -> Answer:
    start: Message = {}
    body = b""
    requests = [{"type": "http.request", "body": b"", "more_body": False}]
    complete = asyncio.Event()

    async def receive() -> Message:
        if requests:
            return requests.pop()
        # The client disconnects only after the complete answer.
        await complete.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal body
        if message["type"] == "http.response.start":
            _require(not start, "the response was started twice")
            start.update(message)
        elif message["type"] == "http.response.body":
            _require(bool(start), "the body came before http.response.start")
            _require(not complete.is_set(), "the body went on after its last message")
            body += message.get("body", b"")
            if not message.get("more_body", False):
                complete.set()

    try:
        await app(scope, receive, send)
        _require(bool(start), "no http.response.start was sent")
        _require(complete.is_set(), "the last message of the body was never sent")
    except Crash:
        # Frameworks raise it again after their answer, for the server's log.
        start = start or {"status": 500}
    lines = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in start.get("headers", ())
    ]
    return Answer(start["status"], lines, body)


def _require(is_so: bool, fault: str) -> None:
    if not is_so:
        raise AssertionError(f"ASGI: {fault}")


def asgi_site(site: Site) -> ASGIApp:
    """Return the site as an ASGI application that uses no framework."""

    async def app(scope: dict[str, Any], _: Any, send: Any) -> None:
        if scope["path"] not in site.pages:
            await send({"type": "http.response.start", "status": 404})
            await send({"type": "http.response.body"})
            return
        page = site.visit(scope["method"], scope["path"])
        headers = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in page.headers
        ]
        await send({"type": "http.response.start", "status": page.status, "headers": headers})
        for chunk in page.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})

    return app
