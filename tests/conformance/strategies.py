"""Hypothesis strategies for policies, sites, scripts and raw requests."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

from conformance.oracle import SERVER, Script, is_origin
from conformance.site import METHODS, Page
from hypothesis import strategies as st
from reference_origin import is_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.site import Headers

Options = dict[str, Any]

# Names that somebody owns, so that `*.` before them is no public suffix.
_NAMES = ("example.com", "app.example.com", "a_b.example.com", "example.com.", "shop.example.net")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_ADDRESSES = ("203.0.113.7", "[2001:db8::1]")
_REGEXES = (r"https://pr-[0-9]+\.example\.com", r"https://(?:one|two)\.example\.(?:com|net)")

PATTERNS = tuple(
    filter(
        is_pattern,
        map(
            "".join,
            product(
                ("https://", "http://", "tauri://"),
                ("", "*."),
                (*_NAMES, *_LOOPBACK, *_ADDRESSES),
                ("", ":3000", ":8443", ":*"),
            ),
        ),
    )
)


def is_insecure(pattern: str) -> bool:
    host = pattern.removeprefix("http://").removeprefix("*.")
    return pattern.startswith("http://") and not host.startswith(_LOOPBACK)


@st.composite
def _sources(draw: st.DrawFn, *, credentials: bool) -> Options:
    """The options that say which origins are allowed: at least one of them."""
    kind = draw(st.sampled_from(["patterns", "patterns", "mixed", "regex", "null", "any"]))
    if kind == "any" and not credentials:
        return {"allow_origins": ["*"]}
    if kind == "null" and not credentials:
        return {"allow_origins": [], "allow_null_origin": True}
    if kind == "regex":
        return {"allow_origins": [], "allow_origin_regex": draw(st.sampled_from(_REGEXES))}
    sources: Options = {"allow_origins": draw(
            st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=4, unique=True)
        )}
    if kind == "mixed":
        sources["allow_origin_regex"] = draw(st.sampled_from(_REGEXES))
        sources["allow_null_origin"] = not credentials
    return sources


@st.composite
def options(draw: st.DrawFn) -> Options:
    """The arguments of a valid policy, over every option."""
    credentials = draw(st.booleans())
    chosen: Options = {
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


@st.composite
def origins(draw: st.DrawFn, chosen: Options) -> str:
    """An origin that a browser may send: one that the policy covers, or nearly, or not at all."""
    pattern = draw(st.sampled_from([*chosen["allow_origins"], "https://pr-7.example.com"]))
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
        SERVER,
    ]  # fmt: skip
    return draw(st.sampled_from([origin for origin in near if origin == "null" or is_origin(origin)]))


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
    """What an application sets itself, CORS headers of its own included; no name twice."""
    names = draw(st.lists(st.sampled_from(sorted(_APP_HEADERS)), max_size=6, unique=True))
    headers = [
        (draw(_cased(name)), draw(st.sampled_from(_APP_HEADERS[name]))) for name in names
    ]
    if cacheable or draw(st.booleans()):
        headers.append(("Cache-Control", "public, max-age=60"))
    return tuple(headers)


@st.composite
def pages(draw: st.DrawFn, *, cacheable: bool = False) -> dict[str, Page]:
    """A site with a page of every kind: ``/missing`` is the one that it does not have."""

    def headers() -> tuple[tuple[str, str], ...]:
        return draw(app_headers(cacheable=cacheable))

    return {
        "/plain": Page(draw(st.sampled_from([200, 201, 401, 403, 404, 500])), headers()),
        "/stream": Page(200, headers(), (b"data: 1\n\n", b"data: 2\n\n")),
        "/moved": Page(
            draw(st.sampled_from([301, 302, 303, 307, 308])),
            (*headers(), ("Location", "/plain")),
            (),
        ),
        "/unchanged": Page(304, headers(), ()),
        "/crash": Page(raises=True),
    }


PATHS = ("/plain", "/plain", "/stream", "/moved", "/unchanged", "/crash", "/missing")

# The last ones are no header of a script: browsers drop them.
_SCRIPT_HEADERS = (
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
# At the bounds of what a policy with credentials and "*" repeats.
_MANY_HEADERS = tuple(
    tuple((f"x-{number}", "1") for number in range(count)) for count in (64, 65)
)
_LONG_HEADERS = tuple(((f"x{'y' * (size - 1)}", "1"),) for size in (4096, 4097))
# "patch" is not PATCH to a browser, "delete" is DELETE.
SCRIPT_METHODS = (*METHODS, "delete", "patch", "M" * 64, "M" * 65)


@st.composite
def scripts(
    draw: st.DrawFn, from_origins: st.SearchStrategy[str], paths: Sequence[str] = PATHS
) -> Script:
    """What a page of one of these origins asks of the site."""
    usual = st.lists(
        st.sampled_from(_SCRIPT_HEADERS), max_size=3, unique_by=lambda header: header[0].lower()
    ).map(tuple)
    unusual = st.sampled_from([*_MANY_HEADERS, *_LONG_HEADERS])
    return Script(
        origin=draw(from_origins),
        method=draw(st.sampled_from(SCRIPT_METHODS)),
        headers=draw(st.one_of(usual, usual, usual, unusual)),
        credentials=draw(st.sampled_from(["omit", "same-origin", "include", "include"])),
        path=draw(st.sampled_from(paths)),
    )


# What no browser sends, but anybody else may; bytes are written as latin-1.
ODD_ORIGINS = (
    "", " ", "*", "NULL", "null ", "https://", "://", "https://example.com/", "HTTPS://EXAMPLE.COM",
    "https://example.com:443", "https://example.com, https://example.com", "https://example.com\t",
    "https://ex\xe4mple.com", "\x00", "\x80\xff", "https://a\x00.example.com",
    "https://example.com\x0b", "https://example.com:" + "8" * 5000, "https://" + "a." * 5000,
    "https://[::1", "https://a.example.com@evil.test", "a" * 327,
)  # fmt: skip


@st.composite
def raw_requests(draw: st.DrawFn, chosen: Options) -> tuple[str, str, Headers]:
    """Method, path and headers of a request that need not come from a browser."""
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
    method = draw(st.sampled_from([*METHODS, "OPTIONS", "OPTIONS", "OPTIONS"]))
    return method, draw(st.sampled_from(PATHS)), draw(st.permutations(headers))
