"""The two builds of what is compiled: the names that ``corscore._engine.matcher`` picks from."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

from corscore._engine import matcher

PYTHON, CYTHON = "python", "cython"
SUFFIXES = {PYTHON: "py", CYTHON: "c"}
SOURCES = ("answer", "gateway", "matcher", "paths", "responder")
NAMES = tuple(name for name in matcher.__all__ if name != "IMPLEMENTATION")


def module_names(build: str) -> list[str]:
    """The modules of one build."""
    return [f"corscore._engine.{source}_{SUFFIXES[build]}" for source in SOURCES]


def load(build: str) -> SimpleNamespace:
    """Everything that is picked from one build, by its name there.

    Raises:
        ImportError: When it is not compiled here.
    """
    modules = [import_module(name) for name in module_names(build)]
    found = {
        name: getattr(module, name)
        for name in NAMES
        for module in modules
        if getattr(getattr(module, name, None), "__module__", "") == module.__name__
    }
    return SimpleNamespace(IMPLEMENTATION=build, **found)
