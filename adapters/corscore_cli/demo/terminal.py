"""The demo's text for a terminal."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich import box
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from corscore_cli.demo.policies import DEFAULT, as_python, changed_options
from corscore_cli.demo.table import AFTER_CHANGE, GROUPS
from corscore_cli.shell.output import code_text

if TYPE_CHECKING:
    from rich.console import Console

    from corscore_cli.demo.demo import Demo
    from corscore_cli.demo.model import Prediction
    from corscore_cli.demo.table import ScriptResult


def print_policy(console: Console, demo: Demo) -> None:
    """Print the origins and the policies in force."""
    origins = Table.grid(padding=(0, 2), pad_edge=True)
    for name, origin, what in (
        ("API", demo.site.api, demo.title),
        ("page", demo.site.pages["page"], "a page that the policy allows"),
        ("other", demo.site.pages["other"], "a page of another origin"),
        ("null", "null", "a sandboxed frame"),
    ):
        origins.add_row(Text(name, "bold"), origin, Text(what, "dim"))
    text = as_python(demo.options, demo.site.pages["page"])
    code = Syntax(text, "python", theme="ansi_dark", background_color="default")
    console.print()
    console.print(origins)
    console.print()
    console.print(Padding(code, (0, 2)))


def print_table(console: Console, predictions: list[Prediction]) -> bool:
    """Print the predictions row by row; return whether all were expected."""
    by_row = {prediction.row: prediction for prediction in predictions}
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True)
    table.add_column("A script")
    table.add_column("on")
    table.add_column("policy")
    table.add_column("in a browser")
    table.add_column("asks", justify="right")
    table.add_column("ok")
    for group in GROUPS:
        table.add_row(Text(group.title, "bold"))
        for row in group.rows:
            done = by_row[row]
            result = done.script_result
            table.add_row(
                Text(done.title),
                Text(row.page, "" if row.page == "page" else "magenta"),
                Text(done.key, "dim" if done.key == DEFAULT else ""),
                _word(result),
                Text(str(result.preflights or ""), "dim"),
                _agreement(result, row.expected),
            )
        table.add_section()
    console.print(table)
    _say(
        console,
        "  [dim]policy: which one governs the path; asks: how many preflights were sent;\n"
        "  ok: whether that was expected[/]\n",
    )
    _print_explanations(console, predictions)
    good = sum(done.script_result == done.row.expected for done in predictions)
    style = "green" if good == len(predictions) else "bold red"
    _say(console, f"  [{style}]{good} of {len(predictions)}[/] came out as expected.\n")
    return good == len(predictions)


def print_address(console: Console, demo: Demo) -> None:
    """Print the address of the page; changes of the policy are printed from then on."""
    address = demo.site.pages["page"]
    _say(console, f"  Open  [bold cyan link={address}]{address}[/]")
    _say(
        console,
        "  It does the same in your browser, explains each row, and lets you change the\n"
        "  policy of the running API: ref.replace(...), without a restart.\n"
        "  [dim]Ctrl+C stops the demo.[/]\n",
    )
    demo.on_change = partial(_print_changes, console)


def print_live_change(console: Console, demo: Demo) -> bool:
    """Replace the policy while the API serves, print the rows that change, and restore it.

    Returns:
        Whether exactly the expected rows changed.
    """
    before = demo.snapshot().predictions
    pages = demo.site.pages
    _say(console, "  [bold]A live change[/]: ref.replace(...), while the API serves\n")
    _print_changes(console, demo.apply(changed_options(pages["page"], pages["other"])))
    after = demo.snapshot().predictions
    demo.apply(demo.start)
    pairs = [
        (old, new)
        for old, new in zip(before, after, strict=True)
        if old.script_result != new.script_result
    ]
    table = Table.grid(padding=(0, 2), pad_edge=True)
    for old, new in pairs:
        words = _word(old.script_result), "now", _word(new.script_result)
        table.add_row(Text(new.title), *words)
    console.print()
    console.print(table)
    console.print()
    good = {new.row.name: new.script_result for _, new in pairs} == AFTER_CHANGE
    if good:
        _say(console, "  [green]As expected[/]: no other row changed. The old policy is back.\n")
    else:
        _say(console, "  [bold red]NOT as expected[/]. The old policy is back.\n")
    return good


def _say(console: Console, markup: str) -> None:
    """Print text with rich's markup, which the console may have turned off."""
    console.print(Text.from_markup(markup))


def _print_changes(console: Console, changes: list[str]) -> None:
    for change in changes or ["nothing changed"]:
        console.print(Text("  policy replaced: ").append(change, "cyan"), soft_wrap=True)


def _print_explanations(console: Console, predictions: list[Prediction]) -> None:
    """Print the reason and the fix of each row whose script is refused something."""
    _say(console, "  [bold]Why not, and what would change it[/]\n")
    table = Table.grid(padding=(0, 2), pad_edge=True)
    for done in predictions:
        explanation = done.explanation
        if explanation.reason is not None:
            fix = Text("fix: ", "dim").append(explanation.hint or "", "not dim")
            table.add_row(Text(done.title), code_text(explanation.reason, "yellow"))
            table.add_row("", fix)
    console.print(table)
    console.print()


def _word(result: ScriptResult) -> Text:
    """Return a result in a word or two, clear without colours."""
    if result.status is None:
        return Text("blocked", "yellow")
    if result.reason is not None:
        return Text("hidden", "yellow")
    header = f", {result.header}" if result.header else ""
    return Text(f"readable: {result.status}{header}", "green")


def _agreement(result: ScriptResult, expected: ScriptResult) -> Text:
    if result == expected:
        return Text("yes", "green")
    reason = f": {expected.reason}" if expected.reason else ""
    return Text(f"NO, but {_word(expected)}{reason}, {expected.preflights} asked", "bold red")
