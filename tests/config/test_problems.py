"""Problems of all options, but for single origin patterns: tests/data/problems.json."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from corscore import ConfigError, Policy
from tables import cases, problems_of, rows

ORIGIN = "https://example.com"
CODES = {
    "expose-wildcard-with-credentials",
    "header-forbidden",
    "header-invalid",
    "header-wrong-direction",
    "insecure-origin-with-credentials",
    "max-age-invalid",
    "max-age-out-of-range",
    "method-case",
    "method-forbidden",
    "method-invalid",
    "not-a-bool",
    "not-a-list",
    "not-a-string",
    "null-with-credentials",
    "origins-missing",
    "preflight-status-invalid",
    "private-network-with-wildcard",
    "public-suffix-with-credentials",
    "regex-invalid",
    "regex-matches-anything-with-credentials",
    "regex-unsafe",
    "single-label-suffix-with-credentials",
    "wildcard-not-alone",
    "wildcard-with-credentials",
}


@pytest.mark.parametrize("row", cases("problems"))
def test_wrong_options_have_the_codes_of_the_table(row: dict[str, Any]) -> None:
    found = problems_of(row["options"])
    assert sorted(problem.code for problem in found) == row["codes"]
    assert all(problem.message and problem.hint for problem in found)
    if row["hint"]:
        assert all(row["hint"] in problem.hint for problem in found)


@pytest.mark.parametrize("row", [case for case in cases("problems") if case.values[0]["codes"]])
def test_a_problem_names_an_option_and_the_error_says_all_of_it(row: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        Policy(**row["options"])
    for problem in caught.value.problems:
        # A missing option has a name, too.
        assert problem.field in row["options"] or problem.code == "origins-missing"
        for part in (problem.field, problem.message, problem.hint, problem.code):
            assert part in str(caught.value)


def test_the_table_has_every_code_several_times() -> None:
    seen = Counter(code for row in rows("problems") for code in row["codes"])
    assert seen.keys() >= CODES
    assert [code for code in CODES if seen[code] < 3] == []


# Values that JSON lacks, made for each test, since a generator can be read once.
Make = Callable[[], Any]
REFUSED: list[tuple[str, Make, str, str]] = [
    ("allow_origins", lambda: (o for o in [ORIGIN]), "not-a-list", "a generator"),
    ("allow_origins", lambda: iter([ORIGIN]), "not-a-list", "an iterator"),
    ("allow_origins", lambda: map(str, [ORIGIN]), "not-a-list", "a map"),
    ("allow_origins", lambda: {ORIGIN: 1}.keys(), "not-a-list", "a view of keys"),
    ("allow_origins", lambda: b"https://example.com", "not-a-list", "bytes"),
    ("allow_origins", lambda: bytearray(b"https://example.com"), "not-a-list", "a bytearray"),
    ("allow_origins", lambda: range(3), "not-a-list", "a range"),
    ("allow_origins", object, "not-a-list", "an object"),
    ("allow_origins", lambda: [b"https://example.com"], "not-a-string", "bytes in the list"),
    ("allow_origins", lambda: {ORIGIN, 5}, "not-a-string", "a number in a set"),
    ("allow_origins", lambda: [re.compile("a")], "not-a-string", "a regex in the list"),
    ("allow_methods", lambda: (m for m in ["PUT"]), "not-a-list", "a generator"),
    ("allow_methods", lambda: b"PUT", "not-a-list", "bytes"),
    ("allow_methods", lambda: (b"PUT",), "not-a-string", "bytes in a tuple"),
    ("allow_headers", lambda: iter(["X-Token"]), "not-a-list", "an iterator"),
    ("allow_headers", lambda: [b"X-Token"], "not-a-string", "bytes in the list"),
    ("expose_headers", lambda: {"X-Total": 1}.keys(), "not-a-list", "a view of keys"),
    ("expose_headers", lambda: {b"X-Total"}, "not-a-string", "bytes in a set"),
    ("allow_credentials", lambda: b"true", "not-a-bool", "bytes"),
    ("allow_credentials", object, "not-a-bool", "an object"),
    ("max_age", lambda: float("nan"), "max-age-invalid", "not a number"),
    ("max_age", lambda: float("inf"), "max-age-invalid", "infinity"),
    ("max_age", lambda: Decimal(600), "max-age-invalid", "a decimal"),
    ("max_age", lambda: Fraction(600), "max-age-invalid", "a fraction"),
    ("max_age", lambda: 600 + 0j, "max-age-invalid", "a complex number"),
    ("max_age", lambda: b"600", "max-age-invalid", "bytes"),
    ("max_age", lambda: 10**5000, "max-age-out-of-range", "a number of 5,001 digits"),
    ("debug", lambda: 10**5000, "not-a-bool", "a number of 5,001 digits"),
    ("allow_origins", lambda: 10**5000, "not-a-list", "a number of 5,001 digits"),
    ("allow_origins", lambda: [10**5000], "not-a-string", "5,001 digits in the list"),
    ("allow_methods", lambda: {10**5000}, "not-a-string", "5,001 digits in a set"),
    ("allow_origin_regex", lambda: 10**5000, "not-a-string", "a number of 5,001 digits"),
    ("max_age", lambda: timedelta(seconds=-1), "max-age-out-of-range", "a negative timedelta"),
    ("max_age", lambda: timedelta(days=1, seconds=1), "max-age-out-of-range", "over a day"),
    (
        "max_age",
        lambda: timedelta(days=999_999_999),
        "max-age-out-of-range",
        "the longest timedelta",
    ),
    ("max_age", lambda: timedelta.min, "max-age-out-of-range", "the shortest timedelta"),
    ("preflight_status", lambda: float("nan"), "preflight-status-invalid", "not a number"),
    ("preflight_status", lambda: Decimal(204), "preflight-status-invalid", "a decimal"),
    ("preflight_status", lambda: b"204", "preflight-status-invalid", "bytes"),
    ("preflight_status", lambda: 10**5000, "preflight-status-invalid", "5,001 digits"),
    ("allow_origin_regex", lambda: b"https://a", "not-a-string", "bytes"),
    ("allow_origin_regex", lambda: re.compile(b"https://a"), "not-a-string", "compiled bytes"),
    ("allow_origin_regex", lambda: re.compile("(a+)+"), "regex-unsafe", "compiled and slow"),
]


@pytest.mark.parametrize(
    ("option", "make", "code"),
    [pytest.param(*row[:3], id=f"{row[0]}: {row[3]}") for row in REFUSED],
)
def test_values_beyond_json_are_problems(option: str, make: Make, code: str) -> None:
    options = {"allow_origins": [ORIGIN], option: make()}
    assert [(p.code, p.field) for p in problems_of(options)] == [(code, option)]


class Name(str):
    """A str as the members of a StrEnum are."""

    __slots__ = ()


ALLOWED: list[tuple[str, Make, Any, str]] = [
    ("allow_origins", lambda: (ORIGIN,), (ORIGIN,), "a tuple"),
    ("allow_origins", lambda: {ORIGIN}, (ORIGIN,), "a set"),
    ("allow_origins", lambda: frozenset({ORIGIN}), (ORIGIN,), "a frozenset"),
    ("allow_origins", lambda: [Name(ORIGIN)], (ORIGIN,), "a subclass of str"),
    ("allow_credentials", lambda: True, True, "a bool"),
    ("max_age", lambda: timedelta(minutes=10), 600, "a timedelta"),
    ("max_age", lambda: timedelta(days=1), 86400, "a day"),
    ("max_age", timedelta, 0, "an empty timedelta"),
]


@pytest.mark.parametrize(
    ("option", "make", "value"),
    [pytest.param(*row[:3], id=f"{row[0]}: {row[3]}") for row in ALLOWED],
)
def test_values_beyond_json_are_taken(option: str, make: Make, value: Any) -> None:
    policy = Policy(**{"allow_origins": [ORIGIN], option: make()})
    assert getattr(policy, option) == value


def test_a_compiled_regex_is_judged_with_its_flags() -> None:
    loose = re.compile("HTTPS?://.*", re.IGNORECASE)
    assert [
        problem.code
        for problem in problems_of({"allow_origin_regex": loose, "allow_credentials": True})
    ] == ["regex-matches-anything-with-credentials"]
    assert problems_of({"allow_origin_regex": re.compile("HTTPS?://.*", re.IGNORECASE)}) == ()


@pytest.mark.parametrize(
    ("keyword", "hint"),
    [
        ("allow_origin", "did you mean allow_origins? write allow_origins=True"),
        ("allow_credential", "did you mean allow_credentials? write allow_credentials=True"),
        ("self", "the options are allow_origins, "),
        ("own_origins", "it belongs to the adapter: CORSMiddleware(app, policy, own_origins=True)"),
    ],
)
def test_an_unknown_keyword_is_a_problem_with_a_guess(keyword: str, hint: str) -> None:
    (problem,) = problems_of({"allow_origins": [ORIGIN], keyword: True})
    assert (problem.code, problem.field) == ("option-unknown", keyword)
    assert problem.hint.startswith(hint)


def test_an_unknown_keyword_is_an_error_of_type_checkers() -> None:
    with pytest.raises(ConfigError):
        Policy(allow_origins=[ORIGIN], allow_credential=True)  # type: ignore[arg-type]


def test_the_text_of_an_error_is_right_below_the_line_of_the_user() -> None:
    with pytest.raises(ConfigError) as caught:
        Policy(allow_origins=["https://app.example/"])
    # That line, and the one that raises.
    assert len(caught.traceback) == 2
