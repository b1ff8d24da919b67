"""The audit of a live server: which of an attacker's origins it allows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from corscore._config.pattern import is_loopback
from corscore._standard.fetch import OPAQUE_ORIGIN, REDIRECT_STATUSES, WILDCARD
from corscore._standard.host import ends_in_number
from corscore._standard.origin import parse_origin
from corscore._standard.public_suffix import registrable_domain
from corscore._standard.text import shown
from corscore.browser._checks import cors_check
from corscore.browser._request import derived
from corscore.diagnostics._client import SAFE_METHODS
from corscore.diagnostics._exchanges import (
    error_finding,
    is_bare_error,
    layer_findings,
    preflight_findings,
)
from corscore.diagnostics._finding import Finding
from corscore.diagnostics._traces import allow_origin, allows, allows_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore.browser import Exchange
    from corscore.browser._request import Request
    from corscore.diagnostics._client import ProbeClient

# A reserved name, which no site can have: https://www.rfc-editor.org/rfc/rfc2606
_STRANGERS_HOST = "corscore-probe.example"
STRANGER = f"https://{_STRANGERS_HOST}"
_PREFIX = "corscore-probe"
_MISSING = "corscore-probe-404"
_END_COMPARED = "its end is compared, without the dot before it"


def audit_findings(client: ProbeClient, request: Request) -> Iterator[Finding]:
    """Try origins that an attacker can have, with GETs, HEADs and preflights only.

    Args:
        client: The client of the server.
        request: The last request of the fetch, after redirects.
    """
    any_origin = _allowed(client, request, STRANGER)
    if any_origin is not None:
        yield _reflection(request, any_origin)
    null = _allowed(client, request, OPAQUE_ORIGIN)
    if null is not None:
        yield _null(request, null)
    if any_origin is None:
        yield from _look_alikes(client, request)
    yield from _insecure(client, request)
    yield from _wildcard(client, request)
    yield from _preflight(client, request)
    yield from _errors(client, request)


def credentials_findings(client: ProbeClient, last: Exchange) -> Iterator[Finding]:
    """Yield findings about an attacker's origins that may use cookies, with one more request.

    Args:
        client: The client of the server.
        last: The response that a script can read.
    """
    request, headers = last.request, last.response_headers
    if not (allows(headers, request.origin) and allows_credentials(headers)):
        return
    if request.origin == OPAQUE_ORIGIN:
        yield _null(request, credentials=True)
    page = parse_origin(request.origin)
    if page is not None and page.scheme == "http" and not is_loopback(page.host):
        yield _insecure_origin(request, request.origin)
    is_safe = request.method in SAFE_METHODS
    found = client.get(request, STRANGER) if is_safe else client.preflight(request, STRANGER)
    if (
        found is not None
        and allows(found.response_headers, STRANGER)
        and allows_credentials(found.response_headers)
    ):
        yield _reflection(request, credentials=True)


def _reflection(request: Request, credentials: bool) -> Finding:
    return Finding(
        "reflects-any-origin",
        f"Any origin is allowed, {_with(credentials)}: even {shown(STRANGER)}.",
        "list the origins; if everyone may read, send * and no credentials",
        request.target.without_fragment,
    )


def _null(request: Request, credentials: bool) -> Finding:
    return Finding(
        "null-allowed",
        f'The origin "null" is allowed, {_with(credentials)}: any site can send it from a '
        "sandboxed frame.",
        "take null out of the list",
        request.target.without_fragment,
    )


def _insecure_origin(request: Request, origin: str) -> Finding:
    return Finding(
        "insecure-origin-allowed",
        f"{shown(origin)} is allowed with credentials: anyone on a visitor's network can read with "
        "the visitor's cookies.",
        "allow the https origin alone",
        request.target.without_fragment,
    )


def _with(credentials: bool) -> str:
    return "with credentials" if credentials else "without credentials"


def _allowed(client: ProbeClient, request: Request, origin: str) -> bool | None:
    """Return whether an origin is allowed with credentials (True), without (False) or not (None).

    A GET and a preflight are sent, since some layers say only there what they allow.
    """
    allowed = [
        allows_credentials(exchange.response_headers)
        for exchange in (client.get(request, origin), client.preflight(request, origin))
        if exchange is not None and allows(exchange.response_headers, origin)
    ]
    return any(allowed) if allowed else None


def _look_alikes(client: ProbeClient, request: Request) -> Iterator[Finding]:
    origin = parse_origin(request.origin)
    if origin is None:
        return
    port = origin.port and f":{origin.port}"
    # A wildcard for subdomains rightly allows the last look-alike; it allows this name as well.
    below = f"{origin.scheme}://{_PREFIX}.{origin.host.partition('.')[2]}{port}"
    for host, mistake in look_alikes(origin.host):
        other = f"{origin.scheme}://{host}{port}"
        allowed = _allowed(client, request, other)
        is_below = (
            host == f"{_PREFIX}{origin.host}" and _allowed(client, request, below) is not None
        )
        if allowed is not None and not is_below:
            yield Finding(
                "look-alike-allowed",
                f"{shown(other)} is allowed, {_with(allowed)}: {mistake}.",
                "compare whole origins; in a regex escape the dots and match to the end",
                request.target.without_fragment,
            )


def look_alikes(host: str) -> Iterator[tuple[str, str]]:
    """Yield hosts that a careless comparison takes for this one, each with the mistake.

    An attacker can have any of them but the last, which ``https://*.example.com`` rightly covers.
    """
    if host.startswith("["):
        return
    yield f"{host}.{_STRANGERS_HOST}", "its start is compared, and not its end"
    domain = None if ends_in_number(host) else registrable_domain(host)
    if domain is not None:
        yield f"{_PREFIX}{domain}", _END_COMPARED
        below = host.removesuffix(".").removesuffix(domain).removesuffix(".")
        if below:
            yield f"{below}x{domain}", "a dot of a regex is not escaped"
            yield f"{_PREFIX}{host}", _END_COMPARED


def _insecure(client: ProbeClient, request: Request) -> Iterator[Finding]:
    """Try the page's origin over plain http, where anyone on the network can change the page."""
    origin = parse_origin(request.origin)
    if origin is None or origin.scheme not in ("http", "https") or is_loopback(origin.host):
        return
    port = origin.port and f":{origin.port}"
    insecure = f"http://{origin.host}{port}"
    if _allowed(client, request, insecure):
        yield _insecure_origin(request, insecure)


def _wildcard(client: ProbeClient, request: Request) -> Iterator[Finding]:
    answer = client.get(request, request.origin)
    if answer is None or allow_origin(answer.response_headers) != WILDCARD:
        return
    if allows_credentials(answer.response_headers):
        yield Finding(
            "wildcard-with-credentials",
            "Access-Control-Allow-Origin is * and Access-Control-Allow-Credentials is true: no "
            "browser takes the two together.",
            "list the origins, or leave the credentials out",
            answer.url,
        )


def _preflight(client: ProbeClient, request: Request) -> Iterator[Finding]:
    """Send a preflight even if the fetch needed none, and yield what refuses it before CORS."""
    preflight = client.preflight(request, request.origin)
    if preflight is None:
        return
    if preflight.status in REDIRECT_STATUSES:
        yield Finding(
            "preflight-redirected",
            f"A preflight is answered with a redirect, {preflight.status}, which no browser "
            "follows.",
            "let CORS answer before whatever redirects",
            preflight.url,
        )
    for found in preflight_findings(preflight):
        if found.code == "preflight-needs-auth":
            yield found
    yield from layer_findings((preflight,))


def _errors(client: ProbeClient, request: Request) -> Iterator[Finding]:
    """Yield a finding if a 404 has no CORS headers though its preflight has them.

    If the preflight has none either, the server may have CORS for other paths only.
    """
    path = request.target.path.rpartition("/")[0]
    target = replace(request.target, path=f"{path}/{_MISSING}", query="", fragment="")
    elsewhere = derived(request, target=target, url=str(target))
    failed = client.get(elsewhere, request.origin)
    if failed is None:
        return
    yield from layer_findings((failed,))
    if not is_bare_error(failed):
        return
    witness = client.preflight(elsewhere, request.origin)
    if witness is not None and cors_check(request, witness.response_headers) is None:
        yield error_finding(failed, witness)
