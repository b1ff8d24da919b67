"""What the asv benchmarks of all adapters share: the parameters, and what is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks import cases

if TYPE_CHECKING:
    from types import ModuleType

    from benchmarks.cases import Run


class EveryRequest:
    """Every layer of a framework on every kind of request; a policy of one origin."""

    sites: ModuleType
    params: Any
    param_names = ("layer", "request")
    run: Run

    def setup(self, layer: str, request: str) -> None:
        self.run = self.sites.build(layer).runner(request)


class ManyOrigins:
    """Every layer that looks origins up, on an actual request; longer and longer lists."""

    sites: ModuleType
    params: Any
    param_names = ("layer", "origins")
    # Long lists take their time to be read.
    timeout = 120
    run: Run

    def setup(self, layer: str, count: int) -> None:
        self.run = self.sites.build(layer, count).runner(cases.ACTUAL)


def looking_up(sites: ModuleType) -> tuple[str, ...]:
    """The layers of a framework that do."""
    layers: tuple[str, ...] = sites.LAYERS
    return tuple(layer for layer in layers if layer not in (cases.BARE, cases.NOTHING))
