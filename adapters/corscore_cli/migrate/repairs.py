"""The policy nearest to another library's options, and the repairs of values that it refuses."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from corscore import ConfigError, Policy
from corscore.diagnostics import lint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corscore import Problem

ORIGIN_TO_FILL_IN = "https://fill-in.example"
"""Stands for origins that only the user knows; printed Python has an empty list instead."""

_REGEX = "allow_origin_regex"
_DAY = 86400
_MAX_ROUNDS = 20
_QUOTED = re.compile(r'"([^"]+)"')
_REGEX_IN_HINT = re.compile(rf"write {_REGEX}=('(?:[^'\\]|\\.)*'|\"[^\"]*\")")
_REGEX_TOO_WIDE = (
    "insecure-origin-allowed",
    "look-alike-allowed",
    "regex-matches-anything-with-credentials",
    "regex-unverifiable",
)
_SWITCHED_ON = {
    "insecure-origin-with-credentials": "dangerously_allow_insecure_origins",
    "regex-unsafe": "dangerously_allow_slow_regex",
}
_SWITCHED_OFF = {
    "null-with-credentials": "allow_null_origin",
    "private-network-with-wildcard": "allow_private_network",
    "wildcard-with-credentials": "allow_credentials",
}


@dataclass(frozen=True, slots=True)
class Repair:
    """A value that a policy refuses, and the value that replaces it.

    Attributes:
        code: The code of the problem.
        message: The message of the problem.
        done: The new value.
    """

    code: str
    message: str
    done: str

    def to_dict(self) -> dict[str, str]:
        """Return a dict for JSON."""
        return {"code": self.code, "message": self.message, "done": self.done}


def nearest_policy(
    options: Mapping[str, Any], *, escapes_dots: bool = True, asks_for_origins: bool = False
) -> tuple[Policy | None, list[Repair]]:
    """Build the nearest policy, and list the repairs that it needs.

    Args:
        options: Arguments of ``Policy``, with values that it may refuse.
        escapes_dots: Whether to escape a dot in a regex that most likely means a dot.
        asks_for_origins: Whether ``*`` with credentials becomes ``ORIGIN_TO_FILL_IN``, for the user
            to replace, and keeps the credentials; otherwise it loses them.

    Returns:
        The policy, or None where the options allow no origin; and the repairs.
    """
    left = {name: _copied(value) for name, value in options.items()}
    repairs: list[Repair] = []
    for _ in range(_MAX_ROUNDS):
        try:
            policy = Policy(**left)
        except ConfigError as error:
            problems = error.problems
        else:
            dot = _unescaped_dot(policy) if escapes_dots else None
            if dot is None:
                return policy, repairs
            left[_REGEX], message = dot
            repairs.append(Repair("regex-unescaped-dot", message, f'r"{dot[0]}"'))
            continue
        if all(problem.code == "origins-missing" for problem in problems):
            return None, repairs
        for problem in problems:
            if problem.code != "origins-missing":
                done = _repair(left, problem, asks_for_origins=asks_for_origins)
                repairs.append(Repair(problem.code, problem.message, done))
    return None, repairs


def _copied(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else value


def _repair(options: dict[str, Any], problem: Problem, *, asks_for_origins: bool) -> str:
    """Remove a problem from the options, and return the new value in words."""
    code, field, value = problem.code, problem.field, problem.value
    if code == "wildcard-with-credentials" and asks_for_origins:
        return _ask_for_origins(options)
    if code in _SWITCHED_ON:
        options[_SWITCHED_ON[code]] = True
        return f"kept, with {_SWITCHED_ON[code]}=True"
    if code in _SWITCHED_OFF:
        options[_SWITCHED_OFF[code]] = False
        return f"{_SWITCHED_OFF[code]}=False"
    if code == "wildcard-not-alone":
        for name in ("allow_origin_regex", "allow_null_origin", "origin_resolver"):
            options.pop(name, None)
        options[field] = ["*"]
        return '["*"] alone'
    if code in _REGEX_TOO_WIDE:
        return _without_strangers(options, problem, asks_for_origins=asks_for_origins)
    if code == "not-a-bool":
        options[field] = bool(value)
        return f"{field}={bool(value)}"
    if code in ("max-age-invalid", "max-age-out-of-range"):
        options[field] = _age(value)
        return f"{field}={options[field]}"
    if code != "option-unknown" and isinstance(options.get(field), list):
        return _repair_item(options, problem)
    if code == "not-a-list" and isinstance(value, str):
        options[field] = [value]
        return "a list of it"
    options.pop(field, None)
    return "dropped"


def _repair_item(options: dict[str, Any], problem: Problem) -> str:
    """Replace an item of a list by the correction in its hint, or drop it."""
    items: list[Any] = options[problem.field]
    meant = _meant(problem)
    if problem.code == "origin-null" and not options.get("allow_credentials"):
        options["allow_null_origin"] = True
        options[problem.field] = [item for item in items if item != problem.value]
        return "allow_null_origin=True"
    # NaN is not equal to itself.
    is_it = [item is problem.value or item == problem.value for item in items]
    left = [meant if wrong else item for item, wrong in zip(items, is_it, strict=True)]
    kept = [item for item in left if item is not None]
    is_plain = all(isinstance(item, str) for item in kept)
    options[problem.field] = list(dict.fromkeys(kept)) if is_plain else kept
    return "dropped" if meant is None else f'"{meant}"'


def _meant(problem: Problem) -> str | None:
    """Return the corrected item of a list, from the problem's hint, or None."""
    if problem.code == "method-case":
        return str(problem.value).upper()
    if not problem.code.startswith("origin-") or not isinstance(problem.value, str):
        return None
    # A hint may also quote an example, which is no correction of this value.
    found = _QUOTED.match(problem.hint.removeprefix("write "))
    if found is None or not _is_pattern(found[1]):
        return None
    known = problem.value.lower().encode("ascii", "replace").decode()
    host = found[1].partition("://")[2].partition(":")[0]
    return found[1] if host in known or not problem.value.isascii() else None


def _is_pattern(text: str) -> bool:
    try:
        Policy(allow_origins=[text])
    except ConfigError:
        return False
    return True


def _ask_for_origins(options: dict[str, Any]) -> str:
    for name in (_REGEX, "allow_null_origin", "origin_resolver"):
        options.pop(name, None)
    options["allow_origins"] = [ORIGIN_TO_FILL_IN]
    return "a list of origins, for you to fill in"


def _without_strangers(options: dict[str, Any], problem: Problem, *, asks_for_origins: bool) -> str:
    """Take the regex of the hint; without one, drop the option that makes the old one unsafe."""
    repaired = _REGEX_IN_HINT.match(problem.hint)
    if repaired is not None:
        options[_REGEX] = ast.literal_eval(repaired[1])
        return f'r"{options[_REGEX]}"'
    if not options.get("allow_credentials"):
        options["allow_private_network"] = False
        return "allow_private_network=False"
    if asks_for_origins:
        return _ask_for_origins(options)
    options["allow_credentials"] = False
    return "allow_credentials=False"


def _unescaped_dot(policy: Policy) -> tuple[str, str] | None:
    """Return the policy's regex with its dots escaped, and the message of the finding."""
    for finding in lint(policy):
        escaped = re.fullmatch(r'write r"(.*)"', finding.hint)
        if finding.code == "regex-unescaped-dot" and escaped is not None:
            return escaped[1], finding.message
    return None


def _age(value: Any) -> int | None:
    if isinstance(value, timedelta):
        value = int(value.total_seconds())
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return max(0, min(value, _DAY)) if is_number else None
