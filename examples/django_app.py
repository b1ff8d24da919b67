"""Django in one file: settings, a view, and a view with a policy of its own.

Run with ``python django_app.py runserver``; ``python django_app.py check`` reports mistakes in the
settings.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import django
from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

from corscore import Policy
from corscore_django import cors_policy

if TYPE_CHECKING:
    from django.http import HttpRequest

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="an example's, and no secret",
        INSTALLED_APPS=["corscore_django"],
        MIDDLEWARE=[
            "corscore_django.middleware.CorsMiddleware",  # first
            "django.middleware.common.CommonMiddleware",
        ],
        CORS_ALLOWED_ORIGINS=["https://app.example.com"],
        CORS_ALLOW_CREDENTIALS=True,
    )
    django.setup()


def orders(request: HttpRequest) -> JsonResponse:
    """For our own pages, with cookies."""
    return JsonResponse({"orders": ["one", "two"]})


@cors_policy(Policy(allow_origins=["*"]))
def version(request: HttpRequest) -> JsonResponse:
    """For everybody."""
    return JsonResponse({"version": "1.0"})


urlpatterns = [path("orders", orders), path("version", version)]
application = get_wsgi_application()

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
