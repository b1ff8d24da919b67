"""Every framework of the page about other frameworks, wrapped as in its example."""

from __future__ import annotations

import asyncio
import re
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

import django_project
from cors_headers import cors_of
from corscore.testing.conformance import asgi_sender, wsgi_sender
from corscore.testing.conformance._asgi import _exchange, http_scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from corscore.testing.conformance import Answer

PAGE = "https://app.example.com"
API = "https://api.example.com"
TEXT = (Path(__file__).parents[2] / "docs" / "frameworks.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTIONS = dict(section.split("\n", 1) for section in TEXT.split("\n## ")[1:])
EXAMPLES = {name: "".join(FENCED.findall(text)) for name, text in SECTIONS.items()}
del EXAMPLES["aiohttp and Tornado"]
# Frameworks that need start-up events.
NEEDS_LIFESPAN = {"Sanic"}
ANSWERS = [("GET", "/", 200), ("GET", "/missing", 404), ("DELETE", "/", 405)]


@asynccontextmanager
async def started(app: Any) -> AsyncIterator[None]:
    """Run an application between start-up and shutdown, as a server does."""
    received: asyncio.Queue[str] = asyncio.Queue()
    sent: asyncio.Queue[str] = asyncio.Queue()

    async def receive() -> dict[str, str]:
        return {"type": await received.get()}

    async def send(message: dict[str, str]) -> None:
        await sent.put(message["type"])

    task = asyncio.create_task(app({"type": "lifespan", "asgi": {}}, receive, send))
    await received.put("lifespan.startup")
    assert await sent.get() == "lifespan.startup.complete"
    yield
    await received.put("lifespan.shutdown")
    await task


Asked = tuple[str, str, list[tuple[str, str]]]


def ask(name: str, served: Any, *requests: Asked) -> list[Answer]:
    """Send requests with the page's origin."""
    asked = [(method, API + path, [("Origin", PAGE), *more]) for method, path, more in requests]
    if name not in NEEDS_LIFESPAN:
        sender = wsgi_sender if name == "Falcon" else asgi_sender
        return [sender(served)(*request) for request in asked]

    async def main() -> list[Answer]:
        async with started(served):
            return [await _exchange(served, http_scope(*request)) for request in asked]

    return asyncio.run(main())


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run an example as a module, since frameworks look for the module of a view."""
    module = ModuleType("frameworks_example")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return vars(module)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_framework_is_wrapped_from_outside(name: str, names: dict[str, Any]) -> None:
    if name in ("Quart", "Sanic"):
        pytest.importorskip(name.lower())
    with django_project.project(ROOT_URLCONF="django_views", MIDDLEWARE=[], ALLOWED_HOSTS=["*"]):
        exec(compile(EXAMPLES[name], "frameworks.md", "exec"), names)  # noqa: S102
        # The example of Channels has no page to fetch.
        wanted = [one for one in ANSWERS if name != "Channels" or one[2] == 404]
        preflight: Asked = ("OPTIONS", "/", [("Access-Control-Request-Method", "GET")])
        requests: list[Asked] = [(method, path, []) for method, path, _ in wanted]
        answers = ask(name, names["served"], *requests, preflight)
    assert [answer.status for answer in answers] == [*(status for *_, status in wanted), 204]
    for answer in answers:
        assert cors_of(answer.headers)["access-control-allow-origin"] == [PAGE]


def test_each_framework_has_an_example() -> None:
    assert list(EXAMPLES) == ["Litestar", "Quart", "Falcon", "Channels", "Sanic"]


def test_middleware_of_litestar_misses_404_and_405(names: dict[str, Any]) -> None:
    import litestar

    import corscore_asgi

    exec(compile(EXAMPLES["Litestar"], "frameworks.md", "exec"), names)  # noqa: S102

    def inside(app: Any) -> Any:
        return corscore_asgi.CORSMiddleware(app, allow_origins=[PAGE])

    app = litestar.Litestar([names["index"]], middleware=[inside])
    answers = ask("Litestar", app, *((method, path, []) for method, path, _ in ANSWERS))
    reached = {
        answer.status: "access-control-allow-origin" in cors_of(answer.headers)
        for answer in answers
    }
    assert reached == {200: True, 404: False, 405: False}
