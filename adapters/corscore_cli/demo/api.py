"""The demo's API, for all frameworks: routes, and functions that answer them."""

from __future__ import annotations

from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TOKEN = "Bearer demo"  # noqa: S105 - it opens nothing but the demo
COOKIE_NAME = "corscore_demo"
COOKIE_VALUE = "signed-in"

ARTICLES: list[dict[str, int | str]] = [
    {"id": 1, "title": "Same-origin policy"},
    {"id": 2, "title": "Cross-origin resource sharing"},
    {"id": 3, "title": "Preflight"},
]
HEADERS = {"X-Total-Count": str(len(ARTICLES)), "X-Served-By": "backend-7"}
SAVED = {"saved": True}
SESSION = {"user": "demo"}
NEWS = {"news": "a policy for each path"}
PRICES = {"prices": [7, 9]}
HEALTH = {"healthy": True}
_SET_COOKIE = f"{COOKIE_NAME}={COOKIE_VALUE}; HttpOnly; Path=/; SameSite=Lax"


class Broken(RuntimeError):
    """The exception of /broken, which no handler catches."""


class ApiResponse(NamedTuple):
    """A response of the API, before a framework sends it.

    Attributes:
        body: The body, to send as JSON.
        status: The HTTP status.
        headers: Headers beside Content-Type and Content-Length.
    """

    body: object
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = {}


class Route(NamedTuple):
    """A path, with a function for each method.

    Attributes:
        path: The path, with ``{number}`` for the number of an article.
        methods: The functions, which take the values of ``Authorization`` and ``Cookie``, or "".
    """

    path: str
    methods: Mapping[str, Callable[[str, str], ApiResponse]]


_UNAUTHORIZED = ApiResponse({"detail": "not signed in"}, HTTPStatus.UNAUTHORIZED)


def _list_articles(_authorization: str, _cookies: str) -> ApiResponse:
    return ApiResponse(ARTICLES, headers=HEADERS)


def _replace_article(authorization: str, _cookies: str) -> ApiResponse:
    return ApiResponse(SAVED) if authorization == TOKEN else _UNAUTHORIZED


def _change_article(_authorization: str, _cookies: str) -> ApiResponse:
    return ApiResponse(SAVED)


def _sign_in(_authorization: str, _cookies: str) -> ApiResponse:
    return ApiResponse(SESSION, headers={"Set-Cookie": _SET_COOKIE})


def _show_session(_authorization: str, cookies: str) -> ApiResponse:
    sent = SimpleCookie(cookies)
    is_signed_in = COOKIE_NAME in sent and sent[COOKIE_NAME].value == COOKIE_VALUE
    return ApiResponse(SESSION) if is_signed_in else _UNAUTHORIZED


def _show_news(_authorization: str, _cookies: str) -> ApiResponse:
    return ApiResponse(NEWS)


def _show_prices(_authorization: str, _cookies: str) -> ApiResponse:
    return ApiResponse(PRICES)


def _show_health(_authorization: str, _cookies: str) -> ApiResponse:
    return ApiResponse(HEALTH)


def _break_down(_authorization: str, _cookies: str) -> ApiResponse:
    raise Broken


ROUTES = (
    Route("/articles", {"GET": _list_articles}),
    Route(
        "/articles/{number}",
        {"PUT": _replace_article, "PATCH": _change_article, "DELETE": _change_article},
    ),
    Route("/session", {"POST": _sign_in, "GET": _show_session}),
    Route("/public/news", {"GET": _show_news}),
    Route("/shared/prices", {"GET": _show_prices}),
    Route("/internal/health", {"GET": _show_health}),
    Route("/broken", {"GET": _break_down}),
)
