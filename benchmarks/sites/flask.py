"""A Flask application, with corscore and flask-cors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response

from benchmarks import cases
from benchmarks.cases import BARE, CORSCORE, NOTHING
from benchmarks.sites import wsgi
from benchmarks.sites.serving import WsgiSite, installed
from corscore_flask import CORS

if TYPE_CHECKING:
    from collections.abc import Callable

FLASK_CORS = "flask-cors"
LAYERS = (BARE, NOTHING, CORSCORE, *installed({FLASK_CORS: "flask_cors"}))


def view(number: str) -> Response:
    """Answer every request with a little JSON."""
    return Response(cases.BODY, content_type="application/json")


def application(view: Callable[[str], Response] = view) -> Flask:
    """Return an application that serves a view at the path of all benchmarks."""
    # Each application has its own class, since the interpreter specialises code by class, and
    # corscore's extension makes such a class, too.
    app: Flask = type("Flask", (Flask,), {})("benchmark")
    app.add_url_rule("/api/items/<number>", view_func=view)
    return app


def build(layer: str, count: int = 1) -> WsgiSite:
    """Return the application with an extension that allows ``count`` origins."""
    app = application()
    options = cases.options(count)
    # Both extensions have these names of options.
    given: dict[str, Any] = {
        "origins": options["allow_origins"],
        "methods": options["allow_methods"],
        "allow_headers": options["allow_headers"],
        "expose_headers": options["expose_headers"],
        "supports_credentials": True,
        "max_age": options["max_age"],
    }
    if layer == NOTHING:
        return WsgiSite(wsgi.Nothing(app))
    if layer == CORSCORE:
        CORS(app, **given)
    elif layer == FLASK_CORS:
        import flask_cors

        flask_cors.CORS(app, **given)
    return WsgiSite(app)
