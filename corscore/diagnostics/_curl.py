"""Shell commands that repeat a request or probe a URL. None is run here.

All words are quoted for POSIX shells, since a server or a file may have chosen them. Words that are
not printable ASCII become ``$'...'``, so that no terminal interprets them.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from corscore._standard.fetch import AUTHORIZATION
from corscore.browser._url import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corscore.browser._headers import HeaderList
    from corscore.browser._request import Request

# The credentials that are headers (https://fetch.spec.whatwg.org/#credentials), which `probe` never
# sends and no command has.
CREDENTIAL_HEADERS = frozenset((AUTHORIZATION, "cookie", "proxy-authorization"))
# https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch, step 8.5: with Content-Length
# even without a body.
_WITH_LENGTH = ("POST", "PUT")


def without_userinfo(url: str) -> str:
    """Return the URL without user name and password, which a redirect may have added."""
    target = parse_url(url) if "@" in url else None
    return replace(target, userinfo="").without_fragment if target and target.userinfo else url


def curl_line(method: str, url: str, headers: HeaderList) -> str:
    """Return the command that sends a request without credentials and prints response headers."""
    method_words = {"GET": [], "HEAD": ["--head"]}.get(method, ["-X", method])
    # --globoff allows brackets in a URL.
    words = ["curl", "-sS", "--globoff", *method_words]
    if method != "HEAD":
        words += ["-D", "-", "-o", "/dev/null"]
    for name, value in headers:
        if name not in CREDENTIAL_HEADERS:
            # With "name:" curl would leave the header out.
            words += ["-H", f"{name}: {value}" if value else f"{name};"]
    if method in _WITH_LENGTH:
        words += ["-H", "content-length: 0"]
    return shell_words([*words, without_userinfo(url)], "latin-1")


def probe_line(request: Request, names: Iterable[str] = ()) -> str:
    """Return the ``corscore probe`` command for a script's request.

    Args:
        request: The script's request.
        names: The names of further headers of the script, whose values are unknown.
    """
    words = ["corscore", "probe", request.url, "--origin", request.origin]
    if request.method != "GET":
        words += ["--method", request.method]
    headers = [(name, value) for name, value in request.headers if name not in CREDENTIAL_HEADERS]
    hidden = [name for name, _ in request.headers if name in CREDENTIAL_HEADERS]
    for name, value in [*headers, *((name, "1") for name in (*hidden, *names))]:
        words += ["--header", f"{name}: {value}"]
    if request.with_credentials:
        words.append("--credentials")
    return shell_words(words)


def shell_words(words: Iterable[str], encoding: str = "utf-8") -> str:
    """Return the words as one shell command; the encoding is for those that are not ASCII."""
    return " ".join(_word(word, encoding) for word in words)


def _word(text: str, encoding: str) -> str:
    if text.isascii() and text.isprintable():
        return shlex.quote(text)
    escaped = "".join(map(_byte, text.encode(encoding, "backslashreplace")))
    return f"$'{escaped}'"


def _byte(byte: int) -> str:
    plain = 0x20 <= byte < 0x7F and byte not in b"'\\"
    return chr(byte) if plain else f"\\x{byte:02x}"
