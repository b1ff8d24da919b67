"""Advice on a literal that is no origin pattern: its mistakes, and the pattern probably meant.

Each step notes one kind of mistake and corrects it. The corrected text is suggested if it is a
pattern.
"""

from __future__ import annotations

import re

from corscore._config.pattern import (
    ANY,
    ANY_PORT,
    SUBDOMAINS,
    Pattern,
    is_address,
    is_loopback,
    parse_pattern,
)
from corscore._standard.fetch import DEFAULT_PORTS, OPAQUE_ORIGIN
from corscore._standard.host import (
    canonical_ipv4,
    canonical_ipv6,
    domain_to_ascii,
    has_valid_punycode,
    is_domain,
)
from corscore._standard.origin import is_port, is_scheme, split_port

Mistake = tuple[str, str]
"""The code of a problem, and the predicate of its message, such as "has no scheme"."""

_TO_LOWER = str.maketrans({chr(upper): chr(upper + 32) for upper in range(65, 91)})
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"
_SPACE_OR_CONTROL = re.compile(r"[\s\x00-\x20\x7f]")
_END_OF_AUTHORITY = re.compile(r"[/?#\\]")
# Scheme and host with one or two of the three characters between them missing.
_SCHEME_WITHOUT_SEPARATOR = re.compile(r"(https?)(?::/?|//)(?=[^0-9*/])", re.IGNORECASE)
_SCHEME_AGAIN = re.compile(r"https?://", re.IGNORECASE)
# Schemes of documents without an origin of their own.
_OPAQUE = re.compile(r"(about|data|javascript|mailto):", re.IGNORECASE)


def explain_literal(text: str) -> tuple[list[Mistake], str | None]:
    """Explain a literal that is no origin pattern.

    Returns:
        At least one mistake, in the order of the literal, and a pattern to suggest, or None.
    """
    reader = _Reader()
    try:
        suggestion = reader.read(text)
    except _NoSuggestion:
        suggestion = None
    if suggestion != ANY and (suggestion is None or parse_pattern(suggestion) is None):
        suggestion = None
    return reader.mistakes, suggestion


class _NoSuggestion(Exception):
    """Raised after a mistake that allows no suggestion and no further checks."""


class _Reader:
    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def note(self, code: str, message: str) -> None:
        if all(code != seen for seen, _ in self.mistakes):
            self.mistakes.append((code, message))

    def stop(self, code: str, message: str) -> _NoSuggestion:
        """Note the last mistake, and return the exception to raise."""
        self.note(code, message)
        return _NoSuggestion()

    def read(self, text: str) -> str:
        """The literal, corrected as far as possible."""
        text = self.strip(text)
        if text == ANY:
            return text
        scheme, rest = self.read_scheme(text)
        authority = self.read_authority(rest)
        if not scheme and authority.lower() == OPAQUE_ORIGIN:
            raise self.stop_at_null()
        if "[" in authority and "]" not in authority:
            raise self.stop("origin-host-invalid", "has an address whose bracket is not closed")
        host, port = split_port(authority)
        if authority.count(":") > 1 and canonical_ipv6(authority) is not None:
            self.note("origin-host-invalid", "has an IPv6 address without its brackets")
            host, port = f"[{authority}]", None
        local = is_address(host) or is_loopback(host.lower())
        scheme = scheme or ("http" if local else "https")
        port = self.read_port(port, scheme)
        subdomains, host = self.read_host(self.to_ascii(host))
        return str(Pattern(scheme, subdomains, host, port))

    def strip(self, text: str) -> str:
        """The text without white space and quotes around it."""
        bare = text.strip()
        unquoted = bare.strip(_QUOTES).strip()
        if not unquoted:
            raise self.stop("origin-empty", "is empty")
        if unquoted != bare:
            self.note("origin-quoted", "has quotes around it, which would be part of the origin")
        if bare != text:
            self.note("origin-whitespace", "has white space around it")
        if unquoted.lower() == OPAQUE_ORIGIN:
            raise self.stop_at_null()
        if _SPACE_OR_CONTROL.search(unquoted):
            # Two origins in one literal or a misplaced space: the text does not say which.
            raise self.stop("origin-whitespace", "has white space or a control character inside")
        return unquoted

    def read_scheme(self, text: str) -> tuple[str, str]:
        """The scheme, or an empty string, and the rest."""
        scheme, separator, rest = text.partition("://")
        if not separator:
            return self.read_scheme_without_separator(text)
        if scheme.startswith("blob:"):
            self.note("origin-scheme-invalid", "is a blob: address; its pages have another origin")
            scheme = scheme.removeprefix("blob:")
        if not scheme.isascii():
            self.note("origin-not-ascii", "is not ASCII; browsers send ASCII only")
        scheme = self.lower(scheme)
        if ANY in scheme:
            self.note("origin-wildcard-misplaced", "has a `*` for its scheme: name the scheme")
            return "https", rest
        if scheme == "file":
            raise self.stop_at_file()
        if not scheme:
            self.note("origin-scheme-missing", "has no scheme")
        elif not is_scheme(scheme):
            raise self.stop("origin-scheme-invalid", "has no valid scheme")
        if "://" in rest and _SCHEME_AGAIN.match(rest):
            self.note("origin-scheme-invalid", "has two schemes")
            return self.read_scheme(rest)
        return scheme, rest

    def read_scheme_without_separator(self, text: str) -> tuple[str, str]:
        written = _SCHEME_WITHOUT_SEPARATOR.match(text)
        if written:
            self.note("origin-scheme-invalid", "lacks a part of the `://` after its scheme")
            return written[1].lower(), text[written.end() :]
        if text.lower().startswith("file:"):
            raise self.stop_at_file()
        if _OPAQUE.match(text):
            raise self.stop(
                "origin-scheme-invalid", 'is the address of a document that sends "null"'
            )
        self.note("origin-scheme-missing", "has no scheme")
        return "", text.removeprefix("//")

    def stop_at_null(self) -> _NoSuggestion:
        return self.stop(
            "origin-null",
            "is what sandboxed frames, local files and redirects of any site send",
        )

    def stop_at_file(self) -> _NoSuggestion:
        return self.stop(
            "origin-file",
            'is a file: address; browsers send "null" for it, which anyone can send, and '
            "applications file://, for any file on the disk",
        )

    def lower(self, text: str) -> str:
        # ASCII only: some other letters become ASCII in lower case, which makes another host.
        lower = text.translate(_TO_LOWER)
        if lower != text:
            self.note("origin-uppercase", "has upper-case letters; browsers send lower case")
        return lower

    def note_wildcard(self) -> None:
        self.note(
            "origin-wildcard-misplaced",
            "has a `*` that is neither a whole leading label nor a whole port",
        )

    def read_authority(self, rest: str) -> str:
        """Host and port, without the user name before them and the path after them."""
        end = _END_OF_AUTHORITY.search(rest)
        authority, path = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
        if path == "/":
            self.note("origin-trailing-slash", "ends in a slash, which an Origin never does")
        elif path:
            self.note("origin-has-path", "has something after the host, which an Origin never has")
        userinfo, at, host = authority.rpartition("@")
        if at:
            self.note("origin-has-userinfo", "has a user name in it, which an Origin never has")
        if ANY in path or ANY in userinfo:
            self.note_wildcard()
        return host

    def read_port(self, port: str | None, scheme: str) -> str:
        if port is None or port == ANY_PORT:
            return port or ""
        if ANY in port:
            self.note_wildcard()
            # "30*" does not mean all ports; it is kept, so that no suggestion is made.
            return port if port.strip(ANY) else ANY_PORT
        default = DEFAULT_PORTS.get(scheme)
        if port and port == default:
            self.note("origin-default-port", f"spells out the default port of {scheme}")
            return ""
        if is_port(port, scheme):
            return port
        if not port.isascii():
            self.note("origin-not-ascii", "is not ASCII, and no port is")
        self.note("origin-port-invalid", "has no valid port: 1 to 65535, without leading zeros")
        digits = port.lstrip("0") if port.isascii() and port.isdigit() else port
        # A port that cannot be corrected is kept, so that no suggestion is made.
        return "" if digits == default else digits or (port and "0")

    def to_ascii(self, host: str) -> str:
        host = self.lower(host)
        if host.isascii():
            return host
        self.note("origin-not-ascii", "is not ASCII; browsers send the punycode of a name")
        if ANY in host.removeprefix(SUBDOMAINS):
            self.note_wildcard()
        punycode = domain_to_ascii(host.removeprefix(SUBDOMAINS))
        if punycode is None:
            raise _NoSuggestion
        return SUBDOMAINS + punycode if host.startswith(SUBDOMAINS) else punycode

    def read_host(self, host: str) -> tuple[bool, str]:
        """Whether subdomains are meant, and the host without its star."""
        subdomains = host.startswith(ANY)
        plain = host.removeprefix(SUBDOMAINS)
        if ANY in plain:
            self.note_wildcard()
            # "*example.com" most likely means "*.example.com".
            plain = plain.removeprefix(ANY)
            if not plain[:1].isalnum() or ANY in plain:
                raise _NoSuggestion
        if is_address(plain):
            if subdomains:
                self.note_wildcard()
            return False, self.read_address(plain)
        if not is_domain(plain):
            raise self.stop("origin-host-invalid", "has no valid host" if plain else "has no host")
        if not has_valid_punycode(plain):
            raise self.stop("origin-host-invalid", "has a label that is the punycode of no name")
        if subdomains and parse_pattern(f"https://{SUBDOMAINS}{plain}") is None:
            raise self.stop("origin-host-invalid", "has a host too long to have subdomains")
        return subdomains, plain

    def read_address(self, host: str) -> str:
        if host.startswith("["):
            inside = canonical_ipv6(host[1:-1]) if host.endswith("]") else None
            canonical = f"[{inside}]" if inside is not None else None
        else:
            canonical = canonical_ipv4(host)
        if canonical is None:
            raise self.stop("origin-host-invalid", "has no valid address")
        if canonical != host:
            self.note(
                "origin-ip-not-canonical", "has an address in a form that browsers do not send"
            )
        return canonical
