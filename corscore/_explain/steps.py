"""The steps of a fetch, in a browser's order, each with its section of the Fetch standard.

The reasons come from ``corscore.browser``, with each exchange; this module puts them into words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore._explain.types import Step
from corscore._standard.fetch import (
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD,
    CORS_SAFELISTED_METHODS,
    LOCATION,
    OPAQUE_ORIGIN,
    ORIGIN,
)
from corscore._standard.text import shown
from corscore.browser._checks import (
    allowed_headers,
    allowed_methods,
    header_check,
    refused_headers,
)
from corscore.browser._headers import get
from corscore.browser._reasons import REASONS
from corscore.browser._redirect import redirected
from corscore.browser._request import needs_preflight

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from corscore.browser import Exchange
    from corscore.browser._headers import HeaderList
    from corscore.browser._reasons import Reason
    from corscore.browser._request import Request

_FETCH = "https://fetch.spec.whatwg.org/#"
_MAIN_FETCH = f"{_FETCH}concept-main-fetch"
_PREFLIGHT_FETCH = f"{_FETCH}cors-preflight-fetch"
_CORS_CHECK = f"{_FETCH}concept-cors-check"
_RESOURCE_POLICY = f"{_FETCH}cross-origin-resource-policy-header"
_REDIRECT = f"{_FETCH}concept-http-redirect-fetch"
_ORIGIN_HEADER = f"{_FETCH}append-a-request-origin-header"
_EXPOSED = f"{_FETCH}cors-safelisted-response-header-name"

_CORS_CHECK_REASONS = (
    "no-allow-origin",
    "multiple-allow-origin",
    "wildcard-with-credentials",
    "origin-mismatch",
    "credentials-not-allowed",
)


def steps_of(
    exchanges: Iterable[Exchange], reads: Iterable[str] = ()
) -> Iterator[tuple[Exchange, Step]]:
    """Yield the browser's steps up to the first refusal, each with the exchange that it is about.

    Args:
        exchanges: All exchanges of one fetch.
        reads: Names of response headers that the script wants to read.
    """
    after_preflight = False
    for exchange in exchanges:
        if not after_preflight:
            yield exchange, _preflight_needed(exchange)
        after_preflight = exchange.is_preflight
        found = _preflight_steps(exchange) if after_preflight else _actual_steps(exchange, reads)
        for step in found:
            yield exchange, step


def _preflight_needed(exchange: Exchange) -> Step:
    request = exchange.request
    name, section = "preflight-needed", f"{_MAIN_FETCH}, step 12"
    if not request.is_cross_origin:
        return Step(name, True, "the page and the URL are of one origin: nothing to ask", section)
    if not needs_preflight(request):
        text = "GET, HEAD and POST with safelisted headers go out without asking first"
        return Step(name, True, text, section)
    why = []
    if request.method not in CORS_SAFELISTED_METHODS:
        why.append(f"the method {shown(request.method)} is not GET, HEAD or POST")
    if request.unsafe_names:
        names = shown(", ".join(request.unsafe_names))
        why.append(f"these headers, with these values, are not safelisted: {names}")
    if not why:
        why.append("the script streams its body, or listens to the progress of an upload")
    asks = "the browser asks first" if exchange.is_preflight else "an earlier answer still counts"
    return Step(name, True, f"{asks}, since {' and '.join(why)}", section)


def _preflight_sent(exchange: Exchange) -> Step:
    asked = dict(exchange.request_headers)
    names = asked.get(ACCESS_CONTROL_REQUEST_HEADERS)
    method = shown(asked.get(ACCESS_CONTROL_REQUEST_METHOD, ""))
    text = f"sends OPTIONS from {shown(asked[ORIGIN])}, asks for the method {method}"
    if names:
        text += f" and for the headers {shown(names)}"
    return Step("preflight-sent", True, text, f"{_PREFLIGHT_FETCH}, steps 1 to 5")


def _preflight_steps(exchange: Exchange) -> Iterator[Step]:
    yield _preflight_sent(exchange)
    request, headers, reason = exchange.request, exchange.response_headers, exchange.reason
    is_status = reason in ("preflight-redirected", "preflight-not-ok")
    yield Step(
        "preflight-status",
        not is_status,
        f"the preflight's status is {exchange.status}, which is {_status_text(reason)}",
        f"{_PREFLIGHT_FETCH}, step 7",
        reason if is_status else None,
    )
    if is_status:
        return
    yield from _cors_steps(request, headers, reason)
    if reason in _CORS_CHECK_REASONS:
        return
    if reason in ("invalid-allow-methods", "invalid-allow-headers"):
        yield Step("preflight-lists", False, REASONS[reason], f"{_PREFLIGHT_FETCH}, 7.3", reason)
        return
    refused = reason == "method-not-allowed"
    listed = ", ".join(allowed_methods(request, headers) or ())
    lists = f"the methods that it lists are {shown(listed)}" if listed else "it lists no methods"
    covers = "not covered" if refused else "allowed"
    yield Step(
        "preflight-method",
        not refused,
        f"{shown(request.method)} is {covers}: {lists}; GET, HEAD and POST always are",
        f"{_PREFLIGHT_FETCH}, step 7.5",
        reason if refused else None,
    )
    if refused or not request.unsafe_names:
        return
    missing = refused_headers(request, headers) if reason else ()
    listed = ", ".join(allowed_headers(headers))
    lists = f"the headers that it lists are {shown(listed)}" if listed else "it lists no headers"
    names = shown(", ".join(missing or request.unsafe_names))
    yield Step(
        "preflight-headers",
        reason is None,
        f"{names} {'not covered' if reason else 'allowed'}: {lists}",
        f"{_PREFLIGHT_FETCH}, steps 7.6 and 7.7",
        reason,
    )


def _status_text(reason: Reason | None) -> str:
    if reason == "preflight-redirected":
        return "a redirect, and none is followed"
    return "not between 200 and 299" if reason == "preflight-not-ok" else "ok"


def _actual_steps(exchange: Exchange, reads: Iterable[str]) -> Iterator[Step]:
    yield _request_sent(exchange)
    request, headers, reason = exchange.request, exchange.response_headers, exchange.reason
    if request.tainting == "cors":
        yield from _cors_steps(request, headers, reason)
    if reason in _CORS_CHECK_REASONS:
        return
    if reason == "resource-policy-refused":
        yield Step("resource-policy", False, REASONS[reason], _RESOURCE_POLICY, reason)
        return
    following = redirected(request, exchange.status, headers)
    if following is not None or reason is not None:
        yield _redirect(headers, following, reason)
    else:
        yield from _response_steps(request, headers, reads)


def _request_sent(exchange: Exchange) -> Step:
    headers = dict(exchange.request_headers)
    origin = f"with Origin: {shown(headers[ORIGIN])}" if ORIGIN in headers else "without an Origin"
    return Step("request-sent", True, f"sends {shown(exchange.method)} {origin}", _ORIGIN_HEADER)


def _cors_steps(request: Request, headers: HeaderList, reason: str | None) -> Iterator[Step]:
    failed = reason if reason in _CORS_CHECK_REASONS else None
    allowed = get(headers, ACCESS_CONTROL_ALLOW_ORIGIN)
    by_origin = failed is not None and failed != "credentials-not-allowed"
    if allowed is None:
        text = "the response has no Access-Control-Allow-Origin"
    else:
        fits = "does not fit" if by_origin else "fits"
        text = f"Access-Control-Allow-Origin is {shown(allowed)}, which {fits}"
        if failed == "wildcard-with-credentials":
            text += " a request with credentials"
    yield Step(
        "allow-origin",
        not by_origin,
        text,
        f"{_CORS_CHECK}, steps 1 to 4",
        failed if by_origin else None,
    )
    if by_origin or not request.with_credentials:
        return
    value = get(headers, ACCESS_CONTROL_ALLOW_CREDENTIALS)
    text = "missing" if value is None else shown(value)
    yield Step(
        "allow-credentials",
        failed is None,
        f'Access-Control-Allow-Credentials is {text}; with credentials it has to be "true"',
        f"{_CORS_CHECK}, steps 5 to 8",
        failed,
    )


def _redirect(headers: HeaderList, following: Request | None, reason: str | None) -> Step:
    if following is None:
        text = f"the redirect to {shown(get(headers, LOCATION) or 'nowhere')} is not followed"
    else:
        text = f"follows the redirect to {shown(following.url)}"
        if following.origin == OPAQUE_ORIGIN:
            text += ', which gets the Origin "null", since it crosses origins twice'
    return Step("redirect", reason is None, text, _REDIRECT, reason)


def _response_steps(request: Request, headers: HeaderList, reads: Iterable[str]) -> Iterator[Step]:
    opaque = ", and can read nothing of it" if request.tainting == "opaque" else ""
    yield Step("response-readable", True, f"the script gets the response{opaque}", _MAIN_FETCH)
    for name in reads:
        reason = header_check(request, headers, name)
        can = "may not" if reason else "may"
        text = f"the script {can} read the response header {shown(name)}"
        yield Step("response-header", reason is None, text, _EXPOSED, reason)
        if reason is not None:
            return
