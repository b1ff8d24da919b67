"""Readers of options by the kind of their values: list, switch, seconds, status, resolver."""

from __future__ import annotations

from corscore._standard.text import quoted, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from corscore._config.spelling import Problems
    from corscore._policy.resolver import OriginResolver

    Resolver: TypeAlias = Callable[..., Any] | OriginResolver | None

MAX_MAX_AGE = 86400
_PREFLIGHT_STATUSES = (200, 204)
_TRUE = ("1", "true", "yes", "on")


def read_list(problems: Problems, option: str, value: object) -> tuple[str, ...]:
    """The items that are strings, without repetitions."""
    written = json_items(value)
    if written:
        problems.add(
            "list-is-json",
            option,
            value,
            f"{shown(value)} is a list in JSON, as a variable of the environment may hold it, and "
            "nothing reads JSON here.",
            f"write {problems.write(option, written)}",
        )
        return ()
    if isinstance(value, (set, frozenset)):
        # A set has no order; a policy's repr and headers have one.
        items = sorted(value, key=quoted)
    elif isinstance(value, (list, tuple)):
        items = list(value)
    else:
        items = [part.strip() for part in _names_in(value) if part.strip()]
        cause = ", as of a variable that is not set," if value is None else ""
        problems.add(
            "not-a-list",
            option,
            value,
            f"{shown(value)}{cause} is not a list, tuple or set of str.",
            f"write {problems.write(option, items)}"
            if items
            else f"write a list, such as {problems.write(option, _example(option))}",
        )
    for item in items:
        if not isinstance(item, str):
            problems.add(
                "not-a-string",
                option,
                item,
                f"{shown(item)} in the list is not a str.",
                f"write {problems.literal(item.decode('latin-1'))}"
                if isinstance(item, bytes)
                else f"write a str, such as {problems.literal(_example(option)[0])}",
            )
    return tuple(dict.fromkeys(item for item in items if isinstance(item, str)))


def _names_in(value: object) -> list[str]:
    """The names that a value was meant to list; an iterator is not consumed."""
    if isinstance(value, dict):
        # Each name with a switch for its value.
        return [name for name, is_on in value.items() if is_on and isinstance(name, str)]
    return value.split(",") if isinstance(value, str) else []


def json_items(value: object) -> list[str]:
    """The items of a JSON list, which may be split at its commas; empty for any other value."""
    items = value if isinstance(value, (list, tuple)) else [value]
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) < len(items):
        return []
    text = ",".join(texts).strip()
    if not text.startswith("[") or text[1:].lstrip()[:1] not in ('"', "'"):
        return []
    return [name for item in text.split(",") if (name := item.strip("[]\"' "))]


def _example(option: str) -> list[str]:
    return {
        "allow_origins": ["https://app.example.com"],
        "allow_methods": ["PUT", "DELETE"],
        "allow_headers": ["Authorization"],
        "expose_headers": ["X-Total-Count"],
    }[option]


def read_switch(problems: Problems, option: str, value: object) -> bool:
    """The switch; of a value of another type, the switch that was meant."""
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
    # The other options are checked beside the meant value, so that all problems are found at once.
    return meant


def read_resolver(problems: Problems, option: str, value: Any) -> Resolver:
    """A callable, an object with the methods of ``OriginResolver``, or None."""
    methods = (getattr(value, name, None) for name in ("ask", "ask_async"))
    if value is None or callable(value) or all(map(callable, methods)):
        resolver: Resolver = value
        return resolver
    problems.add(
        "resolver-invalid",
        option,
        value,
        f"{shown(value)} is not a function; a resolver is written in Python.",
        "write Policy(origin_resolver=is_allowed), for def is_allowed(origin, request)",
    )
    return None


def read_seconds(problems: Problems, option: str, value: object) -> int | None:
    """Whole seconds of an ``int`` or a ``timedelta``, or None."""
    if value is None:
        return None
    seconds = _whole_seconds(value)
    if seconds is None:
        problems.add(
            "max-age-invalid",
            option,
            value,
            f"{shown(value)} is not a whole number of seconds.",
            f"write {problems.write(option, 600)}, or {problems.write(option, None)} to "
            "send no such header",
        )
    elif not 0 <= seconds <= MAX_MAX_AGE:
        problems.add(
            "max-age-out-of-range",
            option,
            value,
            f"{shown(value)} is not between 0 (do not cache) and {MAX_MAX_AGE} seconds, the most "
            "that any browser honours.",
            f"write {problems.write(option, 0 if seconds < 0 else MAX_MAX_AGE)}",
        )
    return seconds


def _whole_seconds(value: object) -> int | None:
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    # Imported late: a configuration that holds a timedelta has loaded the module already.
    from datetime import timedelta

    if not isinstance(value, timedelta) or value.microseconds:
        return None
    return value.days * 86400 + value.seconds


def read_status(problems: Problems, option: str, value: object) -> int:
    """The status to answer preflights with."""
    if isinstance(value, int) and not isinstance(value, bool) and value in _PREFLIGHT_STATUSES:
        return value
    problems.add(
        "preflight-status-invalid",
        option,
        value,
        f"{shown(value)} is not a status that a preflight can be answered with.",
        f"write {problems.write(option, 204)}, or 200 for clients that need it",
    )
    return 204
