"""The application of the conformance suite in Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, request

from corscore.testing.conformance import Sender, Site, wsgi_sender
from corscore_flask import CORS, cross_origin

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

    from corscore.integration import Policies


def serve(site: Site, policies: Policies, **options: Any) -> Sender:
    app = flask_app(site)
    CORS(app, policies, **options)
    return wsgi_sender(app)


class _Whole(Response):
    """One that sends all that the page sets: Werkzeug takes Content-Language out of a 304."""

    def get_wsgi_headers(self, environ: dict[str, Any]) -> Headers:
        return self.headers


def flask_app(site: Site) -> Flask:
    """The site as a Flask application, without CORS but for what routes have of their own.

    What is below ``/api/`` is a blueprint's.
    """
    app = Flask(__name__, static_folder=None)
    # What the suite has raised on purpose is not worth a traceback each.
    app.logger.disabled = True
    api = Blueprint("api", __name__, url_prefix="/api")

    def view() -> Response:
        page = site.visit(request.method, request.path)
        body = iter(page.chunks) if len(page.chunks) > 1 else b"".join(page.chunks)
        return _Whole(body, page.status, list(page.headers))

    for path in site.pages:
        place: Flask | Blueprint = api if path.startswith("/api/") else app
        for number, route in enumerate(site.routes(path)):
            place.add_url_rule(
                path.removeprefix("/api") if place is api else path,
                f"{path.strip('/').replace('/', '-')} {number}",
                cross_origin(route.policy)(view) if route.is_marked else view,
                methods=route.methods,
                # Every method has one view, OPTIONS too.
                provide_automatic_options=False,
            )
    app.register_blueprint(api)
    return app
