"""Figures of the adapters: every kind of request, and actual requests for long lists."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from benchmarks import cases
from benchmarks.table.figures import named
from benchmarks.timing import interleaved

if TYPE_CHECKING:
    from benchmarks.cases import Run
    from benchmarks.table.figures import Figures
    from benchmarks.timing import Timing

COUNTS = (1, 10, 100, 1_000, 10_000, 100_000)
# Counts with a target for preflights.
_PREFLIGHT_COUNTS = (1_000, 100_000)
# A layer that takes more seconds for a request is not measured with longer lists.
_MAX_SECONDS = 0.05


def asgi() -> Figures:
    """Measure a plain ASGI application."""
    return _figures("asgi", rounds=60, batch_seconds=0.002)


def wsgi() -> Figures:
    """Measure a plain WSGI application."""
    return _figures("wsgi", rounds=60, batch_seconds=0.002)


def flask() -> Figures:
    """Measure a Flask application.

    A layer adds little to it, so the turns are longer: at the start of each turn the interpreter
    specialises Flask's own code again, for the class of another application.
    """
    return _figures("flask", rounds=25, batch_seconds=0.02, copies=3)


def django() -> Figures:
    """Measure a Django project, in longer turns, too, since each turn changes the settings."""
    return _figures("django", rounds=25, batch_seconds=0.02, copies=3)


def asgi_plain() -> Figures:
    """Measure what ``asgi`` does, without long lists, for a process without compiled matcher."""
    return _figures("asgi", rounds=60, batch_seconds=0.002, counts=(1,))


def _figures(
    name: str,
    *,
    rounds: int,
    batch_seconds: float,
    counts: tuple[int, ...] = COUNTS,
    copies: int = 1,
) -> Figures:
    """Return the figures of one framework.

    Args:
        name: A module of ``benchmarks.sites``.
        rounds: The number of turns of each application.
        batch_seconds: The length of a turn.
        counts: Numbers of listed origins.
        copies: How often each application is built, of which the best counts: the places of its
            objects in memory make a difference of a microsecond in thirty.
    """
    sites = import_module(f"benchmarks.sites.{name}")
    runs: dict[tuple[object, ...], Run] = {}
    for layer in sites.LAYERS:
        for copy in range(copies):
            site = sites.build(layer)
            for request in cases.REQUESTS:
                runs[layer, 1, request, copy] = site.runner(request)
        if layer in (cases.BARE, cases.NOTHING):
            continue
        for count in counts[1:]:
            site = sites.build(layer, count)
            run = site.runner(cases.ACTUAL)
            run(1)
            if run(1) > _MAX_SECONDS:
                break
            runs[layer, count, cases.ACTUAL, 0] = run
            if count in _PREFLIGHT_COUNTS:
                runs[layer, count, cases.PREFLIGHT, 0] = site.runner(cases.PREFLIGHT)
    # Preflights in other rounds: they do not reach the application, which is slower after a pause.
    preflights = {key: run for key, run in runs.items() if cases.PREFLIGHT in key}
    others = {key: run for key, run in runs.items() if key not in preflights}
    best: dict[tuple[object, ...], Timing] = {}
    for among in (preflights, others):
        for (*key, _), timing in interleaved(among, rounds, batch_seconds).items():
            known = best.get(tuple(key), timing)
            best[tuple(key)] = min(known, timing)
    return named(name, best)
