"""The automaton of an origin regex: its characters as positions, and which may follow which.

V. M. Glushkov described it in 1961. It is built from the parse tree of ``re``, without running the
regex.
"""

from __future__ import annotations

import re

from corscore._standard.regex_tree import constants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

UNBOUNDED = constants.MAXREPEAT
ATOMIC = getattr(constants, "ATOMIC_GROUP", None)  # Both came with Python 3.11.
POSSESSIVE = getattr(constants, "POSSESSIVE_REPEAT", None)
REPEATS = (constants.MAX_REPEAT, constants.MIN_REPEAT, *filter(None, [POSSESSIVE]))
ASSERTIONS = (constants.ASSERT, constants.ASSERT_NOT)

# In the order of preference for sample origins: "x" for any letter, "8" for any digit.
_LETTERS = "xyzbcdfghjklmnpqrstvwaeiou"
_IN_ORIGINS = f"{_LETTERS}8123456790-_.+:/[]"
# The other characters of ASCII count, too: a matcher may be slow before it fails at one.
_ALPHABET = _IN_ORIGINS + "".join(chr(code) for code in range(128) if chr(code) not in _IN_ORIGINS)
_BITS = {char: 1 << place for place, char in enumerate(_ALPHABET)}
IN_ORIGINS = (1 << len(_IN_ORIGINS)) - 1
# All characters beyond ASCII, and a character that no text contains.
_BEYOND = 1 << len(_ALPHABET)
_NEVER = _BEYOND << 1
ANY = _NEVER - 1
"""The set of all characters: an int with a bit for each, and one for all beyond ASCII."""

# For each character, those that `re` treats as equal to it where case is ignored.
_VARIANTS = {
    char: (
        char.lower(),
        char.upper(),
        *{"i": "\u0130\u0131", "k": "\u212a", "s": "\u017f"}.get(char.lower(), ""),
    )
    for char in _ALPHABET
}

# A repeat becomes copies of its body, one for each required and each optional turn. Above these
# numbers of copies it becomes a loop.
_MAX_COPIES = 64
_MAX_OPTIONAL_COPIES = 8
_MAX_COPIED_POSITIONS = 5_000
_MAX_POSITIONS = 60_000
_MAX_EDGES = 300_000
# The most pairs of positions that a search for two readings compares, in a tenth of a second.
_MAX_PAIRS = 200_000


class TooLarge(Exception):
    """Raised for an automaton that would need too much memory or time."""


def mask_of(chars: str) -> int:
    """The characters as a set."""
    return sum(_BITS[char] for char in set(chars))


def first_of(mask: int) -> str:
    """The character of a set that a sample origin uses."""
    return _ALPHABET[(mask & -mask).bit_length() - 1]


def unwrapped(items: list[Any], flags: int) -> tuple[list[Any], int]:
    """The items without the groups around all of them, and the flags of those groups."""
    # Without recursion: there may be many groups.
    while len(items) == 1 and items[0][0] is constants.SUBPATTERN:
        _, add, remove, inside = items[0][1]
        items, flags = list(inside), (flags | add) & ~remove
    return items, flags


def charset(operator: Any, argument: Any, flags: int) -> int | None:
    """The characters that a node of the tree matches; None for a node of another kind."""
    if operator is constants.LITERAL:
        return _range(argument, argument, flags)
    if operator is constants.NOT_LITERAL:
        return ANY & ~_range(argument, argument, flags) | _BEYOND
    if operator is constants.ANY:
        return ANY
    if operator is not constants.IN:
        return None
    found, negated = 0, False
    for kind, value in argument:
        if kind is constants.NEGATE:
            negated = True
        elif kind is constants.CATEGORY:
            found |= _CATEGORIES[value]
        else:
            low, high = value if kind is constants.RANGE else (value, value)
            found |= _range(low, high, flags)
    return ANY & ~found | _BEYOND if negated else found


def _range(low: int, high: int, flags: int) -> int:
    if flags & re.IGNORECASE:
        found = sum(
            _BITS[char]
            for char, variants in _VARIANTS.items()
            if any(low <= ord(variant) <= high for variant in variants)
        )
    elif low == high:
        found = _BITS.get(chr(low), 0)
    else:
        found = sum(bit for char, bit in _BITS.items() if low <= ord(char) <= high)
    return found | _BEYOND if high > 127 else found


_DIGITS = mask_of("0123456789")
_WORD = mask_of(f"{_LETTERS}{_LETTERS.upper()}_") | _DIGITS | _BEYOND
_SPACE = mask_of(" \t\n\r\f\v\x1c\x1d\x1e\x1f") | _BEYOND
_CATEGORIES = {
    constants.CATEGORY_DIGIT: _DIGITS | _BEYOND,
    constants.CATEGORY_NOT_DIGIT: ANY & ~_DIGITS,
    constants.CATEGORY_SPACE: _SPACE,
    constants.CATEGORY_NOT_SPACE: ANY & ~_SPACE | _BEYOND,
    constants.CATEGORY_WORD: _WORD,
    constants.CATEGORY_NOT_WORD: ANY & ~_WORD | _BEYOND,
}


class _Part:
    """A part of the tree: its first and last positions, and in how many ways it can be empty."""

    __slots__ = ("empty", "first", "last")

    def __init__(self, first: list[int], last: list[int], empty: int) -> None:
        self.first = first
        self.last = last
        self.empty = empty

    def or_empty(self) -> _Part:
        return _Part(self.first, self.last, self.empty + 1)


class Automaton:
    """Positions with the characters they match.

    Attributes:
        masks: The characters of each position.
        follow: For each position those that may follow it, once for each way that leads there.
        first: The positions where a text may start.
        last: The positions where it may end.
        repeated: Pairs of positions that follow each other only in another turn of a repeat.
        assertions: The trees of look-around, with their flags.
        is_exact: Whether the regex, unless it has cuts, matches every text that ``admits`` accepts.
        has_cuts: Whether the regex has atomic groups or possessive repeats, which may match less.
        has_references: Whether the regex refers to its groups.
    """

    def __init__(self, items: Iterable[Any], flags: int) -> None:
        """Build the automaton of the items of a parse tree; may raise ``TooLarge``."""
        self.masks: list[int] = []
        self.follow: list[list[int]] = []
        self.repeated: set[tuple[int, int]] = set()
        self.assertions: list[tuple[Any, int]] = []
        self.is_exact = True
        self.has_cuts = False
        self.has_references = False
        self._is_empty_in_two_ways = False
        self._swallowed: dict[int, int] = {}
        self._edges = 0
        self._copied = 0
        whole = self._sequence(list(items), flags, True, True)
        self.first, self.last = whole.first, frozenset(whole.last)

    def admits(self, text: str) -> bool:
        """Whether the text is matched, in time linear in its length."""
        here = [position for position in self.first if self._takes(position, text[:1])]
        for char in text[1:]:
            here = [
                following
                for following in {after for position in here for after in self.follow[position]}
                if self._takes(following, char)
            ]
        return not self.last.isdisjoint(here)

    def _takes(self, position: int, char: str) -> bool:
        return bool(self.masks[position] & _BITS.get(char, 0))

    def parallel_positions(self) -> int | None:
        """The most positions that one text can be at; None if a text can be read in two ways.

        Raises:
            TooLarge: The search takes too long.
        """
        if self._is_empty_in_two_ways:
            return None
        pending: list[tuple[int, int]] = []
        seen: set[tuple[int, int]] = set()
        left = _MAX_PAIRS
        for followers in (self.first, *(self.follow[position] for position in self._reachable())):
            left -= len(followers) ** 2
            if left < 0:
                raise TooLarge
            if len(set(followers)) < len(followers):
                return None
            pending.extend(self._overlapping(followers, followers))
        while pending:
            pair = pending.pop()
            if pair in seen:
                continue
            seen.add(pair)
            one, other = pair
            if one in self.last and other in self.last:
                return None
            left -= 1 + len(self.follow[one]) * len(self.follow[other])
            if left < 0:
                raise TooLarge
            # Two readings meet here: any text that ends here can be read in both ways.
            if not {*self.follow[one]}.isdisjoint(self.follow[other]):
                return None
            pending.extend(self._overlapping(self.follow[one], self.follow[other]))
        return min(len(self.masks), 1 + len(seen))

    def _overlapping(self, ones: list[int], others: list[int]) -> Iterable[tuple[int, int]]:
        masks = self.masks
        return {
            (one, other) if one < other else (other, one)
            for one in ones
            for other in others
            if one != other and masks[one] & masks[other]
        }

    def _reachable(self) -> set[int]:
        pending, seen = list(self.first), set(self.first)
        while pending:
            for after in self.follow[pending.pop()]:
                if after not in seen:
                    seen.add(after)
                    pending.append(after)
        return seen

    def _sequence(self, items: list[Any], flags: int, starts: bool, ends: bool) -> _Part:
        """Build items; ``starts`` and ``ends`` say whether the text starts and ends with them."""
        items, flags = unwrapped(items, flags)
        widths = [item[0] is not constants.AT for item in items]
        before = widths.index(True) if True in widths else len(items)
        behind = widths[::-1].index(True) if True in widths else len(items)
        whole = _Part([], [], 1)
        for place, (operator, argument) in enumerate(items):
            part = self._part(
                operator,
                argument,
                flags,
                starts and place <= before,
                ends and place >= len(items) - 1 - behind,
            )
            whole = self._joined(whole, part)
        return whole

    def _part(self, operator: Any, argument: Any, flags: int, starts: bool, ends: bool) -> _Part:
        mask = charset(operator, argument, flags)
        if mask is not None:
            return self._position(mask)
        if operator is constants.SUBPATTERN:
            _, add, remove, inside = argument
            return self._sequence(list(inside), (flags | add) & ~remove, starts, ends)
        if operator is constants.BRANCH:
            return self._either(argument[1], flags, starts, ends)
        if operator is constants.GROUPREF_EXISTS:
            self.is_exact = False
            return self._either([argument[1], argument[2] or []], flags, starts, ends)
        if operator is ATOMIC:
            self.has_cuts = True
            return self._sequence(list(argument), flags, starts, ends)
        if operator in REPEATS:
            least, most, body = argument
            if most == 0:
                return _Part([], [], 1)
            if most == 1:
                part = self._sequence(list(body), flags, starts, ends)
                self.has_cuts |= operator is POSSESSIVE
                self._is_empty_in_two_ways |= bool(part.empty and not least)
                return part if least else part.or_empty()
            return self._repeat(operator is POSSESSIVE, least, most, list(body), flags)
        if operator is constants.FAILURE or (operator is constants.ASSERT_NOT and not argument[1]):
            return self._position(_NEVER)
        if operator is constants.AT:
            is_start = argument in (constants.AT_BEGINNING, constants.AT_BEGINNING_STRING)
            is_end = argument in (constants.AT_END, constants.AT_END_STRING)
            self.is_exact &= (is_start and starts) or (is_end and ends)
        else:
            self.is_exact = False
            if operator in ASSERTIONS:
                self.assertions.append((argument[1], flags))
            else:
                self.has_references = True
        return _Part([], [], 1)

    def _position(self, mask: int) -> _Part:
        if len(self.masks) >= _MAX_POSITIONS:
            raise TooLarge
        self.masks.append(mask or _NEVER)
        self.follow.append([])
        place = [len(self.masks) - 1]
        return _Part(place, place, 0)

    def _either(self, branches: Iterable[Any], flags: int, starts: bool, ends: bool) -> _Part:
        whole = _Part([], [], 0)
        for branch in branches:
            part = self._sequence(list(branch), flags, starts, ends)
            # In place: there may be thousands, and nothing else holds these lists.
            whole.first += part.first
            whole.last += part.last
            whole.empty += part.empty
        self._is_empty_in_two_ways |= whole.empty > 1
        return whole

    def _repeat(
        self, possessive: bool, least: int, most: int, body: list[Any], flags: int
    ) -> _Part:
        if least > _MAX_COPIES:
            least, most = 1, UNBOUNDED
            self.is_exact = False
        more = most - least
        start = len(self.masks)
        is_counted = more <= _MAX_OPTIONAL_COPIES
        copies = [
            self._sequence(body, flags, False, False)
            for _ in range(least + more if is_counted else max(least, 1))
        ]
        self._copied += len(self.masks) - start if len(copies) > 1 else 0
        if self._copied > _MAX_COPIED_POSITIONS:
            raise TooLarge
        # An empty turn can be repeated any number of times.
        self._is_empty_in_two_ways |= bool(copies[0].empty)
        if not is_counted:
            self._connect(copies[-1].last, copies[-1].first, repeats=True)
        elif more:
            optional = copies.pop().or_empty()
            while len(copies) > least:
                optional = self._joined(copies.pop(), optional, repeats=True).or_empty()
            copies.append(optional)
        whole = copies[0]
        for copy in copies[1:]:
            whole = self._joined(whole, copy, repeats=copy is copies[-1] and more > 0)
        if possessive:
            self.has_cuts = True
            if most is UNBOUNDED and len(body) == 1:
                mask = charset(body[0][0], body[0][1], flags)
                self._swallowed.update((position, mask) for position in whole.last if mask)
        return whole if least or is_counted else whole.or_empty()

    def _joined(self, left: _Part, right: _Part, *, repeats: bool = False) -> _Part:
        self._connect(left.last, right.first, repeats=repeats)
        empty = min(2, left.empty * right.empty)
        self._is_empty_in_two_ways |= empty > 1
        return _Part(
            left.first + right.first if left.empty else left.first,
            right.last + left.last if right.empty else right.last,
            empty,
        )

    def _connect(self, ends: list[int], starts: list[int], *, repeats: bool) -> None:
        self._edges += len(ends) * len(starts)
        if self._edges > _MAX_EDGES:
            raise TooLarge
        for end in ends:
            # A possessive repeat leaves none of its characters to what follows.
            swallowed = self._swallowed.get(end, 0)
            left = [start for start in starts if self.masks[start] & ~swallowed]
            self.follow[end] += left
            if repeats:
                self.repeated.update((end, start) for start in left)
