"""What an engine does with each fetch of a case, beside what the model says that it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from corscore import browser
from corscore.browser import Browser, PreflightCache, Request
from loopback import Seen, answer, site

if TYPE_CHECKING:
    from engines import Engine

_LONGEST_STEP = 90  # seconds
_FETCHES_AT_ONCE = 50  # Firefox keeps the last 250 messages

Outcome = dict[str, Any]
"""Status, readable headers and the requests that arrived."""


@dataclass(frozen=True)
class Row:
    """One fetch: the case and the step, when it began, and what the engine did."""

    case: int
    step: dict[str, Any]
    started: float
    seen: Outcome
    console: list[str]


class Run:
    """All fetches of some cases in one engine."""

    def __init__(self, name: Browser, page: str, rows: list[Row]) -> None:
        self.name: Browser = name
        self.rows = rows
        self.page = page

    def predicted(self, name: Browser | None) -> list[browser.FetchResult]:
        """Return what the model says of each fetch, as this browser or as the standard."""
        models: dict[int, Model] = {}
        return [
            models.setdefault(row.case, Model(name)).fetch(self.page, row.step, row.started)
            for row in self.rows
        ]

    def wrong(self, name: Browser | None) -> list[str]:
        """Return a description of each fetch that the model says otherwise."""
        return [
            f"case {row.case}: {row.step}\n  seen      {row.seen}\n  predicted {outcome}"
            for row, result in zip(self.rows, self.predicted(name), strict=True)
            if row.seen != (outcome := outcome_of(result))
        ]


def run(engine: type[Engine], cases: list[dict[str, Any]]) -> Run:
    """Run cases in an engine."""
    with site() as running:
        running.run(cases)
        with engine.open(f"{running.origins['page']}/page") as console:
            while not running.wait(_FETCHES_AT_ONCE, _LONGEST_STEP):
                console()
            lines = console()
        rows = [
            Row(step["case"], step, seen.started, _outcome(seen), _about(step["case"], lines))
            for step, seen in zip(running.steps, running.seen, strict=True)
        ]
        return Run(engine.name, running.origins["page"], rows)


def _about(case: int, lines: list[str]) -> list[str]:
    # WebKit writes the cause on one line and the URL on the next.
    wanted = f"/f/{case}/"
    return [
        line
        for i, line in enumerate(lines)
        if wanted in line or (i + 1 < len(lines) and wanted in lines[i + 1] and "/f/" not in line)
    ]


def _outcome(seen: Seen) -> Outcome:
    outcome = seen.outcome
    return {
        "type": outcome.get("type"),
        "status": outcome.get("status"),
        "headers": sorted(map(tuple, outcome.get("headers", []))),
        "arrived": [
            (
                arrival.method,
                _place(arrival.url),
                arrival.value("origin"),
                arrival.value("access-control-request-method"),
                arrival.value("access-control-request-headers"),
            )
            for arrival in seen.arrivals
        ],
    }


def outcome_of(result: browser.FetchResult) -> Outcome:
    """Return what the model says in the form of what was seen."""
    arrived = []
    for exchange in result.exchanges:
        sent = dict(exchange.request_headers)
        arrived.append(
            (
                exchange.method,
                _place(exchange.url),
                sent.get("origin"),
                sent.get("access-control-request-method"),
                sent.get("access-control-request-headers"),
            )
        )
    is_xhr = result.exchanges[0].request.is_xhr
    return {
        "type": "xhr" if is_xhr and result.readable else result.type,
        "status": result.status,
        "headers": sorted(result.headers),
        "arrived": arrived,
    }


def _place(url: str) -> str:
    split = urlsplit(url)
    return f"{split.netloc.rpartition('@')[2]}{split.path}"


class Model:
    """A browser of the model, with a preflight cache of its own."""

    def __init__(self, name: Browser | None) -> None:
        self._name: Browser | None = name
        self._now = 0.0
        limits = browser.MAX_AGE_LIMITS
        limit = max(limits.values()) if name is None else limits[name]
        self._cache = PreflightCache(limit=limit, clock=lambda: self._now)

    def fetch(self, page: str, step: dict[str, Any], started: float) -> browser.FetchResult:
        """Return what the model says of a step."""
        self._now = started
        init = step["init"]
        request = Request(
            init["method"],
            step["url"],
            origin="null" if step["frame"] else page,
            headers=[tuple(pair) for pair in init["headers"]],
            credentials=init["credentials"],
            use_cors_preflight=step["upload"],
            partition=page,
            is_xhr=step["xhr"],
            cache_mode=init.get("cache", "default"),
            mode=init.get("mode", "cors"),
            redirect_mode=init.get("redirect", "follow"),
        )

        def send(_method: str, url: str, headers: list[tuple[str, str]]) -> browser.Response:
            is_preflight = any(name == "access-control-request-method" for name, _ in headers)
            return answer(step, urlsplit(url).path, is_preflight=is_preflight)

        return browser.fetch(request, send, self._cache, browser=self._name)
