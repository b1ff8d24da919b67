"""What a browser lets a script have of a response: each check says why not, or None.

Whatever a server sends, it never makes one of these raise. ``headers`` are a response's: pairs of
str or bytes, or a mapping.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore._standard.fetch import (
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ALLOW_CREDENTIALS_TRUE,
    AUTHORIZATION,
    CORS_SAFELISTED_METHODS,
    CORS_SAFELISTED_RESPONSE_HEADERS,
    FORBIDDEN_RESPONSE_HEADERS,
    REDIRECT_STATUSES,
    WILDCARD,
)
from corscore.browser._headers import (
    HeaderList,
    HeadersInput,
    extract_list,
    get,
    header_list,
    sort_and_combine,
    values,
)
from corscore.browser._reasons import Browser, Reason, check_browser, waives

if TYPE_CHECKING:
    from collections.abc import Container

    from corscore.browser._request import Request


def cors_check(request: Request, headers: HeadersInput) -> Reason | None:
    """Why this response may not be shared with the page; None if it may.

    https://fetch.spec.whatwg.org/#concept-cors-check. A page may have everything of its own origin.
    """
    if not request.is_cross_origin:
        return None
    received = header_list(headers)
    allowed = get(received, ACCESS_CONTROL_ALLOW_ORIGIN)
    if allowed is None:
        return "no-allow-origin"
    if allowed == WILDCARD and not request.with_credentials:
        return None
    if allowed != request.origin:
        # Two lines or a comma in one are the same to the standard: a value that equals nothing.
        if "," in allowed:
            return "multiple-allow-origin"
        return "wildcard-with-credentials" if allowed == WILDCARD else "origin-mismatch"
    if not request.with_credentials:
        return None
    credentials = get(received, ACCESS_CONTROL_ALLOW_CREDENTIALS)
    return None if credentials == ALLOW_CREDENTIALS_TRUE else "credentials-not-allowed"


def preflight_check(
    request: Request, status: int, headers: HeadersInput, *, browser: Browser | None = None
) -> Reason | None:
    """Why a preflight answered in this way does not permit the request; None if it does.

    https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7. The standard does not say which
    failure comes first; here it is the one to mend first. Only of meaning to a request that
    ``needs_preflight``.

    Args:
        request: The request that the preflight was sent for.
        status: The status of the preflight's response.
        headers: Its headers.
        browser: Whose known deviations to take into account; None is the standard.

    Raises:
        ValueError: There is no such browser; never because of the response.
    """
    check_browser(browser)
    if status in REDIRECT_STATUSES:
        return "preflight-redirected"
    if not 200 <= status <= 299:
        return "preflight-not-ok"
    received = header_list(headers)
    reason = cors_check(request, received)
    if reason is not None:
        return reason
    methods = allowed_methods(request, received)
    if methods is None:
        return "invalid-allow-methods"
    if extract_list(received, ACCESS_CONTROL_ALLOW_HEADERS) is None:
        return "invalid-allow-headers"
    if request.method not in CORS_SAFELISTED_METHODS and not covers_method(
        request, methods, request.method
    ):
        return "method-not-allowed"
    if not refused_headers(request, received, browser=browser):
        return None
    # Steps 7.6 and 7.7: where "*" counts, it is Authorization alone that it does not cover.
    if _counts_as_wildcard(request, allowed_headers(received)):
        return "authorization-needs-explicit"
    return "header-not-allowed"


def allowed_methods(request: Request, headers: HeadersInput) -> tuple[str, ...] | None:
    """What Access-Control-Allow-Methods lists; None if it is no list of methods.

    https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7.4: where the header is missing, a
    preflight that was due to the use-CORS-preflight flag lists the method it asked for.
    """
    received = header_list(headers)
    if request.use_cors_preflight and not values(received, ACCESS_CONTROL_ALLOW_METHODS):
        return (request.method,)
    return extract_list(received, ACCESS_CONTROL_ALLOW_METHODS)


def allowed_headers(headers: HeadersInput) -> tuple[str, ...]:
    """What Access-Control-Allow-Headers lists, in lower case; empty if it is no list of names."""
    listed = extract_list(header_list(headers), ACCESS_CONTROL_ALLOW_HEADERS)
    return tuple(name.lower() for name in listed or ())


def refused_headers(
    request: Request, headers: HeadersInput, *, browser: Browser | None = None
) -> tuple[str, ...]:
    """The request's headers that a preflight's answer does not cover, in lower case, sorted.

    https://fetch.spec.whatwg.org/#cors-preflight-fetch, steps 7.6 and 7.7.

    Raises:
        ValueError: There is no such browser.
    """
    check_browser(browser)
    listed = allowed_headers(headers)
    return tuple(
        name for name in request.unsafe_names if not covers_header(request, listed, name, browser)
    )


def covers_method(request: Request, listed: Container[str], method: str) -> bool:
    """Whether a list of methods covers one: case counts, ``*`` only anonymously."""
    return method in listed or _counts_as_wildcard(request, listed)


def covers_header(
    request: Request, listed: Container[str], name: str, browser: Browser | None
) -> bool:
    """Whether a list of names, in lower case, covers one: ``*`` only anonymously.

    Authorization is never covered by it:
    https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name.
    """
    if name in listed:
        return True
    return _counts_as_wildcard(request, listed) and (
        name != AUTHORIZATION or waives(browser, "authorization-needs-explicit")
    )


def _counts_as_wildcard(request: Request, listed: Container[str]) -> bool:
    # https://fetch.spec.whatwg.org/#http-new-header-syntax, below the grammar
    return WILDCARD in listed and not request.with_credentials


def readable_headers(request: Request, headers: HeadersInput) -> HeaderList:
    """The headers of a shared response that a script may read: lower case, sorted, combined.

    https://fetch.spec.whatwg.org/#concept-filtered-response-cors for another origin's, and
    https://fetch.spec.whatwg.org/#concept-filtered-response-basic for the page's own.
    """
    received = header_list(headers)
    exposed = _Exposed(request, received)
    return sort_and_combine(tuple(pair for pair in received if pair[0] in exposed))


def header_check(request: Request, headers: HeadersInput, name: str) -> Reason | None:
    """Why a script may not read a shared response's header of this name; None if it may.

    https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name. Says nothing of whether the
    response has such a header.
    """
    exposed = _Exposed(request, header_list(headers))
    return None if name.lower() in exposed else "header-not-exposed"


class _Exposed:
    """The set of names that a script may read: https://fetch.spec.whatwg.org/#concept-main-fetch,
    step 14.1. A list that is no list exposes nothing beyond the safelist.
    """

    def __init__(self, request: Request, received: HeaderList) -> None:
        listed = extract_list(received, ACCESS_CONTROL_EXPOSE_HEADERS) or ()
        self._names = CORS_SAFELISTED_RESPONSE_HEADERS.union(name.lower() for name in listed)
        self._all = not request.is_cross_origin or _counts_as_wildcard(request, listed)

    def __contains__(self, name: str) -> bool:
        return name not in FORBIDDEN_RESPONSE_HEADERS and (self._all or name in self._names)
