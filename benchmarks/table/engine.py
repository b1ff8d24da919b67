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
# New bytes objects for look-ups, few enough for the processor's nearest caches.
_FRESH = 500


def decisions() -> Figures:
    """Measure decisions and answers under a policy of one origin."""
    policy = Policy(**cases.options())
    runs: dict[tuple[object, ...], Run] = {("loop",): _repeat(lambda: None)}
    for request in cases.REQUESTS:
        runs["headers", request] = _repeat(raw_headers_to_header_list(policy, request))
        runs["decide", request] = _repeat(info_to_decision(policy, request))
    return named("engine", interleaved(runs, rounds=60))


def raw_headers_to_header_list(policy: Policy, request: str) -> Callable[[], object]:
    """Return a call of the engine under ASGI: from a request's raw headers to the response's."""
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
    """Return the gateway of an application under one policy."""

    def request_of(scope: Any) -> RequestInfo:
        return RequestInfo.from_pairs(scope["method"], scope["headers"])

    return Governor(policy, is_async=True, request_of=request_of).gateway


def info_to_decision(policy: Policy, request: str) -> Callable[[], object]:
    """Return a call of ``Policy.decide`` with a prepared ``RequestInfo``."""
    info = RequestInfo.from_pairs(cases.method(request), cases.raw_headers(request))

    def call(decide: Any = policy.decide) -> object:
        return decide(info)

    return call


def hostile() -> Figures:
    """Measure hostile requests through the gateway and through ``decide``.

    Only one of the policies reads Access-Control-Request-Headers.
    """
    runs: dict[tuple[object, ...], Run] = {("loop",): _repeat(lambda: None)}
    for policy_name, policy in hostile_policies().items():
        for request_name, headers in hostile_requests().items():
            for way, call in (
                ("answer", _answer(policy, headers)),
                ("decide", _decide(policy, headers)),
            ):
                runs[policy_name, request_name, way] = _repeat(call)
    return named("hostile", interleaved(runs, rounds=30))


def hostile_policies() -> dict[str, Policy]:
    """Return policies by name: one lists headers, and one echoes those of the request."""
    options = cases.options()
    options["allow_origins"] = [*options["allow_origins"], "https://*.example.com"]
    listing = Policy(**options)
    options["allow_headers"] = ["*"]
    return {"listing": listing, "echoing": Policy(**options)}


def hostile_requests() -> dict[str, list[tuple[bytes, bytes]]]:
    """Return the raw headers of hostile preflights, by name."""
    method = (b"access-control-request-method", b"PUT")
    found = {"origin of dots": [(b"origin", cases.HOSTILE_ORIGIN.encode()), method]}
    for name, value in cases.HOSTILE_REQUEST_HEADERS.items():
        found[f"headers of {name}"] = [
            (b"origin", cases.ORIGIN.encode()),
            method,
            (b"access-control-request-headers", value.encode()),
        ]
    return found


def _answer(policy: Policy, headers: list[tuple[bytes, bytes]]) -> Callable[[], object]:
    scope = {"type": "http", "method": "OPTIONS", "path": "/", "headers": headers}
    sender = gateway(policy).sender
    return lambda: sender(scope, None)


def _decide(policy: Policy, headers: list[tuple[bytes, bytes]]) -> Callable[[], object]:
    info = RequestInfo.from_pairs("OPTIONS", headers)
    return lambda: policy.decide(info)


def lookups(policy: Policy, named_origins: dict[str, str]) -> dict[tuple[object, ...], Run]:
    """Return look-ups of new bytes objects, which have no hash yet, as after a server's read."""
    runs: dict[tuple[object, ...], Run] = {("loop",): _lookup(_nothing, "https://a.example")}
    for name, origin in named_origins.items():
        runs[(name,)] = _lookup(policy.allows_origin, origin)
    return runs


def _nothing(origin: object) -> None:
    pass


def _lookup(allows: Callable[[Any], object], origin: str) -> Run:
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


def _repeat(call: Callable[[], object]) -> Run:
    def run(count: int) -> float:
        started = perf_counter()
        for _ in range(count):
            call()
        return perf_counter() - started

    return run
