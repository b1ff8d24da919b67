"""asv: the time that an import of the engine takes in a new interpreter."""

from __future__ import annotations


def timeraw_nothing() -> str:
    """The interpreter alone, for comparison."""
    return "pass"


def timeraw_import_corscore() -> str:
    """The import with bytecode caches, as at each start but the first."""
    return "import corscore"
