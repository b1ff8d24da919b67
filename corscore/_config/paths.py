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
# What stands for itself behind a backslash.
_ESCAPES = frozenset("./-_~ #%@!,:;=&'()[]{}*+?|$^\\")
_SIGNS = frozenset(".*+?()[]{}|\\^$")


def path_problem(key: object) -> Problem | None:
    """The problem with a key, or None.

    Args:
        key: A literal path, or a prefix ending in ``/*``.
    """
    if not isinstance(key, str):
        if hasattr(key, "fullmatch"):
            return _regex(key, str(getattr(key, "pattern", "")))
        return _invalid(key, "is not a str.", f"write a path, such as {quoted('/api/*')}")
    if _looks_like_regex(key):
        return _regex(key, key)
    if not key:
        return _invalid(
            key, "is empty.", f"write {quoted('/')} for the root alone, or {quoted('/*')} for all"
        )
    if not key.startswith("/"):
        return _invalid(key, "does not start with a slash.", f"write {quoted('/' + _path_of(key))}")
    for sign, what in (("?", "a query"), ("#", "a fragment")):
        if sign in key:
            return _invalid(
                key, f"has {what} in it, which is no part of a path.", _write(key.split(sign)[0])
            )
    if "*" in key.removesuffix(WILDCARD_END):
        beginning = key.rstrip("*")
        return _invalid(
            key,
            f'has a "*" that is not its end after a slash, as in {quoted("/api/*")}.',
            _decide(key, "*") if "*" in beginning else _write_prefix(beginning),
        )
    for opening, closing in _TEMPLATES:
        if opening in key and closing in key:
            return _invalid(
                key,
                "is a route with parameters in it; a path map compares paths.",
                _decide(key, opening),
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
    # As `search` and `match` read it, a regex without an end matches all that begins so.
    is_prefix = start != source and not start.endswith("$")
    literal, rest = _literal(start.removesuffix("$"))
    if rest == ".*":
        is_prefix, rest = True, ""
    literal = literal if literal.startswith("/") else f"/{literal}"
    if rest:
        hint = _decide(literal + "*", "*")
    else:
        hint = _write_prefix(literal) if is_prefix else _write(literal)
    return Problem(
        "path-is-regex",
        _FIELD,
        key,
        f"{shown(source)} is a regex; keys are literal paths, or prefixes ending in "
        f"{WILDCARD_END}.",
        hint,
    )


def _literal(source: str) -> tuple[str, str]:
    """The text that a regex begins with, unescaped, and the regex behind it."""
    literal = ""
    start = 0
    while start < len(source):
        is_escaped = source[start] == "\\" and source[start + 1 : start + 2] in _ESCAPES
        end = start + 1 + is_escaped
        # A dot that is not repeated was most likely meant as one.
        is_sign = not is_escaped and source[start] != "." and source[start] in _SIGNS
        if is_sign or source[end : end + 1] in ("*", "+", "?", "{"):
            break
        literal += source[end - 1]
        start = end
    return literal, source[start:]


def _write(key: str) -> str:
    return f"write {quoted(key)}"


def _write_prefix(beginning: str) -> str:
    """A hint for all paths that begin so, which are fewer where no slash ends the beginning."""
    if beginning.endswith("/"):
        return _write(f"{beginning}*")
    return f"{_write(beginning)} and {quoted(beginning + WILDCARD_END)}"


def _decide(key: str, sign: str) -> str:
    """A hint where no key says just that: what stands for one segment, or for some paths."""
    wider = _before(key, sign)
    return (
        f"list the paths, or put the policy on the route; if it may govern all below "
        f"{quoted(wider[:-1])}, write {quoted(wider)}"
    )


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
