"""The application of ``test_errors_matrix`` in Flask, for the columns of Flask and plain WSGI."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NoReturn

from flask import Flask, Response, abort, redirect, request

from corscore.testing.conformance._wsgi import Response as ServerResponse
from corscore.testing.conformance._wsgi import call, wsgi_environ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication

    Headers = list[tuple[str, str]]
    Send = Callable[[str, str, dict[str, str], bytes], tuple[int, Headers]]


HOSTS = ["api.example"]


def _raise(error: Exception) -> NoReturn:
    raise error


def _fail_in_handler(error: Exception) -> NoReturn:
    raise ValueError("in the handler")


def _refuse_other_hosts() -> None:
    # Newer releases do this themselves; reading the host checks it.
    request.trusted_hosts = HOSTS
    assert request.host


def _stream() -> Response:
    def chunks() -> Iterator[bytes]:
        yield b"one"
        yield b"two"

    return Response(chunks())


VIEWS: dict[str, Any] = {
    "/ok": lambda: "ok",
    "/exception": lambda: _raise(ValueError("in the view")),
    "/handler": lambda: _raise(KeyError("for the handler")),
    "/unauthorized": lambda: abort(401),
    "/away": lambda: redirect("/ok", 307),
    "/unchanged": lambda: ("", 304),
    "/stream": _stream,
}


def application(variant: str, limit: int) -> Flask:
    """Return the application without CORS, for a name of ``test_errors_matrix.Variant``."""
    app = Flask(__name__, static_folder=None)
    app.logger.disabled = True
    app.config.update(MAX_CONTENT_LENGTH=limit, TRUSTED_HOSTS=HOSTS)
    app.before_request(_refuse_other_hosts)
    for path, view in VIEWS.items():
        app.add_url_rule(path, path, view)
    app.add_url_rule("/upload", "upload", lambda: request.get_data(), methods=["POST"])
    app.add_url_rule("/ok/", "away from the slash", redirect_to="ok")
    app.register_error_handler(KeyError, _fail_in_handler)
    if variant == "OWN_500":
        app.register_error_handler(500, lambda error: ("our own page", 500))
    elif variant == "FAILING_500":
        app.register_error_handler(500, _fail_in_handler)
    patched: Any = app
    patched.wsgi_app = _failing(app.wsgi_app)
    return app


def _failing(app: WSGIApplication) -> WSGIApplication:
    """The middleware between the adapter and the views."""

    def layer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/middleware":
            raise ValueError("in the middleware")
        return app(environ, start_response)

    return layer


def last_resort(app: WSGIApplication) -> WSGIApplication:
    """Return a layer of a user that answers all other exceptions."""

    def layer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            return app(environ, start_response)
        except Exception:  # noqa: BLE001
            start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
            return [b"sorry"]

    return layer


def sender(app: WSGIApplication) -> Send:
    """Return a sender that answers an exception with 500, as a server does."""

    def send(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Headers]:
        sent = {**headers, "Content-Length": str(len(body))}
        host = sent.pop("Host")
        environ = wsgi_environ(method, f"https://{host}{path}", list(sent.items()))
        environ["wsgi.input"] = io.BytesIO(body)
        response = ServerResponse()
        try:
            call(app, environ, response)
        except (ValueError, KeyError):
            if not response.body:
                return 500, []
        return response.status, response.headers

    return send
