"""``governing``: the policy that governs a request, its place, and why no other one does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from corscore._config.paths import WILDCARD_END, split_key
from corscore._engine import matcher
from corscore._policy.map import PolicyMap
from corscore._policy.policy import Policy
from corscore._policy.tenant import PolicyResolver
from corscore._policy.tuple import PolicyTuple, place_of
from corscore._standard.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore._policy.map import PathPolicy

_DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Governing:
    """The policy that governs a request, and its place.

    Attributes:
        policy: The policy; None leaves the request alone. None also for a ``PolicyResolver``, which
            only adapters ask.
        place: Its key in a map and its number in a tuple: ``"api.example.com/*, policy 1 of 2"``;
            None for a policy that is in neither.
        notes: Why no other policy governs, one clause each.
    """

    policy: Policy | None
    place: str | None
    notes: tuple[str, ...] = ()


def governing(
    policies: Policy | tuple[Policy, ...] | PolicyMap | PolicyResolver | None,
    path: str = "/",
    *,
    host: str | None = None,
    origin: str | None = None,
) -> Governing:
    """Return the policy that governs a request, and why no other does; too slow to serve with.

    Args:
        policies: All policies of an application.
        path: The request's path, as the framework routes it.
        host: The value of Host, or None.
        origin: The value of Origin, or None.
    """
    notes: list[str] = []
    key = None
    entry: PathPolicy | tuple[Policy, ...]
    if isinstance(policies, PolicyMap):
        entry = policies._at(path, host)
        key, because = _key_of(policies, entry, path, host)
        notes += because
    else:
        entry = policies
    if isinstance(entry, PolicyResolver):
        return Governing(None, key, (*notes, "a PolicyResolver gives each tenant a policy"))
    if entry is None or isinstance(entry, Policy):
        return Governing(entry, key, tuple(notes))
    policy = PolicyTuple(entry).for_origin(origin)
    count, number = len(entry), entry.index(policy) + 1
    sent = "a request without an Origin" if origin is None else shown(origin)
    notes += (f"policy {passed} of {count} does not allow {sent}" for passed in range(1, number))
    return Governing(policy, place_of(key, number, count), tuple(notes))


def _key_of(
    policies: PolicyMap, entry: PathPolicy, path: str, host: str | None
) -> tuple[str | None, list[str]]:
    """Return the key of an entry, and why no other key counts."""
    notes: list[str] = []
    hosts = {split_key(key)[0] for key, _ in policies.items()} - {""}
    name = matcher.host_name(host)
    chosen = next(filter(hosts.__contains__, _hosts_for(name)), None)
    if hosts and chosen is None:
        sent = "a request without a host" if name is None else shown(name)
        notes.append(f"no key has a host for {sent}")
    for key_host in [""] if chosen is None else [chosen, ""]:
        key = _key_on(policies, key_host, path)
        if key is not None:
            if dict(policies.items())[key] is entry:
                return key, notes
            break
        if key_host:
            notes.append(f"no key of {key_host} covers {shown(path)}")
    else:
        if policies.default is entry:
            return _DEFAULT, notes
    notes.append("the path and what a file server makes of it have different policies")
    return None, notes


def _hosts_for(name: str | None) -> Iterator[str]:
    """Yield the hosts that a key for this host may have, the most specific first."""
    if name is None:
        return
    yield name
    while "." in name:
        name = name.partition(".")[2]
        yield f"*.{name}"


def _key_on(policies: PolicyMap, host: str, path: str) -> str | None:
    keys = [key for key, _ in policies.items() if split_key(key)[0] == host]
    if host + path in keys:
        return host + path
    prefixes = [
        key
        for key in keys
        if key.endswith(WILDCARD_END) and path.startswith(split_key(key)[1][:-1])
    ]
    return max(prefixes, key=len, default=None)
