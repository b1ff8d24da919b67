"""Applications under every kind of policy, and the limits of what each of them may add.

A group is a framework. Each of its cases is built and run in another process, so that none warms
the interpreter up for the next one, or changes its Django settings.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.sites.serving import Site

BARE = "bare"
"""The application alone; under ASGI, behind a layer that does nothing."""

PLAIN = "plain policy"
STORED = "policy from a store"
TENANTS = "sync resolver by host, remembered"
STORED_TENANTS = f"{TENANTS}, of a store"
PREFLIGHT_PLAIN = f"{PLAIN}, preflight"

# The case of each group with the layer of another library.
PEERS = {
    "asgi": "Starlette's own",
    "starlette": "Starlette's own",
    "flask": "flask-cors",
    "django": "django-cors-headers",
}


class Case(NamedTuple):
    """One application and the request that it gets.

    Attributes:
        build: Returns the application with its server.
        request: The kind of request, a name of ``benchmarks.cases``.
        beside: The case without the layer, which is subtracted; None counts the whole request.
    """

    build: Callable[[], Site]
    request: str
    beside: str | None = BARE


class Limit(NamedTuple):
    """The most that a case may add, as a multiple of what another case adds.

    Attributes:
        case: The case.
        than: The other case.
        ratio: The multiple for the compiled build; for plain Python it is 1.5 times that.
    """

    case: str
    than: str
    ratio: float


LIMITS: Mapping[str, tuple[Limit, ...]] = {
    "asgi": (
        Limit("map of 1 key", PLAIN, 1.5),
        Limit("map of 10 keys", PLAIN, 1.5),
        Limit("map of 1,000 keys", PLAIN, 2),
        Limit("reference", PLAIN, 1.5),
        Limit(STORED, "reference", 1.1),
        Limit("host key", PLAIN, 1.5),
        Limit("host key with *.", PLAIN, 1.5),
        Limit("tuple of 2", PLAIN, 2),
        Limit("policy resolver, remembered", PLAIN, 5),
        Limit("block_cross_site, GET", PLAIN, 1.5),
        Limit("block_cross_site, POST", f"{PLAIN}, POST", 3),
        Limit("on_decision", PLAIN, 4),
        Limit("sync resolver, remembered", PLAIN, 5),
        Limit("async resolver, remembered", PLAIN, 5),
        Limit(TENANTS, PLAIN, 5),
        # No request reaches the store.
        Limit(STORED_TENANTS, TENANTS, 1.1),
        Limit("map of 10 keys, preflight", PREFLIGHT_PLAIN, 2),
        Limit("reference, preflight", PREFLIGHT_PLAIN, 2),
    ),
    "starlette": (
        Limit("install", PLAIN, 1.2),
        Limit("route's policy, 1 route", PLAIN, 3),
        Limit("route's policy, 500 routes", PLAIN, 3),
        # Cross-site blocking routes a request before the application does, so twice in all.
        Limit("route's policy, behind 500 routes, looked up", "bare, behind 500 routes", 1.1),
    ),
    "flask": (
        Limit("map of 10 keys", PLAIN, 1.5),
        Limit("reference", PLAIN, 1.5),
        Limit("route's policy", PLAIN, 3),
        Limit("map of 10 keys, preflight", PREFLIGHT_PLAIN, 2),
        Limit("reference, preflight", PREFLIGHT_PLAIN, 2),
    ),
    "django": (
        Limit(PLAIN, "headers set by hand", 1.5),
        Limit("map of 10 keys", PLAIN, 1.5),
        Limit("reference", PLAIN, 1.5),
        Limit("view's policy", PLAIN, 3),
        Limit("map of 10 keys, preflight", PREFLIGHT_PLAIN, 2),
        Limit("reference, preflight", PREFLIGHT_PLAIN, 2),
    ),
}


def cases_of(group: str) -> Mapping[str, Case]:
    """Return the cases of a group by name, without the peer's where it is not installed."""
    cases: Mapping[str, Case] = import_module(f"benchmarks.ways.{group}").CASES
    return cases


class Row(NamedTuple):
    """One limit beside what was counted.

    Attributes:
        case: The case.
        added: The instructions that it adds to a request, or all instructions of a preflight.
        than: The case that it is compared with.
        ratio: ``added`` as a multiple of what the other case adds.
        limit: The largest ratio that is allowed.
    """

    case: str
    added: int
    than: str
    ratio: float
    limit: float

    @property
    def is_met(self) -> bool:
        """Whether the ratio is within the limit."""
        return self.ratio <= self.limit


def compare(group: str, counts: Mapping[str, int], build: str) -> list[Row]:
    """Return every limit of a group beside what was counted.

    Each case with corscore must also add less than the peer's own layer, on both builds.

    Args:
        group: A name of ``PEERS``.
        counts: The instructions a request, by case.
        build: ``"cython"`` or ``"python"``.
    """
    cases = cases_of(group)

    def added(name: str) -> int:
        beside = cases[name].beside
        return counts[name] - (0 if beside is None else counts[beside])

    def row(limit: Limit, slack: float) -> Row:
        ours, theirs = added(limit.case), added(limit.than)
        return Row(limit.case, ours, limit.than, ours / theirs, limit.ratio * slack)

    rows = [row(limit, 1 if build == "cython" else 1.5) for limit in LIMITS[group]]
    if PEERS[group] in cases:
        # No preflights, which never reach the application.
        ours = [limit.case for limit in LIMITS[group] if cases[limit.case].beside == BARE]
        rows += [row(Limit(case, PEERS[group], 1), 1) for case in ours]
    return rows
