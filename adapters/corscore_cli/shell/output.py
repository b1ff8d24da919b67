"""What all commands print with: for a terminal, for a pipe, and for programs.

Exit codes are the same everywhere: ``FINE``, ``FINDINGS`` and ``USAGE``.
"""

from __future__ import annotations

import json
import math
import os
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Console
from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

FINE = 0
FINDINGS = 1
USAGE = 2

# A line of a pipe is cut by nobody: what reads it may look for any word in it.
_PIPE_WIDTH = 100_000
_NARROWEST = 20
_LABEL = "documentation"
_Command = TypeVar("_Command", bound="Callable[..., Any]")


class Mistake(click.ClickException):
    """Ends the command with one line on stderr and 2, as a wrong option does."""

    exit_code = USAGE

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def make_console(*, stderr: bool = False) -> Console:
    """Where a command prints to, for people.

    On a terminal: colours, links, and lines that break between words. In a pipe: plain text, whose
    lines are as long as they are. ``NO_COLOR`` takes away every escape sequence, links included;
    ``FORCE_COLOR`` makes a terminal of a pipe, and ``COLUMNS`` sets the width of either.
    """
    plain: dict[str, Any] = {"color_system": None} if os.environ.get("NO_COLOR") else {}
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False, **plain)
    if not console.is_terminal and not os.environ.get("COLUMNS"):
        console.width = _PIPE_WIDTH
    return console


def say(
    console: Console, text: str | Text, *, indent: int = 0, hang: int = 0, style: str = ""
) -> None:
    """Prints paragraphs, all of whose lines are indented.

    Args:
        console: Where to.
        text: Plain, a paragraph for each line; or one paragraph with styles of its own.
        indent: Columns.
        hang: Columns more, for all lines of a paragraph but the first.
        style: Of all of it, in rich's words.
    """
    paragraphs = [text] if isinstance(text, Text) else [Text(one) for one in text.splitlines()]
    for paragraph in paragraphs:
        paragraph.stylize_before(style)
        # Not rich's Padding: that fills every line up with spaces.
        width = max(console.width - indent - hang, _NARROWEST)
        for number, line in enumerate(paragraph.wrap(console, width)):
            line.rstrip()
            start = " " * (indent + (hang if number else 0))
            console.print(Text(start).append_text(line), soft_wrap=True)


def printable(text: str) -> str:
    """The text with escapes for what a terminal acts on, or what hides: a name may hold anything.

    Line breaks stay.
    """
    return "".join(
        char
        if char.isprintable() or char == "\n"
        else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in text
    )


def code_text(code: str, style: str = "bold") -> Text:
    """A code of the vocabulary; where a terminal can, and there is an address, with a link."""
    address = code_page(code)
    link = address if "://" in address else None
    return Text(code, Style.parse(style) + Style(link=link))


def code_page(code: str) -> str:
    """Where the page of a code is: an address, or its path in the project without one."""
    base = _documentation()
    return f"{base}/codes/{code}.md" if base else f"docs/codes/{code}.md"


@cache
def _documentation() -> str:
    """The address of the documentation that the package names; empty if it names none."""
    try:
        urls = metadata("corscore").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    named = (url.partition(",") for url in urls)
    found = (url.strip() for label, _, url in named if label.strip().lower() == _LABEL)
    return next(found, "").rstrip("/")


def json_option(command: _Command) -> _Command:
    """Gives a command the option ``--json``, as the argument ``as_json``."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object, for programs."
    )(command)


def print_json(data: Mapping[str, object]) -> None:
    """Prints exactly one JSON object to stdout, in ASCII."""
    click.echo(json.dumps(plain(data), indent=2, allow_nan=False))


def plain(value: object) -> Any:
    """The value as JSON has it; what JSON has no form for becomes its ``repr``, in ASCII.

    A configuration may hold anything, and a problem shows it.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return list(map(plain, value))
    if isinstance(value, (set, frozenset)):
        return sorted(map(plain, value), key=str)
    if isinstance(value, PurePath):
        return str(value)
    return ascii(getattr(value, "pattern", value))


def findings_exit(found: Iterable[object]) -> int:
    """What a command ends with that found these."""
    return FINDINGS if any(True for _ in found) else FINE
