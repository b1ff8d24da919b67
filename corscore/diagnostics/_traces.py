"""The traces that any CORS layer leaves in a response."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore._standard.fetch import (
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE,
    ALLOW_CREDENTIALS_TRUE,
    ORIGIN,
    VARY,
    WILDCARD,
)
from corscore.browser._headers import get, values

if TYPE_CHECKING:
    from corscore.browser._headers import HeaderList

_PREFIX = "access-control-"


def varies_by_origin(headers: HeaderList) -> bool:
    """Return whether ``Vary`` says that the response depends on the Origin.

    https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches
    """
    names = (get(headers, VARY) or "").lower().split(",")
    return not {ORIGIN, WILDCARD}.isdisjoint(name.strip() for name in names)


def has_trace(headers: HeaderList) -> bool:
    """Return whether a response shows any sign of a CORS layer."""
    return any(name.startswith(_PREFIX) for name, _ in headers) or varies_by_origin(headers)


def allow_origin(headers: HeaderList) -> str | None:
    """Return the value of Access-Control-Allow-Origin, lines joined; None without one."""
    return get(headers, ACCESS_CONTROL_ALLOW_ORIGIN)


def allows(headers: HeaderList, origin: str) -> bool:
    """Return whether a response names exactly this origin: ``*`` does not."""
    return allow_origin(headers) == origin


def allows_credentials(headers: HeaderList) -> bool:
    """Return whether a response allows credentials."""
    return get(headers, ACCESS_CONTROL_ALLOW_CREDENTIALS) == ALLOW_CREDENTIALS_TRUE


def doubled(headers: HeaderList) -> str | None:
    """Return the name of a header that two layers have set, in its usual spelling, or None.

    Several origins in one line may be one layer's mistake. The same value twice, or a ``*`` beside
    an origin, comes from two layers.
    """
    for name, written in (
        (ACCESS_CONTROL_ALLOW_ORIGIN, "Access-Control-Allow-Origin"),
        (ACCESS_CONTROL_ALLOW_CREDENTIALS, "Access-Control-Allow-Credentials"),
        (ACCESS_CONTROL_MAX_AGE, "Access-Control-Max-Age"),
    ):
        lines = values(headers, name)
        items = [item.strip() for line in lines for item in line.split(",")]
        if len(lines) > 1 or len(set(items)) < len(items) or (WILDCARD in items and items[1:]):
            return written
    return None
