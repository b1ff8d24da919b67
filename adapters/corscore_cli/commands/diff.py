"""``corscore diff``."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import click
from rich.text import Text

from corscore import PolicyMap
from corscore.diagnostics import AccessChange, access_changes
from corscore_cli.shell.options import TargetType, app_dir_option, factory_option, json_option
from corscore_cli.shell.output import exit_code_of, make_console, print_json, say
from corscore_cli.targets.loader import load
from corscore_cli.targets.source import unknown_routes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from corscore_cli.targets.source import Target

_SIGNS = {"gains": ("+", "green"), "loses": ("-", "red"), "changes": ("~", "yellow")}


@click.command()
@click.argument("old", type=TargetType())
@click.argument("new", type=TargetType())
@app_dir_option
@factory_option
@json_option
def diff(old: str, new: str, app_dir: str, is_factory: bool, as_json: bool) -> None:
    """List who gains and who loses access when NEW replaces OLD.

    Both are what `corscore check` takes: a TOML file, main:policy, main:app, a Django settings
    module or env. Their meaning is compared, not their text: an origin that leaves a list, and is
    covered by a pattern, loses nothing.

    Ends with 0 if nothing changes, with 1 if anything does, and with 2 if one of them cannot be
    loaded.
    """
    before, after = (load(one, app_dir=app_dir, is_factory=is_factory) for one in (old, new))
    changes = tuple(_changes(before, after))
    unknown = [one.name for one in (before, after) if one.has_unknown_routes]
    if as_json:
        print_json({"changes": [change.to_dict() for change in changes]})
    elif changes or not unknown:
        print_changes(make_console(), changes)
    for name in unknown:
        say(make_console(stderr=True), unknown_routes(name), style="dim")
    raise SystemExit(exit_code_of(changes))


def _changes(before: Target, after: Target) -> Iterator[AccessChange]:
    """Yield the changes of the application's policies, then those of its routes."""
    old, new = (target.one_policy()[1] for target in (before, after))
    yield from access_changes(old, new)
    for name in dict.fromkeys((*before.routes, *after.routes)):
        # A route without a policy of its own has that of the application.
        pair = before.routes.get(name, old), after.routes.get(name, new)
        if any(isinstance(one, PolicyMap) for one in pair):
            texts = ("by path" if isinstance(one, PolicyMap) else repr(one) for one in pair)
            yield AccessChange("option", "changes", "policy", name, *texts)
            continue
        for change in access_changes(*pair):
            place = name if change.path is None else f"{name}, {change.path}"
            yield replace(change, item=change.item or name, path=place)


def print_changes(console: Console, changes: tuple[AccessChange, ...]) -> None:
    """Print who gains and who loses access."""
    for path, of_path in groupby(changes, key=lambda change: change.path):
        if path is not None:
            say(console, Text(path, "bold"))
        for change in of_path:
            sign, style = _SIGNS[change.way]
            line = Text.assemble((f"{sign} ", f"bold {style}"), f"{change.kind.replace('-', ' ')} ")
            line.append(change.item, style)
            if change.way == "changes":
                line.append(f": {change.before} -> {change.after}")
            say(console, line, indent=2 if path is not None else 0)
    if changes:
        gained, lost = (sum(one.way == way for one in changes) for way in ("gains", "loses"))
        other = len(changes) - gained - lost
        console.print()
        say(console, Text(f"{gained} gained, {lost} lost, {other} changed otherwise", "bold"))
    else:
        say(console, "No difference: no origin gains or loses access.")
