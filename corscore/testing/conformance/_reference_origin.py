"""The origins that a pattern covers, computed in a slow and obvious way to test the engine.

Nothing here is shared with the engine. Hosts follow the WHATWG URL Standard
(https://url.spec.whatwg.org/#host-writing), origins RFC 6454, section 6.2.
"""

from __future__ import annotations

import ipaddress
import string

LABEL_BYTES = set(string.ascii_lowercase + string.digits + "_-")
SCHEME_BYTES = set(string.ascii_lowercase + string.digits + "+.-")
DEFAULT_PORTS = {"ftp": "21", "http": "80", "https": "443", "ws": "80", "wss": "443"}
LONGEST_SCHEME = 64
LONGEST_LABEL = 63
LONGEST_HOST = 253
HIGHEST_PORT = 65535
IPV6_PIECES = 8


def split(text: str) -> tuple[str, str, str] | None:
    """Return scheme, host and port (with its colon, or empty); None without a scheme."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return None
    bracket = rest.find("]") if rest.startswith("[") else 0
    if bracket < 0:
        return None
    colon = rest.find(":", bracket)
    return (scheme, rest, "") if colon < 0 else (scheme, rest[:colon], rest[colon:])


def is_scheme(text: str) -> bool:
    return (
        0 < len(text) <= LONGEST_SCHEME
        and set(text) <= SCHEME_BYTES
        and text[0] in string.ascii_lowercase
        and text != "file"
    )


def is_port(text: str, scheme: str) -> bool:
    """Return whether a browser prints this port: nothing, or a colon and a number."""
    if text == "":
        return True
    digits = text[1:]
    return (
        0 < len(digits) <= len(str(HIGHEST_PORT))
        and set(digits) <= set(string.digits)
        and digits == str(int(digits))
        and 1 <= int(digits) <= HIGHEST_PORT
        and DEFAULT_PORTS.get(scheme) != digits
    )


def are_labels(host: str) -> bool:
    """Return whether these are non-empty labels of at most 63 bytes; a last dot may follow."""
    labels = host.removesuffix(".").split(".")
    return len(host) <= LONGEST_HOST and all(
        label and len(label) <= LONGEST_LABEL and set(label) <= LABEL_BYTES for label in labels
    )


def is_numeric(label: str) -> bool:
    """Return whether a host with this last label ends in a number, by the URL Standard."""
    if label.startswith("0x"):
        return set(label[2:]) <= set("0123456789abcdef")
    return label != "" and set(label) <= set(string.digits)


def is_ipv4(host: str) -> bool:
    parts = host.split(".")
    return len(parts) == 4 and all(
        part != ""
        and set(part) <= set(string.digits)
        and part == str(int(part))
        and int(part) < 256
        for part in parts
    )


def serialised_ipv6(packed: bytes) -> str:
    """Return an address as the URL Standard's IPv6 serializer prints it."""
    pieces = [f"{packed[i] * 256 + packed[i + 1]:x}" for i in range(0, 16, 2)]
    best = (0, 0)
    for start in range(IPV6_PIECES):
        end = start
        while end < IPV6_PIECES and pieces[end] == "0":
            end += 1
        if end - start > max(best[1], 1):
            best = (start, end - start)
    if not best[1]:
        return ":".join(pieces)
    return ":".join(pieces[: best[0]]) + "::" + ":".join(pieces[sum(best) :])


def is_ipv6(host: str) -> bool:
    if not (host.startswith("[") and host.endswith("]")):
        return False
    try:
        packed = ipaddress.IPv6Address(host[1:-1]).packed
    except ValueError:
        return False
    return host[1:-1] == serialised_ipv6(packed)


def is_name(host: str) -> bool:
    return are_labels(host) and not is_numeric(host.removesuffix(".").rpartition(".")[2])


def is_application(scheme: str, host: str) -> bool:
    """Return whether only an application has this host: Electron, or an extension of Safari."""
    if scheme == "safari-web-extension":
        return is_name(host.lower())
    return host == "." and scheme not in DEFAULT_PORTS


def is_pattern(text: str) -> bool:
    """Return whether a policy without credentials accepts the pattern."""
    if text == "*":
        return True
    parts = split(text)
    if parts is None:
        return False
    scheme, host, port = parts
    if not is_scheme(scheme) or not (port == ":*" or is_port(port, scheme)):
        return False
    if host.startswith("*."):
        # The star covers at least one byte, so that it counts in the length.
        return is_name(host[2:]) and len(host) <= LONGEST_HOST
    return is_name(host) or is_ipv4(host) or is_ipv6(host) or is_application(scheme, host)


def covers(pattern: str, origin: str) -> bool:
    """Return whether a valid pattern covers the Origin of a request."""
    if pattern == "*":
        return True
    wanted, given = split(pattern), split(origin)
    if wanted is None or given is None or wanted[0] != given[0]:
        return False
    if wanted[2] == ":*":
        if not is_port(given[2], given[0]):
            return False
    elif wanted[2] != given[2]:
        return False
    if not wanted[1].startswith("*."):
        return wanted[1] == given[1]
    suffix, labels = wanted[1][2:].split("."), given[1].split(".")
    return len(labels) > len(suffix) and labels[-len(suffix) :] == suffix and are_labels(given[1])
