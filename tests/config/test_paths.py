"""Problems of keys of a ``PolicyMap`` that are no paths: tests/data/path_keys.json."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from corscore import ConfigError, Policy, PolicyMap, Problem
from tables import cases

API = Policy(allow_origins=["https://app.example.com"])
ROWS = cases("path_keys")
PATHS = [
    f"{start}{end}"
    for start in ("/", "/api", "/Api", "/apis", "/a", "/b/x", "/foo.txt", "/fooxtxt", "/test_acl")
    for end in ("", "/", "/x", "/7", "x", "/v1/x", "/x/y")
    if start != "/" or not end.startswith("/")
]


def problem_of(key: Any) -> Problem:
    with pytest.raises(ConfigError) as caught:
        PolicyMap({key: API})
    (problem,) = caught.value.problems
    return problem


def keys_to_write(hint: str) -> list[str]:
    """Return the keys that a hint writes without a condition."""
    certain, _, _ = hint.partition("; if ")
    literals = re.findall(r"""["']([^"' ]*/[^"']*)["']""", certain)
    return [literal.encode().decode("unicode_escape") for literal in literals]


@pytest.mark.parametrize("row", ROWS)
def test_a_wrong_key_has_the_code_and_the_keys_of_the_table(row: dict[str, Any]) -> None:
    problem = problem_of(row["key"])
    assert problem.code == row["code"]
    assert problem.value == row["key"]
    assert keys_to_write(problem.hint) == row["write"]
    PolicyMap(dict.fromkeys(row["write"], API))


@pytest.mark.parametrize("row", [case for case in ROWS if not case.values[0]["write"]])
def test_where_no_key_says_the_same_the_hint_says_what_to_decide(row: dict[str, Any]) -> None:
    hint = problem_of(row["key"]).hint
    assert hint.startswith("list the paths, or put the policy on the route; if it may govern all")
    (wider,) = re.findall(r'write "([^"]+)"$', hint)
    PolicyMap({wider: API})


@pytest.mark.parametrize("key", [3, b"/api/*", None])
def test_a_key_is_a_str(key: object) -> None:
    problem = problem_of(key)
    assert (problem.code, problem.hint) == ("path-invalid", 'write a path, such as "/api/*"')


def test_a_compiled_regex_is_no_key() -> None:
    assert problem_of(re.compile("^/api/.*")).code == "path-is-regex"
    assert keys_to_write(problem_of(re.compile("^/api/.*")).hint) == ["/api/*"]


PIECES = [
    "/api",
    "/",
    "/foo",
    r"\.",
    ".",
    ".*",
    ".+",
    "x",
    "[0-9]+",
    "(a|b)",
    r"\-",
    "*",
    "?",
    "/b",
]


@given(
    st.lists(st.sampled_from(PIECES), max_size=5).map("".join),
    st.sampled_from(["^", "^/", "/"]),
    st.sampled_from(["$", "", ".*"]),
)
def test_no_hint_covers_a_path_that_the_regex_does_not_match(
    middle: str, start: str, end: str
) -> None:
    key = f"{start}{middle}{end}"
    regex = re.compile("")
    try:
        regex = re.compile(key)
    except re.error:
        reject()
    try:
        PolicyMap({key: API})
    except ConfigError as error:
        (problem,) = error.problems
        # The key is a glob, or has a query, which is ignored.
        if problem.code == "path-invalid":
            regex = re.compile(re.escape(key.partition("?")[0]).replace(r"\*", ".*"))
        policies = PolicyMap(dict.fromkeys(keys_to_write(problem.hint), API), default=None)
        for path in PATHS:
            if policies.policy_for(path) is not None:
                # Django's regexes begin after the slash.
                assert regex.match(path) or regex.match(path[1:]), path
