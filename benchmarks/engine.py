"""asv: the engine alone, for ordinary requests and for hostile ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import cases
from benchmarks.table import engine
from corscore import Policy

if TYPE_CHECKING:
    from collections.abc import Callable


class Decisions:
    """Each kind of request, under a policy of one origin."""

    params = cases.REQUESTS
    param_names = ("request",)

    def setup(self, request: str) -> None:
        policy = Policy(**cases.options())
        self.answer: Callable[[], object] = engine.raw_headers_to_header_list(policy, request)
        self.decide: Callable[[], object] = engine.info_to_decision(policy, request)

    def time_thousand_raw_headers_to_header_list(self, request: str) -> None:
        for _ in range(1_000):
            self.answer()

    def time_thousand_request_info_to_decision(self, request: str) -> None:
        for _ in range(1_000):
            self.decide()


class Hostile:
    """Hostile preflights, for a policy that lists headers and one that must read the request's."""

    params = (tuple(engine.hostile_policies()), tuple(engine.hostile_requests()))
    param_names = ("policy", "request")

    def setup(self, policy: str, request: str) -> None:
        headers = engine.hostile_requests()[request]
        self.sender = engine.gateway(engine.hostile_policies()[policy]).sender
        self.scope = {"type": "http", "method": "OPTIONS", "path": "/", "headers": headers}

    def time_thousand(self, policy: str, request: str) -> None:
        for _ in range(1_000):
            self.sender(self.scope, None)
