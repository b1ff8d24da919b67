"""``Coverage``: which pattern of a policy covers another pattern.

A pattern covers another if it matches every origin that the other matches. The cost of a lookup
grows with the labels of a host, not with the number of patterns.
"""

from __future__ import annotations

from corscore._config.pattern import ANY_PORT, Pattern, parse_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Coverage:
    """The origins that a set of patterns covers.

    Args:
        patterns: The patterns of a policy. ``"*"`` covers everything, and an item that is no
            pattern covers nothing.
    """

    __slots__ = ("_covers_all", "_known")

    def __init__(self, patterns: Iterable[str]) -> None:
        given = tuple(patterns)
        self._covers_all = "*" in given
        self._known = frozenset(map(_key, filter(None, map(parse_pattern, given))))

    def covering(self, pattern: Pattern, *, others: bool = False) -> str | None:
        """Return a pattern of the set that covers this one, or None.

        Args:
            pattern: The pattern to look up.
            others: Whether to ignore the pattern itself, if it is in the set.
        """
        if self._covers_all:
            return "*"
        for candidate in _candidates(pattern):
            is_itself = _key(candidate) == _key(pattern)
            if not (others and is_itself) and _key(candidate) in self._known:
                return str(candidate)
        return None


def _key(pattern: Pattern) -> tuple[str, bool, str, str]:
    return (pattern.scheme, pattern.subdomains, pattern.host, pattern.port)


def _candidates(pattern: Pattern) -> Iterator[Pattern]:
    """Yield every pattern that would cover this one, the nearest first, itself included."""
    for subdomains, host in _hosts(pattern):
        for port in dict.fromkeys((pattern.port, ANY_PORT)):
            yield Pattern(pattern.scheme, subdomains, host, port)


def _hosts(pattern: Pattern) -> Iterator[tuple[bool, str]]:
    yield pattern.subdomains, pattern.host
    parent = pattern.host.partition(".")[2]
    while parent:
        yield True, parent
        parent = parent.partition(".")[2]
