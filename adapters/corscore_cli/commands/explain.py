"""``corscore explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.text import Text

from corscore import Policy, PolicyMap, PolicyResolver, RequestInfo
from corscore.browser import Request, fetch
from corscore.diagnostics import Governing, explain_fetch, governing
from corscore_cli.shell.options import (
    TargetType,
    app_dir_option,
    env_option,
    factory_option,
    header_pair,
    json_option,
    script_options,
)
from corscore_cli.shell.output import (
    FINDINGS,
    FINE,
    Mistake,
    make_console,
    print_json,
    printable,
    say,
)
from corscore_cli.shell.report import print_explanation
from corscore_cli.targets.loader import load
from corscore_cli.targets.source import unknown_routes

if TYPE_CHECKING:
    from corscore.browser import Browser
    from corscore.diagnostics import Explanation
    from corscore_cli.targets.source import Current

_TENANTS = ("a PolicyResolver gives each tenant a policy",)
# An origin that no page has.
_SERVER = "https://server.invalid"


@click.command()
@click.argument("target", required=False, type=TargetType())
@script_options(credentials=" (cookies)")
@click.option(
    "--path", default="/", show_default=True, help="The request's path, for policies by path."
)
@click.option("--host", help="The request's Host, for policies by host.")
@env_option
@app_dir_option
@factory_option
@json_option
def explain(
    target: str | None,
    origin: str,
    method: str,
    headers: tuple[str, ...],
    credentials: bool,
    reads: tuple[str, ...],
    browser: Browser | None,
    path: str,
    host: str | None,
    prefix: str | None,
    app_dir: str,
    is_factory: bool,
    as_json: bool,
) -> None:
    """Say what a browser does with a script's request, step by step, and why.

    TARGET is a TOML file (cors.toml), a policy (main:policy), any application of ASGI or WSGI
    (main:app), a Django settings module (mysite.settings), or the environment (env). No server is
    asked: `corscore probe` does that.

    Ends with 0 if the script gets what it asks for, with 1 if it does not, and with 2 if TARGET
    cannot be loaded.
    """
    if not path.startswith("/"):
        raise click.BadParameter('it starts with a "/".', param_hint="--path")
    loaded = load(target, prefix=prefix, app_dir=app_dir, is_factory=is_factory)
    source, policies = loaded.one_policy()
    of_route = loaded.policies_at(method, path, host)
    if of_route is None:
        found = governing(policies, path, host=host, origin=origin)
    else:
        found = _governing_of_route(*of_route, f"the route of {method} {path}", origin)
    policy = found.policy
    request = _request(origin, method, headers, credentials=credentials, path=path)
    if isinstance(policies, PolicyResolver) or found.notes[-1:] == _TENANTS:
        raise Mistake(
            f"{loaded.name} has a PolicyResolver for {path}, which only a running application "
            "asks: explain the policy that it returns, or run corscore probe"
        )
    explanation = _explain(policy, request, reads, path, browser)
    if policy is None and of_route is None and isinstance(policies, PolicyMap) and not as_json:
        paths = ", ".join(key for key, governed in policies.items() if governed is not None)
        note = f"Note: no policy is for {path}; --path asks about another one, such as: {paths}."
        say(make_console(stderr=True), printable(note), style="dim")
    if as_json:
        governed = {} if found.place is None else {"policy": found.place, "because": found.notes}
        print_json({**explanation.to_dict(), **governed})
    else:
        if source.library is not None:
            say(
                make_console(stderr=True),
                f"Note: {loaded.name} has {source.library}; this is what corscore does with the "
                "same options. corscore migrate shows the differences.",
                style="dim",
            )
        if loaded.has_unknown_routes:
            say(make_console(stderr=True), unknown_routes(loaded.name), style="dim")
        print_explanation(make_console(), explanation)
        if found.place is not None:
            console = make_console()
            console.print()
            say(console, Text(f"Policy: {found.place}", "bold"))
            for note in found.notes:
                say(console, f"{note}.", indent=2)
    raise SystemExit(FINE if explanation.allowed else FINDINGS)


def _governing_of_route(because: str, policies: Current, place: str, origin: str) -> Governing:
    """Return what ``governing`` says of policies that beat those of the application."""
    found = governing(policies, origin=origin)
    place = place if found.place is None else f"{place}, {found.place}"
    return Governing(found.policy, place, (because, *found.notes))


def _request(
    origin: str, method: str, headers: tuple[str, ...], *, credentials: bool, path: str
) -> Request | RequestInfo:
    """Return the script's request; of an impossible one, the part that a policy can explain."""
    url = f"{_SERVER}{path}"
    try:
        return Request(
            method,
            url,
            origin=origin,
            headers=list(map(header_pair, headers)),
            credentials="include" if credentials else "omit",
        )
    except ValueError as error:
        message = str(error)
    # The policy explains an origin or a method that no browser sends.
    if not _is_possible("GET", url, origin):
        return RequestInfo("GET", origin=origin)
    if not _is_possible(method, url, origin):
        return RequestInfo("OPTIONS", origin=origin, request_method=method)
    raise Mistake(message)


def _is_possible(method: str, url: str, origin: str) -> bool:
    try:
        Request(method, url, origin=origin)
    except ValueError:
        return False
    return True


def _explain(
    policy: Policy | None,
    request: Request | RequestInfo,
    reads: tuple[str, ...],
    path: str,
    browser: Browser | None,
) -> Explanation:
    if policy is not None:
        return policy.explain(request, reads=reads, browser=browser)
    if isinstance(request, RequestInfo):
        raise Mistake(f"{path} is left alone: no policy says anything about it")
    # A path without a policy is served without CORS headers.
    return explain_fetch(fetch(request, lambda *_: (200, ()), browser=browser), reads=reads)
