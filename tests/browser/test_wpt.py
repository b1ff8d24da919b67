"""Assertions of web-platform-tests about CORS in browsers, against the model.

Each row has the path of a test in https://github.com/web-platform-tests/wpt; ``but`` are those that
do otherwise: engines, or the standard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from corscore.browser import PreflightCache, Request, fetch
from tables import cases, rows

if TYPE_CHECKING:
    from corscore.browser import Browser

PAGE = "http://web.example"
MODELS: tuple[Browser | None, ...] = (None, "chromium", "firefox", "safari")
HEADERS = ("access-control-request-headers", "cookie", "origin")


class _Server:
    """A server that gives answers in their order, and keeps the requests."""

    def __init__(self, answers: list[Any]) -> None:
        self._answers = list(answers)
        self.methods: list[str] = []
        self.headers: list[dict[str, str]] = []

    def __call__(self, method: str, _url: str, headers: list[tuple[str, str]]) -> Any:
        self.methods.append(method)
        self.headers.append(dict(headers))
        # An engine may send more than the test asserts.
        status, pairs = self._answers.pop(0) if self._answers else (200, [])
        return status, [tuple(pair) for pair in pairs]

    def values(self, name: str) -> list[str | None]:
        return [headers.get(name) for headers in self.headers]


def _holds(row: dict[str, Any], browser: Browser | None) -> bool:
    now = 0.0
    cache = PreflightCache(clock=lambda: now)
    for wanted in row["fetches"]:
        now += wanted.get("after", 0.0)
        options = {
            name: wanted[name] for name in ("headers", "credentials", "mode") if name in wanted
        }
        request = Request(
            wanted["method"],
            wanted["url"],
            origin=wanted.get("origin", PAGE),
            cookie="a=1",
            **options,
        )
        server = _Server(wanted["answers"])
        result = fetch(request, server, cache, browser=browser)
        if not all(_agreements(wanted, server, result)):
            return False
    return True


def _agreements(wanted: dict[str, Any], server: _Server, result: Any) -> Any:
    reason = wanted["reason"]
    yield (result.reason is not None) if reason == "any" else (result.reason == reason)
    headers = dict(result.headers)
    yield all(headers.get(name) == value for name, value in wanted.get("read", {}).items())
    yield wanted.get("status", result.status) == result.status
    yield wanted.get("type", result.type) == result.type
    yield wanted.get("sent", server.methods) == server.methods
    asked, cookies, origins = map(server.values, HEADERS)
    yield wanted.get("asked", asked[0]) == asked[0]
    yield wanted.get("cookies", cookies) == cookies
    yield wanted.get("origins", origins) == origins
    yield wanted.get("last_origin", origins[-1]) == origins[-1]


@pytest.mark.parametrize("row", cases("wpt_cors"))
def test_the_models_pass_the_web_platform_tests_but_for_listed_ones(row: dict[str, Any]) -> None:
    otherwise = [name or "standard" for name in MODELS if not _holds(row, name)]
    assert otherwise == row.get("but", [])


def test_the_two_tests_that_differ_from_the_standard_are_listed() -> None:
    by_why = {row["why"]: row.get("but") for row in rows("wpt_cors")}
    # The standard takes a malformed value for five seconds; no engine stores anything.
    assert by_why["preflight-cache: an age of -1, which to the standard is no age"] == ["standard"]
    # A proposed change of the standard; every engine sends a preflight.
    never = by_why["cors-safelisted-request-header: last-event-id: 'abc123' is not preflighted"]
    assert never == ["standard", "chromium", "firefox", "safari"]
