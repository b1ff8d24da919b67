"""The command ``corscore``."""

from corscore_cli.shell.main import main

__all__ = ("main",)
