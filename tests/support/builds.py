"""The two builds of the compiled modules, and the names that ``_engine.matcher`` picks."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

from corscore._engine import matcher

PYTHON, CYTHON = "python", "cython"
SUFFIXES = {PYTHON: "py", CYTHON: "c"}
SOURCES = ("answer", "gateway", "matcher", "paths", "responder")
NAMES = tuple(name for name in matcher.__all__ if name != "IMPLEMENTATION")


def module_names(build: str) -> list[str]:
    """Return the names of the modules of one build."""
    return [f"corscore._engine.{source}_{SUFFIXES[build]}" for source in SOURCES]


def load(build: str) -> SimpleNamespace:
    """Return all names that are picked from one build, with their values.

    Raises:
        ImportError: The build is not compiled here.
    """
    modules = [import_module(name) for name in module_names(build)]
    found = {
        name: getattr(module, name)
        for name in NAMES
        for module in modules
        if getattr(getattr(module, name, None), "__module__", "") == module.__name__
    }
    return SimpleNamespace(IMPLEMENTATION=build, **found)
