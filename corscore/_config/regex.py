"""What can be said of an origin regex before any request: is it valid, bounded, and not a sieve?

A regex is the one part of a policy that a request's length can make slow and that nobody can read
with certainty, so it is looked at from both sides: its parse tree, and what it matches.
"""

from __future__ import annotations

import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

if TYPE_CHECKING or sys.version_info < (3, 11):
    import sre_constants as _constants
    import sre_parse as _parser
else:
    # The parser of re itself: nothing else is sure to read a pattern as re does.
    from re import _constants, _parser

_UNBOUNDED = _constants.MAXREPEAT
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)
# Both came with Python 3.11.
_NEVER_BACKTRACKING = tuple(
    getattr(_constants, name)
    for name in ("ATOMIC_GROUP", "POSSESSIVE_REPEAT")
    if hasattr(_constants, name)
)

# Origins that no configuration means: names that nobody has, under endings where anyone can
# register one and on platforms where anyone can publish, and addresses kept for documentation
# (RFC 5737, RFC 3849). Those of the first list are short, for a regex that may be slow.
_ENDINGS = ("com", "net", "org", "io", "dev", "app", "co.uk", "example", "test", "invalid")
_PLATFORMS = ("github.io", "vercel.app", "netlify.app", "herokuapp.com", "pages.dev", "web.app")
_SHORT_HOSTS = ("z9.com", "z9.io", "z9.app")
_HOSTS = (
    *_SHORT_HOSTS,
    "203.0.113.77",
    "[2001:db8::77]",
    *(
        f"{name}.{ending}"
        for ending in (*_ENDINGS, *_PLATFORMS)
        for name in ("corscorenobody", "corscore-nobody-7f3a", "a.corscore-nobody-7f3a")
    ),
)
_FORMS = ("https://{}", "http://{}", "https://{}:8443", "http://{}:8080")


def matched_stranger(regex: re.Pattern[str], *, may_be_slow: bool) -> str | None:
    """An origin that nobody can have meant, yet the regex matches; None when there is none."""
    for host in _SHORT_HOSTS if may_be_slow else _HOSTS:
        for form in _FORMS:
            if regex.fullmatch(form.format(host)):
                return form.format(host)
    return None


def has_nested_repeats(regex: re.Pattern[str]) -> bool:
    """Whether one unbounded repeat stands inside another, which can take exponential time.

    Alternatives inside an unbounded repeat count too: ``(a|aa)+`` is as slow as ``(a+)+``.
    Possessive repeats and atomic groups never backtrack, and do not count.
    """
    # A parse tree is (operator, argument) pairs in lists, with further trees in the arguments. It
    # can be deeper than Python's stack, hence a stack of our own: nodes, and whether an unbounded
    # repeat is around them.
    pending: list[tuple[Any, bool]] = [(_parser.parse(regex.pattern, regex.flags), False)]
    while pending:
        node, inside = pending.pop()
        if not isinstance(node, (_parser.SubPattern, tuple, list)):
            continue
        operator = node[0] if len(node) == 2 else None
        if any(operator is atomic for atomic in _NEVER_BACKTRACKING):
            inside = False
        elif operator is _constants.BRANCH:
            if inside:
                return True
        elif any(operator is repeat for repeat in _REPEATS) and node[1][1] is _UNBOUNDED:
            if inside:
                return True
            inside = True
        pending.extend((node[i], inside) for i in range(len(node)))
    return False
