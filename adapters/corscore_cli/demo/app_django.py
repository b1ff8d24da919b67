"""The demo's API in Django. This module is its settings, its URLs and its views."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import setting_changed
from django.http import JsonResponse
from django.urls import path
from django.views import View

from corscore_cli.demo.api import (
    ARTICLES,
    COOKIE_NAME,
    COOKIE_VALUE,
    HEADERS,
    HEALTH,
    NEWS,
    SAVED,
    SESSION,
    UNAUTHORIZED,
    Broken,
)
from corscore_cli.demo.rows import TOKEN

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from corscore import PolicyRef

_POLICY = "CORS_POLICY"


def make_app(ref: PolicyRef) -> WSGIHandler:
    """The API behind the policies of the moment. A process has one Django, and so one of these."""
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["127.0.0.1"],
            MIDDLEWARE=["corscore_django.middleware.CorsMiddleware"],
            ROOT_URLCONF=__name__,
        )
        # It would print the traceback of an answer that is meant to be one.
        logging.getLogger("django.request").setLevel(logging.CRITICAL)
    setattr(settings, _POLICY, ref)
    setting_changed.send(sender=make_app, setting=_POLICY, value=ref, enter=True)
    return WSGIHandler()


class _Articles(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(ARTICLES, safe=False, headers=HEADERS)


class _Article(View):
    def put(self, request: HttpRequest, number: int) -> HttpResponse:
        if request.headers.get("Authorization") != TOKEN:
            return JsonResponse(UNAUTHORIZED, status=401)
        return JsonResponse(SAVED)

    def patch(self, request: HttpRequest, number: int) -> HttpResponse:
        return JsonResponse(SAVED)

    def delete(self, request: HttpRequest, number: int) -> HttpResponse:
        return JsonResponse(SAVED)


class _Session(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        response = JsonResponse(SESSION)
        response.set_cookie(COOKIE_NAME, COOKIE_VALUE, httponly=True, samesite="Lax")
        return response

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.COOKIES.get(COOKIE_NAME) != COOKIE_VALUE:
            return JsonResponse(UNAUTHORIZED, status=401)
        return JsonResponse(SESSION)


def _tell_news(request: HttpRequest) -> HttpResponse:
    return JsonResponse(NEWS)


def _tell_health(request: HttpRequest) -> HttpResponse:
    return JsonResponse(HEALTH)


def _break_down(request: HttpRequest) -> HttpResponse:
    raise Broken


urlpatterns = [
    path("articles", _Articles.as_view()),
    path("articles/<int:number>", _Article.as_view()),
    path("session", _Session.as_view()),
    path("public/news", _tell_news),
    path("internal/health", _tell_health),
    path("broken", _break_down),
]
