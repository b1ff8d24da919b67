"""``explain_fetch``: why a script may read a response or not, from the exchanges of its fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore._explain.steps import steps_of
from corscore._explain.types import Explanation
from corscore._standard.fetch import (
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ALLOW_CREDENTIALS_TRUE,
    AUTHORIZATION,
    FORBIDDEN_RESPONSE_HEADERS,
    OPAQUE_ORIGIN,
    REDIRECT_STATUSES,
)
from corscore._standard.text import in_backticks, quoted, shown
from corscore.browser._checks import allowed_methods, header_check, refused_headers
from corscore.browser._console import console_messages
from corscore.browser._deviations import VERSIONS
from corscore.browser._headers import get
from corscore.browser._reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corscore.browser import Browser, Exchange, FetchResult
    from corscore.browser._headers import HeadersInput
    from corscore.browser._reasons import Reason
    from corscore.browser._request import Request

_HINTS: dict[str, str] = {
    "preflight-redirected": (
        "ask for the URL that the redirect leads to, https and final slash included, or let CORS "
        "answer before whatever redirects"
    ),
    "preflight-not-ok": (
        "answer the preflight with 204 and the CORS headers before authentication and routing"
    ),
    "multiple-allow-origin": "set the header in one place only: the application, or the proxy",
    "invalid-allow-methods": "send a list of methods separated by commas",
    "invalid-allow-headers": "send a list of header names separated by commas",
    "redirect-invalid": "answer the redirect with one Location that is an http or https URL",
    "too-many-redirects": "end the loop of redirects",
    "redirect-with-credentials": "leave the user name and password out of the redirect's Location",
    "redirect-refused": "ask for the URL that the redirect leads to",
    "redirect-leaves-origin": (
        'redirect within the page\'s origin, or leave out mode: "same-origin" in the script'
    ),
    "resource-policy-refused": (
        "send Cross-Origin-Resource-Policy: cross-origin, if every site may use the response"
    ),
    "redirected-to-null-origin": (
        "ask for the URL that the redirect leads to; allowing null would allow every site"
    ),
    "null-origin": "serve the page over http, from an origin that the server can allow",
}


def explain_fetch(result: FetchResult, *, reads: Iterable[str] = ()) -> Explanation:
    """Explain why a script got, or did not get, what it asked a server for.

    Args:
        result: The result of ``corscore.browser.fetch``.
        reads: Names of response headers that the script wants to read.

    Returns:
        An explanation without ``matched``, ``nearest`` and ``headers``, which need a policy:
        ``Policy.explain`` gives them.
    """
    reads = tuple(reads)
    exchange = result.exchanges[-1]
    browser = exchange.request.browser
    hidden: tuple[str, ...] = ()
    if result.readable:
        hidden = hidden_headers(exchange.request, exchange.response_headers, reads)
    browser_reason: Reason | None = "header-not-exposed" if hidden else result.reason
    reason = _refined(browser_reason, exchange)
    return Explanation(
        allowed=browser_reason is None,
        reason=reason,
        browser_reason=browser_reason,
        message=_message(browser_reason, reason, exchange, hidden),
        hint=None if reason is None else _hint(reason, exchange, hidden),
        matched=None,
        nearest=None,
        steps=tuple(step for _, step in steps_of(result.exchanges, reads)),
        headers=(),
        console=tuple(
            (name, text)
            for name, text in console_messages(exchange)
            if browser is None or name == browser
        ),
    )


def compared_with_standard(message: str, browser: Browser, standard: str | None) -> str:
    """Return the message for a browser that differs from the standard, with the difference.

    Args:
        message: The message of the browser's explanation.
        browser: The browser.
        standard: The message by the standard; None if only the steps differ.
    """
    name = VERSIONS[browser]
    if standard is None or standard == message:
        return f"{message} {name} takes other steps than the standard."
    return f"{message} That is {name}; by the standard: {standard}"


def cause(reason: Reason, exchange: Exchange) -> tuple[str, str, str]:
    """Return the code behind a browser's reason for a refusal, a message and a hint."""
    refined = _refined(reason, exchange) or reason
    return refined, _message(reason, refined, exchange, ()), _hint(refined, exchange, ())


def hidden_headers(
    request: Request, headers: HeadersInput, reads: Iterable[str]
) -> tuple[str, ...]:
    """Return the names in ``reads`` that a script may not read in a response."""
    return tuple(name for name in reads if header_check(request, headers, name) is not None)


def _refined(reason: Reason | None, exchange: Exchange) -> str | None:
    """Return the cause behind a browser's reason if the exchange shows it, else the reason."""
    request = exchange.request
    if reason == "method-not-allowed":
        upper = request.method.upper()
        listed = allowed_methods(request, exchange.response_headers) or ()
        if request.method != upper and upper in listed:
            return "method-case"
    if request.origin == OPAQUE_ORIGIN and reason in (
        "no-allow-origin",
        "origin-mismatch",
        "preflight-not-ok",
    ):
        if request.redirects:
            return "redirected-to-null-origin"
        if reason != "preflight-not-ok":
            return "null-origin"
    return reason


def _message(
    browser_reason: Reason | None,
    reason: str | None,
    exchange: Exchange,
    hidden: tuple[str, ...],
) -> str:
    request = exchange.request
    method = shown(request.method)
    if browser_reason is None:
        if request.tainting == "opaque":
            return f"A script on {shown(request.origin)} may do this {method}, and read nothing."
        return f"A script on {shown(request.origin)} may do this {method} and read the answer."
    if reason == "method-case":
        method, upper = in_backticks(request.method), in_backticks(request.method.upper())
        return f"{method} is not {upper}: methods are compared by case."
    if reason == "redirected-to-null-origin":
        return 'A redirect across origins turned the Origin into "null", which is not allowed.'
    if reason == "null-origin":
        return 'The page\'s origin is "null", which the server does not allow.'
    if browser_reason == "header-not-exposed":
        names = ", ".join(map(shown, hidden))
        return f"The script gets the response, but may not read its header {names}."
    if browser_reason in ("header-not-allowed", "authorization-needs-explicit"):
        names = ", ".join(refused_headers(request, exchange.response_headers))
        return f"{_sentence(browser_reason)}: {shown(names)}."
    if browser_reason == "method-not-allowed":
        return f"{_sentence(browser_reason)}, {method}."
    if browser_reason.startswith("preflight-"):
        return f"{_sentence(browser_reason)}: it is {exchange.status}."
    allowed = get(exchange.response_headers, ACCESS_CONTROL_ALLOW_ORIGIN)
    if allowed is not None and browser_reason in ("origin-mismatch", "multiple-allow-origin"):
        return f"{_sentence(browser_reason)}: it is {shown(allowed)}."
    return f"{_sentence(browser_reason)}."


def _sentence(reason: Reason) -> str:
    text = REASONS[reason]
    return text[0].upper() + text[1:]


def _hint(reason: str, exchange: Exchange, hidden: tuple[str, ...]) -> str:
    request = exchange.request
    if reason in _HINTS:
        return _HINTS[reason]
    if reason == "method-case":
        return f"write {quoted(request.method.upper())} in the script"
    if reason == "method-not-allowed":
        upper = request.method.upper()
        case = "" if upper == request.method else f"write {shown(upper)} in the script, and "
        return f"{case}list {shown(upper)} in Access-Control-Allow-Methods"
    if reason in ("header-not-allowed", "authorization-needs-explicit"):
        names = refused_headers(request, exchange.response_headers)
        extra = "; * does not cover it" if names == (AUTHORIZATION,) else ""
        return f"list {shown(', '.join(names))} in Access-Control-Allow-Headers{extra}"
    if reason == "header-not-exposed":
        never = [name for name in hidden if name.lower() in FORBIDDEN_RESPONSE_HEADERS]
        if never:
            return f"do not read {shown(', '.join(never))}: no script can, whatever is exposed"
        return f"list {shown(', '.join(hidden))} in Access-Control-Expose-Headers"
    if reason == "credentials-not-allowed":
        return (
            f"send Access-Control-Allow-Credentials: {ALLOW_CREDENTIALS_TRUE}, or leave out "
            'credentials: "include" in the script'
        )
    if reason == "wildcard-with-credentials":
        return (
            f"send Access-Control-Allow-Origin: {shown(request.origin)} and "
            'Access-Control-Allow-Credentials: true, or leave out credentials: "include"'
        )
    if reason == "no-allow-origin" and exchange.status in REDIRECT_STATUSES:
        return (
            "ask for the URL that the redirect leads to, or send Access-Control-Allow-Origin: "
            f"{shown(request.origin)} with the redirect too"
        )
    return f"send Access-Control-Allow-Origin: {shown(request.origin)} with this response"
