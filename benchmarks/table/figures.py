"""What a section of the table measures, by name: ``asgi/starlette/1000/preflight``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.timing import Timing

    # A name to the best and the median round, in the figure's own unit: seconds unless said
    # otherwise. JSON has no tuples.
    Figures = dict[str, list[float]]
    Section = Callable[[], Figures]


def named(prefix: str, timings: Mapping[tuple[object, ...], Timing]) -> Figures:
    """Timings as figures: the parts of a key joined behind a prefix."""
    return {
        "/".join(map(str, (prefix, *parts))): [timing.best, timing.middle]
        for parts, timing in timings.items()
    }
