"""A browser model that fetches every row from the API over real HTTP, and explains it."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from corscore.browser import (
    MAX_AGE_LIMITS,
    PreflightCache,
    Request,
    fetch,
    header_check,
)
from corscore.diagnostics import console_messages, explain_fetch, governing
from corscore_cli.demo.policies import DEFAULT, INTERNAL
from corscore_cli.demo.table import ROWS, ScriptResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corscore import Policy, PolicyMap
    from corscore.browser import Browser, FetchResult, Transport
    from corscore.diagnostics import Explanation, Governing
    from corscore_cli.demo.table import Page, Row

    Pairs = list[tuple[str, str]]

_TIMEOUT_SECONDS = 10
_NO_POLICY = f'give the path a policy: "{INTERNAL}" has None, which leaves its responses alone'


@dataclass(frozen=True, slots=True)
class Site:
    """The origins of the demo.

    Attributes:
        api: The origin of the API.
        pages: The origins of the pages.
    """

    api: str
    pages: Mapping[Page, str]

    def url(self, row: Row, run: str) -> str:
        """Return the URL of a row in one run."""
        return f"{self.api}{row.path}?{query(row, run)}"


def query(row: Row, run: str) -> str:
    """Return the query string of a row in one run, which no other row and run has."""
    return f"row={row.name}&run={run}"


@dataclass(frozen=True, slots=True)
class Prediction:
    """The result of a row in the browser model.

    Attributes:
        row: The row.
        script_result: What the script gets.
        request: The script's request.
        result: The result of the last fetch; a row may repeat its fetch.
        governing: The policy that governs the request, its place, and why no other one does.
        explanation: Why the script gets that, for the URL that the page fetches.
    """

    row: Row
    script_result: ScriptResult
    request: Request
    result: FetchResult
    governing: Governing
    explanation: Explanation

    @property
    def title(self) -> str:
        """The row's title under the policy that governs it."""
        return self.row.title_under(self.governing.policy)

    @property
    def key(self) -> str:
        """The key of the map that governs the row's path."""
        return (self.governing.place or DEFAULT).partition(", ")[0]


def predict(
    site: Site,
    policies: PolicyMap,
    run: str,
    page_run: str | None = None,
    browser: Browser | None = None,
) -> list[Prediction]:
    """Run all rows in a browser model that starts without cookies and cached preflights.

    Args:
        site: The origins of the demo.
        policies: The policies of the API, for the explanations only.
        run: A word that no earlier run had.
        page_run: The word of a real browser's next run, for the URLs of the explanations.
        browser: The browser to predict, or None for the standard.

    Raises:
        OSError: The API does not answer.
    """
    model = _Model(site, browser)
    return [_predict(row, model, policies, run, page_run or run) for row in ROWS]


class _Model:
    """A browser that has just been started.

    Attributes:
        cookie: The cookie of the API, or None before it is set.
    """

    def __init__(self, site: Site, browser: Browser | None) -> None:
        self.site = site
        self.browser: Browser | None = browser
        limit = MAX_AGE_LIMITS[browser] if browser else max(MAX_AGE_LIMITS.values())
        self.cache = PreflightCache(limit=limit)
        self.cookie: str | None = None

    def request(self, row: Row, run: str) -> Request:
        """Return the request of the row's script."""
        return Request(
            row.method,
            self.site.url(row, run),
            origin=self.site.pages[row.page],
            headers=row.headers,
            credentials=row.credentials,
            cookie=self.cookie,
        )


def _predict(row: Row, model: _Model, policies: PolicyMap, run: str, page_run: str) -> Prediction:
    browser = model.browser
    # The request has the page's URL, for the explanation; the API gets the query of this run.
    request = model.request(row, page_run)
    transport = _transport(row, run, model)
    results: list[FetchResult] = []
    while len(results) < row.repeats and all(result.readable for result in results):
        results.append(fetch(request, transport, model.cache, browser=browser))
    result = results[-1]
    reason, header = result.reason, None
    if row.reads is not None and result.readable:
        reason = header_check(request, result.exchanges[-1].response_headers, row.reads)
        header = dict(result.headers).get(row.reads.lower())
    host = urlsplit(model.site.api).netloc
    governed = governing(policies, row.path, host=host, origin=request.origin)
    preflights = sum(exchange.is_preflight for done in results for exchange in done.exchanges)
    return Prediction(
        row,
        ScriptResult(reason, result.status, preflights, header),
        request,
        result,
        governed,
        explain(result, row.reads, governed.policy),
    )


def _transport(row: Row, run: str, model: _Model) -> Transport:
    def send(method: str, url: str, headers: Pairs) -> tuple[int, Pairs]:
        # A preflight has no body, and is not the row's own request.
        is_preflight = method != row.method
        body = None if is_preflight or row.body is None else row.body.encode()
        url = f"{url.partition('?')[0]}?{query(row, run)}"
        status, received = send_request(method, url, headers, body)
        cookie = next((value for name, value in received if name.lower() == "set-cookie"), None)
        if cookie is not None and row.credentials == "include":
            # A browser stores the cookie even where the script may not read the response.
            model.cookie = cookie.partition(";")[0]
        return status, received

    return send


def send_request(
    method: str, url: str, headers: Pairs, body: bytes | None = None
) -> tuple[int, Pairs]:
    """Send one request, and return the status and the headers of the response.

    Raises:
        OSError: There is no response.
        HTTPException: The response is not HTTP.
    """
    target = urlsplit(url)
    connection = http.client.HTTPConnection(target.netloc, timeout=_TIMEOUT_SECONDS)
    try:
        path = f"{target.path}?{target.query}" if target.query else target.path
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        response.read()
    finally:
        connection.close()
    return response.status, response.getheaders()


def explain(result: FetchResult, reads: str | None, policy: Policy | None) -> Explanation:
    """Explain one fetch: by the policy if it gives the same reason, else by the headers.

    Args:
        result: The result of the fetch.
        reads: The response header that the script reads, or None.
        policy: The policy of the path, or None.
    """
    names = () if reads is None else (reads,)
    # The consoles of all browsers, not only of the one that the page is open in.
    consoles = tuple(console_messages(result.exchanges[-1]))
    by_headers = replace(explain_fetch(result, reads=names), console=consoles)
    if policy is None:
        return by_headers if by_headers.allowed else replace(by_headers, hint=_NO_POLICY)
    by_policy = policy.explain(result.exchanges[0].request, reads=names)
    if by_policy.browser_reason != by_headers.browser_reason:
        # A browser deviates from the standard, and the policy does not know that.
        return by_headers
    sent = {"preflight" if done.is_preflight else "actual" for done in result.exchanges}
    return replace(
        by_policy,
        steps=by_headers.steps,
        console=by_headers.console,
        headers=tuple(note for note in by_policy.headers if note.response in sent),
    )
