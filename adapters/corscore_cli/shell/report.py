"""An ``Explanation``, a ``Diagnosis`` or a ``ConsoleMessage`` as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text

from corscore.diagnostics import code_page
from corscore_cli.shell.output import as_sentence, code_text, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from corscore.diagnostics import ConsoleMessage, Diagnosis, Explanation, Step

_MAX_OTHERS = 3
_FIX = ("Fix: ", "green")
_BROWSERS = {"chromium": "Chrome", "firefox": "Firefox", "safari": "Safari"}


def print_explanation(console: Console, explanation: Explanation) -> None:
    """Print the verdict with its fix, the steps, the headers, and the console messages."""
    if explanation.allowed:
        say(console, Text("Allowed", "bold green"))
    else:
        say(console, _verdict("Refused", "bold red", explanation.reason))
    say(console, explanation.message, indent=2)
    if explanation.hint is not None:
        _print_fix(console, explanation.hint, indent=2)
    if explanation.reason is not None:
        _print_page(console, explanation.reason, indent=2)
    _print_steps(console, explanation.steps)
    response = None
    for note in explanation.headers:
        if note.response != response:
            response = note.response
            is_preflight = response == "preflight"
            print_title(console, f"Headers of the {'preflight' if is_preflight else 'response'}")
        say(console, Text.assemble((f"{note.name}:", "cyan"), f" {note.value}"), indent=2)
        say(console, note.why, indent=6, style="dim")
    _print_browser_consoles(console, explanation.console)


def print_diagnosis(
    console: Console, diagnosis: Diagnosis, *, steps: bool = True, sections: bool = True
) -> None:
    """Print the verdict with its fix, the findings, the steps, and the requests as curl lines.

    Args:
        console: Where to print.
        diagnosis: What to print.
        steps: Whether to print more than verdict and findings.
        sections: Whether to print the section of the standard with each step.
    """
    request = diagnosis.request
    credentials = " with credentials" if request.with_credentials else ""
    say(console, Text.assemble((request.method, "bold"), f" {request.target.without_fragment}"))
    say(console, f"from {request.origin}{credentials}", indent=2, style="dim")
    say(console, _verdict_of(diagnosis), indent=2)
    say(console, diagnosis.message, indent=4)
    if diagnosis.probe_line is not None:
        say(console, Text.assemble(_FIX, "ask the server itself:"), indent=4)
        _print_shell_line(console, diagnosis.probe_line, indent=6)
    elif diagnosis.hint is not None and all(
        diagnosis.hint != found.hint for found in diagnosis.findings
    ):
        _print_fix(console, diagnosis.hint, indent=4)
    if diagnosis.reason is not None:
        _print_page(console, diagnosis.reason, indent=4)
    for found in diagnosis.findings:
        say(console, _verdict("Finding", "bold yellow", found.code), indent=2)
        print_advice(console, found.code, found.message, found.hint, indent=4)
    for note in diagnosis.notes:
        say(console, Text.assemble(("Note: ", "bold"), note), indent=2)
    if not steps:
        return
    if diagnosis.readable:
        names = ", ".join(diagnosis.exposed) or "none"
        say(console, Text.assemble(("A script can read: ", "bold"), names), indent=2)
    _print_steps(console, diagnosis.steps, sections=sections)
    _print_browser_consoles(console, diagnosis.console)
    lines = list(dict.fromkeys(step.curl for step in diagnosis.steps))
    if lines:
        print_title(console, "To repeat it")
    for line in lines:
        _print_shell_line(console, line, indent=2)


def print_console_message(console: Console, message: ConsoleMessage) -> None:
    """Print the verdict with its fix, what is known, and the command that tells the rest."""
    say(console, _verdict("Refused", "bold red", message.reason))
    print_advice(console, message.reason, message.message, message.hint, indent=2)
    if message.others:
        others = ", ".join(message.others[:_MAX_OTHERS])
        say(console, f"The same text can mean: {others}", indent=2)
    print_title(console, "What the console says")
    known = (
        ("browser", _BROWSERS[message.browser]),
        ("URL", message.url),
        ("redirected from", message.redirected_from),
        ("origin", message.origin),
        ("method", message.method),
        ("header", message.header),
        ("value", message.value),
        ("status", message.status),
    )
    for name, value in known:
        if value is not None:
            say(console, Text.assemble((f"{name}:", "cyan"), f" {value}"), indent=2)
    if message.probe_line is not None:
        print_title(console, "To ask the server for the rest")
        _print_shell_line(console, message.probe_line, indent=2)
        if message.origin is None:
            note = "ORIGIN is the page's: what location.origin gives in the console."
            say(console, note, indent=2, style="dim")
        if message.probe_line.endswith(" METHOD"):
            note = "METHOD is the script's; add --header for each header that it sets."
            say(console, note, indent=2, style="dim")


def print_advice(console: Console, code: str, message: str, hint: str, *, indent: int) -> None:
    """Print the message of a problem, finding or reason, its fix, and where its page is."""
    say(console, message, indent=indent)
    _print_fix(console, hint, indent=indent)
    _print_page(console, code, indent=indent)


def print_title(console: Console, text: str) -> None:
    """Print the title of a section, after an empty line."""
    console.print()
    say(console, Text(text, "bold"))


def _verdict(word: str, style: str, code: str | None) -> Text:
    return Text.assemble((word, style), ": ").append_text(code_text(code or ""))


def _verdict_of(diagnosis: Diagnosis) -> Text:
    if not diagnosis.readable:
        return _verdict("Not readable", "bold red", diagnosis.reason)
    if diagnosis.reason is not None:
        return _verdict("Readable in part", "bold yellow", diagnosis.reason)
    status = f": {diagnosis.steps[-1].status}" if diagnosis.steps else ""
    return Text.assemble(("Readable", "bold green"), status)


def _print_steps(console: Console, steps: Iterable[Step], *, sections: bool = True) -> None:
    for number, step in enumerate(steps, 1):
        if number == 1:
            print_title(console, "What a browser does")
        mark = ("ok", "green") if step.ok else ("NO", "bold red")
        say(console, Text.assemble(f"{number:>2}. ", mark, f"  {step.text}."), indent=1, hang=8)
        if sections:
            address = step.section.partition(",")[0]
            say(console, Text(step.section, Style(dim=True, link=address)), indent=9)


def _print_browser_consoles(console: Console, messages: Iterable[tuple[str, str]]) -> None:
    for number, (browser, text) in enumerate(messages):
        if number == 0:
            print_title(console, "What the console says")
        say(console, f"{_BROWSERS[browser]}:", indent=2)
        say(console, text, indent=6, style="dim")


def _print_fix(console: Console, hint: str, *, indent: int) -> None:
    say(console, Text.assemble(_FIX, as_sentence(hint)), indent=indent)


def _print_page(console: Console, code: str, *, indent: int) -> None:
    say(console, code_page(code), indent=indent, style="dim")


def _print_shell_line(console: Console, line: str, *, indent: int) -> None:
    """Print a line for a shell, unbroken, so that it can be copied."""
    console.print(Text(" " * indent + line, "cyan"), soft_wrap=True)
