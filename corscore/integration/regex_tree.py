"""The parse tree of a regex, for adapters that translate regexes of paths."""

from __future__ import annotations

from corscore._standard.regex_tree import constants, parse

__all__ = ("constants", "parse")
