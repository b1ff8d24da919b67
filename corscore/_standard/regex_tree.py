"""The parse tree of a regex, from the parser of ``re``, so that no check reads it differently."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING or sys.version_info < (3, 11):
    import sre_constants as constants
    import sre_parse as _parser
else:
    from re import _constants as constants
    from re import _parser

if TYPE_CHECKING:
    import re
    from typing import Any

__all__ = ("constants", "parse")


def parse(regex: re.Pattern[str]) -> Any:
    """Return the tree: pairs of an operator, which is one of ``constants``, and its argument."""
    # The type stubs do not say that a tree is iterable.
    return _parser.parse(regex.pattern, regex.flags)
