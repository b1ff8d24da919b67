"""What an answer shows of the CORS layers behind it, whoever made them."""

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
    """Whether ``Vary`` says that another Origin may get another answer.

    https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches
    """
    names = (get(headers, VARY) or "").lower().split(",")
    return not {ORIGIN, WILDCARD}.isdisjoint(name.strip() for name in names)


def has_trace(headers: HeaderList) -> bool:
    """Whether anything in an answer shows that a CORS layer had a look at it."""
    return any(name.startswith(_PREFIX) for name, _ in headers) or varies_by_origin(headers)


def allow_origin(headers: HeaderList) -> str | None:
    """The value of Access-Control-Allow-Origin, lines joined; None without one."""
    return get(headers, ACCESS_CONTROL_ALLOW_ORIGIN)


def allows(headers: HeaderList, origin: str) -> bool:
    """Whether an answer names exactly this origin: ``*`` does not."""
    return allow_origin(headers) == origin


def allows_credentials(headers: HeaderList) -> bool:
    """Whether an answer lets credentials be used."""
    return get(headers, ACCESS_CONTROL_ALLOW_CREDENTIALS) == ALLOW_CREDENTIALS_TRUE


def doubled(headers: HeaderList) -> str | None:
    """The name of a header that two layers have set, as people write it; None without one.

    A list of several origins in one line is somebody's mistake, and no second layer; the same value
    twice, or a ``*`` beside an origin, is nothing that anybody writes.
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
