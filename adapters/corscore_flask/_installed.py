"""A policy around a Flask application, which stays the same object."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.wrappers import Response

from corscore.integration import FOUND, escaped
from corscore_flask._marks import marks
from corscore_flask._routes import FlaskLayer
from corscore_wsgi import decision_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from corscore.integration import Policies

_ERROR = Response("Internal Server Error", 500, mimetype="text/plain")


def put_around(
    app: Flask, policies: Policies, *, by_resources: bool = False, **app_options: object
) -> None:
    """Put a layer outside ``app``, and outside everything that wraps its ``wsgi_app`` later.

    Args:
        app: The application.
        policies: Its policies.
        by_resources: As for ``FlaskLayer``.
        app_options: ``on_decision``, ``shadow``, ``block_cross_site``, ``own_origins``, if given.

    Raises:
        ConfigError, TypeError: As ``CORSMiddleware`` does.
        RuntimeError: The app has a policy already.
    """
    if "corscore" in app.extensions:
        raise RuntimeError("CORS(app, ...) was called twice: an app has one policy")
    cls = type(app)
    inside = _Inside(app, cls)
    layer = inside.layer = FlaskLayer(
        inside, app, policies, by_resources=by_resources, **app_options
    )
    # Servers call `type(app).__call__`, so the instance needs a class of its own; layers that are
    # added later would be outside of a policy in `app.wsgi_app`.
    installed = type(cls.__name__, (_Installed, cls), {"__module__": cls.__module__})
    installed.__qualname__ = cls.__qualname__
    installed.__doc__ = cls.__doc__
    app.__class__ = installed
    # For speed: Python caches no lookups of methods with the old dictionary, which is laid out for
    # the old class.
    app.__dict__ = dict(app.__dict__)
    app.extensions["corscore"] = layer


class _Installed(Flask):
    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        layer: FlaskLayer = self.extensions["corscore"]
        # Compared here, since a call would cost each request as much as the comparison.
        if marks.count != layer.marks_seen or len(self.view_functions) != layer.views_seen:
            layer.notice_routes()
        # For speed: Python takes longer to call an object than a method.
        return layer.__call__(environ, start_response)


class _Inside:
    """The application without the policy around it, which answers exceptions with a 500.

    Attributes:
        layer: The layer around it.
    """

    layer: FlaskLayer

    def __init__(self, app: Flask, cls: type[Flask]) -> None:
        self.app = app
        self._cls = cls

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # A layer of ours further inside may overwrite it.
        found = environ.get(FOUND)
        if not hasattr(start_response, "has_started"):
            # A request that is left alone comes with the server's own `start_response`.
            start_response = _Start(start_response)
        try:
            # Looked up at each call: error trackers replace the method when they start.
            return self._cls.__call__(self.app, environ, start_response)
        except Exception:
            # A server or debugger would answer without CORS headers, and the developer of the page
            # would look for a mistake in CORS.
            environ[FOUND] = found
            if self.app.testing or not self.layer.governor.is_awaited(decision_of(environ)):
                raise
            self.app.logger.exception(
                "Exception on %s [%s]",
                escaped(environ.get("PATH_INFO", "")),
                escaped(environ["REQUEST_METHOD"]),
            )
            if getattr(start_response, "has_started", False):
                start_response = partial(_restart, start_response)
            return _ERROR(environ, start_response)


class _Start:
    """A ``start_response`` that remembers whether it was called."""

    def __init__(self, start_response: StartResponse) -> None:
        self._start_response = start_response
        self.has_started = False

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
    ) -> Callable[[bytes], object]:
        self.has_started = True
        try:
            return self._start_response(status, headers, exc_info)
        finally:
            # The traceback refers to this frame, and a reference back would be a cycle.
            exc_info = None


def _restart(
    start_response: StartResponse,
    status: str,
    headers: list[tuple[str, str]],
    exc_info: OptExcInfo | None = None,
) -> Callable[[bytes], object]:
    """Start another response instead; the server raises if headers were sent."""
    return start_response(status, headers, exc_info or sys.exc_info())
