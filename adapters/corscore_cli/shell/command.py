"""The group ``corscore``, which imports a command when it is called.

``corscore check`` runs at every commit and must not pay for the server of ``corscore demo`` or the
HTTP client of ``corscore probe``.
"""

from __future__ import annotations

from importlib import import_module

import click

# In the order of `--help`.
_COMMANDS = (
    *("check", "explain", "probe", "console", "har"),
    *("diff", "migrate", "store", "code", "demo"),
)
_MAX_SUMMARY = 1_000

_EPILOG = """\
\b
Examples:
  corscore check main:app
  corscore explain main:app --origin https://app.example.com --method PUT
  corscore probe https://api.example.com/items --origin https://app.example.com
  corscore migrate --from fastapi main:app
  corscore code origin-trailing-slash

Each command ends with 0 if all is fine, 1 if it found something, 2 after a mistake.
"""


class _LazyGroup(click.Group):
    def list_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
    ) -> list[str]:
        return list(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"corscore_cli.commands.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the whole first sentence of each command, which click would cut off."""
        commands = ((name, self.get_command(ctx, name)) for name in _COMMANDS)
        rows = [(name, one.get_short_help_str(_MAX_SUMMARY)) for name, one in commands if one]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
)
@click.version_option(package_name="corscore", message="%(prog)s %(version)s")
def corscore() -> None:
    """One CORS policy engine for every Python web framework."""
