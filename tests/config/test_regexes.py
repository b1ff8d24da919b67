"""Which origin regexes a policy takes: tests/data/slow_regexes.json and look_alike_regexes.json."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from publicsuffixlist import PublicSuffixList

from corscore import ConfigError, Policy, Problem
from corscore._config.spelling import python_literal
from corscore.testing.conformance import _reference_origin as reference_origin
from tables import cases, rows

LONGEST_ORIGIN = 326
SUFFIXES = PublicSuffixList(accept_unknown=False)
LOOPBACK = re.compile(r"https?://(?:(?:[a-z0-9_-]+\.)*localhost|127\.[0-9.]+|\[::1\])(?::[0-9]+)?")


def problems_of(regex: str, **options: Any) -> tuple[Problem, ...]:
    try:
        Policy(allow_origin_regex=regex, **options)
    except ConfigError as error:
        return error.problems
    return ()


# Slow ones


def slow_cases() -> list[Any]:
    is_old = sys.version_info < (3, 11)
    return [case for case in cases("slow_regexes") if not (is_old and "since" in case.values[0])]


@pytest.mark.parametrize("row", slow_cases())
def test_a_regex_that_can_be_slow_is_refused(row: dict[str, Any]) -> None:
    found = problems_of(row["regex"])
    assert [problem.code for problem in found] == ([] if row["sound"] else ["regex-unsafe"])
    assert problems_of(row["regex"], dangerously_allow_slow_regex=True) == ()
    for problem in found:
        assert "dangerously_allow_slow_regex=True" in problem.hint
        if "rewritten" in row:
            assert repr(row["rewritten"])[1:-1] in problem.hint
            assert problems_of(row["rewritten"]) == ()


@pytest.mark.parametrize("row", [case for case in slow_cases() if "rewritten" in case.values[0]])
def test_a_rewritten_regex_matches_the_same(row: dict[str, Any]) -> None:
    old, new = re.compile(row["regex"]), re.compile(row["rewritten"])
    ends = ("", ".example.com", "example.com", "b")
    for text in (f"https://{''.join(part)}" for n in range(6) for part in product("a-.", repeat=n)):
        for end in ends:
            assert bool(old.fullmatch(text + end)) == bool(new.fullmatch(text + end)), text + end


def test_the_table_of_slow_regexes_is_half_sound() -> None:
    sound = [row["sound"] for row in rows("slow_regexes")]
    assert len(sound) >= 60
    assert 0.4 <= sum(sound) / len(sound) <= 0.6


# Texts that a hostile origin repeats.
UNITS = ["".join(unit) for length in (1, 2, 3) for unit in product("ab-.", repeat=length)]
# Asks each regex about each origin; the limit counts the processor time of one match, and its
# signal ends the process, since re handles none.
ASK = f"""
import json, re, signal, sys
signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
units = json.loads(sys.argv[1])
for source in json.load(sys.stdin):
    print(source, flush=True)
    regex = re.compile(source)
    for start in ("", "https://"):
        for unit in units:
            for end in ("", "!", ".x"):
                text = start + unit * {LONGEST_ORIGIN}
                text = text[:{LONGEST_ORIGIN} - len(end)] + end
                signal.setitimer(signal.ITIMER_VIRTUAL, 1)
                regex.fullmatch(text)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
"""


def assert_all_fast(regexes: list[str], units: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(units)],
        input=json.dumps(regexes),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout.splitlines() or [done.stderr])[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="no signal for processor time")
def test_sound_regexes_of_the_table_are_fast() -> None:
    sound = [case.values[0]["regex"] for case in slow_cases() if case.values[0]["sound"]]
    assert_all_fast(sound, UNITS[:20])


ATOMS = st.sampled_from(["a", "b", "-", "[.]", "[ab]", "[a-z]", "[a-z-]", r"\w", ".", "A", "[^a]"])
COUNTS = ["", "", "?", "*", "+", "{1,3}", "{2}", "{1,63}", "{0,9}", "{3,}", "+?"]
OPENINGS = ["(?:", "(?:", "(?:", "(", "(?i:", "(?=", "(?!"]
if sys.version_info >= (3, 11):
    COUNTS += ["++", "?+"]
    OPENINGS += ["(?>"]


def compound(regexes: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joined = st.lists(regexes, min_size=1, max_size=4).map("".join)
    either = st.lists(regexes, min_size=2, max_size=4).map("|".join)
    group = st.builds("{}{}){}".format, st.sampled_from(OPENINGS), joined | either, counts())
    return group | joined


def counts() -> st.SearchStrategy[str]:
    return st.sampled_from(COUNTS)


REGEXES = st.recursive(st.builds(str.__add__, ATOMS, counts()), compound, max_leaves=10)


@pytest.mark.skipif(sys.platform == "win32", reason="no signal for processor time")
@settings(max_examples=min(12, settings().max_examples))
@given(st.lists(REGEXES.map(lambda regex: f"(?:https://)?{regex}x?"), min_size=10, max_size=25))
def test_a_regex_that_is_accepted_answers_every_origin_at_once(regexes: list[str]) -> None:
    assert_all_fast([regex for regex in regexes if not problems_of(regex)], UNITS)


HUGE = {
    "10,000 letters": "a" * 10_000,
    "1,200 options": "a?" * 1_200,
    "1,200 repeats": "[a-z]+" * 1_200,
    "1,200 branches": "https://(?:" + "|".join(f"w{n}" for n in range(1_200)) + r")\.example\.com",
    "1,200 branches, repeated": "(?:" + "|".join(f"w{n}" for n in range(1_200)) + ")+",
    "1,200 alternatives": "(?:a|a)" * 1_200,
    "1,200 letters, repeated": "(?:" + "[a-z]" * 1_200 + "x)+",
    "50 options, repeated": "(?:" + "a?b?" * 50 + "c)*",
    "150 groups": "(?:" * 150 + "a|b" + ")*" * 150,
    "counts in counts": "(?:(?:(?:a{60}){60}){60}b){60}",
    "large counts": "(?:a{1000}){1000}",
    "classes": "[a-z0-9]" * 3_000,
    "thousands of look-aheads": "(?=a)" * 4_000 + "a",
    "500 regexes joined": "|".join(rf"(?:https://.*\.site{n}\.com)" for n in range(500)),
}


@pytest.mark.parametrize("regex", [pytest.param(regex, id=why) for why, regex in HUGE.items()])
def test_a_huge_regex_is_judged_without_an_exception(regex: str) -> None:
    for options in ({}, {"allow_credentials": True}):
        codes = {problem.code for problem in problems_of(regex, **options)}
        assert codes <= {"regex-unsafe", "regex-unverifiable"}


def test_a_slow_regex_is_not_run_while_it_is_checked() -> None:
    # This regex would take years to fail on the sample.
    regex = r"https://(?:a|a)+" + "(?:a|a)+" * 10 + r"\.example\.com"
    options = {"allow_credentials": True, "dangerously_allow_slow_regex": True}
    assert problems_of(regex, **options) == ()
    assert [p.code for p in problems_of(regex + ".*", **options)] == ["look-alike-allowed"]


# Look-alikes


def is_origin(text: str) -> bool:
    return "*" not in text and reference_origin.is_pattern(text)


def domain_of(origin: str) -> str:
    """Return the registrable domain, or the host where it has none."""
    parts = reference_origin.split(origin)
    assert parts is not None
    host = parts[1].removesuffix(".")
    last_two = ".".join(host.split(".")[-2:])
    is_known = SUFFIXES.publicsuffix(host) is not None
    return (SUFFIXES.privatesuffix(host) if is_known else last_two) or host


def is_meant(origin: str, domains: list[str]) -> bool:
    """Whether an origin is one of those that a regex may admit."""
    if LOOPBACK.fullmatch(origin):
        return True
    return not origin.startswith("http:") and domain_of(origin) in domains


def adversaries(hosts: list[str]) -> list[str]:
    """Origins at the hosts, and origins that look like them."""
    around = {host: [host, f"{host}x", f"{host}evil.com", f"{host}.evil.com"] for host in hosts}
    for host, others in around.items():
        dots = [match.start() for match in re.finditer("[.]", host)]
        others += [f"{host[:dot]}x{host[dot + 1 :]}" for dot in dots]
        others += [f"{host[:dot]}.evil.com" for dot in dots]
        others += [f"{host[: dot + 1]}evil" for dot in dots]
    origins = product(
        ("https://", "http://", "tauri://"),
        (
            "",
            "evil",
            "evil-",
            "evil.",
            "www.",
            "wwwx",
            "app.",
            "appx",
            "app-7.",
            "a.b.",
            "evil.app.",
        ),
        [other for others in around.values() for other in others],
        ("", ".", ":8443"),
    )
    return [origin for origin in map("".join, origins) if is_origin(origin)]


ADVERSARIES = adversaries(
    ["example.com", "example.org", "example.co.uk", "localhost", "127.0.0.1", "8.8.8.8"]
    + [
        f"corscore.{name}"
        for name in ("github.io", "vercel.app", "s3.amazonaws.com", "netlify.app")
    ]
)
NAMED = re.compile(r"also matches ([^ ,]+)")


@pytest.mark.parametrize("row", cases("look_alike_regexes"))
def test_a_regex_that_admits_look_alikes_is_refused_beside_credentials(row: dict[str, Any]) -> None:
    found = problems_of(row["regex"], allow_credentials=True)
    assert sorted(problem.code for problem in found) == row["codes"]
    assert problems_of(row["regex"]) == ()
    regex = re.compile(row["regex"])
    if not found:
        wrong = [
            origin
            for origin in ADVERSARIES
            if regex.fullmatch(origin) and not is_meant(origin, row["domains"])
        ]
        assert wrong == []
    for problem in found:
        if problem.code == "regex-unverifiable":
            continue
        (origin,) = NAMED.findall(problem.message)
        assert is_origin(origin)
        assert regex.fullmatch(origin)
        assert not is_meant(origin, row["domains"])
        if row["repaired"] is not None:
            assert f"write allow_origin_regex={python_literal(row['repaired'])}" in problem.hint
    if row["repaired"] is not None:
        assert problems_of(row["repaired"], allow_credentials=True) == ()


@pytest.mark.parametrize("row", cases("look_alike_regexes"))
def test_a_regex_that_admits_look_alikes_is_refused_beside_a_private_network(
    row: dict[str, Any],
) -> None:
    other = {
        "insecure-origin-with-credentials": "insecure-origin-allowed",
        "regex-matches-anything-with-credentials": "private-network-with-wildcard",
    }
    found = problems_of(row["regex"], allow_private_network=True)
    codes: list[str] = row["codes"]
    expected = [other.get(code, code) for code in codes]
    assert sorted(problem.code for problem in found) == sorted(expected)


def test_the_table_of_look_alikes_has_healthy_twins() -> None:
    healthy = [not row["codes"] for row in rows("look_alike_regexes")]
    assert len(healthy) >= 60
    assert sum(healthy) >= len(healthy) / 3


@pytest.mark.parametrize(
    ("regex", "option"),
    [
        (r"https?://app\.example\.com", "dangerously_allow_insecure_origins"),
        (r"http://.*\.example\.com", "dangerously_allow_insecure_origins"),
        (r"https://.*\.vercel\.app", "dangerously_allow_public_suffixes"),
        (r"https://.*-team\.vercel\.app", "dangerously_allow_public_suffixes"),
        (r"https://.*\.amazonaws\.com", "dangerously_allow_public_suffixes"),
        (r"https://.*\.corp", "dangerously_allow_public_suffixes"),
    ],
)
def test_a_risk_can_be_accepted_for_a_regex(regex: str, option: str) -> None:
    (problem,) = problems_of(regex, allow_credentials=True)
    assert f"{option}=True" in problem.hint
    assert problems_of(regex, allow_credentials=True, **{option: True}) == ()


@pytest.mark.parametrize(
    "regex", [r"https://.*vercel\.app", r"https://.*\.com", r"https://x.vercel\.app", ".*corp"]
)
def test_public_suffixes_are_no_excuse_for_look_alikes(regex: str) -> None:
    options = {"allow_credentials": True, "dangerously_allow_public_suffixes": True}
    assert problems_of(regex, **options)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("amazonaws.com", "corscore.s3.amazonaws.com"),
        ("github.io", "corscore.github.io"),
        ("co.uk", "corscore.co.uk"),
        ("compute.amazonaws.com", "corscore.ec2.compute.amazonaws.com"),
    ],
)
def test_a_pattern_at_or_above_a_public_suffix_is_refused_beside_credentials(
    host: str, own: str
) -> None:
    options: dict[str, Any] = {"allow_origins": [f"https://*.{host}"], "allow_credentials": True}
    with pytest.raises(ConfigError) as caught:
        Policy(**options)
    (problem,) = caught.value.problems
    assert problem.code == "public-suffix-with-credentials"
    # Both are accepted.
    Policy(**options, dangerously_allow_public_suffixes=True)
    Policy(**{**options, "allow_origins": [f"https://*.{own}"]})


def test_flags_of_a_compiled_regex_are_in_the_hint() -> None:
    regex = re.compile("https://app.EXAMPLE.com", re.IGNORECASE)
    with pytest.raises(ConfigError) as caught:
        Policy(allow_origin_regex=regex, allow_credentials=True)
    (problem,) = caught.value.problems
    assert problem.hint == r"write allow_origin_regex='(?i)https://app\\.EXAMPLE\\.com'"


# Prefixes of a domain, with {} for its dot.
BELOW = ["app{}", "(?:www{})?", "(?:.*{})?", ".*{}", "[a-z0-9-]+{}", "(?:app|www){}", r"app-\d+{}"]
BELOW += ["(?:[a-z]+{})*"]
DOTS = st.sampled_from([r"\.", "[.]", "."])


@st.composite
def written(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Draw a regex as people write it, and the registrable domains that it may admit."""
    # Only its owner has a name that ends in amazonaws.com without being below a suffix.
    parts, domains = [], ["amazonaws.com"]
    for _ in range(draw(st.integers(1, 3))):
        dot, other_dot = draw(DOTS), draw(DOTS)
        suffix = draw(st.sampled_from(["com", "org", "co.uk", "github.io", "s3.amazonaws.com"]))
        name = draw(st.sampled_from(["example", "corscore"]))
        domains.append(f"{name}.{suffix}")
        below = draw(st.sampled_from(["", "", ".*", ".+", "[a-z0-9-]*", "[a-z.-]+", "a.?", *BELOW]))
        end = draw(st.sampled_from(["", "", "", r"(?::\d+)?", ".*", "[.]?", "(?:[.].*)?"]))
        scheme = draw(st.sampled_from(["https://", "https://", "https?://", "(?:http|https)://"]))
        host = f"{name}{dot}{suffix.replace('.', other_dot)}"
        if draw(st.integers(0, 5)) == 0:
            host = host.replace(name, draw(st.sampled_from(["[a-z]+", ".*", f"{name}-?[0-9]*"])))
        parts.append(f"{scheme}{below.replace('{}', other_dot)}{host}{end}")
    regex = "|".join(parts)
    around = draw(st.sampled_from(["{}", "^{}$", "^(?:{})$", "({})", "(?:{})", "(?i){}"]))
    return around.replace("{}", regex), domains


WRITTEN_HOSTS = adversaries(
    [
        f"{name}.{suffix}"
        for name in ("example", "corscore", "example-7")
        for suffix in ("com", "co.uk", "github.io", "s3.amazonaws.com")
    ]
)


@settings(max_examples=min(80, settings().max_examples))
@given(written())
def test_common_regexes_are_judged_as_by_an_oracle(case: tuple[str, list[str]]) -> None:
    source, domains = case
    regex = re.compile(source)
    wrong = [
        origin
        for origin in WRITTEN_HOSTS
        if regex.fullmatch(origin) and not is_meant(origin, domains)
    ]
    found = problems_of(source, allow_credentials=True)
    if wrong:
        assert found, wrong[0]
    for problem in found:
        if problem.code != "regex-unsafe":
            (origin,) = NAMED.findall(problem.message)
            assert is_origin(origin)
            assert regex.fullmatch(origin)
            assert not is_meant(origin, domains)
        if problem.hint.startswith("write allow_origin_regex="):
            literal = problem.hint.removeprefix("write allow_origin_regex=").partition(", or ")[0]
            assert problems_of(ast.literal_eval(literal), allow_credentials=True) == ()
