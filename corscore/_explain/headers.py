"""Why a policy sets each header of a response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from corscore._explain.types import HeaderNote
from corscore._standard.fetch import WILDCARD
from corscore._standard.text import shown
from corscore.browser._reasons import MAX_AGE_LIMITS

if TYPE_CHECKING:
    from corscore._engine.decision import Decision

_ANY_SITE = (
    'any site may read this: allow_origins=["*"]. The value is the same for everybody, so that '
    "caches may share the response"
)
_ORIGIN = "names the one origin that may read this response, since browsers compare it whole"
_WHY = {
    "access-control-allow-credentials": (
        "allow_credentials=True: cookies may be sent, and the answer to them read"
    ),
    "access-control-expose-headers": (
        "expose_headers: what scripts may read beside the seven safelisted response headers"
    ),
    "access-control-allow-private-network": (
        "allow_private_network=True, and the preflight asked for it; current browsers do not"
    ),
    "content-length": "the answer to a preflight has no content that a browser would look at",
    "content-type": "servers insist on one where there may be content",
}


def header_notes(
    decision: Decision, matched: str | None, max_age: int | None
) -> tuple[HeaderNote, ...]:
    """Every header that a decision sets, in its order, with the reason.

    Args:
        decision: What one request gets.
        matched: The pattern that allows its origin.
        max_age: The policy's option.
    """
    response: Literal["preflight", "actual"] = "preflight" if decision.is_preflight else "actual"
    return tuple(
        HeaderNote(name, value, f"{_why(name.lower(), value, matched, max_age)}.", response)
        for name, value in decision.headers
    )


def _why(name: str, value: str, matched: str | None, max_age: int | None) -> str:
    if name == "access-control-allow-origin":
        if value == WILDCARD:
            return _ANY_SITE
        return _ORIGIN if matched is None else f"{_ORIGIN}; {shown(matched)} allows it"
    if name == "vary":
        return _why_vary(value)
    if name == "access-control-allow-methods":
        if value == WILDCARD:
            return 'allow_methods=["*"]: any method; without credentials browsers take * for it'
        return "GET, HEAD and POST, which CORS always allows, and allow_methods"
    if name == "access-control-allow-headers":
        if value.startswith(WILDCARD):
            return 'allow_headers=["*"]: any header; * does not cover Authorization, so it is named'
        return "the five safelisted names, whose values may still need asking, and allow_headers"
    if name == "access-control-max-age":
        if max_age == 0:
            return "max_age=0: browsers ask again before each request"
        limits = ", ".join(
            f"{browser} {limit}" for browser, limit in MAX_AGE_LIMITS.items() if limit < int(value)
        )
        most = f"; some remember for less: {limits}" if limits else ""
        return f"max_age: for how many seconds browsers need not ask again{most}"
    return _WHY[name]


def _why_vary(value: str) -> str:
    why = "the response depends on the Origin: a cache must not give it to another one"
    if "," in value:
        return f"{why}; this one repeats, or heeds, what the preflight asked as well"
    return why
