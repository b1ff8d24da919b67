"""``corscore check``: all problems and findings of a TARGET, in four output formats."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import click
from rich.text import Text

from corscore.diagnostics import Finding, code_page, lint
from corscore_cli.migrate.repairs import nearest_policy
from corscore_cli.shell.location import Location, option_of
from corscore_cli.shell.options import TargetType, app_dir_option, env_option, factory_option
from corscore_cli.shell.output import (
    as_sentence,
    code_text,
    count_text,
    exit_code_of,
    make_console,
    print_json,
    printable,
    say,
    to_json,
)
from corscore_cli.shell.report import print_advice
from corscore_cli.targets.loader import load
from corscore_cli.targets.source import unknown_routes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rich.console import Console

    from corscore import Problem
    from corscore_cli.targets.source import Source, Target

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@click.command()
@click.argument("target", required=False, type=TargetType())
@env_option
@app_dir_option
@factory_option
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="CODE",
    help="Leave findings of this code out; may be repeated. Problems stay.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="For people, for programs, as annotations of GitHub, or for code scanning.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def check(
    target: str | None,
    prefix: str | None,
    app_dir: str,
    is_factory: bool,
    ignored: tuple[str, ...],
    form: str,
    as_json: bool,
) -> None:
    """Find all that is wrong with a configuration, before a browser does.

    TARGET is a TOML file (cors.toml), a policy (main:policy), any application of ASGI or WSGI
    (main:app), a Django settings module (mysite.settings), or the environment (env).

    Problems are what no server would start with; findings are what is most likely not meant. Ends
    with 0 if there is neither, with 1 if there is any, and with 2 if TARGET cannot be loaded.
    """
    loaded = load(target, prefix=prefix, app_dir=app_dir, is_factory=is_factory)
    annotations = _annotations(loaded, ignored)
    if as_json or form == "json":
        _print_json(annotations)
    elif form == "github":
        _print_github(annotations)
    elif form == "sarif":
        _print_sarif(annotations, loaded.file)
    else:
        _print_text(make_console(), loaded.name, annotations)
    if loaded.has_unknown_routes:
        say(make_console(stderr=True), unknown_routes(loaded.name), style="dim")
    raise SystemExit(exit_code_of(annotations))


@dataclass(frozen=True, slots=True)
class Annotation:
    """A problem or a finding with its location.

    Attributes:
        level: ``"error"`` for a problem, ``"warning"`` for a finding.
        location: The location.
        reported: The problem or finding.
    """

    level: Literal["error", "warning"]
    location: Location
    reported: Problem | Finding

    def to_dict(self) -> dict[str, Any]:
        """Return a dict for JSON; that of a problem has its field and value, too."""
        common: dict[str, Any] = {
            "code": self.reported.code,
            "message": self.reported.message,
            "hint": self.reported.hint,
            "place": str(self.location),
        }
        if self.level == "error":
            field, value = (
                getattr(self.reported, "field", None),
                getattr(self.reported, "value", None),
            )
            common |= {"field": field, "value": to_json(value)}
        return common


def _annotations(target: Target, ignored: Collection[str]) -> list[Annotation]:
    """Return all problems of a target, then the findings without those of ignored codes."""
    problems = [one for source in target.sources for one in _problems(source)]
    findings = [Annotation("warning", location, found) for found, location in target.findings]
    findings += [one for source in target.sources for one in _findings(source)]
    findings += [*_findings_of_routes(target)]
    return problems + [one for one in findings if one.reported.code not in ignored]


def _problems(source: Source) -> Iterator[Annotation]:
    for problem in source.problems:
        yield Annotation("error", source.locate(problem.field, problem.value), problem)


def _findings(source: Source) -> Iterator[Annotation]:
    for found in (*_duplicates(source), *_lint(source)):
        _, _, option = (found.place or "").rpartition(": ")
        # A library's default is not what the user wrote.
        if option in source.defaults:
            continue
        location = source.locate(source.names.get(option, option), _first_quoted(found))
        if location.file is None and location.name == option and found.place:
            location = Location(found.place)
        yield Annotation("warning", location, found)


def _findings_of_routes(target: Target) -> Iterator[Annotation]:
    for name, policies in target.routes.items():
        for found in () if policies is None else lint(policies):
            place = f"{name}: {found.place}" if found.place else name
            yield Annotation("warning", Location(place), replace(found, place=place))


def _lint(source: Source) -> Iterator[Finding]:
    if source.policies is not None:
        yield from lint(source.policies)
        return
    # Only a policy has findings, so the problems are repaired first, and what is found about the
    # new values is left out.
    policy, _ = nearest_policy(source.options, escapes_dots=False)
    written = _listed(source)
    is_age_wrong = any(option_of(problem.field) == "max_age" for problem in source.problems)
    for found in () if policy is None else lint(policy):
        is_repaired = (
            _first_quoted(found) not in written if found.place == "allow_origins" else is_age_wrong
        )
        if not is_repaired or found.place not in ("allow_origins", "max_age"):
            yield found


def _first_quoted(found: Finding) -> str:
    return found.message.partition('"')[2].partition('"')[0]


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


def _print_text(console: Console, target: str, annotations: list[Annotation]) -> None:
    for one in annotations:
        style = "red" if one.level == "error" else "yellow"
        location = printable(str(one.location))
        line = Text.assemble((location, "bold"), ": ", (f"{one.level} ", style))
        line.append_text(code_text(one.reported.code))
        field = getattr(one.reported, "field", None) or getattr(one.reported, "place", None)
        # With a dot it is a function such as Policy.from_file, and the location names the file.
        if field and "." not in field and option_of(field) not in option_of(str(one.location)):
            line.append(f" in {printable(field)}", "dim")
        say(console, line)
        reported = one.reported
        print_advice(console, reported.code, reported.message, reported.hint, indent=4)
        console.print()
    problems = sum(one.level == "error" for one in annotations)
    if annotations:
        findings = count_text(len(annotations) - problems, "finding")
        say(console, Text(f"{target}: {count_text(problems, 'problem')}, {findings}", "bold"))
    else:
        say(console, Text.assemble((f"{target}: ", ""), ("nothing is wrong", "green"), "."))


def _print_json(annotations: list[Annotation]) -> None:
    print_json(
        {
            "problems": [one.to_dict() for one in annotations if one.level == "error"],
            "findings": [one.to_dict() for one in annotations if one.level == "warning"],
        }
    )


def _print_github(annotations: list[Annotation]) -> None:
    """Print workflow commands of GitHub, which annotate a pull request.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    for one in annotations:
        properties = {"title": one.reported.code}
        if one.location.file is not None:
            properties = {
                "file": one.location.file,
                "line": str(one.location.line or 1),
            } | properties
        given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        name = "" if one.location.file is not None else f"{one.location}: "
        text = f"{name}{one.reported.message}\nFix: {as_sentence(one.reported.hint)}"
        click.echo(f"::{one.level} {given}::{_data(text)}")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _print_sarif(annotations: list[Annotation], file: str | None) -> None:
    """Print SARIF 2.1.0, for code scanning.

    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html

    Args:
        annotations: The annotations.
        file: A file for annotations without one, since GitHub takes no result without a file.
    """
    codes = list(dict.fromkeys(one.reported.code for one in annotations))
    rules = [_rule(code) for code in codes]
    driver = {"name": "corscore", "version": version("corscore"), "rules": rules}
    results = [
        {
            "ruleId": one.reported.code,
            "ruleIndex": codes.index(one.reported.code),
            "level": one.level,
            "message": {"text": f"{one.reported.message} Fix: {as_sentence(one.reported.hint)}"},
            "locations": [_sarif_location(one.location, file)],
        }
        for one in annotations
    ]
    run = {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
    print_json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str) -> dict[str, Any]:
    page = code_page(code)
    rule: dict[str, Any] = {
        "id": code,
        "shortDescription": {"text": code.replace("-", " ")},
        "help": {"text": f"See {page}" if "://" in page else f"Run: {page}"},
    }
    # Section 3.49.12 of SARIF takes absolute URIs only.
    if "://" in page:
        rule["helpUri"] = page
    return rule


def _sarif_location(location: Location, file: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if location.file is None:
        found["logicalLocations"] = [{"name": location.name}]
    uri = location.file or file
    if uri is not None:
        physical: dict[str, Any] = {"artifactLocation": {"uri": quote(os.fsencode(uri))}}
        if location.line is not None:
            physical["region"] = {"startLine": location.line}
        found["physicalLocation"] = physical
    return found
