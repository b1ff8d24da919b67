"""What one answer, or a few of them, tell about a server: for live ones and for recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore._explain.fetch import hidden_headers
from corscore._explain.names import ticked
from corscore._standard.fetch import (
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    CORS_SAFELISTED_METHODS,
    WILDCARD,
)
from corscore._standard.text import shown
from corscore.browser._checks import (
    allowed_methods,
    cors_check,
    covers_method,
    refused_headers,
)
from corscore.browser._headers import get, values
from corscore.diagnostics._finding import Finding
from corscore.diagnostics._traces import allow_origin, doubled, has_trace, varies_by_origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from corscore.browser import Exchange
    from corscore.browser._request import Request

_NEEDS_AUTH = (401, 407)
_NO_ROUTE = (400, 404, 405, 406, 410, 415, 422, 426, 501)
# What a server has for scripts only, so that it is of no use where none can read it.
_FOR_SCRIPTS = frozenset(
    (
        "x-total",
        "x-total-count",
        "x-total-pages",
        "x-page",
        "x-per-page",
        "x-next-page",
        "x-prev-page",
        "x-pagination",
        "content-range",
    )
)


def is_transient(status: int) -> bool:
    """Whether an answer says nothing of how the server is set up."""
    return status >= 500 or status == 429


def preflight_findings(request: Request, exchange: Exchange) -> Iterator[Finding]:
    """Who answered a preflight with a status that is not ok, redirects aside.

    Args:
        request: What the preflight was sent for.
        exchange: The preflight.
    """
    status, headers = exchange.status, exchange.response_headers
    what, url = f"The preflight was answered with {status}", exchange.url
    if status in _NEEDS_AUTH or (status == 403 and not varies_by_origin(headers)):
        yield Finding(
            "preflight-needs-auth",
            f"{what}: authentication stands before CORS, and preflights carry no credentials.",
            "put CORS outside the authentication, and have a gateway let OPTIONS through",
            url,
        )
    elif status == 403 or (status == 400 and has_trace(headers)):
        yield Finding(
            "preflight-refused",
            f"{what} by a CORS layer: its policy refuses what was asked.",
            "allow the origin, the method and the headers in its policy, if they are yours",
            url,
        )
        yield from _lists(request, exchange)
    elif status in _NO_ROUTE:
        yield Finding(
            "preflight-not-handled",
            f"{what} by the application's routes: no CORS layer stands before them.",
            "put the CORS middleware around the whole application, or answer OPTIONS in the proxy",
            url,
        )
    elif status >= 500:
        yield Finding(
            "preflight-server-error",
            f"{what}: the server, or what is in front of it, failed before CORS could answer.",
            "look into the server's log; this is no matter of CORS",
            url,
        )


def _lists(request: Request, exchange: Exchange) -> Iterator[Finding]:
    """What a layer refused that says what it allows, with the origin among it."""
    headers, url = exchange.response_headers, exchange.url
    if cors_check(request, headers) is not None:
        return
    methods, upper = allowed_methods(request, headers) or (), request.method.upper()
    is_listed = request.method in CORS_SAFELISTED_METHODS
    if not is_listed and methods and not covers_method(request, methods, request.method):
        if request.method != upper and upper in methods:
            yield Finding(
                "method-case",
                f"{ticked(request.method)} is not {ticked(upper)}: methods are compared by case.",
                f"write {ticked(upper)} in the script",
                url,
            )
        else:
            listed = shown(get(headers, ACCESS_CONTROL_ALLOW_METHODS))
            yield Finding(
                "method-not-allowed",
                f"The policy lists the methods {listed}.",
                f"add {shown(upper)} to them",
                url,
            )
    missing = refused_headers(request, headers)
    if missing and values(headers, ACCESS_CONTROL_ALLOW_HEADERS):
        yield Finding(
            "header-not-allowed",
            f"The policy lists the headers {shown(get(headers, ACCESS_CONTROL_ALLOW_HEADERS))}.",
            f"add {shown(', '.join(missing))} to them",
            url,
        )


def layer_findings(exchanges: Iterable[Exchange]) -> Iterator[Finding]:
    """Whether two layers set headers of CORS: once, however many answers show it."""
    for exchange in exchanges:
        name = doubled(exchange.response_headers)
        if name is not None:
            found = ", ".join(values(exchange.response_headers, name.lower()))
            yield Finding(
                "two-cors-layers",
                f"Two layers set {name}: it is {shown(found)}.",
                "keep one of them, the application or the proxy, and switch the other one off",
                exchange.url,
            )
            return


def error_finding(failed: Exchange, witness: Exchange) -> Finding:
    """An error that lacks what another answer of the same server has.

    Args:
        failed: The error, without headers of CORS.
        witness: An answer that has them.
    """
    other = "the preflight" if witness.is_preflight else f"the {witness.status}"
    return Finding(
        "missing-on-error",
        f"The {failed.status} has no headers of CORS, though {other} of {shown(witness.url)} has.",
        'in nginx write "always" behind add_header; in an application put CORS outside the '
        "handling of errors",
        failed.url,
    )


def is_bare_error(exchange: Exchange) -> bool:
    """Whether this is an error that no CORS layer has put a header on."""
    return exchange.status >= 400 and allow_origin(exchange.response_headers) is None


def vary_finding(answers: Iterable[tuple[str | None, Exchange]]) -> Finding | None:
    """Whether answers to several origins differ, and one that names an origin does not say so.

    Args:
        answers: The Origin that was sent, or None, and what came back; of one URL and method.
    """
    told = [
        (origin, exchange, allow_origin(exchange.response_headers))
        for origin, exchange in answers
        if not is_transient(exchange.status)
    ]
    for origin, exchange, allowed in told:
        if allowed in (None, WILDCARD) or varies_by_origin(exchange.response_headers):
            continue
        for other, _, value in told:
            if other != origin and value != allowed:
                who = "without an Origin" if other is None else f"to {shown(other)}"
                what = "none" if value is None else shown(value)
                return Finding(
                    "vary-missing",
                    f"Access-Control-Allow-Origin is {shown(allowed)} in the answer to "
                    f"{shown(origin)} and {what} in the one {who}, and Vary does not name Origin: "
                    "a cache may mix them up.",
                    "send Vary: Origin with every answer, refusals included",
                    exchange.url,
                )
    return None


def hidden_finding(request: Request, exchange: Exchange) -> Finding | None:
    """Whether a response has headers that only a script is interested in, and it sees none."""
    headers = exchange.response_headers
    written = {name for name, _ in headers if name in _FOR_SCRIPTS}
    # Of a part of a file, the browser reads it; with other units it counts the pages of a list.
    if (get(headers, "content-range") or "").lower().startswith("bytes"):
        written.discard("content-range")
    if 'rel="next"' in (get(headers, "link") or ""):
        written.add("link")
    hidden = hidden_headers(request, headers, sorted(written))
    if not hidden:
        return None
    names = shown(", ".join(hidden))
    return Finding(
        "header-not-exposed",
        f"The response has headers for scripts that no script of another origin can read: {names}.",
        f"list {names} in Access-Control-Expose-Headers",
        exchange.url,
    )
