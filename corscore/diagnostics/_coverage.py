"""Which pattern of a policy covers what another pattern stands for.

One covers another when it matches every origin that the other one matches. Asking costs as many
look-ups as a host has labels, however many patterns there are.
"""

from __future__ import annotations

from corscore._config.pattern import ANY_PORT, Pattern, parse_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Coverage:
    """A set of patterns that can be asked what it covers.

    Args:
        patterns: As a policy writes them; ``"*"`` alone covers everything, and what is no pattern
            covers nothing.
    """

    __slots__ = ("_covers_all", "_known")

    def __init__(self, patterns: Iterable[str]) -> None:
        given = tuple(patterns)
        self._covers_all = "*" in given
        self._known = frozenset(map(_key, filter(None, map(parse_pattern, given))))

    def covering(self, pattern: Pattern, *, others: bool = False) -> str | None:
        """A pattern of the set that covers this one, or None.

        Args:
            pattern: What is to be covered.
            others: Whether the pattern itself, if it is in the set, does not count.
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
    """Every pattern that would cover this one, from the nearest on; it covers itself."""
    for subdomains, host in _hosts(pattern):
        for port in dict.fromkeys((pattern.port, ANY_PORT)):
            yield Pattern(pattern.scheme, subdomains, host, port)


def _hosts(pattern: Pattern) -> Iterator[tuple[bool, str]]:
    yield pattern.subdomains, pattern.host
    parent = pattern.host.partition(".")[2]
    while parent:
        yield True, parent
        parent = parent.partition(".")[2]
