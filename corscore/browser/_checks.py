"""A browser's checks of a response: each returns the reason for a refusal, or None.

No response makes a check raise. ``headers`` are a response's: pairs of str or bytes, or a mapping.
"""

from __future__ import annotations

from itertools import takewhile
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
    CROSS_ORIGIN_RESOURCE_POLICY,
    FORBIDDEN_RESPONSE_HEADERS,
    OPAQUE_ORIGIN,
    REDIRECT_STATUSES,
    WILDCARD,
)
from corscore._standard.grammar import is_token
from corscore.browser._deviations import Browser, check_browser, deviates
from corscore.browser._headers import (
    HeaderList,
    HeadersInput,
    as_received,
    extract_list,
    get,
    header_list,
    items,
    sort_and_combine,
    values,
)
from corscore.browser._request import in_browser, is_same_site

if TYPE_CHECKING:
    from collections.abc import Container

    from corscore.browser._reasons import Reason
    from corscore.browser._request import Request


def cors_check(request: Request, headers: HeadersInput) -> Reason | None:
    """Return why this response may not be shared with the page; None if it may.

    https://fetch.spec.whatwg.org/#concept-cors-check. None for the page's own origin, and in mode
    "no-cors", where a script gets every response and can read nothing of it.
    """
    if request.tainting != "cors":
        return None
    received = as_received(header_list(headers), request.browser)
    allowed = get(received, ACCESS_CONTROL_ALLOW_ORIGIN)
    if allowed is None:
        return "no-allow-origin"
    if allowed == WILDCARD and not request.with_credentials:
        return None
    if allowed != request.origin:
        # To the standard two lines are one value with a comma, which equals no origin.
        if "," in allowed:
            return "multiple-allow-origin"
        return "wildcard-with-credentials" if allowed == WILDCARD else "origin-mismatch"
    if not request.with_credentials:
        return None
    credentials = get(received, ACCESS_CONTROL_ALLOW_CREDENTIALS)
    return None if credentials == ALLOW_CREDENTIALS_TRUE else "credentials-not-allowed"


def resource_policy_check(request: Request, headers: HeadersInput) -> Reason | None:
    """Return why a script in mode "no-cors" does not even get an opaque response, or None.

    https://fetch.spec.whatwg.org/#cross-origin-resource-policy-internal-check, for pages without a
    Cross-Origin-Embedder-Policy.
    """
    if request.tainting != "opaque":
        return None
    policy = get(header_list(headers), CROSS_ORIGIN_RESOURCE_POLICY)
    # A redirect hides the page's origin from servers, not from this check.
    page = (request.first or request).origin
    if policy not in ("same-origin", "same-site") or page == request.target.origin:
        return None
    if page == OPAQUE_ORIGIN and deviates(request.browser, "resource-policy-of-frame"):
        page = request.partition
    is_allowed = policy == "same-site" and is_same_site(page, request.target)
    return None if is_allowed else "resource-policy-refused"


def preflight_check(
    request: Request, status: int, headers: HeadersInput, *, browser: Browser | None = None
) -> Reason | None:
    """Return why this response to a preflight does not permit the request; None if it does.

    https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7. The standard does not order the
    failures; of several this returns the one to repair first. Call it only for a request that
    ``needs_preflight``.

    Args:
        request: The request that the preflight was sent for.
        status: The status of the preflight's response.
        headers: The headers of the preflight's response.
        browser: The browser whose known deviations apply; None is the request's own.

    Raises:
        ValueError: There is no such browser; never because of the response.
    """
    check_browser(browser)
    request = in_browser(request, browser)
    if status in REDIRECT_STATUSES:
        return "preflight-redirected"
    if not 200 <= status <= 299:
        return "preflight-not-ok"
    received = as_received(header_list(headers), request.browser)
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
    if not refused_headers(request, received):
        return None
    # Steps 7.6 and 7.7: a "*" that counts covers every header but Authorization.
    if _counts_as_wildcard(request, allowed_headers(received)):
        return "authorization-needs-explicit"
    return "header-not-allowed"


def allowed_methods(request: Request, headers: HeadersInput) -> tuple[str, ...] | None:
    """Return the list in Access-Control-Allow-Methods; None if it is no list of methods.

    https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7.4: without the header, and with the
    use-CORS-preflight flag set, the list is the request's method.
    """
    received = as_received(header_list(headers), request.browser)
    if (
        request.use_cors_preflight
        and not values(received, ACCESS_CONTROL_ALLOW_METHODS)
        and not deviates(request.browser, "method-must-be-listed")
    ):
        return (request.method,)
    return extract_list(received, ACCESS_CONTROL_ALLOW_METHODS)


def allowed_headers(headers: HeadersInput) -> tuple[str, ...]:
    """Return the list in Access-Control-Allow-Headers, in lower case; empty if it is no list."""
    listed = extract_list(header_list(headers), ACCESS_CONTROL_ALLOW_HEADERS)
    return tuple(name.lower() for name in listed or ())


def refused_headers(
    request: Request, headers: HeadersInput, *, browser: Browser | None = None
) -> tuple[str, ...]:
    """Return the request's headers that a preflight's response does not cover: lower case, sorted.

    https://fetch.spec.whatwg.org/#cors-preflight-fetch, steps 7.6 and 7.7.

    Raises:
        ValueError: There is no such browser.
    """
    check_browser(browser)
    request = in_browser(request, browser)
    listed = allowed_headers(headers)
    return tuple(name for name in request.unsafe_names if not covers_header(request, listed, name))


def covers_method(request: Request, listed: Container[str], method: str) -> bool:
    """Return whether a list covers a method, by case; ``*`` counts only without credentials."""
    return method in listed or _counts_as_wildcard(request, listed)


def covers_header(request: Request, listed: Container[str], name: str) -> bool:
    """Return whether a list covers a name in lower case; ``*`` counts only without credentials.

    ``*`` never covers Authorization:
    https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name.
    """
    if name in listed:
        return True
    return _counts_as_wildcard(request, listed) and (
        name != AUTHORIZATION or deviates(request.browser, "wildcard-covers-authorization")
    )


def _counts_as_wildcard(request: Request, listed: Container[str]) -> bool:
    # https://fetch.spec.whatwg.org/#http-new-header-syntax, below the grammar
    return WILDCARD in listed and not request.with_credentials


def readable_headers(request: Request, headers: HeadersInput) -> HeaderList:
    """Return the headers of a response that a script may read: lower case, sorted, combined.

    https://fetch.spec.whatwg.org/#concept-filtered-response-cors for another origin's, and
    https://fetch.spec.whatwg.org/#concept-filtered-response-basic for the page's own.
    """
    received = as_received(header_list(headers), request.browser)
    exposed = _Exposed(request, received)
    return sort_and_combine(tuple(pair for pair in received if pair[0] in exposed))


def header_check(request: Request, headers: HeadersInput, name: str) -> Reason | None:
    """Return why a script may not read the response header of this name; None if it may.

    https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name. The response need not have
    such a header.
    """
    exposed = _Exposed(request, as_received(header_list(headers), request.browser))
    return None if name.lower() in exposed else "header-not-exposed"


class _Exposed:
    """The set of header names that a script may read.

    https://fetch.spec.whatwg.org/#concept-main-fetch, step 14.1. A malformed list exposes nothing
    beyond the safelist.
    """

    def __init__(self, request: Request, received: HeaderList) -> None:
        listed = extract_list(received, ACCESS_CONTROL_EXPOSE_HEADERS) or ()
        if not request.is_xhr and deviates(request.browser, "expose-star-before-errors"):
            elements = items(received, ACCESS_CONTROL_EXPOSE_HEADERS)
            before_error = tuple(takewhile(is_token, elements))
            if _counts_as_wildcard(request, before_error):
                listed = (WILDCARD,)
        self._names = CORS_SAFELISTED_RESPONSE_HEADERS.union(name.lower() for name in listed)
        self._all = request.tainting == "basic" or _counts_as_wildcard(request, listed)
        if request.tainting == "opaque":
            self._names, self._all = frozenset(), False

    def __contains__(self, name: str) -> bool:
        return name not in FORBIDDEN_RESPONSE_HEADERS and (self._all or name in self._names)
