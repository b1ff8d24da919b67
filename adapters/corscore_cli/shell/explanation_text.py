"""An ``Explanation`` as a person reads it at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text

from corscore_cli.shell.output import code_page, code_text, say

if TYPE_CHECKING:
    from rich.console import Console

    from corscore.diagnostics import Explanation, Step

_BROWSERS = {"chromium": "Chrome", "firefox": "Firefox", "safari": "Safari"}


def print_explanation(console: Console, told: Explanation) -> None:
    """The verdict with its fix, the steps, the headers, and what browsers' consoles say."""
    if told.allowed:
        say(console, Text("Allowed", "bold green"))
    else:
        verdict = Text.assemble(("Refused", "bold red"), ": ")
        say(console, verdict.append_text(code_text(told.reason or "")))
    say(console, told.message, indent=2)
    if told.hint is not None:
        say(console, Text.assemble(("Fix: ", "green"), f"{told.hint}."), indent=2)
    if told.reason is not None:
        say(console, code_page(told.reason), indent=2, style="dim")
    if told.steps:
        _title(console, "What a browser does")
    for number, step in enumerate(told.steps, 1):
        print_step(console, number, step)
    response = None
    for note in told.headers:
        if note.response != response:
            response = note.response
            is_preflight = response == "preflight"
            _title(console, f"Headers of the {'preflight' if is_preflight else 'response'}")
        say(console, Text.assemble((f"{note.name}:", "cyan"), f" {note.value}"), indent=2)
        say(console, note.why, indent=6, style="dim")
    if told.console:
        _title(console, "What the console says")
    for browser, text in told.console:
        say(console, f"{_BROWSERS[browser]}:", indent=2)
        say(console, text, indent=6, style="dim")


def print_step(console: Console, number: int, step: Step) -> None:
    """One step, with its number, and the section of the standard that it is from."""
    mark = ("ok", "green") if step.ok else ("NO", "bold red")
    say(console, Text.assemble(f"{number:>2}. ", mark, f"  {step.text}."), indent=1, hang=8)
    address = step.section.partition(",")[0]
    say(console, Text(step.section, Style(dim=True, link=address)), indent=9)


def _title(console: Console, text: str) -> None:
    console.print()
    say(console, Text(text, "bold"))
