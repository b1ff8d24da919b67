"""A shared HTTP cache, such as a proxy or a CDN: one client's response answers other clients.

Of https://www.rfc-editor.org/rfc/rfc9111 it has the parts that can mix up origins: which responses
are stored (section 3), and which requests each answers (section 4.1, ``Vary``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from corscore.testing.conformance._site import Headers, Transport

CACHED_METHODS = {"GET", "HEAD"}


class _Stored(NamedTuple):
    request: Headers
    vary: set[str]
    status: int
    headers: Headers


class SharedCache:
    """A cache before a transport, and a transport itself; nothing in it expires.

    Args:
        origin_server: The transport for requests without a stored response.
        keep_preflights: Whether to store answers to preflights, as some CDNs can.

    Attributes:
        hits: The number of requests that stored responses answered.
        last: The headers of the request whose response was stored and served last; None before a
            hit.
    """

    def __init__(self, origin_server: Transport, *, keep_preflights: bool = False) -> None:
        self._ask = origin_server
        self._keep_preflights = keep_preflights
        self._stored: dict[tuple[str, str], list[_Stored]] = {}
        self.hits = 0
        self.last: Headers | None = None

    def __call__(self, method: str, url: str, headers: Headers) -> tuple[int, Headers]:
        sent = method
        if _is_preflight(method, headers):
            method = "preflight"  # Not every OPTIONS request is a preflight.
        kept = self._stored.setdefault((method, url), [])
        for stored in kept:
            if _selects(stored, headers):
                self.hits += 1
                self.last = stored.request
                return stored.status, stored.headers
        status, received = self._ask(sent, url, headers)
        if self._may_store(method, received):
            vary = set(_elements(received, "vary"))
            kept.append(_Stored(headers, vary, status, received))
        return status, received

    def _may_store(self, method: str, received: Headers) -> bool:
        if method == "preflight":
            return self._keep_preflights
        directives = _elements(received, "cache-control")
        return method in CACHED_METHODS and {"public", "max-age=60"} <= set(directives)


def _is_preflight(method: str, headers: Headers) -> bool:
    return method == "OPTIONS" and bool(_elements(headers, "access-control-request-method"))


def _selects(stored: _Stored, headers: Headers) -> bool:
    # Section 4.1: the named fields of both requests match, absent ones included; "*" never does.
    return "*" not in stored.vary and all(
        _elements(stored.request, name) == _elements(headers, name) for name in stored.vary
    )


def _elements(headers: Headers, name: str) -> list[str]:
    """Return the elements of all lines of a name, in lower case except for origins."""
    lines = [value for other, value in headers if other.lower() == name]
    elements = [element.strip() for line in lines for element in line.split(",")]
    return [element.lower() for element in elements] if name != "origin" else elements
