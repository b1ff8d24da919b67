"""Repairs of an origin regex: what its author most likely meant, and no more."""

from __future__ import annotations

import re

from corscore._config.automaton import charset
from corscore._standard.regex_tree import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    _Edit = tuple[int, int, str]

# Before a dot, a part of a host ends in a letter, a digit, or one of these: the end of a class, a
# group or a repeat.
_PART_ENDS = frozenset(")]*+?}")
# The start of the next part: a letter or a class, with ends and starts of groups before it.
_NEXT_PART = re.compile(r"(?:\)[?*+]?)*(?:\((?:\?:)?)*(?:[^\W_]|\[(?!:)|\\[wd])")

_CHARACTER = r"(?:\[(?:\\.|[^]\\])+\]|\\[^1-9AZbB]|[\w.-])"
_MANY = r"(?:\+|\{1,[0-9]*\})"
_ANY_NUMBER = r"(?:[*?]|\{0?,[0-9]*\})"
_GROUP = r"\((?:\?:|\?P<\w+>)?"
# (?:[a-z]+)+ and (?:[a-z]*)*
_REPEATED_TWICE = re.compile(
    rf"{_GROUP}({_CHARACTER})(?:({_MANY})|{_ANY_NUMBER})\)([+*])(?![+?{{])"
)
# (?:[a-z]+-?)+
_SEPARATED = re.compile(rf"{_GROUP}({_CHARACTER}){_MANY}({_CHARACTER})\?\)([+*])(?![+?{{])")
_GROUP_IS_USED = re.compile(r"\\[1-9]|\(\?P=|\(\?\(")

_HTTP = re.compile(
    r"http(?:s\?|\((?:\?:)?s\)\?|s?(?=\\?:))|\((?:\?:)?(?:https\|http|http\|https)\)"
)
_BEFORE_DOMAIN = re.compile(rf"(?<=//)({_CHARACTER})([*+])\??(?=[a-z0-9])")
_BEHIND_DOMAIN = re.compile(r"(?<=[a-z0-9])/?\.[*+]\??(?=\$?(?:$|[|)]))")
_LOOPBACK = ("localhost", "127.0.0.1", r"127\.0\.0\.1")
_SECURE = "https"
_ANY_PORT = "(?::[0-9]+)?"
# Above this number, either all edits are made or none.
_MAX_EDITS = 40


def faster(source: str) -> str | None:
    """The regex with each repeat of a repeat written as one repeat; None if it has none.

    The result may still be slow.

    Args:
        source: A regex that Python's ``re`` accepts.
    """
    if _GROUP_IS_USED.search(source):
        return None
    changed = _REPEATED_TWICE.sub(_repeated_once, source)
    changed = _SEPARATED.sub(_between_separators, changed)
    return changed if changed != source else None


def _repeated_once(found: re.Match[str]) -> str:
    character, is_many, outer = found.groups()
    return character + (outer if is_many else "*")


def _between_separators(found: re.Match[str]) -> str:
    character, separator, outer = found.groups()
    if _mask(separator) & ~_mask(character) == 0:
        return f"{character}{outer}"
    whole = f"{character}+(?:{separator}{character}+)*{separator}?"
    return whole if outer == "+" else f"(?:{whole})?"


def _mask(character: str) -> int:
    ((operator, argument),) = parse(re.compile(character))
    return charset(operator, argument, 0) or 0


def narrower(source: str, is_sound: Callable[[str], bool]) -> str | None:
    r"""The regex with ``\.`` for a bare dot, https for http and the like; None if it is not sound.

    Each edit makes the regex admit less. Plain http is kept where it is sound, as on localhost.

    Args:
        source: A regex that Python's ``re`` accepts.
        is_sound: Tells whether a regex is fast, and admits only what was meant.
    """
    edits = sorted(_edits(source))
    if not edits or not is_sound(_edited(source, edits)):
        return None
    for edit in edits[::-1] if len(edits) <= _MAX_EDITS else ():
        if edit[2] != _SECURE:
            continue
        fewer = [other for other in edits if other is not edit]
        if is_sound(_edited(source, fewer)):
            edits = fewer
    return _edited(source, edits)


def _edits(source: str) -> Iterator[_Edit]:
    """Places in the source, and what to write there; no two overlap."""
    yield from _dot_edits(source)
    for found in _HTTP.finditer(source):
        if found[0] != _SECURE:
            yield *found.span(), _SECURE
    for found in _BEFORE_DOMAIN.finditer(source):
        character, count = found.groups()
        below = rf"{character}{count}\."
        yield *found.span(), below if count == "+" else f"(?:{below})?"
    for found in _BEHIND_DOMAIN.finditer(source):
        is_local = source[: found.start()].endswith(_LOOPBACK)
        yield *found.span(), _ANY_PORT if is_local else ""


def _edited(source: str, edits: list[_Edit]) -> str:
    for start, end, text in reversed(edits):
        source = source[:start] + text + source[end:]
    return source


def with_escaped_dots(source: str) -> str | None:
    r"""Return the regex with ``\.`` for every bare dot between two parts of a host, or None.

    A dot is kept if it is repeated (``.*``), in a class (``[.]``), or not between two parts.

    Args:
        source: A regex that Python's ``re`` accepts.
    """
    edits = list(_dot_edits(source))
    return _edited(source, edits) if edits else None


def _dot_edits(source: str) -> Iterator[_Edit]:
    for index in _outside_classes(source):
        if source[index] != ".":
            continue
        before = source[index - 1 : index]
        is_name = before.isalnum() or before in _PART_ENDS
        # The "d" of "\d.com" counts, too: a class ends a part of a host.
        if before and is_name and _NEXT_PART.match(source, index + 1):
            yield index, index + 1, "\\."


def _outside_classes(source: str) -> Iterator[int]:
    """Yield the indexes of characters that are neither escaped nor inside a class."""
    index = 0
    while index < len(source):
        if source[index] == "\\":
            index += 2
        elif source[index] == "[":
            index = _end_of_class(source, index)
        else:
            yield index
            index += 1


def _end_of_class(source: str, start: int) -> int:
    """Return the index after a class; a ``]`` at its start belongs to it."""
    index = start + 1
    index += source.startswith("^", index)
    index += source.startswith("]", index)
    while index < len(source) and source[index] != "]":
        index += 2 if source[index] == "\\" else 1
    return index + 1
