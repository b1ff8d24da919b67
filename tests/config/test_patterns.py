"""Problems of one origin pattern: tests/data/patterns.json."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from corscore import ConfigError, Policy
from tables import cases, problems_of, rows

ROWS = cases("patterns")
ORIGIN_CODES = {
    "origin-default-port",
    "origin-empty",
    "origin-file",
    "origin-has-path",
    "origin-has-userinfo",
    "origin-host-invalid",
    "origin-ip-not-canonical",
    "origin-not-ascii",
    "origin-null",
    "origin-port-invalid",
    "origin-quoted",
    "origin-scheme-invalid",
    "origin-scheme-missing",
    "origin-trailing-slash",
    "origin-uppercase",
    "origin-whitespace",
    "origin-wildcard-misplaced",
}


@pytest.mark.parametrize("row", ROWS)
def test_a_wrong_pattern_has_the_codes_of_the_table(row: dict[str, Any]) -> None:
    found = problems_of({"allow_origins": [row["pattern"]]})
    # A list, since a defect must be reported once only.
    assert sorted(problem.code for problem in found) == row["codes"]
    assert {problem.field for problem in found} <= {"allow_origins"}
    assert all(problem.value == row["pattern"] for problem in found)
    assert all(problem.message and problem.hint for problem in found)


@pytest.mark.parametrize("row", [case for case in ROWS if case.values[0]["write"]])
def test_every_hint_has_the_literal_with_all_defects_repaired(row: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        Policy(allow_origins=[row["pattern"]])
    for problem in caught.value.problems:
        assert f'"{row["write"]}"' in problem.hint
        assert problem.hint in str(caught.value)
    assert problems_of({"allow_origins": [row["write"]]}) == ()


@pytest.mark.parametrize("row", [case for case in ROWS if case.values[0]["codes"]])
def test_a_literal_to_write_is_a_valid_pattern(row: dict[str, Any]) -> None:
    for problem in problems_of({"allow_origins": [row["pattern"]]}):
        for literal in re.findall(r'write "([^"]*)"', problem.hint):
            assert problems_of({"allow_origins": [literal]}) == ()


@pytest.mark.parametrize("row", [case for case in ROWS if not case.values[0]["codes"]])
def test_a_valid_pattern_without_a_wildcard_matches_itself(row: dict[str, Any]) -> None:
    pattern = row["pattern"]
    policy = Policy(allow_origins=[pattern])
    assert policy.allows_origin(pattern) is ("*" not in pattern or pattern == "*")


@pytest.mark.parametrize(
    "pattern",
    ['"null"', "null/", "https//example.com", "http://https://a.example", "https://https://a.b"],
)
def test_no_hint_makes_a_host_of_what_is_none(pattern: str) -> None:
    found = problems_of({"allow_origins": [pattern]})
    assert found
    for problem in found:
        assert not re.search(r"://(null|https?)\b", problem.hint)


@pytest.mark.parametrize("separator", [" ", ",", ", ", "; ", "\n"])
def test_several_origins_in_one_literal_are_told_apart(separator: str) -> None:
    found = problems_of({"allow_origins": [f"https://a.example{separator}https://b.example"]})
    assert found
    for problem in found:
        assert '["https://a.example", "https://b.example"]' in problem.hint


def test_problems_of_all_patterns_are_reported_at_once() -> None:
    bad = [row for row in rows("patterns") if row["codes"] and len(row["pattern"]) < 100]
    with pytest.raises(ConfigError) as caught:
        Policy(allow_origins=[row["pattern"] for row in bad])
    wanted = Counter((row["pattern"], code) for row in bad for code in row["codes"])
    assert Counter((p.value, p.code) for p in caught.value.problems) == wanted


def test_the_table_has_every_code_several_times() -> None:
    seen = Counter(code for row in rows("patterns") for code in row["codes"])
    # There is one way to be empty.
    assert {code for code in ORIGIN_CODES if seen[code] < 3} <= {"origin-empty", "origin-null"}
    assert seen.keys() == ORIGIN_CODES
