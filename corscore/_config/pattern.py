"""The grammar of origin patterns. ``advice`` explains the texts that are not in it."""

from __future__ import annotations

from corscore._standard.host import MAX_HOST_LENGTH, ends_in_number, has_valid_punycode, is_domain
from corscore._standard.origin import parse_origin

ANY = "*"
ANY_PORT = "*"
SUBDOMAINS = "*."
_SHORTEST_LABEL_AND_DOT = len("a.")
_LOCAL_HOSTS = ("localhost", "localhost.")


class Pattern:
    """The parts of ``scheme://[*.]host[:port]``.

    Attributes:
        scheme: Never empty.
        subdomains: Whether the pattern covers one or more labels before ``.host``.
        host: A domain, an IPv4 address, or an IPv6 address in its brackets.
        port: ``"8443"``, empty for the scheme's default, or ``"*"`` for any and none.
    """

    __slots__ = ("host", "port", "scheme", "subdomains")

    def __init__(self, scheme: str, subdomains: bool, host: str, port: str) -> None:
        self.scheme = scheme
        self.subdomains = subdomains
        self.host = host
        self.port = port

    def __str__(self) -> str:
        star = SUBDOMAINS if self.subdomains else ""
        colon = ":" if self.port else ""
        return f"{self.scheme}://{star}{self.host}{colon}{self.port}"

    @property
    def any_port(self) -> bool:
        """Whether the pattern covers any port."""
        return self.port == ANY_PORT

    @property
    def is_insecure(self) -> bool:
        """Whether traffic of the origin can be read and changed on the network.

        True for plain http, except on the hosts that
        https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy trusts. Schemes
        other than http and https belong to applications on the device.
        """
        return self.scheme == "http" and not is_loopback(self.host)


def parse_pattern(text: str) -> Pattern | None:
    """Parse an origin as browsers send it, with ``*`` for leading labels or for the port.

    Returns:
        None if ``text`` is no pattern; ``"*"`` alone counts as none.
    """
    scheme, separator, rest = text.partition("://")  # pragma: no mutate: an origin has one
    subdomains = rest.startswith(SUBDOMAINS)
    any_port = rest.endswith(f":{ANY_PORT}")
    plain = rest.removeprefix(SUBDOMAINS)
    origin = parse_origin(scheme + separator + (plain[:-2] if any_port else plain))
    if origin is None or (any_port and origin.port):
        return None
    if subdomains and not (is_domain(origin.host) and _leaves_room(origin.host)):
        return None
    if subdomains and ends_in_number(origin.host):
        return None
    if not has_valid_punycode(origin.host):
        return None
    return Pattern(scheme, subdomains, origin.host, ANY_PORT if any_port else origin.port)


def is_address(host: str) -> bool:
    """Whether a host is an IPv4 or an IPv6 address, which has no subdomains."""
    return host.startswith("[") or ends_in_number(host)


def is_loopback(host: str) -> bool:
    """Whether a host is the machine itself."""
    return (
        host in _LOCAL_HOSTS
        or host.endswith((".localhost", ".localhost."))
        or host == "[::1]"
        or (host.startswith("127.") and ends_in_number(host))
    )


def _leaves_room(host: str) -> bool:
    return len(host) + _SHORTEST_LABEL_AND_DOT <= MAX_HOST_LENGTH
