"""Laws for every policy: frozen, comparable, rebuilt from its repr, safe to share."""

from __future__ import annotations

import copy
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corscore import ConfigError, Decision, Policy, Problem, RequestInfo
from corscore.testing.conformance import _strategies as strategies

PAGE = "https://app.example"
LISTS = ("allow_origins", "allow_methods", "allow_headers", "expose_headers")
FULL: dict[str, Any] = {
    "allow_origins": [PAGE, "https://*.app.example:*"],
    "allow_methods": ["PUT", "*"],
    "allow_headers": ["Authorization", "*"],
    "expose_headers": ["X-Total", "Link"],
    "allow_credentials": True,
    "max_age": 5,
    "allow_origin_regex": r"https://pr-[0-9]+\.app\.example",
    "allow_private_network": True,
    "dangerously_allow_insecure_origins": True,
    "dangerously_allow_public_suffixes": True,
    "dangerously_allow_slow_regex": True,
    "preflight_status": 200,
    "debug": True,
}
OTHERS: dict[str, Any] = {
    "allow_origins": [PAGE],
    "allow_methods": ["PUT"],
    "allow_headers": ["Authorization"],
    "expose_headers": ["X-Total"],
    "allow_credentials": False,
    "max_age": None,
    "allow_origin_regex": None,
    "allow_null_origin": True,
    "allow_private_network": False,
    "dangerously_allow_insecure_origins": False,
    "dangerously_allow_public_suffixes": False,
    "dangerously_allow_slow_regex": False,
    "preflight_status": 204,
    "debug": False,
}
"""For each option a value that FULL does not have."""


def rebuilt(policy: Policy) -> Any:
    # As in a program that imports both, where a user pastes the repr.
    return eval(repr(policy), {"Policy": Policy, "re": re})  # noqa: S307


@given(strategies.options())
def test_a_policy_is_rebuilt_from_its_repr_its_pickle_and_its_copies(
    options: dict[str, Any],
) -> None:
    policy = Policy(**options)
    pickled = [
        pickle.loads(pickle.dumps(policy, protocol))  # noqa: S301 - our own
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]
    for other in (rebuilt(policy), copy.copy(policy), copy.deepcopy(policy), *pickled):
        assert type(other) is Policy
        assert other == policy
        assert hash(other) == hash(policy)
        assert repr(other) == repr(policy)
        assert all(getattr(other, name) == getattr(policy, name) for name in FULL)


@given(strategies.options(), st.data())
def test_the_order_of_a_list_and_its_type_mean_nothing(
    options: dict[str, Any], data: st.DataObject
) -> None:
    policy = Policy(**options)
    for kind in (list, tuple, set, frozenset):
        reordered = {name: kind(data.draw(st.permutations(options[name]))) for name in LISTS}
        other = Policy(**{**options, **reordered})
        assert other == policy
        assert hash(other) == hash(policy)


@pytest.mark.parametrize("name", list(OTHERS))
def test_every_option_counts_when_policies_are_compared(name: str) -> None:
    # FULL has credentials, and so allows no null.
    options = {**OTHERS, "allow_null_origin": False} if name == "allow_null_origin" else FULL
    changed = {**options, name: OTHERS[name]}
    assert Policy(**changed) != Policy(**options)
    assert repr(Policy(**changed)) != repr(Policy(**options))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"allow_methods": ["put", "GET"]}, {"allow_methods": ["PUT"]}),
        ({"allow_headers": ["X-One", "Accept"]}, {"allow_headers": ["x-one"]}),
        ({"expose_headers": ["X-Total"]}, {"expose_headers": ["x-total"]}),
        ({"max_age": timedelta(minutes=10)}, {"max_age": 600}),
        (
            {"allow_origin_regex": "https://a[.]b"},
            {"allow_origin_regex": re.compile("https://a[.]b")},
        ),
    ],
)
def test_policies_that_mean_the_same_are_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert Policy(allow_origins=[PAGE], **one) == Policy(allow_origins=[PAGE], **other)
    assert len({Policy(allow_origins=[PAGE], **one), Policy(allow_origins=[PAGE], **other)}) == 1


def test_a_policy_equals_no_other_thing() -> None:
    policy = Policy(allow_origins=[PAGE])
    assert policy != repr(policy)
    assert policy != (PAGE,)
    assert {policy: 1}[Policy(allow_origins=[PAGE])] == 1


@pytest.mark.parametrize(
    "regex",
    [
        r"https://[a-z]+\.example",
        r"(?i)https://[a-z]+\.example",
        re.compile(r"https://[a-z]+\.example"),
        re.compile(r"https://[a-z]+\.example", re.ASCII),
        re.compile(r"https://[a-z]+ \. example", re.VERBOSE | re.IGNORECASE),
        re.compile("https://'\"\\\\[a-z]+[.]example\n", re.VERBOSE | re.MULTILINE | re.DOTALL),
        pytest.param(
            re.compile("|".join(f"https://pr-{n}[.]example" for n in range(9)), re.IGNORECASE),
            id="longer than a regex's own repr",
        ),
    ],
)
def test_a_regex_survives_the_repr(regex: str | re.Pattern[str]) -> None:
    policy = Policy(allow_origin_regex=regex)
    assert rebuilt(policy) == policy
    assert rebuilt(policy).allow_origin_regex == re.compile(regex)


def test_a_repr_says_what_differs_from_the_defaults() -> None:
    assert repr(Policy(allow_origins=[PAGE])) == f"Policy(allow_origins=['{PAGE}'])"
    assert repr(Policy(allow_origin_regex="x", max_age=None, debug=True)) == (
        "Policy(max_age=None, allow_origin_regex='x', debug=True)"
    )


@pytest.mark.parametrize("name", [*FULL, "answer", "allows_origin", "_responder", "other"])
def test_a_policy_is_frozen(name: str) -> None:
    policy = Policy(**FULL)
    before = repr(policy)
    with pytest.raises(AttributeError, match=f"frozen: '{name}' cannot be set"):
        setattr(policy, name, ())
    with pytest.raises(AttributeError, match=f"frozen: '{name}' cannot be deleted"):
        delattr(policy, name)
    assert repr(policy) == before


def requests() -> list[RequestInfo]:
    """Return a request of each kind, allowed and refused."""
    asked = {"request_method": "PUT", "request_headers": "x-one", "request_private_network": "true"}
    return [
        RequestInfo("GET"),
        RequestInfo("GET", origin=PAGE),
        RequestInfo("GET", origin="https://other.example"),
        RequestInfo("OPTIONS", origin=PAGE, **asked),
        RequestInfo("OPTIONS", origin="https://other.example", **asked),
    ]


def outcome(decision: Decision) -> Any:
    return (
        decision.kind,
        decision.reason,
        decision.status,
        decision.body,
        decision.headers,
        decision.raw_headers,
        decision.apply([("X-One", "1"), ("vary", "Accept")]),
        decision.apply_raw([(b"x-one", b"1")]),
    )


@pytest.mark.parametrize("options", [FULL, {"allow_origins": ["*"]}], ids=["full", "any"])
def test_changing_what_was_handed_in_changes_nothing(
    build: object, options: dict[str, Any]
) -> None:
    given = copy.deepcopy(options)
    policy, wanted = Policy(**given), Policy(**options)
    for value in given.values():
        if isinstance(value, list):
            value[:] = ["https://evil.example"]
    assert policy == wanted
    assert policy.allows_origin("https://evil.example") is wanted.allows_origin(
        "https://evil.example"
    )
    for request in requests():
        assert outcome(policy.decide(request)) == outcome(wanted.decide(request))


@pytest.mark.parametrize("options", [FULL, {"allow_origins": ["*"]}], ids=["full", "any"])
def test_changing_what_was_handed_out_changes_nothing(
    build: object, options: dict[str, Any]
) -> None:
    policy = Policy(**options)
    for request in requests():
        before = outcome(policy.decide(request))
        decision = policy.decide(request)
        for applied in (decision.apply([]), decision.apply([("Vary", "Accept")])):
            applied.clear()
            applied.append(("Access-Control-Allow-Origin", "https://evil.example"))
        for raw in (decision.apply_raw([]), decision.apply_raw([(b"vary", b"Accept")])):
            raw[:] = [(b"access-control-allow-origin", b"https://evil.example")]
        assert isinstance(decision.headers, tuple)
        assert isinstance(decision.raw_headers, tuple)
        assert outcome(decision) == before
        assert outcome(policy.decide(request)) == before


def test_an_app_keeps_its_own_headers(build: object) -> None:
    policy = Policy(allow_origins=[PAGE])
    for constant in ([("Content-Type", "text/html")], [("vary", "Accept"), ("X-One", "1")]):
        before = list(constant)
        raw = [(name.encode(), value.encode()) for name, value in constant]
        for request in requests():
            policy.decide(request).apply(constant)
            policy.decide(request).apply_raw(raw)
        assert constant == before
        assert raw == [(name.encode(), value.encode()) for name, value in before]


@pytest.mark.parametrize("options", [FULL, {"allow_origins": ["*"]}], ids=["full", "any"])
def test_threads_share_a_policy(build: object, options: dict[str, Any]) -> None:
    policy = Policy(**options)
    wanted = [outcome(policy.decide(request)) for request in requests()]

    def work(_: int) -> bool:
        return all(
            [outcome(policy.decide(request)) for request in requests()] == wanted for _ in range(50)
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(16)))


def test_requests_are_values() -> None:
    assert requests() == requests()
    assert len({*requests(), *requests()}) == len(requests())
    for request in requests():
        assert eval(repr(request), {"RequestInfo": RequestInfo}) == request  # noqa: S307
        assert request != repr(request)


PROBLEMS = [
    Problem("origin-empty", "allow_origins", "", "is empty", "write it"),
    Problem("not-a-list", "allow_origins", {"a": [1]}, "is no list", "write one"),
    Problem("not-a-list", "allow_origins", {"a": [2]}, "is no list", "write one"),
]


@pytest.mark.parametrize("problem", PROBLEMS)
def test_problems_are_values(problem: Problem) -> None:
    assert eval(repr(problem), {"Problem": Problem}) == problem  # noqa: S307
    for other in (copy.copy(problem), copy.deepcopy(problem), pickle.loads(pickle.dumps(problem))):  # noqa: S301
        assert other == problem
        assert hash(other) == hash(problem)
    assert [other for other in PROBLEMS if other == problem] == [problem]
    assert problem != problem.code
    for name in ("code", "value", "other"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(problem, name, "x")
        with pytest.raises(AttributeError, match="immutable"):
            delattr(problem, name)
    assert problem.hint in str(problem)


def test_a_config_error_survives_a_process_pool() -> None:
    error = ConfigError(tuple(PROBLEMS))
    other = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert other.problems == error.problems == tuple(PROBLEMS)
    assert str(other) == str(error)
    assert str(error).startswith("3 problems in the CORS configuration:")
    assert str(ConfigError((PROBLEMS[0],))).startswith("1 problem in the CORS configuration:")
