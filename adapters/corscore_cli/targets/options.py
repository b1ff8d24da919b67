"""What a file or the environment says, before it is judged: for findings beside problems."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from corscore_cli.shell.location import option_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LISTS = ("allow_origins", "allow_methods", "allow_headers", "expose_headers")
_TRUE = ("true", "1", "yes", "on")


def table_of(path: Path) -> dict[str, Any]:
    """The table in a TOML file; empty where it cannot be read, which others complain of."""
    for parser in ("tomllib", "tomli"):
        try:
            table: dict[str, Any] = import_module(parser).loads(path.read_text(encoding="utf-8"))
        except (ImportError, OSError, ValueError, RecursionError):
            continue
        return table
    return {}


def as_options(table: Mapping[str, object]) -> dict[str, object]:
    """Keys as options of ``Policy``, and strings as the values that they stand for."""
    return {
        option: _value(option, value)
        for option, value in ((option_of(key), value) for key, value in table.items())
    }


def _value(option: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    if option in _LISTS:
        return [item.strip() for item in value.split(",") if item.strip()]
    text = value.strip()
    if option == "max_age":
        return int(text) if text.isascii() and text.isdigit() else None
    return text.lower() in _TRUE if option != "allow_origin_regex" else text
