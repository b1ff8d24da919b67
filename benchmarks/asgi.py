"""asv: the ASGI adapter beside Starlette's middleware and asgi-cors."""

from __future__ import annotations

from benchmarks import cases
from benchmarks.sites import asgi as sites
from benchmarks.sites import suite


class Requests(suite.EveryRequest):
    """Each layer, beside the bare application and a layer that does nothing."""

    sites = sites
    params = (sites.LAYERS, cases.REQUESTS)

    def time_thousand(self, layer: str, request: str) -> None:
        self.run(1_000)


class Origins(suite.ManyOrigins):
    """An actual request from the last origin of the list."""

    sites = sites
    params = (suite.cors_layers(sites), (1, 1_000, 100_000))

    def time_hundred(self, layer: str, count: int) -> None:
        self.run(100)
