"""How a user writes the options: names and literals in problems and hints.

The same option is ``allow_origins=[...]`` in Python, ``CORS_ALLOW_ORIGINS=...`` in the environment,
``origins=[...]`` for a Flask user and ``CORS_ALLOWED_ORIGINS = [...]`` for a Django user.
"""

from __future__ import annotations

from corscore._standard.problem import ConfigError, Problem
from corscore._standard.text import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

# Values of `re.RegexFlag`: numbers, since `re` is imported late. UNICODE is the default of a str.
_INLINE_FLAGS = {"a": 256, "i": 2, "m": 8, "s": 16, "x": 64}
_FLAG_LETTERS = frozenset("aimsux")


class Spelling:
    """The user's names of the options, and the form of their values.

    Args:
        names: The user's names by the options of ``Policy``; a missing option keeps its own.
        literal: Turns a value, or an item of a list, into text that the user can paste.
        separator: The text between a name and its value: ``"="`` or ``" = "``.
    """

    __slots__ = ("_names", "_separator", "literal")

    def __init__(
        self, names: Mapping[str, str], literal: Callable[[object], str], separator: str
    ) -> None:
        self._names = names
        self.literal: Callable[[object], str] = literal
        self._separator = separator

    def name(self, option: str) -> str:
        """The user's name of an option."""
        return self._names.get(option, option)

    def write(self, option: str, value: object) -> str:
        """A line that sets the option to the value."""
        return f"{self.name(option)}{self._separator}{self.literal(value)}"


def python_literal(value: object) -> str:
    """The value in Python, never cut, since hints are pasted."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(python_literal(item) for item in value) + "]"
    return quoted(value)


def variable_literal(value: object) -> str:
    """The value as an environment variable holds it: ``https://a.example,https://b.example``."""
    if isinstance(value, (list, tuple)):
        return ",".join(variable_literal(item) for item in value)
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value)


def json_value(value: object) -> object:
    """The value of an option in types that JSON and TOML share; None is ``"none"``."""
    if isinstance(value, tuple):
        return list(value)
    pattern = getattr(value, "pattern", None)
    if pattern is not None:
        letters, source = regex_meaning(value)
        return f"(?{letters}){source}" if letters else source
    return "none" if value is None else value


def regex_meaning(regex: Any) -> tuple[str, str]:
    """The flags of a compiled regex as inline letters, and the regex without them at its start."""
    source: str = regex.pattern
    end = source.find(")")
    if source.startswith("(?") and end > len("(?") and _FLAG_LETTERS.issuperset(source[2:end]):
        source = source[end + 1 :]
    letters = (letter for letter, flag in _INLINE_FLAGS.items() if regex.flags & flag)
    return "".join(letters), source


def table_literal(value: object) -> str:
    """The value as TOML and JSON write it: strings and booleans look the same in both."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(table_literal, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        # TOML has no null; a string in a table is read like a variable.
        return '"none"'
    if not isinstance(value, str):
        return quoted(value)
    # Imported late: only a wrong configuration needs it.
    from json import dumps

    return dumps(value)


def python_expression(value: object) -> str:
    """The value of an option as Python that evaluates to it, where ``re`` is imported."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(repr, value))}]"
    pattern = getattr(value, "pattern", None)
    return repr(value) if pattern is None else _regex_literal(pattern, getattr(value, "flags", 0))


def _regex_literal(pattern: str, flags: int) -> str:
    # Imported late: a policy with a regex has loaded it already.
    import re

    # A compiled regex without flags equals the one that `Policy` compiles from its str.
    if flags == re.compile(pattern).flags:
        return repr(pattern)
    # The repr of a compiled regex is cut at 200 characters, and UNICODE is the default.
    own = re.RegexFlag(flags) & ~re.UNICODE
    return f"re.compile({pattern!r}, {own!r})"


KEYWORDS = Spelling({}, python_literal, "=")


class Problems:
    """The problems of one configuration, in its user's spelling.

    Attributes:
        spelling: How the user writes options.
        found: The problems so far.
    """

    __slots__ = ("found", "spelling")

    def __init__(self, spelling: Spelling) -> None:
        self.spelling = spelling
        self.found: list[Problem] = []

    def add(self, code: str, option: str, value: object, message: str, hint: str) -> None:
        """Add a problem with an option of ``Policy``."""
        self.found.append(Problem(code, self.spelling.name(option), value, message, hint))

    def write(self, option: str, value: object) -> str:
        """A line that sets the option to the value, for a hint."""
        return self.spelling.write(option, value)

    def literal(self, value: object) -> str:
        """A value or an item of a list, for a hint."""
        return self.spelling.literal(value)

    def has(self, option: str) -> bool:
        """Whether there is a problem with the option."""
        return any(problem.field == self.spelling.name(option) for problem in self.found)

    def raise_all(self, order: Iterable[str] = ()) -> None:
        """Raise a ``ConfigError`` with all problems, if there are any.

        Args:
            order: The options, in the order to list their problems in; all others come first.
        """
        if self.found:
            ranks = {self.spelling.name(option): rank for rank, option in enumerate(order)}
            raise ConfigError(
                tuple(sorted(self.found, key=lambda problem: ranks.get(problem.field, -1)))
            )
