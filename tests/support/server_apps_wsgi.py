"""Applications for ``test_servers`` under WSGI, with the paths of ``server_apps``."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NoReturn

from flask import Flask, Response

import corscore_flask
import corscore_wsgi
from server_apps import OWN_HEADERS, POLICY, Boom

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def _bare_app() -> Flask:
    app = Flask(__name__)
    go_on = threading.Event()

    @app.get("/ok")
    def ok() -> Response:
        return Response("ok", headers={"X-Total": "3"}, mimetype="text/plain")

    @app.get("/own")
    def own() -> Response:
        return Response("own", headers=OWN_HEADERS)

    @app.get("/boom")
    def boom() -> NoReturn:
        raise Boom

    @app.errorhandler(500)
    def is_an_error(error: Exception) -> tuple[str, int]:
        return "Internal Server Error", 500

    @app.get("/stream")
    def stream() -> Response:
        def chunks() -> Iterator[bytes]:
            yield b"one"
            go_on.wait()
            yield b"two"

        return Response(chunks())

    @app.get("/go-on")
    def release() -> str:
        go_on.set()
        return "went on"

    return app


def flask_app() -> Flask:
    """Return an app of Flask with its extension."""
    app = _bare_app()
    corscore_flask.CORS(app, POLICY)
    return app


def wsgi_app() -> WSGIApplication:
    """Return an application in the middleware, whose exceptions reach the server."""
    app = _bare_app()

    def raising(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/boom":
            raise Boom
        return app(environ, start_response)

    return corscore_wsgi.CORSMiddleware(raising, POLICY)


def misconfigured_flask_app() -> Flask:
    """Return an app of Flask with a wrong policy."""
    app = _bare_app()
    corscore_flask.CORS(app, origins=["https://app.example/"])
    return app


def misconfigured_wsgi_app() -> WSGIApplication:
    """Return an application in the middleware with a wrong policy."""
    return corscore_wsgi.CORSMiddleware(_bare_app(), allow_origins=["https://app.example/"])
