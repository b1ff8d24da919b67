"""Views with their own policies, in every way of Django and Django REST framework."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from django.conf.urls.i18n import i18n_patterns
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
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

from cors_headers import NO_ORIGIN, named
from corscore import PolicyMap, PolicyRef
from corscore.testing.conformance import Sender, asgi_sender, wsgi_sender
from corscore_django import cors_policy
from django_project import COMMON, OURS, project
from django_views import calls

if TYPE_CHECKING:
    from django_project import Mode

APP, PATH, A, B, C = map(named, ("app", "path", "a", "b", "c"))
BY_PATH = PolicyMap({"/path/*": PATH}, default=APP)
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
    """The policy of a whole class."""


class Inherits(OnClass):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().dispatch(request, *args, **kwargs)


@cors_policy(B)
class Overrides(OnClass):
    """A policy that replaces its base's."""


@method_decorator(cors_policy(A), name="dispatch")
class OnDispatch(Plain):
    """A policy on ``dispatch``, as in Django's documentation."""


class InheritsDispatch(OnDispatch):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().dispatch(request, *args, **kwargs)


@method_decorator(cors_policy(B), name="dispatch")
class OverridesDispatch(OnDispatch):
    """A policy that replaces its base's."""


@cors_policy(get=A, delete=B, put=None)
class ByMethod(Plain):
    """Policies by method, without POST."""


@cors_policy(C, delete=B)
class ByMethodAndElse(Plain):
    """A policy for all methods but DELETE."""


@cors_policy(delete=C)
class AddsToBase(ByMethod):
    """Policies by method, beside those of the base."""


@method_decorator(cors_policy(get=A, delete=B), name="dispatch")
class ByMethodOnDispatch(Plain):
    """Policies by method on ``dispatch``."""


@method_decorator(cors_policy(C), name="dispatch")
class OverridesByMethodOnDispatch(ByMethodOnDispatch):
    """A policy on ``dispatch`` that replaces those of the base."""


@cors_policy(C)
class OverridesByMethod(ByMethod):
    """A policy of the class that replaces those of the base."""


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
    """A policy of the class, which beats those of the base's handlers."""


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
    """A view that is a callable object, as Django's feeds."""

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
    """A converter that may refuse a value or raise."""

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


# --- which policy governs

LOCALE = "django.middleware.locale.LocaleMiddleware"
SITE: dict[str, Any] = {
    "MIDDLEWARE": [
        OURS,
        COMMON,
        LOCALE,
        "django_views.InTheWay",
    ],
    "ROOT_URLCONF": "django_routed",
    "LANGUAGES": [("en", "English"), ("de", "German")],
}


def serve_sync(policies: Any) -> AbstractContextManager[Sender]:
    return serving("sync", CORS_POLICY=policies)


def serve_async(policies: Any) -> AbstractContextManager[Sender]:
    return serving("async", CORS_POLICY=policies)


@contextmanager
def serving(mode: Mode, **changes: Any) -> Iterator[Sender]:
    """Run the site under other settings."""
    with project(**{**SITE, **changes}):
        yield (
            wsgi_sender(get_wsgi_application())
            if mode == "sync"
            else asgi_sender(get_asgi_application())
        )


CASES: dict[str, dict[str, str | None]] = {
    "functions": {
        "GET /ok/": "app",  # no policy of its own
        "GET /nowhere/": "app",  # no view
        "GET /sync": "app",  # a redirect to the path with a slash
        "GET /sync/": "a",  # a function
        "DELETE /sync/": "a",  # a function, whatever the method
        "OPTIONS /sync/": "a",  # a function, OPTIONS itself
        "GET /async/": "a",  # an asynchronous function
        "GET /ref/": "a",  # a reference
        "GET /ref-to-map/": "b",  # a reference to a map
        "POST /exempt-outside/": "a",  # csrf_exempt outside
        "POST /exempt-inside/": "a",  # csrf_exempt inside
        "GET /noted/": "a",  # other decorators inside and outside
        "GET /stacked/": "b",  # the outer one of two
        "POST /require/": "a",  # a method that a decorator refuses
        "GET /partial/": "a",  # a partial
        "GET /object/": "a",  # a callable object
    },
    "left alone": {
        "GET /none/": None,  # a function that is left alone
        "PUT /none/": None,  # a function that is left alone, whatever the method
    },
    "functions, by method": {
        "GET /by-name/": "a",  # a function, by method
        "HEAD /by-name/": "a",  # a function, by method: HEAD is GET
        "HEAD /by-name/head/": "b",  # by method: HEAD has a policy of its own
        "DELETE /by-name/": None,  # a function, by method: left alone
        "PUT /by-name/": "app",  # a function, by method: not named
    },
    "classes": {
        "GET /class/": "a",  # a class
        "HEAD /class/": "a",  # a class: HEAD is GET
        "OPTIONS /class/": "a",  # a class: its own OPTIONS
        "PATCH /class/": "app",  # a class: no such handler
        "PURGE /class/": "app",  # a class: no such method
        "GET /class/plain/": "app",  # a class without a policy, though its subclasses have some
        "GET /class/inherits/": "a",  # a base class
        "GET /class/overrides/": "b",  # a class counts more than its base
        "GET /class/outside/": "c",  # a decorator around as_view counts most
        "GET /class/names/": "a",  # a class with fewer methods
        "PUT /class/names/": "app",  # a class with fewer methods: none of them
        "GET /class/async/": "a",  # an asynchronous class
        "PUT /class/async/": "b",  # an asynchronous handler
    },
    "classes, by dispatch": {
        "GET /dispatch/": "a",  # dispatch
        "PATCH /dispatch/": "app",  # dispatch: no such handler
        "GET /dispatch/inherits/": "a",  # the dispatch of a base class
        "GET /dispatch/overrides/": "b",  # dispatch counts more than that of a base class
        "GET /dispatch/methods/": "a",  # by method on dispatch
        "DELETE /dispatch/methods/": "b",  # by method on dispatch: another
        "POST /dispatch/methods/": "app",  # by method on dispatch: not named
        "GET /dispatch/methods/more/": "c",  # dispatch counts more than by method in a base class
    },
    "classes, by method": {
        "GET /methods/overrides/": "c",  # a class counts more than by method in its base
        "GET /methods/": "a",  # by method
        "HEAD /methods/": "a",  # by method: HEAD is GET
        "DELETE /methods/": "b",  # by method: another
        "PUT /methods/": None,  # by method: left alone
        "POST /methods/": "app",  # by method: not named
        "POST /methods/else/": "c",  # by method: everything else
        "DELETE /methods/else/": "b",  # by method: but for one
        "DELETE /methods/more/": "c",  # by method: its own
        "GET /methods/more/": "a",  # by method: its base's
    },
    "handlers of classes": {
        "GET /handler/": "b",  # a handler counts more than its class
        "HEAD /handler/": "b",  # a handler: HEAD is GET
        "PUT /handler/": "c",  # a handler, by method_decorator
        "POST /handler/": "a",  # a handler without: its class's
        "GET /handler/overrides/": "a",  # a class counts more than its base's handlers
        "GET /handler/another/": "a",  # a handler that replaces one with a policy
        "PUT /handler/another/": "c",  # a base's handler
    },
    "Django REST framework": {
        "GET /api/": "a",  # APIView
        "GET /api/?why=auth": "a",  # APIView: who is not logged in
        "PUT /api/": "b",  # APIView by method
        "DELETE /api/": "c",  # APIView: a handler
        "PATCH /api/": "app",  # APIView: no such handler
        "GET /drf/things/": "a",  # a viewset by action
        "HEAD /drf/things/": "a",  # a viewset by action: HEAD is GET
        "POST /drf/things/": "app",  # a viewset: an action that is not named
        "GET /drf/things/1/": "app",  # a viewset: the same method, another action
        "DELETE /drf/things/1/": "b",  # a viewset by action, named from outside
        "PUT /drf/things/1/": "c",  # a viewset by method
        "PATCH /drf/things/1/": "app",  # a viewset: no such action
        "GET /drf/things/above/": "b",  # above @action
        "GET /drf/things/below/": None,  # below @action
        "DELETE /drf/things/below/": "a",  # one of an action's methods
        "GET /api/above/": "a",  # above @api_view
        "DELETE /api/above/": "app",  # above @api_view: another method
        "PUT /api/below/": "a",  # below @api_view
        "DELETE /api/below/": "app",  # below @api_view: another method
        "GET /api/without/": "app",  # @api_view alone
    },
    "converters": {
        "GET /word/abc/": "a",  # a path with a parameter
        "GET /word/value/": "app",  # a converter that says no
        "GET /word/missing/": "app",  # a converter that finds nothing
    },
    "languages": {
        "GET /en/page/": "a",  # a language's prefix
        "GET /de/seite/": "a",  # another language, and its name of the path
        "GET /de/page/": "app",  # a path of another language
        "GET /fr/page/": "app",  # a language that the project does not have
    },
    "by path, and by view": {
        "GET /path/ok/": "path",  # the path's
        "GET /path/nowhere/": "path",  # no view at a path with a policy
        "GET /path/own/": "a",  # a view beats its path
        "GET /path/none/": None,  # a view beats its path, left alone
        "GET /p%61th/x": "path",  # decoded once
        "GET /p%2561th/x": "app",  # not twice
        "GET /PATH/x": "app",  # another path
        "GET /path/../x": NO_ORIGIN,  # "/x" for a file server, which has another policy
    },
    "answered by a middleware below": {
        "GET /sync/?way=401": "a",  # a 401 of a middleware below
        "GET /sync/?way=boom": "a",  # an exception in a middleware below
        "GET /none/?way=401": None,  # a 401 at a view that is left alone
    },
}
