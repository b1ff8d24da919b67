"""The console of a real Chromium, beside the text that the explanation predicts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote

import pytest

from corscore import browser
from corscore.browser import Request
from corscore.diagnostics import explain_fetch
from servers import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from servers import Served

_STAR = {"Access-Control-Allow-Origin": "*"}
_PAGE = {"Access-Control-Allow-Origin": "{page}"}
_COOKIES = {**_PAGE, "Access-Control-Allow-Credentials": "true"}
_FETCH = "({url, init}) => fetch(url, init).then(() => 'read', () => 'refused')"

_TIMEOUT = 10_000  # milliseconds

# A script, and the status and headers of all answers.
CASES: list[tuple[dict[str, Any], int, dict[str, str]]] = [
    ({}, 200, {}),
    ({}, 200, {"Access-Control-Allow-Origin": "https://other.example"}),
    ({}, 200, {"Access-Control-Allow-Origin": "other.example"}),
    ({}, 200, {"Access-Control-Allow-Origin": "null"}),
    ({}, 200, {"Access-Control-Allow-Origin": "{page}, {page}"}),
    ({"credentials": "include"}, 200, _STAR),
    ({"credentials": "include"}, 200, _PAGE),
    ({"credentials": "include"}, 200, {**_PAGE, "Access-Control-Allow-Credentials": "True"}),
    ({"method": "PUT"}, 403, {}),
    ({"method": "PUT"}, 403, _STAR),
    ({"method": "PUT"}, 200, {}),
    ({"method": "PUT"}, 200, {"Access-Control-Allow-Origin": "https://other.example"}),
    ({"method": "PUT", "credentials": "include"}, 200, _STAR),
    ({"method": "PUT", "credentials": "include"}, 200, _PAGE),
    ({"method": "PUT"}, 307, {**_STAR, "Location": "/elsewhere"}),
    ({"method": "PUT"}, 307, {"Location": "/elsewhere"}),
    ({"method": "PUT"}, 200, _STAR),
    ({"method": "patch"}, 200, {**_STAR, "Access-Control-Allow-Methods": "PATCH"}),
    ({"method": "PUT"}, 200, {**_STAR, "Access-Control-Allow-Methods": "P U T"}),
    ({"method": "PUT"}, 200, {**_STAR, "Access-Control-Allow-Headers": "X One"}),
    ({"headers": {"X-One": "1"}}, 200, _STAR),
    ({"headers": {"X-Two": "2", "X-One": "1"}, "credentials": "include"}, 200, _COOKIES),
    ({"headers": {"Authorization": "Bearer token"}}, 200, _STAR),
]


async def _app(scope: Any, receive: Any, send: Any) -> None:
    """Answer with a blank page, or with the status and the headers in ``?answer=``."""
    if scope["type"] != "http":
        return
    asked = parse_qs(scope["query_string"].decode())
    status, headers = json.loads(asked["answer"][0]) if asked else (200, {})
    if not asked:
        headers = {"content-type": "text/html", "cache-control": "max-age=60"}
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    pairs.append((b"content-length", b"0"))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve(_app, lifespan="off") as server:
        yield server


@pytest.fixture(scope="module")
def page(chromium: Browser, served: Served) -> Iterator[Page]:
    page = chromium.new_page()
    page.goto(f"{served.origin_as('localhost')}/")
    yield page
    page.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: json.dumps(case))
def test_the_console_of_chromium_has_the_predicted_text(
    page: Page, served: Served, case: tuple[dict[str, Any], int, dict[str, str]]
) -> None:
    script, status, answer = case
    origin = served.origin_as("localhost")
    headers = {name: value.format(page=origin) for name, value in answer.items()}
    url = f"{served.origin}/?answer={quote(json.dumps([status, headers]))}"
    request = Request(
        script.get("method", "GET"),
        url,
        origin=origin,
        headers=script.get("headers", {}),
        credentials=script.get("credentials", "same-origin"),
    )
    told = explain_fetch(browser.fetch(request, lambda *_: (status, headers)))

    expected = dict(told.console)["chromium"]
    with page.expect_console_message(lambda message: message.text == expected, timeout=_TIMEOUT):
        assert page.evaluate(_FETCH, {"url": url, "init": script}) == "refused"
