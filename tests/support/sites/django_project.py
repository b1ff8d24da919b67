"""The one Django project of a test session: Django's settings are one object for the process.

Importing this module configures Django, once. A module that needs a Django application imports it
first, and sets what it needs with ``project`` or ``django.test.override_settings``: here there is
no CORS setting, no middleware and no database.

``exchange`` sends a request through the whole of Django, the way of WSGI or the way of ASGI.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import django
from django.conf import settings
from django.http import HttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.http import HttpRequest

    Mode = Literal["sync", "async"]

OURS = "corscore_django.middleware.CorsMiddleware"
THEIRS = "corsheaders.middleware.CorsMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"

STATIC = Path(__file__).parents[2] / "data"


def ok(request: HttpRequest) -> HttpResponse:
    """Answer tests that need only one page."""
    return HttpResponse("ok")


urlpatterns = [path("ok/", ok), path("api/ok/", ok)]

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["testserver", "localhost", "127.0.0.1", ".example.com"],
        CACHES={"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
        INSTALLED_APPS=["django.contrib.staticfiles", "rest_framework", "corscore_django"],
        # pytest configures logging.
        LOGGING_CONFIG=None,
        MIDDLEWARE=[],
        REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None},
        ROOT_URLCONF="django_project",
        SECRET_KEY="not secret",
        STATICFILES_DIRS=[STATIC],
        STATIC_URL="/static/",
        USE_TZ=True,
    )
    django.setup(set_prefix=False)


@contextmanager
def project(**changes: Any) -> Iterator[None]:
    """Run the project with other settings, and by default with our middleware."""
    with override_settings(**{"MIDDLEWARE": [OURS, COMMON], **changes}):
        yield


class _OneHost(AsyncClient):
    """A client that sends one Host; Django's own adds another."""

    async def request(self, **scope: Any) -> Any:
        hosts = [pair for pair in scope["headers"] if pair[0] == b"host"]
        scope["headers"] = [pair for pair in scope["headers"] if pair not in hosts[:-1]]
        return await super().request(**scope)


def exchange(
    mode: Mode, method: str, url: str, headers: Mapping[str, str] | None = None, **options: Any
) -> Any:
    """Send a request through Django, and return its closed response.

    Args:
        mode: ``"sync"`` for the handler of WSGI, ``"async"`` for that of ASGI.
        method: The request's method.
        url: Its path and query.
        headers: Its headers.
        options: Further arguments of the client, such as ``data``.
    """
    if mode == "sync":
        client = Client(raise_request_exception=False)
        response = client.generic(method, url, headers=headers, **options)
        response.close()
        return response

    async def send() -> Any:
        client = _OneHost(raise_request_exception=False)
        response = await client.generic(method, url, headers=headers, **options)
        response.close()
        return response

    return asyncio.run(send())
