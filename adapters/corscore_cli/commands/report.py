"""What ``corscore check`` found, in the four forms that it can be printed in."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import click
from rich.text import Text

from corscore.diagnostics import Finding, lint
from corscore_cli.migrate.repairs import migrated
from corscore_cli.shell.location import Place, option_of
from corscore_cli.shell.output import code_page, code_text, plain, print_json, printable, say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rich.console import Console

    from corscore import Problem
    from corscore_cli.targets.source import Loaded, Source

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to be told.

    Attributes:
        level: ``"error"`` for a problem, ``"warning"`` for a finding.
        place: Where it is.
        told: The problem or finding itself.
    """

    level: Literal["error", "warning"]
    place: Place
    told: Problem | Finding

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: a problem with its field and value too."""
        common: dict[str, Any] = {
            "code": self.told.code,
            "message": self.told.message,
            "hint": self.told.hint,
            "place": str(self.place),
        }
        if self.level == "error":
            field, value = getattr(self.told, "field", None), getattr(self.told, "value", None)
            common |= {"field": field, "value": plain(value)}
        return common


def entries(loaded: Loaded, ignored: Collection[str]) -> list[Entry]:
    """All that is wrong with a target, then all that is only odd.

    Args:
        loaded: The target.
        ignored: Codes of findings to leave out. Problems stay: what has one cannot be served.
    """
    problems = [entry for source in loaded.sources for entry in _problems(source)]
    findings = [Entry("warning", place, found) for found, place in loaded.findings]
    findings += [entry for source in loaded.sources for entry in _lints(source)]
    return problems + [entry for entry in findings if entry.told.code not in ignored]


def _problems(source: Source) -> Iterator[Entry]:
    for problem in source.problems:
        yield Entry("error", source.locate(problem.field, problem.value), problem)


def _lints(source: Source) -> Iterator[Entry]:
    for found in (*_duplicates(source), *_findings(source)):
        _, _, option = (found.place or "").rpartition(": ")
        # What a library chose is no mistake of its user's.
        if option in source.defaults:
            continue
        first = found.message.partition('"')[2].partition('"')[0]
        place = source.locate(source.names.get(option, option), first)
        if place.file is None and place.name == option and found.place:
            place = Place(found.place)
        yield Entry("warning", place, found)


def _findings(source: Source) -> Iterator[Finding]:
    if source.policies is not None:
        yield from lint(source.policies)
        return
    # All at once: what else is odd does not wait for the problems to be repaired. A finding about
    # something that the repairs wrote is none.
    policy, _ = migrated(source.options, escapes_dots=False)
    written = _listed(source)
    is_age_wrong = any(option_of(problem.field) == "max_age" for problem in source.problems)
    for found in () if policy is None else lint(policy):
        first = found.message.partition('"')[2].partition('"')[0]
        is_repaired = first not in written if found.place == "allow_origins" else is_age_wrong
        if not is_repaired or found.place not in ("allow_origins", "max_age"):
            yield found


def _duplicates(source: Source) -> Iterator[Finding]:
    for item, count in Counter(_listed(source)).items():
        if count > 1:
            yield Finding(
                "origin-shadowed",
                f'"{item}" is listed {count} times.',
                "keep one of them",
                "allow_origins",
            )


def _listed(source: Source) -> list[str]:
    origins = source.options.get("allow_origins")
    items = origins if isinstance(origins, (list, tuple)) else ()
    return [item for item in items if isinstance(item, str)]


def print_text(console: Console, target: str, told: list[Entry]) -> None:
    """For people: each with its place, its code, and what to write instead."""
    for entry in told:
        style = "red" if entry.level == "error" else "yellow"
        place = printable(str(entry.place))
        line = Text.assemble((place, "bold"), ": ", (f"{entry.level} ", style))
        line.append_text(code_text(entry.told.code))
        field = getattr(entry.told, "field", None) or getattr(entry.told, "place", None)
        # A dot is of a function's name: the file itself is what it is about.
        if field and "." not in field and option_of(field) not in option_of(str(entry.place)):
            line.append(f" in {printable(field)}", "dim")
        say(console, line)
        say(console, entry.told.message, indent=4)
        say(console, Text.assemble(("Fix: ", "green"), _ended(entry.told.hint)), indent=4)
        say(console, code_page(entry.told.code), indent=4, style="dim")
        console.print()
    problems = sum(entry.level == "error" for entry in told)
    if told:
        counts = f"{_count(problems, 'problem')}, {_count(len(told) - problems, 'finding')}"
        say(console, Text(f"{target}: {counts}", "bold"))
    else:
        say(console, Text.assemble((f"{target}: ", ""), ("nothing is wrong", "green"), "."))


def _ended(hint: str) -> str:
    return hint if hint.endswith((".", "?")) else f"{hint}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def print_as_json(told: list[Entry]) -> None:
    """For programs: one object."""
    print_json(
        {
            "problems": [entry.to_dict() for entry in told if entry.level == "error"],
            "findings": [entry.to_dict() for entry in told if entry.level == "warning"],
        }
    )


def print_github(told: list[Entry]) -> None:
    """Annotations of a pull request.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    for entry in told:
        properties = {"title": entry.told.code}
        if entry.place.file is not None:
            properties = {"file": entry.place.file, "line": str(entry.place.line or 1)} | properties
        given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        name = "" if entry.place.file is not None else f"{entry.place}: "
        text = f"{name}{entry.told.message}\nFix: {_ended(entry.told.hint)}"
        click.echo(f"::{entry.level} {given}::{_data(text)}")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def print_sarif(told: list[Entry], version: str, file: str | None = None) -> None:
    """For code scanning: SARIF 2.1.0.

    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html

    Args:
        told: What was found.
        version: Of this package.
        file: Where to look for what has no place of its own: GitHub takes no result without one.
    """
    codes = list(dict.fromkeys(entry.told.code for entry in told))
    rules = [_rule(code) for code in codes]
    driver = {"name": "corscore", "version": version, "rules": rules}
    results = [
        {
            "ruleId": entry.told.code,
            "ruleIndex": codes.index(entry.told.code),
            "level": entry.level,
            "message": {"text": f"{entry.told.message} Fix: {_ended(entry.told.hint)}"},
            "locations": [_location(entry.place, file)],
        }
        for entry in told
    ]
    run = {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
    print_json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str) -> dict[str, Any]:
    page = code_page(code)
    rule: dict[str, Any] = {
        "id": code,
        "shortDescription": {"text": code.replace("-", " ")},
        "help": {"text": f"See {page}"},
    }
    # Section 3.49.12: an absolute URI, so not the path of a page.
    if "://" in page:
        rule["helpUri"] = page
    return rule


def _location(place: Place, file: str | None) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if place.file is None:
        location["logicalLocations"] = [{"name": place.name}]
    uri = place.file or file
    if uri is not None:
        physical: dict[str, Any] = {"artifactLocation": {"uri": quote(os.fsencode(uri))}}
        if place.line is not None:
            physical["region"] = {"startLine": place.line}
        location["physicalLocation"] = physical
    return location
