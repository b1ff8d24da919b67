"""What a TARGET turned out to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from corscore_cli.shell.location import Place, nowhere

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corscore import Policy, PolicyMap, Problem
    from corscore.diagnostics import Finding
    from corscore_cli.shell.location import Locator


@dataclass(frozen=True, slots=True)
class Source:
    """One policy, or one map of them, and how its user wrote it.

    Attributes:
        policies: The policy; None where it cannot be built.
        title: What it was found in, for people: ``"cors.toml"``, ``"Starlette's CORSMiddleware"``.
        names: Options of ``Policy`` to the names that this user wrote; missing ones keep theirs.
        defaults: Options that nobody wrote: their values are a library's.
        problems: Why it cannot be built.
        locate: Finds where an option is.
        theirs: The library whose middleware this is, where it is not ours.
        options: What was written, under the names of ``Policy``, where that is known.
        path: The path that it is for, the one that its application is mounted at included; empty
            for every path.
        resource: The end of ``path`` that flask-cors has it for, as its user wrote it.
        above: How many layers of CORS a request has passed before it.
    """

    policies: Policy | PolicyMap | None
    title: str
    names: Mapping[str, str] = field(default_factory=dict)
    defaults: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    locate: Locator = nowhere
    theirs: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    path: str = ""
    resource: str = ""
    above: int = 0


@dataclass(frozen=True, slots=True)
class Loaded:
    """All that is known of a TARGET.

    Attributes:
        name: As the user wrote it.
        sources: Its policies, from the outermost layer to the innermost.
        findings: What was found out on the way, each with its place.
        file: The module that the name is in, where it is in one.
    """

    name: str
    sources: tuple[Source, ...]
    findings: tuple[tuple[Finding, Place], ...] = ()
    file: str | None = None
