"""Lines for a shell: what repeats a request, and what probes a URL. Nothing in them is run here.

Everything that a server or a file may have had a hand in is quoted, for POSIX shells; what is not
printable ASCII is written as ``$'...'``, so that no terminal sees it.
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

# Never sent by `probe`, never repeated by a line: https://fetch.spec.whatwg.org/#credentials, as
# far as they are headers.
CREDENTIAL_HEADERS = frozenset((AUTHORIZATION, "cookie", "proxy-authorization"))
# https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch, step 8.5: without a body, too.
_WITH_LENGTH = ("POST", "PUT")


def without_userinfo(url: str) -> str:
    """The URL without the user name and password that a redirect within one origin may have."""
    target = parse_url(url) if "@" in url else None
    return replace(target, userinfo="").without_fragment if target and target.userinfo else url


def curl_line(method: str, url: str, headers: HeaderList) -> str:
    """The line that sends a request, without its credentials, and prints the response's headers.

    ``--globoff`` since a URL may have brackets in it; the body is thrown away.
    """
    how = {"GET": [], "HEAD": ["--head"]}.get(method, ["-X", method])
    words = ["curl", "-sS", "--globoff", *how]
    if method != "HEAD":
        words += ["-D", "-", "-o", "/dev/null"]
    for name, value in headers:
        if name not in CREDENTIAL_HEADERS:
            # Without a value curl would leave the header out.
            words += ["-H", f"{name}: {value}" if value else f"{name};"]
    if method in _WITH_LENGTH:
        words += ["-H", "content-length: 0"]
    return shell_words([*words, without_userinfo(url)], "latin-1")


def probe_line(request: Request, names: Iterable[str] = ()) -> str:
    """The ``corscore probe`` line that asks what a script asked.

    Args:
        request: What it asked.
        names: Headers that it set beyond those of ``request``, whose values are unknown.
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
    """The words as one line that a shell reads them from, with the bytes of an encoding."""
    return " ".join(_word(word, encoding) for word in words)


def _word(text: str, encoding: str) -> str:
    if text.isascii() and text.isprintable():
        return shlex.quote(text)
    escaped = "".join(map(_byte, text.encode(encoding, "backslashreplace")))
    return f"$'{escaped}'"


def _byte(byte: int) -> str:
    plain = 0x20 <= byte < 0x7F and byte not in b"'\\"
    return chr(byte) if plain else f"\\x{byte:02x}"
