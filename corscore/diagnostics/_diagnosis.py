"""``Diagnosis``: the outcome of a script's request, at a live server or in a recording."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from corscore._explain.fetch import explain_fetch
from corscore._explain.steps import steps_of
from corscore._explain.types import Step
from corscore._standard.text import shown
from corscore.browser._fetch import FetchResult, fetch_steps
from corscore.diagnostics._curl import curl_line
from corscore.diagnostics._exchanges import about_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from corscore.browser import Exchange, PreflightCache, Sent, Transport
    from corscore.browser._deviations import Browser
    from corscore.browser._request import Request
    from corscore.diagnostics._finding import Finding

_NETWORK_ERROR = "https://fetch.spec.whatwg.org/#concept-network-error"
# A longer chain is shown without its middle, since the server chooses the length of each URL.
_MAX_REDIRECTS = 5


class NoResponse(Exception):
    """No response came back, for a reason that has nothing to do with CORS.

    Attributes:
        code: ``"network-error"`` or ``"tls-error"``; in a recording also
            ``"local-network-access"`` and ``"not-enough-data"``.
        message: What happened, in a sentence of printable ASCII.
        hint: What to do about it.
    """

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code: str = code
        self.message: str = message
        self.hint: str = hint


@dataclass(frozen=True, slots=True)
class DiagnosisStep(Step):
    """A step, and the request that it is about.

    Attributes:
        method: The request's method.
        url: The request's URL, without its fragment.
        status: The status of the response; None without one.
        curl: A shell command that repeats the request, without credentials.
    """

    method: str = ""
    url: str = ""
    status: int | None = None
    curl: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The outcome of a script's request, its cause, and what else the server should repair.

    All text but ``console`` is printable ASCII, also the parts of ``request`` in ``to_dict``.

    Attributes:
        request: The script's request.
        readable: Whether the script gets the response. With the reason ``header-not-exposed`` it
            gets all but some headers.
        reason: The cause of a refusal, as a stable code; else None.
        message: The verdict in a sentence or two.
        hint: What to change; None if nothing is wrong.
        exposed: The names of the response headers that the script can read.
        steps: The browser's steps, in its order.
        findings: What the server should repair.
        console: The text in each browser's console.
        notes: Sentences about what was not tried, or is not known.
        probe_line: A shell command that probes the server, if a recording does not show the cause;
            also part of ``hint``.
    """

    request: Request
    readable: bool
    reason: str | None
    message: str
    hint: str | None
    exposed: tuple[str, ...]
    steps: tuple[DiagnosisStep, ...]
    findings: tuple[Finding, ...] = ()
    console: tuple[tuple[Browser, str], ...] = ()
    notes: tuple[str, ...] = ()
    probe_line: str | None = None

    @property
    def healthy(self) -> bool:
        """Whether nothing needs repair."""
        return self.readable and self.reason is None and not self.findings

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as dicts, lists and strings, ready for JSON."""
        request = self.request
        return {
            "url": request.url,
            "method": request.method,
            "origin": request.origin,
            "credentials": request.with_credentials,
            "readable": self.readable,
            "reason": self.reason,
            "message": self.message,
            "hint": self.hint,
            "exposed": list(self.exposed),
            "steps": list(map(asdict, self.steps)),
            "findings": [finding.to_dict() for finding in self.findings],
            "console": dict(self.console),
            "notes": list(self.notes),
            "probe": self.probe_line,
        }


def diagnose(
    request: Request,
    transport: Transport,
    cache: PreflightCache | None = None,
    reads: Iterable[str] = (),
    browser: Browser | None = None,
) -> tuple[Diagnosis, FetchResult | None]:
    """Fetch, and return the diagnosis and the fetch's result, or None if a response is missing.

    Args:
        request: The script's request.
        transport: Sends each request; raises ``NoResponse`` if no response comes back.
        cache: The browser's preflight cache.
        reads: Names of response headers that the script wants to read.
        browser: The browser whose known deviations apply; None is the standard.
    """
    exchanges: list[Exchange] = []
    steps = fetch_steps(request, exchanges, cache, browser)
    step = next(steps)
    while not isinstance(step, FetchResult):
        try:
            response = transport(*step)
        except NoResponse as failure:
            return _unanswered(request, exchanges, step, failure), None
        step = steps.send(response)
    explanation = explain_fetch(step, reads=reads)
    hint = explanation.hint
    if hint is not None and not step.readable:
        hint = about_path(step.exchanges[-1].status) + hint
    diagnosis = Diagnosis(
        request,
        step.readable,
        explanation.reason,
        explanation.message,
        hint,
        tuple(name for name, _ in step.headers),
        _steps(exchanges, reads),
        console=explanation.console,
    )
    return diagnosis, step


def with_findings(diagnosis: Diagnosis, findings: Iterable[Finding]) -> Diagnosis:
    """Return the diagnosis with findings; a finding about its preflight has the better hint."""
    findings = tuple(findings)
    hint = diagnosis.hint
    if diagnosis.reason == "preflight-not-ok":
        hint = next((found.hint for found in findings if found.code.startswith("preflight-")), hint)
    return replace(diagnosis, findings=findings, hint=hint)


def _unanswered(
    request: Request, exchanges: Iterable[Exchange], sent: Sent, failure: NoResponse
) -> Diagnosis:
    method, url, headers = sent
    last = DiagnosisStep(
        "response",
        False,
        f"no response to {shown(method)} {shown(url)} that CORS could judge",
        _NETWORK_ERROR,
        failure.code,
        method,
        url,
        None,
        curl_line(method, url, tuple(headers)),
    )
    return Diagnosis(
        request,
        False,
        failure.code,
        failure.message,
        failure.hint,
        (),
        (*_steps(exchanges), last),
    )


def _steps(exchanges: Iterable[Exchange], reads: Iterable[str] = ()) -> tuple[DiagnosisStep, ...]:
    """Return the steps, without the middle of a long chain of redirects."""
    steps = tuple(
        DiagnosisStep(
            step.name,
            step.ok,
            step.text,
            step.section,
            step.reason,
            exchange.method,
            exchange.url,
            exchange.status,
            curl_line(exchange.method, exchange.url, exchange.request_headers),
        )
        for exchange, step in steps_of(exchanges, reads)
    )
    followed = [i for i, step in enumerate(steps) if step.name == "redirect" and step.ok]
    if len(followed) <= _MAX_REDIRECTS:
        return steps
    left_out = replace(
        steps[followed[-2]], text=f"follows {len(followed) - 3} more redirects, left out here"
    )
    return (*steps[: followed[1] + 1], left_out, *steps[followed[-1] :])
