"""Values in messages and logs: quoted, cut, and escaped."""

from __future__ import annotations

_MAX_SHOWN = 120
_MAX_LOGGED = 200
_MAX_IN_BACKTICKS = 64


def quoted(value: object) -> str:
    """The value as a Python literal, with double quotes where they need no escapes."""
    if _is_plain(value):
        return f'"{value}"'
    try:
        return ascii(value)
    except (ValueError, RecursionError):
        # Python refuses to write an int of more than 4,300 digits.
        return f"<{type(value).__name__}>"


def regex_literal(source: str) -> str:
    """A regex as a Python literal: raw, with double quotes, where that is possible."""
    can_be_raw = source.isascii() and source.isprintable() and '"' not in source
    return f'r"{source}"' if can_be_raw and not source.endswith("\\") else ascii(source)


def shown(value: object) -> str:
    """The value as a Python literal, cut to 120 characters."""
    text = quoted(value)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."


def in_backticks(token: str) -> str:
    """A token in backticks, cut to 64 characters: `` `GET` ``."""
    return f"`{token}`" if len(token) <= _MAX_IN_BACKTICKS else f"`{token[:_MAX_IN_BACKTICKS]}...`"


def escaped(value: object) -> str:
    """The value as text that is safe in a log: printable ASCII, cut to 200 characters.

    Line breaks become ``\\n``, terminal escapes ``\\x1b``.
    """
    text = str(value)
    cut = text[:_MAX_LOGGED].encode("unicode_escape").decode("ascii")
    return cut if len(text) <= _MAX_LOGGED else f"{cut}..."


def _is_plain(value: object) -> bool:
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and not ('"' in value or "\\" in value)
    )
