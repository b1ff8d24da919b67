"""``explain_har``: a diagnosis of each cross-origin request in a recording."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from corscore._standard.fetch import OPAQUE_ORIGIN, ORIGIN
from corscore.browser._checks import cors_check
from corscore.browser._headers import get
from corscore.browser._request import needs_preflight
from corscore.diagnostics._curl import probe_line
from corscore.diagnostics._diagnosis import Diagnosis, diagnose, with_findings
from corscore.diagnostics._exchanges import (
    SeenResponse,
    cookie_finding,
    error_finding,
    gateway_finding,
    is_bare_error,
    is_gateway_error,
    layer_findings,
    preflight_findings,
    slash_finding,
    vary_finding,
)
from corscore.diagnostics._finding import Finding
from corscore.diagnostics._har_replay import Recording, Replay, script_of
from corscore.diagnostics._network_errors import network_error, was_aborted
from corscore.diagnostics._traces import (
    allow_origin,
    allows_credentials,
    has_trace,
    varies_by_origin,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from corscore.browser import FetchResult, Response
    from corscore.browser._request import Credentials
    from corscore.diagnostics._har import Entry

# Resource types that scripts fetch in mode "cors".
_BY_SCRIPT = ("fetch", "xhr", "preflight", "eventsource")
# Resource types that are never fetched in mode "cors".
_NEVER_CORS = ("document", "websocket", "ping", "beacon", "cspviolationreport", "media", "image")
# Browsers give these errors for a refusal by CORS, among others.
_REFUSAL_ERRORS = ("ERR_FAILED", "NS_ERROR_DOM_BAD_URI")
# The most responses of one URL that are compared with each other.
_MAX_COMPARED = 32


class _NoRequest(Exception):
    """The preflight passed, and the file does not have its request."""


@dataclass(frozen=True, slots=True)
class HarReport:
    """The diagnoses of a recording.

    Attributes:
        requests: A diagnosis of each cross-origin request of a script, in the file's order.
        entries: The number of all requests in the file.
    """

    requests: tuple[Diagnosis, ...]
    entries: int

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything to repair: each refusal, and the findings of its diagnosis."""
        return tuple(found for request in self.requests for found in _all_findings(request))

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as dicts, lists and strings, ready for JSON."""
        return {
            "entries": self.entries,
            "requests": [request.to_dict() for request in self.requests],
            "findings": [finding.to_dict() for finding in self.findings],
        }


def _all_findings(request: Diagnosis) -> Iterator[Finding]:
    if request.reason is not None:
        url = request.request.target.without_fragment
        yield Finding(request.reason, request.message, request.hint or "", url)
    yield from request.findings


def explain_har(entries: Sequence[Entry]) -> HarReport:
    """Explain each cross-origin request of a recording that failed or has CORS headers.

    Args:
        entries: The result of ``read_har``.
    """
    recording = Recording(entries)
    vary = _vary_findings(entries)
    found: list[tuple[int, Diagnosis]] = []
    for position, entry in enumerate(entries):
        if entry.is_preflight or recording.is_used(entry) or not _is_cors_request(entry):
            continue
        diagnosis = _diagnose(recording, position, entry)
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


def _is_cors_request(entry: Entry) -> bool:
    """Return whether CORS decided, or may have decided, about this request."""
    if entry.origin is None or entry.origin == entry.target.origin:
        return False
    if not entry.has_response and was_aborted(entry.error):
        return False
    if entry.lacks_judged_headers and not _was_refused([entry]):
        return False
    mode = get(entry.request_headers, "sec-fetch-mode")
    if mode is not None:
        return mode == "cors"
    if entry.kind in _BY_SCRIPT:
        return True
    if entry.kind in _NEVER_CORS:
        return False
    has_origin = get(entry.request_headers, ORIGIN) is not None
    if entry.kind == "font" and not entry.has_response:
        # Scripts never fetch fonts, and browsers always fetch them in mode "cors".
        return True
    if has_origin or entry.kind:
        return has_origin
    return not entry.has_response or has_trace(entry.response_headers)


def _diagnose(recording: Recording, position: int, entry: Entry) -> Diagnosis | None:
    """Return the diagnosis that agrees with the browser; None if no script sends the request."""
    used = len(recording.used)
    mode: Credentials = "include" if entry.has_cookies else "same-origin"
    diagnosis = _replay(recording, position, entry, mode)
    if diagnosis is None or not diagnosis.readable or not _was_refused(recording.used[used:]):
        return diagnosis
    # The file does not name the credentials mode: the other one may explain the refusal.
    recording.restore(used)
    other = _replay(recording, position, entry, "include")
    if other is not None and not other.readable:
        return other
    return replace(
        _with_probe_line(diagnosis),
        readable=False,
        reason="not-enough-data",
        message="The browser refused a response that passes all checks of CORS, as far as the file "
        "has it.",
        exposed=(),
    )


def _with_probe_line(diagnosis: Diagnosis) -> Diagnosis:
    line = probe_line(diagnosis.request)
    return replace(diagnosis, hint=f"run: {line}", probe_line=line)


def _was_refused(entries: Iterable[Entry]) -> bool:
    """Return whether the browser reports a refusal of one of these."""
    return any(name in entry.error for entry in entries for name in _REFUSAL_ERRORS)


def _replay(
    recording: Recording, position: int, entry: Entry, credentials: Credentials
) -> Diagnosis | None:
    """Return the diagnosis in one credentials mode; None if no script sends the request."""
    replay = Replay(recording, position, entry, entry.origin or OPAQUE_ORIGIN)
    try:
        request = replay.request(credentials)
    except ValueError:
        return None
    diagnosis, result = diagnose(request, replay.send, replay)
    if result is not None:
        return with_findings(diagnosis, _findings(recording, result, entry))
    if diagnosis.reason == "not-enough-data":
        diagnosis = _with_probe_line(diagnosis)
        is_first = len(diagnosis.steps) == 1
        if needs_preflight(request) and is_first and recording.had_preflight(position, entry):
            return replace(diagnosis, findings=(_cached_finding(entry.url),))
    return diagnosis


def _orphan(entry: Entry) -> Diagnosis | None:
    """Return the diagnosis of a preflight without its request; None if it passed."""
    if entry.origin is None or entry.origin == entry.target.origin:
        return None
    failure = None if entry.has_response else network_error(entry.error)
    if failure is None and not entry.has_response:
        return None
    try:
        request = script_of(entry, entry, entry.origin, "same-origin")
    except ValueError:
        return None
    responses = iter([(entry.status, entry.response_headers)])

    def send(*_: object) -> Response:
        if failure is not None:
            raise failure
        response = next(responses, None)
        if response is None:
            raise _NoRequest
        return response

    try:
        diagnosis, result = diagnose(request, send)
    except _NoRequest:
        return None
    if result is None:
        return diagnosis
    last = result.exchanges[-1]
    return with_findings(diagnosis, (*preflight_findings(last), *layer_findings([last])))


def _findings(recording: Recording, result: FetchResult, entry: Entry) -> Iterator[Finding]:
    """Yield what the server should repair, as far as the file shows.

    Args:
        recording: The whole file.
        result: The result of the model browser.
        entry: The entry of the request.
    """
    last = result.exchanges[-1]
    if result.reason == "preflight-not-ok":
        yield from preflight_findings(last)
    yield from layer_findings(result.exchanges)
    if last.is_preflight:
        return
    # No file names the credentials mode. Cookies that were sent or the server's answer show it.
    if last.request.with_credentials or allows_credentials(last.response_headers):
        cookie = cookie_finding(last)
        if cookie is not None:
            yield cookie
    if result.reason is None:
        return
    slash = slash_finding(last, last.request.origin)
    if slash is not None:
        yield slash
    if result.reason == "no-allow-origin" and is_gateway_error(last):
        yield gateway_finding(last)
    elif result.reason == "no-allow-origin" and is_bare_error(last):
        witness = _witness(recording, result)
        if witness is not None:
            yield error_finding(last, witness)
    if result.preflight_cached:
        yield _cached_finding(last.url)
    cached = entry.from_cache and result.reason in ("origin-mismatch", "no-allow-origin")
    if cached and not varies_by_origin(last.response_headers):
        yield Finding(
            "vary-missing",
            "The response came from the browser's cache, where it was kept for another origin or "
            "for none: Vary does not name Origin.",
            "send Vary: Origin with every answer, refusals included",
            last.url,
        )


def _cached_finding(url: str) -> Finding:
    """Return the finding about a request that needs a preflight and went out without one."""
    return Finding(
        "preflight-cached",
        "The file has no preflight for this request: the browser went by one that it remembered, "
        "which may be from before the server was changed.",
        "close the browser, or ask for the URL with another query; while a policy changes, send "
        "Access-Control-Max-Age: 0",
        url,
    )


def _witness(recording: Recording, result: FetchResult) -> SeenResponse | None:
    """Return a response of the same server to the same page with the headers of CORS."""
    request = result.exchanges[-1].request
    for exchange in result.exchanges:
        if exchange.is_preflight and cors_check(request, exchange.response_headers) is None:
            return exchange
    for entry in recording.witnesses(request.origin, request.target.origin):
        if cors_check(request, entry.response_headers) is None:
            return entry
    return None


def _vary_findings(entries: Iterable[Entry]) -> dict[str, Finding]:
    """Return findings about responses that a cache could mix up, by URL."""
    responses: dict[str, dict[tuple[str | None, str | None], Entry]] = {}
    for entry in entries:
        if entry.has_response and entry.method == "GET":
            origin = get(entry.request_headers, ORIGIN)
            of_url = responses.setdefault(entry.url, {})
            if len(of_url) < _MAX_COMPARED:
                of_url[origin, allow_origin(entry.response_headers)] = entry
    found = {
        url: vary_finding((origin, entry) for (origin, _), entry in of_url.items())
        for url, of_url in responses.items()
    }
    return {url: finding for url, finding in found.items() if finding is not None}
