"""``Finding``: a warning with a code, a message and a hint."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault in a configuration, a server or a recording that is worth repairing.

    Attributes:
        code: A stable code with a page in ``docs/codes``.
        message: The fault, in a sentence or two of printable ASCII.
        hint: What to do about it.
        place: The option, path or URL that has the fault; None if the message names it.
    """

    code: str
    message: str
    hint: str
    place: str | None = None

    def to_dict(self) -> dict[str, str | None]:
        """Return all of it as a dict, ready for JSON."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "place": self.place,
        }
