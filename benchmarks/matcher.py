"""asv: look-ups of origins among one pattern and among a million, and what the list takes."""

from __future__ import annotations

import gc
import tracemalloc

from benchmarks import cases
from benchmarks.table import scale
from benchmarks.table.engine import lookups
from corscore import Policy

# The longest walk: a label at each dot, and as long as an origin may be.
_ADVERSARIAL = "https://" + "a." * 140 + "example.com"
_ASKED = {**scale.ASKED, "adversarial": _ADVERSARIAL, "dots": cases.HOSTILE_ORIGIN}


class Lookups:
    """``allows_origin``, with bytes made afresh; half of the patterns are wildcards."""

    params = (tuple(_ASKED), (1, 10, 1_000, 100_000, 1_000_000))
    param_names = ("origin", "patterns")
    # Once, in one process, for a million patterns take their time to be read.
    rounds = 1
    processes = 1
    timeout = 300

    def setup(self, origin: str, count: int) -> None:
        policy = _anonymous(count)
        self.run = lookups(policy, {"asked": _ASKED[origin]})[("asked",)]

    def time_thousand(self, origin: str, count: int) -> None:
        self.run(1_000)


class Building:
    """A policy, from a list of patterns that is there."""

    params = (("exact", "wildcard"), (1, 1_000, 100_000))
    param_names = ("kind", "patterns")
    timeout = 300

    def setup(self, kind: str, count: int) -> None:
        make = cases.origins if kind == "exact" else cases.subdomain_patterns
        self.patterns = make(count)

    def time_build(self, kind: str, count: int) -> None:
        Policy(allow_origins=self.patterns)

    def track_bytes_kept(self, kind: str, count: int) -> int:
        """What the policy takes beside its user's own strings."""
        Policy(allow_origins=self.patterns)  # imports what it needs
        gc.collect()
        tracemalloc.start()
        policy = Policy(allow_origins=self.patterns)
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        del policy
        return kept

    track_bytes_kept.unit = "bytes"  # type: ignore[attr-defined]


class Memory:
    """Of the whole process, at the most."""

    params = (1, 1_000, 100_000, 1_000_000)
    param_names = ("patterns",)
    timeout = 300

    def peakmem_policy(self, count: int) -> None:
        _anonymous(count)


def _anonymous(count: int) -> Policy:
    """Half exact origins, half patterns for any subdomain; one pattern is an exact origin."""
    half = count // 2
    return Policy(allow_origins=cases.origins(count - half) + cases.subdomain_patterns(half))
