"""Header lists as a browser builds, reads and checks them.

https://fetch.spec.whatwg.org/#terminology-headers. A header list is a tuple of pairs of str: the
names in lower case, the values decoded as latin-1 and stripped of white space.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from corscore._standard.fetch import (
    CORS_SAFELISTED_CONTENT_TYPES,
    CORS_SAFELISTED_REQUEST_HEADERS,
    FORBIDDEN_METHODS,
    METHOD_OVERRIDE_HEADERS,
    is_forbidden_request_header,
)
from corscore._standard.grammar import is_token, mime_essence
from corscore.browser._deviations import Browser, deviates

HeaderList = tuple[tuple[str, str], ...]


class SupportsItems(Protocol):
    """A mapping of header names to values, such as a dict or an ``http.client.HTTPMessage``."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return the pairs of names and values."""
        ...


HeadersInput = Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]] | SupportsItems
"""The accepted forms of headers: pairs of str or of bytes, or a mapping of str."""

_TAB_OR_SPACE = " \t"
_HTTP_WHITESPACE = " \t\r\n"

# https://fetch.spec.whatwg.org/#no-cors-safelisted-request-header-name
_NO_CORS_SAFELISTED = ("accept", "accept-language", "content-language", "content-type")

_MAX_SAFELISTED_VALUE = 128
_MAX_SAFELISTED_TOTAL = 1024

# https://fetch.spec.whatwg.org/#cors-unsafe-request-header-byte
_UNSAFE_BYTE = re.compile(r'[\x00-\x08\x0a-\x1f"():<>?@\[\\\]{}\x7f]')
# https://fetch.spec.whatwg.org/#cors-safelisted-request-header, for the two language headers
_UNSAFE_IN_LANGUAGE = re.compile(r"[^0-9A-Za-z *,\-.;=]")
# https://fetch.spec.whatwg.org/#simple-range-header-value without white space, and with a start
_SIMPLE_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]*)")

_NUMBER = re.compile(r"[0-9]+")
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
CLIENT_HINTS = {
    "save-data": re.compile("on", re.IGNORECASE),
    "dpr": _DECIMAL,
    "device-memory": _DECIMAL,
    "downlink": _DECIMAL,
    "width": _NUMBER,
    "viewport-width": _NUMBER,
    "rtt": _NUMBER,
    "ect": re.compile("slow-2g|[234]g"),
}
"""The values of client hints for which Chromium sends no preflight."""

# The lowest number in a Range for which a browser sends a preflight.
_RANGE_LIMITS: dict[Browser, int] = {
    "chromium": 2**63 - 1,
    "firefox": 2**64,
    "safari": 2**64,
}

# A comma, an HTTP quoted string (https://fetch.spec.whatwg.org/#collect-an-http-quoted-string),
# or the text between two of those.
_PIECE_OF_LIST = re.compile(r',|"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[^",]+', re.DOTALL)


def header_list(headers: HeadersInput) -> HeaderList:
    """Return a server's headers as a header list, without lines whose name is no token."""
    return tuple(
        (name.lower(), value.strip(_TAB_OR_SPACE))
        for name, value in decoded_headers(headers)
        if is_token(name)
    )


def as_received(headers: HeaderList, browser: Browser | None) -> HeaderList:
    """Return a response's headers as a browser reads them."""
    if not deviates(browser, "empty-lines-are-ignored"):
        return headers
    filled = {name for name, value in headers if value}
    kept = [pair for pair in headers if pair[1] or pair[0] not in filled]
    # One of several empty lines remains.
    return tuple(pair for i, pair in enumerate(kept) if pair[1] or pair not in kept[:i])


def decoded_headers(headers: HeadersInput) -> HeaderList:
    """Return the pairs as text, names as they are written."""
    # isinstance() with a protocol takes longer than all the rest.
    items: Callable[[], Iterable[tuple[str, str]]] | None = getattr(headers, "items", None)
    pairs: Any = headers if items is None else items()
    return tuple((_text(name), _text(value)) for name, value in pairs)


def _text(value: object) -> str:
    # https://infra.spec.whatwg.org/#isomorphic-decode
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def values(headers: HeaderList, name: str) -> list[str]:
    """Return the value of every line of a name."""
    return [value for other, value in headers if other == name]


def get(headers: HeaderList, name: str) -> str | None:
    """Return the combined values of a name, or None.

    https://fetch.spec.whatwg.org/#concept-header-list-get
    """
    found = values(headers, name)
    return ", ".join(found) if found else None


def extract_list(headers: HeaderList, name: str) -> tuple[str, ...] | None:
    """Return the elements of a header that is a list of tokens: ``#method`` or ``#field-name``.

    https://fetch.spec.whatwg.org/#extract-header-list-values with RFC 9110, section 5.6.1.2, which
    skips empty elements.

    Returns:
        An empty tuple without such a header; None if an element is no token.
    """
    tokens = items(headers, name)
    return tokens if all(map(is_token, tokens)) else None


def items(headers: HeaderList, name: str) -> tuple[str, ...]:
    """Return the elements of a header that is a list, without empty ones."""
    elements = (
        element.strip(_TAB_OR_SPACE)
        for value in values(headers, name)
        for element in value.split(",")
    )
    return tuple(filter(None, elements))


def sort_and_combine(headers: HeaderList) -> HeaderList:
    """Return the list as a script sees it: one pair a name, sorted by name.

    https://fetch.spec.whatwg.org/#concept-header-list-sort-and-combine
    """
    combined: dict[str, list[str]] = {}
    for name, value in headers:
        combined.setdefault(name, []).append(value)
    return tuple((name, ", ".join(combined[name])) for name in sorted(combined))


def author_headers(headers: HeadersInput, *, no_cors: bool = False) -> HeaderList:
    """Return the headers of a script that a request keeps; forbidden ones are dropped silently.

    https://fetch.spec.whatwg.org/#concept-headers-append. In mode "no-cors" four names are kept,
    as long as the combined value of each is safelisted.

    Raises:
        ValueError: A name is no token, or a value has NUL, CR or LF in it or is not latin-1.
    """
    kept: list[tuple[str, str]] = []
    for written, text in decoded_headers(headers):
        if not is_token(written):
            raise ValueError(f"{written!a} is not a header name")
        name, value = written.lower(), header_value(text)
        if is_forbidden(name, value):
            continue
        if no_cors:
            combined = ", ".join([*(known for other, known in kept if other == name), value])
            if name not in _NO_CORS_SAFELISTED or not is_safelisted(name, combined):
                continue
        kept.append((name, value))
    return tuple(kept)


def header_value(text: str) -> str:
    """Return a script's value, normalised: https://fetch.spec.whatwg.org/#concept-header-value.

    Raises:
        ValueError: It has NUL, CR or LF in it, or a character that is not latin-1.
    """
    value = text.strip(_HTTP_WHITESPACE)
    if any(char in "\0\r\n" or char > "\xff" for char in value):
        raise ValueError(f"{text!a} is not a header value: it has NUL, CR, LF or non-latin-1 text")
    return value


def is_forbidden(name: str, value: str) -> bool:
    """Return whether scripts may not set this header.

    https://fetch.spec.whatwg.org/#forbidden-request-header
    """
    if is_forbidden_request_header(name):
        return True
    return name in METHOD_OVERRIDE_HEADERS and any(
        method.upper() in FORBIDDEN_METHODS for method in _decode_and_split(value)
    )


def _decode_and_split(value: str) -> list[str]:
    # https://fetch.spec.whatwg.org/#header-value-get-decode-and-split: quoted commas stay.
    elements = [""]
    for piece in _PIECE_OF_LIST.findall(value):
        if piece == ",":
            elements.append("")
        else:
            elements[-1] += piece
    return [element.strip(_TAB_OR_SPACE) for element in elements]


def is_safelisted(name: str, value: str, browser: Browser | None = None) -> bool:
    """Return whether a header with this value needs no preflight.

    https://fetch.spec.whatwg.org/#cors-safelisted-request-header
    """
    if len(value) > _MAX_SAFELISTED_VALUE:
        return False
    if name in CLIENT_HINTS and deviates(browser, "client-hints-are-safe"):
        return CLIENT_HINTS[name].fullmatch(value) is not None
    if name not in CORS_SAFELISTED_REQUEST_HEADERS:
        return False
    ascii_only = deviates(browser, "accept-is-ascii")
    if name == "accept":
        return _UNSAFE_BYTE.search(value) is None and (value.isascii() or not ascii_only)
    if name == "content-type":
        return (
            _UNSAFE_BYTE.search(value) is None
            and mime_essence(value) in CORS_SAFELISTED_CONTENT_TYPES
            and not (ascii_only and ("," in value or not value.isascii()))
        )
    if name == "range":
        return _is_simple_range(value, browser)
    return _UNSAFE_IN_LANGUAGE.search(value) is None


def _is_simple_range(value: str, browser: Browser | None) -> bool:
    if deviates(browser, "range-unit-in-any-case"):
        value = value.lower()
    match = _SIMPLE_RANGE.fullmatch(value)
    if match is None:
        return False
    ends = [int(number) for number in match.groups() if number]
    is_short = browser is None or ends[-1] < _RANGE_LIMITS[browser]
    return ends == sorted(ends) and (is_short or not deviates(browser, "long-range-is-unsafe"))


def unsafe_names(headers: HeaderList, browser: Browser | None = None) -> tuple[str, ...]:
    """Return the names that a preflight has to ask for, sorted.

    https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names: headers that are not
    safelisted, and the safelisted ones as well if their values together exceed 1,024 bytes.
    """
    if deviates(browser, "repeated-headers-are-joined"):
        headers = sort_and_combine(headers)
    unsafe, safe, size = [], [], 0
    for name, value in headers:
        if is_safelisted(name, value, browser):
            safe.append(name)
            size += len(value)
        else:
            unsafe.append(name)
    if size > _MAX_SAFELISTED_TOTAL and not deviates(browser, "values-without-total"):
        unsafe += safe
    if deviates(browser, "repeated-headers-are-repeated"):
        return tuple(sorted(unsafe))
    return tuple(sorted(set(unsafe)))
