"""The CORS-preflight cache: https://fetch.spec.whatwg.org/#cors-preflight-cache."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from corscore._standard.fetch import (
    ACCESS_CONTROL_MAX_AGE,
    CORS_SAFELISTED_METHODS,
    OPAQUE_ORIGIN,
    WILDCARD,
)
from corscore.browser._checks import (
    allowed_headers,
    allowed_methods,
    covers_header,
    covers_method,
)
from corscore.browser._deviations import MAX_AGE_LIMITS, Browser, deviates
from corscore.browser._headers import HeadersInput, header_list, values
from corscore.browser._request import derived, in_browser

if TYPE_CHECKING:
    from collections.abc import Callable

    from corscore.browser._request import Request

DEFAULT_MAX_AGE = 5
"""How long a preflight counts without a valid Access-Control-Max-Age, in seconds."""

_NEGATIVE = re.compile(r"-[0-9]+")
_TOO_MANY_DIGITS = 20
# A negative age stores nothing and keeps older permissions; 0 replaces them.
_STORES_NOTHING = -1

_Key = tuple[str, str, str]  # network partition key, byte-serialised origin, URL
_Kind = Literal["method", "header", "entry"]
_Permission = tuple[bool, _Kind, str]  # with credentials, then one method or one header name


class PreflightCache:
    """The methods and headers that earlier preflights allowed, until they expire.

    Permissions for one origin and URL add up: one preflight may have allowed the method, another
    the header. A cache belongs to one browser and is not safe to share between threads.

    One deviation from the standard: a ``*`` stored by a preflight with credentials stays the
    literal name ``*`` for later requests with credentials. The standard's "cache entry match"
    would let it cover every method; no browser does that.
    """

    def __init__(
        self,
        *,
        limit: float = max(MAX_AGE_LIMITS.values()),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create an empty cache.

        Args:
            limit: The longest a permission lives, in seconds, whatever the server says; each
                browser's limit is in ``MAX_AGE_LIMITS``.
            clock: Returns the time in seconds; called only when a request is looked up or stored.
        """
        self._limit = limit
        self._clock = clock
        self._key_owners: list[Request | None] = []
        self._expiries: dict[_Key, dict[_Permission, float]] = {}

    def covers(self, request: Request, *, browser: Browser | None = None) -> bool:
        """Return whether earlier preflights allow this request, so that it needs none.

        https://fetch.spec.whatwg.org/#concept-http-fetch, step 4.1.
        """
        request = in_browser(request, browser)
        if request.bypasses_cache:
            return False
        covered = self._covers(request)
        if not covered and deviates(request.browser, "cache-replaces"):
            self.clear(request)
        return covered

    def _covers(self, request: Request) -> bool:
        # Browsers look for an entry with the URL, the standard for one with method and headers.
        if request.browser is not None and not any(
            credentials in _matching_credentials(request)
            for credentials, _, _ in self._live(request)
        ):
            return False
        methods = self._allowed(request, "method")
        if not covers_method(request, methods, request.method) and (
            (request.use_cors_preflight and not deviates(request.browser, "cache-covers-uploads"))
            or request.method not in CORS_SAFELISTED_METHODS
            or (request.method == "HEAD" and deviates(request.browser, "cache-checks-head"))
        ):
            return False
        names = self._allowed(request, "header")
        # In most browsers a "*" covers Authorization in an answer, but not in the cache.
        by_answer = deviates(request.browser, "cache-wildcard-covers-authorization")
        checked = request if by_answer else derived(request, browser=None)
        return all(covers_header(checked, names, name) for name in request.unsafe_names)

    def store(self, request: Request, headers: HeadersInput) -> None:
        """Store what the response to this request's preflight allows.

        https://fetch.spec.whatwg.org/#cors-preflight-fetch, steps 7.8 to 7.15. Call it only for a
        response that passes ``preflight_check``.
        """
        if request.origin == OPAQUE_ORIGIN and deviates(request.browser, "cache-not-of-null"):
            return
        if _ends_with_fetch(request):
            # The key has this object's id, which no other object may get.
            self._key_owners.append(request.first)
        age = max_age(headers, request.browser)
        if age < 0 or (age == 0 and deviates(request.browser, "malformed-age-stores-nothing")):
            return
        expiry = self._clock() + min(age, self._limit)
        permissions = self._live(request)
        if deviates(request.browser, "cache-replaces"):
            permissions = {}
        if request.browser is not None:
            # An answer that lists nothing still covers a request that a redirect made safelisted.
            permissions[(request.with_credentials, "entry", request.url)] = expiry
        without_wildcards = deviates(request.browser, "cache-without-wildcards")
        for method in allowed_methods(request, headers) or ():
            if method == WILDCARD and without_wildcards:
                continue
            by_wildcard = covers_method(request, (WILDCARD,), method)
            _renew_or_add(permissions, request, "method", method, by_wildcard, expiry)
        for name in allowed_headers(headers):
            if name == WILDCARD and without_wildcards:
                continue
            by_wildcard = covers_header(derived(request, browser=None), (WILDCARD,), name)
            _renew_or_add(permissions, request, "header", name, by_wildcard, expiry)
        self._expiries[_key(request)] = permissions

    def fail(self, request: Request, *, asked: bool) -> None:
        """Remove the permissions that a browser removes when a request fails.

        https://fetch.spec.whatwg.org/#concept-main-fetch, step 12: the next one is preflighted.

        Args:
            request: The request that failed.
            asked: Whether it needed a preflight, or a request that was redirected to it did.
        """
        if deviates(request.browser, "cache-survives-failures"):
            return
        is_cors = request.mode == "cors"
        if asked or (is_cors and deviates(request.browser, "cache-cleared-by-any-failure")):
            self.clear(request)

    def clear(self, request: Request | None = None) -> None:
        """Remove the permissions for this request's origin and URL, or all of them.

        https://fetch.spec.whatwg.org/#concept-cache-clear
        """
        if request is None:
            self._expiries.clear()
            self._key_owners.clear()
        else:
            self._expiries.pop(_key(request), None)

    def _live(self, request: Request) -> dict[_Permission, float]:
        now = self._clock()
        known = self._expiries.get(_key(request), {})
        return {permission: expiry for permission, expiry in known.items() if now < expiry}

    def _allowed(self, request: Request, kind: _Kind) -> set[str]:
        return {
            name
            for credentials, of_kind, name in self._live(request)
            if of_kind == kind
            and credentials in _matching_credentials(request)
            and (name != WILDCARD or _counts_as_wildcard(request, credentials))
        }


def _key(request: Request) -> _Key:
    origin = f"of {id(request.first)}" if _ends_with_fetch(request) else request.origin
    # Only WebKit sends a preflight to a URL with a password, and its cache key leaves that out.
    target = request.target
    url = str(replace(target, userinfo="")) if target.userinfo else request.url
    return (request.partition, origin, url)


def _ends_with_fetch(request: Request) -> bool:
    return (
        request.first is not None
        and request.origin == OPAQUE_ORIGIN != request.first.origin
        and deviates(request.browser, "cache-ends-with-fetch")
    )


def _matching_credentials(request: Request) -> tuple[bool, ...]:
    # https://fetch.spec.whatwg.org/#concept-cache-match: a permission with credentials also counts
    # for requests without them.
    if request.with_credentials:
        return (True,)
    return (False,) if deviates(request.browser, "cache-by-credentials") else (True, False)


def _counts_as_wildcard(request: Request, stored_with_credentials: bool) -> bool:
    by_credentials = deviates(request.browser, "cache-wildcards-by-credentials")
    return not (stored_with_credentials and by_credentials)


def _renew_or_add(
    known: dict[_Permission, float],
    request: Request,
    kind: _Kind,
    name: str,
    by_wildcard: bool,
    expiry: float,
) -> None:
    # https://fetch.spec.whatwg.org/#cors-preflight-fetch, steps 7.12 to 7.15: every match gets the
    # new expiry, "*" included where it covers this name; without a match a permission is added.
    added: _Permission = (request.with_credentials, kind, name)
    covering = (name, WILDCARD) if by_wildcard else (name,)
    candidates: list[_Permission] = [
        (credentials, kind, item)
        for credentials in _matching_credentials(request)
        for item in covering
    ]
    for permission in [found for found in candidates if found in known] or [added]:
        known[permission] = expiry


def max_age(headers: HeadersInput, browser: Browser | None = None) -> float:
    """Return how long a preflight's response counts, in seconds, by its Access-Control-Max-Age.

    https://fetch.spec.whatwg.org/#cors-preflight-fetch, steps 7.8 and 7.9: one value of
    delta-seconds (RFC 9111, section 1.2.2); 5 if the header is missing, repeated or anything else.
    Negative where a browser stores nothing and keeps what it has.
    """
    given = values(header_list(headers), ACCESS_CONTROL_MAX_AGE)
    text = ", ".join(given)
    if deviates(browser, "signed-age-counts"):
        text = text.removeprefix("+")
    is_number = text.isascii() and text.isdigit()
    if deviates(browser, "malformed-age-stores-nothing") and text and not is_number:
        return _STORES_NOTHING
    if deviates(browser, "negative-age-is-zero") and _NEGATIVE.fullmatch(text):
        return 0
    is_long = len(text) >= _TOO_MANY_DIGITS
    if not is_number or (is_long and deviates(browser, "long-age-is-invalid")):
        return DEFAULT_MAX_AGE
    # int() refuses thousands of digits; the cache's limit cuts the infinity that float() returns.
    return float(text)
