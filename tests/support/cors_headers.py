"""The CORS headers of responses, in a form that tests compare as a whole."""

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
"""The origin of a page that no policy of the tests allows."""

READABLE = {"access-control-allow-origin": [PAGE], "vary": ["origin"]}
"""A response that a page at ``PAGE`` may read, under a policy that allows a list of origins."""

REFUSED = {"vary": ["origin"]}
"""A response that only says that it depends on the origin."""

UNTOUCHED: dict[str, list[str]] = {}
"""A response that passed no layer of CORS."""


def cors_of(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the CORS headers of a response, in lower case, and the names in its ``Vary``.

    Every line is an item, so that a second line is seen.
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
    """Return a policy whose answers have its name, to preflights and to requests."""
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
    """Return the name of the policy that governs a request and its preflight.

    Args:
        send: Sends a request, as in the conformance suite.
        method: The method of the request.
        url: The URL of both, or a path at ``SERVER``.
        headers: Headers of the request alone, such as cookies.

    Returns:
        The name of a ``named`` policy, ``LEFT_ALONE``, or ``NO_ORIGIN`` where no origin is allowed.
    """
    announced, got = governing_each(send, method, url, headers)
    assert announced == got, (method, url)
    return got


def governing_each(
    send: Sender, method: str, url: str, headers: Sequence[tuple[str, str]] = ()
) -> tuple[str | None, str | None]:
    """Return what governs a preflight, and what governs its request."""
    url = f"{SERVER}{url}" if url.startswith("/") else url
    asking = [("Origin", PAGE), ("Access-Control-Request-Method", method)]
    preflight = send("OPTIONS", url, asking)
    request = send(method, url, [("Origin", PAGE), *headers])
    announced = _governing(cors_of(preflight.headers), "access-control-allow-headers")
    # Only the layer of CORS answers so.
    assert announced in (NO_ORIGIN, LEFT_ALONE) or preflight.status == HTTPStatus.NO_CONTENT
    return announced, _governing(cors_of(request.headers), "access-control-expose-headers")


def _governing(cors: dict[str, list[str]], header_with_name: str) -> str | None:
    if "access-control-allow-origin" in cors:
        names = ",".join(cors[header_with_name]).lower().replace(" ", "").split(",")
        return ",".join(name[2:] for name in names if name.startswith("x-"))
    # Frameworks set Vary, too.
    assert cors.keys() <= {"vary"}
    return NO_ORIGIN if "origin" in cors.get("vary", ()) else LEFT_ALONE
