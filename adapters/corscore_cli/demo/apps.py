"""The demo's API in the frameworks that it can be served with."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from corscore_cli.demo.api import ROUTES, ApiResponse, Broken, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from corscore import PolicyRef

_POLICY = "CORS_POLICY"


class NotInstalled(Exception):
    """A framework is not installed; the text is the package's name."""


class App(NamedTuple):
    """A framework to serve the API with.

    Attributes:
        title: The framework's name.
        factory: Takes the policies, and returns the application behind them.
        interface: The kind of the application.
        extra: The extra of corscore that installs the framework.
    """

    title: str
    factory: Callable[[PolicyRef], Any]
    interface: Literal["asgi", "wsgi"]
    extra: str

    def build(self, ref: PolicyRef) -> Any:
        """Return the application behind the policies.

        Raises:
            NotInstalled: The framework is not installed.
        """
        try:
            return self.factory(ref)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package.startswith("corscore"):
                raise
            raise NotInstalled(package) from error


def _fastapi(ref: PolicyRef) -> Any:
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

    from corscore_starlette import install

    app = FastAPI(openapi_url=None)
    install(app, ref)

    def add(route: Route, method: str) -> None:
        async def endpoint(request: Request) -> JSONResponse:
            get = request.headers.get
            body, status, headers = route.methods[method](
                get("authorization", ""), get("cookie", "")
            )
            return JSONResponse(body, status, dict(headers))

        # FastAPI evaluates annotations in the module, where `Request` is not imported.
        endpoint.__annotations__ = {"request": Request}
        app.api_route(route.path, methods=[method])(endpoint)

    for route in ROUTES:
        for method in route.methods:
            add(route, method)
    return app


def _flask(ref: PolicyRef) -> Any:
    from flask import Flask, Response, jsonify, request

    from corscore_flask import CORS

    app = Flask("corscore_demo")
    # Flask would print the traceback of /broken.
    app.logger.disabled = True
    CORS(app, ref)

    def add(route: Route) -> None:
        def view(**_: object) -> tuple[Response, int, dict[str, str]]:
            get = request.headers.get
            body, status, headers = route.methods[request.method](
                get("Authorization", ""), get("Cookie", "")
            )
            return jsonify(body), status, dict(headers)

        rule = route.path.replace("{number}", "<int:number>")
        app.add_url_rule(rule, rule, view, methods=[*route.methods])

    for route in ROUTES:
        add(route)
    return app


def _django(ref: PolicyRef) -> Any:
    """Return the API in Django, which a process configures once."""
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.signals import setting_changed
    from django.http import HttpRequest, HttpResponse, JsonResponse
    from django.urls import path
    from django.views.decorators.http import require_http_methods

    def pattern(route: Route) -> Any:
        @require_http_methods([*route.methods])
        def view(request: HttpRequest, **_: object) -> HttpResponse:
            get = request.headers.get
            body, status, headers = route.methods[request.method or ""](
                get("Authorization", ""), get("Cookie", "")
            )
            return JsonResponse(body, safe=False, status=status, headers=dict(headers))

        return path(route.path[1:].replace("{number}", "<int:number>"), view)

    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["127.0.0.1"],
            MIDDLEWARE=["corscore_django.middleware.CorsMiddleware"],
            ROOT_URLCONF=tuple(map(pattern, ROUTES)),
        )
        # Django would print the traceback of /broken.
        logging.getLogger("django.request").setLevel(logging.CRITICAL)
    setattr(settings, _POLICY, ref)
    setting_changed.send(sender=App, setting=_POLICY, value=ref, enter=True)
    return WSGIHandler()


def _wsgi(ref: PolicyRef) -> Any:
    from corscore_wsgi import CORSMiddleware

    return CORSMiddleware(_serve, ref)


def _serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Serve the API without a framework."""
    try:
        value, status, headers = _respond(environ)
    except Broken:
        # Frameworks answer inside of the layer of CORS, too.
        value, status, headers = ApiResponse(
            "Internal Server Error", HTTPStatus.INTERNAL_SERVER_ERROR
        )
    body = json.dumps(value).encode()
    start_response(
        f"{status:d} {HTTPStatus(status).phrase}",
        [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            *headers.items(),
        ],
    )
    return [body]


def _respond(environ: WSGIEnvironment) -> ApiResponse:
    path = environ["PATH_INFO"]
    route = next((one for one in ROUTES if one.path.format(number=1) == path), None)
    if route is None:
        return ApiResponse({"detail": "not found"}, HTTPStatus.NOT_FOUND)
    respond = route.methods.get(environ["REQUEST_METHOD"])
    if respond is None:
        return ApiResponse({"detail": "method not allowed"}, HTTPStatus.METHOD_NOT_ALLOWED)
    return respond(environ.get("HTTP_AUTHORIZATION", ""), environ.get("HTTP_COOKIE", ""))


APPS = {
    "fastapi": App("FastAPI", _fastapi, "asgi", "fastapi"),
    "flask": App("Flask", _flask, "wsgi", "flask"),
    "django": App("Django", _django, "wsgi", "django"),
    "wsgi": App("WSGI", _wsgi, "wsgi", "wsgi"),
}
