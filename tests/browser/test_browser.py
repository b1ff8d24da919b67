"""The browser model, against tables written from the Fetch and URL standards."""

from __future__ import annotations

import asyncio
import re
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corscore._standard.origin import parse_origin
from corscore.browser import (
    KNOWN_DEVIATIONS,
    MAX_AGE_LIMITS,
    MAX_REDIRECTS,
    REASONS,
    Exchange,
    FetchResult,
    PreflightCache,
    Request,
    afetch,
    cors_check,
    fetch,
    header_check,
    max_age,
    needs_preflight,
    preflight_check,
    preflight_headers,
    readable_headers,
    redirect_check,
    redirected,
    refused_headers,
    request_headers,
)
from corscore.browser._url import parse_url
from tables import cases, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    Pairs = list[tuple[str, str]]
    Sent = tuple[str, str, Pairs]

APP = "https://app.example"
API = "https://api.example/"
BROWSERS = tuple(MAX_AGE_LIMITS)


def make(method: str = "GET", url: str = API, *, origin: str = APP, **options: Any) -> Request:
    return Request(method, url, origin=origin, **options)


def make_from(row: dict[str, Any], *names: str) -> Request:
    return make(**{name: row[name] for name in ("method", "url", "origin", *names) if name in row})


class Server:
    """A server that gives answers of a list in turn, and keeps the requests."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self._answers = cycle(answers)
        self.asked: list[Sent] = []

    def __call__(self, method: str, url: str, headers: Pairs) -> tuple[int, Any]:
        self.asked.append((method, url, headers))
        return next(self._answers)

    async def later(self, method: str, url: str, headers: Pairs) -> tuple[int, Any]:
        """The same for an async transport."""
        await asyncio.sleep(0)
        return self(method, url, headers)

    @property
    def methods(self) -> list[str]:
        return [method for method, _, _ in self.asked]


def allowing(*, origin: str | None = "*", **headers: str) -> dict[str, str]:
    """Return a response's headers: ``methods="PUT"`` is Access-Control-Allow-Methods."""
    named = {"Access-Control-Allow-Origin": origin} if origin is not None else {}
    for name, value in headers.items():
        named[f"Access-Control-{name.replace('_', '-')}"] = value
    return named


# --- what a script may ask for


@pytest.mark.parametrize("row", cases("browser_urls"))
def test_urls_are_parsed_as_the_table_says(row: dict[str, Any]) -> None:
    base = parse_url(row["base"]) if "base" in row else None
    url = parse_url(row["url"], base)
    assert (None if url is None else str(url)) == row["becomes"]


@given(st.text(st.characters(exclude_categories=())), st.booleans())
def test_no_text_makes_the_url_parser_raise(text: str, is_relative: bool) -> None:
    url = parse_url(text, parse_url(API) if is_relative else None)
    if url is not None:
        assert parse_url(str(url)) == url
        assert str(url).isascii()


@given(st.from_regex(r"(https?:)?[/\\]{0,3}[a-z0-9.@:%\[\]\\#?/]{0,20}", fullmatch=True))
def test_a_parsed_url_is_parsed_again_to_itself(text: str) -> None:
    url = parse_url(text, parse_url("http://a.example/b/c?d"))
    if url is not None:
        assert parse_url(str(url)) == url
        assert url.origin == f"{url.scheme}://{url.host}{url.port and ':' + url.port}"


@pytest.mark.parametrize("row", cases("browser_arguments"))
def test_a_developers_mistake_is_named(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\A") as caught:
        make(**row["arguments"])
    assert row["says"] in str(caught.value)


@pytest.mark.parametrize("row", cases("browser_arguments"))
def test_the_literal_in_a_hint_is_accepted(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\A") as caught:
        make(**row["arguments"])
    (name,) = row["arguments"].keys() - {"credentials"} or {"credentials"}
    for written in re.findall(r'write "([^"]+)"', str(caught.value)):
        make(**{name: written})


@pytest.mark.parametrize("origin", ["null", APP, "http://localhost:3000", "tauri://localhost"])
def test_an_origin_that_a_page_may_have_is_taken(origin: str) -> None:
    assert make(origin=origin).origin == origin


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        *(
            (method, method.upper())
            for method in ("get", "Head", "pOST", "put", "delete", "options")
        ),
        *((method, method) for method in ("patch", "Patch", "PATCH", "query", "chicken", "!", "*")),
    ],
)
def test_methods_are_normalised(written: str, sent: str) -> None:
    assert make(written).method == sent


def test_a_request_is_a_value() -> None:
    request = make("put", "HTTPS://API.example", headers={"X-A": " 1 "}, cookie="a=1")
    assert request == make("PUT", API, headers=[("x-a", "1")], cookie="a=1")
    assert hash(request) == hash(make("PUT", API, headers=[("x-a", "1")], cookie="a=1"))
    assert request != make("PUT", API)
    assert request.headers == (("x-a", "1"),)
    assert "a=1" not in repr(request)
    with pytest.raises(AttributeError):
        request.method = "GET"  # type: ignore[misc]


def test_names_and_values_may_be_bytes() -> None:
    assert make(headers=[(b"X-A", b"\xe9")]).headers == (("x-a", "\xe9"),)


# --- preflights


@pytest.mark.parametrize("row", cases("browser_request_headers"))
def test_a_preflight_asks_for_the_headers_that_need_one(row: dict[str, Any]) -> None:
    request = make(headers=row["headers"])
    asked = dict(preflight_headers(request)).get("access-control-request-headers")
    assert asked == row["asks"]
    assert needs_preflight(request) is (asked is not None)
    assert not needs_preflight(make(url=f"{APP}/", headers=row["headers"]))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "post"])
def test_safelisted_methods_need_no_preflight(method: str) -> None:
    assert not needs_preflight(make(method))
    assert needs_preflight(make(method, use_cors_preflight=True))
    assert not needs_preflight(make(method, f"{APP}/", use_cors_preflight=True))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "QUERY", "Post-It"])
def test_methods_that_are_not_safelisted_need_a_preflight(method: str) -> None:
    assert needs_preflight(make(method))
    assert needs_preflight(make(method, origin="null"))
    assert not needs_preflight(make(method, f"{APP}/"))


def test_a_preflight_has_no_credentials_and_no_header_of_the_script() -> None:
    request = make(
        "PUT",
        headers={"X-B": "1", "Authorization": "secret", "Cookie": "a=1"},
        credentials="include",
        cookie="session=1",
    )
    assert preflight_headers(request) == (
        ("accept", "*/*"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "authorization,x-b"),
        ("origin", APP),
    )


@pytest.mark.parametrize("row", cases("browser_preflights"))
def test_a_preflight_is_judged_as_the_table_says(row: dict[str, Any]) -> None:
    request = make(
        row.get("method", "GET"),
        headers=row.get("request_headers", ()),
        credentials=row.get("credentials", "same-origin"),
        use_cors_preflight=row.get("use_cors_preflight", False),
    )
    status = row.get("status", 204)
    headers = [
        *row["headers"],
        ("Access-Control-Allow-Origin", row.get("allow_origin", APP)),
        ("Access-Control-Allow-Credentials", row.get("allow_credentials", "true")),
    ]
    headers = [(name, value) for name, value in headers if value is not None]
    assert needs_preflight(request)
    assert preflight_check(request, status, headers) == row["reason"]
    for browser in BROWSERS:
        everywhere = row.get("in_browsers", row["reason"])
        expected = None if browser in row.get("but", ()) else everywhere
        assert preflight_check(request, status, headers, browser=browser) == expected
        result = fetch(request, Server((status, headers)), browser=browser)
        assert result.reason == expected
        assert result.preflight_sent
        assert len(result.exchanges) == (2 if expected is None else 1)
    assert refused_headers(request, headers) == tuple(row.get("refused", ()))


def test_a_preflight_is_an_options_request_to_the_same_url() -> None:
    server = Server((204, allowing(allow_methods="PUT")))
    result = fetch(make("PUT", f"{API}a?b#c"), server)
    assert [(method, url) for method, url, _ in server.asked] == [
        ("OPTIONS", f"{API}a?b"),
        ("PUT", f"{API}a?b"),
    ]
    assert [exchange.is_preflight for exchange in result.exchanges] == [True, False]


@pytest.mark.parametrize("known", KNOWN_DEVIATIONS)
def test_deviations_are_documented(known: Any) -> None:
    assert known.browser in MAX_AGE_LIMITS
    assert known.when
    assert known.what
    assert known.source
    assert known.version
    assert known.reason is None or any(
        known.browser in row.get("but", ()) for row in rows("browser_preflights")
    )


def finished(waiting: Coroutine[Any, Any, FetchResult]) -> FetchResult:
    """Return the result of a coroutine without an event loop, which WebAssembly lacks."""
    results: list[FetchResult] = []

    def run() -> Iterator[object]:
        results.append((yield from waiting.__await__()))

    list(run())
    return results[0]


@pytest.mark.parametrize("browser", ["chrome", "Chromium", "", 1])
def test_an_unknown_browser_is_named(browser: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: fetch(make(), Server((200, {})), browser=browser),
        lambda: preflight_check(make("PUT"), 204, {}, browser=browser),
        lambda: refused_headers(make("PUT"), {}, browser=browser),
        lambda: finished(afetch(make(), Server((200, {})).later, browser=browser)),
    ]
    for call in calls:
        with pytest.raises(ValueError, match='use "chromium", "firefox", "safari" or None'):
            call()


# --- the CORS check and what it opens


@pytest.mark.parametrize("row", cases("browser_cors_checks"))
def test_the_cors_check_is_that_of_the_table(row: dict[str, Any]) -> None:
    request = make_from(row, "credentials")
    headers = row["headers"]
    assert cors_check(request, headers) == row["reason"]
    result = fetch(request, Server((500, headers)))
    assert result.reason == row["reason"]
    assert result.readable is (row["reason"] is None)
    assert result.status == (500 if result.readable else None)
    assert not result.preflight_sent


@pytest.mark.parametrize("row", cases("browser_exposed"))
def test_a_script_reads_the_headers_of_the_table(row: dict[str, Any]) -> None:
    request = make_from(row, "credentials")
    readable = tuple(map(tuple, row["readable"]))
    assert readable_headers(request, row["headers"]) == readable
    for name, _ in row["headers"]:
        hidden = name.lower() not in dict(readable)
        if name.isascii() and name.replace(" ", "") == name != "":
            assert header_check(request, row["headers"], name) == (
                "header-not-exposed" if hidden else None
            )


def test_a_result_tells_readable_and_hidden_headers_apart() -> None:
    headers = {**allowing(expose_headers="X-A"), "X-A": "1", "X-B": "2", "Content-Type": "a/b"}
    result = fetch(make(), Server((200, headers)))
    assert result.headers == (("content-type", "a/b"), ("x-a", "1"))
    assert result.hidden == (
        "access-control-allow-origin",
        "access-control-expose-headers",
        "x-b",
    )


@pytest.mark.parametrize("status", [101, 200, 204, 304, 401, 403, 404, 407, 500, 999])
def test_any_status_can_be_shared(status: int) -> None:
    result = fetch(make(), Server((status, allowing())))
    assert (result.reason, result.status) == (None, status)


# --- what goes over the wire


def sent(request: Request) -> dict[str, str]:
    names = [name for name, _ in request_headers(request)]
    assert len(set(names)) == len(names)
    return dict(request_headers(request))


@pytest.mark.parametrize(
    ("method", "url", "origin", "expected"),
    [
        ("GET", API, APP, APP),
        ("HEAD", API, APP, APP),
        ("GET", API, "null", "null"),
        ("GET", f"{APP}/", APP, None),
        ("HEAD", f"{APP}/", APP, None),
        ("POST", f"{APP}/", APP, APP),
        ("DELETE", f"{APP}/", APP, APP),
        ("OPTIONS", f"{APP}/", APP, APP),
    ],
)
def test_origin_is_sent_across_origins_and_with_unsafe_methods(
    method: str, url: str, origin: str, expected: str | None
) -> None:
    assert sent(make(method, url, origin=origin)).get("origin") == expected


@pytest.mark.parametrize(
    ("credentials", "url", "expected"),
    [
        ("omit", API, None),
        ("omit", f"{APP}/", None),
        ("same-origin", API, None),
        ("same-origin", f"{APP}/", "a=1"),
        ("include", API, "a=1"),
        ("include", f"{APP}/", "a=1"),
    ],
)
def test_cookies_go_with_the_credentials_mode_and_never_with_a_preflight(
    credentials: Any, url: str, expected: str | None
) -> None:
    request = make("PUT", url, credentials=credentials, cookie="a=1")
    assert sent(request).get("cookie") == expected
    assert "cookie" not in dict(preflight_headers(request))
    assert "cookie" not in sent(make("PUT", url, credentials=credentials))


def test_a_cookie_stays_with_its_host() -> None:
    server = Server(
        (302, {**allowing(origin=APP, allow_credentials="true"), "Location": "//other.example/"}),
        (302, {**allowing(origin="null", allow_credentials="true"), "Location": API}),
        (200, allowing(origin="null", allow_credentials="true")),
    )
    result = fetch(make(credentials="include", cookie="a=1"), server)
    assert result.readable
    assert [dict(headers).get("cookie") for _, _, headers in server.asked] == ["a=1", None, "a=1"]


def test_accept_is_added_unless_it_is_set() -> None:
    assert sent(make())["accept"] == "*/*"
    assert sent(make(headers={"ACCEPT": "a/b"}))["accept"] == "a/b"


# --- redirects


def _redirects(row: dict[str, Any]) -> Iterator[tuple[int, Pairs]]:
    allow_origin = row.get("allow_origin", APP)
    for status, location in row["responses"]:
        locations = location if isinstance(location, list) else [location]
        yield (
            status,
            [
                *(("Location", one) for one in locations if one is not None),
                *(("Access-Control-Allow-Origin", one) for one in [allow_origin] if one),
                ("Access-Control-Allow-Methods", "PUT"),
                ("Access-Control-Allow-Headers", "authorization, x-a"),
            ],
        )


@pytest.mark.parametrize("row", cases("browser_redirects"))
def test_redirects_are_followed_as_the_table_says(row: dict[str, Any]) -> None:
    server = Server(*_redirects(row))
    result = fetch(make_from(row, "headers", "mode", "redirect_mode"), server)
    assert [
        [method, url, dict(headers).get("origin")] for method, url, headers in server.asked
    ] == row["sent"]
    assert result.reason == row["reason"]
    assert result.status == (row.get("status", 200) if result.readable else None)
    assert result.type == (row.get("type", result.type) if result.readable else None)
    assert result.url == row["sent"][-1][1]
    last = dict(server.asked[-1][2])
    for name, value in row.get("last_headers", {}).items():
        assert last.get(name) == value


@pytest.mark.parametrize(
    ("policies", "url", "origin", "reason"),
    [
        ([], API, APP, None),
        (["same-origin"], API, APP, "resource-policy-refused"),
        (["same-origin"], f"{APP}/", APP, None),
        (["same-site"], API, APP, "resource-policy-refused"),
        (["same-site"], "https://api.app.example/", APP, None),
        (["same-site"], "http://api.app.example/", APP, None),
        (
            ["same-site"],
            "https://api.app.example/",
            "http://app.example",
            "resource-policy-refused",
        ),
        (["same-site"], "https://b.github.io/", "https://a.github.io", "resource-policy-refused"),
        (["same-site"], "https://127.0.0.1:1/", "https://127.0.0.1", None),
        (["same-site"], "https://127.0.0.1/", "https://127.0.0.2", "resource-policy-refused"),
        (["same-site"], API, "null", "resource-policy-refused"),
        (["cross-origin"], API, APP, None),
        (["Same-Origin"], API, APP, None),
        (["same-origin", "same-origin"], API, APP, None),
    ],
)
def test_a_resource_policy_keeps_opaque_responses(
    policies: list[str], url: str, origin: str, reason: str | None
) -> None:
    headers = [("Cross-Origin-Resource-Policy", policy) for policy in policies]
    result = fetch(make(url=url, origin=origin, mode="no-cors"), Server((200, headers)))
    assert result.reason == reason
    shared = [*headers, ("Access-Control-Allow-Origin", origin)]
    assert fetch(make(url=url, origin=origin), Server((200, shared))).readable


def test_a_script_can_read_nothing_of_an_opaque_response() -> None:
    request = make(mode="no-cors", headers={"X-A": "1", "Accept": "a/b", "Range": "bytes=0-"})
    assert request.headers == (("accept", "a/b"),)
    assert not needs_preflight(request)
    result = fetch(request, Server((200, {**OPEN, "X-B": "1", "Content-Type": "a/b"})))
    assert (result.type, result.status, result.headers) == ("opaque", 0, ())
    assert {"x-b", "content-type"} <= set(result.hidden)
    assert header_check(request, OPEN, "Content-Type") == "header-not-exposed"


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ([("Accept", "a"), ("Accept", "b")], ["a", "b"]),
        ([("Accept", "a" * 100), ("Accept", "b" * 100), ("Accept", "c")], ["a" * 100, "c"]),
        ([("Content-Type", "application/json")], []),
        ([("Content-Type", "text/plain")], ["text/plain"]),
    ],
)
def test_headers_of_mode_no_cors_are_safelisted_as_one_value(headers: Any, kept: Any) -> None:
    assert [value for _, value in make(mode="no-cors", headers=headers).headers] == kept


@pytest.mark.parametrize(
    ("method", "options", "says"),
    [
        ("GET", {"is_xhr": True, "mode": "no-cors"}, "neither"),
        ("GET", {"is_xhr": True, "redirect_mode": "error"}, "neither"),
        ("PUT", {"mode": "no-cors"}, 'method="PUT"'),
        ("POST", {"mode": "no-cors", "use_cors_preflight": True}, "use_cors_preflight"),
        ("GET", {"mode": "no-cors", "redirect_mode": "manual"}, "another origin"),
        ("GET", {"mode": "same-origin", "origin": "null"}, "same-origin"),
    ],
)
def test_a_request_that_fetch_refuses_to_send_raises(method: str, options: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make(method, **options)


@pytest.mark.parametrize(("redirects", "reason"), [(20, None), (21, "too-many-redirects")])
def test_twenty_redirects_are_enough(redirects: int, reason: str | None) -> None:
    answers: list[tuple[int, Any]] = [(302, {**allowing(), "Location": "/"})] * redirects
    result = fetch(make(), Server(*answers, (200, allowing())))
    assert result.reason == reason
    assert len(result.exchanges) == MAX_REDIRECTS + 1


def test_one_redirect_at_a_time() -> None:
    request = make(
        "POST", headers={"Content-Type": "text/plain", "X-A": "1"}, credentials="include"
    )
    following = redirected(request, 302, {"Location": "//other.example/"})
    assert following is not None
    assert following.method == "GET"
    assert following.url == "https://other.example/"
    assert following.origin == "null"
    assert following.partition == APP
    assert following.headers == (("x-a", "1"),)
    assert following.credentials == "include"
    assert following.redirects == 1
    assert redirected(request, 200, {"Location": "/"}) is None
    assert redirected(request, 302, {"Location": "https://u:p@api.example/"}) is None
    assert redirect_check(request, 302, {}) is None
    assert redirect_check(request, 302, {"Location": "x:"}) == "redirect-invalid"


def test_a_fragment_is_carried_along() -> None:
    request = make(url=f"{API}#x")
    kept = redirected(request, 302, {"Location": "/b"})
    replaced = redirected(request, 302, {"Location": "/b#y"})
    assert kept is not None
    assert replaced is not None
    assert (kept.url, replaced.url) == (f"{API}b#x", f"{API}b#y")


# --- the preflight cache


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> PreflightCache:
    return PreflightCache(clock=clock)


OPEN = allowing(allow_methods="PUT, DELETE", allow_headers="x-a, authorization")


def test_a_preflight_is_remembered(store: PreflightCache, clock: Clock) -> None:
    server = Server((204, {**OPEN, "Access-Control-Max-Age": "600"}))
    first = fetch(make("PUT"), server, store)
    second = fetch(make("DELETE", headers={"X-A": "1"}), server, store)
    assert (first.preflight_sent, first.preflight_cached) == (True, False)
    assert (second.preflight_sent, second.preflight_cached) == (False, True)
    clock.now += 599.9
    assert fetch(make("PUT"), server, store).preflight_cached
    clock.now += 0.1
    third = fetch(make("PUT"), server, store)
    assert (third.preflight_sent, third.preflight_cached) == (True, False)
    assert server.methods == ["OPTIONS", "PUT", "DELETE", "PUT", "OPTIONS", "PUT"]


def test_without_a_cache_nothing_is_remembered() -> None:
    server = Server((204, OPEN))
    assert fetch(make("PUT"), server).preflight_sent
    assert fetch(make("PUT"), server).preflight_sent


def test_the_real_clock_is_the_default() -> None:
    store = PreflightCache()
    store.store(make("PUT"), OPEN)
    assert store.covers(make("PUT"))


@pytest.mark.parametrize(
    ("given_lines", "seconds"),
    [
        ([], 5),
        (["0"], 0),
        (["600"], 600),
        ([" 600\t"], 600),
        (["000600"], 600),
        (["86400"], 86400),
        (["86401"], 86400),
        (["9" * 5000], 86400),
        (["-1"], 5),
        (["+5"], 5),
        (["1.5"], 5),
        (["1e3"], 5),
        (["1_000"], 5),
        (["\u0663"], 5),
        (["\xb2"], 5),
        ([""], 5),
        (["600 seconds"], 5),
        (["600", "600"], 5),
        (["600, 600"], 5),
        (["\ud800"], 5),
    ],
)
def test_max_age_is_read_and_limited(
    store: PreflightCache, clock: Clock, given_lines: list[str], seconds: float
) -> None:
    headers = [*OPEN.items(), *(("Access-Control-Max-Age", line) for line in given_lines)]
    assert min(max_age(headers), max(MAX_AGE_LIMITS.values())) == seconds
    store.store(make("PUT"), headers)
    if seconds:
        clock.now += seconds - 0.5
        assert store.covers(make("PUT"))
        clock.now += 0.5
    assert not store.covers(make("PUT"))


def test_each_browser_has_its_limit(clock: Clock) -> None:
    for limit in MAX_AGE_LIMITS.values():
        store = PreflightCache(limit=limit, clock=clock)
        store.store(make("PUT"), {**OPEN, "Access-Control-Max-Age": "1000000"})
        clock.now += limit - 1
        assert store.covers(make("PUT"))
        clock.now += 1
        assert not store.covers(make("PUT"))


SAME = make("PUT", headers={"X-A": "1"})


@pytest.mark.parametrize(
    ("stored", "asked", "covered"),
    [
        (SAME, SAME, True),
        (SAME, make(), True),
        (SAME, make("DELETE"), True),
        (SAME, make("POST", headers={"X-A": "1"}), True),
        (SAME, make("PATCH"), False),
        (SAME, make(headers={"X-B": "1"}), False),
        (SAME, make("PUT", f"{API}other"), False),
        (SAME, make("PUT", f"{API}?query"), False),
        (SAME, make("PUT", "http://api.example/"), False),
        (SAME, make("PUT", origin="https://other.example"), False),
        (SAME, make("PUT", origin="null"), False),
        (SAME, make("PUT", partition="https://top.example"), False),
        (SAME, make("PUT", credentials="omit"), True),
        (SAME, make("PUT", credentials="include"), False),
        (make("PUT", credentials="include"), make("PUT", credentials="include"), True),
        (make("PUT", credentials="include"), make("PUT", credentials="omit"), True),
        (SAME, make("GET", use_cors_preflight=True), False),
        (SAME, make("PUT", use_cors_preflight=True), True),
    ],
)
def test_a_cached_preflight_covers_the_requests_of_the_table(
    store: PreflightCache, stored: Request, asked: Request, covered: bool
) -> None:
    store.store(stored, OPEN)
    assert store.covers(asked) is covered
    store.clear()
    assert store.covers(asked) is (not needs_preflight(asked))


def test_a_preflight_due_to_a_flag_is_cached(store: PreflightCache) -> None:
    request = make("GET", use_cors_preflight=True)
    server = Server((204, allowing()))
    assert fetch(request, server, store).preflight_sent
    assert fetch(request, server, store).preflight_cached


def test_a_cached_wildcard_does_not_cover_authorization(store: PreflightCache) -> None:
    request = make("PATCH", headers={"X-Any": "1"})
    store.store(request, allowing(allow_methods="*", allow_headers="*"))
    assert store.covers(request)
    secret = make(headers={"Authorization": "x"})
    assert not store.covers(secret)
    assert store.covers(secret, browser="safari")
    assert not store.covers(secret, browser="chromium")


def test_authorization_beside_a_wildcard_is_remembered(store: PreflightCache) -> None:
    request = make(headers={"Authorization": "x", "X-Any": "1"})
    store.store(request, allowing(allow_headers="*,authorization"))
    assert store.covers(request)


def test_a_wildcard_with_credentials_is_a_name(store: PreflightCache) -> None:
    headers = allowing(origin=APP, allow_credentials="true", allow_methods="*, PUT")
    store.store(make("PUT", credentials="include"), headers)
    assert store.covers(make("PUT", credentials="include"))
    assert not store.covers(make("DELETE", credentials="include"))
    assert store.covers(make("DELETE"))


def test_permissions_of_several_preflights_combine(store: PreflightCache) -> None:
    store.store(make("PUT"), allowing(allow_methods="PUT"))
    store.store(make(headers={"X-A": "1"}), allowing(allow_headers="X-A"))
    assert store.covers(make("PUT", headers={"X-A": "1"}))


def test_a_later_preflight_renews_or_ends_a_permission(store: PreflightCache, clock: Clock) -> None:
    store.store(make("PUT"), {**OPEN, "Access-Control-Max-Age": "10"})
    clock.now += 9
    store.store(make("PUT"), {**OPEN, "Access-Control-Max-Age": "10"})
    clock.now += 9
    assert store.covers(make("PUT"))
    store.store(make("PUT"), {**OPEN, "Access-Control-Max-Age": "0"})
    assert not store.covers(make("PUT"))


def test_a_later_preflight_renews_the_wildcard_that_covers_it(
    store: PreflightCache, clock: Clock
) -> None:
    store.store(make("PUT"), allowing(allow_methods="*"))
    clock.now += 4
    store.store(make("PUT"), allowing(allow_methods="PUT"))
    clock.now += 4
    assert store.covers(make("DELETE"))


def test_a_failure_clears_the_cache(store: PreflightCache) -> None:
    server = Server(
        (204, {**OPEN, "Access-Control-Max-Age": "600"}), (200, OPEN), (200, {}), (204, OPEN)
    )
    assert fetch(make("PUT"), server, store).readable
    failed = fetch(make("PUT"), server, store)
    assert (failed.reason, failed.preflight_cached) == ("no-allow-origin", True)
    assert fetch(make("PUT"), server, store).preflight_sent


def test_a_failure_that_needed_no_preflight_clears_nothing(store: PreflightCache) -> None:
    store.store(make("PUT"), OPEN)
    assert not fetch(make(), Server((200, {})), store).readable
    assert store.covers(make("PUT"))


def test_webkit_remembers_a_tainted_preflight_for_the_rest_of_its_fetch(
    store: PreflightCache,
) -> None:
    allows = (204, {**OPEN, "Access-Control-Max-Age": "600"})
    away = (307, {**OPEN, "Location": "https://other.example/"})
    server = Server(allows, away, allows, away, (200, OPEN))
    assert fetch(make("PUT"), server, store, browser="safari").readable
    assert server.methods == ["OPTIONS", "PUT", "OPTIONS", "PUT", "PUT"]
    # The preflight of the first URL is remembered, that of the redirect's target is not.
    again = Server(away, allows, (200, OPEN))
    assert fetch(make("PUT"), again, store, browser="safari").readable
    assert again.methods == ["PUT", "OPTIONS", "PUT"]
    store.clear()


def test_a_refused_preflight_is_not_remembered(store: PreflightCache) -> None:
    server = Server((204, allowing(allow_methods="PUT")))
    request = make("PUT", headers={"X-A": "1"})
    assert fetch(request, server, store).reason == "header-not-allowed"
    assert not store.covers(make("PUT"))


# --- whatever a server sends

GARBAGE = st.text(st.characters(exclude_categories=()), max_size=20)
NAMES = st.sampled_from(
    [
        *(
            f"Access-Control-{name}"
            for name in (
                "Allow-Origin",
                "Allow-Credentials",
                "Allow-Methods",
                "Allow-Headers",
                "Expose-Headers",
                "Max-Age",
            )
        ),
        "Location",
        "Set-Cookie",
        "X-A",
    ]
)
VALUES = st.sampled_from(
    [APP, "*", "true", "null", "PUT", "PUT, PATCH", "x-a", "x-a,x-b,authorization", "600", "0",
     "/", "//other.example", f"{APP}/b", "*, x-a", "", ","]
)  # fmt: skip
ANY_HEADERS = st.lists(
    st.tuples(NAMES, VALUES)
    | st.tuples(NAMES | GARBAGE, VALUES | GARBAGE)
    | st.tuples(
        NAMES.map(str.encode) | st.binary(max_size=5), VALUES.map(str.encode) | st.binary()
    ),
    max_size=8,
)
STATUSES = st.sampled_from([200, 204, 302, 307, 303, 404, 0]) | st.integers(-1, 1000)
ANSWERS = st.tuples(STATUSES, ANY_HEADERS)
FRIENDLY = st.builds(
    lambda status, origin, more: (
        status,
        [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Credentials", "true"),
            *more,
        ],
    ),
    st.sampled_from([200, 204, 307]),
    st.sampled_from([APP, "*", "null"]),
    st.lists(st.tuples(NAMES, VALUES), max_size=6),
)
REQUESTS = st.builds(
    make,
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "put", "*"]),
    st.sampled_from([API, f"{API}#x", f"{APP}/"]),
    origin=st.sampled_from([APP, "null"]),
    headers=st.lists(
        st.sampled_from(
            [("X-A", "1"), ("X-B", "2"), ("Authorization", "x"), ("Content-Type", "text/plain")]
        ),
        max_size=3,
    ),
    credentials=st.sampled_from(["omit", "same-origin", "include"]),
    cookie=st.sampled_from([None, "a=1"]),
    use_cors_preflight=st.booleans(),
)
LISTS = {"Access-Control-Allow-Methods", "Access-Control-Allow-Headers"}
ANY_BROWSER = st.sampled_from([None, *BROWSERS])


@given(REQUESTS, st.lists(ANSWERS | FRIENDLY, min_size=1, max_size=4), ANY_BROWSER)
def test_no_answer_makes_a_fetch_raise(request: Any, answers: Any, browser: Any) -> None:
    result = fetch(request, Server(*answers), PreflightCache(clock=Clock()), browser=browser)
    assert isinstance(result, FetchResult)
    assert result.readable is (result.reason is None)
    if result.readable:
        assert result.status is not None
        names = [name for name, _ in result.headers]
        assert names == sorted(set(names))
        assert "set-cookie" not in names
        assert not set(names) & set(result.hidden)
        last = result.exchanges[-1]
        assert set(names) | set(result.hidden) == {name for name, _ in last.response_headers}
    else:
        assert result.reason in REASONS
        assert (result.status, result.headers, result.hidden) == (None, (), ())
    assert result.exchanges[0].request == request
    assert [exchange.reason for exchange in result.exchanges[:-1] if exchange.reason] == []
    assert result.exchanges[-1].reason == result.reason
    for exchange in result.exchanges:
        assert isinstance(exchange, Exchange)
        assert exchange.url == exchange.request.target.without_fragment
        if exchange.is_preflight:
            assert not {"cookie", "authorization", "x-a"} & dict(exchange.request_headers).keys()


@given(REQUESTS, st.lists(ANSWERS | FRIENDLY, min_size=1, max_size=4), ANY_BROWSER)
def test_fetch_and_afetch_have_the_same_result(request: Any, answers: Any, browser: Any) -> None:
    server, twin = Server(*answers), Server(*answers)
    caches = PreflightCache(clock=Clock()), PreflightCache(clock=Clock())
    for _ in range(2):
        result = fetch(request, server, caches[0], browser=browser)
        again = finished(afetch(request, twin.later, caches[1], browser=browser))
        assert result == again
    assert server.asked == twin.asked


@given(
    st.lists(st.tuples(REQUESTS, FRIENDLY), min_size=1, max_size=4),
    REQUESTS,
    st.sampled_from([0, 3, 5, 601]),
    ANY_BROWSER,
)
def test_the_cache_permits_nothing_that_was_not_permitted(
    history: Any, request: Any, later: float, browser: Any
) -> None:
    clock = Clock()
    store = PreflightCache(clock=clock)
    # Several answers of a server, as one answer with all their items.
    joined = [
        ("Access-Control-Allow-Origin", request.origin),
        ("Access-Control-Allow-Credentials", "true"),
    ]
    for earlier, (status, headers) in history:
        if preflight_check(earlier, status, headers, browser=browser) is None:
            store.store(earlier, headers)
            lists = [pair for pair in headers if pair[0] in LISTS]
            if earlier.use_cors_preflight and "Access-Control-Allow-Methods" not in dict(lists):
                lists.append(("Access-Control-Allow-Methods", earlier.method))
            joined += lists
    clock.now += later
    if needs_preflight(request) and store.covers(request, browser=browser):
        assert preflight_check(request, 204, joined, browser=browser) is None


@given(REQUESTS, FRIENDLY, ANY_BROWSER)
def test_the_cache_permits_nothing_that_the_preflight_refuses(
    request: Any, answer: Any, browser: Any
) -> None:
    store = PreflightCache(clock=Clock())
    for credentials in ("omit", "include"):
        for method in ("GET", "PUT", "PATCH", "*"):
            fetch(make(method, credentials=credentials), Server(answer), store, browser=browser)
    if needs_preflight(request) and store.covers(request, browser=browser):
        assert preflight_check(request, *answer, browser=browser) is None


# --- the vocabulary


def test_every_reason_is_in_a_table() -> None:
    tables = ("cors_checks", "preflights", "redirects")
    seen = {row["reason"] for name in tables for row in rows(f"browser_{name}")}
    alone = {"too-many-redirects", "header-not-exposed", "resource-policy-refused"}
    assert seen - {None} == REASONS.keys() - alone
    assert all(meaning and not meaning.endswith(".") for meaning in REASONS.values())


@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_a_pages_origin_is_one_that_the_engine_can_read(text: str) -> None:
    try:
        request = make(origin=text)
    except ValueError:
        return
    assert request.origin == "null" or parse_origin(request.origin) is not None


def test_transports_may_raise() -> None:
    def unplugged(method: str, url: str, headers: Pairs) -> tuple[int, Any]:
        raise StopIteration(f"{method} {url} {headers}")

    with pytest.raises(StopIteration):
        fetch(make(), unplugged)
