"""Requests to a WSGI application in process, and the suite's application without a framework."""

from __future__ import annotations

import io
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from corscore.testing.conformance._site import Answer, Crash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication

    from corscore.testing.conformance._site import Headers, Sender, Site


def wsgi_environ(method: str, url: str, headers: Headers) -> dict[str, Any]:
    """Return the environ that a server makes of a request: lines of one header are joined."""
    target = urlsplit(url)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(target.path, "latin-1"),
        "QUERY_STRING": target.query,
        "SERVER_NAME": target.hostname,
        "SERVER_PORT": str(target.port or 443),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": target.scheme,
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in [("Host", target.netloc), *headers]:
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        environ[key] = f"{environ[key]}, {value}" if key in environ else value
    return environ


class Response:
    """The response that a WSGI server sends.

    Attributes:
        status: The status as a number; 0 before the application has started the response.
        headers: Every header line.
        body: Everything that was written or yielded.
        starts: The number of calls of ``start_response``.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self.body = b""
        self.starts = 0

    def start(self, status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], None]:
        """Do what PEP 3333 asks of ``start_response``."""
        if exc_info is not None and self.body:
            raise exc_info[1].with_traceback(exc_info[2])
        _require(
            self.starts == 0 or exc_info is not None,
            "start_response was called twice without exc_info",
        )
        _require(type(status) is str, "the status is no str")
        is_list = type(headers) is list and all(
            type(text) is str for pair in headers for text in pair
        )
        _require(is_list, "the headers are no list of pairs of str")
        self.starts += 1
        self.status = int(status.partition(" ")[0])
        self.headers = list(headers)
        return self.write

    def write(self, data: bytes) -> None:
        _require(self.starts > 0, "the body came before start_response")
        self.body += data


def _require(is_so: bool, fault: str) -> None:
    if not is_so:
        raise AssertionError(f"PEP 3333: {fault}")


def call(
    app: WSGIApplication, environ: dict[str, Any], response: Response | None = None
) -> Response:
    """Serve one request as PEP 3333 asks of a server.

    Args:
        app: The application.
        environ: The request.
        response: Filled as the response is sent, for callers that catch an exception.
    """
    response = Response() if response is None else response
    chunks = app(environ, response.start)
    try:
        for chunk in chunks:
            response.write(chunk)
    finally:
        getattr(chunks, "close", lambda: None)()
    _require(response.starts > 0, "start_response was never called")
    return response


def wsgi_sender(app: WSGIApplication) -> Sender:
    """Return a function that sends requests to a WSGI application as a server does."""

    def send(method: str, url: str, headers: Headers) -> Answer:
        response = Response()
        try:
            call(app, wsgi_environ(method, url, headers), response)
        except Crash:
            # A server sends its own 500 unless it has sent a part of the response.
            if not response.body:
                return Answer(500)
        return Answer(response.status, response.headers, response.body)

    return send


def wsgi_site(site: Site) -> WSGIApplication:
    """Return the site as a WSGI application that uses no framework."""

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] not in site.pages:
            start_response("404 Not Found", [])
            return []
        page = site.visit(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        start_response(f"{page.status} {HTTPStatus(page.status).phrase}", list(page.headers))
        return iter(page.chunks)

    return app
