"""A Django project of one view, under every kind of policy; one project a process."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from django.urls import path

from benchmarks import cases
from benchmarks.cases import ACTUAL, PREFLIGHT
from benchmarks.sites import django
from benchmarks.sites.serving import WsgiSite
from benchmarks.ways import BARE, PEERS, PLAIN, Case
from benchmarks.ways.asgi import map_of, policy
from corscore import PolicyRef
from corscore_django import cors_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from django.http import HttpRequest, HttpResponse

    from corscore.integration import Policies

_OPTIONS = cases.options()


def by_hand(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Return a middleware that sets the headers of an allowed request in Django's own way."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        headers = response.headers
        headers["Access-Control-Allow-Origin"] = cases.ORIGIN
        headers["Access-Control-Allow-Credentials"] = "true"
        headers["Access-Control-Expose-Headers"] = "x-total-count"
        headers["Vary"] = "Origin"
        return response

    return middleware


def _project(middleware: str, view: Any = django.view, **own: Any) -> WsgiSite:
    # The settings are never restored, since nothing else runs in this process.
    urlconf = ModuleType("urlconf")
    urlconf.__dict__["urlpatterns"] = [path("api/items/<number>", view)]
    installed = {"ALLOWED_HOSTS": ["api.example.com"], "ROOT_URLCONF": urlconf}
    override_settings(MIDDLEWARE=[middleware] if middleware else [], **installed, **own).enable()
    return WsgiSite(WSGIHandler())


def _governed(
    make_policy: Callable[[], Policies] = policy, view: Callable[..., HttpResponse] = django.view
) -> WsgiSite:
    return _project("corscore_django.middleware.CorsMiddleware", view, CORS_POLICY=make_policy())


def _map() -> WsgiSite:
    return _governed(lambda: map_of(10))


def _reference() -> WsgiSite:
    return _governed(lambda: PolicyRef(policy()))


def _marked() -> WsgiSite:
    return _governed(view=cors_policy(policy(max_age=60))(django.view))


CASES: Mapping[str, Case] = {
    BARE: Case(lambda: _project(""), ACTUAL, None),
    "headers set by hand": Case(lambda: _project("benchmarks.ways.django.by_hand"), ACTUAL),
    PLAIN: Case(_governed, ACTUAL),
    f"{PLAIN}, preflight": Case(_governed, PREFLIGHT, None),
    "map of 10 keys": Case(_map, ACTUAL),
    "map of 10 keys, preflight": Case(_map, PREFLIGHT, None),
    "reference": Case(_reference, ACTUAL),
    "reference, preflight": Case(_reference, PREFLIGHT, None),
    "view's policy": Case(_marked, ACTUAL),
}
if django.CORS_HEADERS in django.LAYERS:
    CASES = {
        **CASES,
        PEERS["django"]: Case(
            lambda: _project(
                "corsheaders.middleware.CorsMiddleware",
                CORS_ALLOWED_ORIGINS=_OPTIONS["allow_origins"],
                CORS_ALLOW_METHODS=_OPTIONS["allow_methods"],
                CORS_ALLOW_HEADERS=_OPTIONS["allow_headers"],
                CORS_EXPOSE_HEADERS=_OPTIONS["expose_headers"],
                CORS_ALLOW_CREDENTIALS=True,
            ),
            ACTUAL,
        ),
    }
