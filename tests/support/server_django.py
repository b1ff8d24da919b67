"""The Django project for ``test_servers``: settings, URLs and views in one module.

An application is made when a server reads its attribute, since some servers take no function.
"""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIRequest
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# --- settings

ALLOWED_HOSTS = ["127.0.0.1"]
CORS_ALLOWED_ORIGINS = ["https://app.example"]
CORS_ALLOW_METHODS = ["PUT"]
CORS_ALLOW_HEADERS = ["X-One"]
CORS_EXPOSE_HEADERS = ["X-Total"]
CORS_ALLOW_CREDENTIALS = True
CORS_PREFLIGHT_MAX_AGE = 600
INSTALLED_APPS = ["corscore_django"]
LOGGING = {
    "version": 1,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django.request": {"handlers": ["console"]}},
}
MIDDLEWARE = [
    "corscore_django.middleware.CorsMiddleware",
    "django.middleware.common.CommonMiddleware",
]
ROOT_URLCONF = "server_django"
SECRET_KEY = "not secret"
WSGI_APPLICATION = "server_django.django_wsgi"

# --- URLs and views


class Boom(Exception):
    """The exception of ``/boom``, which the server logs."""


def ok(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", headers={"X-Total": "3"})


def own(request: HttpRequest) -> HttpResponse:
    response = HttpResponse("own")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Vary"] = "Accept"
    response.cookies["one"] = "1"
    response.cookies["two"] = "2"
    return response


def boom(request: HttpRequest) -> NoReturn:
    raise Boom


_may_go_on = threading.Event()


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_achunks() if isinstance(request, ASGIRequest) else _chunks())


def _chunks() -> Iterator[bytes]:
    yield b"one"
    _may_go_on.wait(30)
    yield b"two"


async def _achunks() -> AsyncIterator[bytes]:
    yield b"one"
    while not _may_go_on.is_set():  # noqa: ASYNC110  (set in a thread that knows no loop)
        await asyncio.sleep(0.01)
    yield b"two"


def go_on(request: HttpRequest) -> HttpResponse:
    _may_go_on.set()
    return HttpResponse("went on")


def handler500(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Internal Server Error", status=500, content_type="text/plain")


urlpatterns = [
    path("ok", ok),
    path("own", own),
    path("boom", boom),
    path("stream", stream),
    path("go-on", go_on),
]

# --- applications


def _asgi(settings: str) -> Any:
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    return get_asgi_application()


def _wsgi(settings: str) -> Any:
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    return get_wsgi_application()


_APPLICATIONS = {
    "django_asgi": lambda: _asgi("server_django"),
    "django_wsgi": lambda: _wsgi("server_django"),
    "misconfigured_django_asgi": lambda: _asgi("server_django_misconfigured"),
    "misconfigured_django_wsgi": lambda: _wsgi("server_django_misconfigured"),
}


def __getattr__(name: str) -> Any:
    try:
        return _APPLICATIONS[name]()
    except KeyError:
        raise AttributeError(name) from None
