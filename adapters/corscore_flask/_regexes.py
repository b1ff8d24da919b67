"""Strings that flask-cors takes for regexes, and what to write instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from corscore import ConfigError, Policy
from corscore_flask._given import literal

if TYPE_CHECKING:
    from typing import Any

    from corscore_flask._given import GivenOptions

# The characters that flask-cors takes for signs of a regex. No header in use has one.
_SIGNS = re.compile(r"[]*\\?$^[()]")
# The same for origins, whose patterns may have some of them: https://*.example.com, [::1]:8080
_ORIGIN_SIGNS = re.compile(r"[\\^$(){}|]|[].][*+?]|\?:|\[[^]:]*\]")

# From common regexes to the pattern that they mean.
_MEANINGS = (
    (re.compile(r"\\(?=[-./:])|^\^|\$$"), ""),
    (re.compile(r"^(?:https?\??://)?\.[*+]$"), "*"),
    (re.compile(r"(?<=://)\(?(?:\.|\\w|\[[^]]+\])[*+]\)?\.?"), "*."),
    (re.compile(r":(?:\.|\\d|\[0-9\])[*+]$"), ":*"),
)


def without_origin_regexes(problems: GivenOptions, items: list[Any]) -> list[Any]:
    """Return the items of ``origins`` that are no regex; the others become problems."""
    kept = []
    for item in items:
        if not isinstance(item, str) or not _ORIGIN_SIGNS.search(item) or _is_pattern(item):
            kept.append(item)
            continue
        problems.add(
            "origin-is-regex",
            "origins",
            item,
            f"{literal(item)} is a regex, and no string in this list is taken for one.",
            _instead_of(problems, item),
        )
    return kept


def without_header_regexes(problems: GivenOptions, items: list[Any]) -> list[Any]:
    """``without_origin_regexes`` for ``allow_headers``."""
    kept = []
    for item in items:
        source = item.pattern if isinstance(item, re.Pattern) else item
        if source is item and not (isinstance(item, str) and item != "*" and _SIGNS.search(item)):
            kept.append(item)
            continue
        problems.add(
            "header-is-regex",
            "allow_headers",
            item,
            f"{literal(source)} is a regex, and this list is of names.",
            f"list them, {problems.write('allow_headers', ['X-Request-Id'])}, or write "
            f"{problems.write('allow_headers', ['*'])} for any",
        )
    return kept


def _is_pattern(text: str) -> bool:
    try:
        Policy(allow_origins=[text])
    except ConfigError:
        return False
    return True


def _instead_of(problems: GivenOptions, source: str) -> str:
    meant = source
    for regex, pattern in _MEANINGS:
        meant = regex.sub(pattern, meant)
    patterns = [re.sub("^https[?]", scheme, meant) for scheme in ("https", "http")]
    patterns = list(dict.fromkeys(filter(_is_pattern, patterns)))
    whole = problems.write("allow_origin_regex", source.removeprefix("^").removesuffix("$"))
    if not patterns:
        return f"write {whole}, which has to match the whole origin"
    instead = f"write {problems.write('origins', patterns)}"
    return instead if meant == "*" else f"{instead}, or {whole}, which has to match all of it"
