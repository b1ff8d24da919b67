"""``corscore console``."""

from __future__ import annotations

import sys

import click

from corscore.diagnostics import MAX_CONSOLE_CHARACTERS, explain_console
from corscore_cli.shell.options import json_option
from corscore_cli.shell.output import FINE, Mistake, make_console, print_json
from corscore_cli.shell.report import print_console_message

_NO_MESSAGE = (
    "no message of Chrome, Firefox or Safari about CORS is in it, in English; copy the whole red "
    'lines of the console, not the error that the script gets ("Failed to fetch")'
)


@click.command()
@click.argument("text", nargs=-1)
@json_option
def console(text: tuple[str, ...], as_json: bool) -> None:
    """Explain what the console of a browser says.

    TEXT is what Chrome, Firefox or Safari wrote, copied as it is, one message or many. Without it
    standard input is read: paste, and end with Ctrl-D (on Windows Ctrl-Z and Enter).

    Ends with 0 if a message was explained, and with 2 if none is about CORS.
    """
    messages = explain_console(" ".join(text) if text else _standard_input())
    if not messages:
        raise Mistake(_NO_MESSAGE)
    if as_json:
        print_json({"messages": [message.to_dict() for message in messages]})
    else:
        terminal = make_console()
        for number, message in enumerate(messages):
            if number:
                terminal.print()
            print_console_message(terminal, message)
    raise SystemExit(FINE)


def _standard_input() -> str:
    if sys.stdin is None:
        return ""
    if sys.stdin.isatty():
        click.echo("Paste what the console says, then press Ctrl-D:", err=True)
    # The longest character takes four bytes.
    return sys.stdin.buffer.read(4 * MAX_CONSOLE_CHARACTERS).decode("utf-8", "replace")
