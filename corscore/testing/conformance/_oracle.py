"""The meaning of a policy to a browser, worked out from its options without the engine.

Nothing here is shared with the engine or with the model browser: ``_reference_origin`` compares
origins, and methods and headers follow the documentation of the options.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from corscore.testing.conformance._reference_origin import covers, is_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corscore.testing.conformance._site import Page

SERVER = "https://api.example.com"

NORMALISED = {"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"}
ALWAYS_ALLOWED_METHODS = {"GET", "HEAD", "POST"}
ALWAYS_ALLOWED_HEADERS = {
    "accept", "accept-language", "content-language", "content-type", "range",
}  # fmt: skip
ALWAYS_READABLE = {
    "cache-control", "content-language", "content-length", "content-type", "expires",
    "last-modified", "pragma",
}  # fmt: skip
NEVER_READABLE = {"set-cookie"}
FORBIDDEN = {"cookie", "origin", "sec-fetch-site"}
OWNED = {
    "access-control-allow-origin", "access-control-allow-credentials",
    "access-control-allow-methods", "access-control-allow-headers", "access-control-max-age",
    "access-control-allow-private-network",
}  # fmt: skip
"""Headers that only the policy sets."""
SHARED = OWNED | {"access-control-expose-headers", "vary"}
"""Headers that the policy sets as well: an answer need not have the page's value."""

LONGEST_ECHOED_METHOD = 64
MOST_ECHOED_HEADERS = 64
LONGEST_ECHOED_HEADERS = 4096

RefusedPart = Literal["origin", "credentials", "method", "header"]
REASONS: dict[str, RefusedPart] = {
    "no-allow-origin": "origin",
    "preflight-not-ok": "origin",
    "wildcard-with-credentials": "credentials",
    "credentials-not-allowed": "credentials",
    "method-not-allowed": "method",
    "header-not-allowed": "header",
}
"""The part of a policy behind each reason of the model browser; no correct answer gives others."""


class Script(NamedTuple):
    """The request of a page's script.

    Attributes:
        origin: The page's origin.
        method: The method as the script writes it.
        headers: The script's own headers, no name twice.
        credentials: ``"omit"``, ``"same-origin"`` or ``"include"``.
        path: A path of the site.
        server: The origin of the site.
    """

    origin: str
    method: str
    headers: tuple[tuple[str, str], ...]
    credentials: Literal["omit", "same-origin", "include"]
    path: str
    server: str = SERVER


def allows_origin(options: dict[str, Any], origin: str) -> bool:
    if origin == "null":
        return options.get("allow_null_origin", False) or "*" in options["allow_origins"]
    if any(covers(pattern, origin) for pattern in options["allow_origins"]):
        return True
    regex = options.get("allow_origin_regex")
    return regex is not None and is_origin(origin) and re.fullmatch(regex, origin) is not None


def is_origin(text: str) -> bool:
    """Return whether this is an origin as browsers print it, other than ``null``."""
    return is_pattern(text) and "*" not in text


def refusal(options: dict[str, Any], script: Script) -> RefusedPart | None:
    """Return the part of the request that the policy refuses; None if it allows all of it."""
    if script.origin == script.server:
        return None
    if not allows_origin(options, script.origin):
        return "origin"
    if script.credentials == "include" and not options.get("allow_credentials", False):
        return "credentials"
    if not _allows_method(options, normalised(script.method)):
        return "method"
    if not _allows_headers(options, script.headers):
        return "header"
    return None


def normalised(method: str) -> str:
    return method.upper() if method.upper() in NORMALISED else method


def _allows_method(options: dict[str, Any], method: str) -> bool:
    listed = options.get("allow_methods", ())
    if method in ALWAYS_ALLOWED_METHODS or method in map(normalised, listed):
        return True
    if "*" not in listed:
        return False
    # With credentials the engine makes "*" work: it repeats the requested method, within bounds.
    return not options.get("allow_credentials", False) or len(method) <= LONGEST_ECHOED_METHOD


def _allows_headers(options: dict[str, Any], headers: Iterable[tuple[str, str]]) -> bool:
    names = {name.lower() for name, _ in headers} - FORBIDDEN
    listed = {name.lower() for name in options.get("allow_headers", ())}
    if "*" not in listed:
        return names <= listed | ALWAYS_ALLOWED_HEADERS
    if not options.get("allow_credentials", False):
        return True
    # Safelisted names count as well, since the suite never sends enough of them to matter.
    return len(names) <= MOST_ECHOED_HEADERS and len(",".join(names)) <= LONGEST_ECHOED_HEADERS


def readable(options: dict[str, Any], script: Script, page: Page) -> dict[str, str]:
    """Return the page's own headers that a script may read, if the policy allows the request."""
    own = {name.lower(): value for name, value in page.headers}
    exposed = ALWAYS_READABLE | names(",".join(options.get("expose_headers", ())))
    exposed |= names(own.get("access-control-expose-headers", ""))
    everything = script.origin == script.server or (
        "*" in exposed and script.credentials != "include"
    )
    return {
        name: value
        for name, value in own.items()
        if (everything or name in exposed) and name not in NEVER_READABLE | SHARED
    }


def names(value: str) -> set[str]:
    return {name.strip().lower() for name in value.split(",")} - {""}
