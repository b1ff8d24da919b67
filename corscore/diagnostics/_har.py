"""``read_har``: the entries of a HAR file, read leniently and with bounds.

http://www.softwareishard.com/blog/har-12-spec/, and the variants of Chromium, Firefox, Safari and
Playwright. A file is untrusted: it raises nothing but ``HarError``, and nothing in it is executed.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from corscore._standard.fetch import (
    ACCESS_CONTROL_REQUEST_METHOD,
    OPAQUE_ORIGIN,
    ORIGIN,
    PREFLIGHT_METHOD,
)
from corscore._standard.origin import parse_origin
from corscore.browser._headers import HeaderList, get, header_list
from corscore.browser._url import Url, parse_url
from corscore.diagnostics._traces import allow_origin

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_HAR_BYTES: int = 100 * 2**20
MAX_HAR_ENTRIES = 50_000
# Bounds memory: a value of three bytes in the file takes sixty as an object.
MAX_HAR_VALUES = 6_000_000
_VALUE_MARKS = (b",", b"[", b"{")
# A gzip may unpack to a thousand times its size, that of a recording to about fifty times.
_MAX_RATIO = 100
_ALWAYS_UNPACKED = 8 * 2**20
# The bounds of one entry, above the limits of servers and browsers.
_MAX_HEADERS = 500
_MAX_VALUE = 65_536
_MAX_TEXTS = 16
# A console text has the whole URL before the cause.
_MAX_TEXT = 4096
_ERROR_KEYS = ("error", "fail", "blocked", "comment", "statustext", "console", "message")
_GZIP = b"\x1f\x8b"
_NOT_MODIFIED = 304


class HarError(ValueError):
    """The file is no HAR; the message is one line of printable ASCII."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A request of a recording, and its response if it has one.

    Attributes:
        method: The method that was sent.
        target: The parsed URL.
        origin: The page's origin as the file shows it: the Origin that was sent, that of the
            Referer, or that of another page of the file; None without any.
        request_headers: The request's headers, names in lower case.
        status: The response's status; 0 without a response.
        response_headers: The response's headers, names in lower case.
        error: The texts of the file about an error.
        kind: The resource's type as the browser names it, in lower case: ``"fetch"``.
        is_preflight: Whether it is a preflight, which the browser sends by itself.
        from_cache: Whether the response came from the browser's cache.
        by_worker: Whether a service worker gave the response.
        started: The time of the request, in seconds since 1970; None if the file lacks it.
        has_cookies: Whether cookies were sent.
    """

    method: str
    target: Url
    origin: str | None
    request_headers: HeaderList = field(repr=False)
    status: int
    response_headers: HeaderList = field(repr=False)
    error: str
    kind: str
    is_preflight: bool
    from_cache: bool
    by_worker: bool
    started: float | None
    has_cookies: bool

    @property
    def url(self) -> str:
        """The URL, without its fragment."""
        return self.target.without_fragment

    @property
    def has_response(self) -> bool:
        """Whether the file has the server's response."""
        return self.status > 0

    @property
    def lacks_judged_headers(self) -> bool:
        """Whether the browser judged headers that the file does not have.

        A 304 renews a cached response, which the browser judges with the headers of both:
        https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch, step 10. For a service
        worker's response see https://fetch.spec.whatwg.org/#http-fetch, step 3.
        """
        is_renewed = self.status == _NOT_MODIFIED and allow_origin(self.response_headers) is None
        return is_renewed or self.by_worker


def read_har(data: bytes) -> list[Entry]:
    """Return the HTTP(S) requests of a HAR file, in the file's order.

    Args:
        data: The file, gzipped or not; at most ``MAX_HAR_BYTES``, also when unpacked. Beyond 8 MiB
            a gzip may unpack to a hundred times its size. Reading takes up to 1.5 GiB of memory.

    Raises:
        HarError: The data is no HAR, or too large.
    """
    text = _decoded(_unpacked(data))
    try:
        loaded = json.loads(text)
    except RecursionError:
        raise HarError("it is nested too deeply") from None
    except ValueError as error:
        place = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise HarError(f"it is no JSON{place}") from None
    log = _dict(_dict(loaded).get("log"))
    entries = log.get("entries")
    if not isinstance(entries, list):
        raise HarError('it is no HAR: there is no list of "log"."entries"')
    if len(entries) > MAX_HAR_ENTRIES:
        raise HarError(
            f"it has {len(entries)} entries, and more than {MAX_HAR_ENTRIES} are refused"
        )
    pages = {
        page["id"]: page
        for page in map(_dict, _list(log.get("pages")))
        if isinstance(page.get("id"), str)
    }
    read = (_entry(_dict(entry), pages) for entry in entries)
    found = [entry for entry in read if entry is not None]
    page = next(_pages_of(found), None)
    return [replace(entry, origin=page) if entry.origin is None else entry for entry in found]


def _pages_of(entries: list[Entry]) -> Iterator[str]:
    """Yield the origins of navigations, then the page's origin of each entry that has it."""
    for entry in entries:
        if entry.kind == "document" or get(entry.request_headers, "sec-fetch-mode") == "navigate":
            yield entry.target.origin
    for entry in entries:
        if entry.origin is not None:
            yield entry.origin


def _unpacked(data: bytes) -> bytes:
    if data.startswith(_GZIP):
        limit = min(MAX_HAR_BYTES, max(_ALWAYS_UNPACKED, _MAX_RATIO * len(data)))
        inflate = zlib.decompressobj(wbits=31)
        try:
            data = inflate.decompress(data, limit + 1)
        except zlib.error:
            raise HarError("it is a broken gzip file") from None
        if limit < len(data) <= MAX_HAR_BYTES:
            raise HarError(f"it unpacks to more than {_MAX_RATIO} times its size; unpack it first")
    if len(data) > MAX_HAR_BYTES:
        raise HarError(
            f"it has more than {MAX_HAR_BYTES // 2**20} MiB; record fewer requests, or save it "
            "without the content of responses"
        )
    if sum(map(data.count, _VALUE_MARKS)) > MAX_HAR_VALUES:
        raise HarError(f"it has more than {MAX_HAR_VALUES} values; record fewer requests")
    return data


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise HarError("it is no UTF-8 text") from None


def _entry(entry: dict[str, Any], pages: dict[str, dict[str, Any]]) -> Entry | None:
    request, response = _dict(entry.get("request")), _dict(entry.get("response"))
    method, target = request.get("method"), parse_url(_text(request.get("url")))
    # No script sends a request to a URL with a password.
    if not isinstance(method, str) or target is None or target.userinfo:
        return None
    headers = _headers(request)
    page = pages.get(_text(entry.get("pageref")), {})
    kind = _text(entry.get("_resourceType")).lower()
    fetch_type = _text(entry.get("_fetchType"))
    return Entry(
        method,
        target,
        _origin(headers, kind, page, _text(_dict(entry.get("_initiator")).get("url"))),
        headers,
        _status(response),
        _headers(response),
        " ".join(_errors(entry, response)),
        kind,
        method == PREFLIGHT_METHOD
        and (kind == "preflight" or bool(get(headers, ACCESS_CONTROL_REQUEST_METHOD))),
        "_fromCache" in entry or fetch_type.endswith("Cache"),
        entry.get("_fetchedViaServiceWorker") is True or fetch_type == "Service Worker",
        _seconds(entry.get("startedDateTime")),
        bool(get(headers, "cookie")) or bool(_list(request.get("cookies"))),
    )


def _status(response: dict[str, Any]) -> int:
    status = response.get("status")
    return status if type(status) is int and 100 <= status <= 999 else 0


def _headers(message: dict[str, Any]) -> HeaderList:
    """Return a message's headers; Chromium joins lines of one name with line feeds."""
    pairs = [
        (_text(header.get("name")), line)
        for header in map(_dict, _list(message.get("headers"))[:_MAX_HEADERS])
        for line in _text(header.get("value"))[:_MAX_VALUE].split("\n")
    ]
    return header_list(pairs)


def _origin(headers: HeaderList, kind: str, page: dict[str, Any], script: str) -> str | None:
    """Return the Origin that was sent, or the page's: a blocked request may lack the header."""
    sent = get(headers, ORIGIN)
    if sent is not None:
        return sent if sent == OPAQUE_ORIGIN or parse_origin(sent) else None
    texts = [get(headers, "referer"), page.get("title"), script]
    # The Referer of a font is the style sheet, which may be of any origin.
    for text in texts[1:] + texts[:1] if kind == "font" else texts:
        url = parse_url(_text(text))
        if url is not None:
            return url.origin
    return None


def _errors(entry: dict[str, Any], response: dict[str, Any]) -> Iterator[str]:
    """Yield the texts about errors: ``_error`` of Chromium, ``_failureText`` of Playwright."""
    found = (
        text
        for holder in (response, entry)
        for key, value in holder.items()
        if any(part in key.lower() for part in _ERROR_KEYS)
        for text in _texts(value)
    )
    return islice(found, _MAX_TEXTS)


def _texts(value: object) -> Iterator[str]:
    """Yield a text, or the texts in an object or a list: ``{"corsError": "..."}``."""
    inner = value.values() if isinstance(value, dict) else _list(value) or [value]
    for text in islice(inner, _MAX_TEXTS):
        if isinstance(text, str):
            yield text[:_MAX_TEXT]


def _seconds(value: object) -> float | None:
    try:
        return datetime.fromisoformat(_text(value).replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
