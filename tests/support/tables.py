"""The tables of cases in tests/data, and the problems of the options in them.

A long text has a short form: a list of parts of which at least one is an object
``{"text": "a", "times": 63}``, and the parts are joined. Look-alikes and control characters are
written as escapes, so that a reader sees what is meant.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from corscore import ConfigError, Policy

if TYPE_CHECKING:
    from corscore import Problem

_DATA = Path(__file__).parents[1] / "data"


def rows(name: str) -> list[dict[str, Any]]:
    """Return the rows of ``tests/data/<name>.json``, with whole texts."""
    loaded: list[dict[str, Any]] = json.loads((_DATA / f"{name}.json").read_text("ascii"))
    return [_spelled(row) for row in loaded]


def cases(name: str) -> list[Any]:
    """Return the rows as parameters of a test, each named by its ``why``."""
    return [pytest.param(row, id=row["why"]) for row in rows(name)]


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _spelled(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if any(_is_repeat(item) for item in value):
        return "".join(item["text"] * item["times"] if _is_repeat(item) else item for item in value)
    return [_spelled(item) for item in value]


def _is_repeat(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"text", "times"}


def problems_of(options: dict[str, Any]) -> tuple[Problem, ...]:
    """Return the problems of options, none if ``Policy`` takes them."""
    try:
        Policy(**options)
    except ConfigError as error:
        return error.problems
    return ()
