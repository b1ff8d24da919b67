"""The Django middleware: every kind of answer, under WSGI and ASGI, and the signal."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory, override_settings

from cors_headers import OTHER_PAGE, PAGE, READABLE, REFUSED, UNTOUCHED, cors_of
from corscore import ConfigError, Policy
from corscore.integration import translated_policy
from corscore.testing.conformance import wsgi_sender
from corscore_django import CorsMiddleware, check_request_enabled, default_headers
from django_project import COMMON, OURS, exchange, project
from django_views import WithFailingPage, WithOwnPage, calls, ok, ok_async, own_headers

if TYPE_CHECKING:
    from django.http import HttpRequest

    from django_project import Mode

FROM_PAGE = {"Origin": PAGE}
FROM_OTHER = {"Origin": OTHER_PAGE}
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "PUT"}
BELOW = [COMMON, "django.middleware.http.ConditionalGetMiddleware", "django_views.InTheWay"]
SITE: dict[str, Any] = {
    "MIDDLEWARE": [OURS, *BELOW],
    "ROOT_URLCONF": "django_views",
    "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
}

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


@pytest.fixture
def site() -> Iterator[None]:
    """A project with every kind of view, which allows one page."""
    calls.clear()
    with project(CORS_ALLOWED_ORIGINS=[PAGE], **SITE):
        yield


def cors(response: Any) -> dict[str, list[str]]:
    return cors_of(response.headers.items())


# --- every kind of answer

ANSWERS: list[tuple[str, str, int, str]] = [
    ("GET", "/ok/", 200, "a view"),
    ("HEAD", "/ok/", 200, "HEAD"),
    ("POST", "/ok/", 200, "POST"),
    ("OPTIONS", "/ok/", 200, "OPTIONS that is no preflight"),
    ("GET", "/ok-async/", 200, "an asynchronous view"),
    ("GET", "/boom/", 500, "an exception in a view"),
    ("GET", "/boom-async/", 500, "an exception in an asynchronous view"),
    ("GET", "/denied/", 403, "PermissionDenied"),
    ("GET", "/suspicious/", 400, "SuspiciousOperation"),
    ("GET", "/bad/", 400, "BadRequest"),
    ("GET", "/missing/", 404, "Http404"),
    ("GET", "/nowhere/", 404, "no such path"),
    ("GET", "/moved/", 302, "a redirect"),
    ("GET", "/ok", 301, "a redirect to the path with a slash"),
    ("POST", "/get-only/", 405, "HttpResponseNotAllowed"),
    ("POST", "/body/", 400, "a body beyond DATA_UPLOAD_MAX_MEMORY_SIZE"),
    ("GET", "/etag/", 304, "not modified"),
    ("GET", "/stream/", 200, "a stream"),
    ("GET", "/stream-async/", 200, "an asynchronous stream"),
    ("GET", "/stream-broken/", 200, "a stream that breaks"),
    ("GET", "/file/", 200, "a file"),
    ("GET", "/template/", 200, "a response that is rendered late"),
    ("GET", "/static/problems.json", 200, "a static file, as a view"),
    ("GET", "/static/none.json", 404, "a static file that is not there"),
    ("GET", "/ok/?way=401", 401, "a middleware below that answers"),
    ("GET", "/ok/?way=boom", 500, "an exception in a middleware below"),
    ("GET", "/thing/", 200, "Django REST framework"),
    ("GET", "/thing/?why=auth", 403, "its own exception"),
    ("GET", "/thing/?why=boom", 500, "any exception in its view"),
    ("DELETE", "/thing/", 405, "its 405"),
    ("OPTIONS", "/thing/", 200, "its OPTIONS"),
]
every_answer = pytest.mark.parametrize(
    ("method", "url", "status"), [pytest.param(*row[:3], id=row[3]) for row in ANSWERS]
)
# Django warns of a stream of the wrong kind, and serves it.
mixed_streams = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")


def ask(mode: Mode, method: str, url: str, headers: dict[str, str]) -> Any:
    headers = {"If-None-Match": '"1"', **headers} if url == "/etag/" else headers
    data = b"x" * 50 if url == "/body/" else b""
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10):
        return exchange(mode, method, url, headers, data=data)


@both_modes
@every_answer
@mixed_streams
@pytest.mark.usefixtures("site")
def test_every_answer_is_readable_for_an_allowed_page(
    mode: Mode, method: str, url: str, status: int
) -> None:
    response = ask(mode, method, url, FROM_PAGE)
    expected = dict(READABLE)
    if "Accept" in response.headers.get("Vary", ""):  # Django REST framework's own
        expected["vary"] = ["accept", "origin"]
    assert (response.status_code, cors(response)) == (status, expected)


@both_modes
@every_answer
@mixed_streams
@pytest.mark.usefixtures("site")
def test_no_answer_is_readable_for_another_page(
    mode: Mode, method: str, url: str, status: int
) -> None:
    for headers in (FROM_OTHER, {}):
        response = ask(mode, method, url, headers)
        assert response.status_code == status
        assert cors(response)["vary"][-1] == "origin"
        assert cors(response).keys() == {"vary"}


@both_modes
@pytest.mark.parametrize(
    ("url", "status"), [("/boom/", 500), ("/nowhere/", 404), ("/suspicious/", 400)]
)
@pytest.mark.usefixtures("site")
def test_the_pages_of_debug_mode_are_readable(mode: Mode, url: str, status: int) -> None:
    with override_settings(DEBUG=True):
        response = exchange(mode, "GET", url, FROM_PAGE)
    assert b"DEBUG = True" in response.content
    assert (response.status_code, cors(response)) == (status, READABLE)


@both_modes
@pytest.mark.usefixtures("site")
def test_the_projects_own_page_for_errors_is_readable(mode: Mode) -> None:
    with override_settings(ROOT_URLCONF=WithOwnPage):
        response = exchange(mode, "GET", "/boom/", FROM_PAGE)
    assert response.content == b"our own page"
    assert (response.status_code, cors(response)) == (500, READABLE)


@both_modes
def test_a_page_for_errors_that_fails_is_replaced_and_logged(
    mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    """Django has no answer then, and the server's own would not be readable."""
    changes = {**SITE, "ROOT_URLCONF": WithFailingPage}
    with project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_URLS_REGEX="/boom/", **changes):
        response = exchange(mode, "GET", "/boom/", FROM_PAGE)
        assert (response.status_code, cors(response)) == (500, READABLE)
        assert response.content == b"Internal Server Error"
        record = caplog.records[-1]
        assert (record.name, record.levelname) == ("django.request", "ERROR")
        assert "in the page for errors" in caplog.text
        for headers in ({}, FROM_OTHER, {"Sec-Fetch-Site": "same-origin", **FROM_PAGE}):
            with pytest.raises(KeyError):
                exchange(mode, "GET", "/boom/", headers)
        with pytest.raises(KeyError):
            exchange(mode, "GET", "/boom-async/", FROM_PAGE)
        with (
            pytest.raises(ValueError, match="boom"),
            override_settings(DEBUG_PROPAGATE_EXCEPTIONS=True),
        ):
            exchange(mode, "GET", "/boom/", FROM_PAGE)


@both_modes
@pytest.mark.usefixtures("site")
def test_the_refusal_of_a_host_is_readable(mode: Mode) -> None:
    response = exchange(mode, "GET", "/ok/", {"Host": "evil.test", **FROM_PAGE})
    assert (response.status_code, cors(response)) == (400, READABLE)


@both_modes
def test_static_files_of_whitenoise_below_are_readable(mode: Mode) -> None:
    whitenoise = "whitenoise.middleware.WhiteNoiseMiddleware"
    changes = {
        "MIDDLEWARE": [OURS, whitenoise],
        "WHITENOISE_AUTOREFRESH": True,
        "WHITENOISE_USE_FINDERS": True,
        "STATIC_ROOT": None,
        "WHITENOISE_ALLOW_ALL_ORIGINS": False,
    }
    with project(CORS_ALLOWED_ORIGINS=[PAGE], **changes):
        response = exchange(mode, "GET", "/static/problems.json", FROM_PAGE)
    response.close()
    assert (response.status_code, cors(response)) == (200, READABLE)


def test_static_files_of_runserver_are_out_of_reach() -> None:
    """A view or WhiteNoise serves them in reach: see the two tests above."""
    with project(CORS_ALLOWED_ORIGINS=[PAGE], DEBUG=True):
        server = wsgi_sender(StaticFilesHandler(get_wsgi_application()))
        lines = [*FROM_PAGE.items()]
        status, headers, _ = server("GET", "http://testserver/static/problems.json", lines)
        assert (status, cors_of(headers)) == (200, UNTOUCHED)
        assert cors_of(server("GET", "http://testserver/ok/", lines)[1]) == READABLE


# --- preflights


@both_modes
@pytest.mark.parametrize("url", ["/ok/", "/nowhere/", "/ok", "/get-only/", "/thing/"])
@pytest.mark.usefixtures("site")
def test_a_preflight_never_goes_further(mode: Mode, url: str) -> None:
    response = exchange(mode, "OPTIONS", url, PREFLIGHT)
    assert response.status_code == 204
    assert response.content == b""
    assert dict(response.headers) == {
        "Access-Control-Allow-Origin": PAGE,
        "Access-Control-Allow-Methods": "GET, HEAD, POST, DELETE, OPTIONS, PATCH, PUT",
        "Access-Control-Allow-Headers": "accept, accept-language, content-language, content-type, "
        "range, authorization, user-agent, x-csrftoken, x-requested-with",
        "Access-Control-Max-Age": "86400",
        "Vary": "Origin",
    }
    assert calls == []


@both_modes
@pytest.mark.usefixtures("site")
def test_a_refused_preflight_says_nothing_without_debug(mode: Mode) -> None:
    response = exchange(mode, "OPTIONS", "/ok/", {**PREFLIGHT, **FROM_OTHER})
    assert response.status_code == 403
    assert dict(response.headers) == {
        "Content-Length": "0",
        "Content-Type": "text/plain; charset=utf-8",
        "Vary": "Origin",
    }
    assert calls == []


@both_modes
def test_a_refused_preflight_says_why_where_debug_is_set(mode: Mode) -> None:
    with project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_DEBUG=True, CORS_PREFLIGHT_STATUS=200, **SITE):
        refused = exchange(mode, "OPTIONS", "/ok/", {**PREFLIGHT, **FROM_OTHER})
        allowed = exchange(mode, "OPTIONS", "/ok/", PREFLIGHT)
    assert refused.content == b"The request's Origin is not one that the policy allows."
    assert refused.headers["Content-Length"] == str(len(refused.content))
    assert (allowed.status_code, allowed.headers["Content-Length"]) == (200, "0")


@both_modes
def test_a_preflight_that_asks_for_much_gets_an_answer(mode: Mode) -> None:
    """Credentials beside ``*``: the answer repeats the requested names as header values."""
    changes = {"CORS_ALLOW_METHODS": ["*"], "CORS_ALLOW_HEADERS": ["*"]}
    asked = {**PREFLIGHT, "Access-Control-Request-Headers": "x-one,x-two"}
    with project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_ALLOW_CREDENTIALS=True, **changes, **SITE):
        answer = cors(exchange(mode, "OPTIONS", "/ok/", asked))
        hostile = cors(exchange(mode, "OPTIONS", "/ok/", {**asked, **HOSTILE}))
    assert answer["access-control-allow-methods"] == ["PUT"]
    assert answer["access-control-allow-headers"] == ["x-one,x-two"]
    assert "access-control-allow-headers" not in hostile


HOSTILE = {"Access-Control-Request-Headers": "x-one\r\nSet-Cookie: a=b"}

ODD_ORIGINS = ["", " ", "null", "https://", PAGE + "/", PAGE.upper(), PAGE + ", " + PAGE, "\x00"]
ODD_ORIGINS += ["https://\xe4pp.example", "https://app.example:443", "a" * 5000, PAGE + "\r\nX: y"]


@both_modes
@pytest.mark.parametrize("origin", ODD_ORIGINS, ids=ascii)
@pytest.mark.usefixtures("site")
def test_an_origin_that_is_not_allowed_is_never_repeated(mode: Mode, origin: str) -> None:
    assert cors(exchange(mode, "GET", "/ok/", {"Origin": origin})) == REFUSED
    response = exchange(mode, "OPTIONS", "/ok/", {**PREFLIGHT, "Origin": origin})
    assert (response.status_code, cors(response)) == (403, REFUSED)


# --- what the application says itself


def notices(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what was logged, without refused requests."""
    return [
        record
        for record in caplog.records
        if record.name == "corscore" and not record.getMessage().startswith("CORS refused")
    ]


@pytest.mark.usefixtures("site")
@both_modes
def test_a_refusal_is_logged(mode: Mode, caplog: pytest.LogCaptureFixture) -> None:
    for method, headers in (("GET", {"Origin": "https://evil.example"}), ("GET", {})):
        exchange(mode, method, "/ok/", headers)
    exchange(mode, "POST", "/ok/", {"Origin": "https://api.example.com", "Host": "api.example.com"})
    said = [record.getMessage() for record in caplog.records if record.name == "corscore"]
    assert said == [
        (
            "CORS refused (origin-not-allowed): origin https://evil.example, GET /ok/"
            "; what to do: corscore code origin-not-allowed, corscore explain, or debug=True"
        )
    ]


@both_modes
def test_headers_of_cors_that_the_view_sets_are_replaced(
    mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    with project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_EXPOSE_HEADERS=["X-Total"], **SITE):
        allowed = cors(exchange(mode, "GET", "/own-headers/", FROM_PAGE))
        refused = cors(exchange(mode, "GET", "/own-headers/", FROM_OTHER))
    assert allowed == {
        "access-control-allow-origin": [PAGE],
        "access-control-expose-headers": ["X-Total, X-Page"],
        "vary": ["cookie", "origin"],
    }
    assert refused == {"vary": ["cookie", "origin"]}
    said = [record.getMessage() for record in notices(caplog)]
    # Each client makes an application.
    assert len(said) == 2
    assert all("access-control-allow-origin" in message for message in said)


def test_a_conflict_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with project(CORS_ALLOWED_ORIGINS=[PAGE]):
        middleware = CorsMiddleware(own_headers)
        for _ in range(3):
            middleware(RequestFactory().get("/"))
    assert [record.name for record in caplog.records] == ["corscore"]


@both_modes
def test_the_view_finds_the_decision(mode: Mode) -> None:
    with project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_URLS_REGEX="/decision/.*", **SITE):
        assert b"<Decision actual allowed" in exchange(mode, "GET", "/decision/", FROM_PAGE).content
        refused = exchange(mode, "GET", "/decision/", FROM_OTHER).content
        assert b"<Decision actual origin-not-allowed" in refused
    with project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_URLS_REGEX="/api/.*", **SITE):
        assert exchange(mode, "GET", "/decision/", FROM_PAGE).content == b"None"


# --- paths


@both_modes
def test_a_path_that_is_left_out_is_left_alone(mode: Mode) -> None:
    with project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_URLS_REGEX="/api/.*", **SITE):
        assert cors(exchange(mode, "GET", "/api/ok/", FROM_PAGE)) == READABLE
        assert cors(exchange(mode, "GET", "/ok/", FROM_PAGE)) == UNTOUCHED
        # The regex must match the whole path, without the query.
        assert cors(exchange(mode, "GET", "/ok/?/api/", FROM_PAGE)) == UNTOUCHED
        assert exchange(mode, "OPTIONS", "/ok/", PREFLIGHT).content == b"ok"
        theirs = cors(exchange(mode, "GET", "/own-headers/", FROM_PAGE))
    assert theirs["access-control-allow-origin"] == ["*"]
    assert theirs["vary"] == ["cookie", "origin"]


@both_modes
def test_a_regex_over_paths_matches_all_of_a_path(mode: Mode) -> None:
    with project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_URLS_REGEX="^/api/$", **SITE):
        assert cors(exchange(mode, "GET", "/api/ok/", FROM_PAGE)) == UNTOUCHED
        # In re.match a dollar sign also matches before a line break at the end.
        assert cors(exchange(mode, "GET", "/api/%0A", FROM_PAGE)) == UNTOUCHED


def test_the_path_is_the_one_below_the_script_name() -> None:
    with project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_URLS_REGEX="/ok/", **SITE):
        response = exchange("sync", "GET", "/ok/", FROM_PAGE, SCRIPT_NAME="/mounted")
    assert cors(response) == READABLE


# --- asynchronous


@pytest.mark.usefixtures("site")
def test_no_thread_is_entered_for_the_middleware(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.DEBUG, "django.request"),
        override_settings(DEBUG=True, MIDDLEWARE=[OURS]),
    ):
        exchange("async", "GET", "/ok-async/", FROM_PAGE)
        exchange("sync", "GET", "/ok/", FROM_PAGE)
    # "Synchronous handler adapted for middleware ...", and the like.
    assert [record for record in caplog.records if "adapted" in record.getMessage()] == []
    assert f"ok_async {threading.get_ident()}" in calls


def test_the_middleware_is_what_it_wraps() -> None:
    with project(CORS_ALLOWED_ORIGINS=[PAGE]):
        assert iscoroutinefunction(CorsMiddleware(ok_async))
        assert not iscoroutinefunction(CorsMiddleware(ok))


@both_modes
def test_a_middleware_without_asgi_may_be_above_or_below(mode: Mode) -> None:
    for stack in ([OURS, "django_views.sync_only"], ["django_views.sync_only", OURS]):
        with project(CORS_ALLOWED_ORIGINS=[PAGE], **{**SITE, "MIDDLEWARE": stack}):
            assert cors(exchange(mode, "GET", "/ok-async/", FROM_PAGE)) == READABLE


def test_requests_at_once_get_their_own_answers() -> None:
    with project(CORS_ALLOWED_ORIGINS=[PAGE, OTHER_PAGE]):
        middleware: Any = CorsMiddleware(ok_async)
        requests = [
            AsyncRequestFactory().get("/ok/", headers={"Origin": origin})
            for origin in [PAGE, OTHER_PAGE] * 500
        ]

        async def serve_all() -> list[HttpResponse]:
            return list(await asyncio.gather(*map(middleware, requests)))

        responses = asyncio.run(serve_all())
    got = [response.headers["Access-Control-Allow-Origin"] for response in responses]
    assert got == [PAGE, OTHER_PAGE] * 500


# --- the signal

Receiver = Callable[..., Any]


@contextmanager
def receiving(*receivers: Receiver) -> Iterator[None]:
    for receiver in receivers:
        check_request_enabled.connect(receiver)
    try:
        yield
    finally:
        for receiver in receivers:
            check_request_enabled.disconnect(receiver)


class Receivers:
    """Receivers that count their calls."""

    def __init__(self, result: Any = True) -> None:
        self.result = result
        self.asked: list[HttpRequest] = []
        self.threads: list[int] = []

    def sync(self, sender: None, request: HttpRequest, **kwargs: Any) -> Any:
        self.asked.append(request)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    async def asynchronous(self, sender: None, request: HttpRequest, **kwargs: Any) -> Any:
        self.threads.append(threading.get_ident())
        await asyncio.sleep(0)
        return self.sync(sender, request)

    def disguised(self, sender: None, request: HttpRequest, **kwargs: Any) -> Any:
        """A plain function that returns a coroutine."""
        return self.asynchronous(sender, request)

    def kind(self, name: str) -> Receiver:
        receiver: Receiver = getattr(self, name)
        return receiver


every_receiver = pytest.mark.parametrize("kind", ["sync", "asynchronous", "disguised"])


@both_modes
@every_receiver
def test_a_receiver_may_allow_an_origin(mode: Mode, kind: str) -> None:
    receivers = Receivers()
    with receiving(receivers.kind(kind)), project(CORS_ALLOWED_ORIGINS=[PAGE], **SITE):
        allowed = cors(exchange(mode, "GET", "/ok/", FROM_OTHER))
        assert len(receivers.asked) == 1
        preflight = exchange(mode, "OPTIONS", "/ok/", {**PREFLIGHT, **FROM_OTHER})
        assert len(receivers.asked) == 2
    assert allowed == {"access-control-allow-origin": [OTHER_PAGE], "vary": ["origin"]}
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == OTHER_PAGE
    assert {request.method for request in receivers.asked} == {"GET", "OPTIONS"}


@both_modes
@every_receiver
@pytest.mark.parametrize("result", [False, None, 0, "", ValueError("no")], ids=repr)
def test_a_receiver_that_fails_or_declines_allows_nothing(
    mode: Mode, kind: str, result: Any, caplog: pytest.LogCaptureFixture
) -> None:
    receivers = Receivers(result)
    with receiving(receivers.kind(kind)), project(CORS_ALLOWED_ORIGINS=[PAGE], **SITE):
        assert cors(exchange(mode, "GET", "/ok/", FROM_OTHER)) == REFUSED
    assert len(receivers.asked) == 1
    logged = notices(caplog)
    assert len(logged) == isinstance(result, Exception)
    for record in logged:
        assert record.exc_info is not None
        assert record.exc_info[1] is not None
        assert "refused" in record.getMessage()


@both_modes
@pytest.mark.parametrize("failing", ["sync", "asynchronous"])
def test_one_receiver_that_fails_outweighs_one_that_allows(mode: Mode, failing: str) -> None:
    allowing, broken = Receivers(), Receivers(ValueError("no"))
    with (
        receiving(allowing.sync, broken.kind(failing)),
        project(CORS_ALLOWED_ORIGINS=[PAGE], **SITE),
    ):
        assert cors(exchange(mode, "GET", "/ok/", FROM_OTHER)) == REFUSED


@both_modes
def test_one_receiver_that_allows_is_enough(mode: Mode) -> None:
    allowing, indifferent = Receivers(), Receivers(None)
    with (
        receiving(indifferent.sync, allowing.asynchronous, indifferent.disguised),
        project(CORS_ALLOWED_ORIGINS=[PAGE], **SITE),
    ):
        assert cors(exchange(mode, "GET", "/ok/", FROM_OTHER))["vary"] == ["origin"]
        assert "access-control-allow-origin" in cors(exchange(mode, "GET", "/ok/", FROM_OTHER))


@both_modes
@pytest.mark.parametrize("origin", [None, PAGE, *ODD_ORIGINS], ids=ascii)
def test_receivers_are_asked_about_origins_that_are_in_doubt(
    mode: Mode, origin: str | None
) -> None:
    """They are not asked without an origin, about an allowed one, or about a malformed one."""
    receivers = Receivers()
    headers = {} if origin is None else {"Origin": origin}
    with receiving(receivers.sync), project(CORS_ALLOWED_ORIGINS=[PAGE], **SITE):
        answer = cors(exchange(mode, "GET", "/ok/", headers))
    assert receivers.asked == []
    assert answer == (READABLE if origin == PAGE else REFUSED)


@both_modes
def test_receivers_are_not_asked_where_every_origin_is_allowed(mode: Mode) -> None:
    receivers = Receivers(result=False)
    with receiving(receivers.sync), project(CORS_ALLOW_ALL_ORIGINS=True, **SITE):
        assert cors(exchange(mode, "GET", "/ok/", FROM_OTHER)) == {
            "access-control-allow-origin": ["*"]
        }
    assert receivers.asked == []


@both_modes
def test_receivers_alone_are_a_configuration(mode: Mode) -> None:
    def allow_some(sender: None, request: HttpRequest, **kwargs: Any) -> bool:
        return request.headers["Origin"] == PAGE

    with receiving(allow_some), project(CORS_ALLOW_CREDENTIALS=True, **SITE):
        answer = cors(exchange(mode, "GET", "/ok/", FROM_PAGE))
        assert answer == {**READABLE, "access-control-allow-credentials": ["true"]}
        assert cors(exchange(mode, "GET", "/ok/", FROM_OTHER)) == REFUSED
        assert cors(exchange(mode, "GET", "/ok/", {"Origin": "null"})) == REFUSED
    with receiving(allow_some), project(**SITE):
        assert cors(exchange(mode, "GET", "/ok/", FROM_PAGE)) == READABLE


@both_modes
def test_receivers_may_allow_a_path_that_is_left_out(mode: Mode) -> None:
    receivers = Receivers()
    settings_of = {"CORS_ALLOWED_ORIGINS": [PAGE], "CORS_URLS_REGEX": "/api/.*", **SITE}
    with receiving(receivers.sync), project(**settings_of):
        assert cors(exchange(mode, "GET", "/ok/", FROM_PAGE)) == READABLE
        assert exchange(mode, "OPTIONS", "/ok/", PREFLIGHT).status_code == 204
        assert b"<Decision" in exchange(mode, "GET", "/decision/", FROM_PAGE).content
        assert len(receivers.asked) == 3
        # A cache must not reuse an answer of such a path for another origin.
        assert cors(exchange(mode, "GET", "/ok/", {"Origin": "null"})) == REFUSED
        assert cors(exchange(mode, "GET", "/ok/")) == REFUSED
        assert len(receivers.asked) == 3
        receivers.result = False
        assert cors(exchange(mode, "GET", "/ok/", FROM_PAGE)) == REFUSED
        assert exchange(mode, "OPTIONS", "/ok/", PREFLIGHT).content == b"ok"
        # Otherwise the path is left alone.
        theirs = cors(exchange(mode, "GET", "/own-headers/", FROM_PAGE))
        assert theirs["access-control-allow-origin"] == ["*"]
        assert len(receivers.asked) == 6


def test_an_asynchronous_receiver_stays_in_the_thread_of_the_request() -> None:
    receivers = Receivers()
    with receiving(receivers.asynchronous), project(CORS_ALLOWED_ORIGINS=[PAGE], **SITE):
        exchange("async", "GET", "/ok-async/", FROM_OTHER)
    assert receivers.threads == [threading.get_ident()]


# --- settings


def test_settings_are_compiled_once_and_again_after_a_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled = []

    def counting(*arguments: Any) -> Policy:
        compiled.append(arguments)
        return translated_policy(*arguments)

    with project(CORS_ALLOWED_ORIGINS=[PAGE]):
        middleware: Any = CorsMiddleware(ok)
        monkeypatch.setattr("corscore_django._settings.translated_policy", counting)
        for _ in range(3):
            assert cors(middleware(RequestFactory().get("/", headers=FROM_PAGE))) == READABLE
        assert compiled == []
        with override_settings(CORS_ALLOWED_ORIGINS=[OTHER_PAGE]):
            for _ in range(3):
                assert cors(middleware(RequestFactory().get("/", headers=FROM_PAGE))) == REFUSED
            assert len(compiled) == 1
        with override_settings(USE_TZ=False):
            assert cors(middleware(RequestFactory().get("/", headers=FROM_PAGE))) == READABLE
        assert len(compiled) == 2


def test_a_wrong_configuration_stops_the_server() -> None:
    wrong = {"CORS_ALLOWED_ORIGINS": ["https://app.example/"], "CORS_ALLOW_CREDENTIALS": "yes"}
    for get_application in (get_wsgi_application, get_asgi_application):
        with project(**wrong), pytest.raises(ConfigError) as caught:
            get_application()
        assert 'CORS_ALLOWED_ORIGINS: "https://app.example/"' in str(caught.value)
        assert 'write "https://app.example"' in str(caught.value)
        assert "write CORS_ALLOW_CREDENTIALS = True" in str(caught.value)


def test_nothing_configured_stops_the_server() -> None:
    with project(), pytest.raises(ConfigError, match=r"such as CORS_ALLOWED_ORIGINS = \["):
        CorsMiddleware(ok)


def test_django_needs_no_application_to_be_installed() -> None:
    with project(CORS_ALLOWED_ORIGINS=[PAGE], INSTALLED_APPS=[], **SITE):
        assert cors(exchange("sync", "GET", "/ok/", FROM_PAGE)) == READABLE


def test_a_settings_module_may_import_the_package() -> None:
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        "import corscore_django, corscore_django.defaults, corscore_django.signals\n"
        "from django.conf import settings; print(settings.configured)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout == "False\n"


def test_defaults_are_there_to_be_extended() -> None:
    with project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_ALLOW_HEADERS=(*default_headers, "x-api-key")):
        answer = exchange("sync", "OPTIONS", "/ok/", PREFLIGHT)
    assert answer.headers["Access-Control-Allow-Headers"].endswith(", x-api-key")


def test_the_settings_of_the_tests_have_no_cors() -> None:
    assert [name for name in dir(settings) if name.startswith("CORS_")] == []
