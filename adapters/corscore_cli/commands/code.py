"""``corscore code``: the page of a code, which ships with the package."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import click

from corscore_cli.shell.output import Mistake, make_console, say

# In an installed package, and in the project.
_FOLDERS = (
    Path(__file__).parents[1] / "codes",
    Path(__file__).parents[3] / "docs" / "codes",
)
_INDEX = "README"


@click.command()
@click.argument("name", required=False, metavar="[CODE]")
def code(name: str | None) -> None:
    """Show the page of a code: the cause, an example and the fix.

    CODE is what a message has in brackets, such as origin-trailing-slash. Without it the codes are
    listed.
    """
    pages = _pages()
    index = pages.pop(_INDEX)
    if name is None or name in pages:
        text = (index if name is None else pages[name]).read_text(encoding="utf-8")
    else:
        close = get_close_matches(name, pages, n=1)
        hint = f"did you mean {close[0]}?" if close else "corscore code lists them"
        raise Mistake(f'there is no code "{name}"; {hint}')
    say(make_console(), _plain(text))


def _pages() -> dict[str, Path]:
    """The names of codes to their pages, and the index."""
    for folder in _FOLDERS:
        pages = {path.stem: path for path in folder.glob("*.md")}
        if pages:
            return pages
    raise Mistake("the pages of codes are not installed")


def _plain(text: str) -> str:
    """The text without the signs of Markdown that a terminal does not need."""
    lines = []
    for line in text.rstrip().splitlines():
        # Where else a code is seen, and the link back.
        if line.startswith("Seen in: "):
            line = line.partition(" [All codes]")[0]  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines)
