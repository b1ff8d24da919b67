"""Finds regexes that were written for a match at the start, where the whole path counts now.

django-cors-headers asks ``re.match`` about a path: to it ``^/api/`` means everything below. Here a
regex has to match the whole path.
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
    """The regex with ``.*`` behind it, where that is what a match at the start meant.

    None where the end is spelled out, as by ``$``, ``.*`` or ``(/.*)?``: there the two ways of
    matching mean the same, or the regex was written for the whole path.
    """
    # The type stubs do not know that a tree can be walked through.
    tree: Any = _parser.parse(regex.pattern, regex.flags)
    parts = list(tree)
    if not _is_open(parts):
        return None
    if any(operator is _constants.BRANCH for operator, _ in parts):
        return f"(?:{regex.pattern}).*"
    return f"{regex.pattern}.*"


def _is_open(parts: Any) -> bool:
    """Whether something may follow what the parts match, for a match at the start.

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
