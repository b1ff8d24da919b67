"""``corscore code``: the page of a code, which ships with the package."""

from __future__ import annotations

import re
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
# A line of the index; and a link from one page to another.
_LISTED = re.compile(r"- \[`([a-z-]+)`\]")
_LINK = re.compile(r"\[([^]]+)\]\([\w-]+[.]md\)")


@click.command()
@click.argument("name", required=False, metavar="[CODE]")
@click.option("--search", metavar="TEXT", help="List the codes whose page has this text.")
def code(name: str | None, search: str | None) -> None:
    """Show the page of a code: the cause, an example and the fix.

    CODE is what a message has in brackets, such as origin-trailing-slash. Without it the codes are
    listed.
    """
    pages = _pages()
    index = pages.pop(_INDEX).read_text(encoding="utf-8")
    if name is not None and search is not None:
        raise Mistake("give a CODE or --search, not both")
    if name is None:
        text = index if search is None else _found(search, index, pages)
    elif name in pages:
        text = pages[name].read_text(encoding="utf-8")
    else:
        close = get_close_matches(name, pages, n=1)
        hint = f"did you mean {close[0]}?" if close else "corscore code lists them"
        raise Mistake(f'there is no code "{name}"; {hint}')
    console = make_console()
    if console.is_terminal:
        # Imported late: a pipe gets the text as it is.
        from rich.markdown import Markdown

        console.print(Markdown(_plain(text)))
    else:
        say(console, _plain(text))


def _found(search: str, index: str, pages: dict[str, Path]) -> str:
    """The lines of the index for the pages that have a text, whatever its case."""
    wanted = search.casefold()
    lines = [
        line
        for line in index.splitlines()
        if (named := _LISTED.match(line))
        and wanted in (line + pages[named[1]].read_text(encoding="utf-8")).casefold()
    ]
    if not lines:
        raise Mistake(f'no page has "{search}"; corscore code lists all codes')
    return "\n".join(lines)


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
        # The name alone: the file is inside of the package.
        lines.append(_LINK.sub(r"\1", line))
    return "\n".join(lines)
