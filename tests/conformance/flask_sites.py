"""The suite's application in Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from conformance.site import METHODS

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

    from conformance.site import Site


class _Whole(Response):
    """One that sends all that the page sets: Werkzeug takes Content-Language out of a 304."""

    def get_wsgi_headers(self, environ: dict[str, Any]) -> Headers:
        return self.headers


def flask_app(site: Site) -> Flask:
    """The site as a Flask application, without CORS."""
    app = Flask(__name__, static_folder=None)
    # What the suite has raised on purpose is not worth a traceback each.
    app.logger.disabled = True

    def view() -> Response:
        page = site.visit(request.method, request.path)
        body = iter(page.chunks) if len(page.chunks) > 1 else b"".join(page.chunks)
        return _Whole(body, page.status, list(page.headers))

    for path in site.pages:
        app.add_url_rule(path, path.strip("/") or "index", view, methods=METHODS)
    return app
