"""Regexes that are written for a match at the start.

flask-cors and django-cors-headers use ``re.match``: there ``^/api/`` means every path below, and
``^http://localhost`` every port. Here a regex has to match the whole path or origin.
"""

from __future__ import annotations

from corscore._standard.regex_tree import constants, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any

_LOCAL = ("http://localhost", "http://127.0.0.1", "https://localhost")
_ENDS = (constants.AT_END, constants.AT_END_STRING)
_REPEATS = (constants.MAX_REPEAT, constants.MIN_REPEAT)


def with_open_end(regex: re.Pattern[str]) -> str | None:
    """Return the regex with ``.*`` behind it, which is its meaning in a match at the start.

    None if its end is written out, as by ``$``, ``.*`` or ``(/.*)?``: such a regex means the same
    in both ways of matching, or was written for the whole path.
    """
    parts = list(parse(regex))
    if not _is_open(parts):
        return None
    if any(operator is constants.BRANCH for operator, _ in parts):
        return f"(?:{regex.pattern}).*"
    return f"{regex.pattern}.*"


def is_written_for_match(regex: re.Pattern[str]) -> bool:
    """Whether a regex for origins was meant for a match at the start, and so loses origins here.

    A missing end alone does not show that, since regexes for the whole origin are often written
    without ``^`` and ``$``. Such a regex must also begin with ``^``, or match a local host only
    without a port.
    """
    if with_open_end(regex) is None:
        return False
    return regex.pattern.startswith("^") or any(
        regex.fullmatch(host) and not regex.fullmatch(f"{host}:3000") for host in _LOCAL
    )


def _is_open(parts: Any) -> bool:
    """Whether other text may follow a match of the parts, which are those of a parse tree."""
    if not len(parts):
        return True
    operator, argument = parts[-1]
    if operator is constants.AT:
        return argument not in _ENDS
    if operator in _REPEATS:
        _, most, repeated = argument
        swallows_all = most is constants.MAXREPEAT and repeated[0][0] is constants.ANY
        return not swallows_all and _is_open(repeated)
    if operator is constants.SUBPATTERN:
        return _is_open(argument[-1])
    if operator is constants.BRANCH:
        return any(map(_is_open, argument[1]))
    return True
