"""What is wrong with a Flask user's options, in the words in which they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore import Problem
from corscore.adapting import Notices

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "CORS_"


class Findings:
    """Collects the problems of one configuration, and says what is only to be mentioned.

    Args:
        given: The arguments of ``CORS``, which come before ``config``.
        config: ``app.config``, where an option stands in upper case behind ``CORS_``; a value of
            None counts as unset, as it does for flask-cors.

    Attributes:
        written: The options that count, under their names as arguments.
        problems: What was found so far.
        notices: Says each thing once.
        separator: What stands between a name and its value.
    """

    def __init__(self, given: Mapping[str, object], config: Mapping[str, object]) -> None:
        configured = {
            key.removeprefix(_PREFIX).lower(): value
            for key, value in config.items()
            if key.startswith(_PREFIX) and value is not None
        }
        self.written = {**configured, **given}
        self.problems: list[Problem] = []
        self.notices = Notices()
        self._given = given
        # Who writes options there will look for a missing one there, too.
        self._in_config = bool(configured) and not given
        self.separator = " = " if self._in_config else "="

    def is_argument(self, option: str) -> bool:
        """Whether the option was given to ``CORS`` itself."""
        return option in self._given

    def name(self, option: str) -> str:
        """The option as this user writes it."""
        is_key = option in self.written and option not in self._given
        return f"{_PREFIX}{option.upper()}" if is_key or self._in_config else option

    def write(self, option: str, value: object) -> str:
        """A line that sets the option to the value, for a hint."""
        return f"{self.name(option)}{self.separator}{literal(value)}"

    def add(self, code: str, option: str, value: object, message: str, hint: str) -> None:
        """Notes a problem."""
        self.problems.append(Problem(code, self.name(option), value, message, hint))


def literal(value: object) -> str:
    """The value in Python, with the double quotes that most people write."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, str) and value.isprintable() and not {'"', "\\"} & set(value):
        return f'"{value}"'
    return ascii(value)
