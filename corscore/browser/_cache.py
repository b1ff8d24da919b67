"""The CORS-preflight cache: https://fetch.spec.whatwg.org/#cors-preflight-cache."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from corscore._standard.fetch import (
    ACCESS_CONTROL_MAX_AGE,
    CORS_SAFELISTED_METHODS,
    WILDCARD,
)
from corscore.browser._checks import (
    allowed_headers,
    allowed_methods,
    covers_header,
    covers_method,
)
from corscore.browser._headers import HeadersInput, header_list, values
from corscore.browser._reasons import MAX_AGE_LIMITS, Browser

if TYPE_CHECKING:
    from collections.abc import Callable

    from corscore.browser._request import Request

DEFAULT_MAX_AGE = 5
"""Seconds that an answer counts without a valid Access-Control-Max-Age."""

_Place = tuple[str, str, str]  # network partition key, byte-serialised origin, URL
_Kind = Literal["method", "header"]
_Entry = tuple[bool, _Kind, str]  # with credentials, then one method or one header name


class PreflightCache:
    """What earlier preflights allowed, for as long as they said.

    Entries of one origin and URL combine: one preflight may have allowed the method, another the
    header. A cache belongs to one browser; it is not safe to share between threads.

    Where this differs from the letter: a ``*`` that a preflight with credentials left behind is the
    name ``*`` to later requests with credentials, as it was to that preflight. The standard's
    "cache entry match" would let it cover every method; no browser does.
    """

    def __init__(
        self,
        *,
        limit: float = max(MAX_AGE_LIMITS.values()),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts empty.

        Args:
            limit: The longest an entry lives, in seconds, whatever the server says; what each
                browser imposes is in ``MAX_AGE_LIMITS``.
            clock: Gives the time in seconds; called only when requests are looked up or stored.
        """
        self._limit = limit
        self._clock = clock
        self._expiries: dict[_Place, dict[_Entry, float]] = {}

    def covers(self, request: Request, *, browser: Browser | None = None) -> bool:
        """Whether this request needs no preflight of its own.

        https://fetch.spec.whatwg.org/#concept-http-fetch, step 4.1.
        """
        methods = self._allowed(request, "method")
        if not covers_method(request, methods, request.method) and (
            request.use_cors_preflight or request.method not in CORS_SAFELISTED_METHODS
        ):
            return False
        names = self._allowed(request, "header")
        return all(covers_header(request, names, name, browser) for name in request.unsafe_names)

    def store(self, request: Request, headers: HeadersInput) -> None:
        """Keeps what the response to this request's preflight allows.

        https://fetch.spec.whatwg.org/#cors-preflight-fetch, steps 7.8 to 7.15. Only for a response
        that ``preflight_check`` has no reason against.
        """
        expiry = self._clock() + min(max_age(headers), self._limit)
        entries = self._live(request)
        for method in allowed_methods(request, headers) or ():
            by_star = covers_method(request, (WILDCARD,), method)
            _renew_or_add(entries, request, "method", method, by_star, expiry)
        for name in allowed_headers(headers):
            by_star = covers_header(request, (WILDCARD,), name, None)
            _renew_or_add(entries, request, "header", name, by_star, expiry)
        self._expiries[_place(request)] = entries

    def clear(self, request: Request | None = None) -> None:
        """Forgets what concerns this request's origin and URL, or everything.

        https://fetch.spec.whatwg.org/#concept-cache-clear
        """
        if request is None:
            self._expiries.clear()
        else:
            self._expiries.pop(_place(request), None)

    def _live(self, request: Request) -> dict[_Entry, float]:
        now = self._clock()
        entries = self._expiries.get(_place(request), {})
        return {entry: expiry for entry, expiry in entries.items() if now < expiry}

    def _allowed(self, request: Request, kind: _Kind) -> set[str]:
        return {
            name
            for credentials, of_kind, name in self._live(request)
            if of_kind == kind and credentials in _matching(request)
        }


def _place(request: Request) -> _Place:
    return (request.partition, request.origin, request.url)


def _matching(request: Request) -> tuple[bool, ...]:
    # https://fetch.spec.whatwg.org/#concept-cache-match: what was allowed with credentials is
    # allowed without, not the other way round.
    return (True,) if request.with_credentials else (True, False)


def _renew_or_add(
    entries: dict[_Entry, float],
    request: Request,
    kind: _Kind,
    name: str,
    by_star: bool,
    expiry: float,
) -> None:
    # https://fetch.spec.whatwg.org/#cors-preflight-fetch, steps 7.12 to 7.15: what matches gets the
    # new age, "*" included where it covers this name, and only what matches nothing is added.
    own: _Entry = (request.with_credentials, kind, name)
    listed = (name, WILDCARD) if by_star else (name,)
    candidates: list[_Entry] = [(mode, kind, one) for mode in _matching(request) for one in listed]
    for entry in [entry for entry in candidates if entry in entries] or [own]:
        entries[entry] = expiry


def max_age(headers: HeadersInput) -> float:
    """The seconds that a preflight's answer counts for, by its Access-Control-Max-Age.

    https://fetch.spec.whatwg.org/#cors-preflight-fetch, steps 7.8 and 7.9: delta-seconds (RFC 9111,
    section 1.2.2), once; 5 when it is missing, given twice or anything else.
    """
    given = values(header_list(headers), ACCESS_CONTROL_MAX_AGE)
    if len(given) != 1 or not (given[0].isascii() and given[0].isdigit()):
        return DEFAULT_MAX_AGE
    # A float: int() refuses digits by the thousand, and infinity is capped like any other.
    return float(given[0])
