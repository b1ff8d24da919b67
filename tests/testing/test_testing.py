"""``corscore.testing`` with every client that it knows, and its failures."""

from __future__ import annotations

import asyncio
import functools
import http.server
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
import requests
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient as DjangoAsyncClient
from django.test import Client as DjangoClient
from django.urls import path
from flask import Flask
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from werkzeug.test import Client as WerkzeugClient

import corscore_flask
from corscore import Policy
from corscore.browser import PreflightCache
from corscore.testing import (
    CORSBrowser,
    FetchResult,
    afetch,
    assert_cors_allowed,
    assert_cors_refused,
    fetch,
)
from corscore_starlette import install
from django_project import project
from servers import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest_plugins = ["pytester"]

APP = "https://app.example.com"
OTHER = "https://other.example"
POLICY = Policy(
    allow_origins=[APP],
    allow_methods=["PUT", "PATCH"],
    allow_headers=["Authorization"],
    expose_headers=["X-Total"],
    allow_credentials=True,
)
METHODS = ["GET", "PUT", "PATCH", "POST", "DELETE"]


def seen(headers: Any, body: bytes) -> dict[str, str]:
    """Return what a view received, as response headers."""
    return {
        "X-Total": "3",
        "X-Hidden": "1",
        "X-Seen": "|".join(
            (headers.get("Cookie") or "-", headers.get("Authorization", "-"), body.decode() or "-")
        ),
    }


def starlette_app() -> Starlette:
    async def view(request: Request) -> Response:
        return PlainTextResponse("hello", headers=seen(request.headers, await request.body()))

    async def moved(request: Request) -> Response:
        return RedirectResponse("/articles", 307)

    async def login(request: Request) -> Response:
        response = PlainTextResponse("in")
        response.set_cookie("session", "new")
        return response

    app = Starlette(
        routes=[
            Route("/articles", view, methods=METHODS),
            Route("/moved", moved, methods=METHODS),
            Route("/login", login),
        ]
    )
    install(app, POLICY)
    return app


def flask_app() -> Flask:
    app = Flask(__name__)
    corscore_flask.CORS(app, POLICY)

    @app.route("/articles", methods=METHODS)
    def view() -> Any:
        from flask import request

        return "hello", seen(request.headers, request.get_data())

    return app


def django_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello", headers=seen(request.headers, request.body))


async def django_async_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello", headers=seen(request.headers, request.body))


def _django(name: str) -> Any:
    views: dict[str, Any] = {"sync": django_view, "async": django_async_view}

    return project(
        ROOT_URLCONF=type("Urls", (), {"urlpatterns": [path("articles", views[name])]}),
        CORS_POLICY=POLICY,
    )


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve(starlette_app()) as served:
        yield served.origin


@pytest.fixture
def starlette_client() -> Iterator[Any]:
    with TestClient(starlette_app(), headers={"Authorization": "the client's own"}) as client:
        client.cookies.set("session", "1")
        yield client


@pytest.fixture
def httpx_client(address: str) -> Iterator[Any]:
    cookies = {"session": "1"}
    with httpx.Client(base_url=address, cookies=cookies, auth=("a", "b")) as client:
        yield client


@pytest.fixture
def httpx2_client(address: str) -> Iterator[Any]:
    cookies = {"session": "1"}
    with httpx2.Client(base_url=address, cookies=cookies, auth=("a", "b")) as client:
        yield client


@pytest.fixture
def requests_session(address: str) -> Iterator[Any]:
    with requests.Session() as session:
        session.headers["Authorization"] = "the client's own"
        session.cookies.set("session", "1")
        yield session


@pytest.fixture
def flask_client() -> Any:
    client = flask_app().test_client()
    client.set_cookie("session", "1")
    return client


@pytest.fixture
def werkzeug_client() -> Any:
    client = WerkzeugClient(flask_app())
    client.set_cookie("session", "1")
    return client


@pytest.fixture
def django_client() -> Iterator[Any]:
    client = DjangoClient(HTTP_AUTHORIZATION="the client's own")
    client.cookies["session"] = "1"
    with _django("sync"):
        yield client


CLIENTS = [
    "starlette_client",
    "httpx_client",
    "httpx2_client",
    "requests_session",
    "flask_client",
    "werkzeug_client",
    "django_client",
]


@pytest.fixture(params=CLIENTS)
def ask(request: pytest.FixtureRequest, address: str) -> Callable[..., FetchResult]:
    """``fetch`` over one of the clients, from the allowed page."""
    client = request.getfixturevalue(request.param)
    url = (
        f"{address}/articles" if client.__class__.__module__.startswith("requests") else "/articles"
    )
    return functools.partial(fetch, client, url, origin=APP)


def test_an_allowed_page_reads_the_response_and_its_headers(
    ask: Callable[..., FetchResult],
) -> None:
    result = ask()
    assert (result.readable, result.reason, result.status) == (True, None, 200)
    assert dict(result.headers)["x-total"] == "3"
    assert "x-hidden" in result.hidden
    assert result.response.status_code == 200
    assert not result.preflight_sent
    assert_cors_allowed(result, exposes=["X-Total"])


def test_another_page_is_refused_with_its_reason(ask: Callable[..., FetchResult]) -> None:
    assert_cors_refused(ask(origin=OTHER), reason="no-allow-origin")
    assert_cors_refused(ask(origin=OTHER, method="PUT"), reason="preflight-not-ok")
    assert_cors_refused(ask(origin="null"), reason="null-origin")


def test_method_headers_and_body_reach_the_application(ask: Callable[..., FetchResult]) -> None:
    headers = {"Authorization": "Bearer token", "Content-Type": "application/json"}
    result = ask(method="PUT", headers=headers, body="{}")
    assert_cors_allowed(result)
    assert [exchange.method for exchange in result.exchanges] == ["OPTIONS", "PUT"]
    told = dict(result.exchanges[-1].response_headers)["x-seen"]
    assert told == "-|Bearer token|{}"
    assert_cors_refused(ask(method="patch"), reason="method-case")
    assert_cors_refused(ask(method="patch"), reason="method-not-allowed")
    assert_cors_refused(ask(headers={"X-One": "1"}), reason="header-not-allowed")


@pytest.mark.parametrize(("credentials", "cookie"), [("include", "session=1"), ("omit", "-")])
def test_cookies_go_where_a_browser_sends_them(
    ask: Callable[..., FetchResult], credentials: str, cookie: str
) -> None:
    """The client adds no cookies itself."""
    for _ in range(2):
        result = ask(credentials=credentials)
        told = dict(result.exchanges[-1].response_headers)["x-seen"]
        assert told == f"{cookie}|-|-"


def test_cookies_are_kept_with_credentials_only() -> None:
    client = TestClient(starlette_app(), base_url="https://testserver")
    fetch(client, "/login", origin=APP)
    assert "session" not in client.cookies
    fetch(client, "/login", origin=APP, credentials="include")
    assert client.cookies["session"] == "new"
    fetch(client, "/login", origin="https://testserver")
    assert client.cookies["session"] == "new"


def test_redirects_are_followed_by_the_model() -> None:
    result = fetch(TestClient(starlette_app()), "/moved", origin=APP, method="POST", body=b"hello")
    assert_cors_allowed(result)
    assert [exchange.status for exchange in result.exchanges] == [307, 200]
    assert dict(result.exchanges[-1].response_headers)["x-seen"] == "-|-|hello"


def test_sessions_of_requests_are_clients(address: str) -> None:
    assert_cors_allowed(fetch(requests, f"{address}/articles", origin=APP, method="PUT"))


def test_a_cache_spares_preflights() -> None:
    cache = PreflightCache()
    client = TestClient(starlette_app())
    first = fetch(client, "/articles", origin=APP, method="PUT", cache=cache)
    second = fetch(client, "/articles", origin=APP, method="PUT", cache=cache)
    assert (first.preflight_sent, second.preflight_sent, second.preflight_cached) == (
        True,
        False,
        True,
    )


# --- asynchronous clients


async def _over_httpx(**options: Any) -> FetchResult:
    if not hasattr(httpx, "ASGITransport"):
        pytest.skip("httpx 1.0 has no client for an application in process")
    transport = httpx.ASGITransport(starlette_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        return await afetch(client, "/articles", **options)


async def _over_httpx2(**options: Any) -> FetchResult:
    transport = httpx2.ASGITransport(starlette_app())
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        return await afetch(client, "/articles", **options)


async def _over_httpx2_by_fetch(**options: Any) -> FetchResult:
    transport = httpx2.ASGITransport(starlette_app())
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        coroutine: Any = fetch(client, "/articles", **options)
        result: FetchResult = await coroutine
        return result


async def _over_django(**options: Any) -> FetchResult:
    with _django("async"):
        return await afetch(DjangoAsyncClient(), "/articles", **options)


async def _over_flask(**options: Any) -> FetchResult:
    return await afetch(flask_app().test_client(), "/articles", **options)


@pytest.mark.parametrize(
    "over", [_over_httpx, _over_httpx2, _over_httpx2_by_fetch, _over_django, _over_flask]
)
def test_asynchronous_clients_are_awaited(over: Callable[..., Any]) -> None:
    allowed = asyncio.run(over(origin=APP, method="PUT", credentials="include"))
    assert_cors_allowed(allowed, exposes=["X-Total"])
    assert_cors_refused(asyncio.run(over(origin=OTHER)), reason="no-allow-origin")


# --- what failures say


def test_a_failed_assertion_has_the_explanation() -> None:
    client = TestClient(starlette_app())
    with pytest.raises(AssertionError) as caught:
        assert_cors_allowed(fetch(client, "/articles", origin=APP, method="DELETE"))
    text = str(caught.value)
    assert text.startswith("a browser does not allow this: DELETE http://testserver/articles from")
    assert "Refused: method-not-allowed" in text
    assert "What the console says" in text
    with pytest.raises(AssertionError, match="header-not-exposed"):
        assert_cors_allowed(fetch(client, "/articles", origin=APP), exposes=["X-Hidden"])
    with pytest.raises(AssertionError, match="a browser allows this: GET"):
        assert_cors_refused(fetch(client, "/articles", origin=APP))
    result = fetch(client, "/articles", origin=OTHER)
    with pytest.raises(AssertionError, match="refused, but for 'no-allow-origin' and not for"):
        assert_cors_refused(result, reason="method-not-allowed")


def test_a_fetch_and_its_assertion_in_one() -> None:
    client = TestClient(starlette_app())
    result = assert_cors_allowed(client, "/articles", origin=APP, exposes=["X-Total"])
    assert result.status == 200
    result = assert_cors_refused(client, "/articles", origin=OTHER, reason="no-allow-origin")
    assert result.status is None
    with pytest.raises(AssertionError, match="method-not-allowed"):
        assert_cors_allowed(client, "/articles", origin=APP, method="DELETE")


def test_an_argument_that_is_no_result_is_a_type_error() -> None:
    wrong: Any = 3
    with pytest.raises(TypeError, match="expected, not int"):
        assert_cors_allowed(wrong)
    coroutine: Any = _over_flask(origin=APP)
    with pytest.raises(TypeError, match="write `await fetch"):
        assert_cors_refused(coroutine)
    coroutine.close()


@pytest.mark.parametrize("client", [None, "http://localhost", http.server, Starlette()])
def test_an_argument_that_is_no_client_is_a_type_error(client: Any) -> None:
    with pytest.raises(TypeError, match=r"is no client .*TestClient.*requests"):
        fetch(client, "/", origin=APP)


def test_a_url_or_origin_that_no_browser_has_is_an_error() -> None:
    with pytest.raises(ValueError, match="it must be absolute"):
        fetch(requests, "/articles", origin=APP)
    with pytest.raises(ValueError, match="is not an HTTP"):
        fetch(TestClient(starlette_app()), "ftp://b.example", origin=APP)
    with pytest.raises(ValueError, match='write "https://app.example.com"'):
        fetch(TestClient(starlette_app()), "/articles", origin=f"{APP}/")


# --- pytest


def test_the_fixture_keeps_preflights_between_fetches(cors_browser: CORSBrowser) -> None:
    client = TestClient(starlette_app())
    for sent in (True, False):
        result = cors_browser.assert_allowed(
            client, "/articles", origin=APP, method="PUT", exposes=["X-Total"]
        )
        assert result.preflight_sent is sent
    assert cors_browser.fetch(client, "/articles", origin=APP).readable
    cors_browser.assert_refused(client, "/articles", origin=OTHER, reason="no-allow-origin")
    with pytest.raises(AssertionError, match="no-allow-origin"):
        cors_browser.assert_allowed(client, "/articles", origin=OTHER)
    with pytest.raises(AssertionError, match="allows this"):
        cors_browser.assert_refused(client, "/articles", origin=APP)
    assert asyncio.run(_awaited(cors_browser)).readable


async def _awaited(cors_browser: CORSBrowser) -> FetchResult:
    return await cors_browser.afetch(flask_app().test_client(), "/articles", origin=APP)


def test_a_failing_test_prints_the_explanation_once(
    pytester: pytest.Pytester, pytestconfig: pytest.Config
) -> None:
    is_installed = pytestconfig.pluginmanager.has_plugin("corscore")
    plugin = () if is_installed else ("-p", "corscore.testing._pytest_plugin")
    pytester.makepyfile(
        """
        class Client:
            base_url = "http://testserver"
            cookies = type("Cookies", (), {"jar": property(lambda self: Jar())})()

            def build_request(self, method, url, **options):
                return type("Request", (), {"headers": {}})()

            def send(self, request, **options):
                headers = type("Headers", (), {"multi_items": lambda self: []})()
                return type("Response", (), {"status_code": 200, "headers": headers})()

        class Jar(list):
            set_cookie = list.append

        def test_it(cors_browser):
            cors_browser.assert_allowed(Client(), "/", origin="https://app.example.com")
        """
    )
    result = pytester.runpytest_inprocess(*plugin)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E *Refused: no-allow-origin", "E *What a browser does", "E *What the console says"]
    )
    # The traceback ends in the test.
    result.stdout.no_fnmatch_line("*def assert_cors_allowed*")
