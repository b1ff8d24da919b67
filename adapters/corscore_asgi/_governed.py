"""Requests that more than one plain policy is about: carried to the governor, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore.integration import RequestContext

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any

    from corscore import Decision
    from corscore.integration import Outcome

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

DECISION = "corscore.decision"
"""The key of the scope where the application finds the ``Decision`` about its request."""

_START = "http.response.start"
_DENIAL = "websocket.http.response"


def no_sender(scope: Any, send: Any) -> tuple[()]:  # noqa: ARG001
    """In the place of a plain policy's ``sender``: it answers nothing.

    So the adapter learns what to do from a look that it takes anyway.
    """
    return ()


def request_context(scope: Scope, path: str) -> RequestContext:
    """What the governor reads of an ``http`` or ``websocket`` scope, at the path that it routes."""
    return RequestContext.from_raw(
        # A handshake is a GET: https://www.rfc-editor.org/rfc/rfc6455#section-4.1
        scope.get("method", "GET"),
        scope["headers"],
        path=path,
        native=scope,
    )


def path_of(scope: Scope) -> str:
    """The path below where the application is mounted.

    https://asgi.readthedocs.io/en/latest/specs/www.html: ``path`` includes ``root_path``. Servers
    and frameworks of before leave it out.
    """
    path: str = scope["path"]
    root: str = scope.get("root_path") or ""
    if path == root:
        return "/"
    below = path.removeprefix(root)
    return below if below.startswith("/") else path


def with_headers(decision: Decision, send: Send, on_conflict: Callable[[str], object]) -> Send:
    """A ``send`` whose response starts with the headers of a decision."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == _START:
            # A copy: an application may send one constant message to everybody.
            headers = decision.apply_raw(message.get("headers", ()), on_conflict)
            message = {**message, "headers": headers}
        await send(message)

    return send_with_headers


async def respond(outcome: Outcome, send: Send) -> None:
    """Sends the response that an outcome has ready."""
    if outcome.response is not None:
        status, headers, body = outcome.response
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": _START, "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})


async def deny_handshake(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers a WebSocket's handshake with 403."""
    await receive()
    if _DENIAL not in (scope.get("extensions") or {}):
        # Before it is accepted, servers turn this into a 403.
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    headers = [(b"content-length", b"0"), (b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": f"{_DENIAL}.start", "status": 403, "headers": headers})
    await send({"type": f"{_DENIAL}.body", "body": b""})
