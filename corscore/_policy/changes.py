"""The differences between two policies."""

from __future__ import annotations

from corscore._config.options import LISTS, OPTIONS
from corscore._policy.policy import Policy
from corscore._policy.tuple import place_of
from corscore._standard.text import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from corscore._policy.reference import Current

# The most items of a list in a line of the log.
_MAX_SHOWN = 5


class Change:
    """One difference between two policies.

    Attributes:
        path: The place of the difference: a key of a ``PolicyMap`` or ``"default"``, and the
            number in a tuple, as in ``"/api/*, policy 1 of 2"``. None for plain policies.
        option: The option, such as ``"allow_origins"``; ``"policy"`` where a whole policy was
            added, removed or set to None.
        before: The option's value in the old policy.
        after: Its value in the new one.
        added: The items of a list that only the new policy has; else empty.
        removed: The items of a list that only the old policy has; else empty.
    """

    __slots__ = ("added", "after", "before", "option", "path", "removed")

    def __init__(self, path: str | None, option: str, before: object, after: object) -> None:
        self.path = path
        self.option = option
        self.before = before
        self.after = after
        self.added = _only_in(after, before)
        self.removed = _only_in(before, after)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Change):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash((self.path, self.option))

    def _values(self) -> tuple[object, ...]:
        return (self.path, self.option, self.before, self.after)

    def __repr__(self) -> str:
        return f"<Change {self}>"

    def __str__(self) -> str:
        where = "" if self.path is None else f"{escaped(self.path)}: "
        if self.option == "policy":
            return f"{where}{_existence(self.before)} -> {_existence(self.after)}"
        if not isinstance(self.before, tuple):
            return f"{where}{self.option} {_shown(self.before)} -> {_shown(self.after)}"
        signed = [f"+{escaped(item)}" for item in self.added[:_MAX_SHOWN]]
        signed += [f"-{escaped(item)}" for item in self.removed[:_MAX_SHOWN]]
        left_out = len(self.added) + len(self.removed) - len(signed)
        if left_out:
            signed.append(f"and {left_out} more")
        return f"{where}{self.option} {' '.join(signed)}"


_ABSENT: Any = object()


def changes(old: Current, new: Current) -> tuple[Change, ...]:
    """Return the differences, in the order of the options; for maps, key by key.

    The order of a list does not count. A policy or a tuple that is compared with a map counts as a
    map without keys, of which it is the default.
    """
    # Only a map has items.
    if not hasattr(old, "items") and not hasattr(new, "items"):
        return tuple(_in_entry(None, old, new))
    before, after = _entries(old), _entries(new)
    return tuple(
        change
        for key in dict.fromkeys((*before, *after))
        for change in _in_entry(key, before.get(key, _ABSENT), after.get(key, _ABSENT))
    )


def _entries(policies: Any) -> dict[str, Any]:
    if hasattr(policies, "items"):
        return {**dict(policies.items()), "default": policies.default}
    return {"default": policies}


def _in_entry(key: str | None, old: Any, new: Any) -> Iterator[Change]:
    if old is None or new is None or _ABSENT in (old, new):
        if old is not new:
            yield Change(key, "policy", old, new)
        return
    for place, before, after in paired(key, old, new):
        if not isinstance(before, Policy) or not isinstance(after, Policy):
            if before is not after:
                yield Change(place, "policy", before or _ABSENT, after or _ABSENT)
        else:
            yield from _between(place, before, after)


def paired(key: str | None, old: Any, new: Any) -> Iterator[tuple[str | None, Any, Any]]:
    """The policies of two entries in pairs, each pair with its place; None for a missing policy.

    Tuples are compared from their ends: the last policy governs all that the others do not.

    Args:
        key: The key of a ``PolicyMap``, or None.
        old: A policy, a resolver, a tuple of policies or None.
        new: The same.
    """
    before, after = (one if isinstance(one, tuple) else (one,) if one else () for one in (old, new))
    count = max(len(before), len(after), 1)
    for number in range(1, count + 1):
        from_end = count - number + 1
        one, other = (
            policies[-from_end] if from_end <= len(policies) else None
            for policies in (before, after)
        )
        yield place_of(key, number, count), one, other


def _between(path: str | None, old: Policy, new: Policy) -> Iterator[Change]:
    for name in OPTIONS:
        before, after = getattr(old, name), getattr(new, name)
        is_same = set(before) == set(after) if name in LISTS else before == after
        if not is_same:
            yield Change(path, name, before, after)


def _only_in(items: object, others: object) -> tuple[str, ...]:
    if not isinstance(items, tuple) or not isinstance(others, tuple):
        return ()
    known = set(others)
    return tuple(item for item in items if item not in known)


def _existence(policy: Any) -> str:
    if policy is None:
        return "left alone"
    if isinstance(policy, Policy):
        return "a policy"
    if isinstance(policy, tuple):
        return f"{len(policy)} by origin"
    return "no entry" if policy is _ABSENT else "policies of tenants"


def _shown(value: object) -> str:
    return escaped(getattr(value, "pattern", value))
