"""Policies from environment variables (tests/data/environment.json) and from mappings."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from corscore import ConfigError, Policy, Problem
from tables import cases

ORIGIN = "https://example.com"
SET = {"CORS_ALLOW_ORIGINS": ORIGIN}
ROWS = cases("environment")


def problems_of(environ: dict[str, str], prefix: str = "CORS_") -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        Policy.from_env(prefix, environ)
    return caught.value.problems


@pytest.mark.parametrize("row", [case for case in ROWS if not case.values[0]["problems"]])
def test_variables_make_the_policy_of_the_table(row: dict[str, Any]) -> None:
    environ = dict(row["environ"])
    assert Policy.from_env(environ=environ) == Policy(**row["options"])
    assert environ == row["environ"]


@pytest.mark.parametrize("row", [case for case in ROWS if case.values[0]["problems"]])
def test_problems_of_variables_are_those_of_the_table(row: dict[str, Any]) -> None:
    found = problems_of(row["environ"])
    assert sorted([problem.code, problem.field] for problem in found) == row["problems"]
    assert all(problem.message and problem.hint for problem in found)
    if row["hint"]:
        assert all(row["hint"] in problem.hint for problem in found)


def test_the_default_is_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGINS", "https://a.example")
    monkeypatch.setenv("CORS_ALLOW_CREDENTIALS", "on")
    assert Policy.from_env() == Policy(allow_origins=["https://a.example"], allow_credentials=True)


def test_another_prefix_reads_no_variable_of_the_default_one() -> None:
    environ = {
        "SHOP_CORS_ALLOW_ORIGINS": "https://shop.example",
        "SHOP_CORS_MAX_AGE": "5",
        "CORS_ALLOW_ORIGINS": "https://other.example",
        "CORS_MAX_AGE": "bad",
    }
    assert Policy.from_env("SHOP_CORS_", environ) == Policy(
        allow_origins=["https://shop.example"], max_age=5
    )
    assert Policy.from_env(prefix="SHOP_CORS_", environ=environ).max_age == 5
    environ["SHOP_CORS_MAX_AGE"] = "soon"
    assert [(p.code, p.field) for p in problems_of(environ, "SHOP_CORS_")] == [
        ("max-age-invalid", "SHOP_CORS_MAX_AGE")
    ]


@pytest.mark.parametrize("text", ["9" * 5000, "-" + "9" * 5000, "0" * 5000 + "x"], ids=len)
@pytest.mark.parametrize("name", ["CORS_MAX_AGE", "CORS_PREFLIGHT_STATUS"])
def test_a_number_that_int_refuses_is_a_problem(name: str, text: str) -> None:
    (problem,) = problems_of({**SET, name: text})
    assert problem.field == name
    assert problem.code in {
        "max-age-invalid",
        "max-age-out-of-range",
        "preflight-status-invalid",
    }


def test_the_only_variable_is_reported_if_it_is_misspelt() -> None:
    found = problems_of({"CORS_ALLOW_ORIGIN": ORIGIN})
    assert ("option-unknown", "CORS_ALLOW_ORIGIN") in [(p.code, p.field) for p in found]
    assert {p.code for p in found} <= {"option-unknown", "origins-missing"}


def test_variables_of_the_platform_are_one_log_line(caplog: pytest.LogCaptureFixture) -> None:
    foreign = {
        "CORS_PROXY_URL": "https://x.example",
        "CORS_REGION": "eu",
        "CORS_VERSION": "2\n3",
        "CORS_OWN_ORIGINS": "https://x.example",
    }
    with caplog.at_level(logging.DEBUG, "corscore"):
        policy = Policy.from_env(environ={**SET, **foreign})
    assert policy == Policy(allow_origins=[ORIGIN])
    (record,) = [record for record in caplog.records if record.name.startswith("corscore")]
    assert record.name == "corscore"
    assert all(name in record.getMessage() for name in foreign)
    # The values may be secrets.
    assert "x.example" not in record.getMessage()


def test_no_log_line_without_foreign_variables(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "corscore"):
        Policy.from_env(environ={**SET, "CORSAIR": "1", "PATH": "/bin", "cors_region": "eu"})
    assert [r for r in caplog.records if r.name.startswith("corscore")] == []


def test_a_name_of_the_environment_cannot_forge_a_log_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, "corscore"):
        Policy.from_env(environ={**SET, "CORS_REGION\nforged": "eu", "CORS_\udcff": "x"})
    assert all("\n" not in record.getMessage() for record in caplog.records)
    assert all(record.getMessage().isascii() for record in caplog.records)


def test_problems_of_variables_name_no_keyword_argument() -> None:
    with pytest.raises(ConfigError) as caught:
        Policy.from_env(environ={"CORS_ALLOW_ORIGINS": "null,example.com", "CORS_DEBUG": "x"})
    # The user edits variables, so a hint with a keyword argument would not help.
    assert not re.search(r"\ballow_[a-z_]+\b|\bdebug=", str(caught.value))
    assert "CORS_ALLOW_NULL_ORIGIN" in str(caught.value)


AS_ARGUMENTS: list[dict[str, Any]] = [
    {"allow_origins": [ORIGIN]},
    {"allow_origins": (ORIGIN,), "allow_credentials": True, "max_age": 5},
    {"allow_origins": {ORIGIN}, "max_age": None, "preflight_status": 200},
    {"allow_origin_regex": re.compile("https://[a-z]+")},
]
AS_TEXT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"allow_origins": "https://a.example, https://b.example"},
        {"allow_origins": ["https://a.example", "https://b.example"]},
    ),
    (
        {"allow_origins": ORIGIN, "allow_credentials": "Yes", "max_age": "5"},
        {"allow_origins": [ORIGIN], "allow_credentials": True, "max_age": 5},
    ),
    (
        {"allow_origins": ORIGIN, "max_age": "none", "preflight_status": "200"},
        {"allow_origins": [ORIGIN], "max_age": None, "preflight_status": 200},
    ),
    (
        {"allow_origin_regex": "https://[a-z]{1,3}"},
        {"allow_origin_regex": "https://[a-z]{1,3}"},
    ),
]


@pytest.mark.parametrize(
    ("mapping", "options"), [*((mapping, mapping) for mapping in AS_ARGUMENTS), *AS_TEXT]
)
def test_a_mapping_makes_the_policy_of_its_keys(
    mapping: dict[str, Any], options: dict[str, Any]
) -> None:
    before = dict(mapping)
    assert Policy.from_mapping(mapping) == Policy(**options)
    assert mapping == before


@pytest.mark.parametrize(
    ("mapping", "found"),
    [
        ({}, [("origins-missing", "allow_origins")]),
        ({"allow_origins": ""}, [("origins-missing", "allow_origins")]),
        ({"allow_origins": []}, [("origins-missing", "allow_origins")]),
        ({"allow_origins": [ORIGIN], "debug": 1}, [("not-a-bool", "debug")]),
        ({"allow_origins": [ORIGIN], "debug": "maybe"}, [("not-a-bool", "debug")]),
        ({"allow_origins": 5}, [("not-a-list", "allow_origins")]),
        ({"allow_origins": '["https://a"]'}, [("list-is-json", "allow_origins")]),
        ({"allow_origins": "'https://a'"}, [("origin-quoted", "allow_origins")]),
        ({"allow_origins": [ORIGIN], "allow_origin": "x"}, [("option-unknown", "allow_origin")]),
        ({"allow_origins": [ORIGIN], "colour": "red"}, [("option-unknown", "colour")]),
    ],
)
def test_problems_of_a_mapping_name_its_keys(
    mapping: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    with pytest.raises(ConfigError) as caught:
        Policy.from_mapping(mapping)
    assert [(problem.code, problem.field) for problem in caught.value.problems] == found


def test_a_misspelt_key_of_a_mapping_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError) as caught:
        Policy.from_mapping({"allow_origins": [ORIGIN], "allow_credential": True})
    assert "allow_credentials" in caught.value.problems[0].hint


@pytest.mark.parametrize(
    "mapping",
    [
        {"allow_origins": ["https://a.example"], "CORS_ALLOW_ORIGINS": "https://b.example"},
        {"CORS_ALLOW_ORIGINS": "https://b.example", "allow_origins": ["https://a.example"]},
        {"allow_origins": [ORIGIN], "debug": True, "DEBUG": "no"},
        {"allow_origins": [ORIGIN], "DEBUG": "no", "debug": True},
    ],
)
def test_two_keys_for_one_option_are_refused_in_any_order(mapping: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Policy.from_mapping(mapping)
