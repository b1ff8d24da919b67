"""Arguments and options that several commands take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click
from click.shell_completion import CompletionItem

from corscore.browser import Browser, Request

if TYPE_CHECKING:
    from collections.abc import Callable

_Command = TypeVar("_Command", bound="Callable[..., Any]")

# Content-Type needs a preflight only with a value that no HTML form sends.
_VALUES = {"content-type": "application/json"}
_URL = "https://server.invalid"


class TargetType(click.types.StringParamType):
    """A TARGET, which a shell completes as a file."""

    name = "target"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """Complete files and ``env``; objects in a module would need its import."""
        items = [CompletionItem(incomplete, type="file")]
        if "env".startswith(incomplete):
            items.append(CompletionItem("env", help="the environment"))
        return items


def app_dir_option(command: _Command) -> _Command:
    """Add ``--app-dir``, the folder in which modules are looked for first."""
    return click.option(
        "--app-dir",
        type=click.Path(file_okay=False, exists=True),
        default=".",
        show_default="the current folder",
        help="Look for modules in this folder first.",
    )(command)


def factory_option(command: _Command) -> _Command:
    """Add ``--factory``, as the argument ``is_factory``."""
    return click.option(
        "--factory", "is_factory", is_flag=True, help="TARGET is a function that makes the app."
    )(command)


def env_option(command: _Command) -> _Command:
    """Add ``--env PREFIX``, as the argument ``prefix``."""
    return click.option(
        "--env",
        "prefix",
        metavar="PREFIX",
        help="Read the environment's variables of this prefix, such as CORS_.",
    )(command)


def json_option(command: _Command) -> _Command:
    """Add ``--json``, as the argument ``as_json``."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object, for programs."
    )(command)


def script_options(*, headers: str = "", credentials: str = "") -> Callable[[_Command], _Command]:
    """Add ``--origin``, ``--method``, ``--header``, ``--credentials``, ``--reads``, ``--browser``.

    Args:
        headers: A sentence to add to the help of ``--header``.
        credentials: Words to add to the help of ``--credentials``.
    """
    options = (
        click.option(
            "--origin", required=True, help="The page's origin, such as https://app.example.com."
        ),
        click.option(
            "--method",
            default="GET",
            show_default=True,
            help="The request's method, as the script writes it.",
        ),
        click.option(
            "--header",
            "headers",
            multiple=True,
            metavar="NAME[: VALUE]",
            help=f"A request header that the script sets; may be repeated.{headers}",
        ),
        click.option(
            "--credentials",
            is_flag=True,
            help=f'The script says credentials: "include"{credentials}.',
        ),
        click.option(
            "--reads",
            multiple=True,
            metavar="NAME",
            callback=_header_names,
            help="A response header that the script reads; may be repeated.",
        ),
        click.option(
            "--browser",
            type=click.Choice(get_args(Browser)),
            help="Predict this browser, where it differs from the standard; safari is WebKit.",
        ),
    )

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _header_names(
    context: click.Context, parameter: click.Parameter, names: tuple[str, ...]
) -> tuple[str, ...]:
    try:
        Request("GET", _URL, origin=_URL, headers=[(name, "1") for name in names])
    except ValueError as error:
        raise click.BadParameter(f"{error}.", context, parameter) from None
    return names


def header_pair(text: str) -> tuple[str, str]:
    """Split ``NAME: VALUE``; a name alone gets a value."""
    name, separator, value = text.partition(":")
    name = name.strip()
    return name, value.strip() if separator else header_value(name)


def header_value(name: str) -> str:
    """Return a value for a request header of which only the name is known."""
    return _VALUES.get(name.lower(), "1")
