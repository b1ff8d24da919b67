"""The sources of options: environment variables, and the table of a configuration file."""

from __future__ import annotations

import os

from corscore._config.options import OPTIONS, did_you_mean
from corscore._config.spelling import Problems, Spelling, table_literal, variable_literal
from corscore._standard.problem import Problem
from corscore._standard.text import escaped, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "CORS_"

_BOOLEANS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}
# Beyond 4,300 digits int() raises.
_MAX_DIGITS = 18


def read_environment(
    prefix: str, environ: Mapping[str, str] | None
) -> tuple[dict[str, object], Problems]:
    """The options in environment variables, not yet checked, and the problems so far."""
    variables = os.environ if environ is None else environ
    names = {option: f"{prefix}{option.upper()}" for option in OPTIONS}
    problems = Problems(Spelling(names, variable_literal, "="))
    given: dict[str, object] = {
        option: _value(problems, option, variables[name])
        # Deployment tools often set a variable to nothing to unset it.
        for option, name in names.items()
        if variables.get(name, "").strip()
    }
    others = sorted(
        name for name in variables if name.startswith(prefix) and name not in names.values()
    )
    foreign = [
        name for name in others if not _note_misspelling(problems, name, prefix, variables[name])
    ]
    if foreign:
        _log_foreign(foreign)
    return given, problems


def read_mapping(mapping: Mapping[str, object]) -> tuple[dict[str, object], Problems]:
    """The options in a table, whose strings are read like variables, and the problems so far."""
    keys: dict[str, str] = {}
    given: dict[str, object] = {}
    problems = Problems(Spelling(keys, table_literal, " = "))
    for key, value in mapping.items():
        option = str(key).lower().removeprefix(PREFIX.lower())
        if option in given:
            problems.found.append(
                Problem(
                    "option-unknown",
                    str(key),
                    value,
                    f"{shown(key)} and {shown(keys[option])} are the same option.",
                    f"drop one of them; did you mean {keys[option]}?",
                )
            )
            continue
        keys[option] = str(key)
        # White space in a regex may have a meaning, and a file has none by accident.
        is_read = isinstance(value, str) and option != "allow_origin_regex"
        given[option] = _value(problems, option, str(value)) if is_read else value
    return given, problems


def _value(problems: Problems, option: str, text: str) -> object:
    kind = OPTIONS[option].kind if option in OPTIONS else None
    bare = text.strip()
    if kind == "list":
        return _items(problems, option, text)
    if kind == "switch":
        return _BOOLEANS.get(bare.lower(), text)
    if kind == "seconds" and bare.lower() == "none":
        return None
    if kind in {"seconds", "status"} and bare.isascii():
        digits = bare.removeprefix("-")
        return int(bare) if digits.isdigit() and len(digits) <= _MAX_DIGITS else text
    return bare


def _items(problems: Problems, option: str, text: str) -> list[str]:
    bare = text.strip()
    items = [item.strip() for item in bare.split(",")]
    if bare.startswith("["):
        names = [item.strip("[]\"' ") for item in items]
        problems.add(
            "list-is-json",
            option,
            text,
            f"{shown(text)} is written as a JSON list.",
            f"write {problems.write(option, [name for name in names if name])}",
        )
        return []
    return [item for item in items if item]


def _note_misspelling(problems: Problems, name: str, prefix: str, value: str) -> bool:
    """Note a variable whose name is close to an option's; return whether it is."""
    guess = did_you_mean(name.removeprefix(prefix), OPTIONS)
    if guess is None:
        return False
    meant = problems.spelling.name(guess)
    problems.found.append(
        Problem(
            "option-unknown",
            name,
            value,
            f"there is no option {shown(name)}.",
            f"did you mean {meant}? write {problems.write(guess, value)}",
        )
    )
    return True


def _log_foreign(names: list[str]) -> None:
    # Imported late: logging is larger than the whole engine.
    from logging import getLogger

    getLogger("corscore").info(
        "environment variables that are no options of corscore, ignored: %s",
        ", ".join(map(escaped, names)),
    )
