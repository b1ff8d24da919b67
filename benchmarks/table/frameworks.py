"""Figures of the adapters: every kind of request, and the actual one for lists of any length."""

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
# The counts that targets name a preflight for.
_PREFLIGHT_COUNTS = (1_000, 100_000)
# Whoever takes longer for one request is left out from there on.
_LONGEST = 0.05


def asgi() -> Figures:
    """A plain ASGI application."""
    return _figures("asgi", rounds=60, batch_seconds=0.002)


def wsgi() -> Figures:
    """A plain WSGI application."""
    return _figures("wsgi", rounds=60, batch_seconds=0.002)


def flask() -> Figures:
    """A Flask application; what a layer adds is small beside the application.

    Hence the longer turns: at the start of each, the interpreter has to specialise Flask's own code
    for another application's class again.
    """
    return _figures("flask", rounds=25, batch_seconds=0.02, copies=3)


def django() -> Figures:
    """A Django project; likewise for its settings."""
    return _figures("django", rounds=25, batch_seconds=0.02, copies=3)


def asgi_plain() -> Figures:
    """The same as ``asgi`` without long lists, for a process that has no compiled matcher."""
    return _figures("asgi", rounds=60, batch_seconds=0.002, counts=(1,))


def _figures(
    name: str,
    *,
    rounds: int,
    batch_seconds: float,
    counts: tuple[int, ...] = COUNTS,
    copies: int = 1,
) -> Figures:
    """The figures of one framework.

    Args:
        name: A module of ``benchmarks.sites``.
        rounds: How often each application has its turn.
        batch_seconds: How long a turn is.
        counts: Of listed origins.
        copies: How often each application is built. Where one's objects lie in memory is luck, and
            worth a microsecond of thirty: the best of several counts.
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
            if run(1) > _LONGEST:
                break
            runs[layer, count, cases.ACTUAL, 0] = run
            if count in _PREFLIGHT_COUNTS:
                runs[layer, count, cases.PREFLIGHT, 0] = site.runner(cases.PREFLIGHT)
    # Preflights in turns of their own: an application that was not asked for a while is slower, and
    # which turn comes next must not decide about microseconds.
    preflights = {key: run for key, run in runs.items() if cases.PREFLIGHT in key}
    others = {key: run for key, run in runs.items() if key not in preflights}
    best: dict[tuple[object, ...], Timing] = {}
    for among in (preflights, others):
        for (*key, _), timing in interleaved(among, rounds, batch_seconds).items():
            known = best.get(tuple(key), timing)
            best[tuple(key)] = min(known, timing)
    return named(name, best)
