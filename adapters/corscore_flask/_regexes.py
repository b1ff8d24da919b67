"""Strings in ``allow_headers`` that flask-cors takes for regexes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from corscore.integration import python_literal

if TYPE_CHECKING:
    from typing import Any

    from corscore_flask._given import GivenOptions

# The characters that flask-cors takes for signs of a regex. No header in use has one.
_SIGNS = re.compile(r"[]*\\?$^[()]")


def without_header_regexes(user_options: GivenOptions, items: list[Any]) -> list[Any]:
    """Return the items of ``allow_headers`` that are no regex; the others become problems."""
    kept = []
    for item in items:
        source = item.pattern if isinstance(item, re.Pattern) else item
        if source is item and not (isinstance(item, str) and item != "*" and _SIGNS.search(item)):
            kept.append(item)
            continue
        user_options.add(
            "header-is-regex",
            "allow_headers",
            item,
            f"{python_literal(source)} is a regex; this option lists names.",
            f"list them, {user_options.write('allow_headers', ['X-Request-Id'])}, or write "
            f"{user_options.write('allow_headers', ['*'])} for any",
        )
    return kept
