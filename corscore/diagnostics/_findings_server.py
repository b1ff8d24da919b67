"""What a live server has to repair for the pages that it means to serve."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corscore._standard.fetch import WILDCARD
from corscore._standard.text import shown
from corscore.browser._checks import cors_check
from corscore.diagnostics._client import SAFE_METHODS
from corscore.diagnostics._exchanges import (
    error_finding,
    hidden_finding,
    is_bare_error,
    is_transient,
    layer_findings,
    preflight_findings,
    vary_finding,
)
from corscore.diagnostics._finding import Finding
from corscore.diagnostics._traces import allow_origin, has_trace, varies_by_origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore.browser import Exchange, FetchResult
    from corscore.browser._request import Request
    from corscore.browser._url import Url
    from corscore.diagnostics._client import Server

# Nobody's, and of a name that will never be anybody's: https://www.rfc-editor.org/rfc/rfc2606
STRANGER = "https://corscore-probe.example"

# What routes answer to a method that they do not have.
_NO_ROUTE = (400, 404, 405, 501)
_MOST_NEIGHBOURS = 4


def server_findings(server: Server, request: Request, result: FetchResult) -> Iterator[Finding]:
    """What the exchanges of a fetch show, and a few more requests where they leave it open.

    Args:
        server: Who is asked.
        request: The request that the last exchange was about, after redirects.
        result: What came of the fetch.
    """
    last = result.exchanges[-1]
    if result.reason == "preflight-not-ok":
        yield from preflight_findings(request, last)
    yield from layer_findings(result.exchanges)
    if not request.is_cross_origin:
        return
    if result.readable:
        hidden = hidden_finding(request, last)
        if hidden is not None:
            yield hidden
    if result.reason == "no-allow-origin" and not last.is_preflight and is_bare_error(last):
        witness = _witness(server, request, result)
        if witness is not None:
            yield error_finding(last, witness)
    vary = _vary(server, request, last)
    if vary is not None:
        yield vary
    if result.reason in ("no-allow-origin", "preflight-not-ok"):
        yield from _no_layer(server, request, result)


def _witness(server: Server, request: Request, result: FetchResult) -> Exchange | None:
    """An answer of the same server that has the headers which an error lacks."""
    for exchange in result.exchanges:
        if exchange.is_preflight and cors_check(request, exchange.response_headers) is None:
            return exchange
    asked = server.preflight(request, request.origin)
    if asked is not None and _is_allowed(request, asked):
        return asked
    for target in _neighbours(request.target):
        found = server.get(request, request.origin, target)
        if found is not None and _is_allowed(request, found):
            return found
    return None


def _is_allowed(request: Request, exchange: Exchange) -> bool:
    return cors_check(request, exchange.response_headers) is None


def _neighbours(target: Url) -> Iterator[Url]:
    """The folders that a URL is in, from the nearest up, as far as that goes."""
    if target.query:
        yield replace(target, query="", fragment="")
    path = target.path.rstrip("/")
    for _ in range(_MOST_NEIGHBOURS):
        path = path.rpartition("/")[0]
        yield replace(target, path=f"{path}/", query="", fragment="")
        if not path:
            return
    yield replace(target, path="/", query="", fragment="")


def _vary(server: Server, request: Request, last: Exchange) -> Finding | None:
    """Two more origins are asked with, where a cache could take one answer for another's."""
    mine: Exchange | None = last
    if last.is_preflight or request.method not in SAFE_METHODS:
        # No cache keeps those; what it would keep is the answer to a GET.
        if last.is_preflight and cors_check(request, last.response_headers) is not None:
            return None
        mine = server.get(request, request.origin)
    if mine is None or varies_by_origin(mine.response_headers):
        return None
    if allow_origin(mine.response_headers) in (None, WILDCARD) or is_transient(mine.status):
        return None
    answers: list[tuple[str | None, Exchange]] = [(request.origin, mine)]
    for origin in (STRANGER, None):
        other = server.get(request, origin)
        if other is not None:
            answers.append((origin, other))
            found = vary_finding(answers)
            if found is not None:
                return found
    return None


def _no_layer(server: Server, request: Request, result: FetchResult) -> Iterator[Finding]:
    """Whether nothing at all shows a CORS layer: in answers that would, were there one."""
    last = result.exchanges[-1]
    if has_trace(last.response_headers) or (not last.is_preflight and last.status >= 400):
        return
    asked = (
        last,
        server.preflight(request, request.origin),
        server.get(request, request.origin),
        server.get(request, None),
    )
    seen = [exchange for exchange in asked if exchange is not None]
    conclusive = all(
        exchange.status < 300 or (exchange.is_preflight and exchange.status in _NO_ROUTE)
        for exchange in seen
    )
    if not conclusive or any(has_trace(exchange.response_headers) for exchange in seen):
        return
    yield Finding(
        "app-without-cors",
        f"No answer of {shown(request.target.origin)} shows a CORS layer: not to a preflight, not "
        "to a GET, with an Origin or without.",
        "put the middleware on the application object that is served; if it is there, it knows "
        "nothing of this origin and this path",
        request.target.without_fragment,
    )
