"""The suite's application in Django, by way of WSGI and by way of ASGI.

Django's settings are one object for the process, so each request is sent under settings of its own.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.urls import re_path

from conformance.asgi import asgi_transport
from conformance.wsgi import wsgi_transport
from django_project import OURS, project

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from django.http import HttpRequest

    from conformance.site import Headers, Page, Site, Transport
    from corscore import Policy

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


def django_wsgi(policy: Policy, site: Site) -> Transport:
    """The site behind Django's WSGI handler, with CORS."""
    with project(CORS_POLICY=policy, MIDDLEWARE=[OURS]):
        transport = wsgi_transport(get_wsgi_application())
    return _under(policy, site, transport, _Urls)


def django_asgi(policy: Policy, site: Site) -> Transport:
    """The site behind Django's ASGI handler, with CORS."""
    with project(CORS_POLICY=policy, MIDDLEWARE=[OURS]):
        transport = asgi_transport(get_asgi_application())
    return _under(policy, site, transport, _AsyncUrls)


def _under(policy: Policy, site: Site, transport: Transport, urls: object) -> Transport:
    def send(method: str, url: str, headers: Headers) -> tuple[int, Headers]:
        _site.set(site)
        with project(CORS_POLICY=policy, ROOT_URLCONF=urls):
            return transport(method, url, headers)

    return send
