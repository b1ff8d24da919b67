"""Finds dots in an origin regex that were meant as dots, and match any character."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# What ends a piece of a name, in front of a dot: a letter, a class, a group, a repeat.
_BEFORE = frozenset(")]*+?}")
# What begins the next one: the rest of a group, which may be optional, and then a letter, a class
# or a group of them.
_NEXT_PIECE = re.compile(r"(?:\)[?*+]?)*(?:\((?:\?:)?)*(?:[^\W_]|\[(?!:)|\\[wd])")


def with_escaped_dots(source: str) -> str | None:
    r"""The regex with ``\.`` for every bare dot between two parts of a host; None without any.

    A dot that is repeated (``.*``), stands in a class (``[.]``) or has no name on both of its
    sides is taken for what it says.

    Args:
        source: A regex that Python's ``re`` accepts.
    """
    bare = set(_bare_dots(source))
    if not bare:
        return None
    return "".join("\\." if place in bare else char for place, char in enumerate(source))


def _bare_dots(source: str) -> Iterator[int]:
    for place in _outside(source):
        if source[place] != ".":
            continue
        before = source[place - 1 : place]
        is_name = before.isalnum() or before in _BEFORE
        # Of "\d.com" too: what stands before the dot is a class.
        if before and is_name and _NEXT_PIECE.match(source, place + 1):
            yield place


def _outside(source: str) -> Iterator[int]:
    """The places of characters that are neither escaped nor inside a class."""
    place = 0
    while place < len(source):
        if source[place] == "\\":
            place += 2
        elif source[place] == "[":
            place = _end_of_class(source, place)
        else:
            yield place
            place += 1


def _end_of_class(source: str, start: int) -> int:
    """The place behind a class; a ``]`` that comes first is one of its characters."""
    place = start + 1
    place += source.startswith("^", place)
    place += source.startswith("]", place)
    while place < len(source) and source[place] != "]":
        place += 2 if source[place] == "\\" else 1
    return place + 1
