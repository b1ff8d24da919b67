"""What a response says about CORS, in a form that tests compare whole: each line, and no other."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from corscore import Policy
from corscore.testing.conformance._oracle import SERVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from corscore.testing.conformance import Sender

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


def named(name: str, **options: Any) -> Policy:
    """A policy whose answers tell its name, be it to a preflight or to a request."""
    return Policy(
        **{
            "allow_origins": [PAGE],
            "allow_methods": ["*"],
            "allow_headers": [f"X-{name}"],
            "expose_headers": [f"X-{name}"],
            **options,
        }
    )


NO_ORIGIN, LEFT_ALONE = "no origin", None


def governing(
    send: Sender, method: str, url: str, headers: Sequence[tuple[str, str]] = ()
) -> str | None:
    """The name of the policy that governs a request, and the preflight that announces it.

    Args:
        send: Sends a request, as those of the conformance suite do.
        method: Of the request.
        url: Of both; a path is one of ``SERVER``.
        headers: Of the request alone, as cookies are.

    Returns:
        A ``named`` policy's name, ``LEFT_ALONE``, or ``NO_ORIGIN`` where none is allowed.
    """
    announced, got = governing_each(send, method, url, headers)
    assert announced == got, (method, url)
    return got


def governing_each(
    send: Sender, method: str, url: str, headers: Sequence[tuple[str, str]] = ()
) -> tuple[str | None, str | None]:
    """What governs a preflight, and what the request that it announces."""
    url = f"{SERVER}{url}" if url.startswith("/") else url
    asking = [("Origin", PAGE), ("Access-Control-Request-Method", method)]
    preflight = send("OPTIONS", url, asking)
    request = send(method, url, [("Origin", PAGE), *headers])
    announced = _governing(cors_of(preflight.headers), "access-control-allow-headers")
    # Only the layer answers so.
    assert announced in (NO_ORIGIN, LEFT_ALONE) or preflight.status == HTTPStatus.NO_CONTENT
    return announced, _governing(cors_of(request.headers), "access-control-expose-headers")


def _governing(cors: dict[str, list[str]], telling: str) -> str | None:
    if "access-control-allow-origin" in cors:
        names = ",".join(cors[telling]).lower().replace(" ", "").split(",")
        return ",".join(name[2:] for name in names if name.startswith("x-"))
    # Frameworks set Vary, too.
    assert cors.keys() <= {"vary"}
    return NO_ORIGIN if "origin" in cors.get("vary", ()) else LEFT_ALONE
