"""Figures, by names such as ``asgi/starlette/1000/preflight``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.timing import Timing

    # The best and the median round by name, in seconds if the name has no other unit; a list, since
    # JSON has no tuples.
    Figures = dict[str, list[float]]
    Section = Callable[[], Figures]


def named(prefix: str, timings: Mapping[tuple[object, ...], Timing]) -> Figures:
    """Return timings as figures, named by a prefix and the parts of their keys."""
    return {
        "/".join(map(str, (prefix, *parts))): [timing.best, timing.middle]
        for parts, timing in timings.items()
    }
