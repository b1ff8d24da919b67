"""``to_mapping`` is the inverse of ``from_mapping``, in types that JSON and TOML share."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corscore import (
    ConfigError,
    OriginResolver,
    Policy,
    PolicyMap,
    PolicyRef,
    PolicyResolver,
)
from corscore._policy.tuple import PolicyTuple
from corscore.integration import read_policies, stored_policies
from corscore.testing.conformance import _strategies as strategies

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = "https://app.example.com"
PLAIN = Policy(allow_origins=[ORIGIN])
PUBLIC = Policy(allow_origins=["*"], max_age=None)

policies = strategies.options().map(lambda options: Policy(**options))
keys = st.sampled_from(
    ["/", "/*", "/api", "/api/*", "/api/v1/*", "/caf\u00e9/*", '/"quoted"', "/a b"]
)


def is_plain(value: object) -> bool:
    """Whether JSON and TOML can write a value and read it back."""
    if isinstance(value, dict):
        return all(type(key) is str for key in value) and all(map(is_plain, value.values()))
    if isinstance(value, list):
        return all(map(is_plain, value))
    return type(value) in (str, int, bool)


@given(policies)
def test_a_policy_is_rebuilt_from_its_mapping(policy: Policy) -> None:
    mapping = policy.to_mapping()
    assert is_plain(mapping)
    again = Policy.from_mapping(json.loads(json.dumps(mapping)))
    assert again == policy
    assert again.to_mapping() == mapping


@given(st.dictionaries(keys, policies | st.none(), max_size=4), policies | st.none())
def test_a_map_is_rebuilt_from_its_mapping(
    given: dict[str, Policy | None], default: Policy | None
) -> None:
    by_path = PolicyMap(given, default=default)
    mapping = by_path.to_mapping()
    assert is_plain(mapping)
    again = PolicyMap.from_mapping(json.loads(json.dumps(mapping)))
    assert again == by_path
    assert again.to_mapping() == mapping


@pytest.mark.parametrize(
    ("options", "mapping"),
    [
        ({"allow_origins": [ORIGIN]}, {"allow_origins": [ORIGIN]}),
        ({"allow_origins": ["*"], "max_age": None}, {"allow_origins": ["*"], "max_age": "none"}),
        ({"allow_origin_regex": "https://a[.]b"}, {"allow_origin_regex": "https://a[.]b"}),
        (
            {"allow_origin_regex": re.compile("https://a[.]b", re.IGNORECASE | re.ASCII)},
            {"allow_origin_regex": "(?ai)https://a[.]b"},
        ),
        (
            {"allow_origin_regex": re.compile(" https://a [.] b\n", re.VERBOSE)},
            {"allow_origin_regex": "(?x) https://a [.] b\n"},
        ),
        ({"allow_origin_regex": "(?i)https://a"}, {"allow_origin_regex": "(?i)https://a"}),
        ({"allow_origin_regex": "(?:https)://a"}, {"allow_origin_regex": "(?:https)://a"}),
    ],
)
def test_a_mapping_has_what_differs_from_the_defaults(
    options: dict[str, Any], mapping: dict[str, Any]
) -> None:
    policy = Policy(**options)
    assert policy.to_mapping() == mapping
    assert Policy.from_mapping(mapping) == policy
    assert hash(Policy.from_mapping(mapping)) == hash(policy)


def test_a_policy_with_a_resolver_has_no_mapping() -> None:
    for resolver in (lambda origin, request: True, OriginResolver(lambda origin, host: True)):
        policy = Policy(origin_resolver=resolver)
        with pytest.raises(TypeError, match=r"^Policy\.to_mapping\(\): origin_resolver is a"):
            PolicyMap({"/api/*": policy}).to_mapping()


FILE = """
[policy.default]
allow_origins = ["https://app.example.com"]

[policy]
"/internal/*" = "none"

[policy."/public/*"]
allow_origins = ["*"]
max_age = "none"
"""
IN_THE_FILE = PolicyMap({"/internal/*": None, "/public/*": PUBLIC}, default=PLAIN)


def test_a_file_may_have_a_map(tmp_path: Path) -> None:
    file = tmp_path / "cors.toml"
    file.write_text(FILE)
    assert PolicyRef.from_file(file).policy == IN_THE_FILE
    file.write_text("[policy]")
    assert PolicyRef.from_file(file).policy == PolicyMap({})


@pytest.mark.parametrize(
    ("mapping", "found"),
    [
        ({"policy": "all"}, [("not-a-policy", "policy")]),
        ({"policy": {"/a": [ORIGIN]}}, [("not-a-policy", "/a")]),
        (
            {"policy": {"/a": {}, "b": "none"}},
            [("origins-missing", "/a: allow_origins"), ("path-invalid", "PolicyMap")],
        ),
        (
            {"policy": {"default": {"allow_origin": [ORIGIN]}}},
            [
                ("option-unknown", "default: allow_origin"),
                ("origins-missing", "default: allow_origins"),
            ],
        ),
        ({"policy": {}, "max_age": 5}, [("option-unknown", "max_age")]),
        ({"policies": {}, "policy": {}}, [("option-unknown", "policies")]),
    ],
)
def test_problems_of_a_map_name_their_places(
    mapping: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    with pytest.raises(ConfigError) as caught:
        PolicyMap.from_mapping(mapping)
    assert [(problem.code, problem.field) for problem in caught.value.problems] == found
    assert all(problem.hint for problem in caught.value.problems)


def is_allowed(origin: str, request: object) -> bool:
    return False


TENANTS = PolicyResolver(lambda host: PLAIN)
RESOLVERS = {"customers": is_allowed, "tenants": TENANTS}
ASKING = Policy(origin_resolver=is_allowed)


@pytest.mark.parametrize(
    ("policies", "mapping"),
    [
        (ASKING, {"origin_resolver": "customers"}),
        (TENANTS, {"policy_resolver": "tenants"}),
        (
            PolicyMap({"/a": TENANTS, "/b": (PLAIN, ASKING)}, default=None),
            {
                "policy": {
                    "/a": {"policy_resolver": "tenants"},
                    "/b": [{"allow_origins": [ORIGIN]}, {"origin_resolver": "customers"}],
                }
            },
        ),
        (
            PolicyTuple((PLAIN, PUBLIC)),
            {"policy": [{"allow_origins": [ORIGIN]}, PUBLIC.to_mapping()]},
        ),
    ],
    ids=["policy", "resolver", "map", "tuple"],
)
def test_a_resolver_is_stored_by_its_name(policies: Any, mapping: dict[str, Any]) -> None:
    assert stored_policies(policies, RESOLVERS) == mapping
    assert read_policies(json.loads(json.dumps(mapping)), RESOLVERS) == policies


@pytest.mark.parametrize("policies", [ASKING, PolicyMap({"/*": ASKING}), TENANTS])
def test_a_resolver_without_a_name_cannot_be_stored(policies: Any) -> None:
    with pytest.raises(TypeError, match="name it"):
        stored_policies(policies, {"others": len})


def test_every_unknown_name_is_reported_beside_the_other_problems() -> None:
    table = {
        "policy": {
            "/a": {"origin_resolver": "nobody", "max_age": -1},
            "/b": {"policy_resolver": "none"},
            "/c": {"policy_resolver": "tenants", "max_age": 5},
        }
    }
    with pytest.raises(ConfigError) as caught:
        read_policies(table, RESOLVERS)
    assert [problem.code for problem in caught.value.problems][:2] == ["resolver-unknown"] * 2
    assert {problem.code for problem in caught.value.problems[2:]} >= {
        "max-age-out-of-range",
        "option-unknown",
    }
