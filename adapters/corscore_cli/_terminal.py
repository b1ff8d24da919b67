"""What the demo prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from corscore_cli._state import as_python
from corscore_cli._table import GROUPS

if TYPE_CHECKING:
    from rich.console import Console

    from corscore_cli._demo import Demo
    from corscore_cli._model import Prediction
    from corscore_cli._rows import Outcome


def print_policy(console: Console, demo: Demo) -> None:
    """Who is who, and the policy in force."""
    people = Table.grid(padding=(0, 2), pad_edge=True)
    for name, origin, what in (
        ("API", demo.site.api, demo.title),
        ("page", demo.site.pages["page"], "a page that the policy allows"),
        ("other", demo.site.pages["other"], "a page of another origin"),
        ("null", "null", "a sandboxed frame"),
    ):
        people.add_row(Text(name, "bold"), origin, Text(what, "dim"))
    code = Syntax(as_python(demo.options), "python", theme="ansi_dark", background_color="default")
    console.print()
    console.print(people)
    console.print()
    console.print(Padding(code, (0, 2)))


def print_table(console: Console, predictions: list[Prediction]) -> bool:
    """What the browser model got, row by row. Returns whether all of it was expected."""
    by_row = {prediction.row: prediction for prediction in predictions}
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True)
    table.add_column("A script")
    table.add_column("on")
    table.add_column("in a browser")
    table.add_column("asks", justify="right")
    table.add_column("ok")
    for group in GROUPS:
        table.add_row(Text(group.title, "bold"))
        for row in group.rows:
            outcome = by_row[row].outcome
            table.add_row(
                Text(row.title),
                Text(row.page, "" if row.page == "page" else "magenta"),
                _verdict(outcome),
                Text(str(outcome.preflights or ""), "dim"),
                _agreement(outcome, row.expected),
            )
        table.add_section()
    console.print(table)
    console.print("  [dim]asks: how many preflights were sent; ok: whether that was expected[/]\n")
    good = sum(done.outcome == done.row.expected for done in predictions)
    style = "green" if good == len(predictions) else "bold red"
    console.print(f"  [{style}]{good} of {len(predictions)}[/] came out as expected.\n")
    return good == len(predictions)


def print_address(console: Console, demo: Demo) -> None:
    """Where to go next."""
    address = demo.site.pages["page"]
    console.print(f"  Open  [bold cyan link={address}]{address}[/]")
    console.print(
        "  It does the same in your browser, and lets you change the policy.\n"
        "  [dim]Ctrl+C stops the demo.[/]\n"
    )


def _verdict(outcome: Outcome) -> Text:
    """The outcome in words, which say it all without colours too."""
    if outcome.status is None:
        return Text("blocked", "yellow").append(f": {outcome.reason}", "dim")
    if outcome.reason is not None:
        return Text("hidden", "yellow").append(f": {outcome.reason}", "dim")
    header = f", {outcome.header}" if outcome.header else ""
    return Text(f"readable: {outcome.status}{header}", "green")


def _agreement(outcome: Outcome, expected: Outcome) -> Text:
    if outcome == expected:
        return Text("yes", "green")
    return Text(f"NO, but {_verdict(expected)}, {expected.preflights} asked", "bold red")
