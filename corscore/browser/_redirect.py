"""Redirects in redirect mode "follow".

https://fetch.spec.whatwg.org/#concept-http-redirect-fetch
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corscore._standard.fetch import (
    AUTHORIZATION,
    LOCATION,
    OPAQUE_ORIGIN,
    REDIRECT_STATUSES,
    REQUEST_BODY_HEADERS,
)
from corscore.browser._headers import HeadersInput, header_list, values
from corscore.browser._request import Request, derived
from corscore.browser._url import Url, parse_url

if TYPE_CHECKING:
    from corscore.browser._reasons import Reason

MAX_REDIRECTS = 20


def redirect_check(request: Request, status: int, headers: HeadersInput) -> Reason | None:
    """Return why a browser does not follow a redirect; None if it does or there is none.

    https://fetch.spec.whatwg.org/#concept-http-redirect-fetch, steps 3 to 10.
    """
    locations = _locations(status, headers)
    if not locations:
        return None
    target = _only(request, locations)
    if target is None:
        return "redirect-invalid"
    if request.redirects == MAX_REDIRECTS:
        return "too-many-redirects"
    if target.userinfo and (request.is_cross_origin or target.origin != request.origin):
        return "redirect-with-credentials"
    return None


def redirected(request: Request, status: int, headers: HeadersInput) -> Request | None:
    """Return the browser's next request, or None if this response is final or not followed.

    https://fetch.spec.whatwg.org/#concept-http-redirect-fetch, steps 12, 13 and 18.
    """
    target = _only(request, _locations(status, headers))
    if target is None or redirect_check(request, status, headers) is not None:
        return None
    method, kept = request.method, request.headers
    if (status in (301, 302) and method == "POST") or (
        status == 303 and method not in ("GET", "HEAD")
    ):
        method = "GET"
        kept = tuple(pair for pair in kept if pair[0] not in REQUEST_BODY_HEADERS)
    origin = request.origin
    if target.origin != request.target.origin:
        kept = tuple(pair for pair in kept if pair[0] != AUTHORIZATION)
        # https://fetch.spec.whatwg.org/#concept-request-tainted-origin: a redirect from one foreign
        # origin to another hides the page's origin.
        if request.is_cross_origin:
            origin = OPAQUE_ORIGIN
    return derived(
        request,
        method=method,
        url=str(target),
        origin=origin,
        headers=kept,
        redirects=request.redirects + 1,
        target=target,
    )


def _locations(status: int, headers: HeadersInput) -> list[str]:
    # https://fetch.spec.whatwg.org/#concept-response-location-url
    return values(header_list(headers), LOCATION) if status in REDIRECT_STATUSES else []


def _only(request: Request, locations: list[str]) -> Url | None:
    # The same section: more than one Location is an error. Browsers read the bytes as UTF-8.
    if len(locations) != 1:
        return None
    target = parse_url(_utf8_if_possible(locations[0]), request.target)
    if target is None or target.fragment:
        return target
    return replace(target, fragment=request.target.fragment)


def _utf8_if_possible(value: str) -> str:
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
