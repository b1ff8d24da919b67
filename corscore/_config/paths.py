"""Checks the keys of a ``PolicyMap``."""

from __future__ import annotations

from corscore._standard.problem import Problem
from corscore._standard.text import quoted, shown

WILDCARD_END = "/*"
"""The end of a key that is a prefix."""

_FIELD = "PolicyMap"
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
# Almost every regex has one of these in it, and no path of a route has.
_REGEX_SIGNS = (".*", ".+", "\\", "[", "|", "(?", ")?", ")*", ")+")
_TEMPLATES = (("{", "}"), ("<", ">"))


def path_problem(key: object) -> Problem | None:
    """The problem with a key, or None.

    Args:
        key: A literal path, or a prefix ending in ``/*``.
    """
    if not isinstance(key, str):
        if hasattr(key, "fullmatch"):
            return _regex(key, str(getattr(key, "pattern", "")))
        return _invalid(key, "is not a str.", f"write {quoted('/api/*')}")
    if _looks_like_regex(key):
        return _regex(key, key)
    if not key.startswith("/"):
        return _invalid(key, "does not start with a slash.", f"write {quoted('/' + _path_of(key))}")
    for sign, what in (("?", "a query"), ("#", "a fragment")):
        if sign in key:
            return _invalid(
                key, f"has {what} in it, which is no part of a path.", _write(key.split(sign)[0])
            )
    if "*" in key.removesuffix(WILDCARD_END):
        return _invalid(
            key,
            f'has a "*" that is not its end after a slash, as in {quoted("/api/*")}.',
            # "/api*" most likely means "/api/*", and not every path.
            _write(f"{key[:-1]}/*" if key.index("*") == len(key) - 1 else _before(key, "*")),
        )
    for opening, closing in _TEMPLATES:
        if opening in key and closing in key:
            return _invalid(
                key,
                "is a route with parameters in it; a path map compares paths.",
                _write(_before(key, opening)),
            )
    if _has_escape(key):
        return _invalid(
            key,
            "is percent-encoded; it is compared with paths that have been decoded.",
            _write(_decoded(key)),
        )
    return None


def _invalid(key: object, mistake: str, hint: str) -> Problem:
    return Problem("path-invalid", _FIELD, key, f"{shown(key)} {mistake}", hint)


def _regex(key: object, source: str) -> Problem:
    start = source.removeprefix("^")
    fixed = next((i for i, char in enumerate(start) if char in ".*+?()[]{}|\\^$"), len(start))
    literal = start[:fixed]
    if fixed < len(start.removesuffix("$")):
        literal = literal[: literal.rfind("/") + 1] + "*"
    return Problem(
        "path-is-regex",
        _FIELD,
        key,
        f"{shown(source)} is a regex; keys are literal paths, or prefixes ending in "
        f"{WILDCARD_END}.",
        _write(literal if literal.startswith("/") else f"/{literal}"),
    )


def _write(key: str) -> str:
    return f"write {quoted(key)}"


def _looks_like_regex(key: str) -> bool:
    return key.startswith("^") or key.endswith("$") or any(sign in key for sign in _REGEX_SIGNS)


def _before(key: str, sign: str) -> str:
    """The prefix that ends with the last slash before ``sign``."""
    return key[: key.index(sign)].rpartition("/")[0] + WILDCARD_END


def _path_of(key: str) -> str:
    """The path in a key that may be a whole URL."""
    scheme, separator, rest = key.partition("://")
    if not separator or "/" in scheme:
        return key if key not in {"", "*"} else "*"
    return rest.partition("/")[2] or "*"


def _has_escape(key: str) -> bool:
    return any(len(part) >= 2 and _HEX_DIGITS.issuperset(part[:2]) for part in key.split("%")[1:])


def _decoded(key: str) -> str:
    # Imported late: only a wrong configuration needs it.
    from urllib.parse import unquote

    return unquote(key)
