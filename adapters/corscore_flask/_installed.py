"""A policy around a Flask application, which stays the object that it was."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, cast

from flask import Flask
from werkzeug.wrappers import Response

from corscore.adapting import escaped
from corscore_wsgi import CORSMiddleware, request_info

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from corscore import Policy

_ERROR = Response("Internal Server Error", 500, mimetype="text/plain")


def put_around(app: Flask, policy: Policy) -> None:
    """Has every request to ``app`` pass the policy first, whatever its ``wsgi_app`` becomes.

    Raises:
        RuntimeError: When the app has a policy already.
    """
    if "corscore" in app.extensions:
        raise RuntimeError("CORS(app, ...) was called twice: an app has one policy")
    cls = type(app)
    # A class of this instance's own: servers and test clients call `type(app).__call__`, and in
    # `app.wsgi_app` the policy would be inside of what others wrap that in later.
    installed = type(cls.__name__, (_Installed, cls), {"__module__": cls.__module__})
    installed.__qualname__ = cls.__qualname__
    installed.__doc__ = cls.__doc__
    app.__class__ = installed
    app.extensions["corscore"] = CORSMiddleware(_Inside(cast("_Installed", app)), policy)


class _Installed(Flask):
    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        layer: CORSMiddleware = self.extensions["corscore"]
        return layer(environ, start_response)


class _Inside:
    """The application without the policy around it, but with an answer where it would give none."""

    def __init__(self, app: _Installed) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        has_started = False

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
        ) -> Callable[[bytes], object]:
            nonlocal has_started
            has_started = True
            try:
                return start_response(status, headers, exc_info)
            finally:
                # Its traceback leads to this very frame, which must not lead back to it.
                exc_info = None

        try:
            answer: Iterable[bytes] = super(_Installed, self.app).__call__(environ, start)
        except Exception:
            # What leaves the app is answered by a server or a debugger that knows of no policy: on
            # another origin, a developer would look for a mistake in CORS and not for this one.
            if self.app.testing or not self._is_from_another_origin(environ):
                raise
            self.app.logger.exception(
                "Exception on %s [%s]",
                escaped(environ.get("PATH_INFO", "")),
                escaped(environ["REQUEST_METHOD"]),
            )
            if has_started:
                start_response = partial(_restart, start_response)
            return _ERROR(environ, start_response)
        return answer

    def _is_from_another_origin(self, environ: WSGIEnvironment) -> bool:
        """Whether a script of another origin, which the policy allows, waits for the answer."""
        request = request_info(environ)
        layer: CORSMiddleware = self.app.extensions["corscore"]
        decision = layer.policy.decide(request)
        return decision.kind == "actual" and decision.origin_allowed and not request.is_own_origin


def _restart(
    start_response: StartResponse,
    status: str,
    headers: list[tuple[str, str]],
    exc_info: OptExcInfo | None = None,
) -> Callable[[bytes], object]:
    """Starts a response in the place of another one; the server raises where it is too late."""
    return start_response(status, headers, exc_info or sys.exc_info())
