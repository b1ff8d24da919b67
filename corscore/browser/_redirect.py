"""Redirects as a browser checks and follows them.

https://fetch.spec.whatwg.org/#concept-http-redirect-fetch
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corscore._standard.fetch import (
    AUTHORIZATION,
    LOCATION,
    OPAQUE_ORIGIN,
    ORIGIN,
    REDIRECT_STATUSES,
    REQUEST_BODY_HEADERS,
)
from corscore.browser._deviations import deviates
from corscore.browser._headers import CLIENT_HINTS, HeadersInput, as_received, header_list, values
from corscore.browser._request import Request, derived, has_storage_access, request_headers
from corscore.browser._url import Url, parse_url

if TYPE_CHECKING:
    from corscore.browser._reasons import Reason

MAX_REDIRECTS = 20

_DROPPED_HINTS = frozenset(CLIENT_HINTS) - {"save-data"}


def redirect_check(request: Request, status: int, headers: HeadersInput) -> Reason | None:
    """Return why a fetch fails at a redirect; None if it does not or there is none.

    https://fetch.spec.whatwg.org/#concept-http-fetch, step 8.5, and
    https://fetch.spec.whatwg.org/#concept-http-redirect-fetch, steps 3 to 10.
    """
    if status in REDIRECT_STATUSES and request.redirect_mode != "follow":
        return _check_unfollowed(request, headers)
    locations = _locations(request, status, headers)
    if not locations:
        return None
    target = _target(request, locations)
    if target is None:
        return "redirect-invalid"
    if request.redirects == MAX_REDIRECTS:
        return "too-many-redirects"
    is_late = not request.is_cross_origin and deviates(
        request.browser, "passwords-are-refused-late"
    )
    if has_forbidden_userinfo(request, target) and not is_late:
        return "redirect-with-credentials"
    if request.mode == "same-origin" and target.origin != request.origin:
        return "redirect-leaves-origin"
    return None


def _check_unfollowed(request: Request, headers: HeadersInput) -> Reason | None:
    given = list(dict.fromkeys(values(header_list(headers), LOCATION)))
    if request.redirect_mode == "error":
        is_final = not any(given) and deviates(request.browser, "error-needs-location")
        return None if is_final else "redirect-refused"
    if len(given) > 1:
        return (
            "redirect-invalid" if deviates(request.browser, "manual-needs-one-location") else None
        )
    scheme = given[0].partition(":")[0].lower() if given else ""
    is_refused = (scheme == "ftp" and deviates(request.browser, "manual-refuses-ftp")) or (
        scheme in ("http", "https")
        and parse_url(given[0]) is None
        and deviates(request.browser, "manual-needs-a-url")
    )
    return "redirect-invalid" if is_refused else None


def has_forbidden_userinfo(request: Request, target: Url) -> bool:
    """Return whether a redirect may not lead to a URL with this user name or password."""
    return bool(target.userinfo) and (
        request.tainting == "cors"
        or (request.mode == "cors" and target.origin != request.origin)
        or (not request.is_xhr and deviates(request.browser, "no-passwords-in-redirects"))
    )


def redirected(request: Request, status: int, headers: HeadersInput) -> Request | None:
    """Return the browser's next request, or None if this response is final or not followed.

    https://fetch.spec.whatwg.org/#concept-http-redirect-fetch, steps 12, 13 and 18.
    """
    if request.redirect_mode != "follow":
        return None
    target = _target(request, _locations(request, status, headers))
    if target is None or redirect_check(request, status, headers) is not None:
        return None
    method, dropped = request.method, set[str]()
    if (status in (301, 302) and method == "POST") or (
        status == 303 and method not in ("GET", "HEAD")
    ):
        method = "GET"
        dropped |= REQUEST_BODY_HEADERS
    page = (request.first or request).origin
    if target.origin != page and deviates(request.browser, "client-hints-are-dropped"):
        dropped |= _DROPPED_HINTS
    changes_origin = target.origin != request.target.origin
    if method == "DELETE" and changes_origin and deviates(request.browser, "delete-becomes-get"):
        method = "GET"
    origin = request.origin
    if changes_origin:
        dropped.add(AUTHORIZATION)
        # https://fetch.spec.whatwg.org/#concept-request-tainted-origin: a redirect from one foreign
        # origin to another hides the page's origin.
        if request.is_cross_origin or (
            request.mode == "no-cors" and deviates(request.browser, "no-cors-redirects-taint")
        ):
            origin = OPAQUE_ORIGIN
    return derived(
        request,
        method=method,
        url=str(target),
        origin=origin,
        headers=tuple(pair for pair in request.headers if pair[0] not in dropped),
        redirects=request.redirects + 1,
        first=request.first or request,
        redirected_from=request.url,
        dropped=frozenset(dropped),
        sends_origin=_keeps_origin(request, method, changes_origin=changes_origin),
        target=target,
    )


def _keeps_origin(request: Request, method: str, *, changes_origin: bool) -> bool:
    """Return whether a redirect keeps an Origin that the next request would not have by itself."""
    if not any(name == ORIGIN for name, _ in request_headers(request)):
        return False
    if has_storage_access(request.first or request) and deviates(
        request.browser, "storage-access-origin-stays"
    ):
        return method == request.method
    return not changes_origin and (
        deviates(request.browser, "origin-stays") or has_storage_access(request.first or request)
    )


def _locations(request: Request, status: int, headers: HeadersInput) -> list[str]:
    # https://fetch.spec.whatwg.org/#concept-response-location-url
    if status not in REDIRECT_STATUSES:
        return []
    received = as_received(header_list(headers), request.browser)
    given = values(received, LOCATION)
    if deviates(request.browser, "equal-locations-are-one"):
        given = list(dict.fromkeys(given))
    if given and deviates(request.browser, "locations-are-joined"):
        given = [", ".join(given)]
    if given == [""] and deviates(request.browser, "empty-location-is-none"):
        return []
    return given


def _target(request: Request, locations: list[str]) -> Url | None:
    # https://fetch.spec.whatwg.org/#concept-response-location-url refuses more than one Location.
    if len(locations) != 1:
        return None
    if not locations[0] and deviates(request.browser, "empty-location-is-invalid"):
        return None
    target = parse_url(_utf8_if_possible(locations[0]), request.target)
    if target is None or target.fragment:
        return target
    return replace(target, fragment=request.target.fragment)


def _utf8_if_possible(value: str) -> str:
    # Browsers read the bytes of a Location as UTF-8.
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
