"""The application of ``test_errors_matrix`` in Django, for its two columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from django_project import COMMON, OURS, exchange, project

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from corscore import Policy
    from django_project import Mode

    Headers = list[tuple[str, str]]
    Send = Callable[[str, str, dict[str, str], bytes], tuple[int, Headers]]


def _exception(request: HttpRequest) -> NoReturn:
    raise ValueError("in the view")


def _for_handler(request: HttpRequest) -> NoReturn:
    raise PermissionDenied


def _unauthorized(request: HttpRequest) -> HttpResponse:
    # With several renderers the framework adds its own Vary.
    from rest_framework.exceptions import NotAuthenticated
    from rest_framework.renderers import JSONRenderer
    from rest_framework.views import APIView

    class View(APIView):
        renderer_classes = (JSONRenderer,)

        def get_authenticate_header(self, request: object) -> str:
            return "Bearer"

        def get(self, request: object) -> NoReturn:
            raise NotAuthenticated

    response: HttpResponse = View.as_view()(request)
    return response


async def _stream(request: HttpRequest) -> StreamingHttpResponse:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    return StreamingHttpResponse(chunks())


def failing_middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """The middleware between the adapter and the views."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path == "/middleware":
            raise ValueError("in the middleware")
        return get_response(request)

    return middleware


class Plain:
    """The project's URLs and handlers; ``test_errors_matrix.Variant`` names the others."""

    urlpatterns = (
        path("ok", require_safe(lambda request: HttpResponse("ok"))),
        path("exception", _exception),
        path("handler", _for_handler),
        path("unauthorized", _unauthorized),
        path("upload", lambda request: HttpResponse(request.body)),
        path("away", lambda request: HttpResponse(status=307, headers={"Location": "/ok"})),
        path("unchanged", lambda request: HttpResponse(status=304)),
        path("stream", _stream),
    )

    @staticmethod
    def handler403(request: HttpRequest, exception: Exception) -> NoReturn:
        raise ValueError("in the handler")


class Own500(Plain):
    @staticmethod
    def handler500(request: HttpRequest) -> HttpResponse:
        return HttpResponse("our own page", status=500)


class Failing500(Plain):
    @staticmethod
    def handler500(request: HttpRequest) -> NoReturn:
        raise ValueError("in the handler of last resort")


VARIANTS = {"PLAIN": Plain, "OWN_500": Own500, "FAILING_500": Failing500}


def sender(mode: Mode, policy: Policy, variant: str, limit: int) -> Send:
    """Return a sender that answers an exception with 500, as a server does."""

    def send(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Headers]:
        changes = {
            "ALLOWED_HOSTS": ["api.example", "testserver"],
            "CORS_POLICY": policy,
            "DATA_UPLOAD_MAX_MEMORY_SIZE": limit,
            "MIDDLEWARE": [OURS, COMMON, "django_errors.failing_middleware"],
            "ROOT_URLCONF": VARIANTS[variant],
        }
        with project(**changes):
            try:
                response = exchange(mode, method, path, headers, data=body)
            except ValueError:
                return 500, []
        return response.status_code, list(response.headers.items())

    return send
