"""``PolicyMap``: policies by path."""

from __future__ import annotations

from corscore._config.paths import path_problem
from corscore._engine import matcher
from corscore._policy.policy import NO_ORIGIN, Policy
from corscore._standard.problem import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import NoReturn

    from corscore._engine.matcher import PathTable


class PolicyMap:
    """Policies by path. A literal beats a prefix, a longer prefix a shorter one, in any order.

    Frozen, hashable, safe to share between threads; maps are equal when they have equal keys with
    equal policies, and the ``repr`` rebuilds one.

    Args:
        policies: Keys to policies. ``"/api"`` is that path alone; ``"/api/*"`` is every path that
            starts with ``/api/``, so not ``/api``; ``"/*"`` is every path. None leaves a
            path alone: nothing is added, removed, logged or blocked there.
        default: The policy of all other paths; None leaves them alone, too.

    Raises:
        ConfigError: With all keys that are wrong (``path-invalid``, ``path-is-regex``).
        TypeError: When ``policies`` is no mapping, or a value is neither a ``Policy`` nor None.
    """

    __slots__ = ("_default", "_policies", "_table", "policy_for")

    _default: Policy | None
    _policies: dict[str, Policy | None]
    _table: PathTable
    # A gateway looks the path up where this is None.
    _responder = None

    policy_for: Callable[[str], Policy | None]
    """The policy that governs a path; None leaves it alone. Never raises.

    A path is as the framework routes it: decoded, and relative to where the app is mounted. It is
    looked up in linear time, for any number of keys. A path with ``.``, ``..``, ``\\`` or
    empty segments, which file servers resolve, is looked up in its resolved form, too: where the
    two policies differ, no origin is allowed. So it is for a literal key with a slash behind it,
    unless another key names that, or None governs it.
    """

    def __init__(
        self, policies: Mapping[str, Policy | None], *, default: Policy | None = None
    ) -> None:
        if not hasattr(policies, "items"):
            raise TypeError(
                "PolicyMap takes a dict of paths to policies, not "
                f'{type(policies).__name__}; write PolicyMap({{"/api/*": Policy(...)}})'
            )
        given = dict(policies)
        problems = tuple(filter(None, map(path_problem, given)))
        if problems:
            raise ConfigError(problems)
        for key, policy in (*given.items(), ("default", default)):
            if policy is not None and not isinstance(policy, Policy):
                raise TypeError(
                    f"PolicyMap: {key!r} has a {type(policy).__name__} where a Policy or None is "
                    "expected"
                )
        object.__setattr__(self, "_policies", given)
        object.__setattr__(self, "_default", default)
        table = matcher.PathTable(given, default, NO_ORIGIN)
        object.__setattr__(self, "_table", table)
        object.__setattr__(self, "policy_for", table.find)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> PolicyMap:
        """Read a map from a table, such as that of a configuration file.

        Args:
            mapping: One item, ``"policy"``: a table of keys to the options of their policies, as
                ``Policy.from_mapping`` takes them, or ``"none"`` for None. The key ``"default"`` is
                the argument ``default``.

        Raises:
            ConfigError: With every problem of all policies and keys; the problems name the places.
        """
        # Imported late: only a map from a table needs it.
        from corscore._policy.mapping import read_map

        policies, default = read_map(mapping)
        return cls(policies, default=default)

    def to_mapping(self) -> dict[str, object]:
        """Return the map as ``from_mapping`` reads it, in types that JSON and TOML share.

        Raises:
            TypeError: A policy has an origin resolver, which is code.
        """
        from corscore._policy.mapping import stored_map

        return stored_map(self)

    @property
    def default(self) -> Policy | None:
        """The policy of the paths that no key covers; None leaves them alone."""
        return self._default

    def items(self) -> tuple[tuple[str, Policy | None], ...]:
        """The keys with their policies, in the order in which they were given."""
        return tuple(self._policies.items())

    def policies(self) -> Iterator[Policy]:
        """Every policy in the map, the default included; None left out."""
        for policy in (*self._policies.values(), self._default):
            if policy is not None:
                yield policy

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PolicyMap):
            return NotImplemented
        return self._policies == other._policies and self._default == other._default

    def __hash__(self) -> int:
        return hash((frozenset(self._policies.items()), self._default))

    def __repr__(self) -> str:
        return f"PolicyMap({self._policies!r}, default={self._default!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuilt, (self._policies, self._default))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a PolicyMap is frozen: {name!r} cannot be set; build another one")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a PolicyMap is frozen: {name!r} cannot be deleted")


def read_policies(mapping: Mapping[str, object]) -> Policy | PolicyMap:
    """The policies in the table of a file: one, or a map where it has the item ``"policy"``."""
    if "policy" in mapping:
        return PolicyMap.from_mapping(mapping)
    return Policy.from_mapping(mapping)


def _rebuilt(policies: dict[str, Policy | None], default: Policy | None) -> PolicyMap:
    return PolicyMap(policies, default=default)
