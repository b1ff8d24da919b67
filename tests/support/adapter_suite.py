"""The conformance suite for our own adapters: also the rows of ``tests/data/decisions.json``."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from corscore import Policy
from corscore.testing.conformance import METHODS, ConformanceSuite, Page, Sender, Site
from corscore.testing.conformance._oracle import SERVER, SHARED
from tables import rows

if TYPE_CHECKING:
    from collections.abc import Iterable


class AdapterSuite(ConformanceSuite):
    def test_answers_are_those_of_every_row_of_decisions(self) -> None:
        failures = {}
        served: dict[str, Sender] = {}  # many rows have the same policy
        for row in _rows():
            app = tuple((name, value) for name, value in row.get("app", ()))
            key = repr((row["options"], app))
            if key not in served:
                served[key] = self.serve(Site({"/": Page(headers=app)}), Policy(**row["options"]))
            send = served[key]
            sent = [(name, value) for name, value in row["sent"]]
            answer = send(row["method"], f"{SERVER}/", sent)
            got = (answer.status, _comparable(row, answer.headers))
            if got != (row.get("status", 200), _comparable(row, row["headers"])):
                failures[row["why"]] = got
        assert failures == {}


@cache
def _rows() -> list[dict[str, Any]]:
    return list(filter(_in_every_framework, rows("decisions")))


def _in_every_framework(row: dict[str, Any]) -> bool:
    """Whether all servers can send the row's request, and all applications its response."""
    sent = "".join(name + value for name, value in row["sent"])
    names = [name.lower() for name, _ in row.get("app", ())]
    if re.search("[^\0-\xff]", sent) or row["method"] not in METHODS:
        return False
    # Some frameworks take one line a name; and texts for debugging have different lengths.
    return len(set(names)) == len(names) and "body" not in row


def _comparable(row: dict[str, Any], lines: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return all lines of a preflight, else those of CORS, since frameworks add others."""
    kept = [
        # Servers join several lines of a request with or without a space.
        (name.lower(), value.replace(", ", ","))
        for name, value in lines
        if row["kind"] == "preflight" or name.lower() in SHARED
    ]
    return sorted(kept)
