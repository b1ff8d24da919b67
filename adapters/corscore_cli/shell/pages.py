"""The pages of codes, which ship in the package and need no package of the extra ``cli``."""

from __future__ import annotations

import re
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# In an installed package, and in the source tree.
_FOLDERS = (
    Path(__file__).parents[1] / "codes",
    Path(__file__).parents[3] / "docs" / "codes",
)
_INDEX = "README"
_CHECKS = "django-checks"
_INDEX_LINE = re.compile(r"- \[`([a-z-]+)`\]")
_PAGE_LINK = re.compile(r"\[([^]]+)\]\((?:[\w.-]+/)*[\w-]+[.]md(?:#[\w-]+)?\)")
_USAGE = "usage: corscore code [CODE] [--search TEXT]"


class NoPage(LookupError):
    """There is no such page; the text says what to do."""


def read_page(name: str | None = None, search: str | None = None) -> str:
    """Return the page of a code, or the list of codes, as Markdown.

    Args:
        name: The code.
        search: Return only the codes whose pages have this text, in upper or lower case.

    Raises:
        NoPage: There is none.
    """
    pages = _find_pages()
    index = pages.pop(_INDEX)
    if name is None:
        text = index.read_text(encoding="utf-8")
        return _without_links(text if search is None else _select(search, text, pages))
    if name not in pages:
        close = get_close_matches(name, pages, n=1)
        hint = f"did you mean {close[0]}?" if close else "corscore code lists them"
        raise NoPage(f'there is no code "{name}"; {hint}')
    return _without_links(pages[name].read_text(encoding="utf-8"))


def print_page(arguments: Sequence[str]) -> int:
    """Print what ``corscore code`` prints to a pipe; return the exit code."""
    try:
        match arguments:
            case []:
                text = read_page()
            case ["--search", str(search)]:
                text = read_page(search=search)
            case [str(name)] if not name.startswith("-"):
                text = read_page(name)
            case _:
                raise NoPage(_USAGE)  # noqa: TRY301
    except NoPage as error:
        sys.stderr.write(f"Error: {error}\n")
        return 2
    sys.stdout.write(f"{text}\n")
    return 0


def _find_pages() -> dict[str, Path]:
    for folder in _FOLDERS:
        pages = {path.stem: path for path in folder.glob("*.md")}
        if pages:
            # Django's checks without a code point to it.
            return {_CHECKS: folder.parent / f"{_CHECKS}.md", **pages}
    raise NoPage("the pages of codes are not installed")


def _select(search: str, index: str, pages: dict[str, Path]) -> str:
    """Return the lines of the index whose pages have a text."""
    wanted = search.casefold()
    lines = [
        line
        for line in index.splitlines()
        if (named := _INDEX_LINE.match(line))
        and wanted in (line + pages[named[1]].read_text(encoding="utf-8")).casefold()
    ]
    if not lines:
        raise NoPage(f'no page has "{search}"; corscore code lists all codes')
    return "\n".join(lines)


def _without_links(text: str) -> str:
    """Remove links between pages, which a terminal cannot follow."""
    lines = []
    for line in text.rstrip().splitlines():
        if line.startswith("Seen in: "):
            line = line.partition(" [All codes]")[0]  # noqa: PLW2901
        lines.append(_PAGE_LINK.sub(r"\1", line))
    return "\n".join(lines)
