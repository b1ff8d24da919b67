"""``corscore check``."""

from __future__ import annotations

from importlib.metadata import version

import click

from corscore_cli.commands.report import (
    entries,
    print_as_json,
    print_github,
    print_sarif,
    print_text,
)
from corscore_cli.shell.output import findings_exit, make_console
from corscore_cli.targets.loader import load
from corscore_cli.targets.target_options import Target, app_dir_option, env_option, factory_option


@click.command()
@click.argument("target", required=False, type=Target())
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

    TARGET is a TOML file (cors.toml), a policy (main:policy), an app of FastAPI, Starlette or Flask
    (main:app), a Django settings module (mysite.settings), or the environment (env).

    Problems are what no server would start with; findings are what is most likely not meant. Ends
    with 0 if there is neither, with 1 if there is any, and with 2 if TARGET cannot be loaded.
    """
    loaded = load(target, prefix=prefix, app_dir=app_dir, is_factory=is_factory)
    told = entries(loaded, ignored)
    if as_json or form == "json":
        print_as_json(told)
    elif form == "github":
        print_github(told)
    elif form == "sarif":
        print_sarif(told, version("corscore"), loaded.file)
    else:
        print_text(make_console(), loaded.name, told)
    raise SystemExit(findings_exit(told))
