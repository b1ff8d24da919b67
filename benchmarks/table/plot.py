"""The plot: what each library adds to an actual request, against the length of its list.

Both axes are logarithmic. The colours have a medium lightness, since a picture does not know
whether its page is white or black.
"""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence


class Series(NamedTuple):
    """The line of one library: seconds by numbers of origins."""

    name: str
    is_ours: bool
    points: Sequence[tuple[int, float]]


class Panel(NamedTuple):
    """The lines of one framework."""

    title: str
    series: Sequence[Series]


_OURS, _THEIRS, _OTHERS = "#2f81f7", "#d9622b", "#9a6fd0"
_TEXT, _GRID = "#7d8590", "#7d8590"
_WIDTH, _HEIGHT = 380, 250
_LEFT, _TOP, _RIGHT, _BOTTOM = 56, 34, 16, 36
_TITLE = "Time added to an actual request, against the number of origins in the policy"
_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#7d8590}"
    ".t{font-weight:600;font-size:13px}.e{text-anchor:end}.m{text-anchor:middle}"
)


def draw(panels: Sequence[Panel]) -> str:
    """Return an SVG of all panels, two a row, with one scale for all."""
    points = [point for panel in panels for series in panel.series for point in series.points]
    last = ceil(log10(max(count for count, _ in points)))
    low = floor(log10(min(seconds for _, seconds in points)))
    high = ceil(log10(max(seconds for _, seconds in points)))
    rows = (len(panels) + 1) // 2
    width, height = 2 * _WIDTH, rows * _HEIGHT + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{_TITLE}</title>",
        f"<style>{_STYLE}</style>",
    ]
    for index, panel in enumerate(panels):
        x, y = index % 2 * _WIDTH, index // 2 * _HEIGHT
        scale = _Scale(x + _LEFT, x + _WIDTH - _RIGHT, y + _HEIGHT - _BOTTOM, y + _TOP)
        scale.last, scale.low, scale.high = last, low, high
        parts += _axes(panel.title, scale)
        parts += _lines(panel.series, scale)
    parts.append(f'<text class="m" x="{width / 2}" y="{height - 8}">{_TITLE}</text>')
    return "\n".join([*parts, "</svg>", ""])


class _Scale:
    """The coordinates of values on a panel's axes."""

    last: int
    low: int
    high: int

    def __init__(self, left: int, right: int, bottom: int, top: int) -> None:
        self.left, self.right, self.bottom, self.top = left, right, bottom, top

    def x(self, count: float) -> float:
        return round(self.left + (self.right - self.left) * log10(count) / self.last, 1)

    def y(self, seconds: float) -> float:
        part = (log10(seconds) - self.low) / (self.high - self.low)
        return round(self.bottom - (self.bottom - self.top) * part, 1)


def _axes(title: str, scale: _Scale) -> list[str]:
    parts = [f'<text class="t" x="{scale.left}" y="{scale.top - 14}">{escape(title)}</text>']
    for power in range(scale.low, scale.high + 1):
        y = scale.y(10.0**power)
        parts.append(
            f'<path d="M{scale.left} {y}H{scale.right}" stroke="{_GRID}" stroke-opacity=".25"/>'
        )
        parts.append(f'<text class="e" x="{scale.left - 6}" y="{y + 4}">{_seconds(power)}</text>')
    for power in range(scale.last + 1):
        x = scale.x(10.0**power)
        label = f"{10**power:,}" if power < 3 else "10" + _DIGITS[power]
        parts.append(f'<text class="m" x="{x}" y="{scale.bottom + 18}">{label}</text>')
    return parts


def _lines(series: Sequence[Series], scale: _Scale) -> list[str]:
    parts = []
    # The names are in the upper left corner, which no line reaches.
    others = iter((_THEIRS, _OTHERS))
    for index, line in enumerate(series):
        colour = _OURS if line.is_ours else next(others)
        places = [(scale.x(count), scale.y(seconds)) for count, seconds in line.points]
        path = " ".join(f"{x},{y}" for x, y in places)
        stroke = 3 if line.is_ours else 2
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{stroke}"/>'
        )
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places]
        y = scale.top + 12 + 18 * index
        parts.append(
            f'<path d="M{scale.left + 10} {y - 4}h18" stroke="{colour}" stroke-width="{stroke}"/>'
            f'<text x="{scale.left + 34}" y="{y}" style="fill:{colour}">{escape(line.name)}</text>'
        )
    return parts


def _seconds(power: int) -> str:
    unit, exponent = next(
        (unit, exponent)
        for unit, exponent in (("s", 0), ("ms", -3), ("µs", -6), ("ns", -9))
        if power >= exponent
    )
    return f"{10 ** (power - exponent)} {unit}"
