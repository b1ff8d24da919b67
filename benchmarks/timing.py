"""Times to compare, taken in turns, so that a busy moment of the machine delays all of them."""

from __future__ import annotations

import gc
from statistics import median
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.cases import Run

_Key = TypeVar("_Key")

# Much longer than the clock's resolution, and shorter than a time slice of the scheduler.
_BATCH_SECONDS = 0.002


class Timing(NamedTuple):
    """Seconds that one request took.

    Attributes:
        best: In the best round, which nothing disturbed.
        middle: In the median round; the difference shows how busy the machine was.
    """

    best: float
    middle: float


def interleaved(
    runs: Mapping[_Key, Run], rounds: int, batch_seconds: float = _BATCH_SECONDS
) -> dict[_Key, Timing]:
    """Time all runs once in each round.

    Args:
        runs: The runs by name.
        rounds: The number of rounds.
        batch_seconds: The length of a turn, which has one request at least.
    """
    counts = {name: _calibrated(run, batch_seconds) for name, run in runs.items()}
    found: dict[_Key, list[float]] = {name: [] for name in runs}
    gc.collect()
    # What was built stays, so the collections between rounds need not look through it.
    gc.freeze()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, run in runs.items():
                found[name].append(run(counts[name]) / counts[name])
            gc.collect()
    finally:
        gc.enable()
        gc.unfreeze()
    return {name: Timing(min(times), median(times)) for name, times in found.items()}


def _calibrated(run: Run, seconds: float) -> int:
    """Return how many requests fill a batch."""
    count = 1
    while True:
        # The best of three, since one may be interrupted.
        taken = min(run(count) for _ in range(3))
        if taken >= seconds / 4:
            return max(1, round(count * seconds / taken))
        count *= 4
