"""How the user of an option wrote it, so that problems and hints speak that user's language.

The same option is ``allow_origins=[...]`` in Python, ``CORS_ALLOW_ORIGINS=...`` in the environment,
``origins=[...]`` for a Flask user and ``CORS_ALLOWED_ORIGINS = [...]`` for a Django user.
"""

from __future__ import annotations

from corscore._standard.problem import ConfigError, Problem
from corscore._standard.text import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class Spelling:
    """Names of options, and how values are written behind them.

    Args:
        names: Option of ``Policy`` to the name that this user knows; missing ones keep theirs.
        literal: A value, or an item of a list, as this user writes it.
        separator: What stands between a name and its value.
    """

    __slots__ = ("_names", "_separator", "literal")

    def __init__(
        self, names: Mapping[str, str], literal: Callable[[object], str], separator: str
    ) -> None:
        self._names = names
        self.literal: Callable[[object], str] = literal
        self._separator = separator

    def name(self, option: str) -> str:
        """The option as this user knows it."""
        return self._names.get(option, option)

    def write(self, option: str, value: object) -> str:
        """A line that sets the option to the value."""
        return f"{self.name(option)}{self._separator}{self.literal(value)}"


def python_literal(value: object) -> str:
    """The value in Python, whole: people copy it."""
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


def rebuilding(value: object) -> str:
    """The value of an option so that ``eval`` gives it back; ``re`` where a regex has flags."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(repr, value))}]"
    pattern = getattr(value, "pattern", None)
    return repr(value) if pattern is None else _regex_literal(pattern, getattr(value, "flags", 0))


def _regex_literal(pattern: str, flags: int) -> str:
    # Imported late: only a policy with a regex needs it, and has loaded it.
    import re

    # A compiled regex without flags of its own is written as the str that it came from.
    if flags == re.compile(pattern).flags:
        return repr(pattern)
    # Not as its own repr, which is cut at 200 characters. UNICODE goes without saying.
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
        """A corrected line of this user's configuration, for a hint."""
        return self.spelling.write(option, value)

    def literal(self, value: object) -> str:
        """A corrected item or value, for a hint."""
        return self.spelling.literal(value)

    def has(self, option: str) -> bool:
        """Whether there is a problem with the option."""
        return any(problem.field == self.spelling.name(option) for problem in self.found)

    def raise_all(self, order: Iterable[str] = ()) -> None:
        """Raise a ``ConfigError`` with all problems, if there are any.

        Args:
            order: Options in the order that their problems get; all other problems come first.
        """
        if self.found:
            ranks = {self.spelling.name(option): rank for rank, option in enumerate(order)}
            raise ConfigError(
                tuple(sorted(self.found, key=lambda problem: ranks.get(problem.field, -1)))
            )
