"""What a response says about CORS, in a form that tests compare whole: each line, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corscore import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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


def numbered(number: int, **options: Any) -> Policy:
    """A policy that can be told from others by its answers, to a preflight and to a request."""
    given: dict[str, Any] = {
        "allow_origins": [PAGE],
        "allow_methods": ["*"],
        "max_age": number,
        "expose_headers": [f"X-Policy-{number}"],
    }
    return Policy(**given, **options)


def governing_of(
    send: Callable[[str, str, Any], tuple[int, Any]],
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]] = (),
) -> tuple[str, str]:
    """Which ``numbered`` policies govern a preflight, and the request that it announces.

    Args:
        send: A transport of the conformance suite.
        method: Of the request.
        url: Of both.
        headers: Of the request alone, as cookies are.
    """
    asking = [("Origin", PAGE), ("Access-Control-Request-Method", method)]
    told = cors_of(send("OPTIONS", url, asking)[1])
    got = cors_of(send(method, url, [("Origin", PAGE), *headers])[1])
    ages = told.get("access-control-max-age", [])
    exposed = [name.rpartition("-")[2] for name in got.get("access-control-expose-headers", [])]
    return _governing(told, ages), _governing(got, exposed)


def _governing(cors: dict[str, list[str]], numbers: list[str]) -> str:
    if "access-control-allow-origin" in cors:
        return ",".join(numbers)
    return "no origin" if "origin" in cors.get("vary", ()) else "left alone"
