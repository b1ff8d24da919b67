"""``corscore code``: the page of a code, which ships with the package."""

from __future__ import annotations

import click

from corscore_cli.shell.output import Mistake, make_console, say
from corscore_cli.shell.pages import NoPage, read_page


@click.command()
@click.argument("name", required=False, metavar="[CODE]")
@click.option("--search", metavar="TEXT", help="List the codes whose page has this text.")
def code(name: str | None, search: str | None) -> None:
    """Show the page of a code: the cause, an example and the fix.

    CODE is what a message has in brackets, such as origin-trailing-slash. Without it the codes are
    listed.
    """
    if name is not None and search is not None:
        raise Mistake("give a CODE or --search, not both")
    try:
        text = read_page(name, search)
    except NoPage as error:
        raise Mistake(str(error)) from None
    console = make_console()
    if console.is_terminal:
        # Imported late: only a terminal needs it.
        from rich.markdown import Markdown

        console.print(Markdown(text))
    else:
        say(console, text)
