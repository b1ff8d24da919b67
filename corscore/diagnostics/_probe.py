"""``probe``: the diagnosis of a live server over the caller's transport."""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING

from corscore._config.pattern import is_loopback
from corscore._explain.fetch import compared_with_standard
from corscore._standard.fetch import WILDCARD
from corscore._standard.origin import parse_origin
from corscore._standard.text import shown
from corscore.browser._checks import cors_check
from corscore.browser._request import derived
from corscore.diagnostics._audit import STRANGER, audit_findings, credentials_findings
from corscore.diagnostics._client import SAFE_METHODS, ProbeClient
from corscore.diagnostics._curl import CREDENTIAL_HEADERS
from corscore.diagnostics._diagnosis import Diagnosis, NoResponse, diagnose, with_findings
from corscore.diagnostics._exchanges import (
    cookie_finding,
    error_finding,
    gateway_finding,
    hidden_finding,
    is_bare_error,
    is_gateway_error,
    is_transient,
    layer_findings,
    preflight_findings,
    slash_finding,
    vary_finding,
)
from corscore.diagnostics._finding import Finding
from corscore.diagnostics._traces import (
    allow_origin,
    allows_credentials,
    has_trace,
    varies_by_origin,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from corscore.browser import Browser, Exchange, FetchResult, Response, Transport
    from corscore.browser._request import Request
    from corscore.browser._url import Url

_MAX_REQUESTS = 12
_MAX_REQUESTS_IN_AUDIT = 40
_MAX_NEIGHBOURS = 4
_WITH_BODY = ("POST", "PUT", "PATCH")
# The statuses that routes give to a method that they do not have.
_NO_METHOD = (400, 404, 405, 501)


def probe(
    request: Request,
    transport: Transport,
    *,
    reads: Iterable[str] = (),
    audit: bool = False,
    browser: Browser | None = None,
) -> Diagnosis:
    """Fetch from a live server as a browser would, and examine it with a few more requests.

    Those are GETs, HEADs and preflights. ``Authorization`` and ``Cookie`` are never sent, only
    named in preflights.

    Args:
        request: The script's request.
        transport: Sends one request without following redirects; raises ``NoResponse`` if no
            response comes back. It gets no credentials.
        reads: Names of response headers that the script wants to read.
        audit: Whether to try the origins of an attacker as well.
        browser: The browser whose known deviations apply; None is the standard. The message says
            where the two differ.

    Raises:
        ValueError: There is no such browser.
    """
    client = ProbeClient(transport, _MAX_REQUESTS_IN_AUDIT if audit else _MAX_REQUESTS)
    reads = tuple(reads)
    diagnosis, result = diagnose(request, client.send, reads=reads, browser=browser)
    if result is None:
        return replace(diagnosis, notes=tuple(_notes(request)))
    if browser is not None:
        message = _compare_with_standard(browser, diagnosis, result, reads)
        diagnosis = replace(diagnosis, message=message)
    reached = result.exchanges[-1].request
    found = list(_server_findings(client, result))
    if reads:
        # The diagnosis itself says which of the headers that the script reads are hidden.
        found = [finding for finding in found if finding.code != "header-not-exposed"]
    if audit and reached.is_cross_origin:
        found += audit_findings(client, reached)
    # A redirect within one host would repeat each note.
    notes = tuple(dict.fromkeys((*_notes(request), *_before_cors(request, reached))))
    was_tried = result.readable and allows_credentials(result.exchanges[-1].response_headers)
    if was_tried and not audit:
        notes += ("Of an attacker's origins one was tried: --audit tries more.",)
    return replace(with_findings(diagnosis, _unique(found)), notes=notes)


def _compare_with_standard(
    browser: Browser, diagnosis: Diagnosis, result: FetchResult, reads: tuple[str, ...]
) -> str:
    """Return the message, and the standard's for the same responses where it differs."""
    received = {
        (sent.method, sent.url, sent.request_headers): (sent.status, sent.response_headers)
        for sent in result.exchanges
    }

    def replay(method: str, url: str, headers: list[tuple[str, str]]) -> Response:
        try:
            return received[method, url, tuple(headers)]
        except KeyError:
            raise NoResponse("network-error", "it was not sent", "") from None

    standard, replayed = diagnose(diagnosis.request, replay, reads=reads)
    if replayed is None:
        return compared_with_standard(diagnosis.message, browser, None)
    if (standard.message, standard.steps) == (diagnosis.message, diagnosis.steps):
        return diagnosis.message
    return compared_with_standard(diagnosis.message, browser, standard.message)


def _notes(request: Request) -> Iterator[str]:
    if any(name in CREDENTIAL_HEADERS for name, _ in request.headers):
        yield ("Authorization was named in the preflight and never sent: a 401 may be due to that.")
    if request.with_credentials:
        yield "No cookies were sent: the answer to a visitor who has some may differ."
    if request.method in _WITH_BODY:
        yield "No body was sent: a limit on its size would not show."


def _before_cors(first: Request, last: Request) -> Iterator[str]:
    """Yield what a browser checks before it reads any header of the server."""
    if not first.is_cross_origin:
        yield "The URL is of the page's own origin: CORS does not apply."
    page = parse_origin(first.origin)
    if page is None or is_loopback(page.host):
        return
    for request in dict.fromkeys((first, last)):
        host = request.target.host
        if is_loopback(host):
            yield (
                "The server is on the visitor's own machine: the browser asks the user first "
                "(local-network-access)."
            )
        elif _is_private(host) and not _is_private(page.host):
            yield (
                "The server is in a private network: the browser asks the user first, unless the "
                "page is in one, too (local-network-access)."
            )
        elif page.scheme == "https" and request.target.scheme == "http":
            yield (
                "The page is on https and the URL on http: browsers block that as mixed content, "
                "whatever the server says."
            )


def _is_private(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host.strip("[]")).is_private
    except ValueError:
        return False


def _unique(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield each finding once; two CORS layers are one finding, whichever headers they share."""
    seen = set()
    for finding in findings:
        key = (finding.code, "" if finding.code == "two-cors-layers" else finding.message)
        if key not in seen:
            seen.add(key)
            yield finding


def _server_findings(client: ProbeClient, result: FetchResult) -> Iterator[Finding]:
    """Yield what a fetch shows about the server, and what a few more requests show."""
    last = result.exchanges[-1]
    if result.reason == "preflight-not-ok":
        yield from preflight_findings(last)
    yield from layer_findings(result.exchanges)
    if not last.request.is_cross_origin:
        return
    seen = (
        hidden_finding(last) if result.readable else None,
        cookie_finding(last) if last.request.with_credentials else None,
        slash_finding(last, last.request.origin),
    )
    yield from (finding for finding in seen if finding is not None)
    if result.readable:
        yield from credentials_findings(client, last)
    elif last.is_preflight:
        yield from _intercepted(client, last)
    elif result.reason == "no-allow-origin" and is_gateway_error(last):
        yield gateway_finding(last)
    elif result.reason == "no-allow-origin" and is_bare_error(last):
        witness = _witness(client, result)
        if witness is not None:
            yield error_finding(last, witness)
    elif result.reason in ("no-allow-origin", "origin-mismatch"):
        yield from _cached(client, last)
    vary = _vary(client, last)
    if vary is not None:
        yield vary
    if result.reason in ("no-allow-origin", "preflight-not-ok"):
        yield from _no_layer(client, last)


def _intercepted(client: ProbeClient, last: Exchange) -> Iterator[Finding]:
    """Yield a finding if OPTIONS is answered before the CORS layer that a GET shows.

    Args:
        client: The client of the server.
        last: A preflight that was refused.
    """
    request = last.request
    if last.status >= 300 or allow_origin(last.response_headers) is not None:
        return
    # A policy may refuse the method or a header; any that allows the origin allows a plain GET.
    plain = client.preflight(derived(request, method="GET", headers=()), request.origin)
    found = client.get(request, request.origin)
    if plain is None or found is None or _is_allowed(request, plain):
        return
    if _is_allowed(request, found):
        yield Finding(
            "preflight-not-forwarded",
            f"The preflight was answered with {last.status} and without headers of CORS, though a "
            "GET of the same URL has them: a proxy, or the framework's own routes, answers OPTIONS "
            "before the CORS layer sees it.",
            "let the proxy pass OPTIONS on, or add the headers to its answer",
            last.url,
        )


def _cached(client: ProbeClient, last: Exchange) -> Iterator[Finding]:
    """Yield a finding if the same URL is allowed with a query that no cache knows."""
    request = last.request
    token = f"corscore-probe={token_hex(8)}"
    query = f"{request.target.query}&{token}" if request.target.query else f"?{token}"
    found = client.get(request, request.origin, replace(request.target, query=query))
    if found is not None and found.status < 400 and _is_allowed(request, found):
        yield Finding(
            "cache-ignores-vary",
            "The same URL with a query of its own is allowed: a cache answered with what it keeps "
            "from another origin, or from none.",
            "have the cache heed Vary: Origin, or put Origin into its key, and empty it",
            last.url,
        )


def _witness(client: ProbeClient, result: FetchResult) -> Exchange | None:
    """Return a response of the same server with the CORS headers that an error lacks."""
    request = result.exchanges[-1].request
    for exchange in result.exchanges:
        if exchange.is_preflight and _is_allowed(request, exchange):
            return exchange
    preflight = client.preflight(request, request.origin)
    if preflight is not None and _is_allowed(request, preflight):
        return preflight
    for target in _neighbours(request.target):
        found = client.get(request, request.origin, target)
        if found is not None and _is_allowed(request, found):
            return found
    return None


def _is_allowed(request: Request, exchange: Exchange) -> bool:
    return cors_check(request, exchange.response_headers) is None


def _neighbours(target: Url) -> Iterator[Url]:
    """Yield the URL without its query, then the folders that contain it, the nearest first."""
    if target.query:
        yield replace(target, query="", fragment="")
    path = target.path.rstrip("/")
    for _ in range(_MAX_NEIGHBOURS):
        path = path.rpartition("/")[0]
        yield replace(target, path=f"{path}/", query="", fragment="")
        if not path:
            return
    yield replace(target, path="/", query="", fragment="")


def _vary(client: ProbeClient, last: Exchange) -> Finding | None:
    """Return a finding if a cache could mix up this response and those to two other origins."""
    request = last.request
    mine: Exchange | None = last
    if last.is_preflight or request.method not in SAFE_METHODS:
        # Caches store responses to GETs, and this response is to a preflight or another method.
        if last.is_preflight and cors_check(request, last.response_headers) is not None:
            return None
        mine = client.get(request, request.origin)
    if mine is None or varies_by_origin(mine.response_headers):
        return None
    if allow_origin(mine.response_headers) in (None, WILDCARD) or is_transient(mine.status):
        return None
    responses: list[tuple[str | None, Exchange]] = [(request.origin, mine)]
    for origin in (STRANGER, None):
        other = client.get(request, origin)
        if other is not None:
            responses.append((origin, other))
            found = vary_finding(responses)
            if found is not None:
                return found
    return None


def _no_layer(client: ProbeClient, last: Exchange) -> Iterator[Finding]:
    """Yield a finding if no response shows a CORS layer: any layer would show in one of them."""
    request = last.request
    if has_trace(last.response_headers) or (not last.is_preflight and last.status >= 400):
        return
    exchanges = (
        last,
        client.preflight(request, request.origin),
        client.get(request, request.origin),
        client.get(request, None),
    )
    seen = [exchange for exchange in exchanges if exchange is not None]
    conclusive = all(
        exchange.status < 300 or (exchange.is_preflight and exchange.status in _NO_METHOD)
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
