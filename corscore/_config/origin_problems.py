"""Problems of items of ``allow_origins`` that are no patterns: regexes, globs and slips.

A hint allows what the item means, or less. If the other options refuse that, the hint says what to
decide.
"""

from __future__ import annotations

import re
from copy import copy

from corscore._config.advice import explain_literal
from corscore._config.pattern import ANY, is_loopback, parse_pattern
from corscore._config.regex import compiled
from corscore._config.spelling import Problems
from corscore._standard.fetch import DEFAULT_PORTS
from corscore._standard.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from corscore._config.options import Options
    from corscore._standard.problem import Problem

_OPTION = "allow_origins"
_REGEX = "allow_origin_regex"
_EXAMPLE = "https://app.example.com"

# Signs that occur in regexes for origins, but not in origins or globs such as https://app.*.com.
_REGEX_SIGNS = re.compile(
    r"\\[./:-]|\\[dwDW][+*{]|^\^|\$$|\([^)]*\)|[])][*+?{]|s\?:|(?<![a-zA-Z0-9_*-])\.[*+?]|\.\+"
)
_ANCHORS = re.compile(r"^(?:\^|\\A)|(?:\$|\\[zZ])$")
_EVERYTHING = re.compile(r"\.[*+]\??")
# Parts of common regexes, and their form in a pattern, which covers no more.
_MEANINGS = (
    (re.compile(r"\\(?=[-./:])"), ""),
    (re.compile(r"(?<=://)\(?(?:\?:)?\.[*+]\??\)?\.?(?=[a-z0-9])"), "*."),
    (re.compile(r"\((?:\?:)?:(?:\\d|\[0-9\])[+*]\)\?$"), ":*"),
)
_GLOB = re.compile(
    r"""[\s"']*(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<host>[a-z0-9_.*-]+)(?::(?P<port>[0-9*]+))?/?[\s"']*""",
    re.IGNORECASE,
)


def note_problems(
    problems: Problems,
    items: Sequence[str],
    options: Options | None,
    check: Callable[[Problems, Options], None],
) -> None:
    """Note what is wrong with items that are no patterns.

    Args:
        problems: Where to note it.
        items: At least one.
        options: The other options, which decide what a hint may write; None if a hint cannot write
            a regex.
        check: Notes the problems of options whose origins are all patterns.
    """
    hints = _Hints(problems, options, check)
    if options is not None:
        hints.join(items)
    for item in items:
        if options is not None and _is_regex(item):
            problems.add(
                "origin-is-regex",
                _OPTION,
                item,
                f"{shown(item)} is a regex, and no item of this list is taken for one.",
                hints.for_regex(item),
            )
            continue
        mistakes, suggestion = explain_literal(item)
        hint = hints.for_literal(item, {code for code, _ in mistakes}, suggestion)
        for code, mistake in mistakes:
            cause = hints.cause_of_empty() if code == "origin-empty" else ""
            problems.add(code, _OPTION, item, f"{shown(item)} {mistake}{cause}.", hint)


class _Hints:
    """The hints for one list of origins, given the other options of its policy."""

    def __init__(
        self,
        problems: Problems,
        options: Options | None,
        check: Callable[[Problems, Options], None],
    ) -> None:
        self._problems = problems
        self._options = options
        self._check = check
        self._joined: frozenset[str] = frozenset()
        self._for_joined = ""

    def join(self, items: Sequence[str]) -> None:
        """Join the items that no pattern can replace into one regex, since a policy has one."""
        regexes = [regex for item in items for regex in self._regex_alone(item)]
        if regexes:
            self._joined = frozenset(regexes)
            self._for_joined = self._alternatives([], regexes)

    def for_literal(self, item: str, codes: set[str], suggestion: str | None) -> str:
        problems = self._problems
        if suggestion is not None:
            refused = self._refusals([suggestion])
            literal = problems.literal(suggestion)
            if len(refused) > 1:
                reasons = ", ".join(dict.fromkeys(problem.code for problem in refused))
                return f"write {literal}, and decide what the other options refuse of it: {reasons}"
            return _with_risk(refused[0].hint, literal) if refused else f"write {literal}"
        if "origin-null" in codes:
            allow = problems.write("allow_null_origin", True)
            return f"drop it, or if you mean everyone, write {allow} instead"
        if "origin-file" in codes:
            example = problems.literal("http://localhost:8000")
            return f"serve the page over http, and write {example}"
        if "origin-empty" in codes:
            return self._for_empty()
        if "origin-wildcard-misplaced" in codes and _glob_regex(item) in self._joined:
            return self._for_joined
        several = [
            part for part in item.replace(",", " ").replace(";", " ").split() if "://" in part
        ]
        if len(several) > 1:
            return f"write one origin an item: {problems.write(_OPTION, several)}"
        return (
            "write what the browser's address bar shows up to the first slash, such as "
            f"{problems.literal(_EXAMPLE)} or {problems.literal('https://*.example.com')}"
        )

    def for_regex(self, item: str) -> str:
        regex = _without_anchors(item)
        if regex in self._joined:
            return self._for_joined
        return self._alternatives(_patterns(item), [regex])

    def _regex_alone(self, item: str) -> list[str]:
        """The regex for an item that no pattern can replace: a list of one or none."""
        if _is_regex(item):
            patterns = _patterns(item)
            has_pattern = patterns == [ANY] or any(map(self._is_admitted, patterns))
            return [] if has_pattern else [_without_anchors(item)]
        regex = None if explain_literal(item)[1] else _glob_regex(item)
        return [regex] if regex else []

    def cause_of_empty(self) -> str:
        if self._items_with_text():
            return ", as behind a comma at the end of a list that was split"
        return ", as where a variable of the environment is not set, and then split"

    def _for_empty(self) -> str:
        others = self._items_with_text()
        if others:
            return f"drop it, write {self._problems.write(_OPTION, others)}"
        example = self._problems.write(_OPTION, [_EXAMPLE])
        return f"set the variable, or list the origins, such as {example}"

    def _items_with_text(self) -> list[str]:
        return [item for item in getattr(self._options, _OPTION, ()) if item.strip()]

    def _alternatives(self, patterns: list[str], regexes: list[str]) -> str:
        """Return a hint with the patterns and the regex that the other options admit."""
        lines = []
        admitted = list(filter(self._is_admitted, patterns))
        if admitted:
            lines.append(self._items(admitted))
        refused = []
        line = ""
        if patterns != [ANY]:
            given = getattr(self._options, _REGEX, None)
            regexes = ([given.pattern] if given else []) + regexes
            whole = "|".join(f"(?:{one})" for one in regexes)
            if len(regexes) == 1 or any(map(_has_flags, regexes)) or _regex(whole) is None:
                whole = regexes[-1]
            refused = self._refusals([], whole)
            line = self._problems.write(_REGEX, whole)
            if not refused:
                lines.append(f"{line}, which has to match the whole origin")
        if lines:
            return f"write {', or '.join(lines)}"
        # The problem of the regex, or of the star, says what to decide.
        hint = (refused or self._refusals(patterns))[0].hint
        if patterns == [ANY]:
            return hint.replace("or write ", f"or write {self._items(patterns)} and ")
        return _with_risk(hint, line)

    def _items(self, patterns: list[str]) -> str:
        if patterns == [ANY] or len(getattr(self._options, _OPTION, ())) == 1:
            return self._problems.write(_OPTION, patterns)
        return " and ".join(map(self._problems.literal, patterns))

    def _is_admitted(self, pattern: str) -> bool:
        return not self._refusals([pattern])

    def _refusals(self, patterns: list[str], regex: str | None = None) -> list[Problem]:
        """The problems that these origins would have with the other options."""
        tried = copy(self._options)
        trial = Problems(self._problems.spelling)
        if tried is None:
            return []
        tried.allow_origins = tuple(patterns)
        tried.allow_null_origin = False
        tried.origin_resolver = None
        tried.allow_origin_regex = None if regex is None else _regex(regex)
        self._check(trial, tried)
        return trial.found


def _with_risk(hint: str, line: str) -> str:
    """The hint, with a second line to write to accept the risk."""
    return hint.replace("accept the risk with ", f"accept the risk with {line} and ")


def _is_regex(text: str) -> bool:
    is_origin_like = "//" in text or "." in text or "\\/" in text
    return is_origin_like and bool(_REGEX_SIGNS.search(text)) and _regex(text) is not None


def _has_flags(source: str) -> bool:
    """Whether a regex starts with flags: joined, Python 3.10 would apply them to all regexes."""
    found = _regex(source)
    return found is not None and found.flags != re.UNICODE


def _regex(source: str) -> re.Pattern[str] | None:
    try:
        return compiled(source)
    except (re.error, OverflowError, RecursionError):
        return None


def _without_anchors(source: str) -> str:
    """The regex without anchors, which it does not need to match the whole origin."""
    bare = _ANCHORS.sub("", source)
    return bare if _regex(bare) is not None else source


def _patterns(source: str) -> list[str]:
    """The patterns that cover what a regex matches, or less."""
    meant = _ANCHORS.sub("", source)
    if _EVERYTHING.fullmatch(meant):
        return [ANY]
    for regex, pattern in _MEANINGS:
        meant = regex.sub(pattern, meant)
    both = [meant.replace("https?", scheme, 1) for scheme in ("https", "http")]
    return [one for one in dict.fromkeys(both) if parse_pattern(one) is not None]


def _glob_regex(text: str) -> str | None:
    """The regex for a text with stars in its host or port, each within one label; or None."""
    found = _GLOB.fullmatch(text)
    if found is None or ANY not in text:
        return None
    host, port = found["host"].lower(), found["port"]
    is_number = host.strip("*.") != "" and not host.strip("0123456789*.")
    scheme = (found["scheme"] or ("http" if is_number or is_loopback(host) else "https")).lower()
    character = "[0-9]" if is_number else "[a-z0-9-]"
    if set(host) == {ANY}:
        # An extension's identifier has no dots; Safari's has upper-case letters.
        character = "[a-z0-9.-]" if scheme in DEFAULT_PORTS else "[A-Za-z0-9-]"
    regex = f"{_spelled(scheme)}://{_starred(host, character)}"
    if port is None:
        return regex
    return f"{regex}(?::[0-9]+)?" if set(port) == {ANY} else f"{regex}:{_starred(port, '[0-9]')}"


def _starred(glob: str, character: str) -> str:
    """The regex for a glob; a star behind a letter may match nothing, as in ``app*``."""
    written = ""
    for part in re.split(r"(\*+)", glob):
        if part.startswith(ANY):
            written += character + ("*" if written[-1:].isalnum() else "+")
        else:
            written += _spelled(part)
    return written


def _spelled(text: str) -> str:
    """The text in a regex, without backslashes, which a Python literal would double."""
    return re.sub(r"([.+])", r"[\1]", text)
