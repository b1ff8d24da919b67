"""Figures of valgrind: the instructions that each case of ``benchmarks.ways`` takes."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks.guard.counting import count
from benchmarks.ways import PEERS, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.table.figures import Figures

_PREFIX = "ways"
_TITLES = {"asgi": "ASGI", "starlette": "Starlette", "flask": "Flask", "django": "Django"}


def ways() -> Figures:
    """Count the instructions of every case, or nothing where valgrind is not installed."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return {}
    return {
        f"{_PREFIX}/{build}/{group}/{name}": [found, found]
        for build, groups in count(valgrind, tuple(PEERS)).items()
        for group, counts in groups.items()
        for name, found in counts.items()
    }


def table(figures: Figures) -> Iterator[str]:
    """Yield a table of what each case adds on the compiled build, beside its limit and the peer."""
    counted = {
        group: {
            name.split("/", 3)[3]: int(values[0])
            for name, values in figures.items()
            if name.startswith(f"{_PREFIX}/cython/{group}/")
        }
        for group in PEERS
    }
    if not all(counted.values()):
        return
    yield ""
    yield "Instructions added to an actual request, and all that a preflight takes; compiled"
    yield ""
    yield "| framework | way | instructions | as a multiple | at most | of the peer's |"
    yield "|---|---|--:|---|--:|--:|"
    for group, counts in counted.items():
        rows = compare(group, counts, "cython")
        beside = {row.case: f"{row.ratio:.0%}" for row in rows if row.than == PEERS[group]}
        for row in rows:
            if row.than != PEERS[group]:
                mark = "" if row.is_met else " **missed**"
                yield (
                    f"| {_TITLES[group]} | {row.case} | {row.added:,} | "
                    f"{row.ratio:.2f} × {row.than} | {row.limit:g}{mark} | "
                    f"{beside.get(row.case, '')} |"
                )
