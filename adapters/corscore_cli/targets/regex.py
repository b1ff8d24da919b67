"""The texts that a regex matches: one of them, or all paths that begin with a match."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from corscore import ConfigError, PolicyMap
from corscore.diagnostics import Finding
from corscore.integration.regex_tree import constants, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_CATEGORIES = {
    constants.CATEGORY_DIGIT: "1",
    constants.CATEGORY_SPACE: " ",
    constants.CATEGORY_WORD: "a",
}
_REPEATS = (constants.MAX_REPEAT, constants.MIN_REPEAT)
_STARTS = (constants.AT_BEGINNING, constants.AT_BEGINNING_STRING)
_ENDS = (constants.AT_END, constants.AT_END_STRING)
_ANY_CHARACTER = "a"
_MAX_REPEATS = 64
_MAX_CHARACTERS = 16
_MAX_PARTS = 32


def sample(regex: str | re.Pattern[str]) -> str | None:
    """Return a text that the whole regex matches, from its first branches, or None."""
    try:
        compiled = re.compile(regex)
        text = _sample_parts(parse(compiled))
        return text if compiled.fullmatch(text) else None
    except (re.error, OverflowError, RecursionError):
        return None


def joined_regex(sources: Sequence[str]) -> str:
    """Return one regex that matches what any of these matches."""
    return sources[0] if len(sources) == 1 else "|".join(f"(?:{source})" for source in sources)


def prefix_findings(library: str | None, options: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a finding for each regex that the library compares with a beginning only."""
    given = options.get("allow_origin_regex")
    if library not in ("flask-cors", "django-cors-headers") or given is None:
        return
    for regex in given if isinstance(given, (list, tuple)) else [given]:
        source: Any = getattr(regex, "pattern", regex)
        text = sample(source) if isinstance(source, str) else None
        stranger = f"{text}.stranger.example"
        if text is not None and re.match(source, stranger):
            yield Finding(
                "look-alike-allowed",
                f"{library} compares only the beginning of an origin with a regex: {source!a} also "
                f"matches {stranger}.",
                f"write {source + '$'!a}",
            )


@dataclass(frozen=True, slots=True)
class Beginning:
    """A literal beginning of paths that begin with a match of a regex.

    Attributes:
        text: The beginning.
        is_open: Whether any text may follow.
        excludes: Whether the beginning alone does not match.
        is_partial: Whether it stands for similar beginnings, too: with another character for a
            dot, or in upper case.
    """

    text: str
    is_open: bool
    excludes: bool = False
    is_partial: bool = False

    def covered_keys(self) -> Iterator[tuple[str, bool]]:
        """Yield keys of a ``PolicyMap`` for these paths, each with whether it has a policy."""
        if not self.is_open:
            yield self.text, True
        elif self.text in ("", "/"):
            yield "/*", True
        elif self.text.endswith("/"):
            yield f"{self.text}*", True
            if self.excludes:
                yield self.text, False
        else:
            if not self.excludes:
                yield self.text, True
            yield f"{self.text}/*", True

    @property
    def has_exact_keys(self) -> bool:
        """Whether the keys cover exactly these paths."""
        is_whole = not self.is_open or self.text == "" or self.text.endswith("/")
        return is_whole and not self.is_partial


def literal_beginnings(regex: re.Pattern[str]) -> tuple[Beginning, ...] | None:
    """Return the paths that begin with a match of a regex, or None.

    None means that no small number of literal beginnings describes them. Line breaks are ignored.
    """
    parts = list(parse(regex))
    try:
        # Anything may follow a match, so a repeat at its end needs its minimum only.
        while parts and parts[-1][0] in _REPEATS and not _is_anything(parts[-1]):
            least, _, repeated = parts.pop()[1]
            parts += list(repeated) * min(least, _MAX_REPEATS)
        found = list(islice(_beginnings(parts, _State()), _MAX_PARTS + 1))
    except _NotLiteral:
        return None
    if len(found) > _MAX_PARTS:
        return None
    ignores_case = bool(regex.flags & re.IGNORECASE)
    return tuple(
        dict.fromkeys(
            Beginning(
                one.text,
                one.is_open or not one.has_end,
                one.excludes,
                one.is_partial or (ignores_case and one.text.upper() != one.text.lower()),
            )
            for one in found
            if one.text.startswith("/") or (one.is_open and not one.text) or one == _State()
        )
    )


def path_keys(pattern: str | re.Pattern[str]) -> tuple[list[tuple[str, bool]], bool]:
    """Return keys of a ``PolicyMap`` for what a path, or a regex over paths, covers.

    Args:
        pattern: A literal path, or a regex that paths have to begin with.

    Returns:
        The keys, each with whether it has a policy; and whether they cover exactly these paths.
    """
    if isinstance(pattern, str):
        found: tuple[Beginning, ...] | None = (Beginning(pattern, is_open=False),)
    else:
        found = literal_beginnings(pattern)
        letter = re.search(r"[^/\W_][*?]\Z", pattern.pattern)
        if letter and found and len(found) == 1:
            # "/api*" is meant for "/api", and covers "/ap".
            found = (Beginning(found[0].text + letter[0][0], is_open=True, is_partial=True),)
    keys = [key for paths in found or () for key in paths.covered_keys()]
    valid = [(key, has_policy) for key, has_policy in keys if _is_key(key)]
    is_exact = found is not None and all(paths.has_exact_keys for paths in found)
    return list(dict(valid).items()), is_exact and valid == keys


def wider_key(pattern: re.Pattern[str]) -> str | None:
    """Return a key that covers more than a regex, or None where that is every path."""
    literal = re.match(r"\^?((?:/[\w-]+)*/)", pattern.pattern)
    return f"{literal[1]}*" if literal and len(literal[1]) > 1 else None


def _is_key(key: str) -> bool:
    try:
        PolicyMap({key: None})
    except ConfigError:
        return False
    return True


def full_regex(regex: re.Pattern[str]) -> re.Pattern[str]:
    """Return the regex whose full matches are the paths that begin with a match of this one."""
    parts = list(parse(regex))
    if parts and (_is_end(parts[-1]) or (_is_anything(parts[-1]) and _is_unbounded(parts[-1]))):
        return regex
    is_branch = any(operator is constants.BRANCH for operator, _ in parts)
    source = f"(?:{regex.pattern}).*" if is_branch else f"{regex.pattern}.*"
    return re.compile(source, regex.flags)


def paths_near(regex: str | re.Pattern[str]) -> Iterator[str]:
    """Yield paths inside and just outside of what a path, or a regex over paths, covers."""
    beginnings: Iterable[str]
    if isinstance(regex, str):
        beginnings = [regex]
    else:
        found = literal_beginnings(regex)
        beginnings = [one.text for one in found or ()]
        text = sample(regex)
        if text is not None:
            beginnings = [*beginnings, text]
        # A repeat at the end makes what is before it optional: "/api/" of the regex "/api/*".
        literal = re.sub(r"[*?]\Z|\.[*+]\$?\Z", "", regex.pattern.removeprefix("^"))
        beginnings = [*beginnings, literal]
    beginnings = [one for one in dict.fromkeys(beginnings) if one.startswith("/")]
    for beginning, ending in product(beginnings, ("", "/", "x", "/x", "x/y", ".x", "docs")):
        path = beginning.removesuffix("/") if ending.startswith("/") else beginning
        yield f"{path}{ending}"
    for beginning in beginnings:
        yield from (beginning[:-1] or "/", beginning.swapcase(), beginning.replace(".", "x"))
    yield from ("/", "/corscore-any-path", "/x/corscore-any-path")


class _NotLiteral(Exception):
    """A part of a regex matches too many texts to list them."""


@dataclass(frozen=True, slots=True)
class _State:
    text: str = ""
    is_open: bool = False
    excludes: bool = False
    has_end: bool = False
    is_partial: bool = False


def _beginnings(parts: Any, state: _State) -> Iterator[_State]:
    """Yield the literal beginnings of a sequence of parts."""
    states = [state]
    for operator, argument in parts:
        states = [after for one in states for after in _after(operator, argument, one)]
        if len(states) > _MAX_PARTS:
            raise _NotLiteral
    yield from states


def _after(operator: Any, argument: Any, state: _State) -> Iterator[_State]:
    if operator is constants.AT and argument in _ENDS:
        yield replace(state, has_end=True)
    elif operator is constants.AT and argument in _STARTS and state == _State():
        yield state
    elif operator is constants.SUBPATTERN:
        _, added_flags, _, parts = argument
        if added_flags:
            raise _NotLiteral
        yield from _beginnings(parts, state)
    elif operator is constants.BRANCH:
        for branch in argument[1]:
            yield from _beginnings(branch, state)
    elif operator in _REPEATS:
        yield from _after_repeat(argument, state)
    elif state.is_open or state.has_end:
        raise _NotLiteral
    else:
        yield from _after_character(operator, argument, state)


def _after_character(operator: Any, argument: Any, state: _State) -> Iterator[_State]:
    if operator is constants.LITERAL:
        yield replace(state, text=state.text + chr(argument))
    elif operator is constants.ANY:
        yield replace(state, text=f"{state.text}.", is_partial=True)
    elif operator is constants.IN:
        for character in _characters(argument):
            yield replace(state, text=state.text + character)
    else:
        raise _NotLiteral


def _after_repeat(argument: Any, state: _State) -> Iterator[_State]:
    least, most, repeated = argument
    if repeated[0][0] is constants.ANY and len(repeated) == 1:
        if state.is_open or state.has_end or least > 1 or most is not constants.MAXREPEAT:
            raise _NotLiteral
        yield replace(state, is_open=True, excludes=least == 1)
        return
    if most is constants.MAXREPEAT or most - least > _MAX_CHARACTERS or most > _MAX_REPEATS:
        raise _NotLiteral
    for times in range(least, most + 1):
        yield from _beginnings(list(repeated) * times, state)


def _characters(items: Any) -> Iterator[str]:
    found: list[str] = []
    for operator, argument in items:
        if operator is constants.LITERAL:
            found.append(chr(argument))
        elif operator is constants.RANGE and argument[1] - argument[0] < _MAX_CHARACTERS:
            found += map(chr, range(argument[0], argument[1] + 1))
        else:
            raise _NotLiteral
    if len(found) > _MAX_CHARACTERS:
        raise _NotLiteral
    yield from found


def _is_anything(part: Any) -> bool:
    operator, argument = part
    return operator in _REPEATS and len(argument[2]) == 1 and argument[2][0][0] is constants.ANY


def _is_unbounded(part: Any) -> bool:
    return part[1][1] is constants.MAXREPEAT


def _is_end(part: Any) -> bool:
    return part[0] is constants.AT and part[1] in _ENDS


def _sample_parts(parts: Any) -> str:
    return "".join(_sample_part(operator, argument) for operator, argument in parts)


def _sample_part(operator: Any, argument: Any) -> str:
    if operator is constants.LITERAL:
        return chr(argument)
    if operator is constants.ANY:
        # Most likely a dot that was not escaped.
        return "."
    if operator is constants.NOT_LITERAL:
        return _ANY_CHARACTER
    if operator is constants.IN:
        return _sample_class(argument)
    if operator in _REPEATS:
        least, most, repeated = argument
        # Optional parts are included, such as the port of `(:\d+)?`.
        times = min(max(least, 1), most, _MAX_REPEATS)
        is_any = repeated[0][0] is constants.ANY
        return (_ANY_CHARACTER if is_any else _sample_parts(repeated)) * int(times)
    if operator is constants.SUBPATTERN:
        return _sample_parts(argument[-1])
    if operator is constants.BRANCH:
        return _sample_parts(argument[1][0])
    return ""


def _sample_class(items: Any) -> str:
    for operator, argument in items:
        if operator is constants.LITERAL:
            return chr(argument)
        if operator is constants.RANGE:
            return chr(argument[0])
        if operator is constants.CATEGORY and argument in _CATEGORIES:
            return _CATEGORIES[argument]
    return _ANY_CHARACTER
