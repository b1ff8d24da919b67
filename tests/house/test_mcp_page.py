"""The recipe for MCP servers, asked by the client of the package ``mcp`` in a page's place."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from corscore.testing import afetch
from servers import serve

mcp = pytest.importorskip("mcp")
http = pytest.importorskip("mcp.client.streamable_http")

INSPECTOR, STRANGER = "http://localhost:6274", "https://evil.example"
TEXT = (Path(__file__).parents[2] / "docs" / "mcp.md").read_text(encoding="utf-8")
RECIPE, OTHER_NAME = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
# Browsers set these themselves.
OF_BROWSERS = {"accept-encoding", "connection", "content-length", "host", "user-agent"}


def app(recipe: str) -> Any:
    names: dict[str, Any] = {"__name__": "main"}
    exec(compile(recipe, "mcp.md", "exec"), names)  # noqa: S102
    return names["app"]


class PageTransport(httpx2.AsyncBaseTransport):
    """Sends requests as a page does, and gives back what its script may read."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._network = httpx2.AsyncClient()
        self.sent: set[str] = set()
        self.refused: list[str | None] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            # A stream that lasts as long as the session: clients do without.
            return httpx2.Response(405, request=request)
        headers = {k: v for k, v in request.headers.items() if k not in OF_BROWSERS}
        self.sent |= {f"{request.method} {name}" for name in headers}
        result = await afetch(
            self._network,
            str(request.url),
            origin=self._origin,
            method=request.method,
            headers=headers,
            body=await request.aread(),
        )
        if not result.readable:
            self.refused.append(result.reason)
            raise httpx2.ConnectError("Failed to fetch", request=request)
        answer = result.response
        return httpx2.Response(answer.status_code, headers=result.headers, content=answer.content)

    async def aclose(self) -> None:
        await self._network.aclose()


def call_a_tool(page: PageTransport, mode: str) -> Any:
    """Call the recipe's tool from a page."""

    async def call(url: str) -> Any:
        async with httpx2.AsyncClient(transport=page) as client:
            transport = http.streamable_http_client(url, http_client=client)
            async with mcp.Client(transport, mode=mode) as session:
                return await session.call_tool("add", {"a": 1, "b": 2})

    with serve(app(RECIPE), lifespan="on") as served:
        return asyncio.run(call(f"{served.origin}/mcp"))


@pytest.mark.parametrize(
    ("mode", "needed"),
    [
        ("2026-07-28", {"POST mcp-method", "POST mcp-name", "POST mcp-protocol-version"}),
        ("legacy", {"POST mcp-session-id", "DELETE mcp-session-id", "POST mcp-protocol-version"}),
    ],
)
def test_a_page_of_the_inspector_calls_a_tool(mode: str, needed: set[str]) -> None:
    page = PageTransport(INSPECTOR)
    assert call_a_tool(page, mode).structured_content == {"result": 3}
    assert page.sent >= needed


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
def test_a_page_of_another_origin_calls_none(mode: str) -> None:
    page = PageTransport(STRANGER)
    with suppress(Exception):  # a group, on Pythons that have them
        call_a_tool(page, mode)
    assert set(page.refused) == {"preflight-not-ok"}


def post(recipe: str, **headers: str) -> int:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    with TestClient(app(recipe), base_url="http://127.0.0.1:8000") as client:
        status: int = client.post("/mcp", headers=given, content="{}").status_code
    return status


def test_a_form_of_another_site_is_refused() -> None:
    form = {"content_type": "text/plain", "sec_fetch_site": "cross-site", "origin": STRANGER}
    assert post(RECIPE, **form) == 403


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("mcp.example.com", "https://app.example.com", 400),
        ("127.0.0.1:8000", "https://app.example.com", 421),
        ("mcp.example.com", "http://localhost:6274", 403),
    ],
)
def test_the_host_check_has_the_names_of_the_site(host: str, origin: str, status: int) -> None:
    assert post(OTHER_NAME, host=host, origin=origin, content_type="application/json") == status
