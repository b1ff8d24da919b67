"""WebSockets of Channels: ``corscore_asgi`` checks them, or a system check warns."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

import channels_apps
from channels_apps import PARTNER
from corscore_django.checks import check_websockets
from django_project import project


def handshake(app: Any, origin: str | None) -> str:
    """Return the type of the answer to a handshake."""
    sent: list[Any] = []
    incoming = [{"type": "websocket.disconnect", "code": 1000}, {"type": "websocket.connect"}]

    async def receive() -> Any:
        return incoming.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"shop.example")]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    anyio.run(app, {"type": "websocket", "path": "/ws/", "headers": headers}, receive, send)
    return str(sent[0]["type"])


@pytest.mark.parametrize("name", ["checked", "checked_below", "checked_around"])
@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        (None, True),
        ("https://shop.example", True),
        (PARTNER, True),
        ("https://evil.example", False),
        ("null", False),
    ],
)
def test_which_pages_open_a_websocket_of_channels(
    name: str, origin: str | None, passes: bool
) -> None:
    answer = handshake(getattr(channels_apps, name), origin)
    assert answer == ("websocket.accept" if passes else "websocket.close")


def test_any_page_opens_one_that_is_not_checked() -> None:
    assert handshake(channels_apps.unchecked, "https://evil.example") == "websocket.accept"


CHANNELS = ["channels", "corscore_django"]


@pytest.mark.parametrize(
    ("settings", "warns"),
    [
        ({"ASGI_APPLICATION": "channels_apps.unchecked"}, True),
        ({"ASGI_APPLICATION": "channels_apps.not_asked_for"}, True),
        ({"INSTALLED_APPS": CHANNELS}, True),
        ({"ASGI_APPLICATION": "channels_apps.checked", "INSTALLED_APPS": CHANNELS}, False),
        ({"ASGI_APPLICATION": "channels_apps.checked_below"}, False),
        ({"ASGI_APPLICATION": "channels_apps.checked_around"}, False),
        ({"ASGI_APPLICATION": "channels_apps.checked_by_channels"}, False),
        ({"ASGI_APPLICATION": "channels_apps.without_websockets"}, False),
        ({"ASGI_APPLICATION": "channels_apps.plain"}, False),
        ({"ASGI_APPLICATION": "no_such_module.application"}, False),
        ({}, False),
        ({"ASGI_APPLICATION": "channels_apps.unchecked", "CORS_BLOCK_CROSS_SITE": False}, False),
        ({"ASGI_APPLICATION": "channels_apps.unchecked", "CORS_BLOCK_CROSS_SITE": "yes"}, False),
    ],
)
def test_unchecked_websockets_are_a_warning_where_cross_site_requests_are_blocked(
    settings: dict[str, Any], warns: bool
) -> None:
    with project(**{"CORS_BLOCK_CROSS_SITE": True, **settings}):
        found = check_websockets()
    assert [message.id for message in found] == ["corscore.W012"] * warns
    assert all("check_websocket_origin=True" in str(message.hint) for message in found)
