"""Text for a terminal or a pipe, JSON for programs, and the exit codes of all commands."""

from __future__ import annotations

import json
import math
import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.style import Style
from rich.text import Text

from corscore.diagnostics import code_page

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

FINE = 0
FINDINGS = 1
USAGE = 2

# Wide enough to break no line in a pipe, where programs such as grep read it.
_PIPE_WIDTH = 100_000
_MIN_WIDTH = 20


class Mistake(click.ClickException):
    """A mistake in the call: one line on stderr, and exit code 2."""

    exit_code = USAGE

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def make_console(*, stderr: bool = False) -> Console:
    """Return the console for people.

    A terminal gets colours, links, and lines that break between words. A pipe gets plain text and
    unbroken lines. ``NO_COLOR`` turns off every escape sequence, links included; ``FORCE_COLOR``
    treats a pipe as a terminal; ``COLUMNS`` sets the width of both.
    """
    colours: dict[str, Any] = {"color_system": None} if os.environ.get("NO_COLOR") else {}
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False, **colours)
    if not console.is_terminal and not os.environ.get("COLUMNS"):
        console.width = _PIPE_WIDTH
    return console


def say(
    console: Console, text: str | Text, *, indent: int = 0, hang: int = 0, style: str = ""
) -> None:
    """Print indented paragraphs.

    Args:
        console: Where to print.
        text: A ``str`` with one paragraph per line, or one paragraph with its own styles.
        indent: Columns before each line.
        hang: Further columns before every line of a paragraph except its first.
        style: A style of rich, for the whole text.
    """
    paragraphs = [text] if isinstance(text, Text) else [Text(one) for one in text.splitlines()]
    for paragraph in paragraphs:
        paragraph.stylize_before(style)
        # rich's Padding would fill every line up with spaces.
        width = max(console.width - indent - hang, _MIN_WIDTH)
        for number, line in enumerate(paragraph.wrap(console, width)):
            line.rstrip()
            start = " " * (indent + (hang if number else 0))
            console.print(Text(start).append_text(line), soft_wrap=True)


def printable(text: str) -> str:
    """Escape characters that would act on the terminal or hide; keep line breaks."""
    return "".join(
        char
        if char.isprintable() or char == "\n"
        else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in text
    )


def as_sentence(hint: str) -> str:
    """Return a hint with a full stop, unless it ends a sentence by itself."""
    return hint if hint.endswith((".", "?")) else f"{hint}."


def count_text(number: int, noun: str) -> str:
    """Return ``"1 problem"`` or ``"2 problems"``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def code_text(code: str, style: str = "bold") -> Text:
    """Return a code as text that links to its page."""
    address = code_page(code)
    link = address if "://" in address else None
    return Text(code, Style.parse(style) + Style(link=link))


def print_json(data: Mapping[str, object]) -> None:
    """Print exactly one JSON object to stdout, in ASCII."""
    click.echo(json.dumps(to_json(data), indent=2, allow_nan=False))


def to_json(value: object) -> Any:
    """Convert a value of a configuration for JSON; other objects become their ``repr``."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return list(map(to_json, value))
    if isinstance(value, (set, frozenset)):
        return sorted(map(to_json, value), key=str)
    if isinstance(value, PurePath):
        return str(value)
    return ascii(getattr(value, "pattern", value))


def exit_code_of(found: Collection[object]) -> int:
    """Return the exit code of a command that found these."""
    return FINDINGS if found else FINE
