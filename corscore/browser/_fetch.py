"""A whole fetch: preflight, request, redirects, over any transport."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corscore._standard.fetch import PREFLIGHT_METHOD
from corscore.browser._checks import (
    cors_check,
    preflight_check,
    readable_headers,
)
from corscore.browser._headers import HeaderList, HeadersInput, header_list
from corscore.browser._reasons import (
    Browser,
    Reason,
    check_browser,
)
from corscore.browser._redirect import redirect_check, redirected
from corscore.browser._request import (
    Request,
    needs_preflight,
    preflight_headers,
    request_headers,
)

if TYPE_CHECKING:
    from corscore.browser._cache import PreflightCache

Sent = tuple[str, str, list[tuple[str, str]]]
"""Method, URL without fragment, and headers, with names in lower case."""

Response = tuple[int, HeadersInput]
"""Status, and headers as pairs of str or bytes, or as a mapping."""

Transport = Callable[[str, str, list[tuple[str, str]]], Response]
"""Sends one request, without following redirects. What it raises passes through ``fetch``."""

AsyncTransport = Callable[[str, str, list[tuple[str, str]]], Awaitable[Response]]
"""The same, awaited."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that went out, and its response; header names in lower case.

    Attributes:
        method: ``"OPTIONS"`` for a preflight.
        url: Without its fragment.
        request_headers: What was sent.
        status: What came back.
        response_headers: All of it, whether or not a script may read it.
        is_preflight: Whether the browser asked this on its own account.
    """

    method: str
    url: str
    request_headers: HeaderList
    status: int
    response_headers: HeaderList
    is_preflight: bool


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What a script got.

    Attributes:
        reason: Why it did not get the response, a key of ``REASONS``; None if it did.
        status: The response's status; None when it is not readable.
        headers: The response's headers that it may read: lower case, sorted, one pair a name.
        hidden: The names of the response's other headers, sorted: header-not-exposed.
        preflight_cached: Whether the cache spared at least one preflight.
        exchanges: All that went over the wire, in order; a refusal is always about the last.
    """

    reason: Reason | None
    status: int | None
    headers: HeaderList
    hidden: tuple[str, ...]
    preflight_cached: bool
    exchanges: tuple[Exchange, ...]

    @property
    def readable(self) -> bool:
        """Whether the script got the response; else its promise was rejected, with no detail."""
        return self.reason is None

    @property
    def url(self) -> str:
        """The last URL that was asked, without its fragment."""
        return self.exchanges[-1].url

    @property
    def preflight_sent(self) -> bool:
        """Whether at least one preflight went out."""
        return any(exchange.is_preflight for exchange in self.exchanges)


def fetch(
    request: Request,
    transport: Transport,
    cache: PreflightCache | None = None,
    *,
    browser: Browser | None = None,
) -> FetchResult:
    """Does what a browser does when a page calls ``fetch``, redirects included.

    https://fetch.spec.whatwg.org/#concept-main-fetch and what it calls.

    Args:
        request: What the page asks for.
        transport: Sends each request; it is given no body, and its responses need none.
        cache: The browser's preflight cache, read and filled; None has each preflight sent.
        browser: Whose known deviations to take into account; None is the standard.

    Raises:
        ValueError: There is no such browser.
    """
    steps = _steps(request, cache, browser)
    step = next(steps)
    while not isinstance(step, FetchResult):
        step = steps.send(transport(*step))
    return step


async def afetch(
    request: Request,
    transport: AsyncTransport,
    cache: PreflightCache | None = None,
    *,
    browser: Browser | None = None,
) -> FetchResult:
    """``fetch`` over a transport that is awaited."""
    steps = _steps(request, cache, browser)
    step = next(steps)
    while not isinstance(step, FetchResult):
        step = steps.send(await transport(*step))
    return step


def _steps(
    request: Request, cache: PreflightCache | None, browser: Browser | None
) -> Generator[Sent | FetchResult, Response, None]:
    # The sans-I/O core of both drivers: what to send next, and in the end what came of it. Main
    # fetch and HTTP fetch call each other for every redirect; here that is a loop.
    check_browser(browser)
    exchanges: list[Exchange] = []
    shared: tuple[int | None, HeaderList, tuple[str, ...]] = (None, (), ())
    asked = cached = False
    while True:
        # https://fetch.spec.whatwg.org/#concept-http-fetch, step 4.1
        if needs_preflight(request):
            asked = True
            if cache is not None and cache.covers(request, browser=browser):
                cached = True
            else:
                status, headers = yield from _exchange(exchanges, request, is_preflight=True)
                reason = preflight_check(request, status, headers, browser=browser)
                if reason is not None:
                    break
                if cache is not None:
                    cache.store(request, headers)
        # Steps 4.3 and 4.4: the check is of a redirect as of any other response.
        status, headers = yield from _exchange(exchanges, request, is_preflight=False)
        reason = cors_check(request, headers) or redirect_check(request, status, headers)
        if reason is not None:
            break
        following = redirected(request, status, headers)
        if following is None:
            shared = (status, *_visible(request, headers))
            break
        request = following
    # https://fetch.spec.whatwg.org/#concept-main-fetch, step 12: what failed is asked anew.
    if reason is not None and asked and cache is not None:
        cache.clear(request)
    yield FetchResult(reason, *shared, cached, tuple(exchanges))


def _visible(request: Request, headers: HeaderList) -> tuple[HeaderList, tuple[str, ...]]:
    readable = readable_headers(request, headers)
    hidden = {name for name, _ in headers}.difference(name for name, _ in readable)
    return readable, tuple(sorted(hidden))


def _exchange(
    exchanges: list[Exchange], request: Request, *, is_preflight: bool
) -> Generator[Sent, Response, tuple[int, HeaderList]]:
    method = PREFLIGHT_METHOD if is_preflight else request.method
    url = request.target.without_fragment
    sent = preflight_headers(request) if is_preflight else request_headers(request)
    status, headers = yield method, url, list(sent)
    received = header_list(headers)
    exchanges.append(Exchange(method, url, sent, status, received, is_preflight))
    return status, received
