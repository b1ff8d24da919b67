"""What a wrong configuration raises: every problem at once, each as data."""

from __future__ import annotations

from corscore._standard.text import shown


class Problem:
    """One thing that is wrong with a configuration.

    Attributes:
        code: A stable, documented name such as ``"origin-trailing-slash"``.
        field: The option it is about, as its user wrote it: ``"allow_origins"``, or the
            variable ``"CORS_ALLOW_ORIGINS"`` when the environment was read.
        value: The offending value itself; for a list option, the item.
        message: What is wrong, for a person.
        hint: What to write instead, with the corrected literal where one can be known.
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
        # Without `value`: what a user passes by mistake (a list, a dict) may not be hashable.
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
    """A policy that cannot be built. Its text lists every problem with what to write instead.

    Attributes:
        problems: All problems found, in the order of the options; never empty.
    """

    problems: tuple[Problem, ...]

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        count = len(self.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        return "\n\n  ".join((f"{head} in the CORS configuration:", *map(_indented, self.problems)))


def _indented(problem: Problem) -> str:
    return str(problem).replace("\n", "\n  ")
