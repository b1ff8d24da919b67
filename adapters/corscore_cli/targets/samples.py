"""A text that a regex matches, to send to a server."""

from __future__ import annotations

import re
import sys
from typing import Any

from corscore.diagnostics import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

if TYPE_CHECKING or sys.version_info < (3, 11):
    import sre_constants as _constants
    import sre_parse as _parser
else:
    # The parser of re itself: nothing else is sure to read a pattern as re does.
    from re import _constants, _parser

_CATEGORIES = {
    _constants.CATEGORY_DIGIT: "1",
    _constants.CATEGORY_SPACE: " ",
    _constants.CATEGORY_WORD: "a",
}
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)
_ANYTHING = "a"
_MOST_REPEATS = 64


def sample(regex: str | re.Pattern[str]) -> str | None:
    """Return a text that the whole regex matches, from its first branches, or None."""
    try:
        compiled = re.compile(regex)
        text = _of_parts(_parser.parse(compiled.pattern, compiled.flags))
        return text if compiled.fullmatch(text) else None
    except (re.error, OverflowError, RecursionError):
        return None


def prefix_matched(library: str | None, options: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a finding for each regex that ``re.match`` of the library extends to look-alikes."""
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


def _of_parts(parts: Any) -> str:
    return "".join(_of_part(operator, argument) for operator, argument in parts)


def _of_part(operator: Any, argument: Any) -> str:
    if operator is _constants.LITERAL:
        return chr(argument)
    if operator is _constants.ANY:
        # A single one is a dot that was not escaped, most of the time.
        return "."
    if operator is _constants.NOT_LITERAL:
        return _ANYTHING
    if operator is _constants.IN:
        return _of_class(argument)
    if operator in _REPEATS:
        least, most, repeated = argument
        # An optional part is included: `(:\d+)?` gives a port.
        times = min(max(least, 1), most, _MOST_REPEATS)
        is_anything = repeated[0][0] is _constants.ANY
        return (_ANYTHING if is_anything else _of_parts(repeated)) * int(times)
    if operator is _constants.SUBPATTERN:
        return _of_parts(argument[-1])
    if operator is _constants.BRANCH:
        return _of_parts(argument[1][0])
    return ""


def _of_class(items: Any) -> str:
    for operator, argument in items:
        if operator is _constants.LITERAL:
            return chr(argument)
        if operator is _constants.RANGE:
            return chr(argument[0])
        if operator is _constants.CATEGORY and argument in _CATEGORIES:
            return _CATEGORIES[argument]
    return _ANYTHING
