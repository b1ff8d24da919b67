"""The options that a Flask user wrote, and their problems, under the user's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from corscore import Problem
from corscore.integration import Notices, python_literal

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "CORS_"


class Resource(NamedTuple):
    """One path in ``resources``, whose options beat those of the whole app.

    Attributes:
        name: The path as the user writes it: ``resources["/api/*"]``.
        options: The options of the path.
    """

    name: str
    options: Mapping[str, object]


class GivenOptions:
    """The options of one configuration, their problems, and the notices about them.

    Args:
        given: The arguments of ``CORS``, which beat ``config``.
        config: ``app.config``, which has options in upper case after ``CORS_``; None counts as
            unset, as it does for flask-cors.
        place: Options that beat both.
        notices: The notices, which several places may share.

    Attributes:
        written: The options that count, under their names as arguments.
        found: The problems so far.
        notices: The notices.
        separator: The text between a name and its value.
    """

    def __init__(
        self,
        given: Mapping[str, object],
        config: Mapping[str, object],
        place: Resource | None = None,
        notices: Notices | None = None,
    ) -> None:
        configured = _configured(config)
        own = {} if place is None else place.options
        self.written: dict[str, object] = {**configured, **given, **own}
        self.found: list[Problem] = []
        self.notices: Notices = Notices() if notices is None else notices
        self._given = given
        self._place = place
        # A user of ``app.config`` looks for a missing option there.
        self._in_config = bool(configured) and not given
        self.separator: str = " = " if self._in_config or place is not None else "="

    def is_in_place(self, option: str) -> bool:
        """Whether the option is among those of the place."""
        return self._place is not None and option in self._place.options

    def is_argument(self, option: str) -> bool:
        """Whether the option was written for ``CORS`` itself, not in ``app.config``."""
        return option in self._given or self.is_in_place(option)

    def name(self, option: str) -> str:
        """The option as this user writes it."""
        is_written = option in self.written
        if self._place is not None and (self.is_in_place(option) or not is_written):
            return f"{self._place.name}[{python_literal(option)}]"
        is_key = is_written and option not in self._given
        return f"{_PREFIX}{option.upper()}" if is_key or self._in_config else option

    def write(self, option: str, value: object) -> str:
        """A line that sets the option to the value, for a hint."""
        return f"{self.name(option)}{self.separator}{python_literal(value)}"

    def add(self, code: str, option: str, value: object, message: str, hint: str) -> None:
        """Add a problem."""
        self.found.append(Problem(code, self.name(option), value, message, hint))


def _configured(config: Mapping[str, object]) -> dict[str, object]:
    """The options of ``app.config``, under their names as arguments."""
    return {
        key.removeprefix(_PREFIX).lower(): value
        for key, value in config.items()
        if key.startswith(_PREFIX) and value is not None
    }
