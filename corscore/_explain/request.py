"""The script behind one HTTP request: what a page must have asked for, for it to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore._standard.fetch import NORMALISED_METHODS, OPAQUE_ORIGIN
from corscore._standard.grammar import is_token
from corscore.browser._request import Request, derived, needs_preflight

if TYPE_CHECKING:
    from corscore._engine.request import RequestInfo
    from corscore.browser._headers import HeaderList

# What the model asks for where a request does not say: no page is ever of such an origin.
_SERVER = "https://server.invalid"
_ELSEWHERE = "https://elsewhere.invalid"

# A value that is safelisted under no name: the preflight asked for the name, so it was not.
_UNSAFE_VALUE = '"'
_MOST_REQUESTED = 65536


def asked_method(request: RequestInfo) -> str:
    """The method that the script wants: a preflight's is what it asks for."""
    if request.is_preflight:
        return request.request_method or ""
    # https://fetch.spec.whatwg.org/#concept-method-normalize
    upper = request.method.upper()
    return upper if upper in NORMALISED_METHODS else request.method


def script_behind(request: RequestInfo, method: str) -> Request:
    """The script whose request, or whose preflight, this may be.

    It sends no credentials: a request does not say whether its page would. Under a policy that
    allows them a browser's verdict is the same for both.
    """
    origin = OPAQUE_ORIGIN if request.origin is None else request.origin
    url = _ELSEWHERE if origin == _SERVER else _SERVER
    base = Request("GET", url, origin=OPAQUE_ORIGIN)
    headers: HeaderList = ()
    if request.is_preflight:
        headers = tuple((name, _UNSAFE_VALUE) for name in requested_names(request) or ())
    # Not through the class, which refuses what no script can ask for: this came over the wire.
    script = derived(base, method=method, origin=origin, partition=origin, headers=headers)
    if request.is_preflight and not needs_preflight(script):
        return derived(script, use_cors_preflight=True)
    return script


def requested_names(request: RequestInfo) -> list[str] | None:
    """The headers that a preflight asks for, in lower case; None if it is no list of names."""
    # More generous than the policy, which reads no list that is longer than any browser's.
    text = request.request_headers or ""
    if len(text) > _MOST_REQUESTED:
        return None
    names = [name.strip(" \t").lower() for name in text.split(",")]
    names = [name for name in names if name]
    return names if all(map(is_token, names)) else None
