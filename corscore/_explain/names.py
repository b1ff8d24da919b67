"""How a method or a header differs from what a policy lists."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from corscore._explain.refusal import Verdict
from corscore._explain.types import Nearest
from corscore._standard.fetch import AUTHORIZATION, CORS_SAFELISTED_REQUEST_HEADERS, WILDCARD
from corscore._standard.text import quoted, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_METHOD = 64
# A request may ask for any number of names, and of any length.
_LONGEST_COMPARED = 64
_MOST_COMPARED = 8


class Lists(Protocol):
    """The part of a policy that lists methods and headers."""

    @property
    def allow_methods(self) -> tuple[str, ...]: ...
    @property
    def allow_headers(self) -> tuple[str, ...]: ...


def ticked(method: str) -> str:
    """A method in backticks, cut to what fits a line; it is a token, and so printable."""
    return f"`{method}`" if len(method) <= _LONGEST_METHOD else f"`{method[:_LONGEST_METHOD]}...`"


def method_refusal(policy: Lists, method: str) -> Verdict:
    """Why a policy does not allow a method."""
    option, upper = "allow_methods", method.upper()
    if method != upper and upper in policy.allow_methods:
        difference = f"{ticked(method)} is not {ticked(upper)}"
        return Verdict(
            "method-case",
            f"{difference}: methods are compared by case, and browsers send this one as the "
            "script wrote it.",
            f"write {quoted(upper)} in the script",
            Nearest(option, upper, "method-case", difference),
        )
    if WILDCARD in policy.allow_methods:
        difference, hint = "it is longer than any method that a policy repeats", "shorten it"
    else:
        case = "" if method == upper else f"write {shown(upper)} in the script, and "
        difference, hint = f"{shown(upper)} must be listed", f"{case}add {shown(upper)} to {option}"
    return Verdict(
        "method-not-allowed",
        f"The policy does not allow the method {shown(method)}: {difference}.",
        hint,
        Nearest(option, None, "method-not-allowed", difference),
    )


def header_refusal(policy: Lists, asked: Iterable[str]) -> Verdict:
    """Why a policy does not allow headers.

    Args:
        policy: One that does not allow all of them.
        asked: Their names, in lower case.
    """
    asked = tuple(asked)
    option, code = "allow_headers", "header-not-allowed"
    if WILDCARD in policy.allow_headers:
        difference = "the list is longer than any that a policy repeats"
        return Verdict(
            code,
            f"The script sets {len(asked)} headers: {difference}.",
            "set fewer headers",
            Nearest(option, WILDCARD, code, difference),
        )
    listed = (*CORS_SAFELISTED_REQUEST_HEADERS, *policy.allow_headers)
    missing = [name for name in asked if name not in listed]
    # Most people write it so; other names are given back as the browser asks for them.
    names = ["Authorization" if name == AUTHORIZATION else name for name in missing]
    text = ", ".join(names)
    difference = f"{text if text.isascii() and len(text) < 80 else shown(text)} must be listed"
    return Verdict(
        code,
        f"The policy does not allow a header that the script sets: {difference}.",
        f"add {shown(text)} to {option}",
        Nearest(option, _alike(missing, policy.allow_headers), code, difference),
    )


def _alike(missing: Iterable[str], listed: Iterable[str]) -> str | None:
    """A listed name that is a typing slip away from one that is missing."""
    near = (
        get_close_matches(name[:_LONGEST_COMPARED], listed, n=1)
        for name in islice(missing, _MOST_COMPARED)
    )
    return next((found[0] for found in near if found), None)
