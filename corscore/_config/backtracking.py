"""An upper bound for the steps of a regex on one origin, from its parse tree alone.

A backtracking matcher tries every way to read the text so far. If the turns of a repeat can read a
text in one way only, the repeat has at most one reading for each place where it can end. A repeat
that can end at several places multiplies the steps by at most the length of the origin.
"""

from __future__ import annotations

from corscore._config.automaton import (
    ANY,
    ASSERTIONS,
    ATOMIC,
    POSSESSIVE,
    REPEATS,
    Automaton,
    TooLarge,
    charset,
    unwrapped,
)
from corscore._standard.origin import MAX_ORIGIN_LENGTH
from corscore._standard.regex_tree import constants, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterable
    from typing import Any

# The end of the origin, as a character of its own.
_END = (ANY + 1) << 1
# The matcher of `re` takes less than a second for them.
_MAX_STEPS = 10_000_000
_MAX_OVERLAPPING = 2


class _Slow(Exception):
    """The regex cannot be proven fast; the argument says why."""


def why_slow(regex: re.Pattern[str]) -> str | None:
    """Why a hostile origin may make the regex slow, as the end of a sentence; None if it cannot.

    The time is linear in the length of the regex; beyond a bound the regex counts as slow.
    """
    try:
        whole = _steps_of_all(list(parse(regex)), regex.flags, _Rest(_END, 1))
    except _Slow as slow:
        return str(slow)
    except (TooLarge, RecursionError):
        return "is too large or too deep to prove that no Origin makes it slow"
    return None if whole.steps <= _MAX_STEPS else "has too many ways to match one Origin"


class _Rest:
    """The rest of the regex, from a place in it.

    Attributes:
        first: The characters that may come first, with ``_END`` if the rest may be empty.
        steps: The most steps that a matcher takes for it.
        runs: For runs of at least 1, 2, ... overlapping repeats, the characters of those that start
            one.
    """

    __slots__ = ("first", "runs", "steps")

    def __init__(
        self, first: int, steps: int, runs: tuple[int, ...] = (0,) * _MAX_OVERLAPPING
    ) -> None:
        self.first = first
        self.steps = min(steps, _MAX_STEPS + 1)
        self.runs = runs


def _steps_of_all(items: list[Any], flags: int, rest: _Rest) -> _Rest:
    items, flags = unwrapped(items, flags)
    for operator, argument in reversed(items):
        rest = _steps(operator, argument, flags, rest)
    return rest


def _steps(operator: Any, argument: Any, flags: int, rest: _Rest) -> _Rest:
    mask = charset(operator, argument, flags)
    if mask is not None:
        return _Rest(mask, rest.steps + 1, rest.runs)
    if operator is constants.SUBPATTERN:
        _, add, remove, inside = argument
        return _steps_of_all(list(inside), (flags | add) & ~remove, rest)
    if operator is constants.BRANCH:
        return _steps_of_branches(argument[1], flags, rest)
    if operator is constants.GROUPREF_EXISTS:
        return _steps_of_branches([argument[1], argument[2] or []], flags, rest)
    if operator in REPEATS:
        least, most, body = argument
        if most == 0:
            return rest
        if operator is POSSESSIVE:
            return _with_cut(_steps_of_repeat(least, most, body, flags, _Rest(_END, 1)), rest)
        return _steps_of_repeat(least, most, body, flags, rest)
    if operator is ATOMIC:
        return _with_cut(_steps_of_all(list(argument), flags, _Rest(_END, 1)), rest)
    if operator in ASSERTIONS:
        looked = _steps_of_all(list(argument[1]), flags, _Rest(_END, 1))
        return _Rest(rest.first, rest.steps + looked.steps, rest.runs)
    if operator is constants.AT:
        return _Rest(rest.first, rest.steps + 1, rest.runs)
    if operator is constants.FAILURE:
        return _Rest(0, 1, rest.runs)
    # A reference to a group: one text, of which nothing is known.
    return _Rest(ANY | rest.first, rest.steps + MAX_ORIGIN_LENGTH, rest.runs)


def _with_cut(part: _Rest, rest: _Rest) -> _Rest:
    """A part that the matcher never reads again after leaving it, and the rest behind it."""
    first = part.first if not part.first & _END else part.first & ANY | rest.first
    return _Rest(first, part.steps + rest.steps, _merged(part.runs, rest.runs))


def _merged(some: tuple[int, ...], others: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(one | other for one, other in zip(some, others, strict=True))


def _steps_of_branches(branches: list[Any], flags: int, rest: _Rest) -> _Rest:
    first, runs = 0, rest.runs
    found: list[tuple[str, int]] = []
    for branch in branches:
        part = _steps_of_all(list(branch), flags, rest)
        first |= part.first
        runs = _merged(runs, part.runs)
        found.append((_literal_start(list(branch), flags), part.steps))
    # The steps of two branches add up only if the literal start of one begins with that of the
    # other: in sorted order such branches form chains.
    most, chain = 0, [("", 0)]
    for start, steps in sorted(found):
        while not start.startswith(chain[-1][0]):
            chain.pop()
        chain.append((start, chain[-1][1] + steps))
        most = max(most, chain[-1][1])
    return _Rest(first, most + len(branches), runs)


def _literal_start(items: list[Any], flags: int) -> str:
    """The start that all matches of the items share, with the number of a bit for a character."""
    while items and items[0][0] is constants.SUBPATTERN and not any(items[0][1][1:3]):
        items = [*items[0][1][3], *items[1:]]
    text = []
    for operator, argument in items:
        mask = charset(operator, argument, flags)
        if mask is None or mask.bit_count() != 1:
            break
        text.append(chr(mask.bit_length()))
    return "".join(text)


def _steps_of_repeat(least: int, most: int, body: Any, flags: int, rest: _Rest) -> _Rest:
    if most == 1:
        part = _steps_of_all(list(body), flags, rest)
        if least:
            return part
        steps = (sum if part.first & rest.first else max)((part.steps, rest.steps))
        return _Rest(part.first | rest.first, steps + 1, _merged(part.runs, rest.runs))
    mask = charset(body[0][0], body[0][1], flags) if len(body) == 1 else None
    if mask is not None:
        first, is_variable = mask, most > least
        steps, ends = min(most, MAX_ORIGIN_LENGTH), min(most - least + 1, MAX_ORIGIN_LENGTH)
    else:
        turns = Automaton([(constants.MAX_REPEAT, (least, most, body))], flags)
        first, mask = _union(turns, turns.first), _union(turns, range(len(turns.masks)))
        shortest, longest = body.getwidth()
        is_variable = most > least or longest > shortest
        steps, ends = _steps_of_turns(turns), MAX_ORIGIN_LENGTH
    if not is_variable:
        return _Rest(first, steps + rest.steps, rest.runs)
    # The repeat can end at several places only if one of its characters can follow it.
    length, is_open = 1, bool(mask & rest.first)
    if is_open:
        length += sum(bool(mask & others) for others in rest.runs)
    if length > _MAX_OVERLAPPING:
        raise _Slow("has more than two repeats in a row that can share a text among them")
    runs = tuple(
        others | mask if place < length else others for place, others in enumerate(rest.runs)
    )
    behind = (ends if is_open else 1) * rest.steps
    return _Rest(first if least else first | rest.first, steps + behind, runs)


def _union(turns: Automaton, positions: Iterable[int]) -> int:
    found = 0
    for position in positions:
        found |= turns.masks[position]
    return found


def _steps_of_turns(turns: Automaton) -> int:
    """The most steps that a repeat of more than one character takes over a whole text."""
    if turns.has_references:
        raise _Slow("repeats a reference to a group, of which nothing can be proven")
    positions = turns.parallel_positions()
    if positions is None:
        raise _Slow("repeats a part that can match one text in several ways")
    looked = (_steps_of_all(list(tree), flags, _Rest(_END, 1)) for tree, flags in turns.assertions)
    return MAX_ORIGIN_LENGTH * positions * (1 + sum(part.steps for part in looked))
