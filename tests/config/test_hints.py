"""Hints, applied: what they write is accepted, and means no more than the user's line.

Origins are in tests/data/written_origins.json: options, and what each alternative of a hint sets.
"""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from corscore import ConfigError, Policy, Problem
from corscore.browser import Request
from tables import cases, problems_of

ROWS = cases("written_origins")
_LITERAL = r"""(?:\[[^][]*\]|"[^"]*"|'(?:[^'\\]|\\.)*'|True|False|None|[0-9]+)"""
_LINE = re.compile(rf"([a-z_]+)=({_LITERAL})(?=[,;.]|\s|$)")


def written_by(hint: str) -> list[dict[str, Any]]:
    """Return the options that each alternative of a hint sets."""
    found = []
    for alternative in hint.split(", or "):
        lines = dict(_LINE.findall(alternative))
        if lines:
            item = re.search(r'with ("[^"]+") and ', alternative)
            written = {name: ast.literal_eval(value) for name, value in lines.items()}
            found.append(written | ({"allow_origins": [ast.literal_eval(item[1])]} if item else {}))
    return found


@pytest.mark.parametrize("row", ROWS)
def test_a_hint_writes_the_literal_of_the_table(row: dict[str, Any]) -> None:
    found = problems_of(row["options"])
    assert found
    hints = {problem.hint for problem in found}
    assert row["write"] in [written_by(hint) for hint in hints], hints


def test_a_correction_that_is_refused_for_two_reasons_names_both() -> None:
    (problem,) = problems_of({"allow_origins": ["http://*app"], "allow_credentials": True})
    assert problem.hint == (
        'write "http://*.app", and decide what the other options refuse of it: '
        "insecure-origin-with-credentials, public-suffix-with-credentials"
    )


def test_the_hint_for_many_globs_is_one_regex() -> None:
    origins = [f"https://pr-*.team{number}.example.com" for number in range(300)]
    hints = {problem.hint for problem in problems_of({"allow_origins": origins})}
    ((written,),) = map(written_by, hints)
    assert problems_of(written) == ()
    policy = Policy(**written)
    assert policy.allows_origin("https://pr-7.team299.example.com")
    assert not policy.allows_origin("https://pr-7.team300.example.com")


HOSTS = (
    "example.com",
    "app.example.com",
    "x.app.example.com",
    "app.x.example.com",
    "evilexample.com",
    "pr-1.example.com",
    "a.b.example.com",
    "a.example",
    "b.example",
    "pr-x.vercel.app",
    "x-team.vercel.app",
    "vercel.app",
    "localhost",
    "192.168.1.2",
    "stranger.org",
)
ORIGINS = [
    *(f"https://{host}" for host in HOSTS),
    *(f"http://{host}" for host in ("app.example.com", "localhost:3000", "localhost:8000")),
    *("http://192.168.1.2", "https://app.example.com:8443", "http://stranger.org:3000"),
    *("null", "chrome-extension://abc", "safari-web-extension://6E8D", "app://."),
]
REQUESTS = [
    Request("GET", "https://api.test/", origin=origin, credentials=credentials)
    for origin in ORIGINS
    for credentials in ("omit", "include")
] + [
    Request(method, "https://api.test/", origin="https://example.com", headers=headers)
    for method, headers in (("DELETE", {}), ("PATCH", {}), ("GET", {"X-Token": "1"}))
]
TRUE = (True, 1, "true", "True", "yes", "on", "1")
# The user's other values, where the line has none.
EXAMPLES = {
    "allow_origins": ["https://*.example.com"],
    "allow_methods": ["PUT", "DELETE"],
    "allow_headers": ["Authorization"],
    "allow_origin_regex": "https://pr-[0-9]+[.]example[.]com",
}
OWN_ORIGINS = ("https://app.example.com", "https://your-name.vercel.app")


def is_meant(options: dict[str, Any], request: Request) -> bool:
    """Whether the most generous reading of wrong options allows a request."""
    if request.with_credentials and options.get("allow_credentials") not in TRUE:
        return False
    methods = {item.upper() for item in items_of(options.get("allow_methods"))}
    if request.method != "GET" and not {request.method, "*"} & methods:
        return False
    names = {item.lower() for item in items_of(options.get("allow_headers"))}
    if "*" not in names and not names.issuperset(request.unsafe_names):
        return False
    items = items_of(options.get("allow_origins"))
    if request.origin == "null":
        return options.get("allow_null_origin") in TRUE or bool({"*", ".*"}.intersection(items))
    items += items_of([options.get("allow_origin_regex")])
    return request.origin in OWN_ORIGINS or any(covers(item, request.origin) for item in items)


def items_of(value: Any) -> list[str]:
    items = value.strip("[]").split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple, dict)):
        return []
    return [item.strip(" \"'[]") for item in items if isinstance(item, str)]


def covers(item: str, origin: str) -> bool:
    """Whether an item, as a glob or as a regex, covers an origin, or the same one over http."""
    # A pattern with any port also matches without one.
    plain = item.replace("\\", "")
    globs = (item.lower().rstrip("/"), item.removesuffix(":*"), plain, plain.removesuffix(":*"))
    regex = item.strip("^$")
    # A regex may end in the ":*" of a pattern.
    readings = (
        regex,
        re.sub(r":\*$", r"(:\\d+)?", regex),
        *(re.escape(glob).replace(r"\*", ".*") for glob in globs),
    )
    return any(_matches(reading, origin) for reading in readings)


def _matches(regex: str, origin: str) -> bool:
    try:
        return any(map(re.compile(regex).fullmatch, (origin, f"http{origin[5:]}")))
    except (re.error, OverflowError, RecursionError):
        return False


WRONG = [case for case in cases("problems") if case.values[0]["codes"]]


@pytest.mark.parametrize("row", WRONG)
def test_a_name_to_write_is_one_of_the_item(row: dict[str, Any]) -> None:
    for problem in problems_of(row["options"]):
        if problem.code not in ("method-invalid", "header-invalid", "method-case"):
            continue
        names = re.findall(r'"([^"]+)"', problem.hint.partition("such as")[0])
        assert names or "such as" in problem.hint or problem.hint == "drop it"
        for name in names:
            assert name.upper() in str(problem.value).upper()
            assert problems_of({"allow_origins": ["*"], problem.field: [name]}) == ()


@pytest.mark.parametrize("row", [*ROWS, *WRONG])
def test_an_applied_hint_solves_the_problem_and_allows_no_more_than_was_meant(
    row: dict[str, Any],
) -> None:
    options = row["options"]
    for problem in problems_of(options):
        for alternative in written_by(problem.hint):
            applied = _applied(options, alternative, problem)
            remaining = problems_of(applied)
            solved = (problem.code, problem.value)
            assert solved not in [(other.code, other.value) for other in remaining], problem.hint
            if remaining or any(EXAMPLES.get(name) == alternative[name] for name in alternative):
                continue
            policy = Policy(**applied)
            for request in REQUESTS:
                if policy.explain(request).allowed:
                    assert is_meant(options, request), (problem.hint, request)


def _applied(
    options: dict[str, Any], alternative: dict[str, Any], problem: Problem
) -> dict[str, Any]:
    applied = {**options, **alternative}
    given = items_of(options.get("allow_origins"))
    if "allow_origin_regex" in alternative and "allow_origins" not in alternative:
        # The regex replaces the items.
        applied["allow_origins"] = [
            item for item in given if not problems_of({"allow_origins": [item]})
        ]
    if problem.field == "allow_origin_regex" and "allow_origins" in alternative:
        del applied["allow_origin_regex"]
    if problem.hint.startswith("drop it"):
        applied["allow_origins"] = [item for item in given if item != problem.value]
    if " alone" in problem.hint:
        for name in ("allow_origin_regex", "allow_null_origin", "origin_resolver"):
            applied.pop(name, None)
    return applied


_TOML_LINE = re.compile(r'([a-z_]+) = (\[[^][]*\]|"(?:[^"\\]|\\.)*"|true|false|[0-9]+)')


@pytest.mark.parametrize("row", [*ROWS, *WRONG])
def test_a_hint_for_a_file_is_toml(row: dict[str, Any]) -> None:
    found: tuple[Problem, ...] = ()
    try:
        # Texts are read like variables, where some mistakes are none.
        Policy.from_mapping(row["options"])
    except ConfigError as error:
        found = error.problems
    for problem in found:
        lines = _TOML_LINE.findall(problem.hint)
        assert len(lines) == len(re.findall(r"\b[a-z_]+ = ", problem.hint)), problem.hint
        for name, value in lines:
            assert tomli.loads(f"{name} = {value}")[name] is not None


STARRED = [
    case
    for case in cases("patterns")
    if case.values[0]["codes"] and "*" in case.values[0]["pattern"]
]


@pytest.mark.parametrize("row", STARRED)
def test_the_hint_for_a_misplaced_star_covers_no_more(row: dict[str, Any]) -> None:
    for problem in problems_of({"allow_origins": [row["pattern"]]}):
        # An example does not replace the star.
        certain, _, _ = problem.hint.partition("such as")
        found = re.findall(r'write "([^"]+)"', certain)
        patterns: list[dict[str, Any]] = [{"allow_origins": [one]} for one in found]
        for applied in (*patterns, *written_by(certain)):
            policy = Policy(**applied)
            meant = re.sub(r"(?<=[^/])/[^/]*$", "", row["pattern"].strip(" \"'").lower())
            meant = re.sub(r"[^/]*@|:443$", "", meant).replace(":**", ":*")
            meant = meant if "://" in meant or meant == "*" else f"*://{meant}"
            for origin in ORIGINS:
                if policy.allows_origin(origin) and origin not in OWN_ORIGINS:
                    assert covers(meant.replace("http*:", "*:"), origin), (problem.hint, origin)


_VARIABLE = re.compile(r"(CORS_[A-Z_]+)=(\S*?)(?=,? or |, |; |\s|$)")


@pytest.mark.parametrize(
    "row", [case for case in cases("environment") if case.values[0]["problems"]]
)
def test_an_applied_hint_solves_the_problem_of_a_variable(row: dict[str, Any]) -> None:
    def problems_in(environ: dict[str, str]) -> tuple[Problem, ...]:
        try:
            Policy.from_env(environ=environ)
        except ConfigError as error:
            return error.problems
        return ()

    for problem in problems_in(row["environ"]):
        for alternative in problem.hint.split(", or "):
            lines = dict(_VARIABLE.findall(alternative))
            if not lines or "instead" in alternative:
                continue
            applied = {**row["environ"], **lines}
            if problem.code == "option-unknown":
                del applied[problem.field]
            remaining = [(other.code, other.value) for other in problems_in(applied)]
            assert (problem.code, problem.value) not in remaining, problem.hint


def texts(start: list[str], middle: list[str], end: list[str]) -> st.SearchStrategy[str]:
    return st.builds(
        "".join,
        st.tuples(
            st.sampled_from(start),
            st.lists(st.sampled_from(middle), max_size=3).map("".join),
            st.lists(st.sampled_from(end), max_size=2).map("".join),
        ),
    )


GLOBS = texts(
    ["https://", "http://", "chrome-extension://", ""],
    ["*", "app", "pr-*", "*-team", "pr-", "x", "."],
    [".example.com", "example.com", ".vercel.app", ":*", ":30*", ":3000"],
)
REGEXES = texts(
    ["https://", "^https://", "https?://", "http://", ""],
    [".*", ".+", r"\d+", "[a-z]+", "(a|b)", "app", "pr-", r"\."],
    [r"\.example\.com", r"\.vercel\.app", ".example.com", r"(:\d+)?", ":3000", "$"],
)


@given(GLOBS | REGEXES, st.booleans())
def test_no_hint_covers_an_origin_that_the_item_does_not(item: str, credentials: bool) -> None:
    beside = {"allow_credentials": credentials}
    for problem in problems_of({"allow_origins": [item], **beside}):
        certain, _, _ = problem.hint.partition("such as")
        certain = "" if ", and decide" in certain else certain
        written = written_by(certain)
        written += [{"allow_origins": [one]} for one in re.findall(r'write "([^"]+)"', certain)]
        for alternative in written:
            policies = {**beside, **alternative}
            # The hint has an example, or asks for another decision.
            if not {"allow_origins", "allow_origin_regex"} & alternative.keys():
                continue
            if problems_of(policies):
                pytest.fail(f"{item}: {problem.hint}: {policies}")
            policy = Policy(**policies)
            for origin in ORIGINS:
                if policy.allows_origin(origin) and origin not in OWN_ORIGINS:
                    meant = (item, f"*://{item.removeprefix('^')}")
                    assert any(covers(one, origin) for one in meant), (problem.hint, origin)
