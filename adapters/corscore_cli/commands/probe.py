"""``corscore probe``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from corscore.browser import Request
from corscore.diagnostics import probe as probe_server
from corscore_cli.shell.http import open_transport
from corscore_cli.shell.options import header_pair, json_option, script_options
from corscore_cli.shell.output import FINDINGS, FINE, Mistake, make_console, print_json
from corscore_cli.shell.report import print_diagnosis

if TYPE_CHECKING:
    from corscore.browser import Browser

# The time limit of all requests together, as a multiple of the limit of one.
_TOTAL_TIMEOUTS = 6
_NO_RESPONSE = ("network-error", "tls-error")


def _seconds(context: click.Context, parameter: click.Parameter, value: float) -> float:
    # click's range takes nan.
    if math.isnan(value):
        raise click.BadParameter("nan is no number of seconds.", context, parameter)
    return value


@click.command()
@click.argument("url")
@script_options(
    headers=" The value of Authorization is never sent.", credentials="; no cookies are sent"
)
@click.option("--audit", is_flag=True, help="Try what an attacker would, too.")
@click.option(
    "--expect-allowed",
    "expected",
    flag_value="allowed",
    help="End with 0 if a script can read the response, whatever else is found.",
)
@click.option(
    "--expect-refused",
    "expected",
    flag_value="refused",
    help="End with 0 if a browser refuses it. No response is no refusal.",
)
@click.option("--steps", is_flag=True, help="Print the section of the standard with each step.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 600, min_open=True),
    callback=_seconds,
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="The limit for one response; all together may take six times that.",
)
@json_option
def probe(
    url: str,
    origin: str,
    method: str,
    headers: tuple[str, ...],
    credentials: bool,
    reads: tuple[str, ...],
    browser: Browser | None,
    audit: bool,
    expected: str | None,
    steps: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Ask a live server as a browser would, and explain the result.

    Sends the preflight, where there is one, and then the request, and follows redirects as browsers
    do; then a few more GETs and preflights, to find causes. With --audit it also asks with origins
    that an attacker could have. It never sends cookies, Authorization or a body, and reads no body.

    Ends with 0 if a script can read the response and there are no findings, with 1 otherwise, and
    with 2 if URL or an option is wrong. In CI say what is expected, and findings do not count.
    """
    try:
        request = Request(
            method,
            url,
            origin=origin,
            headers=list(map(header_pair, headers)),
            credentials="include" if credentials else "same-origin",
        )
    except ValueError as error:
        raise Mistake(str(error)) from None
    with open_transport(timeout, _TOTAL_TIMEOUTS * timeout) as send:
        diagnosis = probe_server(request, send, reads=reads, audit=audit, browser=browser)
    if as_json:
        print_json(diagnosis.to_dict())
    else:
        print_diagnosis(make_console(), diagnosis, sections=steps)
    if expected is None:
        raise SystemExit(FINE if diagnosis.healthy else FINDINGS)
    if diagnosis.reason in _NO_RESPONSE:
        got = "no response"
    else:
        got = "allowed" if diagnosis.readable and diagnosis.reason is None else "refused"
    if got != expected:
        click.echo(f"Expected: {expected}. Got: {got}.", err=True)
    raise SystemExit(FINE if got == expected else FINDINGS)
