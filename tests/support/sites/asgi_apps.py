"""The same small application in every ASGI framework: ``/``, ``/stream`` and ``/crash``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastapi
import litestar
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path
from litestar.response import Stream
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from corscore.testing.conformance import Crash
from django_project import project

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from django.http import HttpRequest

    # Frameworks type the three differently, and none agrees with another.
    ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

OWN_HEADERS = {"X-Total": "3", "Vary": "Accept-Encoding"}
"""What ``/`` sets beside its body."""


async def chunks() -> AsyncIterator[bytes]:
    """The body of ``/stream``."""
    yield b"one "
    yield b"two"


def bare() -> ASGIApp:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/crash":
            await send({"type": "http.response.start", "status": 500})
            await send({"type": "http.response.body"})
            raise Crash
        headers = [(name.encode(), value.encode()) for name, value in OWN_HEADERS.items()]
        status = 200 if scope["path"] in ("/", "/stream") else 404
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": headers if scope["path"] == "/" else [],
            }
        )
        async for chunk in chunks():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})

    return app


def starlette_app() -> ASGIApp:
    async def index(request: Any) -> PlainTextResponse:
        return PlainTextResponse("ok", headers=OWN_HEADERS)

    async def stream(request: Any) -> StreamingResponse:
        return StreamingResponse(chunks())

    async def crash(request: Any) -> PlainTextResponse:
        raise Crash

    return Starlette(routes=[Route("/", index), Route("/stream", stream), Route("/crash", crash)])


def fastapi_app() -> ASGIApp:
    app = fastapi.FastAPI()

    @app.get("/")
    async def index(response: fastapi.Response) -> str:
        response.headers.update(OWN_HEADERS)
        return "ok"

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(chunks())

    @app.get("/crash")
    async def crash() -> None:
        raise Crash

    return app


def litestar_app() -> ASGIApp:
    @litestar.get("/", response_headers=OWN_HEADERS)
    async def index() -> str:
        return "ok"

    @litestar.get("/stream")
    async def stream() -> Stream:
        return Stream(chunks)

    @litestar.get("/crash")
    async def crash() -> None:
        raise Crash

    return litestar.Litestar([index, stream, crash], openapi_config=None, logging_config=None)


def quart_app() -> ASGIApp:
    from quart import Quart

    app = Quart("quart_app", static_folder=None)

    @app.get("/")
    async def index() -> tuple[str, dict[str, str]]:
        return "ok", OWN_HEADERS

    @app.get("/stream")
    async def stream() -> AsyncIterator[bytes]:
        return chunks()

    @app.get("/crash")
    async def crash() -> str:
        raise Crash

    return app


def django_app() -> ASGIApp:
    def index(request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok", headers=OWN_HEADERS)

    async def stream(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(chunks())

    def crash(request: HttpRequest) -> HttpResponse:
        raise Crash

    class Urls:
        urlpatterns = (path("", index), path("stream", stream), path("crash", crash))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with project(ROOT_URLCONF=Urls, ALLOWED_HOSTS=["*"], MIDDLEWARE=[]):
            await ASGIHandler()(scope, receive, send)

    return app


APPS: dict[str, Callable[[], ASGIApp]] = {
    "bare": bare,
    "starlette": starlette_app,
    "fastapi": fastapi_app,
    "litestar": litestar_app,
    "quart": quart_app,
    "django": django_app,
}
