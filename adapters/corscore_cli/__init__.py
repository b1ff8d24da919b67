"""The command ``corscore``."""

from corscore_cli._main import main

__all__ = ("main",)
