"""Times of things beside each other: in turns, so that a busy moment of the machine hits all."""

from __future__ import annotations

import gc
from statistics import median
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.cases import Run

_Key = TypeVar("_Key")

# Long against the clock's resolution, short against the time slices of the machine's scheduler.
_BATCH_SECONDS = 0.002


class Timing(NamedTuple):
    """Seconds that one request took.

    Attributes:
        best: In the best round: what the code costs when nothing disturbs it.
        middle: In the median round: how quiet the machine was.
    """

    best: float
    middle: float


def interleaved(
    runs: Mapping[_Key, Run], rounds: int, batch_seconds: float = _BATCH_SECONDS
) -> dict[_Key, Timing]:
    """Runs everything in each of a number of rounds.

    Args:
        runs: What to time, by name.
        rounds: How often each of them has its turn.
        batch_seconds: How long a turn is, at least that of one request.
    """
    counts = {name: _calibrated(run, batch_seconds) for name, run in runs.items()}
    found: dict[_Key, list[float]] = {name: [] for name in runs}
    gc.collect()
    # What was built stays: no need to look through it again after each round.
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
    """How many requests fill a batch."""
    count = 1
    while True:
        # Three times: an interruption must not pass for a slow request.
        taken = min(run(count) for _ in range(3))
        if taken >= seconds / 4:
            return max(1, round(count * seconds / taken))
        count *= 4
