"""Regexes for paths that were written for a match at the start.

django-cors-headers uses ``re.match``: there ``^/api/`` means every path below. Here a regex has to
match the whole path.
"""

from __future__ import annotations

import re
import sys
from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING or sys.version_info < (3, 11):
    import sre_constants as _constants
    import sre_parse as _parser
else:
    # The parser of re itself: nothing else is sure to read a pattern as re does.
    from re import _constants, _parser

_ENDS = (_constants.AT_END, _constants.AT_END_STRING)
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)


def extended(regex: re.Pattern[str]) -> str | None:
    """Return the regex with ``.*`` behind it, if it means that for a match at the start.

    None if its end is written out, as by ``$``, ``.*`` or ``(/.*)?``: then both ways of matching
    mean the same, or the regex was written for the whole path.
    """
    # The type stubs do not say that a tree is iterable.
    tree: Any = _parser.parse(regex.pattern, regex.flags)
    parts = list(tree)
    if not _is_open(parts):
        return None
    if any(operator is _constants.BRANCH for operator, _ in parts):
        return f"(?:{regex.pattern}).*"
    return f"{regex.pattern}.*"


def _is_open(parts: Any) -> bool:
    """Whether more text may follow the match of the parts, for a match at the start.

    A part of a parse tree is a pair: an operator and its argument, which may have parts itself.
    """
    if not len(parts):
        return True
    operator, argument = parts[-1]
    if operator is _constants.AT:
        return argument not in _ENDS
    if operator in _REPEATS:
        _, most, repeated = argument
        swallows_all = most is _constants.MAXREPEAT and repeated[0][0] is _constants.ANY
        return not swallows_all and _is_open(repeated)
    if operator is _constants.SUBPATTERN:
        return _is_open(argument[-1])
    if operator is _constants.BRANCH:
        return any(map(_is_open, argument[1]))
    return True
