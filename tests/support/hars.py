"""HAR files as browsers save them, with the members that are read."""

from __future__ import annotations

import json
from typing import Any

PAGE = "https://app.example.com"
API = "https://api.example.com"
URL = f"{API}/articles"

Headers = dict[str, str]


def chromium(
    method: str = "GET",
    url: str = URL,
    *,
    asks: Headers | None = None,
    status: int = 200,
    gets: Headers | None = None,
    error: str | None = None,
    kind: str = "fetch",
    second: int = 0,
    **more: Any,
) -> dict[str, Any]:
    """Return an entry as Chrome DevTools writes it.

    Args:
        method: The method of the request.
        url: The URL of the request.
        asks: Headers of the request; by default those that DevTools has of a blocked one.
        status: The status of the response; 0 without one.
        gets: Headers of the response.
        error: The member ``_error`` of DevTools.
        kind: The resource's type.
        second: The second in which it started.
        more: Other members of the entry.
    """
    sent = {"Referer": f"{PAGE}/", "User-Agent": "Mozilla/5.0 Chrome/156", **(asks or {})}
    if status:
        sent = {
            ":authority": "api.example.com",
            "accept-language": "en",
            "origin": PAGE,
            "sec-fetch-mode": "cors",
            "user-agent": "Mozilla/5.0 Chrome/156",
            **(asks or {}),
        }
    return {
        "_initiator": {"type": "script"},
        "_resourceType": kind,
        "request": {"method": method, "url": url, "headers": _pairs(sent), "cookies": []},
        "response": {
            "status": status,
            "statusText": "",
            "headers": _pairs(gets or {}),
            "redirectURL": "",
            "_error": error,
        },
        "startedDateTime": f"2026-11-21T12:00:{second:02}.000Z",
        "time": 12.5,
        **more,
    }


def preflight(
    status: int, gets: Headers | None = None, *, url: str = URL, **options: Any
) -> dict[str, Any]:
    """Return a preflight for ``method`` and ``names`` as Chrome DevTools writes it."""
    asks = {"access-control-request-method": options.pop("method", "PUT")}
    names = options.pop("names", None)
    if names:
        asks["access-control-request-headers"] = names
    return chromium(
        "OPTIONS", url, asks=asks, status=status, gets=gets, kind="preflight", **options
    )


def firefox(
    method: str = "GET",
    url: str = URL,
    *,
    asks: Headers | None = None,
    status: int = 200,
    gets: Headers | None = None,
    mode: str = "cors",
) -> dict[str, Any]:
    """Return an entry as Firefox writes it: always with sent headers, and without an error."""
    sent = {
        "Host": "api.example.com",
        "User-Agent": "Mozilla/5.0 Firefox/140.0",
        "Accept": "*/*",
        "Accept-Language": "en-US,en;q=0.5",
        "Origin": PAGE,
        "Sec-Fetch-Mode": mode,
        "Connection": "keep-alive",
        **(asks or {}),
    }
    return {
        "startedDateTime": "2026-11-21T13:00:00.000+01:00",
        "request": {
            "bodySize": 0,
            "method": method,
            "url": url,
            "headers": _pairs(sent),
            "cookies": [],
        },
        "response": {"status": status, "statusText": "", "headers": _pairs(gets or {})},
        "cache": {},
        "_securityState": "secure",
        "time": 30,
    }


def har(*entries: dict[str, Any], creator: str = "WebInspector") -> bytes:
    """Return a file of these entries."""
    log = {
        "version": "1.2",
        "creator": {"name": creator, "version": "1"},
        "pages": [{"id": "page_1", "title": f"{PAGE}/start"}],
    }
    return json.dumps({"log": {**log, "entries": list(entries)}}).encode()


def _pairs(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]
