"""A Django project of one view, behind corscore and django-cors-headers.

A process has one object of Django's settings, so each turn of a layer runs under its settings.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from benchmarks import cases
from benchmarks.cases import BARE, CORSCORE, NOTHING
from benchmarks.sites.serving import WsgiSite, environ_of, installed
from corscore import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CORS_HEADERS = "django-cors-headers"
LAYERS = (BARE, NOTHING, CORSCORE, *installed({CORS_HEADERS: "corsheaders"}))

_MIDDLEWARE = {
    BARE: [],
    NOTHING: ["benchmarks.sites.django.nothing"],
    CORSCORE: ["corscore_django.middleware.CorsMiddleware"],
    CORS_HEADERS: ["corsheaders.middleware.CorsMiddleware"],
}


def view(request: HttpRequest, number: str) -> HttpResponse:
    """Answer every request with a little JSON."""
    return HttpResponse(cases.BODY, content_type="application/json")


def nothing(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Return a middleware that does nothing."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    return middleware


urlpatterns = [path("api/items/<number>", view)]

_SETTINGS = {"ALLOWED_HOSTS": ["api.example.com"], "ROOT_URLCONF": "benchmarks.sites.django"}

# The tests have configured Django already.
if not settings.configured:
    settings.configure(LOGGING_CONFIG=None, MIDDLEWARE=[], SECRET_KEY="not secret")
    django.setup(set_prefix=False)


def build(layer: str, count: int = 1) -> WsgiSite:
    """Return the project behind a middleware that allows ``count`` origins."""
    options = cases.options(count)
    own: dict[str, Any] = {}
    if layer == CORSCORE:
        # A built policy, since CORS_* settings would be built again at each turn.
        own["CORS_POLICY"] = Policy(**options)
    elif layer == CORS_HEADERS:
        own = {
            "CORS_ALLOWED_ORIGINS": options["allow_origins"],
            "CORS_ALLOW_METHODS": options["allow_methods"],
            "CORS_ALLOW_HEADERS": options["allow_headers"],
            "CORS_EXPOSE_HEADERS": options["expose_headers"],
            "CORS_ALLOW_CREDENTIALS": True,
            "CORS_PREFLIGHT_MAX_AGE": options["max_age"],
        }

    changed = override_settings(MIDDLEWARE=_MIDDLEWARE[layer], **_SETTINGS, **own)
    with changed:
        handler = WSGIHandler()

    @contextmanager
    def serving() -> Iterator[None]:
        with changed:
            # Not timed: the first request of a turn prepares again what depends on settings.
            for _ in handler(environ_of(cases.ACTUAL), lambda *_: lambda _: None):
                pass
            yield

    return WsgiSite(handler, serving)
