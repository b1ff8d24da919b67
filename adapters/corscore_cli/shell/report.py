"""A ``Diagnosis`` as a person reads it at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from corscore_cli.shell.explanation_text import print_step
from corscore_cli.shell.output import code_page, code_text, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from corscore.diagnostics import Diagnosis, DiagnosisStep, Finding

_BROWSERS = {"chromium": "Chrome", "firefox": "Firefox", "safari": "Safari"}


def print_diagnosis(console: Console, told: Diagnosis, *, steps: bool = True) -> None:
    """The verdict with its fix, the findings, the steps, and lines that repeat them.

    Args:
        console: Where to.
        told: What came of it.
        steps: Whether to print more than verdict and findings.
    """
    request = told.request
    with_what = " with credentials" if request.with_credentials else ""
    say(console, Text.assemble((request.method, "bold"), f" {request.target.without_fragment}"))
    say(console, f"from {request.origin}{with_what}", indent=2, style="dim")
    say(console, _verdict(told), indent=2)
    say(console, told.message, indent=4)
    if told.probe_line is not None:
        say(console, Text.assemble(("Fix: ", "green"), "ask the server itself:"), indent=4)
        print_line(console, told.probe_line, indent=6)
    elif told.hint is not None and all(told.hint != one.hint for one in told.findings):
        say(console, Text.assemble(("Fix: ", "green"), f"{told.hint}."), indent=4)
    if told.reason is not None:
        say(console, code_page(told.reason), indent=4, style="dim")
    print_findings(console, told.findings)
    for note in told.notes:
        say(console, Text.assemble(("Note: ", "bold"), note), indent=2)
    if steps:
        _print_steps(console, told)


def _print_steps(console: Console, told: Diagnosis) -> None:
    if told.readable:
        names = ", ".join(told.exposed) or "none"
        say(console, Text.assemble(("A script can read: ", "bold"), names), indent=2)
    if told.steps:
        _title(console, "What a browser does")
    for number, step in enumerate(told.steps, 1):
        print_step(console, number, step)
    if told.console:
        _title(console, "What the console says")
    for browser, text in told.console:
        say(console, f"{_BROWSERS[browser]}:", indent=2)
        say(console, text, indent=6, style="dim")
    lines = list(dict.fromkeys(step.curl for step in told.steps))
    if lines:
        _title(console, "To repeat it")
    for line in lines:
        print_line(console, line, indent=2)


def print_findings(console: Console, findings: Iterable[Finding]) -> None:
    """What there is to repair, each with its fix."""
    for found in findings:
        verdict = Text.assemble(("Finding", "bold yellow"), ": ")
        say(console, verdict.append_text(code_text(found.code)), indent=2)
        say(console, found.message, indent=4)
        say(console, Text.assemble(("Fix: ", "green"), f"{found.hint}."), indent=4)
        say(console, code_page(found.code), indent=4, style="dim")


def print_line(console: Console, line: str, *, indent: int = 0) -> None:
    """A line to be copied into a shell, which is not to be broken where the terminal ends."""
    console.print(Text(" " * indent + line, "cyan"), soft_wrap=True)


def _verdict(told: Diagnosis) -> Text:
    if not told.readable:
        verdict = Text.assemble(("Not readable", "bold red"), ": ")
        return verdict.append_text(code_text(told.reason or ""))
    if told.reason is not None:
        verdict = Text.assemble(("Readable in part", "bold yellow"), ": ")
        return verdict.append_text(code_text(told.reason))
    return Text.assemble(("Readable", "bold green"), _status(told.steps))


def _status(steps: tuple[DiagnosisStep, ...]) -> str:
    return f": {steps[-1].status}" if steps else ""


def _title(console: Console, text: str) -> None:
    console.print()
    say(console, Text(text, "bold"))
