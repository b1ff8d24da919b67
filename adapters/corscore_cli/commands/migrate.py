"""``corscore migrate``."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click
from rich.syntax import Syntax
from rich.text import Text

from corscore_cli.migrate.comparison import Comparison, Difference
from corscore_cli.migrate.libraries import DJANGO, LIBRARIES, Old, not_installed, of_django
from corscore_cli.migrate.python import adapter_source, map_key, path_key
from corscore_cli.migrate.repairs import Repair, migrated
from corscore_cli.shell.options import TargetType, app_dir_option, factory_option, json_option
from corscore_cli.shell.output import (
    Mistake,
    code_page,
    code_text,
    findings_exit,
    make_console,
    print_json,
    say,
)
from corscore_cli.targets.imports import Refused, attribute, called, imported, importing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from corscore import Policy
    from corscore.diagnostics import Finding

_PACKAGES = {"starlette": "starlette", "flask-cors": "flask_cors", DJANGO: "corsheaders"}


@dataclass(frozen=True, slots=True)
class _Move:
    """One layer, with what takes its place."""

    old: Old
    policy: Policy | None
    repairs: list[Repair]
    differences: list[Difference]
    insecure: list[Finding]


@click.command()
@click.argument("target", type=TargetType())
@click.option(
    "--from",
    "library",
    type=click.Choice(LIBRARIES),
    required=True,
    help="What TARGET uses now.",
)
@app_dir_option
@factory_option
@json_option
def migrate(target: str, library: str, app_dir: str, is_factory: bool, as_json: bool) -> None:
    """Print the policy that takes the place of another library's options.

    TARGET is an app (main:app) for starlette, which FastAPI uses too, and for flask-cors; it is a
    settings module (mysite.settings) for django-cors-headers.

    The old middleware and the policy are both asked by the model browser. What it does otherwise is
    listed, and so is what the old one lets strangers do. Nothing is written.

    Ends with 0 if nothing changes for browsers and nothing was insecure, with 1 if anything does or
    was, and with 2 if TARGET cannot be loaded.
    """
    if find_spec(_PACKAGES[library]) is None:
        raise not_installed(library, _PACKAGES[library])
    with _layers(target, library, app_dir, is_factory=is_factory) as olds:
        moves = [_moved(old, library) for old in olds]
    source = adapter_source(library, [(move.old.path, move.policy) for move in moves])
    if as_json:
        print_json(
            {
                "policy": source,
                "repairs": [one.to_dict() for move in moves for one in move.repairs],
                "changes": [one.to_dict() for move in moves for one in move.differences],
                "insecure": [one.to_dict() for move in moves for one in move.insecure],
            }
        )
    else:
        _print(make_console(), source, moves)
    raise SystemExit(
        findings_exit([one for move in moves for one in (*move.differences, *move.insecure)])
    )


def _moved(old: Old, library: str) -> _Move:
    policy, repairs = migrated(old.options)
    compared = Comparison(old, policy)
    differences = compared.differences()
    # The settings of django-cors-headers keep their regex over paths.
    key = path_key(old.path) if library != DJANGO else ""
    if policy is not None and key != map_key(key):
        what = f"paths that {old.path} matches, other than {map_key(key)}"
        differences.append(Difference(what, "has these options", "has no policy"))
    return _Move(old, policy, repairs, differences, compared.insecure())


@contextmanager
def _layers(target: str, library: str, app_dir: str, *, is_factory: bool) -> Iterator[list[Old]]:
    """The old layers, for as long as they can be asked."""
    try:
        if library == DJANGO:
            from corscore_cli.targets.django_settings import forgotten

            with importing(app_dir, forgotten(target)):
                yield from _of_settings(target)
            return
        module, separator, name = target.partition(":")
        if not separator:
            raise Mistake(f"{target} is no app; write module:app, such as main:app")
        with importing(app_dir, module.partition(".")[0]):
            app: Any = attribute(imported(module), name.removesuffix("()"))
            if is_factory or name.endswith("()"):
                app = called(app, target)
            from corscore_cli.migrate.libraries import of_flask_cors, of_starlette

            read = of_starlette if library == "starlette" else of_flask_cors
            yield read(app, target)
    except Refused as refused:
        raise Mistake(f"{target}: {refused.error}") from None


def _of_settings(target: str) -> Iterator[list[Old]]:
    from corscore_cli.targets.django_settings import in_force

    if ":" in target:
        raise Mistake(f"{target} is no settings module; write mysite.settings")
    with in_force(target):
        from corscore_django.inspection import inspect_settings

        yield of_django(inspect_settings(), target)


def _print(console: Console, source: str, moves: list[_Move]) -> None:
    console.print(Syntax(source.rstrip(), "python", theme="ansi_dark", background_color="default"))
    insecure = [one for move in moves for one in move.insecure]
    _title(console, "What was insecure", insecure)
    for finding in insecure:
        line = Text("- ").append_text(code_text(finding.code, "bold red"))
        say(console, line.append(f": {finding.message}"), indent=2, hang=2)
        say(console, f"Fix: {finding.hint}.", indent=4)
        say(console, code_page(finding.code), indent=4, style="dim")
    repairs = [one for move in moves for one in move.repairs]
    _title(console, "What a policy does not take, and what stands there instead", repairs)
    for repair in repairs:
        line = Text("- ").append_text(code_text(repair.code))
        say(console, line.append(f": {repair.message} Now: {repair.done}."), indent=2, hang=2)
    _title(console, "What changes for browsers", [one for m in moves for one in m.differences])
    for move in moves:
        for one in move.differences:
            where = f"{move.old.path}: " if move.old.path else ""
            say(console, f"- {where}{one.what}: {one.before} -> {one.after}", indent=2, hang=2)
    if not any((*move.differences, *move.insecure, *move.repairs) for move in moves):
        console.print()
        say(console, "Nothing changes for browsers.")


def _title(console: Console, text: str, told: list[Any]) -> None:
    if told:
        console.print()
        say(console, Text(text, "bold"))
