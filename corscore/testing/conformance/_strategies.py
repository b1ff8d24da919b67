"""Hypothesis strategies for policies, sites, scripts and raw requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from corscore.testing.conformance._oracle import ALWAYS_ALLOWED_HEADERS, SERVER, Script
from corscore.testing.conformance._site import METHODS as SITE_METHODS
from corscore.testing.conformance._site import Page
from corscore.testing.strategies import (
    METHODS,
    ODD_ORIGINS,
    PATTERNS,
    SCRIPT_HEADERS,
    origins_near,
    policy_options,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corscore.testing.conformance._site import Headers

Options = dict[str, Any]

PATHS = ("/plain", "/plain", "/stream", "/moved", "/unchanged", "/crash", "/missing")
_MATCHED_BY_A_REGEX = ("https://pr-7.example.com", "https://one.example.net")


@st.composite
def options(draw: st.DrawFn) -> Options:
    """Draw the arguments of a valid policy, with ``*`` more often than ``policy_options`` does."""
    chosen: Options = draw(policy_options())
    for name in ("allow_methods", "allow_headers"):
        if draw(st.integers(0, 2)) == 0:
            chosen[name] = ["*", *chosen[name]] if "*" not in chosen[name] else ["*"]
    return chosen


@st.composite
def origins(draw: st.DrawFn, chosen: Options) -> str:
    """Draw an origin that a browser may send, mostly one that the policy covers, or nearly."""
    covered: list[str] = [pattern for pattern in chosen["allow_origins"] if pattern != "*"]
    if chosen.get("allow_origin_regex") is not None:
        covered += _MATCHED_BY_A_REGEX
    if draw(st.integers(0, 2)) == 0:
        return draw(origins_near(covered, SERVER))
    if chosen.get("allow_null_origin", False):
        covered.append("null")
    origin: str = draw(st.sampled_from(covered or PATTERNS))
    origin = origin.replace("*.", draw(st.sampled_from(["a.", "a.b.", "-_."])))
    return origin.replace(":*", draw(st.sampled_from(["", ":1", ":65535"])))


def _cased(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from([name, name.lower(), name.upper()])


_APP_HEADERS = {
    "Access-Control-Allow-Origin": ("*", "https://evil.test", "null", SERVER),
    "Access-Control-Allow-Credentials": ("true", "false"),
    "Access-Control-Allow-Methods": ("*", "PUT"),
    "Access-Control-Allow-Headers": ("*", "authorization"),
    "Access-Control-Max-Age": ("86400",),
    "Access-Control-Allow-Private-Network": ("true",),
    "Access-Control-Expose-Headers": ("Content-Disposition", "x-total,X-Etag", "*"),
    "Vary": ("Accept-Encoding", "origin", "Accept, ORIGIN, accept", "*"),
    "Content-Disposition": ("attachment",),
    "X-Total": ("3",),
    "Link": ("</2>; rel=next",),
    "X-Etag": ("abc",),
    "Content-Language": ("en",),
    "Set-Cookie": ("session=1",),
}


@st.composite
def app_headers(draw: st.DrawFn, *, cacheable: bool = False) -> tuple[tuple[str, str], ...]:
    """Draw the headers that an application sets, CORS headers included; no name twice."""
    names = draw(st.lists(st.sampled_from(sorted(_APP_HEADERS)), max_size=6, unique=True))
    headers = [(draw(_cased(name)), draw(st.sampled_from(_APP_HEADERS[name]))) for name in names]
    if cacheable or draw(st.booleans()):
        headers.append(("Cache-Control", "public, max-age=60"))
    return tuple(headers)


@st.composite
def pages(draw: st.DrawFn, *, cacheable: bool = False) -> dict[str, Page]:
    """Draw a site with a page at each of ``PATHS`` but ``/missing``."""
    headers = draw(app_headers(cacheable=cacheable))
    # RFC 9110, section 15.4.5: some frameworks drop headers about the content from a 304.
    unchanged = tuple(pair for pair in headers if pair[0].lower() != "content-language")
    return {
        "/plain": Page(draw(st.sampled_from([200, 201, 401, 403, 404, 500])), headers),
        "/stream": Page(200, headers, (b"data: 1\n\n", b"data: 2\n\n")),
        "/moved": Page(
            draw(st.sampled_from([301, 302, 303, 307, 308])),
            (*headers, ("Location", "/plain")),
            (),
        ),
        "/unchanged": Page(304, unchanged, ()),
        "/crash": Page(raises=True),
    }


# At the bounds up to which a policy with credentials and "*" repeats header names.
_MANY_HEADERS = tuple(tuple((f"x-{number}", "1") for number in range(count)) for count in (64, 65))
_LONG_HEADERS = tuple(((f"x{'y' * (size - 1)}", "1"),) for size in (4096, 4097))


@st.composite
def scripts(
    draw: st.DrawFn,
    chosen: Options,
    from_origins: st.SearchStrategy[str] | None = None,
    paths: Sequence[str] = PATHS,
    methods: Sequence[str] = METHODS,
) -> Script:
    """Draw a request of a page: mostly the policy allows it, or all but one thing of it.

    Args:
        draw: Hypothesis's.
        chosen: The policy's options.
        from_origins: Origins of the page; by default drawn for the policy.
        paths: Paths to request.
        methods: Methods to request them with.
    """
    allowed = [method for method in chosen["allow_methods"] if method in methods]
    allowed += methods if "*" in chosen["allow_methods"] else ("GET", "HEAD", "POST")
    names = {name.lower() for name in chosen["allow_headers"]} | ALWAYS_ALLOWED_HEADERS
    covered = [pair for pair in SCRIPT_HEADERS if pair[0].lower() in names or "*" in names]
    few = st.lists(st.sampled_from(covered), max_size=3, unique_by=lambda pair: pair[0].lower())
    many = st.sampled_from([*_MANY_HEADERS, *_LONG_HEADERS])
    one = st.sampled_from([(pair,) for pair in SCRIPT_HEADERS])
    modes = ("omit", "same-origin") if not chosen["allow_credentials"] else ("omit", "include")
    exception = draw(st.sampled_from(["", "", "method", "header", "headers", "credentials"]))
    headers = {"header": one, "headers": many}.get(exception, few.map(tuple))
    return Script(
        origin=draw(origins(chosen) if from_origins is None else from_origins),
        method=draw(st.sampled_from(methods if exception == "method" else allowed)),
        headers=draw(headers),
        credentials="include" if exception == "credentials" else draw(st.sampled_from(modes)),
        path=draw(st.sampled_from(paths)),
    )


@st.composite
def raw_requests(draw: st.DrawFn, chosen: Options) -> tuple[str, str, Headers]:
    """Draw method, path and headers of a request of any client, not only of a browser."""
    headers: Headers = []
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 2]))):
        origin = draw(st.one_of(origins(chosen), st.sampled_from(ODD_ORIGINS)))
        headers.append((draw(_cased("Origin")), origin))
    for name, values in (
        ("Access-Control-Request-Method", ("PUT", "GET", "", "a b", "\xff")),
        ("Access-Control-Request-Headers", ("x-one", "x-one,\tX-Two", ",", "a b", "*", "\x00")),
        ("Access-Control-Request-Private-Network", ("true", "false")),
    ):
        for _ in range(draw(st.sampled_from([0, 1, 1, 2]))):
            headers.append((draw(_cased(name)), draw(st.sampled_from(values))))
    method = draw(st.sampled_from([*SITE_METHODS, "OPTIONS", "OPTIONS", "OPTIONS"]))
    return method, draw(st.sampled_from(PATHS)), draw(st.permutations(headers))
