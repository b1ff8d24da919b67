"""``Policy.explain``: what a browser does under a policy, and why.

The model browser (``corscore.browser``) fetches from a server that consists of the policy alone, so
that an explanation never differs from the policy's decisions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from corscore._engine.request import RequestInfo
from corscore._explain.fetch import compared_with_standard, explain_fetch, hidden_headers
from corscore._explain.refusal import (
    Refusal,
    header_refusal,
    matched,
    method_refusal,
    origin_refusal,
)
from corscore._explain.types import Explanation, HeaderNote, Step
from corscore._standard.fetch import (
    FORBIDDEN_METHODS,
    FORBIDDEN_RESPONSE_HEADERS,
    NORMALISED_METHODS,
    OPAQUE_ORIGIN,
    PREFLIGHT_METHOD,
    WILDCARD,
)
from corscore._standard.grammar import is_token
from corscore._standard.text import quoted, shown
from corscore.browser import fetch
from corscore.browser._deviations import MAX_AGE_LIMITS, check_browser
from corscore.browser._request import Request, derived, in_browser, needs_preflight

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corscore._engine.decision import Decision
    from corscore._policy.policy import Policy
    from corscore.browser import Browser
    from corscore.browser._headers import HeaderList

_RESOLVER = "The policy's origin_resolver would be asked, and may allow it."
_REFUSED_BY_RESOLVER = Refusal(
    "origin-not-allowed",
    "A check beside the policy's patterns, such as its origin_resolver, refused the origin.",
    "have the resolver allow the origin, if it is yours",
)

_FETCH = "https://fetch.spec.whatwg.org/#"

# The servers of a request that names none; no page has such an origin.
_SERVER = "https://server.invalid"
_ELSEWHERE = "https://elsewhere.invalid"

# A value that is safelisted for no header, since only such headers make a preflight.
_UNSAFE_VALUE = '"'
_MAX_REQUESTED = 65536

_ANY_SITE = (
    'any site may read this: allow_origins=["*"]. The value is the same for every site, so '
    "caches may share the response"
)
_ORIGIN = "names the one origin that may read this response, since browsers compare it whole"
_WHY = {
    "access-control-allow-credentials": (
        "allow_credentials=True: cookies may be sent, and the answer to them read"
    ),
    "access-control-expose-headers": (
        "expose_headers: what scripts may read beside the seven safelisted response headers"
    ),
    "access-control-allow-private-network": (
        "allow_private_network=True, and the preflight asked for it; current browsers do not"
    ),
    "content-length": "the answer to a preflight has no content that a browser would look at",
    "content-type": "servers insist on one where there may be content",
}


class _Decider:
    """A policy, with the verdict of its resolver or without one."""

    def __init__(self, policy: Policy, origin_allowed: bool | None) -> None:
        self.policy = policy
        self.origin_allowed = origin_allowed

    def decide(self, request: RequestInfo) -> Decision:
        return self.policy.decide(request, origin_allowed=self.origin_allowed)

    def notes(self, decision: Decision, pattern: str | None) -> tuple[HeaderNote, ...]:
        return _header_notes(decision, pattern, self.policy.max_age)

    def matched(self, decision: Decision, origin: str) -> str | None:
        return matched(self.policy, origin) if decision.origin_allowed else None


def explain(
    policy: Policy,
    request: RequestInfo | Request,
    reads: Iterable[str],
    origin_allowed: bool | None,
    browser: Browser | None,
) -> Explanation:
    """See ``Policy.explain``."""
    check_browser(browser)
    reads, decider = tuple(reads), _Decider(policy, origin_allowed)
    if isinstance(request, Request):
        return _explain_in(browser, decider, request, None, reads)
    if request.origin is None:
        return _without_check(
            decider,
            request,
            "CORS does not apply: without an Origin, no page of another origin sent the request.",
            "a request to the page's own origin, or from no browser, has no Origin",
        )
    if request.is_own_origin:
        return _without_check(
            decider,
            request,
            "The Origin is the site's own: browsers do not check what a page gets from its origin.",
            "the page and the server are of one origin",
        )
    method = _asked_method(request)
    impossible = _explain_impossible(decider, request, method)
    if impossible is not None:
        return impossible
    return _explain_in(browser, decider, _script_behind(request, method), request, reads)


def _explain_in(
    browser: Browser | None,
    decider: _Decider,
    script: Request,
    sent: RequestInfo | None,
    reads: tuple[str, ...],
) -> Explanation:
    found = _explain_script(decider, in_browser(script, browser), sent, reads)
    if browser is None:
        return found
    standard = _explain_script(decider, script, sent, reads)
    if (found.message, found.steps) == (standard.message, standard.steps):
        return found
    return replace(found, message=compared_with_standard(found.message, browser, standard.message))


def _explain_impossible(decider: _Decider, request: RequestInfo, method: str) -> Explanation | None:
    """Explain a request that no browser sends; None for every other one."""
    names = request.request_headers
    if not is_token(method):
        code, what = "method-invalid", f"{shown(method)} is not the name of a method"
        hint = "name one, such as PUT"
    elif method.upper() in FORBIDDEN_METHODS:
        code, what = "method-forbidden", f"{shown(method)} is a method that browsers refuse to send"
        hint = "use another one"
    elif request.is_preflight and _requested_names(request) is None:
        code, what = "header-invalid", f"{shown(names)} is not a list of header names"
        hint = "name headers separated by commas"
    else:
        return None
    decision = decider.decide(request)
    section = f"{_FETCH}dom-request"
    return Explanation(
        allowed=False,
        reason=code,
        browser_reason=None,
        message=f"No browser sends this: {what}.",
        hint=hint,
        matched=decider.matched(decision, request.origin or ""),
        nearest=None,
        steps=(Step("script", False, what, section, code),),
        headers=decider.notes(decision, None),
        console=(),
    )


def _without_check(decider: _Decider, request: RequestInfo, message: str, text: str) -> Explanation:
    decision = decider.decide(request)
    section = f"{_FETCH}concept-main-fetch, step 12"
    return Explanation(
        allowed=True,
        reason=None,
        browser_reason=None,
        message=message,
        hint=None,
        matched=None,
        nearest=None,
        steps=(Step("same-origin", True, text, section),),
        headers=decider.notes(decision, None),
        console=(),
    )


def _explain_script(
    decider: _Decider, script: Request, sent: RequestInfo | None, reads: Iterable[str]
) -> Explanation:
    decisions: list[Decision] = []

    def serve(
        method: str, _url: str, headers: list[tuple[str, str]]
    ) -> tuple[int, list[tuple[str, str]]]:
        is_preflight = method == PREFLIGHT_METHOD and not decisions and needs_preflight(script)
        if is_preflight and sent is not None and sent.is_preflight:
            # As it was sent: the model browser would sort and respell the list of headers.
            decision = decider.decide(sent)
        else:
            names = dict(headers)
            decision = decider.decide(
                RequestInfo.from_getter(method, lambda name: names.get(name.lower()))
            )
        decisions.append(decision)
        return decision.status or 200, list(decision.headers)

    result = fetch(script, serve, browser=script.browser)
    found = explain_fetch(result, reads=reads)
    pattern = decider.matched(decisions[0], script.origin)
    if sent is None:
        notes = tuple(note for one in decisions for note in decider.notes(one, pattern))
    else:
        notes = decider.notes(decider.decide(sent), pattern)
    found = replace(found, matched=pattern, headers=notes)
    if found.allowed:
        return found
    return _by_policy(decider, found, script, decisions[-1], reads)


def _by_policy(
    decider: _Decider,
    found: Explanation,
    script: Request,
    decision: Decision,
    reads: Iterable[str],
) -> Explanation:
    """Put a refusal into terms of the policy's options: the nearest pattern, and what to write."""
    reason = found.reason
    if not decision.origin_allowed:
        if decider.origin_allowed is False:
            return replace(found, **_REFUSED_BY_RESOLVER._asdict())
        refusal = origin_refusal(decider.policy, script.origin)
        if decision.needs_resolver:
            refusal = refusal._replace(message=f"{refusal.message} {_RESOLVER}")
        return replace(found, **refusal._asdict())
    if reason in ("method-not-allowed", "method-case"):
        return replace(found, **method_refusal(decider.policy, script.method)._asdict())
    if reason == "header-not-allowed":
        return replace(found, **header_refusal(decider.policy, script.unsafe_names)._asdict())
    if reason == "credentials-not-allowed":
        return replace(found, hint="set allow_credentials=True")
    if reason == "wildcard-with-credentials":
        return replace(
            found,
            hint=f"write allow_origins=[{quoted(script.origin)}] and allow_credentials=True, "
            'or leave out credentials: "include" in the script',
        )
    # The only other reason is a header that is not exposed.
    hidden = hidden_headers(script, decision.headers, reads)
    if any(name.lower() in FORBIDDEN_RESPONSE_HEADERS for name in hidden):
        return found
    return replace(found, hint=f"add {shown(', '.join(hidden))} to expose_headers")


def _asked_method(request: RequestInfo) -> str:
    """Return the method that the script wants: for a preflight, the one that it names."""
    if request.is_preflight:
        return request.request_method or ""
    # https://fetch.spec.whatwg.org/#concept-method-normalize
    upper = request.method.upper()
    return upper if upper in NORMALISED_METHODS else request.method


def _script_behind(request: RequestInfo, method: str) -> Request:
    """Return a script that would send this request, or this preflight.

    It sends no credentials, since a request does not show the credentials mode of its page. Under a
    policy that allows credentials a browser does the same with and without them.
    """
    origin = OPAQUE_ORIGIN if request.origin is None else request.origin
    url = _ELSEWHERE if origin == _SERVER else _SERVER
    base = Request("GET", url, origin=OPAQUE_ORIGIN)
    headers: HeaderList = ()
    if request.is_preflight:
        headers = tuple((name, _UNSAFE_VALUE) for name in _requested_names(request) or ())
    # The constructor would raise for what no script can ask for, and clients may send anything.
    script = derived(base, method=method, origin=origin, partition=origin, headers=headers)
    if request.is_preflight and not needs_preflight(script):
        return derived(script, use_cors_preflight=True)
    return script


def _requested_names(request: RequestInfo) -> list[str] | None:
    """Return the headers that a preflight asks for, in lower case; None if it is no list."""
    # Longer than a policy reads, so that too long a list can be explained.
    text = request.request_headers or ""
    if len(text) > _MAX_REQUESTED:
        return None
    names = [name.strip(" \t").lower() for name in text.split(",")]
    names = [name for name in names if name]
    return names if all(map(is_token, names)) else None


def _header_notes(
    decision: Decision, matched: str | None, max_age: int | None
) -> tuple[HeaderNote, ...]:
    """Return every header that a decision sets, in its order, with the reason for it."""
    response: Literal["preflight", "actual"] = "preflight" if decision.is_preflight else "actual"
    return tuple(
        HeaderNote(name, value, f"{_why(name.lower(), value, matched, max_age)}.", response)
        for name, value in decision.headers
    )


def _why(name: str, value: str, matched: str | None, max_age: int | None) -> str:
    if name == "access-control-allow-origin":
        if value == WILDCARD:
            return _ANY_SITE
        return _ORIGIN if matched is None else f"{_ORIGIN}; {shown(matched)} allows it"
    if name == "vary":
        return _why_vary(value)
    if name == "access-control-allow-methods":
        if value == WILDCARD:
            return 'allow_methods=["*"]: any method, as browsers read * without credentials'
        return "GET, HEAD and POST, which CORS always allows, and allow_methods"
    if name == "access-control-allow-headers":
        if value.startswith(WILDCARD):
            return 'allow_headers=["*"]: any header; * does not cover Authorization, so it is named'
        return "the five safelisted names, whose values may still need asking, and allow_headers"
    if name == "access-control-max-age":
        if max_age == 0:
            return "max_age=0: browsers ask again before each request"
        limits = ", ".join(
            f"{browser} {limit}" for browser, limit in MAX_AGE_LIMITS.items() if limit < int(value)
        )
        most = f"; some remember for less: {limits}" if limits else ""
        return f"max_age: for how many seconds browsers need not ask again{most}"
    return _WHY[name]


def _why_vary(value: str) -> str:
    why = "the response depends on the Origin: a cache must not give it to another one"
    if "," in value:
        return f"{why}; it also depends on the headers named beside it"
    return why
