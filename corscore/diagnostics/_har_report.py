"""What a recording tells of every request to another origin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from corscore._standard.fetch import ACCESS_CONTROL_REQUEST_METHOD, OPAQUE_ORIGIN, ORIGIN
from corscore.browser import Exchange, Response, Sent, fetch
from corscore.browser._headers import get, header_list
from corscore.browser._request import needs_preflight
from corscore.diagnostics._curl import probe_line
from corscore.diagnostics._diagnosis import (
    Diagnosis,
    NoResponse,
    of_failure,
    of_result,
    with_findings,
)
from corscore.diagnostics._exchanges import (
    layer_findings,
    preflight_findings,
)
from corscore.diagnostics._finding import Finding
from corscore.diagnostics._har_findings import cached_finding, har_findings, vary_findings
from corscore.diagnostics._har_replay import Recording, Replay, script_of
from corscore.diagnostics._network_errors import network_error, was_aborted
from corscore.diagnostics._traces import has_trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from corscore.browser._request import Credentials
    from corscore.diagnostics._har import Entry

# Resource types that a script asks for in mode "cors", and such as never are.
_BY_SCRIPT = ("fetch", "xhr", "preflight", "eventsource")
# What the browsers write for what CORS refused, among other things.
_REFUSED = ("ERR_FAILED", "NS_ERROR_DOM_BAD_URI")
_NEVER_CORS = ("document", "websocket", "ping", "beacon", "cspviolationreport", "media", "image")


class _NothingMore(Exception):
    """The preflight passed, and the file has nothing that came of it."""


@dataclass(frozen=True, slots=True)
class HarReport:
    """What a recording tells.

    Attributes:
        requests: One diagnosis for each request of a script to another origin, in the file's order.
        entries: How many requests the file has in all.
    """

    requests: tuple[Diagnosis, ...]
    entries: int

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that there is to repair: each refusal, and what was found beside it."""
        return tuple(found for request in self.requests for found in _findings_of(request))

    def to_dict(self) -> dict[str, Any]:
        """All of it in dicts, lists and strings, as JSON has them."""
        return {
            "entries": self.entries,
            "requests": [request.to_dict() for request in self.requests],
            "findings": [finding.to_dict() for finding in self.findings],
        }


def _findings_of(request: Diagnosis) -> Iterator[Finding]:
    if request.reason is not None:
        url = request.request.target.without_fragment
        yield Finding(request.reason, request.message, request.hint or "", url)
    yield from request.findings


def explain_har(entries: Sequence[Entry]) -> HarReport:
    """Explains every cross-origin request of a recording that failed or carried headers of CORS.

    Args:
        entries: What ``read_har`` made of a file.
    """
    recording = Recording(entries)
    vary = vary_findings(entries)
    found: list[tuple[int, Diagnosis]] = []
    for position, entry in enumerate(entries):
        if entry.is_preflight or recording.is_used(entry) or not _is_of_interest(entry):
            continue
        diagnosis = _explained(recording, position, entry)
        if diagnosis is not None:
            more = vary.pop(entry.url, None)
            if more is not None and all(more.code != one.code for one in diagnosis.findings):
                diagnosis = replace(diagnosis, findings=(*diagnosis.findings, more))
            found.append((position, diagnosis))
        recording.forget(entry.url, entry.origin)
    for position, entry in enumerate(entries):
        if entry.is_preflight and not recording.is_used(entry):
            diagnosis = _orphan(entry)
            if diagnosis is not None:
                found.append((position, diagnosis))
    found.sort(key=lambda pair: pair[0])
    return HarReport(tuple(diagnosis for _, diagnosis in found), len(entries))


def _is_of_interest(entry: Entry) -> bool:
    if entry.origin is None or entry.origin == entry.target.origin:
        return False
    if not entry.has_response and was_aborted(entry.error):
        return False
    if entry.is_judged_by_another and not _was_refused([entry]):
        return False
    mode = get(entry.headers, "sec-fetch-mode")
    if mode is not None:
        return mode == "cors"
    if entry.kind in _BY_SCRIPT:
        return True
    if entry.kind in _NEVER_CORS:
        return False
    has_origin = get(entry.headers, ORIGIN) is not None
    if entry.kind == "font" and not entry.has_response:
        # A script never asks for one, and browsers always do in mode "cors".
        return True
    return has_origin or (not entry.kind and (not entry.has_response or has_trace(entry.response)))


def _explained(recording: Recording, position: int, entry: Entry) -> Diagnosis | None:
    used = len(recording.used)
    told = _as(recording, position, entry, "include" if entry.has_cookies else "same-origin")
    if told is None or not told.readable or not _was_refused(recording.used[used:]):
        return told
    # The file does not say which mode it was, but it says that the browser refused.
    recording.restore(used)
    other = _as(recording, position, entry, "include")
    if other is not None and not other.readable:
        return other
    code = "not-enough-data"
    return replace(
        _with_line(told),
        readable=False,
        reason=code,
        message="The browser refused a response that passes all checks of CORS, as far as the file "
        "has it.",
        exposed=(),
    )


def _with_line(told: Diagnosis) -> Diagnosis:
    line = probe_line(told.request)
    return replace(told, hint=f"run: {line}", probe_line=line)


def _was_refused(entries: Iterable[Entry]) -> bool:
    """Whether the browser reports a refusal for one of these."""
    return any(name in entry.error for entry in entries for name in _REFUSED)


def _as(
    recording: Recording, position: int, entry: Entry, credentials: Credentials
) -> Diagnosis | None:
    """The diagnosis of a request in one credentials mode; None if no script could ask for it."""
    replay = Replay(recording, position, entry, entry.origin or OPAQUE_ORIGIN)
    exchanges: list[Exchange] = []
    sent: Sent = ("", "", [])

    def send(method: str, url: str, headers: list[tuple[str, str]]) -> Response:
        nonlocal sent
        sent = (method, url, headers)
        status, received = replay.send(method, url, headers)
        asks = ACCESS_CONTROL_REQUEST_METHOD in dict(headers)
        exchanges.append(Exchange(method, url, tuple(headers), status, header_list(received), asks))
        return status, received

    try:
        request = replay.request(credentials)
    except ValueError:
        return None
    try:
        result = fetch(request, send, replay)
    except NoResponse as failure:
        told = of_failure(request, exchanges, sent, failure)
        if failure.code == "not-enough-data":
            told = _with_line(told)
            if (
                needs_preflight(request)
                and not exchanges
                and recording.had_preflight(position, entry)
            ):
                told = replace(told, findings=(cached_finding(entry.url),))
        return told
    findings = har_findings(recording, request, result, entry)
    return with_findings(of_result(request, result), findings)


def _orphan(entry: Entry) -> Diagnosis | None:
    """What a preflight tells whose request is not in the file; None if all is well with it."""
    if entry.origin is None or entry.origin == entry.target.origin:
        return None
    try:
        request = script_of(entry, entry, entry.origin, "same-origin")
    except ValueError:
        return None
    if not entry.has_response:
        found = network_error(entry.error)
        if found is None:
            return None
        return of_failure(request, (), (entry.method, entry.url, ()), NoResponse(*found))

    answers = iter([(entry.status, entry.response)])

    def send(*_: object) -> Response:
        answer = next(answers, None)
        if answer is None:
            raise _NothingMore
        return answer

    try:
        result = fetch(request, send)
    except _NothingMore:
        return None
    findings = (
        *preflight_findings(request, result.exchanges[-1]),
        *layer_findings(result.exchanges),
    )
    return with_findings(of_result(request, result), findings)
