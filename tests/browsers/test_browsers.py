"""Chromium, Firefox and WebKit do what ``corscore.browser`` predicts, and deviate as listed.

Each engine is started once and given all cases: one for each row of ``KNOWN_DEVIATIONS`` and a
sample of a seed. ``make browsers N=2000 SEED=7`` runs any number of another.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import TYPE_CHECKING

import pytest

from comparison import Run, outcome_of, run
from corscore import browser
from corscore.browser import KNOWN_DEVIATIONS, _deviations
from engines import ENGINES, Engine
from generator import cases
from tables import rows

if TYPE_CHECKING:
    from corscore.browser import Browser, Deviation

pytestmark = pytest.mark.browser

DIRECTED = rows("browser_deviations")
CONSOLES = rows("browser_consoles")
SEED = int(os.environ.get("CORSCORE_BROWSERS_SEED", "1"))
FETCHES = int(os.environ.get("CORSCORE_BROWSERS_FETCHES", "40"))
# A deviation that a new version has ended fails `make browsers`, and is a warning elsewhere.
IS_STRICT = "CORSCORE_BROWSERS_FETCHES" in os.environ

_NAMES = {engine.name: engine for engine in ENGINES}
_MANY = 500  # console texts
# By the engine's name, since each engine is started once.
_RUNS: dict[str, tuple[Run, Run, Run]] = {}


def _runs(name: Browser) -> tuple[Run, Run, Run]:
    """Return the fetches about deviations, random ones, and those about console texts."""
    engine = _NAMES[name]
    if engine.program() is None:
        missing = f"{name} is missing: apt-get install {engine.packages}"
        if os.environ.get("CORSCORE_REQUIRE_BROWSER"):
            pytest.fail(f"{missing} (CORSCORE_REQUIRE_BROWSER is set)", pytrace=False)
        pytest.skip(missing)
    if name not in _RUNS:
        _RUNS[name] = _started(engine)
    return _RUNS[name]


def _started(engine: type[Engine]) -> tuple[Run, Run, Run]:
    done = run(engine, [*DIRECTED, *CONSOLES, *cases(SEED, FETCHES)])
    # Shown by `make browsers`.
    sys.stdout.write(f"\n{engine.version()}: {len(done.rows)} fetches, seed {SEED}\n")
    directed, drawn = len(DIRECTED), len(DIRECTED) + len(CONSOLES)
    return (
        Run(done.name, done.page, [row for row in done.rows if row.case < directed]),
        Run(done.name, done.page, [row for row in done.rows if row.case >= drawn]),
        Run(done.name, done.page, [row for row in done.rows if directed <= row.case < drawn]),
    )


@pytest.mark.parametrize("name", _NAMES)
def test_random_fetches_are_predicted(name: Browser) -> None:
    wrong = _runs(name)[1].wrong(_NAMES[name].name)
    assert not wrong, "\n".join((f"{len(wrong)} are not predicted; the first:", *wrong[:5]))


@pytest.mark.parametrize("name", _NAMES)
def test_console_texts_of_random_fetches_are_exact(name: Browser) -> None:
    texts = _runs(name)[1].texts()
    wrong = [f"{step}\n{seen}\nPREDICTED\n{told}" for step, seen, told in texts if seen != told]
    exact = len(texts) - len(wrong)
    sys.stdout.write(f"\n{name}: {exact} of {len(texts)} console texts are exact\n")
    sys.stdout.write("".join(f"{text}\n" for text in wrong))
    # docs/browsers.md lists the others: below 1 %, and a little more in a small sample.
    allowed = len(texts) // 100 if len(texts) >= _MANY else max(2, len(texts) // 50)
    assert len(wrong) <= allowed, "\n\n".join(wrong[:5])


@pytest.mark.parametrize("name", _NAMES)
def test_directed_fetches_are_predicted(name: Browser) -> None:
    wrong = _runs(name)[0].wrong(_NAMES[name].name)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", _NAMES)
def test_console_texts_of_directed_fetches_are_exact(name: Browser) -> None:
    run = _runs(name)[2]
    assert not run.wrong(name)
    wrong = [
        f"{step}\n{seen}\nPREDICTED\n{told}" for step, seen, told in run.texts() if seen != told
    ]
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.filterwarnings("default::pytest.PytestWarning")
@pytest.mark.parametrize("known", KNOWN_DEVIATIONS, ids=lambda row: f"{row.browser}-{row.code}")
def test_a_deviation_is_still_there(known: Deviation, monkeypatch: pytest.MonkeyPatch) -> None:
    directed = _runs(known.browser)[0]
    case = next(i for i, row in enumerate(DIRECTED) if row["why"] == known.code)
    codes = _deviations._CODES[known.browser] - {known.code}
    monkeypatch.setitem(_deviations._CODES, known.browser, codes)
    predicted = directed.predicted(known.browser)
    differs = any(
        row.seen != outcome_of(result)
        for row, result in zip(directed.rows, predicted, strict=True)
        if row.case == case
    )
    if not differs:
        message = (
            f"{_NAMES[known.browser].version()} does not deviate any more: {known.code}, which "
            f"{known.version} had. Look at its row in tests/data/browser_deviations.json."
        )
        assert not IS_STRICT, message
        warnings.warn(pytest.PytestWarning(message), stacklevel=1)


def test_every_deviation_has_a_directed_case() -> None:
    assert {row["why"] for row in DIRECTED} == {known.code for known in KNOWN_DEVIATIONS}
    assert {known.browser for known in KNOWN_DEVIATIONS} == set(browser.MAX_AGE_LIMITS)
