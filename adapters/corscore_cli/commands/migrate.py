"""``corscore migrate``."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click
from rich.syntax import Syntax
from rich.text import Text

from corscore.diagnostics import code_page
from corscore_cli.migrate.comparison import Comparison, Difference
from corscore_cli.migrate.libraries import (
    ASGI_CORS,
    DJANGO,
    FASTAPI,
    PACKAGES,
    WSGICORS,
    not_installed,
    read_asgi_cors,
    read_django,
    read_flask_cors,
    read_starlette,
    read_wsgicors,
)
from corscore_cli.migrate.python import (
    OldLines,
    adapter_source,
    django_source,
    joined_policies,
    old_lines,
)
from corscore_cli.migrate.repairs import Repair, nearest_policy
from corscore_cli.migrate.stack import OldStack, quiet_loggers
from corscore_cli.shell.options import TargetType, app_dir_option, factory_option, json_option
from corscore_cli.shell.output import (
    Mistake,
    as_sentence,
    code_text,
    count_text,
    exit_code_of,
    make_console,
    print_json,
    say,
)
from corscore_cli.shell.report import print_title
from corscore_cli.targets.imports import (
    UnbuiltPolicy,
    call_factory,
    find_attribute,
    import_target,
    importing,
)
from corscore_cli.targets.layers import FLASK_CORS, STARLETTE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from rich.console import Console

    from corscore import PolicyMap
    from corscore.diagnostics import Finding
    from corscore.integration import PathPolicy

_READERS = {
    STARLETTE: read_starlette,
    FASTAPI: read_starlette,
    FLASK_CORS: read_flask_cors,
    ASGI_CORS: read_asgi_cors,
    WSGICORS: read_wsgicors,
}
_CALLS = {
    STARLETTE: "the import of CORSMiddleware and the add_middleware(CORSMiddleware, ...)",
    FASTAPI: "the import of CORSMiddleware and the add_middleware(CORSMiddleware, ...)",
    FLASK_CORS: "the import of flask_cors and the CORS(...)",
    DJANGO: "corsheaders in INSTALLED_APPS and MIDDLEWARE",
    ASGI_CORS: "the import of asgi_cors and its call",
    WSGICORS: "the import of wsgicors and the CORS(...)",
}


@dataclass(frozen=True, slots=True)
class Migration:
    """The move of an application from another library.

    Attributes:
        source: The new Python.
        old: The lines that it replaces.
        repairs: The values that a policy refuses, and their new values.
        differences: The differences for browsers.
        insecure: The findings about the old stack.
    """

    source: str
    old: list[OldLines]
    repairs: list[Repair]
    differences: list[Difference]
    insecure: list[Finding]


@click.command()
@click.argument("target", type=TargetType())
@click.option(
    "--from",
    "library",
    type=click.Choice([*PACKAGES]),
    required=True,
    help="The library that TARGET uses now.",
)
@app_dir_option
@factory_option
@json_option
def migrate(target: str, library: str, app_dir: str, is_factory: bool, as_json: bool) -> None:
    """Print the policy that replaces another library's options, and what changes for browsers.

    TARGET is an app (main:app), or a settings module (mysite.settings) for django-cors-headers.

    A model of a browser asks the old middleware and the policy. The command lists the differences,
    and what the old middleware lets strangers do. It writes no file.

    Ends with 0 if nothing changes for browsers and nothing was insecure, with 2 if TARGET cannot be
    loaded, and else with 1.
    """
    if find_spec(PACKAGES[library]) is None:
        raise not_installed(library)
    try:
        migration = _migration(target, library, app_dir, is_factory=is_factory)
    except UnbuiltPolicy as refused:
        raise Mistake(f"{target}: {refused.error}") from None
    if as_json:
        print_json(
            {
                "policy": migration.source,
                "replaces": [one.to_dict() for one in migration.old],
                "repairs": [one.to_dict() for one in migration.repairs],
                "changes": [one.to_dict() for one in migration.differences],
                "insecure": [one.to_dict() for one in migration.insecure],
            }
        )
    else:
        _print(make_console(), library, migration)
    raise SystemExit(exit_code_of((*migration.differences, *migration.insecure)))


def _migration(target: str, library: str, app_dir: str, *, is_factory: bool) -> Migration:
    if library == DJANGO:
        # Imported late, since Django may not be installed.
        from corscore_cli.targets.django_settings import in_force, package_to_forget

        if ":" in target:
            raise Mistake(f"{target} is no settings module; write mysite.settings")
        with importing(app_dir, package_to_forget(target)), in_force(target) as module:
            return _settings_migration(target, module)
    with _application(target, app_dir, is_factory=is_factory) as (app, module):
        stack = _READERS[library](app, target)
        moves = [
            (layer, *nearest_policy(layer.options, asks_for_origins=True)) for layer in stack.layers
        ]
        policies = joined_policies((layer, policy) for layer, policy, _ in moves)
        source = adapter_source(library, policies, stack.layers)
        name = target.partition(":")[2]
        # In a factory the application may have any name.
        is_name = not is_factory and name.isidentifier()
        old = old_lines(module.__file__, library, app=name if is_name else "")
        repairs = [one for *_, found in moves for one in found]
        return _compare(stack, policies, source, old, repairs)


def _settings_migration(target: str, module: ModuleType) -> Migration:
    from corscore_django.inspection import inspect_settings

    inspection = inspect_settings()
    stack = read_django(inspection, target)
    (layer,) = stack.layers
    policy, repairs = nearest_policy(layer.options, asks_for_origins=True)
    covered = layer.paths.pattern
    regex = None if covered is None or covered.pattern == layer.paths.text else covered.pattern
    # Settings that need no repair stay, since our middleware reads the same ones.
    kept = inspection.policy is not None and not repairs
    names = set() if kept else {name for name in inspection.values if name != "CORS_URLS_REGEX"}
    if regex is not None:
        names.add("CORS_URLS_REGEX")
    policies = inspection.policy if kept else policy
    source = django_source(regex, None if kept else policy)
    if policies is None:
        source = adapter_source(DJANGO, None)
    old = old_lines(module.__file__, DJANGO, settings=names)
    return _compare(stack, policies, source, old, repairs)


def _compare(
    stack: OldStack,
    policies: PathPolicy | PolicyMap,
    source: str,
    old: list[OldLines],
    repairs: list[Repair],
) -> Migration:
    comparison = Comparison(stack, policies)
    with quiet_loggers():
        return Migration(source, old, repairs, comparison.differences(), comparison.insecure())


@contextmanager
def _application(
    target: str, app_dir: str, *, is_factory: bool
) -> Iterator[tuple[Any, ModuleType]]:
    """Import an application and its module, which are forgotten when the context ends."""
    module_name, separator, name = target.partition(":")
    if not separator:
        raise Mistake(f"{target} is no app; write module:app, such as main:app")
    with importing(app_dir, module_name.partition(".")[0]):
        module = import_target(module_name)
        app: Any = find_attribute(module, name.removesuffix("()"))
        if is_factory or name.endswith("()"):
            app = call_factory(app, target)
        yield app, module


def _print(console: Console, library: str, migration: Migration) -> None:
    say(console, _verdict(migration))
    print_title(console, "Remove")
    for old in migration.old:
        say(console, f"{old.place}:", indent=2, style="dim")
        for text in old.text.splitlines():
            console.print(Text(f"    {text}"), soft_wrap=True)
    if not migration.old:
        say(console, f"{_CALLS[library]}.", indent=2)
    print_title(console, "Write")
    source = migration.source.rstrip()
    console.print(Syntax(source, "python", theme="ansi_dark", background_color="default"))
    if library == DJANGO and "CORS_POLICY" not in source:
        say(console, "The other CORS_* settings stay as they are.")
    if migration.insecure:
        print_title(console, "What was insecure")
    for finding in migration.insecure:
        line = Text("- ").append_text(code_text(finding.code, "bold red"))
        say(console, line.append(f": {finding.message}"), indent=2, hang=2)
        say(console, f"Fix: {as_sentence(finding.hint)}", indent=4)
        say(console, code_page(finding.code), indent=4, style="dim")
    if migration.repairs:
        print_title(console, "What corscore refuses, and the new value")
    for repair in migration.repairs:
        line = Text("- ").append_text(code_text(repair.code))
        say(console, line.append(f": {repair.message} Now: {repair.done}."), indent=2, hang=2)
    if migration.differences:
        print_title(console, "What changes for browsers")
    for one in migration.differences:
        say(console, f"- {one.what}: {one.before} -> {one.after}", indent=2, hang=2)


def _verdict(migration: Migration) -> Text:
    changes, risks = len(migration.differences), len(migration.insecure)
    if changes:
        count = count_text(changes, "difference")
        verdict = Text(f"Browsers will notice: {count}.", "bold yellow")
    else:
        verdict = Text("Nothing changes for browsers.", "bold green")
    if risks:
        count = "1 thing was" if risks == 1 else f"{risks} things were"
        verdict.append(f" {count} insecure.", "bold red")
    return verdict
