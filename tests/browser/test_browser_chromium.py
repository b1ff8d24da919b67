"""tests/data/chromium.json in a real Chromium: what it does, and what the model predicts.

Every row is a policy and a sequence of fetches. Pages are on ``localhost`` and on ``127.0.0.1``,
the API on another port of ``127.0.0.1``: to a browser the first is another site, the second the
same site and another origin.
"""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from corscore import browser
from corscore_starlette import CORSMiddleware, install
from servers import serve
from tables import cases, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page
    from starlette.types import ASGIApp, Receive, Scope, Send

    from servers import Served

FETCH = """
async ({url, init}) => {
    try {
        const response = await fetch(url, init)
        return {
            status: response.status,
            headers: Object.fromEntries(response.headers),
            body: await response.text(),
        }
    } catch (error) {
        return {error: String(error)}
    }
}
"""
FRAME = '<iframe sandbox="allow-scripts" srcdoc="<title>frame</title>"></iframe>'


def _needs_token(request: Request) -> None:
    if request.headers.get("authorization") != "Bearer token":
        raise HTTPException(401)


def make_api() -> FastAPI:
    """Serve the API that the pages fetch from."""
    api = FastAPI()

    @api.get("/articles")
    def articles(response: Response) -> list[int]:
        response.headers["X-Total"] = "3"
        response.headers["X-Page"] = "1"
        return [1, 2, 3]

    @api.get("/articles/{number}")
    def article(number: int) -> dict[str, int]:
        return {"number": number}

    @api.put("/articles/{number}", dependencies=[Depends(_needs_token)])
    async def put_article(request: Request) -> Any:
        return await request.json()

    @api.delete("/articles/{number}")
    def delete_article() -> str:
        return "deleted"

    @api.get("/download")
    def download() -> Response:
        headers = {
            "Content-Disposition": 'attachment; filename="a.txt"',
            "X-Total": "1",
            "Access-Control-Expose-Headers": "Content-Disposition",
        }
        return Response("text", headers=headers)

    @api.post("/login")
    def login(response: Response) -> str:
        response.set_cookie("session", "someone")
        return "welcome"

    @api.get("/me")
    def me(request: Request) -> str:
        return request.cookies.get("session", "nobody")

    @api.get("/boom")
    def boom() -> None:
        raise ValueError("boom")

    @api.get("/away")
    def away(request: Request) -> Response:
        return RedirectResponse(request.url_for("article", number=1))

    return api


def app_of(row: dict[str, Any], page: str) -> ASGIApp:
    """Return the application of a row."""
    kind, api = row.get("app", "install"), make_api()
    if kind == "by hand":
        return _answering(row["answers"], page)
    options: dict[str, Any] = dict(row["policy"])
    if "allow_origins" in options:
        options["allow_origins"] = [
            origin.replace("{page}", page) for origin in options["allow_origins"]
        ]
    if kind == "install":
        install(api, **options)
    else:
        api.add_middleware(CORSMiddleware, **options)
    return api


def _answering(headers: dict[str, str], page: str) -> ASGIApp:
    lines = [
        (name.lower().encode(), value.replace("{page}", page).encode())
        for name, value in headers.items()
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": lines})
        await send({"type": "http.response.body"})

    return app


class Api:
    """A server for the application of one row, and the requests that it got."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.methods: list[str] = []
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        self.methods.append(scope["method"])
        await self.app(scope, receive, send)

    def preflights(self) -> int:
        """Return the number of preflights since the last call."""
        count = self.methods.count("OPTIONS")
        self.methods.clear()
        return count


async def _pages(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"text/html")]
    body = f"<!doctype html><link rel=icon href=data:,><title>page</title>{FRAME}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    served_api = Api()
    with serve(served_api, lifespan="off") as served:
        served_api.url = served.origin
        yield served_api


@pytest.fixture(scope="module")
def pages() -> Iterator[Served]:
    with serve(_pages, lifespan="off") as served:
        yield served


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    # A new context, with empty caches.
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def _over_http(body: str | None) -> browser.Transport:
    def send(method: str, url: str, headers: list[tuple[str, str]]) -> browser.Response:
        target = urlsplit(url)
        connection = http.client.HTTPConnection(target.netloc, timeout=30)
        try:
            sent = None if method == "OPTIONS" else body
            connection.request(method, target.path, sent, dict(headers))
            response = connection.getresponse()
            response.read()
            return response.status, response.getheaders()
        finally:
            connection.close()

    return send


def _predicted(
    fetch: dict[str, Any], origin: str, url: str, cache: browser.PreflightCache, name: Any
) -> browser.FetchResult:
    request = browser.Request(
        fetch.get("method", "GET"),
        url,
        origin=origin,
        headers=fetch.get("headers", {}),
        credentials=fetch.get("credentials", "same-origin"),
        cookie=fetch.get("cookie"),
    )
    return browser.fetch(request, _over_http(fetch.get("body")), cache, browser=name)


@pytest.mark.parametrize("row", cases("chromium"))
def test_chromium_does_what_the_model_predicts(
    row: dict[str, Any], api: Api, pages: Served, page: Page
) -> None:
    host = row.get("page", "localhost")
    origin = "null" if host == "null" else pages.origin_as(host)
    api.app = app_of(row, origin)
    console: list[str] = []
    page.on("console", lambda message: console.append(message.text))
    page.goto(pages.origin_as("localhost" if host == "null" else host))
    script = page.frames[1] if host == "null" else page.main_frame
    assert script.evaluate("self.origin") == origin

    limit = browser.MAX_AGE_LIMITS["chromium"]
    caches = {name: browser.PreflightCache(limit=limit) for name in ("chromium", None)}
    for fetch in row["fetches"]:
        wanted, url = fetch["wanted"], api.url + fetch["path"]
        init = {
            key: fetch[key] for key in ("method", "headers", "credentials", "body") if key in fetch
        }
        api.preflights()

        # Chromium does what the table says.
        actual = script.evaluate(FETCH, {"url": url, "init": init})
        assert ("error" in actual) == ("reason" in wanted)
        assert actual.get("status") == wanted.get("status")
        assert actual.get("body") == wanted.get("body", actual.get("body"))
        assert wanted.get("headers", {}).items() <= actual.get("headers", {}).items()
        assert not actual.get("headers", {}).keys() & set(wanted.get("hidden", []))
        assert api.preflights() == wanted["preflights"]

        # The model predicts it.
        predicted = _predicted(fetch, origin, url, caches["chromium"], "chromium")
        assert predicted.reason == wanted.get("reason")
        assert predicted.status == actual.get("status")
        assert dict(predicted.headers) == actual.get("headers", {})
        assert set(wanted.get("hidden", [])) <= set(predicted.hidden)
        assert api.preflights() == wanted["preflights"]

        # The standard agrees, but for known deviations.
        standard = _predicted(fetch, origin, url, caches[None], None)
        assert standard.reason == wanted.get("standard", predicted.reason)
    if "console" in row:
        assert any(row["console"] in text for text in console)


def test_every_known_deviation_of_chromium_has_a_row() -> None:
    known = {d.reason for d in browser.KNOWN_DEVIATIONS if d.browser == "chromium" and d.reason}
    shown = {
        fetch["wanted"]["standard"]
        for row in rows("chromium")
        for fetch in row["fetches"]
        if "standard" in fetch["wanted"]
    }
    assert shown == known
