"""The targets, and how each value is computed from the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.cases import ACTUAL, CORSCORE, NO_ORIGIN, NOTHING, PREFLIGHT, REFUSED
from benchmarks.table.engine import hostile_policies, hostile_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    # The best round of each figure, by name.
    Best = Mapping[str, float]


class Target(NamedTuple):
    """One number to reach.

    Attributes:
        what: What is measured.
        case: In which case.
        at_least: Whether ``bound`` is the smallest good value; else it is the largest.
        bound: The target, in ``unit``.
        unit: ``"×"``, ``"ns"``, ``"µs"``, ``"ms"``, ``"s"``, ``"bytes"`` or ``"%"``.
        value: Returns the measured value in that unit; raises ``KeyError`` without its figures.
        shown: The names of figures to print beside the value.
    """

    what: str
    case: str
    at_least: bool
    bound: float
    unit: str
    value: Callable[[Best], float]
    shown: tuple[str, ...] = ()

    def is_met(self, value: float) -> bool:
        """Whether a measured value reaches the target."""
        return value >= self.bound if self.at_least else value <= self.bound


def targets() -> Sequence[Target]:
    """Return all targets, in the order of the table."""
    return (*_asgi(), *_plain_asgi(), *_wsgi_frameworks(), *_wsgi(), *_engine(), *_rest())


def _asgi() -> list[Target]:
    preflight = "ASGI preflight against Starlette's, whole request"
    actual = "ASGI actual request, added cost against Starlette's"
    return [
        *(
            _faster(preflight, "asgi", "starlette", count, bound)
            for count, bound in ((1, 6.5), (1_000, 14), (100_000, 750))
        ),
        *(
            _lighter(actual, "asgi", "starlette", ACTUAL, count, bound)
            for count, bound in ((1, 9), (100_000, 1_300))
        ),
        _lighter(
            "ASGI request without Origin, added cost against Starlette's",
            *("asgi", "starlette", NO_ORIGIN, 1, 7),
        ),
    ]


def _plain_asgi() -> list[Target]:
    what = "the same without the compiled matcher, 1 origin"
    return [
        _faster(what, "plain-asgi", "starlette", 1, 4.3)._replace(case=PREFLIGHT),
        *(
            _lighter(what, "plain-asgi", "starlette", request, 1, bound)._replace(case=request)
            for request, bound in ((ACTUAL, 4.3), (NO_ORIGIN, 3.5))
        ),
    ]


def _wsgi_frameworks() -> list[Target]:
    flask, django = "flask-cors", "django-cors-headers"
    return [
        *(
            _lighter(f"Flask actual, added cost against {flask}", "flask", flask, ACTUAL, *row)
            for row in ((1, 15), (1_000, 110))
        ),
        _faster(f"Flask preflight, whole request, against {flask}", "flask", flask, 1, 45),
        *(
            _lighter(f"Django actual, added cost against {django}", "django", django, ACTUAL, *row)
            for row in ((1, 7), (1_000, 400))
        ),
    ]


def _wsgi() -> list[Target]:
    def share(request: str) -> Target:
        ours, theirs, nothing = (
            f"wsgi/{layer}/1/{request}" for layer in (CORSCORE, "wsgicors", NOTHING)
        )
        return Target(
            "plain WSGI, added cost as a part of wsgicors's",
            *(request, False, 0.75, "×"),
            lambda best: (best[ours] - best[nothing]) / (best[theirs] - best[nothing]),
            (ours, theirs, nothing),
        )

    ours, nothing = f"wsgi/{CORSCORE}/1/{NO_ORIGIN}", f"wsgi/{NOTHING}/1/{NO_ORIGIN}"
    return [
        *map(share, (ACTUAL, REFUSED, PREFLIGHT)),
        Target(
            "plain WSGI without Origin, added cost",
            *("", False, 0.35, "µs"),
            lambda best: (best[ours] - best[nothing]) * 1e6,
            (ours, nothing),
        ),
    ]


def _engine() -> list[Target]:
    looked_up = "`allows_origin`, bytes made afresh, 100,000 patterns"
    return [
        *(
            _cost(looked_up, name, bound, "ns", f"large/{name}", "large/loop")
            for name, bound in (("exact hit", 50), ("wildcard hit", 150), ("miss", 80))
        ),
        Target(
            "1,000,000 patterns against 10",
            *("the same origin again", False, 1.2, "×"),
            lambda best: max(
                (best[f"scale/huge/{name}"] - best["scale/huge/loop"])
                / (best[f"scale/small/{name}"] - best["scale/small/loop"])
                for name in ("exact hit", "wildcard hit", "miss")
            ),
        ),
        _cost("1,000,000 patterns against 10", "random origins", 1.2, "µs", "scale/random"),
        *(
            Target(
                f"100,000 patterns, {kind}",
                *(case, False, bound, unit),
                lambda best, figure=f"build/{kind}/{figure}": best[figure],  # type: ignore[misc]
            )
            for kind in ("exact", "wildcard")
            for case, bound, unit, figure in (
                ("memory of each", 200, "bytes", "bytes"),
                ("build of all", 1, "s", "seconds"),
            )
        ),
        _hostile("hostile", "compiled", 1),
        _hostile("plain-hostile", "plain", 15),
        _worst_decision("engine alone, raw headers to header list", "headers", 150),
        _worst_decision("engine alone, `RequestInfo` to `Decision`", "decide", 600),
    ]


def _rest() -> list[Target]:
    server = "uvicorn (httptools, uvloop), requests a second"
    return [
        Target(
            server,
            *("actual, against an app with the same lines", True, 94, "%"),
            lambda best: best["server/ratio/actual"] * 100,
        ),
        Target(
            server,
            *("without Origin, against the bare app", True, 93, "%"),
            lambda best: best["server/ratio/no-origin"] * 100,
        ),
        Target(
            "import of `corscore`, over bare Python",
            *("", False, 8, "ms"),
            lambda best: (best["import/corscore"] - best["import/nothing"]) * 1e3,
        ),
        Target(
            "import of `corscore`, over bare Python",
            *("frameworks loaded by it", False, 0, ""),
            lambda best: best["import/frameworks"],
        ),
    ]


def _faster(what: str, section: str, peer: str, count: int, bound: float) -> Target:
    """Return the target for how many times faster our preflight is than a peer's."""
    ours, theirs = (f"{section}/{layer}/{count}/{PREFLIGHT}" for layer in (CORSCORE, peer))
    return Target(
        what,
        *(_origins(count), True, bound, "×"),
        lambda best: best[theirs] / best[ours],
        (ours, theirs),
    )


def _lighter(what: str, section: str, peer: str, request: str, count: int, bound: float) -> Target:
    """Return the target for how many times less we add to a request than a peer does."""
    ours, theirs = (f"{section}/{layer}/{count}/{request}" for layer in (CORSCORE, peer))
    nothing = f"{section}/{NOTHING}/1/{request}"
    return Target(
        what,
        *(_origins(count), True, bound, "×"),
        lambda best: (best[theirs] - best[nothing]) / (best[ours] - best[nothing]),
        (ours, theirs, nothing),
    )


def _cost(
    what: str, case: str, bound: float, unit: str, figure: str, loop: str | None = None
) -> Target:
    """Return the target for one figure, without the loop around the calls."""
    factor = {"ns": 1e9, "µs": 1e6}[unit]
    return Target(
        what,
        *(case, False, bound, unit),
        lambda best: (best[figure] - (best[loop] if loop else 0)) * factor,
    )


def _hostile(section: str, build: str, bound: float) -> Target:
    """Return the target for the slowest hostile request, by the slower way."""
    names = [
        f"{section}/{policy}/{request}/{way}"
        for policy in hostile_policies()
        for request in hostile_requests()
        for way in ("answer", "decide")
    ]
    return Target(
        "the worst hostile request, its decision",
        *(build, False, bound, "µs"),
        lambda best: max(best[name] - best[f"{section}/loop"] for name in names) * 1e6,
    )


def _worst_decision(what: str, kind: str, bound: float) -> Target:
    """Return the target for the slowest kind of request."""
    names = [f"engine/{kind}/{request}" for request in (PREFLIGHT, ACTUAL, REFUSED, NO_ORIGIN)]
    return Target(
        what,
        *("the slowest kind of request", False, bound, "ns"),
        lambda best: (max(best[name] for name in names) - best["engine/loop"]) * 1e9,
        tuple(names),
    )


def _origins(count: int) -> str:
    return f"{count:,} origin{'s' if count > 1 else ''}"
