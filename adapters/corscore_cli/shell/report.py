"""An ``Explanation``, a ``Diagnosis`` or a ``ConsoleMessage`` as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text

from corscore.diagnostics import code_page
from corscore_cli.shell.output import code_text, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from corscore.diagnostics import ConsoleMessage, Diagnosis, Explanation, Finding, Step

_MOST_OTHERS = 3
_BROWSERS = {"chromium": "Chrome", "firefox": "Firefox", "safari": "Safari"}


def print_explanation(console: Console, told: Explanation) -> None:
    """Print the verdict with its fix, the steps, the headers, and the console messages."""
    if told.allowed:
        say(console, Text("Allowed", "bold green"))
    else:
        verdict = Text.assemble(("Refused", "bold red"), ": ")
        say(console, verdict.append_text(code_text(told.reason or "")))
    say(console, told.message, indent=2)
    if told.hint is not None:
        _print_fix(console, told.hint, indent=2)
    if told.reason is not None:
        say(console, code_page(told.reason), indent=2, style="dim")
    _print_steps(console, told.steps)
    response = None
    for note in told.headers:
        if note.response != response:
            response = note.response
            is_preflight = response == "preflight"
            _print_title(console, f"Headers of the {'preflight' if is_preflight else 'response'}")
        say(console, Text.assemble((f"{note.name}:", "cyan"), f" {note.value}"), indent=2)
        say(console, note.why, indent=6, style="dim")
    _print_console(console, told.console)


def print_diagnosis(
    console: Console, told: Diagnosis, *, steps: bool = True, sections: bool = True
) -> None:
    """Print the verdict with its fix, the findings, the steps, and the requests as curl lines.

    Args:
        console: Where to print.
        told: The diagnosis.
        steps: Whether to print more than verdict and findings.
        sections: Whether to print the section of the standard with each step.
    """
    request = told.request
    with_what = " with credentials" if request.with_credentials else ""
    say(console, Text.assemble((request.method, "bold"), f" {request.target.without_fragment}"))
    say(console, f"from {request.origin}{with_what}", indent=2, style="dim")
    say(console, _verdict(told), indent=2)
    say(console, told.message, indent=4)
    if told.probe_line is not None:
        say(console, Text.assemble(("Fix: ", "green"), "ask the server itself:"), indent=4)
        _print_line(console, told.probe_line, indent=6)
    elif told.hint is not None and all(told.hint != one.hint for one in told.findings):
        _print_fix(console, told.hint, indent=4)
    if told.reason is not None:
        say(console, code_page(told.reason), indent=4, style="dim")
    _print_findings(console, told.findings)
    for note in told.notes:
        say(console, Text.assemble(("Note: ", "bold"), note), indent=2)
    if not steps:
        return
    if told.readable:
        names = ", ".join(told.exposed) or "none"
        say(console, Text.assemble(("A script can read: ", "bold"), names), indent=2)
    _print_steps(console, told.steps, sections=sections)
    _print_console(console, told.console)
    lines = list(dict.fromkeys(step.curl for step in told.steps))
    if lines:
        _print_title(console, "To repeat it")
    for line in lines:
        _print_line(console, line, indent=2)


def _verdict(told: Diagnosis) -> Text:
    if not told.readable:
        verdict = Text.assemble(("Not readable", "bold red"), ": ")
        return verdict.append_text(code_text(told.reason or ""))
    if told.reason is not None:
        verdict = Text.assemble(("Readable in part", "bold yellow"), ": ")
        return verdict.append_text(code_text(told.reason))
    status = f": {told.steps[-1].status}" if told.steps else ""
    return Text.assemble(("Readable", "bold green"), status)


def print_message(console: Console, said: ConsoleMessage) -> None:
    """Print the verdict with its fix, what is known, and the command that tells the rest."""
    verdict = Text.assemble(("Refused", "bold red"), ": ")
    say(console, verdict.append_text(code_text(said.reason)))
    say(console, said.message, indent=2)
    _print_fix(console, said.hint, indent=2)
    say(console, code_page(said.reason), indent=2, style="dim")
    if said.others:
        others = ", ".join(said.others[:_MOST_OTHERS])
        say(console, f"The same text can mean: {others}", indent=2)
    _print_title(console, "What the console says")
    known = (
        ("browser", _BROWSERS[said.browser]),
        ("URL", said.url),
        ("redirected from", said.redirected_from),
        ("origin", said.origin),
        ("method", said.method),
        ("header", said.header),
        ("value", said.value),
        ("status", said.status),
    )
    for name, value in known:
        if value is not None:
            say(console, Text.assemble((f"{name}:", "cyan"), f" {value}"), indent=2)
    if said.probe_line is not None:
        _print_title(console, "To ask the server for the rest")
        _print_line(console, said.probe_line, indent=2)
        if said.origin is None:
            note = "ORIGIN is the page's: what location.origin gives in the console."
            say(console, note, indent=2, style="dim")
        if said.probe_line.endswith(" METHOD"):
            note = "METHOD is the script's; add --header for each header that it sets."
            say(console, note, indent=2, style="dim")


def _print_findings(console: Console, findings: Iterable[Finding]) -> None:
    for found in findings:
        verdict = Text.assemble(("Finding", "bold yellow"), ": ")
        say(console, verdict.append_text(code_text(found.code)), indent=2)
        say(console, found.message, indent=4)
        _print_fix(console, found.hint, indent=4)
        say(console, code_page(found.code), indent=4, style="dim")


def _print_steps(console: Console, steps: Iterable[Step], *, sections: bool = True) -> None:
    for number, step in enumerate(steps, 1):
        if number == 1:
            _print_title(console, "What a browser does")
        mark = ("ok", "green") if step.ok else ("NO", "bold red")
        say(console, Text.assemble(f"{number:>2}. ", mark, f"  {step.text}."), indent=1, hang=8)
        if sections:
            address = step.section.partition(",")[0]
            say(console, Text(step.section, Style(dim=True, link=address)), indent=9)


def _print_console(console: Console, messages: Iterable[tuple[str, str]]) -> None:
    for number, (browser, text) in enumerate(messages):
        if number == 0:
            _print_title(console, "What the console says")
        say(console, f"{_BROWSERS[browser]}:", indent=2)
        say(console, text, indent=6, style="dim")


def _print_fix(console: Console, hint: str, *, indent: int) -> None:
    say(console, Text.assemble(("Fix: ", "green"), f"{hint}."), indent=indent)


def _print_line(console: Console, line: str, *, indent: int) -> None:
    """Print a line for a shell, unbroken, so that it can be copied."""
    console.print(Text(" " * indent + line, "cyan"), soft_wrap=True)


def _print_title(console: Console, text: str) -> None:
    console.print()
    say(console, Text(text, "bold"))
