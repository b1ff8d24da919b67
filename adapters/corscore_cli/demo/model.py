"""What the browser model says to each row, asking the API over real HTTP."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from corscore.browser import (
    MAX_AGE_LIMITS,
    PreflightCache,
    Request,
    fetch,
    header_check,
)
from corscore_cli.demo.explained import explained
from corscore_cli.demo.policies import governing_key
from corscore_cli.demo.rows import Outcome
from corscore_cli.demo.table import ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corscore import PolicyMap
    from corscore.browser import Browser, FetchResult, Transport
    from corscore.diagnostics import Explanation
    from corscore_cli.demo.rows import Page, Row

_TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Site:
    """Where everything is.

    Attributes:
        api: The origin of the API.
        pages: The origins of those who ask.
    """

    api: str
    pages: Mapping[Page, str]

    def url(self, row: Row, run: str) -> str:
        """Where a row goes. ``run`` sets it apart from all other fetches of the row."""
        return f"{self.api}{row.path}?{query(row, run)}"


def query(row: Row, run: str) -> str:
    """The query string of a row's fetches in one run."""
    return f"row={row.name}&run={run}"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What came of a row, and what went over the wire for it.

    Attributes:
        row: The row.
        outcome: What the script gets.
        request: What it asked for.
        result: The last fetch; there are several where a row repeats.
        key: Under which key of the map the policy of the row's path is.
        explanation: Why it came out as it did, about the URL that the page asks for.
    """

    row: Row
    outcome: Outcome
    request: Request
    result: FetchResult
    key: str
    explanation: Explanation


def predict(
    site: Site,
    policies: PolicyMap,
    run: str,
    page_run: str | None = None,
    browser: Browser | None = None,
) -> list[Prediction]:
    """Runs all rows in a browser model that starts empty: no cookies, no cached preflights.

    Args:
        site: Where the API is and who asks.
        policies: What governs the API, for the explanations; the outcomes are the API's own.
        run: A word that was not used before.
        page_run: The word of the run by a real browser that the explanations are for.
        browser: Whose deviations from the standard to take into account.

    Raises:
        OSError: The API does not answer.
    """
    model = _Model(site, browser)
    return [_predict(row, model, policies, run, page_run or run) for row in ROWS]


class _Model:
    """A browser that has just been started.

    Attributes:
        cookie: The API's, once it was set.
    """

    def __init__(self, site: Site, browser: Browser | None) -> None:
        self.site = site
        self.browser: Browser | None = browser
        limit = MAX_AGE_LIMITS[browser] if browser else max(MAX_AGE_LIMITS.values())
        self.cache = PreflightCache(limit=limit)
        self.cookie: str | None = None

    def request(self, row: Row, run: str) -> Request:
        """What the row's script asks for now."""
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
    # The explanations are about the page's fetches; only the API gets to see the model's own query.
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
    preflights = sum(exchange.is_preflight for done in results for exchange in done.exchanges)
    return Prediction(
        row,
        Outcome(reason, result.status, preflights, header),
        request,
        result,
        governing_key(policies, row.path),
        explained(result, row.reads, policies.policy_for(row.path)),
    )


def _transport(row: Row, run: str, model: _Model) -> Transport:
    def send(
        method: str, url: str, headers: list[tuple[str, str]]
    ) -> tuple[int, list[tuple[str, str]]]:
        target = urlsplit(url)
        connection = http.client.HTTPConnection(target.netloc, timeout=_TIMEOUT_SECONDS)
        # A preflight has no body, and is not the row's own request.
        is_preflight = method != row.method
        body = None if is_preflight or row.body is None else row.body.encode()
        try:
            connection.request(method, f"{target.path}?{query(row, run)}", body, dict(headers))
            response = connection.getresponse()
            response.read()
        finally:
            connection.close()
        cookie = response.getheader("Set-Cookie")
        if cookie is not None and row.credentials == "include":
            # Whether or not the script may read the response.
            model.cookie = cookie.partition(";")[0]
        return response.status, response.getheaders()

    return send
