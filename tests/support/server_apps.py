"""Applications for ``test_servers``: one a framework, all with the same paths.

The processes of the servers import this module by its name.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

import corscore_asgi
from corscore import Policy
from corscore_starlette import CORSMiddleware, install

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Receive, Scope, Send

POLICY = Policy(
    allow_origins=["https://app.example"],
    allow_methods=["PUT"],
    allow_headers=["X-One"],
    expose_headers=["X-Total"],
    allow_credentials=True,
)

OWN_HEADERS = [
    ("Access-Control-Allow-Origin", "*"),
    ("access-control-allow-origin", "https://other.example"),
    ("Set-Cookie", "one=1"),
    ("Set-Cookie", "two=2"),
    ("Vary", "Accept"),
]
"""What ``/own`` sets itself: CORS headers that have to go, and others that have to stay."""


class Boom(Exception):
    """The exception of ``/boom``, which the server logs."""


def fastapi_app() -> FastAPI:
    """Return an app of FastAPI with ``install``."""
    app = _bare_app()
    install(app, POLICY)
    return app


def asgi_app() -> ASGIApp:
    """Return an application in the middleware, whose exceptions reach the server."""
    app = _bare_app()

    async def raising(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/boom":
            raise Boom
        await app(scope, receive, send)

    return corscore_asgi.CORSMiddleware(raising, POLICY)


def _bare_app() -> FastAPI:
    app = FastAPI()
    go_on = asyncio.Event()

    @app.get("/ok")
    async def ok() -> Response:
        return PlainTextResponse("ok", headers={"X-Total": "3"})

    @app.get("/own")
    async def own() -> Response:
        response = PlainTextResponse("own")
        for name, value in OWN_HEADERS:
            response.raw_headers.append((name.encode(), value.encode()))
        return response

    @app.get("/boom")
    async def boom() -> Response:
        raise Boom

    @app.get("/stream")
    async def stream() -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"one"
            await go_on.wait()
            yield b"two"

        return StreamingResponse(chunks())

    @app.get("/go-on")
    async def release() -> Response:
        go_on.set()
        return PlainTextResponse("went on")

    return app


def misconfigured_fastapi_app() -> FastAPI:
    """Return an app of FastAPI with a wrong policy, which raises when the server starts."""
    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example/"])
    return app
