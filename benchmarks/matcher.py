"""asv: look-ups of origins among one to a million patterns, and the memory of the patterns."""

from __future__ import annotations

import gc
import tracemalloc

from benchmarks import cases
from benchmarks.table import scale
from benchmarks.table.engine import lookups
from corscore import Policy

# As many labels as an origin may have.
_ADVERSARIAL = "https://" + "a." * 140 + "example.com"
_ASKED = {**scale.ASKED, "adversarial": _ADVERSARIAL, "dots": cases.HOSTILE_ORIGIN}


class Lookups:
    """``allows_origin`` with new bytes objects; half of the patterns are wildcards."""

    params = (tuple(_ASKED), (1, 10, 1_000, 100_000, 1_000_000))
    param_names = ("origin", "patterns")
    # Once and in one process, since a million patterns take long to read.
    rounds = 1
    processes = 1
    timeout = 300

    def setup(self, origin: str, count: int) -> None:
        policy = _policy_of(count)
        self.run = lookups(policy, {"asked": _ASKED[origin]})[("asked",)]

    def time_thousand(self, origin: str, count: int) -> None:
        self.run(1_000)


class Building:
    """A policy built from a list of patterns."""

    params = (("exact", "wildcard"), (1, 1_000, 100_000))
    param_names = ("kind", "patterns")
    timeout = 300

    def setup(self, kind: str, count: int) -> None:
        make = cases.origins if kind == "exact" else cases.subdomain_patterns
        self.patterns = make(count)

    def time_build(self, kind: str, count: int) -> None:
        Policy(allow_origins=self.patterns)

    def track_bytes_kept(self, kind: str, count: int) -> int:
        """Return the bytes of a policy beside its user's own strings."""
        Policy(allow_origins=self.patterns)  # so that its imports are not counted
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
    """The peak memory of the process."""

    params = (1, 1_000, 100_000, 1_000_000)
    param_names = ("patterns",)
    timeout = 300

    def peakmem_policy(self, count: int) -> None:
        _policy_of(count)


def _policy_of(count: int) -> Policy:
    """Return a policy of half exact origins, half patterns for any subdomain."""
    half = count // 2
    return Policy(allow_origins=cases.origins(count - half) + cases.subdomain_patterns(half))
