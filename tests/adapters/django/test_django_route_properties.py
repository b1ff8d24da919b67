"""A preflight and its request have the same policy, over generated trees of URLs."""

from __future__ import annotations

import copy
from typing import Any

from django.conf.urls.i18n import i18n_patterns
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpResponse
from django.urls import include, path
from django.utils.functional import lazystr
from django.views import View
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cors_headers import named
from corscore.testing.conformance import asgi_sender, wsgi_sender
from corscore_django import cors_policy
from django_project import COMMON, OURS, project
from django_routed import LOCALE, ByLanguage
from route_trees import MARKS, POLICIES, UNMARKED, Level, Node, assert_one_policy, requests, trees

KINDS = ["view", "class", "crash", "missing", "language", "in", "in"]
PATHS = ["a", "b", "a/", "a/b/", "<name>/", "<path:rest>", ""]


def view_of(node: Node) -> Any:
    def view(*_: Any, **__: Any) -> HttpResponse:
        if node.kind == "crash":
            raise ValueError
        if node.kind == "missing":
            raise Http404
        return HttpResponse("ok")

    if node.kind == "class":
        page: Any = type("Page", (View,), {"get": view, "put": view})
        if node.mark != UNMARKED:
            page = cors_policy(put=MARKS[node.mark])(page)
        return page.as_view()
    return view if node.mark == UNMARKED else cors_policy(MARKS[node.mark])(view)


def urls_of(tree: list[Level], *, has_languages: bool) -> type:
    levels: list[Any] = []
    for level, _ in tree:
        patterns = [
            path(node.path, include(levels[node.number % len(levels)]))
            if node.kind == "in" and levels
            else path(
                lazystr(ByLanguage()) if node.kind == "language" else node.path, view_of(node)
            )
            for node in level
        ]
        levels.append((patterns, None))
    root = levels[-1][0]
    own = i18n_patterns(*root, prefix_default_language=False) if has_languages else root
    return type("Urls", (), {"urlpatterns": own})


# --- middleware


def rewriting(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        request.path_info = request.path_info.translate(str.maketrans("ab", "ba"))
        return get_response(request)

    return middleware


def copying(get_response: Any) -> Any:
    return lambda request: get_response(copy.copy(request))


def answering(get_response: Any) -> Any:
    return lambda request: HttpResponse("answered before routing")


def overriding(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        request.method = "GET"
        return get_response(request)

    return middleware


class Elsewhere:
    """The URLs that a middleware chooses."""

    urlpatterns = (
        path("a/", cors_policy(named("5"))(View.as_view())),
        path("<path:rest>", cors_policy(named("6"))(View.as_view())),
    )


def choosing(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        request.urlconf = Elsewhere
        return get_response(request)

    return middleware


class BeforeTheView:
    """A middleware that answers when the view is known."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        return self.get_response(request)

    def process_view(self, *_: object) -> HttpResponse:
        return HttpResponse("answered before the view")


# Each with the middleware above ours, the middleware below, and whether a request may come to
# another view than that of its URL.
MIDDLEWARE: dict[str, tuple[list[str], list[str], bool]] = {
    "none": ([], [], False),
    "slash": ([], [COMMON], False),
    "copy": ([], [f"{__name__}.copying"], False),
    "answering": ([], [f"{__name__}.answering"], False),
    "view": ([], [f"{__name__}.BeforeTheView"], False),
    "path": ([], [f"{__name__}.rewriting"], True),
    "path-above": ([f"{__name__}.rewriting"], [], False),
    "method": ([], [f"{__name__}.overriding"], True),
    "urls": ([], [f"{__name__}.choosing"], True),
    "urls-above": ([f"{__name__}.choosing"], [], False),
    "language": ([], [LOCALE], True),
    "language-above": ([LOCALE], [COMMON], True),
}


# A language's prefix, which only `LocaleMiddleware` reads, above a view for every path.
PREFIXED: list[Level] = [
    ([Node("view", "a/", ("GET",), 0, 0), Node("view", "<path:rest>", ("GET",), 0, 1)], UNMARKED)
]


@settings(max_examples=min(100, settings().max_examples))
@example(PREFIXED, True, "none", False, [("GET", "/de/a/", "one.example")])
@example(PREFIXED, True, "language", False, [("GET", "/de/a/", "one.example")])
@given(
    trees(KINDS, PATHS),
    st.booleans(),
    st.sampled_from([*MIDDLEWARE]),
    st.booleans(),
    requests("/de/a/", "/page/", "/seite/"),
)
def test_a_preflight_and_its_request_have_the_same_policy(
    tree: Any, has_languages: bool, middleware: str, is_async: bool, sent: Any
) -> None:
    above, below, may_differ = MIDDLEWARE[middleware]
    with project(
        CORS_POLICY=POLICIES,
        LANGUAGES=[("en", "English"), ("de", "German")],
        MIDDLEWARE=[*above, OURS, *below],
        ROOT_URLCONF=urls_of(tree, has_languages=has_languages),
        ALLOWED_HOSTS=["*"],
    ):
        send = (
            asgi_sender(get_asgi_application()) if is_async else wsgi_sender(get_wsgi_application())
        )
        german = [("Cookie", "django_language=de")]
        assert_one_policy(send, sent, may_differ=may_differ, headers=german)
