"""Figures of long lists: look-ups among 100,000 and a million patterns, memory, build time."""

from __future__ import annotations

import gc
import random
import tracemalloc
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks import cases
from benchmarks.table.engine import lookups
from benchmarks.table.figures import named
from benchmarks.timing import interleaved
from corscore import Policy

if TYPE_CHECKING:
    from benchmarks.cases import Run
    from benchmarks.table.figures import Figures

LARGE = 100_000
HUGE = 1_000_000
SMALL = 10
# More patterns than the caches of a processor hold.
_RANDOM = 50_000


def policy_of(count: int) -> Policy:
    """Return a policy of half exact origins, half patterns for any subdomain."""
    options = cases.options()
    options["allow_origins"] = cases.origins(count // 2) + cases.subdomain_patterns(count // 2)
    return Policy(**options)


ASKED = {
    "exact hit": "https://tenant-3.example.com",
    "wildcard hit": "https://app.tenant-3.example.com",
    # As many labels as the patterns have, so that the look-up compares all of them.
    "miss": "https://app.tenant-3.example.net",
}


def large() -> Figures:
    """Measure ``allows_origin`` with new bytes objects, among 100,000 patterns."""
    return named("large", interleaved(lookups(policy_of(LARGE), ASKED), rounds=60))


def huge() -> Figures:
    """Measure a million patterns against ten: with one origin, and with random ones."""
    small, many = policy_of(SMALL), policy_of(HUGE)
    runs: dict[tuple[object, ...], Run] = {("random",): _random(many)}
    for size, policy in (("small", small), ("huge", many)):
        runs |= {(size, *key): run for key, run in lookups(policy, ASKED).items()}
    return named("scale", interleaved(runs, rounds=25))


def _random(policy: Policy) -> Run:
    dice = random.Random(1)  # noqa: S311 -- the same numbers in each run
    allows = policy.allows_origin

    def run(count: int) -> float:
        count = max(1, count)
        asked = [
            f"https://{dice.choice(('', 'app.'))}tenant-{dice.randrange(HUGE // 2 - 1)}.example.com"
            for _ in range(min(count, _RANDOM))
        ]
        fresh = [origin.encode() for origin in asked]
        started = perf_counter()
        for origin in fresh:
            allows(origin)
        return (perf_counter() - started) * count / len(fresh)

    return run


def build() -> Figures:
    """Measure the seconds to build a policy of 100,000 patterns, and its bytes."""
    figures: Figures = {}
    for name, patterns in (
        ("exact", cases.origins(LARGE)),
        ("wildcard", cases.subdomain_patterns(LARGE)),
    ):
        options = cases.options()
        options["allow_origins"] = patterns
        Policy(**options)  # so that imports are not counted
        seconds = []
        for _ in range(3):
            gc.collect()
            started = perf_counter()
            Policy(**options)
            seconds.append(perf_counter() - started)
        figures[f"build/{name}/seconds"] = [min(seconds), sorted(seconds)[1]]
        gc.collect()
        tracemalloc.start()
        policy = Policy(**options)
        gc.collect()
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        del policy
        figures[f"build/{name}/bytes"] = [kept / LARGE, kept / LARGE]
        figures[f"build/{name}/peak bytes"] = [peak / LARGE, peak / LARGE]
    return figures
