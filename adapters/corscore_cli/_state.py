"""What the page is told, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from corscore.browser import KNOWN_DEVIATIONS, REASONS
from corscore_cli._advice import advice
from corscore_cli._model import query
from corscore_cli._table import GROUPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corscore.browser import Browser, Exchange
    from corscore_cli._demo import Demo, Snapshot
    from corscore_cli._model import Prediction, Site
    from corscore_cli._rows import Row

# What every response has, whatever the policy.
_NOISE = {"date", "server", "accept", "accept-encoding", "user-agent"}


def as_python(options: Mapping[str, object]) -> str:
    """The options as the call that makes the policy; what is empty or off is left out."""
    given = [
        f"    {name}={json.dumps(value) if isinstance(value, list) else value},"
        for name, value in options.items()
        if value != [] and value is not False
    ]
    return "\n".join(("Policy(", *given, ")"))


def state(demo: Demo, browser: Browser | None) -> dict[str, object]:
    """All that the page shows: the policy in force, the rows and what the model got."""
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
    reason = prediction.outcome.reason
    return {
        "name": row.name,
        "title": row.title,
        "lesson": row.lesson,
        "page": row.page,
        "path": row.path,
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
            "why": reason and REASONS[reason],
            "advice": advice(prediction),
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
