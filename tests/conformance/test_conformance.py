"""The adapters for any ASGI and any WSGI application, around one without a framework."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import corscore_asgi
import corscore_wsgi
from adapter_suite import AdapterSuite
from corscore.testing.conformance import (
    Sender,
    Site,
    asgi_sender,
    asgi_site,
    wsgi_sender,
    wsgi_site,
)

if TYPE_CHECKING:
    from corscore.integration import Policies

pytestmark = pytest.mark.usefixtures("build")

IN_DEBUG = {"/crash": "a debugger outside shows its page"}


class TestASGI(AdapterSuite):
    out_of_reach_in_debug = IN_DEBUG

    def serve(self, site: Site, policies: Policies) -> Sender:
        return asgi_sender(corscore_asgi.CORSMiddleware(asgi_site(site), policies))


class TestWSGI(AdapterSuite):
    out_of_reach_in_debug = IN_DEBUG

    def serve(self, site: Site, policies: Policies) -> Sender:
        return wsgi_sender(corscore_wsgi.CORSMiddleware(wsgi_site(site), policies))


def test_what_an_asgi_application_leaves_running_ends_with_its_request() -> None:
    ended: list[str] = []

    async def background() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("task")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        tasks.append(asyncio.create_task(background()))
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    tasks: list[asyncio.Task[None]] = []
    send = asgi_sender(app)
    for count in (1, 2):
        assert send("GET", "https://api.example/", []).status == 204
        assert ended == ["task"] * count
