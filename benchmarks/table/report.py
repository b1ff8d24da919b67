"""The figures as text, in Markdown, and as the plot."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import cases
from benchmarks.cases import ACTUAL, BARE, CORSCORE, NOTHING
from benchmarks.table import ways
from benchmarks.table.frameworks import COUNTS
from benchmarks.table.plot import Panel, Series, draw
from benchmarks.table.targets import targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.table.figures import Figures

FRAMEWORKS = {"asgi": "ASGI", "wsgi": "WSGI", "flask": "Flask", "django": "Django"}
_PACKAGES = (
    *("starlette", "flask", "flask-cors", "django", "django-cors-headers"),
    *("asgi-cors", "wsgicors", "uvicorn", "uvloop", "httptools"),
)


_BEGIN, _END = "<!-- figures: begin", "<!-- figures: end"


def text(figures: Figures) -> str:
    """Return all tables, in Markdown."""
    return "\n".join([*_machine(), "", *table(figures), *_requests(figures), *ways.table(figures)])


def write(folder: Path, text: str, plot: str) -> None:
    """Write the figures between their marks in ``performance.md``, and the plot beside it."""
    (folder / "performance.svg").write_text(plot, encoding="utf-8")
    page = folder / "performance.md"
    before, begin, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    mark, _, rest = rest.partition("\n")
    _, end, after = rest.partition(_END)
    page.write_text(f"{before}{begin}{mark}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def _machine() -> Iterator[str]:
    """Yield lines with the machine and the versions of the packages."""
    yield f"- {_processor()}, {os.cpu_count()} processors; {platform.system()} {platform.release()}"
    yield f"- {platform.python_implementation()} {platform.python_version()}"
    yield f"- {', '.join(map(_versioned, _PACKAGES))}"


def _versioned(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} not installed"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    return platform.processor() or platform.machine()


def table(figures: Figures) -> Iterator[str]:
    """Yield the lines of the table of targets, each beside its measured value."""
    best = {name: values[0] for name, values in figures.items()}
    # Of ratios the median: their best round says nothing.
    best |= {name: values[1] for name, values in figures.items() if "/ratio/" in name}
    yield "| what | case | target | measured | | from |"
    yield "|---|---|--:|--:|---|---|"
    for target in targets():
        sign = "≥" if target.at_least else "≤"
        goal = f"{sign} {_number(target.bound)} {target.unit}".rstrip()
        try:
            value = target.value(best)
        except KeyError as missing:
            row = (f"not measured: no {missing.args[0]}", "", "")
        else:
            verdict = "" if target.is_met(value) else "**missed**"
            shown = " / ".join(_duration(best[name]) for name in target.shown)
            row = (f"{_number(value)} {target.unit}".rstrip(), verdict, shown)
        yield f"| {target.what} | {target.case} | {goal} | {' | '.join(row)} |"


def _requests(figures: Figures) -> Iterator[str]:
    """Yield a table for each framework: every layer with every kind of request."""
    for section, title in FRAMEWORKS.items():
        layers = [
            layer
            for layer in (BARE, NOTHING, CORSCORE, *_peers(figures, section))
            if f"{section}/{layer}/1/{ACTUAL}" in figures
        ]
        yield ""
        yield f"{title}, 1 origin, microseconds a request: the best round (the median one)"
        yield ""
        yield f"| | {' | '.join(cases.REQUESTS)} |"
        yield f"|---|{'--:|' * len(cases.REQUESTS)}"
        for layer in layers:
            found = (figures[f"{section}/{layer}/1/{request}"] for request in cases.REQUESTS)
            cells = " | ".join(f"{one * 1e6:.2f} ({two * 1e6:.2f})" for one, two in found)
            yield f"| {layer} | {cells} |"


def _peers(figures: Figures, section: str) -> list[str]:
    found = dict.fromkeys(name.split("/")[1] for name in figures if name.startswith(f"{section}/"))
    return [layer for layer in found if layer not in (BARE, NOTHING, CORSCORE)]


def plot(figures: Figures) -> str:
    """Return the plot of all frameworks, as SVG."""
    panels = []
    for section, title in FRAMEWORKS.items():
        nothing = figures[f"{section}/{NOTHING}/1/{ACTUAL}"][0]
        series = []
        for layer in (CORSCORE, *_peers(figures, section)):
            found = (
                (count, figures.get(f"{section}/{layer}/{count}/{ACTUAL}")) for count in COUNTS
            )
            # A logarithmic axis takes no difference that noise made zero or less.
            points = [(count, max(1e-7, values[0] - nothing)) for count, values in found if values]
            series.append(Series(layer, layer == CORSCORE, points))
        panels.append(Panel(title, series))
    return draw(panels)


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _duration(seconds: float) -> str:
    for unit, factor in (("ns", 1e9), ("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 1000:
            return f"{_number(seconds * factor)} {unit}"
    return f"{_number(seconds)} s"
