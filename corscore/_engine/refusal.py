"""Reason codes of refusals, computed only when one is read."""

from __future__ import annotations

from corscore._standard.fetch import (
    CORS_SAFELISTED_METHODS,
    CORS_SAFELISTED_REQUEST_HEADERS,
    OPAQUE_ORIGIN,
    WILDCARD,
)
from corscore._standard.grammar import is_requested_method, parse_requested_headers
from corscore._standard.origin import parse_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from corscore._engine.request import RequestInfo


def origin_refusal(origin: str) -> str:
    """The reason code for an origin that a policy does not allow."""
    if origin == OPAQUE_ORIGIN:
        return "null-not-allowed"
    return "origin-malformed" if parse_origin(origin) is None else "origin-not-allowed"


def preflight_refusal(
    request: RequestInfo,
    allow_methods: Collection[str],
    allow_headers: Collection[str],
    *,
    repeats: bool,
) -> str | None:
    """The reason code for a method or header that the policy does not allow, or None.

    https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7; methods are compared by case.

    Args:
        request: The preflight.
        allow_methods: The policy's methods, without the safelisted ones.
        allow_headers: The policy's header names, without the safelisted ones.
        repeats: Whether the policy allows credentials. It then answers for "*" by repeating what
            was asked, if that is valid; without credentials browsers take "*" for everything.
    """
    method = request.request_method or ""
    if WILDCARD in allow_methods:
        allowed = not repeats or is_requested_method(method)
    else:
        allowed = method in CORS_SAFELISTED_METHODS or method in allow_methods
    if not allowed:
        return "method-not-allowed"
    if WILDCARD in allow_headers and not repeats:
        return None
    names = parse_requested_headers(request.request_headers or "")
    if names is None:
        return "header-not-allowed"
    if WILDCARD in allow_headers:
        return None
    for name in names:
        if name not in CORS_SAFELISTED_REQUEST_HEADERS and name not in allow_headers:
            return "header-not-allowed"
    return None
