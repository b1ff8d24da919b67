"""Views and middleware of the tests, with every kind of answer of a Django project."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.contrib.staticfiles.views import serve
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import path
from django.views.decorators.http import require_GET
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from corscore_django.middleware import CorsMiddleware

calls: list[str] = []
"""What was called, by name; a test that looks at it empties it first."""


def ok(request: HttpRequest) -> HttpResponse:
    calls.append("ok")
    return HttpResponse("ok")


async def ok_async(request: HttpRequest) -> HttpResponse:
    calls.append(f"ok_async {threading.get_ident()}")
    return HttpResponse("ok")


def boom(request: HttpRequest) -> HttpResponse:
    raise ValueError("boom")


async def boom_async(request: HttpRequest) -> HttpResponse:
    raise ValueError("boom")


def raising(error: Exception) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view


def read_body(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body)


def with_etag(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", headers={"ETag": '"1"'})


def chunks(request: HttpRequest) -> StreamingHttpResponse:
    def stream() -> Iterator[bytes]:
        yield b"o"
        yield b"k"

    return StreamingHttpResponse(stream())


async def chunks_async(request: HttpRequest) -> StreamingHttpResponse:
    async def stream() -> AsyncIterator[bytes]:
        yield b"o"
        yield b"k"

    return StreamingHttpResponse(stream())


def broken_stream(request: HttpRequest) -> StreamingHttpResponse:
    def stream() -> Iterator[bytes]:
        yield b"o"
        raise ValueError("in the middle")

    return StreamingHttpResponse(stream())


def this_file(request: HttpRequest) -> FileResponse:
    return FileResponse(Path(__file__).open("rb"))


def rendered_late(request: HttpRequest) -> TemplateResponse:
    return TemplateResponse(request, engines["django"].from_string("{{ word }}"), {"word": "ok"})


def own_headers(request: HttpRequest) -> HttpResponse:
    """Answer with the view's own headers of CORS, and a Vary."""
    return HttpResponse(
        "ok",
        headers={
            "Access-Control-Allow-Origin": "*",
            "access-control-allow-credentials": "true",
            "Access-Control-Max-Age": "5",
            "Access-Control-Expose-Headers": "X-Page",
            "Vary": "Cookie, ORIGIN",
            "X-Page": "2",
        },
    )


def decision(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.cors))  # type: ignore[attr-defined]


class Thing(APIView):
    """A view that answers GET, and refuses in every way of Django REST framework."""

    def get(self, request: Request) -> Response:
        why = request.query_params.get("why")
        if why == "auth":
            raise NotAuthenticated
        if why == "boom":
            raise ValueError("boom")
        return Response({"ok": True})


class InTheWay:
    """A middleware that answers some requests itself, sync or async as Django."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        calls.append("InTheWay")
        if request.GET.get("way") == "boom":
            raise ValueError("boom")
        if request.GET.get("way") == "401":
            refused = HttpResponse(status=401)
            return _awaitable(refused) if iscoroutinefunction(self) else refused
        response: HttpResponseBase | Awaitable[HttpResponseBase] = self.get_response(request)
        return response


async def _awaitable(response: HttpResponse) -> HttpResponseBase:
    return response


def sync_only(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Return a sync middleware, which Django runs in a thread under ASGI."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    return middleware


class WithOwnPage:
    """The project with a page of its own for unhandled exceptions."""

    urlpatterns: Sequence[Any] = ()

    @staticmethod
    def handler500(request: HttpRequest) -> HttpResponse:
        return HttpResponse("our own page", status=500)


class WithFailingPage(WithOwnPage):
    """The project whose page for unhandled exceptions fails in turn."""

    @staticmethod
    def handler500(request: HttpRequest) -> HttpResponse:
        raise KeyError("in the page for errors")


urlpatterns = [
    path("ok/", ok),
    path("api/ok/", ok),
    path("ok-async/", ok_async),
    path("boom/", boom),
    path("boom-async/", boom_async),
    path("denied/", raising(PermissionDenied())),
    path("suspicious/", raising(SuspiciousOperation())),
    path("bad/", raising(BadRequest())),
    path("missing/", raising(Http404())),
    path("moved/", lambda request: HttpResponseRedirect("/ok/")),
    path("get-only/", require_GET(ok)),
    path("body/", read_body),
    path("etag/", with_etag),
    path("stream/", chunks),
    path("stream-async/", chunks_async),
    path("stream-broken/", broken_stream),
    path("file/", this_file),
    path("template/", rendered_late),
    path("own-headers/", own_headers),
    path("decision/", decision),
    path("thing/", Thing.as_view()),
    # As in `staticfiles_urlpatterns`: below the middleware, unlike runserver's handler.
    path("static/<path:path>", serve, {"insecure": True}),
]
WithOwnPage.urlpatterns = WithFailingPage.urlpatterns = urlpatterns


class OwnCommon(CommonMiddleware):
    """As users write them."""


class OwnCsrf(CsrfViewMiddleware):
    """As users write them."""


class OwnCors(CorsMiddleware):
    """As users write them."""
