"""Base classes of the asv benchmarks of all adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks import cases

if TYPE_CHECKING:
    from types import ModuleType

    from benchmarks.cases import Run


class EveryRequest:
    """Every layer of a framework and every kind of request, under a policy of one origin."""

    sites: ModuleType
    params: Any
    param_names = ("layer", "request")
    run: Run

    def setup(self, layer: str, request: str) -> None:
        self.run = self.sites.build(layer).runner(request)


class ManyOrigins:
    """Every layer of CORS and an actual request, under policies of more and more origins."""

    sites: ModuleType
    params: Any
    param_names = ("layer", "origins")
    # Long lists take long to read.
    timeout = 120
    run: Run

    def setup(self, layer: str, count: int) -> None:
        self.run = self.sites.build(layer, count).runner(cases.ACTUAL)


def cors_layers(sites: ModuleType) -> tuple[str, ...]:
    """Return the layers of a framework that look origins up."""
    layers: tuple[str, ...] = sites.LAYERS
    return tuple(layer for layer in layers if layer not in (cases.BARE, cases.NOTHING))
