"""The loops that are counted, each in a child of the process that valgrind runs."""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import TYPE_CHECKING

from benchmarks import cases
from benchmarks.sites import asgi
from benchmarks.ways import PEERS, cases_of
from corscore import Policy
from corscore._engine import matcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.cases import Run

# The group that has a baseline; the others are those of `benchmarks.ways`.
ENGINE = "engine"
GROUPS = (ENGINE, *PEERS)
# A case without corscore, for the interpreter's own work.
REFERENCE = "reference"
ADDED = {"actual, added": cases.ACTUAL, "no-origin, added": cases.NO_ORIGIN}
_MATCHING = {
    "exact": "https://tenant-3.example.com",
    "wildcard": "https://app.tenant-3.example.com",
    "miss": "https://app.tenant-3.example.net",
}
_PATTERNS = 100

# Enough turns for the interpreter to have specialised its instructions.
_WARM_UP = 100
_TURNS = {"starlette": 50, "flask": 200, "django": 50}
_MAX_TURNS = 300


def turns(group: str) -> int:
    """Return how many turns of each case are counted."""
    return _TURNS.get(group, _MAX_TURNS)


def loops(group: str) -> dict[str, Callable[[], Run]]:
    """Return every case of a group with a function that builds its loop."""
    if group != ENGINE:
        return {name: _served(name, group) for name in cases_of(group)}
    return {
        REFERENCE: lambda: asgi.build(cases.NOTHING).runner(cases.ACTUAL),
        cases.PREFLIGHT: lambda: asgi.build(cases.CORSCORE).runner(cases.PREFLIGHT),
        **{name: _requests(kind) for name, kind in ADDED.items()},
        **{name: _matching(origin.encode()) for name, origin in _MATCHING.items()},
    }


def _served(name: str, group: str) -> Callable[[], Run]:
    case = cases_of(group)[name]
    return lambda: case.build().runner(case.request)


def _requests(kind: str) -> Callable[[], Run]:
    return lambda: asgi.build(cases.CORSCORE).runner(kind)


def _matching(origin: bytes) -> Callable[[], Run]:
    def build() -> Run:
        listed = cases.origins(_PATTERNS) + cases.subdomain_patterns(_PATTERNS)
        allows = Policy(allow_origins=listed).allows_origin

        def run(count: int) -> float:
            for _ in range(count):
                allows(origin)
            return 0.0

        return run

    return build


def main(build: str, group: str) -> None:
    """Run every case of a group in a child, and print the children's process ids by name.

    valgrind writes a file of its counts before each call of ``getppid``; the second file of a child
    has the counted turns.

    Raises:
        SystemExit: The matcher is not of that build, or a child failed.
    """
    if build != matcher.IMPLEMENTATION:
        raise SystemExit(f"the matcher is {matcher.IMPLEMENTATION} here, not {build}")
    children = {}
    for name, make in loops(group).items():
        child = os.fork()
        if not child:
            _count(make(), turns(group))
        children[name] = child
        _, status = os.waitpid(child, 0)
        if status:
            raise SystemExit(f"{group}: {name} failed")
    print(json.dumps(children))


def _count(run: Run, count: int) -> None:
    status = 1
    try:
        run(_WARM_UP)
        gc.collect()
        gc.disable()
        os.getppid()
        run(count)
        os.getppid()
        status = 0
    finally:
        # The child must not run the exit handlers of its parent.
        os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
