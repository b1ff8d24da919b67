"""``access_changes``: who gains and who loses access when a policy is replaced.

``PolicyRef.diff`` compares options, and this function compares their effect: an origin that is no
longer listed loses nothing if a pattern covers it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from corscore._config.options import OPTIONS
from corscore._config.paths import WILDCARD_END, split_key
from corscore._config.pattern import parse_pattern
from corscore._config.spelling import python_expression
from corscore._policy.changes import paired
from corscore._policy.map import PolicyMap
from corscore._policy.tenant import PolicyResolver
from corscore._standard.fetch import (
    CORS_SAFELISTED_METHODS,
    CORS_SAFELISTED_REQUEST_HEADERS,
    OPAQUE_ORIGIN,
    WILDCARD,
)
from corscore._standard.origin import parse_origin
from corscore.diagnostics._coverage import Coverage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from corscore._policy.policy import Policy

    Kind = Literal[
        "path", "origin", "method", "request-header", "response-header", "credentials", "option"
    ]
    Way = Literal["gains", "loses", "changes"]
    Entry = Policy | tuple[Policy, ...] | PolicyResolver | None
    Policies = Entry | PolicyMap

_ACCESS_OPTIONS = (
    "allow_origins",
    "allow_methods",
    "allow_headers",
    "expose_headers",
    "allow_credentials",
    "allow_origin_regex",
    "allow_null_origin",
)
_OTHER_OPTIONS = tuple(name for name in OPTIONS if name not in _ACCESS_OPTIONS)
# Examples for ``/*`` and ``*.``, with names that no other key has.
_ANY_PATH = "/corscore-any-path"
_ANY_LABEL = "corscore-any-label."


@dataclass(frozen=True, slots=True)
class AccessChange:
    """One item that a new policy allows or no longer allows.

    Attributes:
        kind: The kind of item: a path that gains or loses its policy; an origin (a pattern, a
            regex), a method, a header that scripts may send (``"request-header"``) or read
            (``"response-header"``), credentials; or another option.
        way: ``"gains"`` or ``"loses"`` access; ``"changes"`` for an option that does neither.
        item: The pattern, the name, the option.
        path: The key of the ``PolicyMap`` or ``"default"``, with the number of a policy in a tuple:
            ``"/api/*, policy 1 of 2"``; None for plain policies.
        before: For an option, its old value as a Python literal; else None.
        after: For an option, its new value as a Python literal; else None.
    """

    kind: Kind
    way: Way
    item: str
    path: str | None = None
    before: str | None = None
    after: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as a dict, ready for JSON."""
        return asdict(self)


def access_changes(old: Policies, new: Policies) -> tuple[AccessChange, ...]:
    """Return what ``new`` allows and ``old`` does not, and what only ``old`` allows.

    Every path that one of them names is looked up in both. A path without a policy counts as one
    that allows nothing. Tuples are compared policy by policy, from their ends.

    Args:
        old: A ``Policy``, a tuple, a ``PolicyMap``, a ``PolicyResolver`` or None.
        new: The same.
    """
    if not isinstance(old, PolicyMap) and not isinstance(new, PolicyMap):
        return tuple(_entry_changes(None, old, new))
    keys = dict.fromkeys((*_keys(old), *_keys(new), "default"))
    return tuple(
        change
        for key in keys
        for change in _entry_changes(key, _entry_at(old, key), _entry_at(new, key))
    )


def _keys(policies: Policies) -> Iterable[str]:
    return (key for key, _ in policies.items()) if isinstance(policies, PolicyMap) else ()


def _entry_at(policies: Policies, key: str) -> Entry:
    if not isinstance(policies, PolicyMap):
        return policies
    if key == "default":
        return policies.default
    host, path = split_key(key)
    if path.endswith(WILDCARD_END):
        path = path.removesuffix(WILDCARD_END) + _ANY_PATH
    return policies._at(path, host.replace("*.", _ANY_LABEL))


def _entry_changes(key: str | None, old: Entry, new: Entry) -> Iterator[AccessChange]:
    for place, before, after in paired(key, old, new):
        if isinstance(before, PolicyResolver) or isinstance(after, PolicyResolver):
            if before is not after:
                yield AccessChange("option", "changes", "policy", place, repr(before), repr(after))
        else:
            yield from _policy_changes(place, before, after)


def _policy_changes(
    path: str | None, old: Policy | None, new: Policy | None
) -> Iterator[AccessChange]:
    if old == new:
        return
    if old is None:
        yield AccessChange("path", "gains", path or "", path)
    elif new is None:
        yield AccessChange("path", "loses", path or "", path)
    before, after = _Access(old), _Access(new)
    for kind, item in after.beyond(before):
        yield AccessChange(kind, "gains", item, path)
    for kind, item in before.beyond(after):
        yield AccessChange(kind, "loses", item, path)
    if old is None or new is None:
        return
    for name in _OTHER_OPTIONS:
        values = getattr(old, name), getattr(new, name)
        if values[0] != values[1]:
            yield AccessChange("option", "changes", name, path, *map(python_expression, values))


class _Access:
    """The items that a policy allows; None allows nothing."""

    def __init__(self, policy: Policy | None) -> None:
        self.policy = policy
        origins = () if policy is None else policy.allow_origins
        self._coverage = Coverage(origins)
        self._any_origin = WILDCARD in origins
        self._names: dict[Kind, frozenset[str]] = {
            "method": self._set("allow_methods", CORS_SAFELISTED_METHODS),
            "request-header": self._set("allow_headers", CORS_SAFELISTED_REQUEST_HEADERS),
            "response-header": self._set("expose_headers", ()),
        }

    def _set(self, option: str, always: Iterable[str]) -> frozenset[str]:
        names: tuple[str, ...] = () if self.policy is None else getattr(self.policy, option)
        if option == "expose_headers":
            names = tuple(map(str.lower, names))
        return frozenset((*names, *always))

    def beyond(self, other: _Access) -> Iterator[tuple[Kind, str]]:
        """Yield the items that this one allows and the other does not."""
        for item in self._origins():
            if not other._allows_origin(item):
                yield "origin", item
        for kind, names in self._names.items():
            others = other._names[kind]
            if WILDCARD in others:
                continue
            # A name beside "*" has no effect.
            for name in (WILDCARD,) if WILDCARD in names else sorted(names - others):
                yield kind, name
        if self._credentials and not other._credentials:
            yield "credentials", "allow_credentials"

    @property
    def _credentials(self) -> bool:
        return self.policy is not None and self.policy.allow_credentials

    def _origins(self) -> Iterator[str]:
        if self.policy is None:
            return
        yield from self.policy.allow_origins
        if self.policy.allow_null_origin:
            yield OPAQUE_ORIGIN
        if self.policy.allow_origin_regex is not None:
            yield f"regex {python_expression(self.policy.allow_origin_regex)}"

    def _allows_origin(self, item: str) -> bool:
        """Return whether every origin that the item covers is allowed."""
        if self.policy is None or self._any_origin:
            return self._any_origin
        if item == OPAQUE_ORIGIN:
            return self.policy.allow_null_origin
        regex = self.policy.allow_origin_regex
        pattern = parse_pattern(item)
        if pattern is None:
            return regex is not None and item == f"regex {python_expression(regex)}"
        if self._coverage.covering(pattern) is not None:
            return True
        is_exact = parse_origin(item) is not None
        return is_exact and regex is not None and regex.fullmatch(item) is not None
