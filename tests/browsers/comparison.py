"""The fetches of cases in an engine, beside what the model predicts."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from corscore import browser
from corscore.browser import Browser, PreflightCache, Request
from corscore.diagnostics import console_messages
from loopback import Seen, answer, site

if TYPE_CHECKING:
    from collections.abc import Callable

    from engines import Engine

_LONGEST_STEP = 90  # seconds
_FETCHES_AT_ONCE = 50  # Firefox keeps the last 250 messages
# None is about a refusal by CORS; the last one ends in a line break.
_OTHER = re.compile(
    "^(Refused to set unsafe|Cross-Origin Request Warning|Unsafe attempt to load|$)"
)
# The page writes it before each fetch, and after the last.
_MARK = re.compile(r"^(?:Uncaught |uncaught exception: )?fetch (\d+|end)$")

Outcome = dict[str, Any]
"""Status, readable headers and the requests that arrived."""


@dataclass(frozen=True)
class Row:
    """One fetch: the case and the step, its start, and what the engine did."""

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
        """Return the prediction for each fetch, as this browser or as the standard."""
        models: dict[int, Model] = {}
        return [
            models.setdefault(row.case, Model(name)).fetch(self.page, row.step, row.started)
            for row in self.rows
        ]

    def wrong(self, name: Browser | None) -> list[str]:
        """Return a description of each fetch that the model predicts otherwise."""
        return [
            f"case {row.case}: {row.step}\n  seen      {row.seen}\n  predicted {outcome}"
            for row, result in zip(self.rows, self.predicted(name), strict=True)
            if row.seen != (outcome := outcome_of(result))
        ]

    def texts(self) -> list[tuple[str, str, str]]:
        """Return step, text seen and text predicted of each fetch that is refused as predicted."""
        return [
            (f"case {row.case}: {row.step}", "\n".join(row.console), console_of(result, self.name))
            for row, result in zip(self.rows, self.predicted(self.name), strict=True)
            if result.reason is not None and row.seen == outcome_of(result)
        ]


def run(engine: type[Engine], cases: list[dict[str, Any]]) -> Run:
    """Run cases in an engine."""
    with site() as running:
        running.run(cases)
        with engine.open(f"{running.origins['page']}/page") as console:
            while not running.wait(_FETCHES_AT_ONCE, _LONGEST_STEP):
                console()
            written = _consoles(console)
        rows = [
            Row(step["case"], step, seen.started, _outcome(seen), written.get(number, []))
            for number, (step, seen) in enumerate(zip(running.steps, running.seen, strict=True))
        ]
        return Run(engine.name, running.origins["page"], rows)


def _consoles(console: Callable[[], list[str]]) -> dict[int, list[str]]:
    """Return the console's texts of each fetch, once the page has written its last line."""
    give_up = time.monotonic() + _LONGEST_STEP
    while not any(line.endswith("fetch end") for line in console()):
        assert time.monotonic() < give_up, "the console does not end"
        time.sleep(0.1)
    lines = console()
    written: dict[int, list[str]] = {}
    number = -1
    for line in lines:
        if mark := _MARK.search(line):
            number = -1 if mark[1] == "end" else int(mark[1])
        elif not _OTHER.search(line):
            written.setdefault(number, []).append(line)
    return written


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
    """Return a result of the model in the form of what was seen."""
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


def console_of(result: browser.FetchResult, name: Browser) -> str:
    """Return the text of a browser's console about a refused fetch, where its output has it."""
    text = dict(console_messages(result.exchanges[-1])).get(name, "")
    # Chromium shows errors of the network in its tools only.
    return "" if " net::ERR_" in text else text


def _place(url: str) -> str:
    split = urlsplit(url)
    return f"{split.netloc.rpartition('@')[2]}{split.path}"


class Model:
    """A browser model with its preflight cache."""

    def __init__(self, name: Browser | None) -> None:
        self._name: Browser | None = name
        self._now = 0.0
        limits = browser.MAX_AGE_LIMITS
        limit = max(limits.values()) if name is None else limits[name]
        self._cache = PreflightCache(limit=limit, clock=lambda: self._now)

    def fetch(self, page: str, step: dict[str, Any], started: float) -> browser.FetchResult:
        """Return the model's result of a step."""
        self._now = started
        init = step["init"]
        request = Request(
            init["method"],
            step["url"],
            origin="null" if step["frame"] else page,
            headers=[tuple(pair) for pair in init["headers"]],
            credentials=init["credentials"],
            # Chromium needs no preflight for a listener where nothing is uploaded.
            use_cors_preflight=step["upload"] and ("body" in init or self._name != "chromium"),
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
