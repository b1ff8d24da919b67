"""``Finding``: something worth repairing that is not a refused request or a wrong configuration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at a configuration, a server or a recording found.

    Attributes:
        code: A stable code with a page in ``docs/codes``.
        message: What was found, in a sentence or two of printable ASCII.
        hint: What to do about it.
        place: Where: an option, a path, a URL; None where the message says it all.
    """

    code: str
    message: str
    hint: str
    place: str | None = None

    def to_dict(self) -> dict[str, str | None]:
        """All of it in a dict, as JSON has it."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "place": self.place,
        }
