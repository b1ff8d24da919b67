"""The two settings that hold regexes: ``CORS_ALLOWED_ORIGIN_REGEXES`` and ``CORS_URLS_REGEX``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from corscore import ConfigError, Problem
from corscore.integration import translated_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LISTS = (list, tuple, set, frozenset)

NOTHING = "(?!)"
"""A regex that never matches, for a policy whose origins only receivers allow."""

_OPTION = "allow_origin_regex"
_LITERAL = r"""(?:"[^"]*"|'(?:[^'\\]|\\.)*')"""
# Options on which the checks of a regex depend.
_CHECK_SWITCHES = (
    "allow_credentials",
    "allow_private_network",
    "dangerously_allow_insecure_origins",
    "dangerously_allow_public_suffixes",
    "dangerously_allow_slow_regex",
)
_EXAMPLE = r'r"https://pr-[0-9]+\.example\.com"'
_FLAGS = {"a": re.ASCII, "i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}
_INLINE_FLAGS = re.compile(r"(?:\(\?[aimsux]+\))*")
# \1 and (?(1)...), unless the backslash is itself escaped.
_BY_NUMBER = re.compile(r"(?<!\\)(?:\\\\)*(?:\\[1-9]|\(\?\([1-9])")


def join(
    regexes: Any, names: Mapping[str, str], options: Mapping[str, object], problems: list[Problem]
) -> str | re.Pattern[str] | None:
    """Return one regex that matches every origin that one of the setting's regexes matches.

    Args:
        regexes: The setting's value.
        names: The setting for each argument of ``Policy``.
        options: The other arguments of ``Policy``, some of which make the checks stricter.
        problems: Gets each mistake.

    Returns:
        None if there is a mistake, or no regex.
    """
    name = names[_OPTION]
    if not isinstance(regexes, LISTS):
        is_regex = isinstance(regexes, (str, re.Pattern))
        problems.append(
            Problem(
                "not-a-list",
                name,
                regexes,
                f"{regexes!a} is not a list, tuple or set of regexes.",
                f"write {name} = [{ascii(regexes) if is_regex else _EXAMPLE}]",
            )
        )
        return None
    several = len(regexes) > 1
    found = [problem for regex in regexes for problem in _mistakes(regex, names, options, several)]
    problems.extend(found)
    if found or not regexes:
        return None
    # A single regex stays as it was written.
    return "|".join(map(_scoped, regexes)) if several else next(iter(regexes))


def _mistakes(
    regex: Any, names: Mapping[str, str], options: Mapping[str, object], several: bool
) -> Iterator[Problem]:
    name = names[_OPTION]
    if not isinstance(regex, (str, re.Pattern)):
        message = f"{regex!a} in the list is not a str or a compiled pattern of str."
        yield Problem("not-a-string", name, regex, message, f"write {name} = [{_EXAMPLE}]")
        return
    switches = {option: True for option in _CHECK_SWITCHES if options.get(option) is True}
    try:
        translated_policy({_OPTION: regex, **switches}, names, " = ")
    except ConfigError as error:
        for problem in error.problems:
            hint = bracketed(problem.hint, name)
            yield Problem(problem.code, name, problem.value, problem.message, hint)
        return
    source = regex.pattern if isinstance(regex, re.Pattern) else regex
    if several and _BY_NUMBER.search(source):
        yield Problem(
            "regex-invalid",
            name,
            source,
            f"{source!a} refers to a group by its number, which changes when several regexes are "
            "joined.",
            "name the group: (?P<name>...) and (?P=name)",
        )


def _scoped(regex: str | re.Pattern[str]) -> str:
    """The regex as a part of another, with its own flags."""
    compiled = re.compile(regex)
    flags = "".join(letter for letter, flag in _FLAGS.items() if compiled.flags & flag)
    source = _INLINE_FLAGS.sub("", compiled.pattern, count=1)
    # With VERBOSE, a comment at the end would swallow the bracket.
    end = "\n" if compiled.flags & re.VERBOSE else ""
    return f"(?{flags}:{source}{end})"


def bracketed(hint: str, name: str) -> str:
    """A hint that sets one regex, rewritten for a setting that is a list of them."""
    return re.sub(rf"({re.escape(name)} = )({_LITERAL})", r"\1[\2]", hint)


def read_urls(value: Any, name: str, problems: list[Problem]) -> re.Pattern[str] | None:
    """Return the regex for paths; None without one, or with one that is a problem."""
    if value is None:
        return None
    source = value.pattern if isinstance(value, re.Pattern) else value
    if not isinstance(source, str):
        code, reason = "not-a-string", "is not a str or a compiled pattern of str"
    else:
        try:
            return re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            code, reason = "regex-invalid", f"is not a valid regex: {error}"
    hint = f'write {name} = r"/api/.*"'
    problems.append(Problem(code, name, value, f"{source!a} {reason}.", hint))
    return None
