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
    """A response with all headers of the page: Werkzeug drops Content-Language of a 304."""

    def get_wsgi_headers(self, environ: dict[str, Any]) -> Headers:
        return self.headers


def flask_app(site: Site) -> Flask:
    """Return the site as a Flask application, with the policies of its routes only.

    Pages below ``/api/`` are those of a blueprint.
    """
    app = Flask(__name__, static_folder=None)
    # No tracebacks of exceptions that the suite raises on purpose.
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
                # Every method has a view, OPTIONS too.
                provide_automatic_options=False,
            )
    app.register_blueprint(api)
    return app
