"""A plain ASGI application, behind corscore, Starlette's middleware and asgi-cors."""

from __future__ import annotations

from typing import Any

from benchmarks import cases
from benchmarks.cases import BARE, CORSCORE, NOTHING
from benchmarks.sites.serving import AsgiSite, installed
from corscore_asgi import CORSMiddleware

STARLETTE = "starlette"
ASGI_CORS = "asgi-cors"
LAYERS = (BARE, NOTHING, CORSCORE, *installed({STARLETTE: "starlette", ASGI_CORS: "asgi_cors"}))

_HEADERS = [(name.encode(), value.encode()) for name, value in cases.RESPONSE_HEADERS]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer every request with a little JSON."""
    await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS]})
    await send({"type": "http.response.body", "body": cases.BODY})


class Nothing:
    """A layer that does nothing."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def build(layer: str, count: int = 1) -> AsgiSite:
    """Return the application behind a layer that allows ``count`` origins."""
    return AsgiSite(_layered(layer, cases.options(count)))


def _layered(layer: str, options: cases.Options) -> Any:
    if layer == NOTHING:
        return Nothing(app)
    if layer == CORSCORE:
        return CORSMiddleware(app, **options)
    if layer == STARLETTE:
        from starlette.middleware import cors

        return cors.CORSMiddleware(app, **options)
    if layer == ASGI_CORS:
        import asgi_cors

        # asgi-cors has no options for credentials and exposed headers, and answers no preflights.
        return asgi_cors.asgi_cors(
            app,
            hosts=options["allow_origins"],
            headers=options["allow_headers"],
            methods=options["allow_methods"],
        )
    return app
