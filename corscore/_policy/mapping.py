"""Policies as tables of plain data, for files and databases."""

from __future__ import annotations

from corscore._config.options import did_you_mean
from corscore._config.paths import key_problem
from corscore._policy.policy import Policy, resolver_name
from corscore._policy.tenant import PolicyResolver
from corscore._policy.tuple import PolicyTuple
from corscore._standard.problem import ConfigError, Problem
from corscore._standard.text import quoted, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from corscore._policy.map import PathPolicy, PolicyMap
    from corscore._policy.reference import Current

POLICY = "policy"
"""The key whose value has more than one policy: a list, or a table by the keys of a map."""

DEFAULT = "default"
"""The key of a map's default, which is neither a path nor a host."""

ORIGIN_RESOLVER = "origin_resolver"
POLICY_RESOLVER = "policy_resolver"
"""The key of a table whose value is the name of a ``PolicyResolver``."""

# TOML has no null.
_NONE = "none"
_ORIGINS = '["https://app.example.com"]'


def stored_map(
    policies: PolicyMap, resolvers: Mapping[str, object] | None = None
) -> dict[str, object]:
    """The table that ``read_map`` reads; see ``PolicyMap.to_mapping``."""
    entries = dict(policies.items())
    if policies.default is not None:
        entries[DEFAULT] = policies.default
    return {POLICY: {key: _stored(policy, resolvers) for key, policy in entries.items()}}


def stored_policies(
    policies: Current | tuple[Policy, ...], resolvers: Mapping[str, object] | None = None
) -> dict[str, object]:
    """The table that ``read_policies`` reads, of any policies.

    Args:
        policies: A policy, a tuple, a map or a ``PolicyResolver``.
        resolvers: As for ``Policy.to_mapping``.

    Raises:
        TypeError: There is a resolver without a name.
    """
    if isinstance(policies, (Policy, PolicyResolver)):
        table: Any = _stored(policies, resolvers)
        return dict(table)
    if isinstance(policies, tuple):
        return {POLICY: _stored(policies, resolvers)}
    return stored_map(policies, resolvers)


def _stored(
    policies: PathPolicy | tuple[Policy, ...], resolvers: Mapping[str, object] | None
) -> object:
    if policies is None:
        return _NONE
    if isinstance(policies, PolicyResolver):
        name = resolver_name(policies, resolvers)
        if name is None:
            raise TypeError(
                "PolicyMap.to_mapping(): a PolicyResolver is a function, and no data; name it: "
                'to_mapping(resolvers={"tenants": resolver})'
            )
        return {POLICY_RESOLVER: name}
    if isinstance(policies, Policy):
        return policies.to_mapping(resolvers=resolvers)
    return [policy.to_mapping(resolvers=resolvers) for policy in policies]


def with_resolvers(
    mapping: Mapping[str, object], resolvers: Mapping[str, object], problems: list[Problem]
) -> dict[str, Any] | PolicyResolver:
    """A table of policies with the resolvers that it names.

    Args:
        mapping: The table, as ``read_policies`` takes it.
        resolvers: The resolvers by name.
        problems: Where to note each name that is not in ``resolvers``.
    """
    policies: Any = mapping.get(POLICY)
    if hasattr(policies, "items"):
        found = {key: _value_with(value, resolvers, problems) for key, value in policies.items()}
        return {**mapping, POLICY: found}
    if policies is not None:
        return {**mapping, POLICY: _value_with(policies, resolvers, problems)}
    options: dict[str, Any] | PolicyResolver = _value_with(mapping, resolvers, problems)
    return options


def _value_with(value: Any, resolvers: Mapping[str, object], problems: list[Problem]) -> Any:
    if isinstance(value, list):
        return [_value_with(one, resolvers, problems) for one in value]
    if not hasattr(value, "items"):
        return value
    options = {
        key: _resolver_named(key, name, resolvers, problems)
        if key in (ORIGIN_RESOLVER, POLICY_RESOLVER) and isinstance(name, str)
        else name
        for key, name in value.items()
    }
    resolver = options.get(POLICY_RESOLVER)
    # Beside options the key stays, and is reported as an unknown option.
    return resolver if len(options) == 1 and isinstance(resolver, PolicyResolver) else options


def _resolver_named(
    key: str, name: str, resolvers: Mapping[str, object], problems: list[Problem]
) -> object:
    if name in resolvers:
        return resolvers[name]
    kind = "PolicyResolver(policy_of)" if key == POLICY_RESOLVER else "OriginResolver(is_allowed)"
    problems.append(
        Problem(
            "resolver-unknown",
            key,
            name,
            f"no resolver has the name {shown(name)}; known: {', '.join(resolvers) or 'none'}.",
            f"name it where the application is built: resolvers={{{quoted(name)}: {kind}}}",
        )
    )
    # A stand-in, so that the other options are checked, too.
    return PolicyResolver(_unknown) if key == POLICY_RESOLVER else _unknown


def _unknown(*_: object) -> bool:
    return False


def read_tuple(mapping: Mapping[str, object]) -> PolicyTuple:
    """The tuple of the policies in the item ``"policy"``, a list of tables.

    Raises:
        ConfigError: With every problem of all policies.
    """
    problems = list(_problems_beside(mapping))
    found = _read(POLICY, mapping[POLICY], problems)
    if problems or not isinstance(found, PolicyTuple):
        raise ConfigError(tuple(problems))
    return found


def read_map(mapping: Mapping[str, object]) -> tuple[dict[str, PathPolicy], PathPolicy]:
    """The policies of a map by key, and its default; see ``PolicyMap.from_mapping``.

    Raises:
        ConfigError: With every problem of all policies.
    """
    table: Any = mapping.get(POLICY, {})
    problems = list(_problems_beside(mapping))
    policies: dict[str, PathPolicy] = {}
    if not hasattr(table, "items"):
        problems.append(_not_a_policy(POLICY, table))
        table = {}
    for key, value in table.items():
        policies[key] = _read(key, value, problems)
    default = policies.pop(DEFAULT, None)
    problems += filter(None, map(key_problem, (key for key in table if key != DEFAULT)))
    if problems:
        raise ConfigError(tuple(problems))
    return policies, default


def _problems_beside(mapping: Mapping[str, object]) -> Iterable[Problem]:
    for key, value in mapping.items():
        if key == POLICY:
            continue
        guess = did_you_mean(str(key), (POLICY,))
        hint = "did you mean policy?" if guess else f"move it below [policy.{DEFAULT}]"
        yield Problem(
            "option-unknown",
            str(key),
            value,
            f"{shown(key)} is beside {quoted(POLICY)}, and so is an option of no policy.",
            hint,
        )


def _read(key: str, value: Any, problems: list[Problem]) -> PathPolicy:
    if value is None or value == _NONE:
        return None
    if isinstance(value, PolicyResolver):
        return value
    if hasattr(value, "items"):
        return _read_policy(key, value, problems)
    if isinstance(value, (list, tuple)) and value and all(hasattr(one, "items") for one in value):
        found = [
            _read_policy(f"{key}, policy {number} of {len(value)}", options, problems)
            for number, options in enumerate(value, 1)
        ]
        policies = [policy for policy in found if policy is not None]
        if len(policies) < len(found):
            return None
        try:
            return PolicyTuple(policies, key)
        except ConfigError as error:
            problems += error.problems
            return None
    problems.append(_not_a_policy(key, value))
    return None


def _read_policy(
    place: str, options: Mapping[str, object], problems: list[Problem]
) -> Policy | None:
    """``Policy.from_mapping``, with the policy's place in the fields of its problems."""
    try:
        return Policy.from_mapping(options)
    except ConfigError as error:
        problems += (
            Problem(
                problem.code,
                f"{place}: {problem.field}",
                problem.value,
                problem.message,
                problem.hint,
            )
            for problem in error.problems
        )
        return None


def _not_a_policy(key: str, value: object) -> Problem:
    name = POLICY if key == POLICY else f"{POLICY}.{quoted(key)}"
    return Problem(
        "not-a-policy",
        key,
        value,
        f"{shown(value)} is no table of options.",
        f"write [{name}], and below it the origins, such as allow_origins = {_ORIGINS}",
    )
