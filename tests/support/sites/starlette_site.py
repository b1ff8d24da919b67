"""The application of the conformance suite in Starlette and in FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastapi
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route

from corscore.testing.conformance import asgi_sender
from corscore_starlette import CORSMiddleware, cors_policy, install

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from starlette.requests import Request

    from corscore.integration import Policies
    from corscore.testing.conformance import Page, Sender, Site

    Endpoint = Callable[[Request], Awaitable[Response]]

_PREFIX = "/api/"


def serve_middleware(site: Site, policies: Policies, **options: Any) -> Sender:
    app = starlette_app(site)
    app.add_middleware(CORSMiddleware, policy=policies, **options)
    return asgi_sender(app)


def serve_installed(site: Site, policies: Policies, **options: Any) -> Sender:
    app = starlette_app(site)
    install(app, policies, **options)
    return asgi_sender(app)


def serve_fastapi(site: Site, policies: Policies, **options: Any) -> Sender:
    app = fastapi_app(site)
    install(app, policies, **options)
    return asgi_sender(app)


def starlette_app(site: Site) -> Starlette:
    """Return the site as a Starlette application, with the policies of its routes only.

    Pages below ``/api/`` are mounted.
    """
    mounted = [path for path in site.pages if path.startswith(_PREFIX)]
    own = [path for path in site.pages if path not in mounted]
    return Starlette(
        routes=[
            *_starlette_routes(site, own),
            Mount("/api", routes=_starlette_routes(site, mounted)),
        ]
    )


def _starlette_routes(site: Site, paths: list[str]) -> list[Route]:
    return [
        Route(path.removeprefix("/api"), endpoint, methods=methods)
        if path.startswith(_PREFIX)
        else Route(path, endpoint, methods=methods)
        for path in paths
        for methods, endpoint in _endpoints(site, path)
    ]


def fastapi_app(site: Site) -> fastapi.FastAPI:
    """Return the site as a FastAPI application, with the policies of its routes only.

    Pages below ``/api/`` are in a router, which is included in another one.
    """
    app = fastapi.FastAPI(openapi_url=None)
    inner, outer = fastapi.APIRouter(), fastapi.APIRouter()
    for path in site.pages:
        for methods, endpoint in _endpoints(site, path):
            router, below = app.router, path
            if path.startswith(_PREFIX):
                router, below = inner, path.removeprefix("/api")
            router.add_api_route(below, endpoint, methods=methods, response_model=None)
    outer.include_router(inner)
    app.include_router(outer, prefix="/api")
    return app


def _endpoints(site: Site, path: str) -> Iterator[tuple[list[str], Endpoint]]:
    for route in site.routes(path):
        endpoint = _endpoint(site)
        yield route.methods, cors_policy(route.policy)(endpoint) if route.is_marked else endpoint


def _endpoint(site: Site) -> Endpoint:
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
