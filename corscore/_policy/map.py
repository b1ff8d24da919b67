"""``PolicyMap``: which policy governs which path.

A key is a literal path, or a prefix ending in ``/*``. Keys are compared with paths as frameworks
route them: decoded once, case-sensitive, neither normalised nor decoded again. Whoever compares
anything else (a URL with ``..`` resolved, a second round of percent-decoding) applies a policy to a
request that the framework takes elsewhere.
"""

from __future__ import annotations

from corscore._config.paths import WILDCARD_END, path_problem
from corscore._policy.policy import Policy
from corscore._standard.problem import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import NoReturn


class _Node:
    """A segment of some prefix, and what is below it.

    Attributes:
        below: The next segment to its node.
        has_policy: Whether a prefix ends here.
        policy: What governs everything below that prefix; None leaves it alone.
    """

    __slots__ = ("below", "has_policy", "policy")

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.has_policy = False
        self.policy: Policy | None = None


class PolicyMap:
    """Policies by path. A literal beats a prefix, a longer prefix a shorter one, in any order.

    Frozen, hashable, safe to share between threads; maps are equal when they have equal keys with
    equal policies, and the ``repr`` rebuilds one.

    Args:
        policies: Keys to policies. ``"/api"`` is that path and no other; ``"/api/*"`` is what
            starts with ``/api/``, which ``/api`` does not; ``"/*"`` is every path. None leaves a
            path alone: nothing is added, removed, logged or enforced there.
        default: What governs all other paths; None leaves them alone, too.

    Raises:
        ConfigError: With all keys that are wrong (``path-invalid``, ``path-is-regex``).
        TypeError: When ``policies`` is no mapping, or a value is neither a ``Policy`` nor None.
    """

    __slots__ = ("_default", "_literals", "_policies", "_root")

    _default: Policy | None
    _literals: dict[str, Policy | None]
    _policies: dict[str, Policy | None]
    _root: _Node

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
        literals = {key: policy for key, policy in given.items() if not _is_prefix(key)}
        object.__setattr__(self, "_literals", literals)
        object.__setattr__(self, "_root", _tree_of(given, default))

    def policy_for(self, path: str) -> Policy | None:
        """The policy that governs a path; None leaves it alone. Never raises.

        At most linear in the path's length, however many keys there are.

        Args:
            path: As the framework routes it: decoded, and relative to where the app is mounted.
                An empty one is ``"/"``, as in RFC 9110 section 4.2.3.
        """
        path = path or "/"
        if path in self._literals:
            return self._literals[path]
        node = self._root
        policy = node.policy
        if not path.startswith("/"):
            return policy
        start = 1
        # Only what a slash follows is a prefix's segment: "/api/*" does not cover "/api".
        while (end := path.find("/", start)) >= 0:
            below = node.below.get(path[start:end])
            if below is None:
                break
            node = below
            if node.has_policy:
                policy = node.policy
            start = end + 1
        return policy

    @property
    def default(self) -> Policy | None:
        """What governs the paths that no key covers; None leaves them alone."""
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


def _rebuilt(policies: dict[str, Policy | None], default: Policy | None) -> PolicyMap:
    return PolicyMap(policies, default=default)


def _is_prefix(key: str) -> bool:
    return key.endswith(WILDCARD_END)


def _tree_of(policies: Mapping[str, Policy | None], default: Policy | None) -> _Node:
    """The prefixes as a tree of segments, so that a path is looked up by walking once over it."""
    root = _Node()
    root.policy = default
    for key, policy in policies.items():
        if not _is_prefix(key):
            continue
        node = root
        # "/api/v1/*" -> "api", "v1"; "/*" -> nothing, which is the root. Empty segments count.
        for segment in key[1:-1].split("/")[:-1]:
            node = node.below.setdefault(segment, _Node())
        node.has_policy = True
        node.policy = policy
    return root
