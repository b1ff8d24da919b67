"""``check_websocket_origin``: which handshakes pass, also over real sockets and in Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from corscore import Policy
from corscore_asgi import CORSMiddleware
from servers import serve
from tables import cases
from ways import IN_EVERY_WAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from corscore.integration import Policies
    from servers import Served

EVIL = "https://evil.example"
FRIEND = "https://friend.example"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """An empty page over HTTP, and an echo over WebSockets."""
    if scope["type"] == "http":
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"<!doctype html>"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    message = await receive()
    await send({"type": "websocket.send", "text": message.get("text", "")})
    await send({"type": "websocket.close", "code": 1000})


def handshake(layer: Any, case: dict[str, Any], *, denial: bool = False) -> list[str] | None:
    """Return the types of the messages sent, or None where the application was called."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [("host", "shop.example"), ("origin", case["origin"])]
    headers.append(("sec-fetch-site", case["site"]))
    scope = {
        "type": "websocket",
        "path": "/ws",
        "headers": [(n.encode(), v.encode()) for n, v in headers if v is not None],
        "extensions": {"websocket.http.response": {}} if denial else {},
    }
    anyio.run(layer, scope, receive, send)
    types = [message["type"] for message in sent]
    return None if "websocket.accept" in types else types


@pytest.mark.parametrize("case", cases("handshakes"))
@pytest.mark.parametrize("denial", [False, True])
@IN_EVERY_WAY
def test_a_handshake_passes_or_is_refused_as_the_table_says(
    way: Callable[[Policy], Policies], denial: bool, case: dict[str, Any]
) -> None:
    if case.get("any"):
        policy = Policy(allow_origins=["*"])
    else:
        credentials = case.get("credentials", True)
        policy = Policy(allow_origins=["https://partner.example"], allow_credentials=credentials)
    own_origins = ["https://www.shop.example"]
    layer = CORSMiddleware(app, way(policy), check_websocket_origin=True, own_origins=own_origins)
    types = handshake(layer, case, denial=denial)
    if case["passes"]:
        assert types is None
    elif denial:
        assert types == ["websocket.http.response.start", "websocket.http.response.body"]
    else:
        assert types == ["websocket.close"]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    policy = Policy(allow_origins=[FRIEND], allow_credentials=True)
    layer = CORSMiddleware(app, policy, check_websocket_origin=True)
    with serve(layer, lifespan="off", ws="wsproto") as served:
        yield served


def echo(served: Served, origin: str | None) -> str | bytes:
    url = f"ws://127.0.0.1:{served.port}/"
    with connect(url, origin=origin, proxy=None) as socket:  # type: ignore[arg-type]
        socket.send("hello")
        return socket.recv(timeout=10)


@pytest.mark.parametrize("origin", [None, FRIEND, "own"])
def test_a_client_of_an_allowed_origin_is_connected(served: Served, origin: str | None) -> None:
    assert echo(served, served.origin if origin == "own" else origin) == "hello"


@pytest.mark.parametrize("origin", [EVIL, "null"])
def test_a_client_of_another_origin_gets_403(served: Served, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        echo(served, origin)
    assert caught.value.response.status_code == 403


SCRIPT = """url => new Promise(resolve => {
    const socket = new WebSocket(url)
    socket.onopen = () => socket.send('hello')
    socket.onmessage = event => resolve(event.data)
    socket.onerror = () => resolve('refused')
})"""


def test_a_browser_connects_from_an_allowed_page_only(served: Served, chromium: Browser) -> None:
    url = f"ws://127.0.0.1:{served.port}/"
    page = chromium.new_page()
    try:
        page.goto(served.origin + "/")
        assert page.evaluate(SCRIPT, url) == "hello"
        # To a browser, the same server under another name is another origin.
        page.goto(served.origin_as("localhost") + "/")
        assert page.evaluate(SCRIPT, url) == "refused"
    finally:
        page.close()
