"""Which requests are what they seem to be: the protection that CORS itself does not give.

CORS says who may read a response. It stops neither a form that a page of another site posts, with
the visitor's cookies, nor a WebSocket that it opens. What is here does, where it is asked for.
"""

from __future__ import annotations

from corscore._config.origins import read_patterns
from corscore._config.spelling import Problems, Spelling, python_literal
from corscore._config.values import read_list
from corscore._standard.origin import is_own_origin, parse_origin
from corscore._standard.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from corscore._engine.context import RequestContext
    from corscore._policy.policy import Policy

# RFC 9110 section 9.2.1, without TRACE: what changes nothing is not worth forging.
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header: from the site's own pages,
# and from the address bar. A taken-over subdomain is "same-site".
_OWN_SITES = ("same-origin", "none")


def read_own_origins(value: object) -> frozenset[str]:
    """The site's own further origins, checked as those of a policy are.

    Args:
        value: Whole origins, without ``*``, as a list, tuple, set or frozenset.

    Raises:
        ConfigError: With all that is wrong, in the name of ``own_origins``.
    """
    problems = Problems(Spelling({"allow_origins": "own_origins"}, python_literal, "="))
    origins = read_list(problems, "allow_origins", value) or ()
    read_patterns(problems, [origin for origin in origins if "*" not in origin])
    for origin in origins:
        if "*" in origin:
            problems.add(
                "origin-wildcard-misplaced",
                "allow_origins",
                origin,
                f"{shown(origin)} leaves something open; the site's own origins are whole ones.",
                f"write {problems.literal('https://www.example.com')}",
            )
    problems.raise_all()
    return frozenset(origins)


def passes(
    request: RequestContext, policy: Policy, own_origins: Collection[str], *, origin_allowed: bool
) -> bool:
    """Whether a request may reach the application under ``block_cross_site=True``.

    Args:
        request: The request.
        policy: What governs it.
        own_origins: Further origins of the site itself.
        origin_allowed: Whether the policy allows the request's origin.
    """
    if request.method in _SAFE_METHODS:
        return True
    origin, site = request.origin, request.sec_fetch_site
    if site in _OWN_SITES:
        return True
    if site is None and (origin is None or _names_host(origin, request.host)):
        # No browser, or an old one. Where a browser says "cross-site", an equal host is no excuse:
        # that is a page that came over plain http.
        return True
    return origin is not None and _is_trusted(
        origin, policy, own_origins, origin_allowed=origin_allowed
    )


def admits_handshake(
    request: RequestContext, policy: Policy, own_origins: Collection[str], *, origin_allowed: bool
) -> bool:
    """Whether a WebSocket may be opened: RFC 6455 section 10.2.

    The arguments are those of ``passes``.
    """
    origin = request.origin
    if origin is None:
        # Not a browser, which sends one with every handshake.
        return True
    # Behind TLS that a proxy ends, the server sees "ws": hence the scheme does not count.
    return _names_host(origin, request.host) or _is_trusted(
        origin, policy, own_origins, origin_allowed=origin_allowed
    )


def _names_host(origin: str, host: str | None) -> bool:
    return host is not None and parse_origin(origin) is not None and is_own_origin(origin, host)


def _is_trusted(
    origin: str, policy: Policy, own_origins: Collection[str], *, origin_allowed: bool
) -> bool:
    # Whoever may not use cookies in a fetch shall not use them in a form or a handshake either.
    return origin in own_origins or (origin_allowed and policy.allow_credentials)
