"""What is counted: fixed loops, each in a process of its own below one that valgrind runs."""

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

# The group of what has a baseline; the other groups are those of `benchmarks.ways`.
ENGINE = "engine"
GROUPS = (ENGINE, *PEERS)
# Nothing of ours in it: what the interpreter itself takes for an application and a layer.
REFERENCE = "reference"
ADDED = {"actual, added": cases.ACTUAL, "no-origin, added": cases.NO_ORIGIN}
_MATCHING = {
    "exact": "https://tenant-3.example.com",
    "wildcard": "https://app.tenant-3.example.com",
    "miss": "https://app.tenant-3.example.net",
}
_PATTERNS = 100

# Enough for the interpreter to have settled on its specialised instructions.
_WARM = 100
_TURNS = {"starlette": 50, "flask": 50, "django": 50}
_MOST_TURNS = 300


def turns(group: str) -> int:
    """How many turns of each case are counted."""
    return _TURNS.get(group, _MOST_TURNS)


def loops(group: str) -> dict[str, Callable[[], Run]]:
    """Every case of a group, and what builds its loop."""
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

    valgrind writes what it counted before each call of ``getppid``: the second file of a child has
    its turns.

    Raises:
        SystemExit: When the matcher is not of that build, or a child failed.
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
        run(_WARM)
        gc.collect()
        gc.disable()
        os.getppid()
        run(count)
        os.getppid()
        status = 0
    finally:
        # Without what the parent registered for its own exit.
        os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
