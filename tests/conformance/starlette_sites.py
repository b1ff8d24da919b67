"""The suite's application in Starlette and in FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastapi
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from conformance.site import METHODS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.requests import Request

    from conformance.site import Page, Site


def starlette_app(site: Site) -> Starlette:
    """The site as a Starlette application, without CORS."""
    return Starlette(
        routes=[Route(path, _endpoint(site), methods=list(METHODS)) for path in site.pages]
    )


def fastapi_app(site: Site) -> fastapi.FastAPI:
    """The site as a FastAPI application, without CORS."""
    app = fastapi.FastAPI(openapi_url=None)
    for path in site.pages:
        app.add_api_route(path, _endpoint(site), methods=list(METHODS), response_model=None)
    return app


def _endpoint(site: Site) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: fastapi.Request) -> Response:
        return _response(site.visit(request.method, request.url.path))

    return endpoint


def _response(page: Page) -> Response:
    response = (
        StreamingResponse(_streamed(page), page.status)
        if len(page.chunks) > 1
        else Response(b"".join(page.chunks), page.status)
    )
    for name, value in page.headers:
        response.headers.append(name, value)
    return response


async def _streamed(page: Page) -> AsyncIterator[bytes]:
    for chunk in page.chunks:
        yield chunk
