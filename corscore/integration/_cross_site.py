"""Cross-site blocking: the requests and WebSockets that may reach the application.

CORS says who may read a response. It stops neither a form that a page of another site posts, with
the visitor's cookies, nor a WebSocket that it opens.
"""

from __future__ import annotations

import re

from corscore._config.origins import read_patterns
from corscore._config.spelling import Problems, Spelling, python_literal
from corscore._config.values import read_list
from corscore._standard.fetch import CORS_SAFELISTED_CONTENT_TYPES
from corscore._standard.grammar import mime_essence
from corscore._standard.origin import is_own_origin, parse_origin
from corscore._standard.text import escaped, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from corscore._engine.request import RequestInfo
    from corscore._policy.policy import Policy

# RFC 9110 section 9.2.1, without TRACE: they must not change anything.
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header: the site's own pages, and
# the address bar, which opens no WebSocket. An attacker's subdomain is "same-site".
_OWN_SITES = ("same-origin", "none")
_OWN_SITES_OF_WEBSOCKETS = ("same-origin",)
# Types that browsers send to any site without a preflight: for forms, beacons and scripts; for
# <a ping>; and for reports of violations, to a server that the page's own headers name.
# https://html.spec.whatwg.org/#hyperlink-auditing, https://w3c.github.io/webappsec-csp/#reporting
_TYPES_WITHOUT_PREFLIGHT = CORS_SAFELISTED_CONTENT_TYPES.union(
    ("text/ping", "application/csp-report", "application/reports+json")
)
# Several lines of Content-Type come as one value, and the browser may have sent any of them.
_HAS_TYPE_WITHOUT_PREFLIGHT = re.compile(
    rf"(?:\A|,)[ \t\r\n]*(?:{'|'.join(map(re.escape, sorted(_TYPES_WITHOUT_PREFLIGHT)))})"
    r"[ \t\r\n]*(?:[;,]|\Z)",
    re.ASCII | re.IGNORECASE,
)
# The schemes of pages that a Host header can name.
_SCHEMES = ("http", "https")


def read_own_origins(
    value: object, name: str = "own_origins", separator: str = "="
) -> frozenset[str]:
    """Read further origins of the site itself, and check them like those of a policy.

    Args:
        value: Whole origins, without ``*``, as a list, tuple, set or frozenset.
        name: The user's name of the option, in problems and hints.
        separator: The text between the name and a value.

    Raises:
        ConfigError: With every problem.
    """
    problems = Problems(Spelling({"allow_origins": name}, python_literal, separator))
    origins = read_list(problems, "allow_origins", value) or ()
    read_patterns(problems, [origin for origin in origins if "*" not in origin])
    for origin in origins:
        if "*" in origin:
            problems.add(
                "origin-wildcard-misplaced",
                "allow_origins",
                origin,
                f"{shown(origin)} is a pattern; the site's own origins are whole origins.",
                f"write {problems.literal('https://www.example.com')}",
            )
    problems.raise_all()
    return frozenset(origins)


def passes(
    request: RequestInfo, policy: Policy, own_origins: Collection[str], *, origin_allowed: bool
) -> bool:
    """Whether a request may reach the application under ``block_cross_site=True``.

    Args:
        request: The request.
        policy: The policy that governs it.
        own_origins: Further origins of the site itself.
        origin_allowed: Whether the policy allows the request's origin.
    """
    if request.method in _SAFE_METHODS or _is_own(request, _OWN_SITES):
        return True
    if request.origin is None:
        # A request that followed a preflight has an Origin.
        return False
    return request.origin in own_origins or (
        origin_allowed
        and (
            policy.allow_credentials
            or (request.header("Cookie") is None and _follows_preflight(request))
        )
    )


def admits_handshake(
    request: RequestInfo, policy: Policy, own_origins: Collection[str], *, origin_allowed: bool
) -> bool:
    """Whether a WebSocket may be opened: RFC 6455 section 10.2.

    The arguments are those of ``passes``.
    """
    # Browsers send an Origin with every handshake, and cookies with it.
    return (
        request.origin is None
        or _is_own(request, _OWN_SITES_OF_WEBSOCKETS)
        or request.origin in own_origins
        or (origin_allowed and policy.allow_credentials)
    )


def is_from_own_origin(request: RequestInfo, own_origins: Collection[str]) -> bool:
    """Whether a request's Origin is the site's own, for logs, resolvers and callbacks.

    ``passes`` also reads ``Sec-Fetch-Site``: where that is sent, an equal host proves nothing.
    """
    return request.is_own_origin or request.origin in own_origins


def host_note(request: RequestInfo, *, is_handshake: bool = False) -> str:
    """The end of a refusal's log line if a proxy may have rewritten Host, or an empty string.

    Args:
        request: A request or handshake that was refused.
        is_handshake: Whether it opens a WebSocket.
    """
    origin = request.origin
    if request.sec_fetch_site is not None or origin is None or request.is_preflight:
        return ""
    if request.method in ("GET", "HEAD") and not is_handshake:
        # Pages send these without an Origin to their own site.
        return ""
    parsed = parse_origin(origin)
    if parsed is None or parsed.scheme not in _SCHEMES:
        return ""
    host = "no Host" if request.host is None else f"Host {escaped(request.host)}"
    return (
        f"; compared with {host}: if this is an origin of the site itself, a proxy has rewritten "
        "Host; pass it on unchanged (nginx: proxy_set_header Host $http_host), or add the origin "
        "to own_origins"
    )


def _is_own(request: RequestInfo, own_sites: tuple[str, ...]) -> bool:
    """Whether a page of the site itself made the request, or no browser did."""
    site, origin, host = request.sec_fetch_site, request.origin, request.host
    if site is not None:
        # Only this counts: an equal host beside "cross-site" is the same host over plain http.
        return site in own_sites
    if origin is None:
        return True
    if host is None or not is_own_origin(origin, host):
        return False
    # The scheme need not be the request's: behind a proxy that ends TLS, the server sees "http".
    parsed = parse_origin(origin)
    return parsed is not None and parsed.scheme in _SCHEMES


def _follows_preflight(request: RequestInfo) -> bool:
    """Whether a browser has to send a preflight before this request of an unsafe method.

    https://fetch.spec.whatwg.org/#cors-safelisted-request-header. Other headers prove nothing:
    browsers and proxies add some.
    """
    if request.method.upper() != "POST":
        return True
    scheme = (request.header("Authorization") or "").partition(" ")[0]
    # Browsers send other schemes by themselves, with a password that was typed before.
    return scheme.lower() == "bearer" or _is_unsafe_type(request.header("Content-Type") or "")


def _is_unsafe_type(content_type: str) -> bool:
    if mime_essence(content_type) is None:
        return False
    return _HAS_TYPE_WITHOUT_PREFLIGHT.search(content_type) is None
