"""A plain WSGI application, behind corscore and wsgicors."""

from __future__ import annotations

from typing import Any

from benchmarks import cases
from benchmarks.cases import BARE, CORSCORE, NOTHING
from benchmarks.sites.serving import WsgiSite, installed
from corscore_wsgi import CORSMiddleware

WSGICORS = "wsgicors"
LAYERS = (BARE, NOTHING, CORSCORE, *installed({WSGICORS: "wsgicors"}))


def app(environ: Any, start_response: Any) -> list[bytes]:
    """Answer every request with a little JSON."""
    start_response("200 OK", [*cases.RESPONSE_HEADERS])
    return [cases.BODY]


class Nothing:
    """A layer that does nothing."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)


def build(layer: str, count: int = 1) -> WsgiSite:
    """Return the application behind a layer that allows ``count`` origins."""
    return WsgiSite(_layered(layer, cases.options(count)))


def _layered(layer: str, options: cases.Options) -> Any:
    if layer == NOTHING:
        return Nothing(app)
    if layer == CORSCORE:
        return CORSMiddleware(app, **options)
    if layer == WSGICORS:
        import wsgicors

        # wsgicors remembers 200 origins, and looks through its list for other ones only.
        return wsgicors.CORS(
            app,
            origin=" ".join(options["allow_origins"]),
            methods=",".join(options["allow_methods"]),
            headers=", ".join(options["allow_headers"]),
            expose_headers=", ".join(options["expose_headers"]),
            credentials="true",
            maxage=str(options["max_age"]),
        )
    return app
