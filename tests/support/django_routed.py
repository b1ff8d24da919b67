"""Views with policies of their own, in every way that Django and its REST framework have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any

from django.conf.urls.i18n import i18n_patterns
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path, register_converter
from django.utils.decorators import method_decorator
from django.utils.functional import lazystr
from django.utils.translation import get_language
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET
from rest_framework.decorators import action, api_view
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from cors_headers import numbered
from corscore import PolicyMap, PolicyRef
from corscore_django import cors_policy
from django_views import calls

APP, PATH, A, B, C = (numbered(number) for number in range(5))
REF = PolicyRef(A)
REF_TO_MAP = PolicyRef(PolicyMap({"/ref-to-map/": B}, default=None))


def ok(request: HttpRequest, **_: object) -> HttpResponse:
    calls.append(request.method or "")
    return HttpResponse(str(getattr(request, "cors", "unset")))


async def ok_async(request: HttpRequest) -> HttpResponse:
    calls.append(request.method or "")
    return HttpResponse("ok")


def noted(view: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator as users write them."""

    @wraps(view)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return inner


# --- classes


class Plain(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return ok(request)

    post = put = delete = get


@cors_policy(A)
class OnClass(Plain):
    """The whole class."""


class Inherits(OnClass):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().dispatch(request, *args, **kwargs)


@cors_policy(B)
class Overrides(OnClass):
    """A policy in the place of its base's."""


@method_decorator(cors_policy(A), name="dispatch")
class OnDispatch(Plain):
    """As Django's documentation has it."""


class InheritsDispatch(OnDispatch):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().dispatch(request, *args, **kwargs)


@method_decorator(cors_policy(B), name="dispatch")
class OverridesDispatch(OnDispatch):
    """A policy in the place of its base's."""


@cors_policy(get=A, delete=B, put=None)
class ByMethod(Plain):
    """Nothing is said of POST."""


@cors_policy(C, delete=B)
class ByMethodAndElse(Plain):
    """Everything but DELETE has the same."""


@cors_policy(delete=C)
class AddsToBase(ByMethod):
    """What is not named is its base's."""


@method_decorator(cors_policy(get=A, delete=B), name="dispatch")
class ByMethodOnDispatch(Plain):
    """By method, the other way."""


@method_decorator(cors_policy(C), name="dispatch")
class OverridesByMethodOnDispatch(ByMethodOnDispatch):
    """Whatever a class says counts more than what its base says."""


@cors_policy(C)
class OverridesByMethod(ByMethod):
    """The same, by the class."""


@cors_policy(A)
class OnHandler(View):
    """A handler's own policy counts more than its class's."""

    @cors_policy(B)
    def get(self, request: HttpRequest) -> HttpResponse:
        return ok(request)

    @method_decorator(cors_policy(C))
    def put(self, request: HttpRequest) -> HttpResponse:
        return ok(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        return ok(request)


@cors_policy(A)
class OverridesHandler(OnHandler):
    """Its base's handlers, with a policy of its own."""


class AnotherHandler(OnHandler):
    def get(self, request: HttpRequest) -> HttpResponse:
        return ok(request)


@cors_policy(A)
class Asynchronous(View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return await ok_async(request)

    @cors_policy(B)
    async def put(self, request: HttpRequest) -> HttpResponse:
        return await ok_async(request)


@cors_policy(A)
class CallableObject:
    """As feeds of Django's are."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return ok(request)


# --- Django REST framework


@cors_policy(A, put=B)
class Api(APIView):
    def get(self, request: Request) -> Response:
        if request.query_params.get("why") == "auth":
            raise NotAuthenticated
        return Response("ok")

    put = get

    @cors_policy(C)
    def delete(self, request: Request) -> Response:
        return Response("ok")


@cors_policy(list=A, destroy=B, put=C)
class Things(ViewSet):
    def list(self, request: Request) -> Response:
        return Response("ok")

    def create(self, request: Request) -> Response:
        return Response("ok")

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response("ok")

    def update(self, request: Request, pk: str) -> Response:
        return Response("ok")

    @cors_policy(C)
    def destroy(self, request: Request, pk: str) -> Response:
        return Response("ok")

    @cors_policy(B)
    @action(detail=False)
    def above(self, request: Request) -> Response:
        return Response("ok")

    @action(detail=False)
    @cors_policy(None)
    def below(self, request: Request) -> Response:
        return Response("ok")

    @below.mapping.delete
    @cors_policy(A)
    def remove_below(self, request: Request) -> Response:
        return Response("ok")


@cors_policy(A)
@api_view(["GET", "PUT"])
def api_above(request: Request) -> Response:
    return Response("ok")


@api_view(["GET", "PUT"])
@cors_policy(A)
def api_below(request: Request) -> Response:
    return Response("ok")


@api_view(["GET"])
def api_without(request: Request) -> Response:
    return Response("ok")


# --- paths


class Word:
    """A converter that does everything that converters do."""

    regex = "[a-z]+"

    def to_python(self, value: str) -> str:
        if value == "value":
            raise ValueError
        if value == "missing":
            raise Http404
        if value == "broken":
            raise RuntimeError("the database is gone")
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Word, "word")


class ByLanguage:
    """A route that is translated, without catalogues."""

    def __str__(self) -> str:
        return {"de": "seite/"}.get(get_language() or "", "page/")


router = SimpleRouter()
router.register("things", Things, basename="thing")

urlpatterns: Sequence[Any] = [
    path("ok/", ok),
    path("path/ok/", ok),
    path("sync/", cors_policy(A)(ok)),
    path("async/", cors_policy(A)(ok_async)),
    path("none/", cors_policy(None)(ok)),
    path("path/own/", cors_policy(A)(ok)),
    path("path/none/", cors_policy(None)(ok)),
    path("ref/", cors_policy(REF)(ok)),
    path("ref-to-map/", cors_policy(REF_TO_MAP)(ok)),
    path("exempt-outside/", csrf_exempt(cors_policy(A)(ok))),
    path("exempt-inside/", cors_policy(A)(csrf_exempt(ok))),
    path("noted/", noted(noted(cors_policy(A)(noted(ok))))),
    path("stacked/", cors_policy(B)(noted(cors_policy(A)(ok)))),
    path("by-name/head/", cors_policy(get=A, head=B)(Plain.as_view())),
    path("by-name/", cors_policy(get=A, delete=None)(ok)),
    path("require/", require_GET(cors_policy(A)(ok))),
    path("partial/", cors_policy(A)(partial(ok, extra=1))),
    path("object/", CallableObject()),
    path("class/", OnClass.as_view()),
    path("class/plain/", Plain.as_view()),
    path("class/inherits/", Inherits.as_view()),
    path("class/overrides/", Overrides.as_view()),
    path("class/outside/", cors_policy(C)(OnHandler.as_view())),
    path("class/names/", OnClass.as_view(http_method_names=["get"])),
    path("dispatch/", OnDispatch.as_view()),
    path("dispatch/inherits/", InheritsDispatch.as_view()),
    path("dispatch/overrides/", OverridesDispatch.as_view()),
    path("dispatch/methods/", ByMethodOnDispatch.as_view()),
    path("dispatch/methods/more/", OverridesByMethodOnDispatch.as_view()),
    path("methods/overrides/", OverridesByMethod.as_view()),
    path("handler/overrides/", OverridesHandler.as_view()),
    path("handler/another/", AnotherHandler.as_view()),
    path("methods/", ByMethod.as_view()),
    path("methods/else/", ByMethodAndElse.as_view()),
    path("methods/more/", AddsToBase.as_view()),
    path("handler/", OnHandler.as_view()),
    path("class/async/", Asynchronous.as_view()),
    path("api/", Api.as_view()),
    path("api/above/", api_above),
    path("api/below/", api_below),
    path("api/without/", api_without),
    path("drf/", include(router.urls)),
    path("word/<word:word>/", cors_policy(A)(ok)),
    path("plain/", include([path(lazystr(ByLanguage()), cors_policy(B)(ok))])),
    *i18n_patterns(path(lazystr(ByLanguage()), cors_policy(A)(ok))),
]


class Elsewhere:
    """The URLs that a middleware chooses for some requests."""

    urlpatterns = (path("ok/", cors_policy(B)(ok)),)


def chooses_urls(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    def middleware(request: HttpRequest) -> HttpResponse:
        if request.GET.get("urls") == "elsewhere":
            request.urlconf = Elsewhere  # type: ignore[assignment]  # Django takes any object
        return get_response(request)

    return middleware
