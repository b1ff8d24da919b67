"""The options by which commands take what a script asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_Command = TypeVar("_Command", bound="Callable[..., Any]")

# For a header that is only named: a value that has to be asked for where that depends on it.
_VALUES = {"content-type": "application/json"}


def script_options(*, headers: str = "", credentials: str = "") -> Callable[[_Command], _Command]:
    """``--origin``, ``--method``, ``--header``, ``--credentials`` and ``--reads``.

    Args:
        headers: A sentence to add to the help of ``--header``.
        credentials: What to add to that of ``--credentials``.
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
    )

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def header_pair(text: str) -> tuple[str, str]:
    """``NAME: VALUE`` as a pair; a name alone gets a value."""
    name, separator, value = text.partition(":")
    name = name.strip()
    return name, value.strip() if separator else _VALUES.get(name.lower(), "1")
