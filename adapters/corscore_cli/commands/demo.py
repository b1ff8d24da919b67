"""``corscore demo``."""

from __future__ import annotations

from time import sleep

import click
from rich.console import Console

from corscore_cli.demo.apps import APPS, NotInstalled
from corscore_cli.demo.demo import running
from corscore_cli.demo.servers import PortUnavailable
from corscore_cli.demo.terminal import print_address, print_live_change, print_policy, print_table
from corscore_cli.shell.output import Mistake

_PORT = click.IntRange(0, 65535)
_SLEEP_SECONDS = 3600.0


@click.command()
@click.option(
    "--app",
    "name",
    type=click.Choice([*APPS]),
    default="fastapi",
    show_default=True,
    help="The framework of the API.",
)
@click.option(
    "--port", type=_PORT, default=8100, show_default=True, help="The port of the API; 0 is any."
)
@click.option(
    "--page-port",
    type=_PORT,
    default=8101,
    show_default=True,
    help="The port of the page; 0 is any.",
)
@click.option("--once", is_flag=True, help="Print the table and end: 0 if all is as expected.")
def demo(name: str, port: int, page_port: int, *, once: bool) -> None:
    """Serve an API, and a page on another origin, to see what CORS does.

    Prints what a browser may and may not do with the API, then the address of a page that does it
    for real, where the policy can be changed. Both listen on 127.0.0.1 only.

    Ends with 0, with 1 if --once finds something unexpected, and with 2 if it cannot start.
    """
    console = Console(highlight=False)
    app = APPS[name]
    try:
        with running(app, port, page_port) as served:
            print_policy(console, served)
            good = print_table(console, served.snapshot().predictions)
            good = print_live_change(console, served) and good
            if once:
                raise SystemExit(0 if good else 1)
            print_address(console, served)
            _wait()
    except PortUnavailable as error:
        option = "--page-port" if error.port == page_port else "--port"
        raise Mistake(
            f"{error}; choose another one with {option}, or {option} 0 for any that is free"
        ) from None
    except NotInstalled as error:
        raise Mistake(
            f'--app {name} needs the package {error}; run: pip install "corscore[cli,{app.extra}]"'
        ) from None


def _wait() -> None:
    """Wait for Ctrl+C."""
    try:
        while True:
            sleep(_SLEEP_SECONDS)
    except KeyboardInterrupt:
        click.echo()
