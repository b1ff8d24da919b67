"""Figures of the engine alone: decisions, look-ups, hostile requests."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks import cases
from benchmarks.table.figures import named
from benchmarks.timing import interleaved
from corscore import Policy, RequestInfo
from corscore.integration import Governor

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.cases import Run
    from benchmarks.table.figures import Figures

_RAW_RESPONSE = [(name.encode(), value.encode()) for name, value in cases.RESPONSE_HEADERS]
# Fresh values for a look-up: few enough to stay in the processor's nearest caches.
_FRESH = 500


def decisions() -> Figures:
    """From a request to what it gets, for a policy of one origin."""
    policy = Policy(**cases.options())
    runs: dict[tuple[object, ...], Run] = {("loop",): _repeated(lambda: None)}
    for request in cases.REQUESTS:
        runs["headers", request] = _repeated(raw_headers_to_header_list(policy, request))
        runs["decide", request] = _repeated(info_to_decision(policy, request))
    return named("engine", interleaved(runs, rounds=60))


def raw_headers_to_header_list(policy: Policy, request: str) -> Callable[[], object]:
    """All that the engine does for ASGI: raw headers of a request to those of its response."""
    scope = {
        "type": "http",
        "method": cases.method(request),
        "path": "/",
        "headers": cases.raw_headers(request),
    }
    start = {"type": "http.response.start", "status": 200, "headers": _RAW_RESPONSE}

    def send(message: object) -> None:
        pass

    sender = gateway(policy).sender

    def call() -> object:
        answer = sender(scope, send)
        return answer if type(answer) is tuple else answer(start)

    return call


def gateway(policy: Policy) -> Any:
    """The gateway of an application under one policy."""

    def request_of(scope: Any) -> RequestInfo:
        return RequestInfo.from_pairs(scope["method"], scope["headers"])

    return Governor(policy, is_async=True, request_of=request_of).gateway


def info_to_decision(policy: Policy, request: str) -> Callable[[], object]:
    """A ``RequestInfo`` that is there to its ``Decision``."""
    info = RequestInfo.from_pairs(cases.method(request), cases.raw_headers(request))

    def call(decide: Any = policy.decide) -> object:
        return decide(info)

    return call


def hostile() -> Figures:
    """Requests that somebody made to be slow, through both doors of the engine.

    The policies differ in whether they ever look into Access-Control-Request-Headers.
    """
    runs: dict[tuple[object, ...], Run] = {("loop",): _repeated(lambda: None)}
    for policy_name, policy in hostile_policies().items():
        for request_name, headers in hostile_requests().items():
            for door, call in (
                ("answer", _answering(policy, headers)),
                ("decide", _deciding(policy, headers)),
            ):
                runs[policy_name, request_name, door] = _repeated(call)
    return named("hostile", interleaved(runs, rounds=30))


def hostile_policies() -> dict[str, Policy]:
    """By name: one that lists headers, and one that has to read which are asked for."""
    options = cases.options()
    options["allow_origins"] = [*options["allow_origins"], "https://*.example.com"]
    listing = Policy(**options)
    options["allow_headers"] = ["*"]
    return {"listing": listing, "echoing": Policy(**options)}


def hostile_requests() -> dict[str, list[tuple[bytes, bytes]]]:
    """By name: the raw headers of a preflight."""
    method = (b"access-control-request-method", b"PUT")
    found = {"origin of dots": [(b"origin", cases.HOSTILE_ORIGIN.encode()), method]}
    for name, value in cases.HOSTILE_REQUEST_HEADERS.items():
        found[f"headers of {name}"] = [
            (b"origin", cases.ORIGIN.encode()),
            method,
            (b"access-control-request-headers", value.encode()),
        ]
    return found


def _answering(policy: Policy, headers: list[tuple[bytes, bytes]]) -> Callable[[], object]:
    scope = {"type": "http", "method": "OPTIONS", "path": "/", "headers": headers}
    sender = gateway(policy).sender
    return lambda: sender(scope, None)


def _deciding(policy: Policy, headers: list[tuple[bytes, bytes]]) -> Callable[[], object]:
    info = RequestInfo.from_pairs("OPTIONS", headers)
    return lambda: policy.decide(info)


def lookups(policy: Policy, named_origins: dict[str, str]) -> dict[tuple[object, ...], Run]:
    """Look-ups of origins that a server has just read: no hash of them is known yet."""
    runs: dict[tuple[object, ...], Run] = {("loop",): _looked_up(_nothing, "https://a.example")}
    for name, origin in named_origins.items():
        runs[(name,)] = _looked_up(policy.allows_origin, origin)
    return runs


def _nothing(origin: object) -> None:
    pass


def _looked_up(allows: Callable[[Any], object], origin: str) -> Run:
    def run(count: int) -> float:
        seconds = 0.0
        for already in range(0, count, _FRESH):
            fresh = [origin.encode() for _ in range(min(_FRESH, count - already))]
            if allows is _nothing:
                started = perf_counter()
                for _value in fresh:
                    pass
            else:
                started = perf_counter()
                for value in fresh:
                    allows(value)
            seconds += perf_counter() - started
        return seconds

    return run


def _repeated(call: Callable[[], object]) -> Run:
    def run(count: int) -> float:
        started = perf_counter()
        for _ in range(count):
            call()
        return perf_counter() - started

    return run
