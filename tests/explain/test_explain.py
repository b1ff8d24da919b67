"""``Policy.explain``: tests/data/explanations.json, and laws for every policy and request."""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import corscore_asgi
import corscore_wsgi
from corscore import Policy, RequestInfo, browser
from corscore.browser import Request
from corscore.diagnostics import explain_fetch
from corscore.testing.conformance import Sender, asgi_sender, wsgi_sender
from corscore.testing.strategies import origins, policies, request_infos, requests
from tables import cases, rows

APP = "https://app.example.com"
API = "https://api.example.com/articles"

# Every reason that an explanation of a policy can have.
CODES = {
    "apex-not-covered",
    "credentials-not-allowed",
    "header-invalid",
    "header-not-allowed",
    "header-not-exposed",
    "method-case",
    "method-forbidden",
    "method-invalid",
    "method-not-allowed",
    "null-origin",
    "origin-default-port",
    "origin-has-path",
    "origin-host-differs",
    "origin-malformed",
    "origin-not-allowed",
    "origin-port-differs",
    "origin-scheme-differs",
    "origin-trailing-slash",
    "origin-uppercase",
    "wildcard-with-credentials",
}


def asked(row: dict[str, Any]) -> Request | RequestInfo:
    """Return the script's request of a row, or with ``http`` one HTTP request."""
    if "http" in row:
        return RequestInfo(**row["http"])
    script = {"method": "GET", "url": API, "origin": APP, **row["script"]}
    return Request(script.pop("method"), script.pop("url"), **script)


@pytest.mark.parametrize("row", cases("explanations"))
def test_a_request_has_the_explanation_of_the_table(row: dict[str, Any]) -> None:
    policy = Policy(**row["options"])
    told = policy.explain(asked(row), reads=row.get("reads", ()))
    assert told.reason == row["reason"]
    assert told.allowed is (row["reason"] is None)
    assert told.matched == row.get("matched", told.matched)
    difference = row.get("difference")
    assert (told.nearest.difference if told.nearest else None) == difference
    if difference is not None:
        assert told.nearest is not None
        assert told.nearest.pattern == row["nearest"]
        assert difference in told.message or row["reason"] == "null-origin"
    if told.allowed:
        assert (told.hint, told.console, told.nearest) == (None, (), None)
        assert all(step.ok for step in told.steps)
    else:
        assert told.hint is not None
        assert row["hint"] in told.hint
        assert [step.ok for step in told.steps] == [True] * (len(told.steps) - 1) + [False]


def test_the_table_has_every_code_and_as_many_healthy_rows() -> None:
    seen = Counter(row["reason"] for row in rows("explanations"))
    assert seen.keys() - {None} == CODES
    assert seen[None] >= len(CODES)


@given(st.data())
def test_an_explanation_agrees_with_the_browser_and_with_the_policy(data: st.DataObject) -> None:
    policy = data.draw(policies())
    request = data.draw(requests(policy))
    sent: list[RequestInfo] = []

    def serve(method: str, url: str, headers: list[tuple[str, str]]) -> browser.Response:
        got = dict(headers)
        sent.append(RequestInfo.from_getter(method, lambda name: got.get(name.lower())))
        decision = policy.decide(sent[-1])
        return decision.status or 200, decision.headers

    result = browser.fetch(request, serve)
    told = policy.explain(request)
    assert told.allowed is result.readable
    assert told.browser_reason == result.reason
    assert (told.reason is None) is told.allowed
    headers = [pair for info in sent for pair in policy.decide(info).headers]
    assert [(note.name, note.value) for note in told.headers] == headers
    if policy.decide(sent[0]).origin_allowed and request.is_cross_origin:
        assert told.matched is not None
    assert [step.reason for step in told.steps if not step.ok] == [result.reason] * (
        not told.allowed
    )


@given(st.data())
def test_any_request_is_explained(data: st.DataObject) -> None:
    policy = data.draw(policies())
    info = data.draw(request_infos(policy))
    reads = data.draw(st.lists(st.text(max_size=5), max_size=2))
    told = policy.explain(info, reads=reads)
    assert (told.reason is None) is told.allowed
    assert [(note.name, note.value) for note in told.headers] == list(policy.decide(info).headers)
    # It can be logged: text of a request adds no lines, and no control characters.
    assert all(line.isascii() and line.isprintable() for line in told.log_text.split("\n"))
    assert json.loads(json.dumps(told.to_dict())) == told.to_dict()
    assert str(told).startswith(told.log_text)


@given(st.data())
def test_a_pattern_fits_where_the_origin_is_allowed(data: st.DataObject) -> None:
    policy = data.draw(policies())
    origin = data.draw(origins(policy))
    told = policy.explain(Request("GET", "https://server.example", origin=origin))
    assert (told.matched is not None) is policy.allows_origin(origin)
    if told.matched is not None and "://" in told.matched and policy.allow_origin_regex is None:
        assert Policy(allow_origins=[told.matched]).allows_origin(origin)


def test_the_steps_of_a_preflight_in_their_order() -> None:
    policy = Policy(allow_origins=[APP], allow_methods=["PUT"], allow_credentials=True)
    request = Request("PUT", API, origin=APP, credentials="include")
    told = policy.explain(request)
    assert [step.name for step in told.steps] == [
        "preflight-needed",
        "preflight-sent",
        "preflight-status",
        "allow-origin",
        "allow-credentials",
        "preflight-method",
        "request-sent",
        "allow-origin",
        "allow-credentials",
        "response-readable",
    ]
    assert all(step.section.startswith("https://fetch.spec.whatwg.org/#") for step in told.steps)


def test_the_dict_has_what_programs_rely_on() -> None:
    told = Policy(allow_origins=[APP]).explain(RequestInfo("GET", origin="http://app.example.com"))
    data = told.to_dict()
    assert data.keys() >= {"allowed", "reason", "nearest", "steps", "headers"}
    assert (data["allowed"], data["reason"]) == (False, "origin-scheme-differs")
    assert data["nearest"] == {
        "option": "allow_origins",
        "pattern": APP,
        "difference": "http, not https",
    }
    assert data["headers"] == [
        {
            "name": "Vary",
            "value": "Origin",
            "why": "the response depends on the Origin: a cache must not give it to another one.",
            "response": "actual",
        }
    ]
    assert set(data["console"]) == {"chromium", "firefox", "safari"}


def test_the_text_says_all_of_it() -> None:
    text = str(Policy(allow_origins=[APP]).explain(Request("PUT", API, origin=APP)))
    for part in (
        "Refused: method-not-allowed",
        'Fix: add "PUT" to allow_methods.',
        "  1. ok  the browser asks first",
        "NO  ",
        "Headers of the preflight",
        "Access-Control-Allow-Methods: GET, HEAD, POST",
        "Chrome:\n      Access to fetch at 'https://api.example.com/articles' from origin '",
        "CORS policy: Method PUT is not allowed by Access-Control-Allow-Methods in preflight",
        "Firefox:",
        "Safari:\n      Method PUT is not allowed by Access-Control-Allow-Methods.",
    ):
        assert part in text


def test_a_given_verdict_counts_more_than_the_list() -> None:
    policy = Policy(allow_origins=[APP])
    info = RequestInfo("GET", origin="https://tenant.example")
    assert policy.explain(info).reason == "origin-not-allowed"
    told = policy.explain(info, origin_allowed=True)
    assert (told.allowed, told.matched) == (True, None)
    assert policy.explain(RequestInfo("GET", origin=APP), origin_allowed=False).allowed is False


def test_a_policy_with_a_resolver_says_that_it_would_ask() -> None:
    policy = Policy(allow_origins=[APP], origin_resolver=lambda origin, request: True)
    told = policy.explain(RequestInfo("GET", origin="https://tenant.example"))
    assert told.reason == "origin-not-allowed"
    assert "origin_resolver would be asked" in told.message
    assert policy.explain(
        RequestInfo("GET", origin="https://tenant.example"), origin_allowed=True
    ).allowed


# --- what went over the wire to servers that are not ours


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "null-origin"),
        ({"Access-Control-Allow-Origin": APP}, "null-origin"),
        ({"Access-Control-Allow-Origin": "*"}, None),
    ],
)
def test_null_is_refused_unless_the_answer_has_a_star_or_null(
    headers: dict[str, str], reason: str | None
) -> None:
    request = Request("GET", API, origin="null")
    result = browser.fetch(request, lambda method, url, sent: (200, headers))
    assert explain_fetch(result).reason == reason


def test_a_redirect_to_another_origin_makes_the_origin_null() -> None:
    def serve(method: str, url: str, sent: list[tuple[str, str]]) -> browser.Response:
        if url == API:
            there = {"Location": "https://cdn.example/", "Access-Control-Allow-Origin": APP}
            return 302, there
        return 200, {"Access-Control-Allow-Origin": APP}

    request = Request("GET", API, origin=APP)
    told = explain_fetch(browser.fetch(request, serve))
    assert (told.reason, told.browser_reason) == ("redirected-to-null-origin", "origin-mismatch")
    assert [step.name for step in told.steps][-4:] == [
        "redirect",
        "preflight-needed",
        "request-sent",
        "allow-origin",
    ]


STAR = {"Access-Control-Allow-Origin": "*"}
OURS = {"Access-Control-Allow-Origin": APP}


@pytest.mark.parametrize(
    ("script", "status", "headers", "reason", "in_chrome"),
    [
        ({"method": "PUT"}, 308, STAR, "preflight-redirected", "It does not have HTTP ok status"),
        (
            {"method": "PUT"},
            308,
            {**STAR, "Location": "/"},
            "preflight-redirected",
            "Redirect is not allowed for",
        ),
        ({"method": "PUT"}, 401, STAR, "preflight-not-ok", "It does not have HTTP ok status"),
        ({"method": "PUT"}, 404, {}, "preflight-not-ok", "No 'Access-Control-Allow-Origin' header"),
        ({}, 200, {}, "no-allow-origin", "No 'Access-Control-Allow-Origin' header"),
        ({}, 200, {"Access-Control-Allow-Origin": f"{APP}, {APP}"}, "multiple-allow-origin", None),
        ({}, 200, {"Access-Control-Allow-Origin": "https://b.example"}, "origin-mismatch", None),
        (
            {},
            200,
            {"Access-Control-Allow-Origin": "app.example.com"},
            "origin-mismatch",
            "contains the invalid value 'app.example.com'",
        ),
        ({"credentials": "include"}, 200, STAR, "wildcard-with-credentials", "must not be the"),
        ({"credentials": "include"}, 200, OURS, "credentials-not-allowed", "which must be 'true'"),
        (
            {"method": "PUT"},
            200,
            {**STAR, "Access-Control-Allow-Methods": "P U T"},
            "invalid-allow-methods",
            "Cannot parse Access-Control-Allow-Methods",
        ),
        (
            {"method": "PUT"},
            200,
            {**STAR, "Access-Control-Allow-Headers": "X One"},
            "invalid-allow-headers",
            "Cannot parse Access-Control-Allow-Headers",
        ),
        ({"method": "patch"}, 200, {**STAR, "Access-Control-Allow-Methods": "PATCH"}, "method-case",
         "Method patch is not allowed"),
        ({"method": "PUT"}, 200, STAR, "method-not-allowed", "Method PUT is not allowed"),
        ({"headers": {"X-One": "1"}}, 200, STAR, "header-not-allowed", "header field x-one is not"),
        ({}, 302, {**STAR, "Location": "ftp://b.example"}, "redirect-invalid", "supported for"),
        ({}, 302, {**STAR, "Location": "http://["}, "redirect-invalid", "ERR_INVALID_REDIRECT"),
        ({}, 302, {**STAR, "Location": API}, "too-many-redirects", "ERR_TOO_MANY_REDIRECTS"),
        (
            {},
            302,
            {**STAR, "Location": "https://u:p@b.example/"},
            "redirect-with-credentials",
            "contains a username and password",
        ),
        ({"redirect_mode": "error"}, 302, {**STAR, "Location": "/b"}, "redirect-refused", None),
        ({"redirect_mode": "error"}, 302, STAR, "redirect-refused", None),
        (
            {"mode": "no-cors"},
            200,
            {"Cross-Origin-Resource-Policy": "same-origin"},
            "resource-policy-refused",
            None,
        ),
        (
            {"mode": "same-origin", "origin": "https://api.example.com"},
            302,
            {"Location": "https://b.example/"},
            "redirect-leaves-origin",
            None,
        ),
    ],
)  # fmt: skip
def test_an_answer_of_any_server_has_its_reason(
    script: dict[str, Any],
    status: int,
    headers: dict[str, str],
    reason: str,
    in_chrome: str | None,
) -> None:
    script = {"method": "GET", "origin": APP, **script}
    request = Request(script.pop("method"), API, **script)
    told = explain_fetch(browser.fetch(request, lambda *_: (status, headers)))
    assert told.reason == reason
    assert told.hint
    console = dict(told.console)
    assert in_chrome is None or in_chrome in console["chromium"]
    assert told.steps[-1].reason == told.browser_reason


AUTHORIZED = Request("GET", API, origin=APP, headers={"Authorization": "Bearer token"})


def test_a_browser_is_named_where_its_verdict_is_not_that_of_the_standard() -> None:
    policy = Policy(allow_origins=["*"], allow_headers=["x-one"])
    told = policy.explain(AUTHORIZED, browser="firefox")
    assert told == replace(policy.explain(AUTHORIZED), console=told.console)
    assert [name for name, _ in told.console] == ["firefox"]


@pytest.mark.parametrize(
    ("headers", "browser", "message"),
    [
        ({"DPR": "2"}, "chromium", "That is Chromium"),
        ({"DPR": "2"}, "firefox", None),
        ({"User-Agent": "x"}, "chromium", "by the standard: "),
        ({"Range": "Bytes=0-"}, "safari", "WebKitGTK 2.50 takes other steps"),
        ({"Accept": "\xe9"}, "firefox", "Firefox 153 takes other steps"),
        ({"X-One": "1"}, "chromium", None),
    ],
)
def test_where_a_browser_differs_the_message_says_so(
    headers: Any, browser: Any, message: str | None
) -> None:
    policy = Policy(allow_origins=[APP])
    request = Request("GET", API, origin=APP, headers=headers)
    told = policy.explain(request, browser=browser)
    if message is None:
        assert told.message == policy.explain(request).message
    else:
        assert message in told.message


def test_other_steps_to_the_same_verdict_are_mentioned() -> None:
    policy = Policy(allow_origins=[APP], allow_headers=["dpr"])
    request = Request("GET", API, origin=APP, headers={"DPR": "2"})
    told = policy.explain(request, browser="chromium")
    assert told.allowed
    assert "Chromium 156 takes other steps" in told.message


def test_no_such_browser_is_an_error() -> None:
    with pytest.raises(ValueError, match="browser="):
        Policy(allow_origins=[APP]).explain(AUTHORIZED, browser="opera")  # type: ignore[arg-type]


def test_the_message_of_an_opaque_response_says_that_nothing_is_readable() -> None:
    request = Request("GET", API, origin=APP, mode="no-cors")
    told = explain_fetch(browser.fetch(request, lambda *_: (200, {})))
    assert told.allowed
    assert "read nothing" in told.message
    assert "can read nothing" in told.steps[-1].text


def test_a_browser_that_would_not_refuse_has_no_console_text() -> None:
    request = Request("GET", API, origin=APP, headers={"Authorization": "Bearer token"})
    answer = {**STAR, "Access-Control-Allow-Headers": "*"}
    result = browser.fetch(request, lambda *_: (200, answer))
    told = explain_fetch(result)
    assert told.reason == "authorization-needs-explicit"
    assert "authorization" in told.message
    # All three let * cover Authorization: see corscore.browser.KNOWN_DEVIATIONS.
    assert told.console == ()


def test_the_step_names_a_cached_preflight_and_a_streamed_body() -> None:
    cache = browser.PreflightCache()
    request = Request("GET", API, origin=APP, use_cors_preflight=True)
    for words in ("asks first, since the script streams", "an earlier answer still counts"):
        told = explain_fetch(browser.fetch(request, lambda *_: (200, STAR), cache))
        assert told.allowed
        assert words in told.steps[0].text


def test_a_hidden_header_is_refused_with_the_name_to_expose() -> None:
    request = Request("GET", API, origin=APP)
    result = browser.fetch(request, lambda *_: (200, {**STAR, "X-Total": "3"}))
    told = explain_fetch(result, reads=["Content-Type", "X-Total"])
    assert (told.allowed, told.reason, told.console) == (False, "header-not-exposed", ())
    assert told.hint == 'list "X-Total" in Access-Control-Expose-Headers'


# --- debug=True


def _asgi(policy: Policy) -> Sender:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("a preflight reached the application")

    return asgi_sender(corscore_asgi.CORSMiddleware(app, policy))


def _wsgi(policy: Policy) -> Sender:
    def app(environ: Any, start_response: Any) -> Any:
        raise AssertionError("a preflight reached the application")

    return wsgi_sender(corscore_wsgi.CORSMiddleware(app, policy))


@pytest.mark.parametrize("serve", [_asgi, _wsgi])
def test_debug_puts_the_explanation_in_the_log(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    serve = serve(Policy(allow_origins=[APP], debug=True))
    asks = ("Access-Control-Request-Method", "PUT")
    with caplog.at_level(logging.WARNING, logger="corscore"):
        status, *_ = serve("OPTIONS", API, [("Origin", "http://app.example.com"), asks])
        assert status == 403
        assert serve("OPTIONS", API, [("Origin", APP), asks])[0] == 204
    first, second = (record.getMessage() for record in caplog.records)
    assert "Refused: origin-scheme-differs" in first
    assert APP in first
    assert "Refused: method-not-allowed" in second


def test_without_debug_a_refusal_is_logged_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    serve = asgi_sender(corscore_asgi.CORSMiddleware(app, Policy(allow_origins=[APP])))
    with caplog.at_level(logging.DEBUG, logger="corscore"):
        serve("GET", API, [("Origin", "http://app.example.com")])
    (record,) = caplog.records
    assert record.getMessage().splitlines() == [
        (
            "CORS refused (origin-not-allowed): origin http://app.example.com, GET /articles"
            "; what to do: corscore code origin-not-allowed, corscore explain, or debug=True"
        )
    ]
