"""``PolicyMap``: policies by host and path."""

from __future__ import annotations

from corscore._config.paths import key_problem, split_key
from corscore._engine import matcher
from corscore._policy.policy import NO_ORIGIN, Policy
from corscore._policy.tenant import PolicyResolver
from corscore._policy.tuple import PolicyTuple
from corscore._standard.problem import ConfigError, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import NoReturn

    from corscore._engine.matcher import HostTable, PathTable

    PathPolicy = Policy | PolicyTuple | PolicyResolver | None
    Given = Policy | tuple[Policy, ...] | PolicyResolver | None


class PolicyMap:
    """Policies by host and path, in any order.

    A literal path beats a prefix, a longer prefix a shorter one. Among keys with a host, those of
    the request's host count, or else those of the longest ``*.`` above it. If none of them covers
    the path, keys without a host count.

    Frozen, hashable, safe to share between threads; maps are equal when they have equal keys with
    equal policies, and the ``repr`` rebuilds one.

    Args:
        policies: Policies by key. ``"/api"`` is that path alone; ``"/api/*"`` is every path that
            starts with ``/api/``, so not ``/api``; ``"/*"`` is every path. A host may be before the
            path: ``"api.example.com/*"``, or ``"*.example.com/api/*"`` for one or more labels. A
            tuple has policies by origin: the first that allows a request's origin governs it, else
            the last. A ``PolicyResolver`` has those of tenants. None leaves a path alone: nothing
            is added, removed, logged or blocked there.
        default: The policy, or the tuple, of all other paths; None leaves them alone, too. Beside
            keys with a host it may not allow credentials, since it governs requests whose Host a
            proxy has rewritten.

    Raises:
        ConfigError: With all wrong keys (``path-invalid``, ``path-is-regex``), all
            policies in the wrong place of a tuple (``policy-unreachable``, ``resolver-not-last``),
            and credentials for every host (``default-with-credentials``).
        TypeError: When ``policies`` is no mapping, or a value is neither a ``Policy`` nor a tuple
            of them, nor None.
    """

    __slots__ = ("_default", "_hosts", "_is_choice", "_policies", "_table")

    _default: PathPolicy
    _policies: dict[str, PathPolicy]
    _table: PathTable
    _is_choice: bool
    # A gateway finds the policy by a table if this is None.
    _responder = None

    # None if no key has a host.
    _hosts: HostTable | None

    def __init__(self, policies: Mapping[str, Given], *, default: Given = None) -> None:
        if not hasattr(policies, "items"):
            raise TypeError(
                "PolicyMap takes a dict of paths to policies, not "
                f'{type(policies).__name__}; write PolicyMap({{"/api/*": Policy(...)}})'
            )
        problems = [*filter(None, map(key_problem, policies))]
        read = {key: _read(key, policy, problems) for key, policy in policies.items()}
        last = _read("default", default, problems)
        hosts = _by_host({} if problems else read)
        if len(hosts) > 1:
            problems += _credentials_everywhere(read, last)
        if problems:
            raise ConfigError(tuple(problems))
        values = (*read.values(), last)
        object.__setattr__(self, "_is_choice", any(each and each._is_choice for each in values))
        object.__setattr__(self, "_policies", read)
        object.__setattr__(self, "_default", last)
        table = matcher.PathTable(hosts.pop(""), last, NO_ORIGIN)
        object.__setattr__(self, "_table", table)
        by_host = matcher.HostTable(hosts, table, NO_ORIGIN) if hosts else None
        object.__setattr__(self, "_hosts", by_host)

    def _at(self, path: str, host: str | None) -> PathPolicy:
        """The policy or the tuple that governs a path on a host."""
        found: PathPolicy = (
            self._table.find(path) if self._hosts is None else self._hosts.find(path, host)
        )
        return found

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> PolicyMap:
        """Read a map from a table, such as that of a configuration file.

        Args:
            mapping: One item, ``"policy"``: a table with, for each key, the options of its policy
                as ``Policy.from_mapping`` takes them, a list of such options for a tuple, or
                ``"none"`` for None. The key ``"default"`` is the argument ``default``.

        Raises:
            ConfigError: With every problem of all policies and keys; the problems name the places.
        """
        # Imported late: only a map from a table needs it.
        from corscore._policy.mapping import read_map

        policies, default = read_map(mapping)
        return cls(policies, default=default)

    def to_mapping(self, *, resolvers: Mapping[str, object] | None = None) -> dict[str, object]:
        """Return the map as ``from_mapping`` reads it, in types that JSON and TOML share.

        Args:
            resolvers: Resolvers by name; the table has the name, since a resolver is code.

        Raises:
            TypeError: There is a resolver without a name.
        """
        from corscore._policy.mapping import stored_map

        return stored_map(self, resolvers)

    def policy_for(
        self, path: str, *, host: str | None = None, origin: str | None = None
    ) -> Policy | None:
        """Return the policy that governs a request; None leaves it alone.

        Args:
            path: As the framework routes it: decoded, and relative to where the app is mounted. It
                is looked up in linear time, for any number of keys. A path with ``.``, ``..``,
                ``\\`` or empty segments, which file servers resolve, is looked up in its resolved
                form, too: if the two policies differ, no origin is allowed.
            host: The value of Host, for keys with a host. Its case, its port and a dot at its end
                do not count.
            origin: The value of Origin, for tuples.

        Raises:
            TypeError: A ``PolicyResolver`` governs the path: adapters ask it.
        """
        found = self._at(path, host)
        if isinstance(found, PolicyResolver):
            raise TypeError("PolicyMap.policy_for(...): a PolicyResolver governs this path")
        return found.for_origin(origin) if isinstance(found, PolicyTuple) else found

    @property
    def default(self) -> PathPolicy:
        """The policy of the paths that no key covers; None leaves them alone."""
        return self._default

    def items(self) -> tuple[tuple[str, PathPolicy], ...]:
        """The keys with their policies, in the order in which they were given."""
        return tuple(self._policies.items())

    def policies(self) -> Iterator[Policy]:
        """Every policy of the keys, their tuples and the default, without those of resolvers."""
        for each in (*self._policies.values(), self._default):
            if isinstance(each, Policy):
                yield each
            elif isinstance(each, PolicyTuple):
                yield from each

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


def read_policies(
    mapping: Mapping[str, object], resolvers: Mapping[str, object] | None = None
) -> Policy | PolicyTuple | PolicyMap | PolicyResolver:
    """The policies in the table of a file.

    Args:
        mapping: The options of one policy; or the item ``"policy"``: a list of tables with options,
            for a tuple, or a table of policies by key, for a map.
        resolvers: Resolvers by name; the table names them as values of ``origin_resolver`` and
            ``policy_resolver``. None for a table without resolvers.

    Raises:
        ConfigError: With every problem of all policies.
    """
    from corscore._policy.mapping import with_resolvers

    unknown: list[Problem] = []
    table = mapping if resolvers is None else with_resolvers(mapping, resolvers, unknown)
    try:
        policies = _read_table(table)
    except ConfigError as error:
        raise ConfigError((*unknown, *error.problems)) from None
    if unknown:
        raise ConfigError(tuple(unknown))
    return policies


def _read_table(
    table: Mapping[str, object] | PolicyResolver,
) -> Policy | PolicyTuple | PolicyMap | PolicyResolver:
    if isinstance(table, PolicyResolver):
        return table
    if "policy" not in table:
        return Policy.from_mapping(table)
    if isinstance(table["policy"], list):
        from corscore._policy.mapping import read_tuple

        return read_tuple(table)
    return PolicyMap.from_mapping(table)


def _by_host(policies: dict[str, PathPolicy]) -> dict[str, dict[str, PathPolicy]]:
    """The policies by host, which is empty for keys without one, and by path."""
    hosts: dict[str, dict[str, PathPolicy]] = {"": {}}
    for key, policy in policies.items():
        host, path = split_key(key)
        hosts.setdefault(host, {})[path] = policy
    return hosts


def _credentials_everywhere(
    policies: dict[str, PathPolicy], default: PathPolicy
) -> Iterator[Problem]:
    """The problems of policies that allow credentials for every Host."""
    for key, found in (("/*", policies.get("/*")), ("default", default)):
        if isinstance(found, PolicyResolver):
            continue
        for policy in (found,) if isinstance(found, Policy) else found or ():
            if policy.allow_credentials:
                yield Problem(
                    "default-with-credentials",
                    key,
                    policy,
                    "the policy for all other hosts allows credentials, and governs requests whose "
                    "Host a proxy has rewritten, or a client has made up.",
                    "give it to the hosts that are yours, as in "
                    f'"www.example.com/*", and write {key} without credentials',
                )


def _read(key: object, value: object, problems: list[Problem]) -> PathPolicy:
    if type(value) is tuple:
        try:
            return PolicyTuple(value, str(key))
        except ConfigError as error:
            problems += error.problems
            return None
    if value is None or isinstance(value, (Policy, PolicyTuple, PolicyResolver)):
        return value
    raise TypeError(
        f"PolicyMap: {key!r} has a {type(value).__name__} where a Policy, a tuple of policies or "
        "None is expected"
    )


def _rebuilt(policies: dict[str, PathPolicy], default: PathPolicy) -> PolicyMap:
    return PolicyMap(policies, default=default)
