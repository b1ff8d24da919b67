# cython: language_level=3, annotation_typing=False, nonecheck=True, binding=False
"""``Matcher``: the origins that a list of patterns covers.

One source, two builds: this file runs as it is, and Cython compiles it a second time as
``matcher_c`` with the C types of ``matcher_c.pxd``. A matcher compares bytes as servers pass them,
without correcting them, and never raises. It never changes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from corscore._config.pattern import Pattern

_MAX_SCHEME_LENGTH = 64
_MAX_HOST_LENGTH = 253
# The longest scheme, "://", the longest host, ":65535".
_MAX_ORIGIN_LENGTH = _MAX_SCHEME_LENGTH + 3 + _MAX_HOST_LENGTH + 6
_MAX_LABEL_LENGTH = 63
_MAX_PORT_LENGTH = 5
# The last label, and the port behind it.
_MAX_LAST_LENGTH = _MAX_LABEL_LENGTH + 1 + _MAX_PORT_LENGTH
_DEFAULT_PORTS = {
    b"http://": b"80",
    b"https://": b"443",
    b"ws://": b"80",
    b"wss://": b"443",
    b"ftp://": b"21",
}

_DOT = 0x2E
_ZERO = 0x30
_NINE = 0x39
_COLON = 0x3A
_BRACKET = 0x5D
# For each byte, whether a label can contain it.
_IN_LABEL = bytes(byte in b"abcdefghijklmnopqrstuvwxyz0123456789-_" for byte in range(256))


class Matcher:
    """The origins that a list of patterns covers.

    Looking an origin up costs the same for ten patterns and for a million: one probe for the whole
    origin, one without its port, and one for each suffix of the host at a depth that occurs in the
    configuration. The labels before a suffix are looked at only when the suffix is a known one.
    """

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        exact = set()
        any_port = set()
        # ".example.com:8443" -> the schemes that were configured with it, as b"https://".
        suffixes: dict[bytes, tuple[bytes, ...]] = {}
        any_port_suffixes: dict[bytes, tuple[bytes, ...]] = {}
        shared: dict[tuple[bytes, ...], tuple[bytes, ...]] = {}
        depths = {0}  # pragma: no mutate: a suffix is at another depth
        for pattern in patterns:
            if not pattern.subdomains and not pattern.any_port:
                exact.add(str(pattern).encode())
                continue
            scheme = f"{pattern.scheme}://".encode()
            host = pattern.host.encode()
            if not pattern.subdomains:
                any_port.add(scheme + host)
                continue
            suffix = b"." + host
            depths.add(suffix.count(b"."))
            table = any_port_suffixes
            if not pattern.any_port:
                table = suffixes
                suffix += b":" + pattern.port.encode() if pattern.port else b""
            schemes = table.get(suffix, ())
            if scheme not in schemes:
                # Most suffixes have the same schemes, which are kept once.
                schemes = (*schemes, scheme)
                table[suffix] = shared.setdefault(schemes, schemes)
        self.exact: frozenset[bytes] = frozenset(exact)
        self._any_port = frozenset(any_port)
        self._suffixes = suffixes
        self._any_port_suffixes = any_port_suffixes
        self._max_depth = max(depths)
        all_depths = range(self._max_depth + 1)  # pragma: no mutate: a longer one is not read
        self._depths = bytes(depth in depths for depth in all_depths)
        self._has_any_port = bool(any_port or any_port_suffixes)
        self._is_open = bool(suffixes or self._has_any_port)

    def matches_open(self, origin: bytes) -> bool:
        """Whether a pattern with ``*.`` or ``:*`` covers the origin."""
        length = len(origin)
        if not self._is_open or length > _MAX_ORIGIN_LENGTH:  # pragma: no mutate: for speed
            return False
        if self._is_below(origin, length, self._suffixes):
            return True
        if not self._has_any_port:
            return False
        # When compiled, a pointer to the same bytes: indexing and slicing it make no objects.
        text = origin
        start = _start_of_host(text, length)
        end = _end_of_host(text, start, length)
        if end < length and not _is_port(text, start, end + 1, length):
            return False
        return text[:end] in self._any_port or self._is_below(origin, end, self._any_port_suffixes)

    def _is_below(self, origin: bytes, end: int, suffixes: dict[bytes, tuple[bytes, ...]]) -> bool:
        """Whether the origin up to ``end`` is one or more labels before a suffix of the table."""
        text = origin
        depth = 0
        dot = end
        while depth < self._max_depth:
            dot -= 1
            # Bounded: not even the last label with its port is longer.
            stop = max(0, dot - _MAX_LAST_LENGTH)  # pragma: no mutate: no dot is that far left
            while dot >= stop and text[dot] != _DOT:  # pragma: no mutate: only dots begin suffixes
                dot -= 1
            if dot < stop:
                return False
            depth += 1
            if self._depths[depth]:
                schemes = suffixes.get(text[dot:end])
                if schemes is not None and origin.startswith(schemes):
                    # A longer suffix need not be tried: it would leave fewer of the same labels.
                    start = _start_of_host(text, end)
                    host = _end_of_host(text, start, end) - start
                    return host <= _MAX_HOST_LENGTH and _are_labels(text, start, dot)
        return False


def _start_of_host(origin: bytes, length: int) -> int:
    """The index of the byte behind "://", if the origin begins with a scheme."""
    i = 1
    while i < length and origin[i] != _COLON:
        i += 1
    return i + 3


def _end_of_host(origin: bytes, start: int, length: int) -> int:
    """The index of the port's colon, or the end; colons in brackets belong to an address."""
    i = length - 1
    # Bounded: a port has at most five digits, and a host has no colon outside of brackets.
    stop = max(start, i - _MAX_PORT_LENGTH)
    while i >= stop and origin[i] != _BRACKET:
        if origin[i] == _COLON:
            return i
        i -= 1
    return length


def _is_port(origin: bytes, host: int, start: int, end: int) -> bool:
    """Whether the bytes from ``start`` are a port, and not the default port of the scheme."""
    if not 0 < end - start <= _MAX_PORT_LENGTH or origin[start] == _ZERO:
        return False
    number = 0
    for i in range(start, end):
        if not _ZERO <= origin[i] <= _NINE:
            return False
        number = number * 10 + (origin[i] - _ZERO)
    return number <= 65535 and origin[start:end] != _DEFAULT_PORTS.get(origin[:host])


def _are_labels(origin: bytes, start: int, end: int) -> bool:
    """Whether the bytes from ``start`` to ``end`` are labels of a host in lower case."""
    length = 0
    for i in range(start, end):
        if origin[i] == _DOT:
            if length == 0:
                return False
            length = 0
        elif not _IN_LABEL[origin[i]] or length == _MAX_LABEL_LENGTH:
            return False
        else:
            length += 1
    return length > 0
