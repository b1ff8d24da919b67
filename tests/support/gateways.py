"""Gateways around one policy, for tests without an adapter."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from corscore import Policy
    from corscore._engine.matcher import Gateway


class Examined:
    """The extras of a gateway, which report refused requests."""

    def __init__(self, on_refusal: Callable[[Any], object]) -> None:
        self._on_refusal = on_refusal

    def verdict(self, policy: Any, native: Any, origin: bytes) -> bool | None:
        return False

    def examine(
        self, policy: Any, verdict: bool | None, native: Any, answer: Any, origin: bytes | None
    ) -> bool:
        if origin is not None and not answer.origin_allowed:
            self._on_refusal(native)
        return False

    def policies_of(self, resolver: Any, native: Any) -> Any:
        return resolver

    def left_alone(self, native: Any) -> None:
        """Never called: one policy leaves nothing alone."""


def gateway_of(
    policy: Policy,
    on_conflict: Callable[[str], object] = lambda _: None,
    on_refusal: Callable[[Any], object] = lambda _: None,
) -> Gateway:
    """Return a gateway of the build that the policy was made with."""
    made: type[Gateway] = import_module(
        type(policy._responder).__module__.replace("responder", "gateway")
    ).Gateway
    return made(policy, Examined(on_refusal), on_conflict)
