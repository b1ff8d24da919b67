"""The parser of the Origin header, in bounded time and without exceptions.

RFC 6454 section 7, https://fetch.spec.whatwg.org/#origin-header and
https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin.
"""

from __future__ import annotations

from corscore._standard.fetch import DEFAULT_PORTS
from corscore._standard.host import MAX_HOST_LENGTH, is_canonical_host, is_domain

MAX_SCHEME_LENGTH = 64
_MAX_PORT_LENGTH = 5
# scheme "://" host ":65535"; a longer Origin is refused unread.
MAX_ORIGIN_LENGTH = MAX_SCHEME_LENGTH + 3 + MAX_HOST_LENGTH + 1 + _MAX_PORT_LENGTH

_SAFARI_EXTENSION = "safari-web-extension"
_SCHEME_START = frozenset("abcdefghijklmnopqrstuvwxyz")
_SCHEME = _SCHEME_START.union("0123456789+.-")


class Origin:
    """The parts of a well-formed origin; ``port`` is empty if the origin has none."""

    __slots__ = ("host", "port", "scheme")

    def __init__(self, scheme: str, host: str, port: str) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port


def parse_origin(text: str) -> Origin | None:
    """The parts of an origin in the form that browsers send, or None for any other text.

    Nothing is corrected: a default port, an upper-case letter and a path give None. So does
    ``"null"``.
    """
    if len(text) > MAX_ORIGIN_LENGTH:
        return None
    scheme, _, authority = text.partition("://")  # pragma: no mutate: a second one is refused
    if not is_scheme(scheme):
        return None
    host, port = split_port(authority)
    if port is not None and not is_port(port, scheme):
        return None
    if not is_canonical_host(host) and not _is_application_host(scheme, host):
        return None
    return Origin(scheme, host, port or "")


def _is_application_host(scheme: str, host: str) -> bool:
    """Whether a desktop application or an extension sends this host, which no website has."""
    # https://url.spec.whatwg.org/#concept-opaque-host-parser
    if scheme in DEFAULT_PORTS:
        return False
    # Safari writes the UUID of an extension in upper case.
    if scheme == _SAFARI_EXTENSION:
        return host.isascii() and is_domain(host.lower())
    # Pages of Electron are often at app://.
    return host == "."


def is_scheme(text: str) -> bool:
    """Whether ``text`` is a URL scheme in lower case, of at most 64 bytes.

    Not ``file``: the origin of pages from files is ``null``.
    """
    return (
        0 < len(text) <= MAX_SCHEME_LENGTH
        and text[0] in _SCHEME_START
        and _SCHEME.issuperset(text)
        and text != "file"
    )


def split_port(authority: str) -> tuple[str, str | None]:
    """Host and port of ``host[:port]``; without a colon the port is None."""
    closing = authority.rfind("]")
    colon = authority.find(":", closing + 1)
    if colon < 0:
        return authority, None
    return authority[:colon], authority[colon + 1 :]


def is_port(text: str, scheme: str) -> bool:
    """Whether ``text`` is 1 to 65535 without leading zeros, and not the scheme's default port."""
    return (
        len(text) <= _MAX_PORT_LENGTH
        and text.isascii()
        and text.isdigit()
        and text[0] != "0"
        and int(text) <= 65535
        and text != DEFAULT_PORTS.get(scheme)
    )


def is_own_origin(origin: str, host: str) -> bool:
    """Whether ``origin`` names the host and port of the request's own Host header.

    The scheme is not compared: behind a proxy that ends TLS the server does not know it.
    """
    scheme, separator, authority = origin.partition("://")
    if not separator:
        return False
    own = host.lower()
    return authority == own or f"{authority}:{DEFAULT_PORTS.get(scheme)}" == own
