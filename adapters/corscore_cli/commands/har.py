"""``corscore har``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from corscore.diagnostics import MAX_HAR_BYTES, HarError, explain_har, read_har
from corscore_cli.shell.options import json_option
from corscore_cli.shell.output import (
    Mistake,
    exit_code_of,
    make_console,
    print_json,
    say,
)
from corscore_cli.shell.report import print_diagnosis


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--all", "show_all", is_flag=True, help="Print requests that went well, too.")
@click.option("--steps", is_flag=True, help="Print what the browser did, step by step.")
@json_option
def har(file: Path, show_all: bool, steps: bool, as_json: bool) -> None:
    """Explain the cross-origin requests of a HAR file, from what is in it.

    FILE is saved from the network panel of a browser ("Save all as HAR"), gzipped or not. Nothing
    is sent anywhere. Where a browser left out what it blocked, the line that asks the server itself
    is printed: corscore probe.

    Ends with 0 if all went well, with 1 if something was refused or found, and with 2 if FILE is no
    HAR file.
    """
    try:
        with file.open("rb") as opened:
            entries = read_har(opened.read(MAX_HAR_BYTES + 1))
    except OSError as error:
        raise Mistake(f"{_name(file)} cannot be read: {error.strerror}") from None
    except HarError as error:
        raise Mistake(f"{_name(file)}: {error}") from None
    report = explain_har(entries)
    if as_json:
        print_json(report.to_dict())
        raise SystemExit(exit_code_of(report.findings))
    console = make_console()
    faulty = [request for request in report.requests if not request.healthy]
    say(
        console,
        Text.assemble(
            (str(len(report.requests)), "bold"),
            f" requests to other origins, of {report.entries} in all; ",
            (f"{len(faulty)} to look at", "bold red" if faulty else "bold green"),
        ),
    )
    for request in report.requests if show_all else faulty:
        console.print()
        print_diagnosis(console, request, steps=steps)
    raise SystemExit(exit_code_of(report.findings))


def _name(file: Path) -> str:
    return ascii(str(file))
