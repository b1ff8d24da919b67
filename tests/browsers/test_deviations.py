"""Each row of ``KNOWN_DEVIATIONS`` changes what the model predicts for its directed case.

No browser runs here: test_browsers.py compares what they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comparison import Row, Run, outcome_of
from corscore.browser import KNOWN_DEVIATIONS, _deviations
from loopback import Site
from tables import rows

if TYPE_CHECKING:
    from corscore.browser import Browser, Deviation

DIRECTED = rows("browser_deviations")
SITE = Site((8001, 8002))
SITE.run(DIRECTED)


def _predicted(case: int, name: Browser | None) -> list[Any]:
    steps = [step for step in SITE.steps if step["case"] == case]
    # A quarter of a second between two fetches, or the time that the case waits.
    made = [
        Row(case, step, step["later"] or number / 4, {}, []) for number, step in enumerate(steps)
    ]
    results = Run("chromium", SITE.origins["page"], made).predicted(name)
    return [outcome_of(result) for result in results]


@pytest.mark.parametrize("known", KNOWN_DEVIATIONS, ids=lambda row: f"{row.browser}-{row.code}")
def test_a_deviation_changes_the_prediction(
    known: Deviation, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = next(i for i, row in enumerate(DIRECTED) if row["why"] == known.code)
    as_it_is = _predicted(case, known.browser)
    codes = _deviations._CODES[known.browser] - {known.code}
    monkeypatch.setitem(_deviations._CODES, known.browser, codes)
    assert _predicted(case, known.browser) != as_it_is


@pytest.mark.parametrize(
    ("code", "name", "rule"),
    [
        ("cache-cleared-by-any-failure", "firefox", "a no-cors failure keeps the cache"),
        ("passwords-are-refused-late", "safari", "a URL without a password covers one with it"),
        ("passwords-are-refused-late", "safari", "a URL with a password covers one without it"),
    ],
    ids=lambda value: value.replace(" ", "-"),
)
def test_no_second_preflight_is_sent(code: str, name: Browser, rule: str) -> None:
    case = next(
        i for i, row in enumerate(DIRECTED) if (row["why"], row.get("rule")) == (code, rule)
    )
    last = _predicted(case, name)[-1]
    assert "OPTIONS" not in {method for method, *_ in last["arrived"]}


def test_the_standard_has_no_deviations(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [_predicted(case, None) for case in range(len(DIRECTED))]
    monkeypatch.setattr(_deviations, "_CODES", dict.fromkeys(_deviations._CODES, frozenset()))
    assert [_predicted(case, None) for case in range(len(DIRECTED))] == before
