"""ASGI applications of Channels: WebSockets with a check of the origin, and without."""

from __future__ import annotations

from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.middleware import BaseMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.urls import path

import django_project  # noqa: F401 - it configures Django
from corscore import Policy
from corscore_asgi import CORSMiddleware

PARTNER = "https://partner.example"
POLICY = Policy(allow_origins=[PARTNER], allow_credentials=True)


class Echo(AsyncWebsocketConsumer):
    """A consumer that accepts every WebSocket."""


# Channels and the middleware have different types of scopes.
_echo: Any = Echo.as_asgi()
_routes: list[Any] = [path("ws/", _echo)]
consumers: Any = URLRouter(_routes)
_checked: Any = CORSMiddleware(consumers, POLICY, check_websocket_origin=True)
_http: Any = get_asgi_application()

plain = _http
without_websockets = ProtocolTypeRouter({"http": _http})
unchecked: Any = ProtocolTypeRouter({"http": _http, "websocket": BaseMiddleware(consumers)})
not_asked_for = ProtocolTypeRouter({"websocket": CORSMiddleware(consumers, POLICY)})
checked = ProtocolTypeRouter({"http": _http, "websocket": _checked})
checked_below = ProtocolTypeRouter({"websocket": BaseMiddleware(_checked)})
checked_around = CORSMiddleware(unchecked, POLICY, check_websocket_origin=True)
checked_by_channels = ProtocolTypeRouter({"websocket": AllowedHostsOriginValidator(consumers)})
