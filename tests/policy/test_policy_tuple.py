"""Policies by origin: which one of a tuple governs, its answers, and problems of tuples."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corscore import ConfigError, OriginResolver, Policy, PolicyMap, PolicyRef, RequestInfo
from corscore._policy.tuple import PolicyTuple
from corscore.testing.conformance import _oracle as oracle
from corscore.testing.conformance import _strategies as strategies
from corscore.testing.conformance._plans import tuples
from corscore.testing.strategies import ODD_ORIGINS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("build")

PAGE = "https://www.example.com"
PARTNER = "https://partner.example"
FIRST_PARTY = Policy(allow_origins=[PAGE], allow_credentials=True)
PARTNERS = Policy(allow_origin_regex=r"https://partner[.]example", allow_null_origin=True)
PUBLIC = Policy(allow_origins=["*"])
ASKED = Policy(origin_resolver=lambda origin, request: True)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (PAGE, FIRST_PARTY),
        (PARTNER, PARTNERS),
        ("null", PARTNERS),
        ("https://other.example", PUBLIC),
        (None, PUBLIC),
        (f"{PAGE}, {PAGE}", PUBLIC),
        ("", PUBLIC),
        (f"{PAGE}/", PUBLIC),
        ("https://\xe9xample.com", PUBLIC),
        ("a" * 100_000, PUBLIC),
    ],
)
def test_the_first_policy_that_allows_the_origin_governs_else_the_last(
    origin: str | None, expected: Policy
) -> None:
    policies = (FIRST_PARTY, PARTNERS, PUBLIC)
    assert PolicyTuple(policies).for_origin(origin) == expected
    by_path = PolicyMap({"/api/*": policies})
    assert by_path.policy_for("/api/x", origin=origin) == expected
    assert by_path.policy_for("/", origin=origin) is None


@given(st.data())
def test_a_tuple_does_what_its_rule_says(data: st.DataObject) -> None:
    options = data.draw(st.lists(strategies.options(), min_size=1, max_size=3))
    numbers = data.draw(tuples(options))
    policies = PolicyTuple([Policy(**options[number]) for number in numbers])
    near = options[data.draw(st.sampled_from(numbers))]
    origin = data.draw(strategies.origins(near) | st.sampled_from(ODD_ORIGINS))
    allowing = (
        policy
        for policy, number in zip(policies, numbers, strict=True)
        if oracle.allows_origin(options[number], origin)
    )
    assert policies.for_origin(origin) == next(allowing, policies[-1])


def test_every_answer_of_a_tuple_depends_on_the_origin() -> None:
    policies: Any = PolicyTuple((FIRST_PARTY, PUBLIC))
    for origin in (None, PAGE, PARTNER, "null"):
        for method in ("GET", "OPTIONS"):
            request = RequestInfo(method, origin=origin, request_method="GET")
            decision = policies.for_origin(origin).decide(request)
            assert ("Vary", "Origin") in decision.headers
            allowed = dict(decision.headers).get("Access-Control-Allow-Origin")
            assert allowed == (PAGE if origin == PAGE else "*")
    # The policy outside of the tuple stays as it is.
    assert PUBLIC.decide(RequestInfo("GET")).headers == (("Access-Control-Allow-Origin", "*"),)


def test_a_tuple_is_a_value() -> None:
    policies: Any = PolicyTuple((FIRST_PARTY, PUBLIC))
    assert policies == (FIRST_PARTY, PUBLIC)
    assert hash(policies) == hash((FIRST_PARTY, PUBLIC))
    assert eval(repr(policies)) == policies  # noqa: S307
    again = pickle.loads(pickle.dumps(policies))  # noqa: S301
    assert type(again) is PolicyTuple
    assert again == policies
    assert again.for_origin(PAGE) == FIRST_PARTY
    one = PolicyMap({"/a": policies}, default=(PUBLIC,))
    assert one == PolicyMap({"/a": (FIRST_PARTY, PUBLIC)}, default=(PUBLIC,))
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301
    assert eval(repr(one)) == one  # noqa: S307
    assert list(one.policies()) == [FIRST_PARTY, PUBLIC, PUBLIC]


@pytest.mark.parametrize(
    ("policies", "found"),
    [
        ((PUBLIC, FIRST_PARTY), [("policy-unreachable", "put policy 1 last")]),
        ((ASKED, PUBLIC), [("resolver-not-last", "put policy 1 last")]),
        (
            (PUBLIC, Policy(origin_resolver=OriginResolver(lambda origin, host: True)), PUBLIC),
            [("policy-unreachable", "put policy 1 last"), ("resolver-not-last", "policy 2 last")],
        ),
        ((FIRST_PARTY, ASKED), []),
        ((PUBLIC,), []),
    ],
)
def test_a_policy_that_can_never_govern_in_a_tuple_is_a_problem(
    policies: tuple[Policy, ...], found: list[tuple[str, str]]
) -> None:
    for build in (
        PolicyTuple,
        PolicyRef,
        lambda given: PolicyMap({"/api/*": given}),
        lambda given: PolicyMap({}, default=given),
        lambda given: PolicyRef(PUBLIC).replace(given),
    ):
        problems: Any = ()
        try:
            build(policies)
        except ConfigError as error:
            problems = error.problems
        assert [problem.code for problem in problems] == [code for code, _ in found]
        for problem, (_, hint) in zip(problems, found, strict=True):
            assert hint in problem.hint


def test_problems_of_tuples_and_keys_come_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        PolicyMap({"api": None, "/a": (PUBLIC, PUBLIC)}, default=(ASKED, PUBLIC))
    assert [(problem.code, problem.field) for problem in caught.value.problems] == [
        ("path-invalid", "PolicyMap"),
        ("policy-unreachable", "/a"),
        ("resolver-not-last", "default"),
    ]


@pytest.mark.parametrize(
    ("policies", "says"),
    [
        ((), "an empty tuple has no policy"),
        ((PUBLIC, None), "a tuple of policies has a NoneType in it"),
        ((PUBLIC, (PUBLIC,)), "a tuple of policies has a tuple in it"),
        (("https://app.example.com",), "a tuple of policies has a str in it"),
    ],
)
def test_a_tuple_has_policies_and_nothing_else(policies: Any, says: str) -> None:
    for build in (PolicyTuple, PolicyRef, lambda given: PolicyMap({"/": given})):
        with pytest.raises(TypeError, match=says):
            build(policies)


def test_tuples_are_compared_policy_by_policy_from_their_ends() -> None:
    ref = PolicyRef((FIRST_PARTY, PUBLIC))
    partners = Policy(allow_origins=[PARTNER])
    wider = Policy(allow_origins=[PAGE, PARTNER], allow_credentials=True)
    assert [str(change) for change in ref.diff((partners, wider, PUBLIC))] == [
        "policy 1 of 3: no entry -> a policy",
        f"policy 2 of 3: allow_origins +{PARTNER}",
    ]
    assert [str(change) for change in ref.diff(PUBLIC)] == ["policy 1 of 2: a policy -> no entry"]
    assert [
        str(change) for change in ref.diff(PolicyMap({"/a": None}, default=(wider, PUBLIC)))
    ] == [
        "default, policy 1 of 2: allow_origins +https://partner.example",
        "/a: no entry -> left alone",
    ]
    assert [str(one) for one in ref.diff(PolicyMap({"/a": (PUBLIC, PUBLIC)[:1]}))] == [
        "default: 2 by origin -> left alone",
        "/a: no entry -> 1 by origin",
    ]
    assert ref.diff((FIRST_PARTY, PUBLIC)) == ()


FILE = """
[[policy]]
allow_origins = ["https://www.example.com"]
allow_credentials = true

[[policy]]
allow_origins = ["*"]
"""


def test_a_file_may_have_a_tuple(tmp_path: Path) -> None:
    file = tmp_path / "cors.toml"
    file.write_text(FILE)
    policies: Any = PolicyRef.from_file(file).policy
    assert policies == (FIRST_PARTY, PUBLIC)
    assert type(policies) is PolicyTuple
    assert policies.to_mapping() == {
        "policy": [{"allow_origins": [PAGE], "allow_credentials": True}, {"allow_origins": ["*"]}]
    }
    by_path = PolicyMap({"/api/*": policies})
    assert PolicyMap.from_mapping(by_path.to_mapping()) == by_path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (FILE + 'max_age = "ten"\n', [("max-age-invalid", "policy, policy 2 of 2: max_age")]),
        ("policy = []", [("not-a-policy", "policy")]),
        ('policy = ["*"]', [("not-a-policy", "policy")]),
        (
            FILE.replace("www.example.com", "*"),
            [("origin-wildcard-misplaced", "policy, policy 1 of 2: allow_origins")],
        ),
        (
            FILE.replace("true", "false").replace("https://www.example.com", "*"),
            [("policy-unreachable", "policy")],
        ),
    ],
)
def test_problems_of_a_tuple_in_a_file_name_their_policy(
    tmp_path: Path, text: str, found: list[tuple[str, str]]
) -> None:
    file = tmp_path / "cors.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        PolicyRef.from_file(file)
    assert [(problem.code, problem.field) for problem in caught.value.problems] == found
