"""The differences between two policies."""

from __future__ import annotations

from corscore._config.options import LISTS, OPTIONS
from corscore._policy.policy import Policy
from corscore._standard.text import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore._policy.map import PolicyMap

# The most items of a list in one line of a log.
_MOST_SHOWN = 5


class Change:
    """One difference between two policies.

    Attributes:
        path: The key of a ``PolicyMap`` where it is, ``"default"``, or None for plain policies.
        option: The option, such as ``"allow_origins"``; ``"policy"`` where a whole one came, went
            or was set to None.
        before: The option's value in the old policy.
        after: Its value in the new one.
        added: For a list, what is only in the new one; else empty.
        removed: For a list, what is only in the old one; else empty.
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
        signed = [f"+{escaped(item)}" for item in self.added[:_MOST_SHOWN]]
        signed += [f"-{escaped(item)}" for item in self.removed[:_MOST_SHOWN]]
        left_out = len(self.added) + len(self.removed) - len(signed)
        if left_out:
            signed.append(f"and {left_out} more")
        return f"{where}{self.option} {' '.join(signed)}"


def changes(old: Policy | PolicyMap, new: Policy | PolicyMap) -> tuple[Change, ...]:
    """Return the differences, in the order of the options; for maps, key by key.

    The order of a list does not count. A policy that is compared with a map counts as a map with
    this default alone.
    """
    if isinstance(old, Policy) and isinstance(new, Policy):
        return tuple(_between(None, old, new))
    before, after = _entries(old), _entries(new)
    return tuple(
        change for key in dict.fromkeys((*before, *after)) for change in _at_key(key, before, after)
    )


def _entries(policy: Policy | PolicyMap) -> dict[str, Policy | None]:
    if isinstance(policy, Policy):
        return {"default": policy}
    return {**dict(policy.items()), "default": policy.default}


def _at_key(
    key: str, before: dict[str, Policy | None], after: dict[str, Policy | None]
) -> Iterator[Change]:
    old, new = before.get(key), after.get(key)
    if old is not None and new is not None:
        yield from _between(key, old, new)
    elif old is not new or (key in before) != (key in after):
        absent = object()
        yield Change(key, "policy", before.get(key, absent), after.get(key, absent))


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


def _existence(policy: object) -> str:
    if policy is None:
        return "left alone"
    return "a policy" if isinstance(policy, Policy) else "no entry"


def _shown(value: object) -> str:
    return escaped(getattr(value, "pattern", value))
