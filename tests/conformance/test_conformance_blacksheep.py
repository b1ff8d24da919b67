"""An adapter as its author would write it, for a framework that corscore does not know: BlackSheep.

It uses public names only, those of ``docs/writing-an-adapter.md``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable  # BlackSheep evaluates annotations
from typing import TYPE_CHECKING, Any

import pytest

from corscore import RequestInfo
from corscore.integration import Governor, Notices, read_arguments
from corscore.testing.conformance import ConformanceSuite, Sender, Site, asgi_sender

if TYPE_CHECKING:
    from corscore.integration import Policies

pytest.importorskip("blacksheep", reason="an adapter for BlackSheep needs it")

import blacksheep


class CORS:
    """A middleware of BlackSheep: ``app.middlewares.append(CORS(app, allow_origins=[...]))``."""

    def __init__(self, app: Any, policy: Policies | None = None, **options: Any) -> None:
        self._app = app
        self._notices = Notices()
        policies, own = read_arguments("CORS(app, ...)", policy, options)
        self._governor = Governor(policies, is_async=True, **own)

    async def __call__(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        info = RequestInfo.from_pairs(
            request.method, request.headers, path_of=lambda one: one.path, native=request
        )
        policy = await self._governor.policy_for_async(info)
        if policy is None:
            self._governor.left_alone(info)
            return await handler(request)
        outcome = await self._governor.govern_async(policy, info)
        if outcome.response is not None:
            status, headers, _ = outcome.response
            # BlackSheep writes its own Content-Length.
            own = [pair for pair in _encoded(headers) if pair[0].lower() != b"content-length"]
            return blacksheep.Response(status, own)
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001 - its handlers of exceptions come after middleware
            response = await self._app.handle_request_handler_exception(request, error)
        pairs = outcome.decision.apply_raw(list(response.headers), self._notices.conflict)
        for name in {name.lower() for name, _ in response.headers}:
            response.remove_header(name)
        for name, value in pairs:
            response.add_header(name, value)
        return response


def _encoded(headers: tuple[tuple[str, str], ...]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


class TestBlackSheep(ConformanceSuite):
    def serve(self, site: Site, policies: Policies) -> Sender:
        app: Any = blacksheep.Application(router=blacksheep.Router())
        app.middlewares.append(CORS(app, policies))

        async def view(request: blacksheep.Request) -> blacksheep.Response:
            page = site.visit(request.method, request.path)
            headers = _encoded(page.headers)
            return blacksheep.Response(page.status, headers, _content(page.chunks))

        for path in site.pages:
            for route in site.routes(path):
                for method in route.methods:
                    app.router.add(method, path, view)
        asyncio.run(app.start())
        return asgi_sender(app)


def _content(chunks: tuple[bytes, ...]) -> Any:
    async def streamed() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    if len(chunks) > 1:
        return blacksheep.StreamedContent(b"text/plain", streamed)
    return blacksheep.Content(b"text/plain", b"".join(chunks)) if chunks else None
