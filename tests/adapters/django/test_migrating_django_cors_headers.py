"""A move from django-cors-headers: under the same settings, a browser may do the same.

It may do the same, but for ``tests/data/differences_django_cors_headers.json``, where each row says
what is different and why; each of them is shown here.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import corsheaders.signals
import pytest
from django.core.wsgi import get_wsgi_application
from hypothesis import given, note, settings
from hypothesis import strategies as st

import corscore_django.signals
from corscore import ConfigError
from corscore.browser import FetchResult, PreflightCache, Request, fetch
from corscore.testing.conformance import wsgi_sender
from corscore.testing.conformance._oracle import SERVER, SHARED
from corscore.testing.conformance._site import transport_of
from django_project import OURS, THEIRS, project
from tables import rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from corscore.testing.conformance._site import Headers, Transport

PAGE = "https://app.example"
STRANGER = "https://evil.test"

Settings = dict[str, Any]
Reply = tuple[int, "Headers"]


class Under:
    """A project with settings, and one of the two middlewares on.

    Receivers are no setting, but belong to a configuration all the same: ``"receiver"`` is one.
    """

    def __init__(self, middleware: str, settings: Settings) -> None:
        self.middleware = middleware
        self.settings = {"ROOT_URLCONF": "django_views", **settings}
        self.receiver = self.settings.pop("receiver", None)
        self.stack = ExitStack()

    def __enter__(self) -> Transport:
        if self.receiver is not None:
            for signals in (corscore_django.signals, corsheaders.signals):
                signals.check_request_enabled.connect(self.receiver)
                self.stack.callback(signals.check_request_enabled.disconnect, self.receiver)
        self.stack.enter_context(project(**{**self.settings, "MIDDLEWARE": [self.middleware]}))
        try:
            return transport_of(wsgi_sender(get_wsgi_application()))
        except ConfigError:
            self.stack.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.stack.close()


def in_public(sender: None, request: HttpRequest, **kwargs: Any) -> bool:
    """A receiver as in the documentation of django-cors-headers."""
    return request.path.startswith("/api/")


def fails(sender: None, request: HttpRequest, **kwargs: Any) -> bool:
    raise ValueError("no database")


# --- what stays the same

SAME: dict[str, Settings] = {
    "a list": {"CORS_ALLOWED_ORIGINS": [PAGE, "http://localhost:3000"]},
    "a list, with credentials": {"CORS_ALLOWED_ORIGINS": (PAGE,), "CORS_ALLOW_CREDENTIALS": True},
    "everyone": {"CORS_ALLOW_ALL_ORIGINS": True},
    "a regex": {"CORS_ALLOWED_ORIGIN_REGEXES": [r"^https://\w+\.app\.example$"]},
    "regexes and a list, with credentials": {
        "CORS_ALLOWED_ORIGINS": [PAGE],
        "CORS_ALLOWED_ORIGIN_REGEXES": [r"^https://a\.app\.example$", r"^http://localhost:\d+$"],
        "CORS_ALLOW_CREDENTIALS": True,
    },
    "exposed headers": {
        "CORS_ALLOWED_ORIGINS": [PAGE],
        "CORS_EXPOSE_HEADERS": ["Allow", "Location", "ETag"],
    },
    "methods and headers": {
        "CORS_ALLOWED_ORIGINS": [PAGE],
        "CORS_ALLOW_METHODS": ["GET", "POST", "PUT", "PURGE"],
        "CORS_ALLOW_HEADERS": [*corscore_django.default_headers, "X-One"],
    },
    "few headers": {"CORS_ALLOWED_ORIGINS": [PAGE], "CORS_ALLOW_HEADERS": ["content-type"]},
    "some paths": {"CORS_ALLOWED_ORIGINS": [PAGE], "CORS_URLS_REGEX": r"^/(api|thing)/.*$"},
    "a short life": {"CORS_ALLOWED_ORIGINS": [PAGE], "CORS_PREFLIGHT_MAX_AGE": 1},
    "old names": {
        "CORS_ORIGIN_WHITELIST": [PAGE],
        "CORS_ORIGIN_REGEX_WHITELIST": [r"^https://a\.app\.example$"],
    },
    "the old name for everyone": {"CORS_ORIGIN_ALLOW_ALL": True},
    "a receiver": {"receiver": in_public},
    "a receiver and a list": {"CORS_ALLOWED_ORIGINS": [PAGE], "receiver": in_public},
    "a receiver beyond some paths": {
        "CORS_ALLOWED_ORIGINS": [PAGE],
        "CORS_URLS_REGEX": r"^/thing/.*$",
        "CORS_ALLOW_CREDENTIALS": True,
        "receiver": in_public,
    },
}

ORIGINS = [PAGE, "http://localhost:3000", "https://a.app.example", STRANGER, SERVER]
ORIGINS += ["https://app.example:8443", "http://app.example", "https://b.a.app.example"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "patch", "PURGE", "QUERY"]
HEADERS = [
    ("Authorization", "Bearer token"),
    ("Content-Type", "application/json"),
    ("Content-Type", "text/plain"),
    ("X-Requested-With", "fetch"),
    ("X-CSRFToken", "token"),
    ("X-One", "1"),
    ("X-Two", "2"),
    ("Cookie", "stolen=1"),
]
PATHS = ["/ok/", "/api/ok/", "/thing/", "/boom/", "/nowhere/", "/moved/", "/get-only/", "/etag/"]


@st.composite
def requests(draw: st.DrawFn) -> Request:
    headers = draw(st.lists(st.sampled_from(HEADERS), max_size=3, unique_by=lambda pair: pair[0]))
    return Request(
        draw(st.sampled_from(METHODS)),
        SERVER + draw(st.sampled_from(PATHS)),
        origin=draw(st.sampled_from(ORIGINS)),
        headers=headers,
        credentials=draw(st.sampled_from(["omit", "include"])),
        cookie="session=1",
    )


@pytest.mark.filterwarnings("ignore:the setting CORS_ORIGIN_:DeprecationWarning")
@pytest.mark.parametrize("settings", [pytest.param(value, id=key) for key, value in SAME.items()])
@settings(max_examples=max(1, settings().max_examples // 4))
@given(st.lists(requests(), min_size=1, max_size=4))
def test_a_browser_may_do_the_same_as_under_django_cors_headers(
    settings: Settings, asked: list[Request]
) -> None:
    outcomes = []
    for middleware in (THEIRS, OURS):
        cache = PreflightCache(clock=lambda: 0)
        with Under(middleware, settings) as transport:
            results = [fetch(request, transport, cache) for request in asked]
        note(f"{middleware}: {results}")
        outcomes.append(
            [(result.readable, result.status, own_headers(result)) for result in results]
        )
    assert outcomes[0] == outcomes[1]


def own_headers(result: FetchResult) -> list[tuple[str, str]]:
    """Return the application's own headers that the script may read."""
    return [pair for pair in result.headers if pair[0] not in SHARED]


# --- what does not


def verdict(result: FetchResult) -> str:
    return result.reason or "readable"


def has_x_page(result: FetchResult) -> str:
    return "readable" if "x-page" in dict(result.headers) else "hidden"


def first(name: str) -> Callable[[FetchResult], str]:
    """Return a header, or the status, of the first answer that the browser got."""

    def look(result: FetchResult) -> str:
        answer = result.exchanges[0]
        received = {"status": str(answer.status), **dict(answer.response_headers)}
        return received.get(name, "none")

    return look


class Shown(NamedTuple):
    """A request that shows a difference.

    Attributes:
        difference: Names the row of the table.
        settings: What is configured.
        request: What a browser is asked for; by default a GET from ``PAGE``.
        theirs: What comes of it with django-cors-headers.
        ours: The same with corscore, or the code of the problem that stops the server.
        look: What to look at.
    """

    difference: str
    settings: Settings
    request: dict[str, Any]
    theirs: str
    ours: str
    look: Callable[[FetchResult], str] = verdict


LIST: Settings = {"CORS_ALLOWED_ORIGINS": [PAGE]}
COOKIES: Settings = {"CORS_ALLOW_CREDENTIALS": True}
WITH_COOKIES = {"credentials": "include"}
FROM_STRANGER = {"origin": STRANGER}
PUT = {"method": "PUT"}

SHOWN = [
    Shown(
        "every origin, with credentials",
        {"CORS_ALLOW_ALL_ORIGINS": True, **COOKIES},
        {**FROM_STRANGER, **WITH_COOKIES},
        "readable",
        "wildcard-with-credentials",
    ),
    Shown(
        "every origin, beside a list",
        {"CORS_ALLOW_ALL_ORIGINS": True, **LIST},
        {},
        "readable",
        "wildcard-not-alone",
    ),
    Shown(
        "pages of files",
        {"CORS_ALLOWED_ORIGINS": ["file://"]},
        {},
        "no-allow-origin",
        "origin-file",
    ),
    Shown("no origin at all", {}, {}, "no-allow-origin", "origins-missing"),
    Shown(
        "an origin's regex matches a part",
        {"CORS_ALLOWED_ORIGIN_REGEXES": [r"^https://app\.example"]},
        {"origin": "https://app.example.evil.test"},
        "readable",
        "no-allow-origin",
    ),
    Shown(
        "an origin's regex matches anything, with credentials",
        {"CORS_ALLOWED_ORIGIN_REGEXES": [r"^https://.*$"], **COOKIES},
        {**FROM_STRANGER, **WITH_COOKIES},
        "readable",
        "regex-matches-anything-with-credentials",
    ),
    Shown(
        "an origin's regex can run for hours",
        {"CORS_ALLOWED_ORIGIN_REGEXES": [r"^https://(\w+)+\.example$"]},
        {},
        "readable",
        "regex-unsafe",
    ),
    Shown(
        "null in the list",
        {"CORS_ALLOWED_ORIGINS": ["null"]},
        {"origin": "null"},
        "readable",
        "origin-null",
    ),
    Shown(
        "null by a regex",
        {"CORS_ALLOWED_ORIGIN_REGEXES": [".*"]},
        {"origin": "null"},
        "readable",
        "no-allow-origin",
    ),
    Shown(
        "null by a receiver",
        {"receiver": in_public},
        {"origin": "null", "url": f"{SERVER}/api/ok/"},
        "readable",
        "no-allow-origin",
    ),
    Shown(
        "a receiver that raises",
        {**LIST, "receiver": fails},
        FROM_STRANGER,
        "500",
        "200",
        first("status"),
    ),
    Shown(
        "an origin in a form that no browser sends",
        {"CORS_ALLOWED_ORIGINS": [PAGE, "https://app.example:443"]},
        {},
        "readable",
        "origin-default-port",
    ),
    Shown(
        "a pattern in the list",
        {"CORS_ALLOWED_ORIGINS": ["https://*.app.example"]},
        {"origin": "https://a.app.example"},
        "no-allow-origin",
        "readable",
    ),
    Shown(
        "http, with credentials",
        {"CORS_ALLOWED_ORIGINS": ["http://app.example"], **COOKIES},
        {"origin": "http://app.example", **WITH_COOKIES},
        "readable",
        "insecure-origin-with-credentials",
    ),
    Shown(
        "paths match a part",
        {**LIST, "CORS_URLS_REGEX": "^/api/"},
        {"url": f"{SERVER}/api/ok/"},
        "readable",
        "no-allow-origin",
    ),
    Shown(
        "safelisted request headers",
        {**LIST, "CORS_ALLOW_HEADERS": ["x-one"]},
        {"method": "POST", "headers": {"Content-Type": "application/json"}},
        "header-not-allowed",
        "readable",
    ),
    Shown(
        "methods in lower case",
        {**LIST, "CORS_ALLOW_METHODS": ["put"]},
        PUT,
        "method-not-allowed",
        "readable",
    ),
    Shown(
        "PATCH in lower case",
        {**LIST, "CORS_ALLOW_METHODS": ["patch"]},
        {"method": "PATCH"},
        "method-not-allowed",
        "method-case",
    ),
    Shown(
        "any method or header, with credentials",
        {**LIST, **COOKIES, "CORS_ALLOW_METHODS": ["*"], "CORS_ALLOW_HEADERS": ["*"]},
        {**PUT, **WITH_COOKIES, "headers": {"X-One": "1"}},
        "method-not-allowed",
        "readable",
    ),
    Shown(
        "any header, and Authorization",
        {**LIST, "CORS_ALLOW_HEADERS": ["*"]},
        {"headers": {"Authorization": "Bearer token"}},
        "authorization-needs-explicit",
        "readable",
    ),
    Shown(
        "a method or header that no script can use",
        {**LIST, "CORS_ALLOW_METHODS": ["TRACE"]},
        {},
        "readable",
        "method-forbidden",
    ),
    Shown(
        "all headers exposed, with credentials",
        {**LIST, **COOKIES, "CORS_EXPOSE_HEADERS": ["*"]},
        WITH_COOKIES,
        "readable",
        "expose-wildcard-with-credentials",
    ),
    Shown(
        "CORS headers that a view sets",
        LIST,
        {**FROM_STRANGER, "url": f"{SERVER}/own-headers/"},
        "readable",
        "no-allow-origin",
    ),
    Shown(
        "headers that a view exposes",
        {**LIST, "CORS_EXPOSE_HEADERS": ["X-Total"]},
        {"url": f"{SERVER}/own-headers/"},
        "hidden",
        "readable",
        has_x_page,
    ),
    Shown(
        "a preflight that is not to be remembered",
        {**LIST, "CORS_PREFLIGHT_MAX_AGE": 0},
        PUT,
        "none",
        "0",
        first("access-control-max-age"),
    ),
    Shown(
        "a preflight remembered for more than a day",
        {**LIST, "CORS_PREFLIGHT_MAX_AGE": 604800},
        PUT,
        "readable",
        "max-age-out-of-range",
    ),
    Shown("the status of a preflight", LIST, PUT, "200", "204", first("status")),
    Shown(
        "the status of a preflight from a refused origin",
        LIST,
        {**PUT, **FROM_STRANGER},
        "200",
        "403",
        first("status"),
    ),
    Shown(
        "Vary, where everyone is allowed",
        {"CORS_ALLOW_ALL_ORIGINS": True},
        {},
        "origin",
        "none",
        first("vary"),
    ),
    Shown(
        "a private network, for everyone",
        {"CORS_ALLOW_ALL_ORIGINS": True, "CORS_ALLOW_PRIVATE_NETWORK": True},
        {},
        "readable",
        "private-network-with-wildcard",
    ),
]

DIFFERENCES = rows("differences_django_cors_headers")


def outcome(middleware: str, shown: Shown) -> str:
    asked = {"method": "GET", "url": f"{SERVER}/ok/", "origin": PAGE, **shown.request}
    try:
        with Under(middleware, shown.settings) as transport:
            return shown.look(fetch(Request(**asked), transport))
    except ConfigError as error:
        (problem,) = error.problems
        return problem.code


@pytest.mark.parametrize("shown", SHOWN, ids=[shown.difference for shown in SHOWN])
def test_each_listed_difference_is_one(shown: Shown) -> None:
    assert outcome(THEIRS, shown) == shown.theirs
    assert outcome(OURS, shown) == shown.ours


def test_the_private_network_header_is_in_preflights_alone() -> None:
    asks = [("Origin", PAGE), ("Access-Control-Request-Private-Network", "true")]
    preflight = [*asks, ("Access-Control-Request-Method", "PUT")]
    settings = {**LIST, "CORS_ALLOW_PRIVATE_NETWORK": True}
    sent = {}
    for middleware in (THEIRS, OURS):
        with Under(middleware, settings) as transport:
            answers = [transport("GET", f"{SERVER}/ok/", asks)]
            answers.append(transport("OPTIONS", f"{SERVER}/ok/", preflight))
        names = [{name.lower() for name, _ in headers} for _, headers in answers]
        sent[middleware] = ["access-control-allow-private-network" in one for one in names]
    assert sent == {THEIRS: [True, True], OURS: [False, True]}


# Shown by the test above and by test_a_page_that_loses_access_is_named_in_a_problem_or_the_log.
ELSEWHERE = {"the private-network header on an actual request", "a receiver of the old signal"}


def test_every_difference_is_shown_and_has_its_reason() -> None:
    differences = [row["difference"] for row in DIFFERENCES]
    assert len(set(differences)) == len(differences)
    assert set(differences) == {shown.difference for shown in SHOWN} | ELSEWHERE
    for row in DIFFERENCES:
        assert list(row) == ["group", "difference", "django-cors-headers", "corscore", "why"]
        assert all(row.values())
