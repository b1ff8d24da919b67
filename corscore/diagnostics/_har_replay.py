"""``Replay``: a recording that answers the model browser instead of the servers."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from corscore._standard.fetch import (
    ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD,
    CORS_SAFELISTED_REQUEST_HEADERS,
    is_forbidden_request_header,
)
from corscore._standard.grammar import is_token
from corscore.browser._cache import PreflightCache
from corscore.browser._headers import get
from corscore.browser._request import Request, derived, needs_preflight
from corscore.diagnostics._curl import CREDENTIAL_HEADERS
from corscore.diagnostics._diagnosis import NoResponse
from corscore.diagnostics._network_errors import network_error
from corscore.diagnostics._traces import allow_origin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corscore.browser import Response
    from corscore.browser._deviations import Browser
    from corscore.browser._request import Credentials
    from corscore.diagnostics._har import Entry

# Headers that browsers add, and that a script could set as well.
_BROWSER_HEADERS = frozenset(
    (
        "accept",
        "accept-language",
        "alt-used",
        "cache-control",
        "device-memory",
        "downlink",
        "dpr",
        "ect",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "last-event-id",
        "pragma",
        "priority",
        "purpose",
        "rtt",
        "save-data",
        "upgrade-insecure-requests",
        "user-agent",
        "viewport-width",
        "x-browser-channel",
        "x-browser-copyright",
        "x-browser-validation",
        "x-browser-year",
        "x-client-data",
    )
)
# The longest time between a preflight and its request, in seconds.
_MAX_DISTANCE = 30.0
_MAX_NAMES = 100
_MAX_COMPARED = 64


class Recording:
    """The entries of a file; each answers one request.

    A lookup compares a bounded number of entries, so its cost does not grow with the file.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._preflights: dict[tuple[str, str | None], deque[Entry]] = {}
        self._requests: dict[str, list[tuple[int, Entry]]] = {}
        self._passed: dict[tuple[str, str | None], int] = {}
        self._witnesses: dict[tuple[str | None, str], list[Entry]] = {}
        self._ids: set[int] = set()
        self.used: list[Entry] = []
        for position, entry in enumerate(entries):
            if entry.is_preflight:
                key = (entry.url, entry.origin)
                self._preflights.setdefault(key, deque()).append(entry)
                if 200 <= entry.status < 300:
                    self._passed.setdefault(key, position)
                continue
            self._requests.setdefault(entry.url, []).append((position, entry))
            if 200 <= entry.status < 400 and allow_origin(entry.response_headers) is not None:
                found = self._witnesses.setdefault((entry.origin, entry.target.origin), [])
                found.extend([entry] if len(found) < _MAX_COMPARED else [])

    def is_used(self, entry: Entry) -> bool:
        """Return whether this entry has answered a request."""
        return id(entry) in self._ids

    def use(self, entry: Entry) -> None:
        """Mark an entry as used: append it to ``used``."""
        self._ids.add(id(entry))
        self.used.append(entry)

    def restore(self, length: int) -> None:
        """Forget all marks after the first ``length``, before a request is replayed another way."""
        self._ids.difference_update(map(id, self.used[length:]))
        del self.used[length:]

    def forget(self, url: str, origin: str | None) -> None:
        """Drop the used preflights of a URL and origin, up to the first unused one."""
        waiting = self._preflights.get((url, origin))
        while waiting and self.is_used(waiting[0]):
            waiting.popleft()

    def preflight_of(self, entry: Entry, origin: str | None) -> Entry | None:
        """Return the preflight of a request: the nearest in time."""
        candidates = [
            found
            for found in islice(self._preflights.get((entry.url, origin), ()), _MAX_COMPARED)
            if not self.is_used(found)
            and get(found.request_headers, ACCESS_CONTROL_REQUEST_METHOD) in (None, entry.method)
            and _distance(found, entry) <= _MAX_DISTANCE
        ]
        return min(candidates, key=lambda found: _distance(found, entry), default=None)

    def had_preflight(self, position: int, entry: Entry) -> bool:
        """Return whether a preflight of the same URL and origin passed earlier in the file."""
        return self._passed.get((entry.url, entry.origin), position) < position

    def following(self, position: int, method: str, url: str) -> tuple[int, Entry] | None:
        """Return the request that a redirect led to, with its position."""
        entries = self._requests.get(url, [])
        start = bisect_right(entries, position, key=lambda pair: pair[0])
        for later, entry in entries[start : start + _MAX_COMPARED]:
            if entry.method == method and not self.is_used(entry):
                return later, entry
        return None

    def witnesses(self, origin: str, server: str) -> list[Entry]:
        """Return a few successful responses with CORS headers of a server to an origin."""
        return self._witnesses.get((origin, server), [])


def _distance(one: Entry, other: Entry) -> float:
    if one.started is None or other.started is None:
        return 0.0
    return abs(one.started - other.started)


class Replay(PreflightCache):
    """A request of a recording, as transport and preflight cache of ``corscore.browser.fetch``.

    A response without a preflight in the file counts as a hit in the cache.
    """

    def __init__(self, recording: Recording, position: int, entry: Entry, origin: str) -> None:
        super().__init__()
        self._recording = recording
        self._position = position
        self._first = entry
        self._entry: Entry | None = entry
        self._origin = origin
        self._preflight = recording.preflight_of(entry, origin)

    def request(self, credentials: Credentials) -> Request:
        """Return the script's request, with the values of headers only where CORS needs them.

        Raises:
            ValueError: No script can send this request.
        """
        return script_of(self._first, self._preflight, self._origin, credentials)

    def covers(self, request: Request, *, browser: Browser | None = None) -> bool:
        """Return whether the file has a response and no preflight for it."""
        del browser
        entry = self._at(request.method, request.target.without_fragment)
        if entry is None or not entry.has_response:
            return False
        self._preflight = self._recording.preflight_of(entry, request.origin)
        return self._preflight is None

    def send(self, method: str, url: str, headers: list[tuple[str, str]]) -> Response:
        """Return the response in the file.

        Raises:
            NoResponse: The file has none.
        """
        asked = dict(headers).get(ACCESS_CONTROL_REQUEST_METHOD)
        entry = self._at(asked or method, url)
        if asked is not None:
            found = self._preflight
            self._preflight = None
            if found is not None:
                self._recording.use(found)
                return _answer(found, entry)
            raise _failure(entry)
        if entry is None:
            raise _failure(None)
        self._recording.use(entry)
        self._entry = None
        return _answer(entry, None)

    def _at(self, method: str, url: str) -> Entry | None:
        """Return the entry of the current request: the first, or the one a redirect led to."""
        if self._entry is None:
            found = self._recording.following(self._position, method, url)
            if found is not None:
                self._position, self._entry = found
        return self._entry


def script_of(
    entry: Entry, preflight: Entry | None, origin: str, credentials: Credentials
) -> Request:
    """Return the script's request behind a recorded one.

    Only safelisted headers keep their value from the file: others may be secrets.

    Args:
        entry: The recorded request; the preflight itself if the file has nothing else.
        preflight: The preflight of the request.
        origin: The page's origin.
        credentials: The credentials mode.

    Raises:
        ValueError: No script can send this request.
    """
    method = entry.method
    values = {name: value for name, value in entry.request_headers if is_token(name)}
    if preflight is not None:
        method = get(preflight.request_headers, ACCESS_CONTROL_REQUEST_METHOD) or method
        listed = get(preflight.request_headers, ACCESS_CONTROL_REQUEST_HEADERS) or ""
        names = [name.strip().lower() for name in listed.split(",")[:_MAX_NAMES]]
        names = [name for name in names if is_token(name)]
    else:
        names = [name for name in values if name not in _BROWSER_HEADERS]
    headers = [
        (name, _value(name, values.get(name), asked=preflight is not None))
        for name in names
        if not is_forbidden_request_header(name)
    ]
    request = Request(method, entry.url, origin=origin, headers=headers, credentials=credentials)
    if preflight is not None and not needs_preflight(request):
        return derived(request, use_cors_preflight=True)
    return request


def _value(name: str, value: str | None, *, asked: bool) -> str:
    if name in CREDENTIAL_HEADERS or name not in CORS_SAFELISTED_REQUEST_HEADERS:
        return "1"
    # A preflight names a header only if its value is not safelisted.
    return value or ("application/json" if asked and name == "content-type" else "1")


def _answer(entry: Entry, request: Entry | None) -> Response:
    if entry.has_response:
        return entry.status, entry.response_headers
    raise _failure(entry, request)


def _failure(*entries: Entry | None) -> NoResponse:
    """Return the reason why the file has no response."""
    for entry in entries:
        found = None if entry is None else network_error(entry.error)
        if found is not None:
            return found
    return NoResponse(
        "not-enough-data",
        "The file has neither status nor headers of the response, as browsers leave them out of "
        "what they blocked.",
        "ask the server itself",
    )
