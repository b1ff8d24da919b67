"""Tokens and lists of tokens (RFC 9110), the grammar of CORS headers; and MIME types.

    token = 1*tchar                                                   (section 5.6.2)
    tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "."
          / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA
    #element => [ element ] *( OWS "," OWS [ element ] )              (section 5.6.1.2)

Values from a request are read in linear time; a value that is too long is refused unread.
"""

from __future__ import annotations

TCHAR = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

# Chromium sends methods of any length, but no server routes longer ones.
MAX_METHOD_LENGTH = 64
# A preflight lists only the names that a script sets: dozens at the most.
MAX_REQUEST_HEADERS_LENGTH = 4096
MAX_REQUEST_HEADERS_NAMES = 64

OWS = " \t"
# https://fetch.spec.whatwg.org/#http-whitespace
_HTTP_WHITESPACE = " \t\r\n"


def is_token(text: str) -> bool:
    """Whether ``text`` is a token (RFC 9110, section 5.6.2), as methods and header names are."""
    return text != "" and TCHAR.issuperset(text)


def is_requested_method(text: str) -> bool:
    """Whether an Access-Control-Request-Method is one token of at most 64 bytes."""
    return len(text) <= MAX_METHOD_LENGTH and is_token(text)


def parse_requested_headers(text: str) -> tuple[str, ...] | None:
    """The names in an Access-Control-Request-Headers value, in lower case.

    Empty list elements are skipped, as RFC 9110 section 5.6.1.2 asks of a recipient.

    Returns:
        None if the value is no list of tokens, or has more than 4,096 bytes or 64 names.
    """
    if len(text) > MAX_REQUEST_HEADERS_LENGTH:
        return None
    names: list[str] = []
    for element in text.split(","):
        name = element.strip(OWS)
        if not name:
            continue
        if len(names) == MAX_REQUEST_HEADERS_NAMES or not is_token(name):
            return None
        names.append(name.lower())
    return tuple(names)


def mime_essence(text: str) -> str | None:
    """The ``type/subtype`` of a MIME type in lower case, or None if it is invalid.

    https://mimesniff.spec.whatwg.org/#parsing-a-mime-type; parameters are not checked.
    """
    type_, _, rest = text.strip(_HTTP_WHITESPACE).partition("/")
    subtype = rest.partition(";")[0].rstrip(_HTTP_WHITESPACE)
    if not (is_token(type_) and is_token(subtype)):
        return None
    return f"{type_}/{subtype}".lower()
