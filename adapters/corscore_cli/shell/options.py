"""Arguments and options that several commands take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click
from click.shell_completion import CompletionItem

from corscore.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Callable

_Command = TypeVar("_Command", bound="Callable[..., Any]")

# Values of headers that are named without one, where the value decides about a preflight.
_VALUES = {"content-type": "application/json"}


class TargetType(click.types.StringParamType):
    """A TARGET, which a shell completes as a file."""

    name = "target"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """Return files and ``env``; a module is not imported to complete what is in it."""
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
            "--origin", required=True, help="Of the page, such as https://app.example.com."
        ),
        click.option("--method", default="GET", show_default=True, help="As the script writes it."),
        click.option(
            "--header",
            "headers",
            multiple=True,
            metavar="NAME[: VALUE]",
            help=f"That the script sets; may be repeated.{headers}",
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
            help="Of a response header that the script reads; may be repeated.",
        ),
        click.option(
            "--browser",
            type=click.Choice(get_args(Browser)),
            help="Predict this one, where it differs from the standard; safari is WebKit.",
        ),
    )

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def header_pair(text: str) -> tuple[str, str]:
    """Split ``NAME: VALUE``; a name without a value gets one."""
    name, separator, value = text.partition(":")
    name = name.strip()
    return name, value.strip() if separator else _VALUES.get(name.lower(), "1")
