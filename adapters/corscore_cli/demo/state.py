"""What the page is told, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from corscore.browser import KNOWN_DEVIATIONS
from corscore_cli.demo.model import query
from corscore_cli.demo.policies import ABOUT, as_python
from corscore_cli.demo.table import GROUPS
from corscore_cli.shell.output import code_page

if TYPE_CHECKING:
    from corscore.browser import Browser, Exchange
    from corscore_cli.demo.demo import Demo, Snapshot
    from corscore_cli.demo.model import Prediction, Site
    from corscore_cli.demo.rows import Row

# What every response has, whatever the policy.
_NOISE = {"date", "server", "accept", "accept-encoding", "user-agent"}


def state(demo: Demo, browser: Browser | None) -> dict[str, object]:
    """All that the page shows: the policies in force, the rows and what the model got."""
    snapshot = demo.snapshot(browser)
    predictions = {prediction.row.name: prediction for prediction in snapshot.predictions}
    return {
        "app": demo.title,
        "api": demo.site.api,
        "pages": dict(demo.site.pages),
        "browser": browser,
        "deviations": [
            {"what": known.what, "source": known.source}
            for known in KNOWN_DEVIATIONS
            if known.browser == browser
        ],
        "start": dict(demo.start),
        "options": dict(snapshot.options),
        "python": as_python(snapshot.options),
        "groups": [
            {
                "title": group.title,
                "rows": [
                    _row(row, predictions[row.name], demo.site, snapshot) for row in group.rows
                ],
            }
            for group in GROUPS
        ],
    }


def _row(row: Row, prediction: Prediction, site: Site, snapshot: Snapshot) -> dict[str, object]:
    explanation = prediction.explanation
    return {
        "name": row.name,
        "title": row.title,
        "lesson": row.lesson,
        "page": row.page,
        "path": row.path,
        "policy": {"key": prediction.key, "about": ABOUT[prediction.key]},
        "query": query(row, snapshot.run),
        "fetch": {
            "url": site.url(row, snapshot.run),
            "method": row.method,
            "headers": dict(row.headers),
            "credentials": row.credentials,
            "body": row.body,
            "reads": row.reads,
            "repeats": row.repeats,
        },
        "predicted": {
            **asdict(prediction.outcome),
            "explanation": {
                **explanation.to_dict(),
                "page": explanation.reason and code_page(explanation.reason),
            },
            "exchanges": [_exchange(exchange) for exchange in prediction.result.exchanges],
        },
    }


def _exchange(exchange: Exchange) -> dict[str, object]:
    return {
        "method": exchange.method,
        "status": exchange.status,
        "is_preflight": exchange.is_preflight,
        "sent": [pair for pair in exchange.request_headers if pair[0] not in _NOISE],
        "received": [pair for pair in exchange.response_headers if pair[0] not in _NOISE],
    }
