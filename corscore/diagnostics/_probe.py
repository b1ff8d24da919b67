"""``probe``: what a browser would do with a live server, and what is wrong with it. No I/O here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corscore._config.pattern import is_loopback
from corscore._explain.fetch import last_request
from corscore._standard.origin import parse_origin
from corscore.browser import fetch
from corscore.diagnostics._audit import audit_findings
from corscore.diagnostics._client import Server
from corscore.diagnostics._curl import CREDENTIAL_HEADERS
from corscore.diagnostics._diagnosis import (
    Diagnosis,
    NoResponse,
    of_failure,
    of_result,
    with_findings,
)
from corscore.diagnostics._findings_server import server_findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from corscore.browser import Transport
    from corscore.browser._request import Request
    from corscore.diagnostics._finding import Finding

_MOST_MORE = 12
_MOST_IN_AUDIT = 40


def probe(
    request: Request, transport: Transport, *, reads: Iterable[str] = (), audit: bool = False
) -> Diagnosis:
    """Does to a server what a browser would, asks a little more, and says what it found.

    What it asks beyond the fetch itself are GETs, HEADs and preflights. ``Authorization`` and
    ``Cookie`` are never sent, whatever the request says: a preflight names them, that is all.

    Args:
        request: What a script would ask for.
        transport: Sends one request without following redirects; raises ``NoResponse`` where
            there is no answer. It is given no credentials.
        reads: Names of response headers that the script wants.
        audit: Whether to try origins of attackers as well.
    """
    server = Server(transport, _MOST_IN_AUDIT if audit else _MOST_MORE)
    try:
        result = fetch(request, server.send)
    except NoResponse as failure:
        failed = of_failure(request, server.exchanges, server.last_sent, failure)
        return replace(failed, notes=tuple(_notes(request)))
    reads = tuple(reads)
    diagnosis = of_result(request, result, reads)
    reached = last_request(request, result.exchanges)
    found = list(server_findings(server, reached, result))
    if reads:
        # Said already of what the script reads, and nothing is left to guess.
        found = [one for one in found if one.code != "header-not-exposed"]
    if audit and reached.is_cross_origin:
        found += audit_findings(server, reached)
    notes = (*_notes(request), *_before_cors(request, reached))
    return replace(with_findings(diagnosis, _once(found)), notes=notes)


def _notes(request: Request) -> Iterator[str]:
    if any(name in CREDENTIAL_HEADERS for name, _ in request.headers):
        yield ("Authorization was named in the preflight and never sent: a 401 may be due to that.")
    if request.with_credentials:
        yield "No cookies were sent: the answer to a visitor who has some may differ."


def _before_cors(*requests: Request) -> Iterator[str]:
    """What else a browser looks at, before any header of a server counts."""
    first, last = requests
    if not first.is_cross_origin:
        yield "The URL is of the page's own origin: CORS has no say."
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
        elif page.scheme == "https" and request.target.scheme == "http":
            yield (
                "The page is on https and the URL on http: browsers block that as mixed content, "
                "whatever the server says."
            )


def _once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """What two looks found alike is told once, and so are two layers, whichever answer shows it."""
    seen = set()
    for finding in findings:
        key = (finding.code, "" if finding.code == "two-cors-layers" else finding.message)
        if key not in seen:
            seen.add(key)
            yield finding
