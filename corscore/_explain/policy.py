"""``Policy.explain``: what a browser makes of a policy's own decisions, and why.

The model browser (``corscore.browser``) fetches from a server that has the policy and nothing else.
So the explanation cannot say anything but what the policy does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from corscore._engine.request import RequestInfo
from corscore._explain.fetch import explain_fetch, hidden_headers
from corscore._explain.headers import header_notes
from corscore._explain.names import Lists, header_refusal, method_refusal
from corscore._explain.refusal import Origins, Verdict, matched, refusal
from corscore._explain.request import asked_method, requested_names, script_behind
from corscore._explain.types import Explanation, HeaderNote, Step
from corscore._standard.fetch import (
    FORBIDDEN_METHODS,
    FORBIDDEN_RESPONSE_HEADERS,
    PREFLIGHT_METHOD,
)
from corscore._standard.grammar import is_token
from corscore._standard.text import quoted, shown
from corscore.browser import fetch
from corscore.browser._request import Request, needs_preflight

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corscore._engine.decision import Decision

_RESOLVER = "The policy's origin_resolver would be asked, and may allow it."

_OTHERS_VERDICT = Verdict(
    "origin-not-allowed",
    "Whoever was asked in the policy's place, such as its origin_resolver, refused the origin.",
    "have the resolver allow the origin, if it is yours",
)

_FETCH = "https://fetch.spec.whatwg.org/#"


class Explainable(Origins, Lists, Protocol):
    """What is asked of a policy."""

    @property
    def max_age(self) -> int | None: ...
    def decide(
        self, request: RequestInfo, /, *, origin_allowed: bool | None = None
    ) -> Decision: ...


class _Asked:
    """A policy, with somebody's verdict on the origin or without one."""

    def __init__(self, policy: Explainable, origin_allowed: bool | None) -> None:
        self.policy = policy
        self.origin_allowed = origin_allowed

    def decide(self, request: RequestInfo) -> Decision:
        return self.policy.decide(request, origin_allowed=self.origin_allowed)

    def notes(self, decision: Decision, fits: str | None) -> tuple[HeaderNote, ...]:
        return header_notes(decision, fits, self.policy.max_age)

    def matched(self, decision: Decision, origin: str) -> str | None:
        return matched(self.policy, origin) if decision.origin_allowed else None


def explain(
    policy: Explainable,
    request: RequestInfo | Request,
    reads: Iterable[str],
    origin_allowed: bool | None,
) -> Explanation:
    """See ``Policy.explain``."""
    reads, asked = tuple(reads), _Asked(policy, origin_allowed)
    if isinstance(request, Request):
        return _explain_script(asked, request, None, reads)
    if request.origin is None:
        return _without_check(
            asked,
            request,
            "The request has no Origin: no page of another origin sent it, and CORS has no say.",
            "a request to the page's own origin, or from no browser, has no Origin",
        )
    if request.is_own_origin:
        return _without_check(
            asked,
            request,
            "The Origin is the site's own: browsers do not check what a page gets from its origin.",
            "the page and the server are of one origin",
        )
    method = asked_method(request)
    impossible = _impossible(asked, request, method)
    if impossible is not None:
        return impossible
    return _explain_script(asked, script_behind(request, method), request, reads)


def _impossible(asked: _Asked, request: RequestInfo, method: str) -> Explanation | None:
    """For what no browser asks: it has no verdict on it, and the request says nothing else."""
    names = request.request_headers
    if not is_token(method):
        code, what = "method-invalid", f"{shown(method)} is not the name of a method"
        hint = "name one, such as PUT"
    elif method.upper() in FORBIDDEN_METHODS:
        code, what = "method-forbidden", f"{shown(method)} is a method that browsers refuse to send"
        hint = "use another one"
    elif request.is_preflight and requested_names(request) is None:
        code, what = "header-invalid", f"{shown(names)} is not a list of header names"
        hint = "name headers separated by commas"
    else:
        return None
    decision = asked.decide(request)
    section = f"{_FETCH}dom-request"
    return Explanation(
        allowed=False,
        reason=code,
        browser_reason=None,
        message=f"No browser sends this: {what}.",
        hint=hint,
        matched=asked.matched(decision, request.origin or ""),
        nearest=None,
        steps=(Step("script", False, what, section, code),),
        headers=asked.notes(decision, None),
        console=(),
    )


def _without_check(asked: _Asked, request: RequestInfo, message: str, text: str) -> Explanation:
    decision = asked.decide(request)
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
        headers=asked.notes(decision, None),
        console=(),
    )


def _explain_script(
    asked: _Asked, script: Request, sent: RequestInfo | None, reads: Iterable[str]
) -> Explanation:
    decisions: list[Decision] = []

    def serve(
        method: str, _url: str, headers: list[tuple[str, str]]
    ) -> tuple[int, list[tuple[str, str]]]:
        is_preflight = method == PREFLIGHT_METHOD and not decisions and needs_preflight(script)
        if is_preflight and sent is not None and sent.is_preflight:
            # As it was sent: its list may be in another order, or written in another way.
            decision = asked.decide(sent)
        else:
            names = dict(headers)
            decision = asked.decide(
                RequestInfo.from_getter(method, lambda name: names.get(name.lower()))
            )
        decisions.append(decision)
        return decision.status or 200, list(decision.headers)

    result = fetch(script, serve)
    told = explain_fetch(script, result, reads=reads)
    fits = asked.matched(decisions[0], script.origin)
    if sent is None:
        notes = tuple(note for one in decisions for note in asked.notes(one, fits))
    else:
        notes = asked.notes(asked.decide(sent), fits)
    told = replace(told, matched=fits, headers=notes)
    if told.allowed:
        return told
    return _by_policy(asked, told, script, decisions[-1], reads)


def _by_policy(
    asked: _Asked,
    told: Explanation,
    script: Request,
    decision: Decision,
    reads: Iterable[str],
) -> Explanation:
    """The refusal in terms of the policy's options: which pattern is near, and what to write."""
    reason = told.reason
    if not decision.origin_allowed:
        if asked.origin_allowed is False:
            return _with(told, _OTHERS_VERDICT)
        verdict = refusal(asked.policy, script.origin)
        told = _with(told, verdict)
        if decision.needs_resolver:
            return replace(told, message=f"{told.message} {_RESOLVER}")
        return told
    if reason in ("method-not-allowed", "method-case"):
        return _with(told, method_refusal(asked.policy, script.method))
    if reason == "header-not-allowed":
        return _with(told, header_refusal(asked.policy, script.unsafe_names))
    if reason == "credentials-not-allowed":
        return replace(told, hint="set allow_credentials=True")
    if reason == "wildcard-with-credentials":
        return replace(
            told,
            hint=f"write allow_origins=[{quoted(script.origin)}] and allow_credentials=True, "
            'or leave out credentials: "include" in the script',
        )
    # A policy's own answers give a browser no other reason than a header that is not exposed.
    hidden = hidden_headers(script, decision.headers, reads)
    never = [name for name in hidden if name.lower() in FORBIDDEN_RESPONSE_HEADERS]
    if never:
        return replace(
            told,
            hint=f"leave {shown(', '.join(never))} alone: no script reads it, whatever is exposed",
        )
    return replace(told, hint=f"add {shown(', '.join(hidden))} to expose_headers")


def _with(told: Explanation, verdict: Verdict) -> Explanation:
    return replace(
        told,
        reason=verdict.code,
        message=verdict.message,
        hint=verdict.hint,
        nearest=verdict.nearest,
    )
