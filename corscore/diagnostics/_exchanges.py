"""Findings from one response or a few, of a live server or a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from corscore._explain.fetch import hidden_headers
from corscore._standard.fetch import (
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    CORS_SAFELISTED_METHODS,
    WILDCARD,
)
from corscore._standard.text import in_backticks, shown
from corscore.browser._checks import (
    allowed_methods,
    cors_check,
    covers_method,
    refused_headers,
)
from corscore.browser._headers import get, values
from corscore.browser._request import is_same_site
from corscore.diagnostics._finding import Finding
from corscore.diagnostics._traces import allow_origin, doubled, has_trace, varies_by_origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from corscore.browser import Exchange
    from corscore.browser._headers import HeaderList

_NEEDS_AUTH = (401, 407)
# Statuses that a gateway gives by itself, with a hint for each.
_GATEWAY_HINTS = {
    413: "raise the gateway's limit on the size of a body, such as client_max_body_size of nginx",
    429: "send fewer requests, or let the gateway count those of scripts apart",
    502: "look whether the application behind the gateway runs, and at what the gateway logs",
    503: "look whether the application behind the gateway runs, and at what the gateway logs",
    504: "look why the application behind the gateway takes so long",
}
_NO_ROUTE = (400, 404, 405, 406, 410, 415, 422, 426, 501)
# Only scripts use these headers.
_SCRIPT_HEADERS = frozenset(
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


class SeenResponse(Protocol):
    """A response and its URL: an ``Exchange``, or an ``Entry`` of a recording."""

    @property
    def url(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def response_headers(self) -> HeaderList: ...
    @property
    def is_preflight(self) -> bool: ...


def is_transient(status: int) -> bool:
    """Return whether an error may have nothing to do with the server's configuration."""
    return status >= 500 or status == 429


def preflight_findings(exchange: Exchange) -> Iterator[Finding]:
    """Yield a finding that names the layer which refused a preflight; none for a redirect."""
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
        yield from _list_findings(exchange)
    elif status in _NO_ROUTE:
        yield Finding(
            "preflight-not-handled",
            f"{what} by the application's routes: no CORS layer stands before them.",
            f"{about_path(status)}put the CORS middleware around the whole application, or answer "
            "OPTIONS in the proxy",
            url,
        )
    elif status in _GATEWAY_HINTS and status < 500:
        yield gateway_finding(exchange)
    elif status >= 500:
        yield Finding(
            "preflight-server-error",
            f"{what}: the server, or what is in front of it, failed before CORS could answer.",
            "look into the server's log; CORS is not the cause",
            url,
        )


def _list_findings(exchange: Exchange) -> Iterator[Finding]:
    """Yield findings about a method or header that a layer for this origin does not list."""
    request, headers, url = exchange.request, exchange.response_headers, exchange.url
    if cors_check(request, headers) is not None:
        return
    methods, upper = allowed_methods(request, headers) or (), request.method.upper()
    is_safelisted = request.method in CORS_SAFELISTED_METHODS
    if not is_safelisted and methods and not covers_method(request, methods, request.method):
        if request.method != upper and upper in methods:
            sent, meant = in_backticks(request.method), in_backticks(upper)
            yield Finding(
                "method-case",
                f"{sent} is not {meant}: methods are compared by case.",
                f"write {meant} in the script",
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


def layer_findings(responses: Iterable[SeenResponse]) -> Iterator[Finding]:
    """Yield at most one finding about two layers that set CORS headers."""
    for response in responses:
        name = doubled(response.response_headers)
        if name is not None:
            found = ", ".join(values(response.response_headers, name.lower()))
            yield Finding(
                "two-cors-layers",
                f"Two layers set {name}: it is {shown(found)}.",
                "keep one of them, the application or the proxy, and switch the other one off",
                response.url,
            )
            return


def about_path(status: int) -> str:
    """Return the beginning of a hint about a 404; empty for any other status."""
    return "look whether the path is right; if it is, " if status == 404 else ""


def is_gateway_error(response: SeenResponse) -> bool:
    """Return whether this is an error without CORS headers that gateways give by themselves."""
    return response.status in _GATEWAY_HINTS and is_bare_error(response)


def gateway_finding(failed: SeenResponse) -> Finding:
    """Return the finding about an error that most likely is a gateway's own.

    Args:
        failed: An error for which ``is_gateway_error`` is true, or a preflight's.
    """
    return Finding(
        "gateway-error",
        f"The {failed.status} is most likely the page of a proxy or a load balancer in front of "
        "the application, which knows nothing of CORS: the status is the fault, not the headers.",
        _GATEWAY_HINTS[failed.status],
        failed.url,
    )


def slash_finding(response: SeenResponse, origin: str) -> Finding | None:
    """Return a finding if a response allows the page's origin with a slash behind it."""
    if allow_origin(response.response_headers) != f"{origin}/":
        return None
    return Finding(
        "allow-origin-trailing-slash",
        f"Access-Control-Allow-Origin is {shown(f'{origin}/')}, and browsers compare it with "
        f"{shown(origin)}.",
        "drop the slash where the server has it",
        response.url,
    )


def cookie_finding(exchange: Exchange) -> Finding | None:
    """Return a finding if a response sets a cookie that browsers do not send from other sites.

    https://www.rfc-editor.org/rfc/rfc6265bis#section-5.6.7.1: without ``SameSite=None`` it stays
    within its site, and with it a cookie has to be ``Secure``.

    Args:
        exchange: A response to a request with credentials, or one that allows them.
    """
    request = exchange.request
    # https://html.spec.whatwg.org/#same-site: of one scheme as well.
    is_same_scheme = request.origin.startswith(f"{request.target.scheme}:")
    if is_same_scheme and is_same_site(request.origin, request.target):
        return None
    for line in values(exchange.response_headers, "set-cookie"):
        pair, *rest = (part.strip() for part in line.split(";"))
        attributes = {part.partition("=")[0].strip().lower(): part for part in rest}
        mode = attributes.get("samesite", "").partition("=")[2].strip().lower()
        if mode == "none" and "secure" in attributes:
            continue
        name = shown(pair.partition("=")[0])
        if mode == "none":
            why = "has SameSite=None without Secure: browsers drop it"
        else:
            written = (
                f"SameSite={mode.capitalize()}" if mode in ("lax", "strict") else "no SameSite"
            )
            why = f"has {written}: browsers do not send it with a script's request from other sites"
        return Finding(
            "cookie-not-sent",
            f"The cookie {name} {why}.",
            "write SameSite=None; Secure for it, or serve the page and the API on one site",
            exchange.url,
        )
    return None


def error_finding(failed: SeenResponse, witness: SeenResponse) -> Finding:
    """Return the finding about an error without CORS headers.

    Args:
        failed: The error.
        witness: Another response of the same server, which has CORS headers.
    """
    other = "the preflight" if witness.is_preflight else f"the {witness.status}"
    return Finding(
        "missing-on-error",
        f"The {failed.status} has no headers of CORS, though {other} of {shown(witness.url)} has.",
        about_path(failed.status) + _fix_of_error(failed),
        failed.url,
    )


def _fix_of_error(failed: SeenResponse) -> str:
    in_application = "in an application put CORS outside the handling of errors"
    server = (get(failed.response_headers, "server") or "nginx").lower()
    if "nginx" in server:
        return f'in nginx write "always" behind add_header; {in_application}'
    if "apache" in server:
        return f'in Apache write "Header always set" for "Header set"; {in_application}'
    return in_application.removeprefix("in an application ")


def is_bare_error(response: SeenResponse) -> bool:
    """Return whether this is an error without Access-Control-Allow-Origin."""
    return response.status >= 400 and allow_origin(response.response_headers) is None


def vary_finding(responses: Iterable[tuple[str | None, SeenResponse]]) -> Finding | None:
    """Return a finding if a response depends on the Origin and its Vary does not say so.

    Args:
        responses: Responses of one URL and method, each after the Origin that was sent or None.
    """
    seen = [
        (origin, response, allow_origin(response.response_headers))
        for origin, response in responses
        if not is_transient(response.status)
    ]
    for origin, response, allowed in seen:
        if allowed in (None, WILDCARD) or varies_by_origin(response.response_headers):
            continue
        for other, _, value in seen:
            if other != origin and value != allowed:
                who = "without an Origin" if other is None else f"to {shown(other)}"
                what = "none" if value is None else shown(value)
                return Finding(
                    "vary-missing",
                    f"Access-Control-Allow-Origin is {shown(allowed)} in the answer to "
                    f"{shown(origin)} and {what} in the one {who}, and Vary does not name Origin: "
                    "a cache may mix them up.",
                    "send Vary: Origin with every answer, refusals included",
                    response.url,
                )
    return None


def hidden_finding(exchange: Exchange) -> Finding | None:
    """Return a finding if a response has headers for scripts that no script can read."""
    headers = exchange.response_headers
    for_scripts = {name for name, _ in headers if name in _SCRIPT_HEADERS}
    # Content-Range in bytes is about a part of a file, for the browser; in other units, about a
    # page of a list.
    if (get(headers, "content-range") or "").lower().startswith("bytes"):
        for_scripts.discard("content-range")
    if 'rel="next"' in (get(headers, "link") or ""):
        for_scripts.add("link")
    hidden = hidden_headers(exchange.request, headers, sorted(for_scripts))
    if not hidden:
        return None
    names = shown(", ".join(hidden))
    return Finding(
        "header-not-exposed",
        f"The response has headers for scripts that no script of another origin can read: {names}.",
        f"list {names} in Access-Control-Expose-Headers",
        exchange.url,
    )
