"""Figures of the import: what ``import corscore`` adds to the start of an interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import corscore

if TYPE_CHECKING:
    from benchmarks.table.figures import Figures

_ROUNDS = 25
# Packages that it must not import.
FRAMEWORKS = ("anyio", "asgiref", "django", "flask", "starlette", "werkzeug")

_ROOT = Path(corscore.__file__).parents[1]


def startup() -> Figures:
    """Measure an interpreter that does nothing, and one that imports corscore, in turns."""
    codes = {"nothing": "pass", "corscore": "import corscore"}
    found: dict[str, list[float]] = {name: [] for name in codes}
    for code in codes.values():
        _run(code)  # writes the bytecode caches
    for _ in range(_ROUNDS):
        for name, code in codes.items():
            started = perf_counter()
            _run(code)
            found[name].append(perf_counter() - started)
    figures = {f"import/{name}": [min(times), median(times)] for name, times in found.items()}
    loaded = _run("import corscore; print(*sys.modules)").split()
    figures["import/frameworks"] = [float(len(set(FRAMEWORKS) & set(loaded)))] * 2
    return figures


def _run(code: str) -> str:
    # Without site, whose start-up hooks vary from one environment to the next.
    path = f"import sys; sys.path.insert(0, {str(_ROOT)!r})"
    ran = subprocess.run(  # noqa: S603 -- our own interpreter
        [sys.executable, "-I", "-S", "-c", f"{path}\n{code}"],
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout
