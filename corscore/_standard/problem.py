"""The exception for a wrong configuration, with every problem as data."""

from __future__ import annotations

from corscore._standard.page import code_page
from corscore._standard.text import shown


class Problem:
    """A mistake in a configuration.

    Attributes:
        code: A stable, documented name such as ``"origin-trailing-slash"``.
        field: The option as the user wrote it: ``"allow_origins"``, or the environment variable
            ``"CORS_ALLOW_ORIGINS"``.
        value: The faulty value; of a list, the faulty item.
        message: The fault and its consequence.
        hint: The correction, with a literal to paste where one is known.
    """

    __slots__ = ("code", "field", "hint", "message", "value")

    code: str
    field: str
    value: object
    message: str
    hint: str

    def __init__(self, code: str, field: str, value: object, message: str, hint: str) -> None:
        for name, given in (
            ("code", code),
            ("field", field),
            ("value", value),
            ("message", message),
            ("hint", hint),
        ):
            object.__setattr__(self, name, given)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Problem is immutable: {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Problem is immutable: {name!r} cannot be deleted")

    def _values(self) -> tuple[str, str, object, str, str]:
        return (self.code, self.field, self.value, self.message, self.hint)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Problem):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        # Without `value`, which may be a list or a dict.
        return hash((self.code, self.field, self.message, self.hint))

    def __reduce__(self) -> tuple[type[Problem], tuple[str, str, object, str, str]]:
        return (Problem, self._values())

    def __repr__(self) -> str:
        return (
            f"Problem(code={self.code!r}, field={self.field!r}, value={shown(self.value)}, "
            f"message={self.message!r}, hint={self.hint!r})"
        )

    def __str__(self) -> str:
        return f"{self.field}: {self.message}\n    {self.hint}  [{self.code}]"


class ConfigError(ValueError):
    """Raised for a wrong configuration; the text lists every problem with its hint.

    Attributes:
        problems: All problems found, in the order of the options; never empty.
    """

    # Tracebacks print the name that users import.
    __module__ = "corscore"

    problems: tuple[Problem, ...]

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        count = len(self.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        lines = [f"{head} in the CORS configuration:", *map(_indented, self.problems)]
        if self.problems:
            lines.append(f"more about a code in brackets: {code_page(self.problems[0].code)}")
        return "\n\n  ".join(lines)


def _indented(problem: Problem) -> str:
    return str(problem).replace("\n", "\n  ")
