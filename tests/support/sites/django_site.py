"""The application of the conformance suite in Django, under WSGI and under ASGI.

Django's settings are one object for the process, so each request is sent under settings of its own.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, include, path
from django.views import View

from corscore.testing.conformance import (
    METHODS,
    Answer,
    Page,
    Sender,
    Site,
    asgi_sender,
    wsgi_sender,
)
from corscore_django import cors_policy
from django_project import OURS, project

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from django.http import HttpRequest

    from corscore.integration import Policies

_site: ContextVar[Site] = ContextVar("site")


def view(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    page = _visited(request)
    return _response(page, iter(page.chunks))


async def view_async(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    page = _visited(request)
    return _response(page, _each(page.chunks))


def _visited(request: HttpRequest) -> Page:
    site = _site.get()
    if request.path not in site.pages:
        raise Http404
    return site.visit(request.method or "", request.path)


def _response(
    page: Page, stream: Iterable[bytes] | AsyncIterator[bytes]
) -> HttpResponse | StreamingHttpResponse:
    headers = dict(page.headers)
    if len(page.chunks) > 1:
        return StreamingHttpResponse(stream, status=page.status, headers=headers)
    return HttpResponse(b"".join(page.chunks), status=page.status, headers=headers)


async def _each(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def _class_of(handler: Callable[..., Any], site: Site, page: str) -> type[View]:
    """Return a view with the policies of a page's routes, on its handlers or by their names."""

    class PageView(View):
        pass

    PageView.http_method_names = [*map(str.lower, METHODS)]
    by_name = {}
    for route in site.routes(page):
        for method in map(str.lower, route.methods):
            own = _method(handler)
            if route.is_marked and method in ("get", "head", "put"):
                own = cors_policy(route.policy)(own)
            elif route.is_marked:
                by_name[method] = route.policy
            setattr(PageView, method, own)
    return cors_policy(**by_name)(PageView) if by_name else PageView


def _method(handler: Callable[..., Any]) -> Callable[..., Any]:
    # Each method has its own function, and a coroutine function stays one.
    if handler is view_async:

        async def method_async(self: View, request: HttpRequest) -> Any:
            return await handler(request)

        return method_async
    return lambda self, request: handler(request)


def _urls_of(handler: Callable[..., Any], site: Site) -> object:
    """Return a URLconf with a pattern for each page; those below ``/api/`` are included."""

    def pattern(page: str, prefix: str) -> URLPattern:
        return path(page.removeprefix(prefix), _class_of(handler, site, page).as_view())

    below = [page for page in site.pages if page.startswith("/api/")]
    own = [pattern(page, "/") for page in site.pages if page not in below]
    patterns = [*own, path("api/", include([pattern(page, "/api/") for page in below]))]
    # A class, since Django needs a URLconf that can be a key.
    return type("_RouteUrls", (), {"urlpatterns": patterns})


def serve_wsgi(site: Site, policies: Policies, **options: Any) -> Sender:
    return _serve(site, view, lambda: wsgi_sender(get_wsgi_application()), policies, options)


def serve_asgi(site: Site, policies: Policies, **options: Any) -> Sender:
    return _serve(site, view_async, lambda: asgi_sender(get_asgi_application()), policies, options)


def _serve(
    site: Site,
    handler: Callable[..., Any],
    start: Callable[[], Sender],
    policies: Policies,
    options: dict[str, Any],
) -> Sender:
    changes = {
        "CORS_POLICY": policies,
        "MIDDLEWARE": [OURS],
        "ROOT_URLCONF": _urls_of(handler, site),
        **{f"CORS_{name.upper()}": value for name, value in options.items()},
    }
    with project(**changes):
        sender = start()

    def send(method: str, url: str, headers: list[tuple[str, str]]) -> Answer:
        _site.set(site)
        with project(**changes):
            return sender(method, url, headers)

    return send
