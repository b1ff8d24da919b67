"""Real servers with the misconfigurations that people have, on loopback, and healthy ones.

Each function is a context manager that yields a base URL without its final slash. The applications
use common libraries; ``nginx`` is Debian's.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse, RedirectResponse
from flask import Flask, Response
from starlette.middleware.cors import CORSMiddleware

from servers import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

ORIGIN = "https://app.example.com"
OTHER = "https://other.example.com"

_START_SECONDS = 20.0
_SLOW_SECONDS = 4.0


@contextmanager
def asgi(app: Any) -> Iterator[str]:
    """Serve an ASGI application under uvicorn."""
    with serve(app, lifespan="off") as served:
        yield served.origin


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (its own name)
        pass


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


@contextmanager
def wsgi(app: Any) -> Iterator[str]:
    """Serve a WSGI application under wsgiref."""
    with make_server("127.0.0.1", 0, app, _Threaded, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def fastapi_app(**cors: Any) -> FastAPI:
    """Return an API of FastAPI; with keywords, under Starlette's own middleware."""
    app = FastAPI()
    if cors:
        app.add_middleware(CORSMiddleware, **cors)

    @app.get("/ok")
    def ok() -> JSONResponse:
        return JSONResponse({}, headers={"X-Total-Count": "3"} if "expose_headers" in cors else {})

    @app.put("/ok")
    @app.patch("/ok")
    def save() -> dict[str, str]:
        return {}

    @app.get("/boom")
    def boom() -> None:
        raise RuntimeError

    @app.get("/slow")
    async def slow() -> dict[str, str]:
        await asyncio.sleep(_SLOW_SECONDS)
        return {}

    @app.post("/ok")
    def post() -> dict[str, str]:
        return {}

    @app.get("/moved")
    def moved(to: str) -> RedirectResponse:
        return RedirectResponse(to)

    return app


def flask_app() -> Flask:
    """Return an API of Flask without CORS."""
    app = Flask(__name__, static_folder=None)
    app.logger.disabled = True

    @app.route("/ok", methods=["GET", "PUT"])
    def ok() -> str:
        return "{}"

    @app.route("/slash/", methods=["GET", "PUT"])
    def slash() -> str:
        return "{}"

    return app


def flask_cors(**options: Any) -> Flask:
    """Serve an API of Flask under flask-cors."""
    from flask_cors import CORS

    app = flask_app()
    CORS(app, **options)
    return app


@contextmanager
def django(middleware: str, **settings: Any) -> Iterator[str]:
    """Serve the test project of Django under one of the two CORS middlewares."""
    from django.core.handlers.wsgi import WSGIHandler

    from django_project import COMMON, project

    with project(**{"MIDDLEWARE": [middleware, COMMON], **settings}), wsgi(WSGIHandler()) as base:
        yield base


def answers(status: int, *headers: tuple[str, str], on: str = "OPTIONS") -> Any:
    """Return an ASGI application that answers one method as given, and allows all others.

    In a value ``{origin}`` is the request's Origin.
    """

    async def app(scope: Any, receive: Any, send: Any) -> None:
        sent = dict(scope["headers"])
        told = scope["method"] == on or on == "*"
        pairs = headers if told else (("access-control-allow-origin", "*"),)
        origin = sent.get(b"origin", b"").decode()
        raw = [
            (name.lower().encode(), value.replace("{origin}", origin).encode())
            for name, value in pairs
            if origin or "{origin}" not in value
        ]
        start = {"type": "http.response.start", "status": status if told else 200, "headers": raw}
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    return app


def flask_with_auth() -> Flask:
    """Serve an API of Flask that asks for authentication before each request, preflights too."""
    app = flask_cors(origins=[ORIGIN, OTHER])

    @app.before_request
    def authenticate() -> Response:
        return Response("no", 403)

    app.after_request_funcs.clear()
    return app


# --- nginx


def nginx_program() -> str | None:
    """Return the path of nginx; /usr/sbin may be missing on PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def nginx(config: str, upstream: str = "", http: str = "") -> Iterator[str]:
    """Run nginx with one server.

    Args:
        config: The lines in its ``server { }``; ``{upstream}`` is replaced.
        upstream: The base URL of the server behind it.
        http: The lines in ``http { }`` before it; ``{folder}`` is replaced.
    """
    program = nginx_program()
    if program is None:
        reason = "there is no nginx: apt-get install nginx-light"
        if os.environ.get("CORSCORE_REQUIRE_BROWSER"):
            pytest.fail(f"{reason} (CORSCORE_REQUIRE_BROWSER is set)", pytrace=False)
        pytest.skip(reason)
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
        root = Path(folder, "root")
        root.mkdir()
        (root / "index.html").write_text("<p>hello</p>")
        (root / "ok.json").write_text("{}")
        # Under root its workers would run as the user nobody.
        Path(folder).chmod(0o755)
        path = Path(folder, "nginx.conf")
        path.write_text(
            f"daemon off; master_process off; pid {folder}/pid; error_log stderr crit;\n"
            f"events {{ }}\nhttp {{\naccess_log off;\n{temporary}\n"
            f"{http.replace('{folder}', folder)}\n"
            f"server {{\nlisten 127.0.0.1:{port};\nroot {root};\n"
            f"{config.replace('{upstream}', upstream)}\n}}\n}}\n"
        )
        process = subprocess.Popen(
            [program, "-c", str(path), "-p", folder, "-e", "stderr"],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise RuntimeError(process.communicate()[1])
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.01)
    raise RuntimeError("nginx did not start")


# --- several servers


@contextmanager
def proxied(config: str, app: Any, http: str = "", spent: str = "") -> Iterator[str]:
    """Serve an ASGI application behind nginx, after one request for the path ``spent``."""
    with asgi(app) as upstream, nginx(config, upstream, http) as base:
        if spent:
            httpx2.get(f"{base}{spent}")
        yield base


@contextmanager
def cached(config: str, app: Any) -> Iterator[str]:
    """Serve an ASGI application behind nginx's cache, after a request from another origin."""
    zone = "proxy_cache_path {folder}/cache keys_zone=one:1m;"
    location = f"location / {{ proxy_pass {{upstream}}; proxy_cache one; {config} }}"
    with proxied(location, app, zone) as base:
        httpx2.get(f"{base}/ok", headers={"Origin": OTHER})
        yield base


def with_cookie(app: Any, cookie: str) -> Any:
    """Return an ASGI application whose responses also set a cookie."""

    async def setting(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"set-cookie", cookie.encode())]
            await send(message)

        await app(scope, receive, sending)

    return setting


@contextmanager
def redirecting(app: Any, target: Any) -> Iterator[str]:
    """Serve an API whose ``/moved`` leads to another server."""
    with asgi(target) as there, asgi(app) as here:
        yield f"{here}/moved?to={there}/ok#"


async def handler_outside(request: Request, error: Exception) -> JSONResponse:
    """Answer an exception; Starlette runs such a handler outside of all middleware."""
    return JSONResponse({}, 500)
