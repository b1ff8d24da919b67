"""The suite's application in Django, by way of WSGI and by way of ASGI.

Django's settings are one object for the process, so each request is sent under settings of its own.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, include, path, re_path
from django.views import View

from conformance.asgi import asgi_transport
from conformance.routes import routes_of
from conformance.site import METHODS
from conformance.wsgi import wsgi_transport
from corscore_django import cors_policy
from django_project import OURS, project

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from django.http import HttpRequest

    from conformance.drivers import Policies
    from conformance.routes import Routes
    from conformance.site import Headers, Page, Site, Transport

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


class _Urls:
    urlpatterns = (re_path("", view),)


class _AsyncUrls:
    # Under ASGI, where an asynchronous view needs no thread.
    urlpatterns = (re_path("", view_async),)


def _class_of(handler: Callable[..., Any], routes: Routes, page: str) -> type[View]:
    """A view whose handlers have the policies of a page's routes: their own, or by their names."""

    class PageView(View):
        pass

    PageView.http_method_names = [*map(str.lower, METHODS)]
    by_name = {}
    for route in routes_of(routes, page):
        for method in map(str.lower, route.methods):
            own = _method(handler)
            if route.is_marked and method in ("get", "head", "put"):
                own = cors_policy(route.policy)(own)
            elif route.is_marked:
                by_name[method] = route.policy
            setattr(PageView, method, own)
    return cors_policy(**by_name)(PageView) if by_name else PageView


def _method(handler: Callable[..., Any]) -> Callable[..., Any]:
    # A function of its own for each method: a coroutine function stays one.
    if handler is view_async:

        async def method_async(self: View, request: HttpRequest) -> Any:
            return await handler(request)

        return method_async
    return lambda self, request: handler(request)


def _urls_of(handler: Callable[..., Any], routes: Routes, site: Site) -> object:
    """A URLconf with a pattern for each page; what is below ``/api/`` is included."""

    def pattern(page: str, prefix: str) -> URLPattern:
        return path(page.removeprefix(prefix), _class_of(handler, routes, page).as_view())

    below = [page for page in site.pages if page.startswith("/api/")]
    own = [pattern(page, "/") for page in site.pages if page not in below]
    patterns = [*own, path("api/", include([pattern(page, "/api/") for page in below]))]
    # A class, like the others: Django needs something that can be a key.
    return type("_RouteUrls", (), {"urlpatterns": patterns})


def django_wsgi(policies: Policies, site: Site) -> Transport:
    """The site behind Django's WSGI handler, with CORS."""
    return _wsgi(policies, site, _Urls)


def django_asgi(policies: Policies, site: Site) -> Transport:
    """The site behind Django's ASGI handler, with CORS."""
    return _asgi(policies, site, _AsyncUrls)


def django_wsgi_routes(routes: Routes, policies: Policies, site: Site) -> Transport:
    """The same with policies for single views."""
    return _wsgi(policies, site, _urls_of(view, routes, site))


def django_asgi_routes(routes: Routes, policies: Policies, site: Site) -> Transport:
    """The same with policies for single views."""
    return _asgi(policies, site, _urls_of(view_async, routes, site))


def _wsgi(policies: Policies, site: Site, urls: object) -> Transport:
    with project(CORS_POLICY=policies, MIDDLEWARE=[OURS], ROOT_URLCONF=urls):
        transport = wsgi_transport(get_wsgi_application())
    return _under(policies, site, transport, urls)


def _asgi(policies: Policies, site: Site, urls: object) -> Transport:
    with project(CORS_POLICY=policies, MIDDLEWARE=[OURS], ROOT_URLCONF=urls):
        transport = asgi_transport(get_asgi_application())
    return _under(policies, site, transport, urls)


def _under(policies: Policies, site: Site, transport: Transport, urls: object) -> Transport:
    def send(method: str, url: str, headers: Headers) -> tuple[int, Headers]:
        _site.set(site)
        with project(CORS_POLICY=policies, ROOT_URLCONF=urls):
            return transport(method, url, headers)

    return send
