"""The arguments and options by which commands take a TARGET."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Callable

_Command = TypeVar("_Command", bound="Callable[..., Any]")


class Target(click.types.StringParamType):
    """A TARGET, which a shell completes as a file."""

    name = "target"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """Files by their names; what is in a module is not known before it is imported."""
        items = [CompletionItem(incomplete, type="file")]
        if "env".startswith(incomplete):
            items.append(CompletionItem("env", help="the environment"))
        return items


def app_dir_option(command: _Command) -> _Command:
    """``--app-dir``: where modules are looked for first."""
    return click.option(
        "--app-dir",
        type=click.Path(file_okay=False, exists=True),
        default=".",
        show_default="the current folder",
        help="Look for modules in this folder first.",
    )(command)


def factory_option(command: _Command) -> _Command:
    """``--factory``: call what is named."""
    return click.option(
        "--factory", "is_factory", is_flag=True, help="TARGET is a function that makes the app."
    )(command)


def env_option(command: _Command) -> _Command:
    """``--env PREFIX``: variables of another prefix than CORS_."""
    return click.option(
        "--env",
        "prefix",
        metavar="PREFIX",
        help="Read the environment's variables of this prefix, such as CORS_.",
    )(command)
