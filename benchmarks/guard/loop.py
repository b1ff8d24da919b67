"""What is counted: fixed loops, run as a program of their own under valgrind."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

from benchmarks import cases
from benchmarks.sites import asgi
from corscore import Policy
from corscore._engine import matcher

if TYPE_CHECKING:
    from benchmarks.cases import Run

# Nothing of ours in it: what the interpreter itself takes for an application and a layer.
REFERENCE = "reference"
PREFLIGHT = cases.PREFLIGHT
ADDED = {"actual, added": cases.ACTUAL, "no-origin, added": cases.NO_ORIGIN}
MATCHING = {
    "exact": "https://tenant-3.example.com",
    "wildcard": "https://app.tenant-3.example.com",
    "miss": "https://app.tenant-3.example.net",
}
CASES = (REFERENCE, PREFLIGHT, *ADDED, *MATCHING)

_PATTERNS = 100


def loops() -> dict[str, Run]:
    """Every case as a loop."""
    site = asgi.build(cases.CORSCORE)
    found = {
        REFERENCE: asgi.build(cases.NOTHING).runner(cases.ACTUAL),
        PREFLIGHT: site.runner(cases.PREFLIGHT),
    }
    found |= {name: site.runner(request) for name, request in ADDED.items()}
    listed = cases.origins(_PATTERNS) + cases.subdomain_patterns(_PATTERNS)
    policy = Policy(allow_origins=listed)
    found |= {name: _matching(policy, origin.encode()) for name, origin in MATCHING.items()}
    return found


def _matching(policy: Policy, origin: bytes) -> Run:
    def run(count: int) -> float:
        allows = policy.allows_origin
        for _ in range(count):
            allows(origin)
        return 0.0

    return run


def main(build: str, counts: list[str]) -> None:
    """Runs every case as often as ``counts`` says, in the order of ``CASES``.

    Raises:
        SystemExit: When the matcher is not of that build.
    """
    if build != matcher.IMPLEMENTATION:
        raise SystemExit(f"the matcher is {matcher.IMPLEMENTATION} here, not {build}")
    runs = loops()
    # Collections would come at other moments when the loops before are longer.
    gc.collect()
    gc.disable()
    for name, count in zip(CASES, counts, strict=True):
        runs[name](int(count))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
