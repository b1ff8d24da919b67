"""Hypothesis strategies for CORS: origins, policies, and requests of scripts and other clients.

    @given(policies(), st.data())
    def test_never_an_exception(policy, data):
        policy.explain(data.draw(requests(policy)))

Needs the package ``hypothesis``.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from corscore._config.pattern import parse_pattern
from corscore._engine.request import RequestInfo
from corscore._policy.policy import Policy
from corscore._standard.origin import parse_origin
from corscore.browser._request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = (
    "METHODS",
    "ODD_ORIGINS",
    "PATTERNS",
    "SCRIPT_HEADERS",
    "is_insecure",
    "origins",
    "origins_near",
    "policies",
    "policy_options",
    "request_infos",
    "requests",
)

# No public suffixes, so that `*.` may stand before them.
_NAMES = ("example.com", "app.example.com", "a_b.example.com", "example.com.", "shop.example.net")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_ADDRESSES = ("203.0.113.7", "[2001:db8::1]")
_REGEXES = (r"https://pr-[0-9]+\.example\.com", r"https://(?:one|two)\.example\.(?:com|net)")
_SERVER = "https://api.example.com"

PATTERNS: tuple[str, ...] = tuple(
    pattern
    for pattern in map(
        "".join,
        product(
            ("https://", "http://", "tauri://"),
            ("", "*."),
            (*_NAMES, *_LOOPBACK, *_ADDRESSES),
            ("", ":3000", ":8443", ":*"),
        ),
    )
    if parse_pattern(pattern) is not None
)
"""Origin patterns of every form; ``policy_options`` draws from them."""

ODD_ORIGINS = (
    "", " ", "*", "NULL", "null ", "https://", "://", "https://example.com/", "HTTPS://EXAMPLE.COM",
    "https://example.com:443", "https://example.com, https://example.com", "https://example.com\t",
    "https://ex\xe4mple.com", "\x00", "\x80\xff", "https://a\x00.example.com",
    "https://example.com\x0b", "https://example.com:" + "8" * 5000, "https://" + "a." * 5000,
    "https://[::1", "https://a.example.com@evil.test", "a" * 327,
)  # fmt: skip
"""Values of Origin that no browser sends and other clients may; bytes are written as latin-1."""

METHODS = (
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY", "PURGE", "delete", "patch",
    "M" * 64, "M" * 65,
)  # fmt: skip
"""Methods of scripts: to a browser "delete" is DELETE, and "patch" is not PATCH."""

SCRIPT_HEADERS = (
    ("Authorization", "Bearer token"),
    ("X-One", "1"),
    ("X-TWO", "2"),
    ("Content-Type", "application/json"),
    ("content-type", "text/plain"),
    ("Accept", "application/json"),
    ("Range", "bytes=0-9"),
    ("Range", "bytes=-9"),
    ("X-HTTP-Method-Override", "PUT"),
    ("Cookie", "stolen=1"),
    ("Sec-Fetch-Site", "same-origin"),
)
"""Headers that a script sets; browsers drop the last two."""


def is_insecure(pattern: str) -> bool:
    """Return whether a pattern of ``PATTERNS`` is plain http to another machine."""
    host = pattern.removeprefix("http://").removeprefix("*.")
    return pattern.startswith("http://") and not host.startswith(_LOOPBACK)


@st.composite
def _sources(draw: st.DrawFn, *, credentials: bool) -> dict[str, Any]:
    """Draw the options that say which origins are allowed; each set allows some."""
    kind = draw(st.sampled_from(["patterns", "patterns", "mixed", "regex", "null", "any"]))
    if kind == "any" and not credentials:
        return {"allow_origins": ["*"]}
    if kind == "null" and not credentials:
        return {"allow_origins": [], "allow_null_origin": True}
    if kind == "regex":
        return {"allow_origins": [], "allow_origin_regex": draw(st.sampled_from(_REGEXES))}
    sources: dict[str, Any] = {
        "allow_origins": draw(
            st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=4, unique=True)
        )
    }
    if kind == "mixed":
        sources["allow_origin_regex"] = draw(st.sampled_from(_REGEXES))
        sources["allow_null_origin"] = not credentials
    return sources


@st.composite
def policy_options(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the arguments of a valid ``Policy``: every option that is data."""
    credentials = draw(st.booleans())
    chosen: dict[str, Any] = {
        **draw(_sources(credentials=credentials)),
        "allow_methods": draw(
            _some("PUT", "DELETE", "delete", "PATCH", "OPTIONS", "QUERY", "PURGE", "GET", "*")
        ),
        "allow_headers": draw(
            _some("Authorization", "X-One", "x-two", "Content-Type", "X-HTTP-Method-Override", "*")
        ),
        "expose_headers": draw(
            _some("X-Total", "x-page", "Link", *(() if credentials else ("*",)))
        ),
        "allow_credentials": credentials,
        "max_age": draw(st.sampled_from([None, 0, 1, 600, 86400])),
        "preflight_status": draw(st.sampled_from([200, 204])),
        "debug": draw(st.booleans()),
    }
    is_any = chosen["allow_origins"] == ["*"]
    chosen["allow_private_network"] = not is_any and draw(st.booleans())
    chosen["dangerously_allow_insecure_origins"] = (
        credentials and any(map(is_insecure, chosen["allow_origins"]))
    ) or draw(st.booleans())
    return chosen


def _some(*items: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(items), max_size=3, unique=True)


def policies() -> st.SearchStrategy[Policy]:
    """Return a strategy for valid policies: every option that is data."""
    return policy_options().map(lambda chosen: Policy(**chosen))


def origins(policy: Policy | None = None) -> st.SearchStrategy[str]:
    """Return a strategy for origins that browsers send, ``"null"`` among them.

    Args:
        policy: The policy whose patterns cover the origins, or nearly; None draws from
            ``PATTERNS``.
    """
    return origins_near(PATTERNS if policy is None else policy.allow_origins)


@st.composite
def origins_near(draw: st.DrawFn, patterns: Sequence[str], server: str = _SERVER) -> str:
    """Draw an origin that one of the patterns covers, or nearly, or not at all.

    Args:
        draw: Hypothesis's.
        patterns: Origin patterns; ``"*"`` may be one, and there may be none.
        server: The server's own origin, which is drawn as well.
    """
    pattern = draw(st.sampled_from([*patterns, "https://pr-7.example.com"]))
    if pattern == "*":
        pattern = draw(st.sampled_from(PATTERNS))
    text = pattern.replace("*.", draw(st.sampled_from(["a.", "a.b.", "-_.", ""])))
    text = text.replace(":*", draw(st.sampled_from(["", ":1", ":65535"])))
    scheme, _, rest = text.partition("://")
    near = [
        text, text, text, text, text, text, text, text,
        f"{scheme}://evil{rest}",
        f"{scheme}://evil.{rest}",
        re.sub(r"(?::\d+)?$", ".evil.net", text, count=1),
        re.sub(r":\d+$", "", text),
        f"{text}:8080",
        f"{text}.",
        text.replace("example.com", "examplexcom"),
        text.replace("https:", "http:"),
        text.replace("http:", "https:"),
        "https://one.example.net",
        "https://other.test",
        "null",
        server,
    ]  # fmt: skip
    sent = [origin for origin in near if origin == "null" or parse_origin(origin) is not None]
    return draw(st.sampled_from(sent))


@st.composite
def requests(
    draw: st.DrawFn, policy: Policy | None = None, url: str = f"{_SERVER}/articles"
) -> Request:
    """Draw a script's request, a ``corscore.browser.Request``.

    Args:
        draw: Hypothesis's.
        policy: The policy whose patterns cover the origins, or nearly.
        url: The URL of each request.
    """
    return Request(
        draw(st.sampled_from(METHODS)),
        url,
        origin=draw(origins(policy)),
        headers=draw(
            st.lists(
                st.sampled_from(SCRIPT_HEADERS),
                max_size=3,
                unique_by=lambda header: header[0].lower(),
            )
        ),
        credentials=draw(st.sampled_from(["omit", "same-origin", "include"])),
    )


def _maybe(*values: str) -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), st.sampled_from(values), st.text(max_size=20))


@st.composite
def request_infos(draw: st.DrawFn, policy: Policy | None = None) -> RequestInfo:
    """Draw a request as a server may receive it from any client: any text in any header.

    Args:
        draw: Hypothesis's.
        policy: The policy whose patterns often cover the origin, or nearly.
    """
    origin = st.one_of(st.none(), origins(policy), st.sampled_from(ODD_ORIGINS), st.text())
    return RequestInfo(
        draw(st.one_of(st.sampled_from([*METHODS, *["OPTIONS"] * 9]), st.text(max_size=5))),
        origin=draw(origin),
        request_method=draw(_maybe(*METHODS, "", "a b", "TRACE", "\xff")),
        request_headers=draw(_maybe("x-one", "x-one,\tX-Two", ",", "a b", "*", "authorization")),
        request_private_network=draw(_maybe("true", "false")),
        host=draw(_maybe("api.example.com", "app.example.com", "localhost:3000")),
        sec_fetch_site=draw(st.sampled_from([None, "same-origin", "cross-site"])),
    )
