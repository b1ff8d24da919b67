"""``parse_url``: HTTP(S) URLs as browsers parse them, for request URLs and Location values.

https://url.spec.whatwg.org/#url-parsing, for http and https only. The standard library's
``urllib.parse`` follows RFC 3986 and differs: on backslashes, ``http:host``, control characters,
and unusual spellings of addresses and ports.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote_to_bytes

from corscore._standard.fetch import DEFAULT_PORTS
from corscore._standard.host import canonical_ipv4, canonical_ipv6, domain_to_ascii, ends_in_number
from corscore._standard.origin import split_port

_SCHEMES = ("http", "https")
_MAX_PORT = 65535

_C0_CONTROL_OR_SPACE = "".join(map(chr, range(0x21)))
_TAB_OR_NEWLINE = re.compile(r"[\t\n\r]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_SLASH = re.compile(r"[/\\]")
# https://url.spec.whatwg.org/#forbidden-domain-code-point
_FORBIDDEN_IN_DOMAIN = re.compile(r"[\x00-\x20#/:<>?@\[\\\]^|%\x7f]")
# https://url.spec.whatwg.org/#single-dot-path-segment and #double-dot-path-segment
_SINGLE_DOT = re.compile(r"\.|%2e", re.IGNORECASE)
_DOUBLE_DOT = re.compile(r"(\.|%2e){2}", re.IGNORECASE)


def _all_but(excluded: str) -> str:
    # quote() takes the characters to keep, and the standard names those to encode.
    return "".join(char for char in map(chr, range(0x21, 0x7F)) if char not in excluded)


# https://url.spec.whatwg.org/#percent-encoded-bytes, the percent-encode sets by name
_KEPT_IN_FRAGMENT = _all_but('"<>`')
_KEPT_IN_QUERY = _all_but("\"#<>'")
_KEPT_IN_PATH = _all_but('"#<>?^`{}')
_KEPT_IN_USERINFO = _all_but('"#<>?^`{}/:;=@[\\]|')


@dataclass(frozen=True, slots=True)
class Url:
    """A parsed HTTP(S) URL, with every part serialised.

    Attributes:
        scheme: ``"http"`` or ``"https"``.
        userinfo: ``"user:password"``, empty when there is none.
        host: A domain in ASCII lower case, an IPv4 address, or an IPv6 address in brackets.
        port: Its digits, empty for the scheme's default.
        path: Starts with ``/``.
        query: With its ``?``, or empty.
        fragment: With its ``#``, or empty.
    """

    scheme: str
    userinfo: str
    host: str
    port: str
    path: str
    query: str
    fragment: str

    @property
    def origin(self) -> str:
        """The origin in serialised form: https://url.spec.whatwg.org/#concept-url-origin."""
        return f"{self.scheme}://{self.host}{self.port and ':'}{self.port}"

    @property
    def without_fragment(self) -> str:
        """The URL as it is sent: a fragment never leaves the browser."""
        userinfo = f"{self.userinfo}@" if self.userinfo else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{userinfo}{self.host}{port}{self.path}{self.query}"

    def __str__(self) -> str:
        return self.without_fragment + self.fragment


def parse_url(text: str, base: Url | None = None) -> Url | None:
    """Return the URL that a browser parses ``text`` as, or None if it is no HTTP(S) URL.

    Args:
        text: Any string; none makes this raise.
        base: The base of relative references; without it they are no URLs.
    """
    text = _scalar_values(text).strip(_C0_CONTROL_OR_SPACE)
    text = _TAB_OR_NEWLINE.sub("", text)
    text, hash_, fragment = text.partition("#")
    fragment = hash_ and "#" + quote(fragment, safe=_KEPT_IN_FRAGMENT)
    match = _SCHEME.match(text)
    if match is None:
        return base and _relative(text, base, fragment)
    scheme, rest = match[1].lower(), text[match.end() :]
    if scheme not in _SCHEMES:
        return None
    # https://url.spec.whatwg.org/#special-relative-or-authority-state: "https:page" is relative.
    if base is not None and base.scheme == scheme and not rest.startswith("//"):
        return _relative(rest, base, fragment)
    return _absolute(scheme, rest, fragment)


def _scalar_values(text: str) -> str:
    # https://infra.spec.whatwg.org/#scalar-value-string: the parser gets no lone surrogates.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _relative(text: str, base: Url, fragment: str) -> Url | None:
    # https://url.spec.whatwg.org/#relative-state
    if _SLASH.match(text) and _SLASH.match(text, 1):
        return _absolute(base.scheme, text, fragment)
    path, query = _split_query(text)
    if not path:
        return replace(base, query=query or base.query, fragment=fragment)
    directory: list[str] = []
    if not _SLASH.match(path):
        directory = base.path[1:].split("/")[:-1]
        path = "/" + path
    return replace(base, path=_path(path, directory), query=query, fragment=fragment)


def _split_query(text: str) -> tuple[str, str]:
    path, mark, query = text.partition("?")
    return path, mark and "?" + quote(query, safe=_KEPT_IN_QUERY)


def _absolute(scheme: str, text: str, fragment: str) -> Url | None:
    # https://url.spec.whatwg.org/#special-authority-ignore-slashes-state: any number of slashes.
    before_query, query = _split_query(text.lstrip("/\\"))
    authority = _SLASH.split(before_query, maxsplit=1)[0]
    path = before_query[len(authority) :]
    written_userinfo, _, host_and_port = authority.rpartition("@")
    user, _, password = written_userinfo.partition(":")
    userinfo = quote(user, safe=_KEPT_IN_USERINFO)
    if password:
        userinfo += ":" + quote(password, safe=_KEPT_IN_USERINFO)
    written_host, written_port = split_port(host_and_port)
    host, port = _host(written_host), _port(written_port or "", scheme)
    if host is None or port is None:
        return None
    return Url(scheme, userinfo, host, port, _path(path, []), query, fragment)


def _host(text: str) -> str | None:
    # https://url.spec.whatwg.org/#concept-host-parser
    if text.startswith("["):
        address = canonical_ipv6(text[1:-1]) if text.endswith("]") else None
        return address and f"[{address}]"
    domain = domain_to_ascii(unquote_to_bytes(text).decode("utf-8", "replace"))
    if not domain or _FORBIDDEN_IN_DOMAIN.search(domain):
        return None
    return canonical_ipv4(domain) if ends_in_number(domain) else domain


def _port(text: str, scheme: str) -> str | None:
    # https://url.spec.whatwg.org/#port-state drops leading zeros.
    if not text:
        return ""
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(_MAX_PORT)) or int(digits) > _MAX_PORT:
        return None
    return "" if digits == DEFAULT_PORTS[scheme] else digits


def _path(text: str, directory: list[str]) -> str:
    # https://url.spec.whatwg.org/#path-state; `text` is empty or starts with a slash.
    segments = directory
    written = _SLASH.split(text)[1:] or [""]
    for position, segment in enumerate(written):
        is_last = position == len(written) - 1
        if _DOUBLE_DOT.fullmatch(segment):
            del segments[-1:]
        elif not _SINGLE_DOT.fullmatch(segment):
            segments.append(quote(segment, safe=_KEPT_IN_PATH))
            continue
        if is_last:
            segments.append("")
    return "/" + "/".join(segments)
