"""A whole fetch: preflight, request and redirects, over any transport."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from corscore._standard.fetch import PREFLIGHT_METHOD, REDIRECT_STATUSES
from corscore.browser._checks import (
    cors_check,
    preflight_check,
    readable_headers,
    resource_policy_check,
)
from corscore.browser._deviations import Browser, check_browser, deviates
from corscore.browser._headers import HeaderList, HeadersInput, header_list
from corscore.browser._redirect import has_forbidden_userinfo, redirect_check, redirected
from corscore.browser._request import (
    Request,
    as_preflighted,
    derived,
    in_browser,
    needs_preflight,
    preflight_headers,
    request_headers,
)

if TYPE_CHECKING:
    from corscore.browser._cache import PreflightCache
    from corscore.browser._reasons import Reason

Sent = tuple[str, str, list[tuple[str, str]]]
"""A request as it is sent: method, URL without fragment, and headers, names in lower case."""

Response = tuple[int, HeadersInput]
"""A response: its status, and its headers as pairs of str or bytes, or as a mapping."""

ResponseType = Literal["basic", "cors", "opaque", "opaqueredirect"]
"""The ``type`` of a response, as a script sees it."""

Transport = Callable[[str, str, list[tuple[str, str]]], Response]
"""Sends one request, without following redirects. Its exceptions pass through ``fetch``."""

AsyncTransport = Callable[[str, str, list[tuple[str, str]]], Awaitable[Response]]
"""An asynchronous ``Transport``."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that was sent and its response; header names in lower case.

    Attributes:
        method: The method that was sent: ``"OPTIONS"`` for a preflight.
        url: The URL, without its fragment.
        request_headers: The headers that were sent.
        status: The response's status.
        response_headers: All headers of the response, whether or not a script may read them.
        is_preflight: Whether it is a preflight, which the browser sends by itself.
        request: The script's request that it belongs to, after the redirects before it.
        reason: Why the browser refuses the response, a key of ``REASONS``; None if it does not.
    """

    method: str
    url: str
    request_headers: HeaderList
    status: int
    response_headers: HeaderList
    is_preflight: bool
    request: Request
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class FetchResult:
    """The result of a fetch, as its script sees it.

    Attributes:
        reason: Why the script does not get the response, a key of ``REASONS``; None if it does.
        status: The response's status, 0 if it is opaque; None if the script does not get it.
        headers: The headers that the script may read: lower case, sorted, one pair per name.
        hidden: The names of the headers that it may not read, sorted.
        preflight_cached: Whether the cache made at least one preflight unnecessary.
        exchanges: Every exchange, in order; a refusal is always about the last.
        type: The response's type; None if the script does not get it. Of ``"opaque"`` and
            ``"opaqueredirect"`` it can read nothing.
    """

    reason: Reason | None
    status: int | None
    headers: HeaderList
    hidden: tuple[str, ...]
    preflight_cached: bool
    exchanges: tuple[Exchange, ...]
    type: ResponseType | None

    @property
    def readable(self) -> bool:
        """Whether the script gets the response; else its promise is rejected without a reason."""
        return self.reason is None

    @property
    def url(self) -> str:
        """The URL of the last request, without its fragment."""
        return self.exchanges[-1].url

    @property
    def preflight_sent(self) -> bool:
        """Whether at least one preflight was sent."""
        return any(exchange.is_preflight for exchange in self.exchanges)


def fetch(
    request: Request,
    transport: Transport,
    cache: PreflightCache | None = None,
    *,
    browser: Browser | None = None,
) -> FetchResult:
    """Do what a browser does when a page calls ``fetch``, redirects included.

    https://fetch.spec.whatwg.org/#concept-main-fetch and the algorithms that it calls.

    Args:
        request: The script's request.
        transport: Sends each request, without a body; the responses need none.
        cache: The browser's preflight cache, read and filled; None sends every preflight.
        browser: The browser whose known deviations apply; None is the standard.

    Raises:
        ValueError: There is no such browser.
    """
    steps = fetch_steps(request, [], cache, browser)
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
    """``fetch`` over an asynchronous transport."""
    steps = fetch_steps(request, [], cache, browser)
    step = next(steps)
    while not isinstance(step, FetchResult):
        step = steps.send(await transport(*step))
    return step


def fetch_steps(
    request: Request,
    exchanges: list[Exchange],
    cache: PreflightCache | None = None,
    browser: Browser | None = None,
) -> Generator[Sent | FetchResult, Response, None]:
    """Yield each request to send, take its response, and yield the result last.

    Args:
        request: The script's request.
        exchanges: Filled as responses come in, so that they survive a transport that raises.
        cache: The browser's preflight cache.
        browser: The browser whose known deviations apply.
    """
    # In the standard, main fetch and HTTP fetch call each other for every redirect.
    check_browser(browser)
    request = in_browser(request, browser)
    final: Exchange | None = None
    asked = cached = False
    late_reason: Reason | None = None
    while True:
        # https://fetch.spec.whatwg.org/#concept-http-fetch, step 4.1
        if needs_preflight(request):
            asked = True
            preflighted = as_preflighted(request)
            if cache is not None and cache.covers(preflighted):
                cached = True
            else:
                response = yield sent_message(preflighted, is_preflight=True)
                exchange = judge(preflighted, response, is_preflight=True)
                exchanges.append(exchange)
                if cache is not None and (exchange.reason is None or _stores_refusal(exchange)):
                    cache.store(preflighted, exchange.response_headers)
                if exchange.reason is not None:
                    break
            request = derived(request, preflighted=True)
        if late_reason is not None:
            exchanges[-1] = replace(exchanges[-1], reason=late_reason)
            break
        response = yield sent_message(request, is_preflight=False)
        exchange = judge(request, response, is_preflight=False)
        exchanges.append(exchange)
        if exchange.reason is not None:
            break
        following = redirected(request, exchange.status, exchange.response_headers)
        if following is None:
            final = exchange
            break
        late_reason = _late_redirect_check(request, following, exchange.response_headers)
        request = following
    reason = exchanges[-1].reason
    if reason is not None and cache is not None:
        survives = reason == "redirect-refused" and deviates(
            request.browser, "cache-survives-refused-redirects"
        )
        if not survives:
            cache.fail(as_preflighted(request), asked=asked)
    yield _result(reason, final, cached, tuple(exchanges))


def _stores_refusal(exchange: Exchange) -> bool:
    """Return whether a browser stores the answer to a preflight although it allows too little."""
    return deviates(exchange.request.browser, "cache-stores-refusals") and exchange.reason in (
        "method-not-allowed",
        "header-not-allowed",
    )


def _late_redirect_check(
    request: Request, following: Request, headers: HeaderList
) -> Reason | None:
    """Return why a browser refuses a redirect only after the preflight of the next request."""
    if has_forbidden_userinfo(request, following.target):
        return "redirect-with-credentials"
    first = request.first
    if first is None or first.is_cross_origin or first.credentials != "same-origin":
        return None
    if not deviates(request.browser, "redirects-with-credentials"):
        return None
    return cors_check(derived(request, credentials="include"), headers)


def _result(
    reason: Reason | None, final: Exchange | None, cached: bool, exchanges: tuple[Exchange, ...]
) -> FetchResult:
    if final is None:
        return FetchResult(reason, None, (), (), cached, exchanges, None)
    kind: ResponseType = final.request.tainting
    if final.status in REDIRECT_STATUSES and final.request.redirect_mode == "manual":
        kind = "opaqueredirect"
    names = {name for name, _ in final.response_headers}
    # https://fetch.spec.whatwg.org/#concept-filtered-response-opaque and -opaque-redirect
    if kind in ("opaque", "opaqueredirect"):
        return FetchResult(None, 0, (), tuple(sorted(names)), cached, exchanges, kind)
    readable = readable_headers(final.request, final.response_headers)
    hidden = tuple(sorted(names.difference(name for name, _ in readable)))
    return FetchResult(None, final.status, readable, hidden, cached, exchanges, kind)


def sent_message(request: Request, *, is_preflight: bool) -> Sent:
    """Return what a browser sends for a request, or for its preflight."""
    url = request.target.without_fragment
    if is_preflight:
        return PREFLIGHT_METHOD, url, list(preflight_headers(request))
    return request.method, url, list(request_headers(request))


def judge(
    request: Request, response: Response, *, is_preflight: bool, browser: Browser | None = None
) -> Exchange:
    """Return the exchange that a response completes, with the reason if it is refused."""
    # Built again, since the transport may have changed the list that it got.
    method, url, headers = sent_message(request, is_preflight=is_preflight)
    status, received = response[0], header_list(response[1])
    if is_preflight:
        reason = preflight_check(request, status, received, browser=browser)
    else:
        # https://fetch.spec.whatwg.org/#concept-http-fetch, steps 4 to 8: a redirect passes the
        # same checks as any other response.
        reason = (
            cors_check(request, received)
            or resource_policy_check(request, received)
            or redirect_check(request, status, received)
        )
    return Exchange(method, url, tuple(headers), status, received, is_preflight, request, reason)
