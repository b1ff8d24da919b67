"""``Diagnosis``: what came of one request of a script, at a live server or in a recording."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from corscore._explain.fetch import explain_fetch
from corscore._explain.steps import steps_of
from corscore._explain.types import Step
from corscore._standard.text import shown
from corscore.diagnostics._curl import curl_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from corscore.browser import Exchange, FetchResult
    from corscore.browser._reasons import Browser
    from corscore.browser._request import Request
    from corscore.diagnostics._finding import Finding

_NETWORK_ERROR = "https://fetch.spec.whatwg.org/#concept-network-error"
_SENDS = ("preflight-sent", "request-sent")


class NoResponse(Exception):
    """There was no response that a browser could judge: this is no matter of CORS.

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
        method: Its method.
        url: Its URL, without the fragment.
        status: The status of the response; None if there was none.
        curl: A line for a shell that sends it again, without credentials.
    """

    method: str = ""
    url: str = ""
    status: int | None = None
    curl: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a script got, why, and what else was found on the way.

    All text is printable ASCII but for ``console``, and so are ``request``'s parts in ``to_dict``.

    Attributes:
        request: What it asked for.
        readable: Whether it gets the response; with the reason ``header-not-exposed`` it does, and
            does not see all of it.
        reason: Why not, as a stable code; None where nothing is in its way.
        message: The verdict in a sentence or two.
        hint: What to change; None where nothing is wrong.
        exposed: The names of the response headers that it can read.
        steps: What the browser does, in its order.
        findings: What is worth repairing at the server.
        console: What developers see, by browser.
        notes: What was not done, or is not known.
        probe_line: A line for a shell that asks the server itself, where a recording leaves it
            open; also part of ``hint``.
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
        """Whether there is nothing to repair."""
        return self.readable and self.reason is None and not self.findings

    def to_dict(self) -> dict[str, Any]:
        """All of it in dicts, lists and strings, as JSON has them."""
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


def with_findings(told: Diagnosis, findings: Iterable[Finding]) -> Diagnosis:
    """The diagnosis with what was found; the fix of a refusal is that of its cause."""
    findings = tuple(findings)
    hint = told.hint
    if told.reason == "preflight-not-ok":
        hint = next((one.hint for one in findings if one.code.startswith("preflight-")), hint)
    return replace(told, findings=findings, hint=hint)


def of_result(request: Request, result: FetchResult, reads: Iterable[str] = ()) -> Diagnosis:
    """The diagnosis of a fetch that came to an end.

    Args:
        request: What the script asked for.
        result: What the model browser made of it.
        reads: Names of response headers that the script wants.
    """
    told = explain_fetch(request, result, reads=reads)
    return Diagnosis(
        request,
        result.readable,
        told.reason,
        told.message,
        told.hint,
        tuple(name for name, _ in result.headers),
        tuple(_with_requests(told.steps, result.exchanges)),
        console=told.console,
    )


def of_failure(
    request: Request,
    exchanges: Iterable[Exchange],
    sent: tuple[str, str, Iterable[tuple[str, str]]],
    failure: NoResponse,
) -> Diagnosis:
    """The diagnosis of a fetch that ended without a response.

    Args:
        request: What the script asked for.
        exchanges: What had gone over the wire by then.
        sent: Method, URL and headers of the request that was not answered.
        failure: Why not.
    """
    exchanges = tuple(exchanges)
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
    steps = _with_requests(steps_of(request, exchanges), exchanges)
    return Diagnosis(
        request, False, failure.code, failure.message, failure.hint, (), (*steps, last)
    )


def _with_requests(
    steps: Iterable[Step], exchanges: tuple[Exchange, ...]
) -> Iterator[DiagnosisStep]:
    """The steps, each with the exchange that it is about: one begins where something is sent."""
    position, pending = -1, 0
    for step in steps:
        if step.name in _SENDS:
            position, pending = pending, pending + 1
        about = exchanges[pending if step.name == "preflight-needed" else max(position, 0)]
        yield DiagnosisStep(
            step.name,
            step.ok,
            step.text,
            step.section,
            step.reason,
            about.method,
            about.url,
            about.status,
            curl_line(about.method, about.url, about.request_headers),
        )
