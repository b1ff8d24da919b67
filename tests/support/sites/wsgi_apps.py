"""One small application in each WSGI framework, all with the same pages.

``/ok`` answers GET, ``/echo`` a POST, ``/moved`` redirects to ``/ok``, ``/stream`` sends two
chunks, ``/boom`` raises, ``/cors`` sets headers of CORS itself, and everything else is missing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

CHUNKS = (b"one\n", b"two\n")
OWN_CORS = {
    "Access-Control-Allow-Origin": "https://evil.example",
    "access-control-allow-credentials": "true",
    "Access-Control-Expose-Headers": "X-Total",
    "X-Total": "3",
    "Vary": "Accept-Encoding",
}


class BoomError(Exception):
    """The exception of the views."""


def flask_app() -> WSGIApplication:
    from flask import Flask, Response, redirect, request

    app = Flask(__name__, static_folder=None)
    app.logger.disabled = True

    @app.get("/ok")
    def ok() -> str:
        return "ok"

    @app.post("/echo")
    def echo() -> bytes:
        return request.get_data()

    @app.get("/moved")
    def moved() -> Any:
        return redirect("/ok")

    @app.get("/stream")
    def stream() -> Response:
        return Response(iter(CHUNKS), mimetype="text/plain")

    @app.get("/boom")
    def boom() -> str:
        raise BoomError

    @app.get("/cors")
    def cors() -> Response:
        return Response("cors", headers=OWN_CORS)

    return app


def bottle_app() -> WSGIApplication:
    bottle: Any = import_module("bottle")
    app = bottle.Bottle()

    def boom() -> None:
        raise BoomError

    app.route("/ok", callback=lambda: "ok")
    app.route("/echo", "POST", lambda: bottle.request.body.read())
    app.route("/moved", callback=lambda: bottle.redirect("/ok"))
    app.route("/stream", callback=lambda: iter(CHUNKS))
    app.route("/boom", callback=boom)
    app.route("/cors", callback=lambda: bottle.HTTPResponse("cors", headers=OWN_CORS))
    wsgi: WSGIApplication = app
    return wsgi


def falcon_app() -> WSGIApplication:
    import falcon

    class Page:
        def __init__(self, method: str, answer: Callable[[Any, Any], None]) -> None:
            setattr(self, f"on_{method}", answer)

    def ok(request: Any, response: Any) -> None:
        response.text = "ok"

    def echo(request: Any, response: Any) -> None:
        response.data = request.bounded_stream.read()

    def moved(request: Any, response: Any) -> None:
        raise falcon.HTTPFound("/ok")

    def stream(request: Any, response: Any) -> None:
        response.stream = iter(CHUNKS)

    def boom(request: Any, response: Any) -> None:
        raise BoomError

    def cors(request: Any, response: Any) -> None:
        response.text = "cors"
        response.set_headers(OWN_CORS)

    app: Any = falcon.App()
    app.add_route("/echo", Page("post", echo))
    for page in (ok, moved, stream, boom, cors):
        app.add_route(f"/{page.__name__}", Page("get", page))
    wsgi: WSGIApplication = app
    return wsgi


def pyramid_app() -> WSGIApplication:
    with warnings.catch_warnings():
        # A package that Pyramid imports raises it.
        warnings.simplefilter("ignore")
        config = pytest.importorskip("pyramid.config", exc_type=ImportError).Configurator()
    found: Any = import_module("pyramid.httpexceptions").HTTPFound
    response: Any = import_module("pyramid.response").Response

    def add(name: str, method: str, answer: Callable[[Any], Any]) -> None:
        config.add_route(name, f"/{name}", request_method=method)
        config.add_view(lambda request: answer(request), route_name=name)

    def boom(request: Any) -> Any:
        raise BoomError

    add("ok", "GET", lambda request: response("ok"))
    add("echo", "POST", lambda request: response(request.body))
    add("moved", "GET", lambda request: found("/ok"))
    add("stream", "GET", lambda request: response(app_iter=iter(CHUNKS)))
    add("boom", "GET", boom)
    add("cors", "GET", lambda request: response("cors", headers=OWN_CORS))
    app: WSGIApplication = config.make_wsgi_app()
    return app


@contextmanager
def django_app() -> Iterator[WSGIApplication]:
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
    from django.urls import path
    from django.views.decorators.http import require_GET, require_POST

    from django_project import project

    def boom(request: Any) -> Any:
        raise BoomError

    views = (
        ("ok", require_GET(lambda request: HttpResponse("ok"))),
        ("echo", require_POST(lambda request: HttpResponse(request.body))),
        ("moved", lambda request: HttpResponseRedirect("/ok")),
        ("stream", lambda request: StreamingHttpResponse(CHUNKS)),
        ("boom", boom),
        ("cors", lambda request: HttpResponse("cors", headers=OWN_CORS)),
    )
    urls = tuple(path(name, view) for name, view in views)
    with project(ALLOWED_HOSTS=["*"], MIDDLEWARE=[], ROOT_URLCONF=urls):
        yield WSGIHandler()


APPS: dict[str, Callable[[], AbstractContextManager[WSGIApplication]]] = {
    "flask": lambda: nullcontext(flask_app()),
    "bottle": lambda: nullcontext(bottle_app()),
    "falcon": lambda: nullcontext(falcon_app()),
    "pyramid": lambda: nullcontext(pyramid_app()),
    "django": django_app,
}
"""Each to be entered for as long as the application is called."""
