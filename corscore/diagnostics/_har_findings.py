"""What the entries of a recording tell together about a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore._explain.fetch import last_request
from corscore._standard.fetch import ORIGIN
from corscore.browser import Exchange
from corscore.browser._checks import cors_check
from corscore.browser._headers import get
from corscore.diagnostics._exchanges import (
    error_finding,
    is_bare_error,
    layer_findings,
    preflight_findings,
    vary_finding,
)
from corscore.diagnostics._finding import Finding
from corscore.diagnostics._traces import allow_origin, varies_by_origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from corscore.browser import FetchResult
    from corscore.browser._request import Request
    from corscore.diagnostics._har import Entry
    from corscore.diagnostics._har_replay import Recording

# So many answers of one URL are compared with each other.
_COMPARED = 32


def har_findings(
    recording: Recording, request: Request, result: FetchResult, entry: Entry
) -> Iterator[Finding]:
    """What is worth repairing at the server, as far as the file tells.

    Args:
        recording: All of the file.
        request: What the script asked for.
        result: What the model browser made of it.
        entry: The request's own.
    """
    reached, last = last_request(request, result.exchanges), result.exchanges[-1]
    if result.reason == "preflight-not-ok":
        yield from preflight_findings(reached, last)
    yield from layer_findings(result.exchanges)
    if result.reason is None or last.is_preflight:
        return
    if result.reason == "no-allow-origin" and is_bare_error(last):
        witness = _witness(recording, reached, result)
        if witness is not None:
            yield error_finding(last, witness)
    if result.preflight_cached:
        yield cached_finding(last.url)
    cached = entry.from_cache and result.reason in ("origin-mismatch", "no-allow-origin")
    if cached and not varies_by_origin(last.response_headers):
        yield Finding(
            "vary-missing",
            "The response came from the browser's cache, where it was kept for another origin or "
            "for none: Vary does not name Origin.",
            "send Vary: Origin with every answer, refusals included",
            last.url,
        )


def cached_finding(url: str) -> Finding:
    """A request that went out without asking, where it would have been asked about."""
    return Finding(
        "preflight-cached",
        "The file has no preflight for this request: the browser went by one that it remembered, "
        "which may be from before the server was changed.",
        "close the browser, or ask for the URL with another query; while a policy changes, send "
        "Access-Control-Max-Age: 0",
        url,
    )


def _witness(recording: Recording, request: Request, result: FetchResult) -> Exchange | None:
    """An answer of the same server to the same page that has the headers which an error lacks."""
    for exchange in result.exchanges:
        if exchange.is_preflight and cors_check(request, exchange.response_headers) is None:
            return exchange
    for entry in recording.witnesses(request.origin, request.target.origin):
        if cors_check(request, entry.response) is None:
            return _as_exchange(entry)
    return None


def _as_exchange(entry: Entry) -> Exchange:
    return Exchange(
        entry.method, entry.url, entry.headers, entry.status, entry.response, entry.is_preflight
    )


def vary_findings(entries: Iterable[Entry]) -> dict[str, Finding]:
    """Answers of one URL to several origins that a cache could mix up, by URL."""
    answers: dict[str, dict[tuple[str | None, str | None], Exchange]] = {}
    for entry in entries:
        if entry.has_response and entry.method == "GET":
            origin, allowed = get(entry.headers, ORIGIN), allow_origin(entry.response)
            told = answers.setdefault(entry.url, {})
            if len(told) < _COMPARED:
                told[origin, allowed] = _as_exchange(entry)
    found = {
        url: vary_finding((origin, exchange) for (origin, _), exchange in told.items())
        for url, told in answers.items()
    }
    return {url: finding for url, finding in found.items() if finding is not None}
