"""``corscore probe``."""

from __future__ import annotations

import math

import click

from corscore.browser import Request
from corscore.explaining import probe as probe_server
from corscore_cli._diagnosis_text import print_diagnosis
from corscore_cli._http import open_transport
from corscore_cli._output import FINDINGS, FINE, Mistake, json_option, make_console, print_json

# All requests together may take so many times what one of them may.
_TIMES = 6
# For a header that is only named: a value that has to be asked for where that depends on it.
_VALUES = {"content-type": "application/json"}


def _number(context: click.Context, parameter: click.Parameter, value: float) -> float:
    # Neither end of a range keeps it out.
    if math.isnan(value):
        raise click.BadParameter("nan is no number of seconds.", context, parameter)
    return value


@click.command()
@click.argument("url")
@click.option("--origin", required=True, help="Of the page, such as https://app.example.com.")
@click.option("--method", default="GET", show_default=True, help="As the script writes it.")
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="NAME[: VALUE]",
    help="That the script sets; may be repeated. The value of Authorization is never sent.",
)
@click.option(
    "--credentials",
    is_flag=True,
    help='The script says credentials: "include"; no cookies are sent.',
)
@click.option(
    "--reads",
    multiple=True,
    metavar="NAME",
    help="Of a response header that the script reads; may be repeated.",
)
@click.option("--audit", is_flag=True, help="Try what an attacker would, too.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 600, min_open=True),
    callback=_number,
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="For one answer; all together may take six times that.",
)
@json_option
def probe(
    url: str,
    origin: str,
    method: str,
    headers: tuple[str, ...],
    credentials: bool,
    reads: tuple[str, ...],
    audit: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Do to a live server what a browser would, and say what comes of it, and why.

    Sends the preflight, where there is one, and then the request, and follows redirects as browsers
    do; then a few more GETs and preflights, to find causes. With --audit it also asks with origins
    that an attacker could have. It never sends cookies, Authorization or a body, and reads no body.

    Ends with 0 if a script can read the response and there are no findings, with 1 otherwise, and
    with 2 if URL or an option is wrong.
    """
    try:
        request = Request(
            method,
            url,
            origin=origin,
            headers=list(map(_header, headers)),
            credentials="include" if credentials else "same-origin",
        )
    except ValueError as error:
        raise Mistake(str(error)) from None
    try:
        # Only to have the names looked at.
        Request("GET", url, origin=origin, headers=[(name, "1") for name in reads])
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--reads") from None
    with open_transport(timeout, _TIMES * timeout) as send:
        told = probe_server(request, send, reads=reads, audit=audit)
    if as_json:
        print_json(told.to_dict())
    else:
        print_diagnosis(make_console(), told)
    raise SystemExit(FINE if told.healthy else FINDINGS)


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":")
    name = name.strip()
    return name, value.strip() if separator else _VALUES.get(name.lower(), "1")
