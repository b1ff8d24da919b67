"""Checks the options by their types: lists, switches, seconds and a status."""

from __future__ import annotations

from corscore._standard.text import quoted, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from corscore._config.spelling import Problems
    from corscore._policy.resolver import OriginResolver

MAX_MAX_AGE = 86400
_PREFLIGHT_STATUSES = (200, 204)
_TRUE = ("1", "true", "yes", "on")


def read_list(problems: Problems, option: str, value: object) -> tuple[str, ...] | None:
    """The items that are strings, without repetitions; None when there was no list at all."""
    if isinstance(value, (set, frozenset)):
        items = sorted(
            value, key=quoted
        )  # a set has no order; a policy's repr and headers have one
    elif isinstance(value, (list, tuple)):
        items = list(value)
    else:
        text = value if isinstance(value, str) else ""
        items = [part.strip() for part in text.split(",") if part.strip()]
        problems.add(
            "not-a-list",
            option,
            value,
            f"{shown(value)} is not a list, tuple or set of str.",
            f"write {problems.write(option, items or _example(option))}",
        )
        if not items:
            return None
    for item in items:
        if not isinstance(item, str):
            problems.add(
                "not-a-string",
                option,
                item,
                f"{shown(item)} in the list is not a str.",
                f"write {problems.literal(_as_text(item) or _example(option)[0])}",
            )
    strings = tuple(dict.fromkeys(item for item in items if isinstance(item, str)))
    return strings if strings or not items else None


def _as_text(item: object) -> str | None:
    return item.decode("latin-1") if isinstance(item, bytes) else None


def _example(option: str) -> list[str]:
    return {
        "allow_origins": ["https://app.example.com"],
        "allow_methods": ["PUT", "DELETE"],
        "allow_headers": ["Authorization"],
        "expose_headers": ["X-Total-Count"],
    }[option]


def read_switch(problems: Problems, option: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    meant = quoted(value).strip("\"' ").lower() in _TRUE
    problems.add(
        "not-a-bool",
        option,
        value,
        f"{shown(value)} is not True or False.",
        f"write {problems.write(option, meant)}",
    )
    # Judge the rest by what was meant, so that all problems come at once.
    return meant


def read_resolver(problems: Problems, value: Any) -> Callable[..., Any] | OriginResolver | None:
    """The function to ask about origins, or an object with the methods of ``OriginResolver``."""
    methods = (getattr(value, name, None) for name in ("ask", "ask_async"))
    if value is None or callable(value) or all(map(callable, methods)):
        resolver: Callable[..., Any] | OriginResolver | None = value
        return resolver
    problems.add(
        "resolver-invalid",
        "origin_resolver",
        value,
        f"{shown(value)} is not a function; a resolver is written in Python.",
        "write Policy(origin_resolver=is_allowed), for def is_allowed(origin, request)",
    )
    return None


def read_max_age(problems: Problems, value: object) -> int | None:
    if value is None:
        return None
    seconds = _whole_seconds(value)
    if seconds is None:
        problems.add(
            "max-age-invalid",
            "max_age",
            value,
            f"{shown(value)} is not a whole number of seconds.",
            f"write {problems.write('max_age', 600)}, or {problems.write('max_age', None)} to "
            "send no such header",
        )
    elif not 0 <= seconds <= MAX_MAX_AGE:
        problems.add(
            "max-age-out-of-range",
            "max_age",
            value,
            f"{shown(value)} is not between 0 (do not cache) and {MAX_MAX_AGE} seconds, the most "
            "that any browser honours.",
            f"write {problems.write('max_age', 0 if seconds < 0 else MAX_MAX_AGE)}",
        )
    return seconds


def _whole_seconds(value: object) -> int | None:
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    # Imported late: only a configuration that holds a timedelta has loaded the module already.
    from datetime import timedelta

    if not isinstance(value, timedelta) or value.microseconds:
        return None
    return value.days * 86400 + value.seconds


def read_preflight_status(problems: Problems, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value in _PREFLIGHT_STATUSES:
        return value
    problems.add(
        "preflight-status-invalid",
        "preflight_status",
        value,
        f"{shown(value)} is not a status that a preflight can be answered with.",
        f"write {problems.write('preflight_status', 204)}, or 200 for clients that need it",
    )
    return 204
