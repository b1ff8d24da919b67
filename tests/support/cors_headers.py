"""What a response says about CORS, in a form that tests compare whole: each line, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = "https://app.example"
"""The origin of the page in most tests."""

OTHER_PAGE = "https://other.example"
"""One that no policy of the tests allows."""

READABLE = {"access-control-allow-origin": [PAGE], "vary": ["origin"]}
"""A response that a page at ``PAGE`` may read, under a policy that allows a list of origins."""

REFUSED = {"vary": ["origin"]}
"""A response that only says that it depends on the origin."""

UNTOUCHED: dict[str, list[str]] = {}
"""A response that no layer of CORS had in hand."""


def cors_of(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The CORS headers of a response, names in lower case, and the names listed in its ``Vary``.

    Every line is an item of its own, so that a second one shows.
    """
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        lower = name.lower()
        if lower.startswith("access-control-"):
            found.setdefault(lower, []).append(value)
        elif lower == "vary":
            names = [item.strip().lower() for item in value.split(",")]
            found.setdefault(lower, []).extend(names)
    return found
