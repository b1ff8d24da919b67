"""asv: what an import of the engine costs a new interpreter."""

from __future__ import annotations


def timeraw_nothing() -> str:
    """For comparison."""
    return "pass"


def timeraw_import_corscore() -> str:
    """With bytecode caches, as everywhere but at the first start."""
    return "import corscore"
