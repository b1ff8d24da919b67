"""``corscore store``: the policy that all workers of all hosts follow."""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from corscore import ConfigError, OriginResolver, PolicyResolver
from corscore.diagnostics import access_changes
from corscore.integration import escaped, read_policies
from corscore_cli.commands.diff import print_changes
from corscore_cli.shell.options import json_option
from corscore_cli.shell.output import (
    FINDINGS,
    FINE,
    Mistake,
    make_console,
    print_json,
    printable,
    say,
)
from corscore_cli.targets.loader import read_toml
from corscore_store import StoreError, VersionConflict, open_store
from corscore_store.documents import document_of, policies_in, write_next

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from corscore_store import Store, Version

_STALE_SECONDS = 15.0


class _StoreGroup(click.Group):
    """A group whose commands end with 2 where the store does not answer."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (StoreError, ConfigError) as error:
            raise Mistake(str(error)) from None


@click.group(cls=_StoreGroup)
def store() -> None:
    """Push a policy to all workers of all hosts, and see which of them serve it.

    A store is a URL: redis://, rediss://, postgresql://, sqlite: or file:. An application follows
    it with corscore_store.StoreRef(URL).
    """


def _store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option(
        "--name", default="default", show_default=True, help="The name of the policy in the store."
    )(command)
    return click.option(
        "--to",
        "--from",
        "url",
        metavar="URL",
        required=True,
        envvar="CORSCORE_STORE",
        help="The store. To keep a password out of the process list, set CORSCORE_STORE instead.",
    )(command)


_yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@store.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@_store_options
@click.option(
    "--resolver",
    "names",
    multiple=True,
    help="The name of a resolver; may be repeated. Not needed for those that a running worker has.",
)
@_yes_option
def push(file: str, url: str, name: str, names: tuple[str, ...], *, yes: bool) -> None:
    """Check FILE, show who gains and loses access, ask, and write it in one step.

    FILE is a TOML file as corscore check takes it. It may refer to resolvers by the names that the
    application gives them: origin_resolver = "tenants".

    Ends with 0 if it is written, or is there already; with 1 if FILE has problems or you say no.
    """
    opened = open_store(url, name=name)
    known = names + tuple(one for worker in opened.workers() for one in worker.resolvers)
    table = read_toml(Path(file))
    resolvers = _stand_in_resolvers(json.dumps(table, default=str), known)
    policies = _read(file, lambda: read_policies(table, resolvers))
    _write(opened, document_of(policies, resolvers), policies, yes=yes)


@store.command()
@_store_options
@click.option(
    "--version", "number", type=int, help="A version of the history; the newest by default."
)
def pull(url: str, name: str, number: int | None) -> None:
    """Print a version as JSON."""
    opened = open_store(url, name=name)
    document = _find_version(opened, opened.state().version if number is None else number).document
    # Dumped again in ASCII: a document that was written by hand may hold anything.
    with suppress(ValueError, RecursionError):
        document = json.dumps(json.loads(document))
    click.echo(printable(document))


@store.command()
@_store_options
@json_option
def history(url: str, name: str, *, as_json: bool) -> None:
    """List the versions, the newest first: number, time and author."""
    versions = open_store(url, name=name).history()
    if as_json:
        rows = [
            {"version": one.number, "time": int(one.time), "author": one.author} for one in versions
        ]
        print_json({"versions": rows})
        return
    console = make_console()
    for one in versions:
        say(console, f"{one.number:>6}  {_time(one.time)}  {printable(one.author)}")
    if not versions:
        say(console, f"There is no version of {name} yet: corscore store push cors.toml --to URL")


@store.command()
@click.argument("number", type=int, metavar="VERSION")
@_store_options
@_yes_option
def rollback(number: int, url: str, name: str, *, yes: bool) -> None:
    """Write the policy of an old VERSION again, as the newest one.

    It gets a new number, since workers take over higher numbers only.
    """
    opened = open_store(url, name=name)
    found = _find_version(opened, number)
    policies = _read(
        f"version {number}",
        lambda: policies_in(found.document, _stand_in_resolvers(found.document)),
    )
    _write(opened, found.document, policies, yes=yes)


@store.command()
@_store_options
@json_option
def status(url: str, name: str, *, as_json: bool) -> None:
    """List the workers: host, process, version, and the seconds since their last heartbeat.

    Ends with 1 if a worker serves another version than the newest, refuses it, or is silent.
    """
    opened = open_store(url, name=name)
    newest, workers = opened.state().version, opened.workers()
    late = [
        one for one in workers if one.version != newest or one.refused or one.age > _STALE_SECONDS
    ]
    if as_json:
        rows = [
            {
                "host": one.host,
                "process": one.process,
                "version": one.version,
                "refused": one.refused or None,
                "problems": one.problems,
                "age": round(one.age, 1),
            }
            for one in workers
        ]
        print_json({"version": newest, "workers": rows})
        raise SystemExit(FINDINGS if late else FINE)
    console = make_console()
    verdict = f"version {newest}: {len(workers) - len(late)} of {len(workers)} workers serve it"
    say(console, Text(verdict, "bold red" if late else "bold green"))
    for one in workers:
        host = escaped(one.host)
        line = f"{host}  process {one.process}  version {one.version}  {one.age:.1f} s"
        say(console, line, indent=2, style="yellow" if one in late else "")
        if one.refused:
            say(console, printable(f"refuses {one.refused}: {one.problems}"), indent=6)
    raise SystemExit(FINDINGS if late else FINE)


@store.command()
@click.option("--once", is_flag=True, help="Push three policies, and end: 0 if all arrived.")
def demo(*, once: bool) -> None:
    """Start two hosts of two workers, and watch a pushed policy arrive worker by worker.

    Starts a Redis of its own where redis-server is installed, else it takes SQLite. The workers
    listen on 127.0.0.2 and 127.0.0.3, and the demo keeps asking each for a page. You can push from
    another terminal, too.

    Ends with 0, with 1 if --once misses an arrival, and with 2 if it cannot start.
    """
    # Imported late: the other commands need no server.
    from corscore_cli.demo import fleet

    console = make_console()
    with fleet.running() as started:
        fleet.print_fleet(console, started)
        good = [fleet.print_push(console, started) for _ in range(3)]
        if once:
            raise SystemExit(FINE if all(good) else FINDINGS)
        say(console, f"corscore store status --from {started.url}")
        say(console, f"corscore store push cors.toml --to {started.url}\n")
        say(console, "Enter pushes the next policy; Ctrl+C ends the demo.\n")
        fleet.print_pushes(console, started, sys.stdin)


def _read(source: str, read: Callable[[], Any]) -> Any:
    """Return what ``read`` returns; end with 1 if it has problems."""
    try:
        return read()
    except ConfigError as error:
        say(make_console(), f"{printable(source)}: {printable(str(error))}")
        raise SystemExit(FINDINGS) from None


def _write(opened: Store, document: str, policies: Any, *, yes: bool) -> None:
    console = make_console()
    expected = opened.state().version
    current = opened.version(expected)
    if current is not None and current.document == document:
        say(console, f"Version {expected} is the same; nothing is written.")
        return
    before = None
    if current is not None:
        with suppress(ConfigError):
            before = policies_in(current.document, _stand_in_resolvers(current.document))
    if before is None:
        say(console, "There is no valid policy in the store yet.")
    elif isinstance(before, PolicyResolver) or isinstance(policies, PolicyResolver):
        say(console, "A resolver gives the policies: who gains and who loses access is its choice.")
    else:
        print_changes(console, access_changes(before, policies))
    if not yes and not click.confirm("Write it for all workers?"):
        raise SystemExit(FINDINGS)
    try:
        number = write_next(opened, document, expected)
    except VersionConflict as conflict:
        raise Mistake(f"{conflict}: look at it, and run the command again") from None
    say(console, Text(f"Version {number} is written.", "bold green"))


def _find_version(opened: Store, number: int) -> Version:
    found = opened.version(number)
    if found is None:
        known = ", ".join(str(one.number) for one in opened.history()) or "none"
        raise Mistake(f"{opened} has no version {number}; the newest ones: {known}")
    return found


def _stand_in_resolvers(document: str, names: Iterable[str] | None = None) -> dict[str, Any]:
    """Return resolvers that are never called, for those that only the workers have.

    Args:
        document: The document, which says which of them give policies.
        names: The names of the resolvers; by default all that the document has.
    """
    of_policies = set(re.findall(r'"policy_resolver": "([^"]*)"', document))
    if names is None:
        names = of_policies.union(re.findall(r'"origin_resolver": "([^"]*)"', document))
    return {
        name: _policy_resolver(name) if name in of_policies else _origin_resolver(name)
        for name in names
    }


@cache
def _policy_resolver(name: str) -> PolicyResolver:  # noqa: ARG001 - one for each name
    return PolicyResolver(lambda host: None)  # noqa: ARG005 - it is never called


@cache
def _origin_resolver(name: str) -> OriginResolver:  # noqa: ARG001
    return OriginResolver(lambda origin, host: False)  # noqa: ARG005


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
