"""The keys of a ``PolicyMap``, and their problems."""

from __future__ import annotations

from corscore._config.pattern import is_address
from corscore._standard.host import canonical_ipv4, ends_in_number, is_canonical_host
from corscore._standard.origin import split_port
from corscore._standard.problem import Problem
from corscore._standard.text import quoted, shown

WILDCARD_END = "/*"
"""The end of a key that is a prefix."""

_FIELD = "PolicyMap"
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
# Almost every regex contains one of these, and no path of a route does.
_REGEX_SIGNS = (".*", ".+", "\\", "[", "|", "(?", ")?", ")*", ")+")
_TEMPLATES = (("{", "}"), ("<", ">"))
# Characters that stand for themselves behind a backslash.
_ESCAPES = frozenset("./-_~ #%@!,:;=&'()[]{}*+?|$^\\")
_SIGNS = frozenset(".*+?()[]{}|\\^$")


def split_key(key: str) -> tuple[str, str]:
    """The host of a key, empty without one, and its path."""
    host, slash, path = key.partition("/")
    return host, slash + path


def key_problem(key: object) -> Problem | None:
    """The problem with a key, or None.

    Args:
        key: A literal path, or a prefix ending in ``/*``; a host may be before it.
    """
    if not isinstance(key, str):
        if hasattr(key, "fullmatch"):
            return _regex_problem(key, "", str(getattr(key, "pattern", "")))
        return _invalid_key(key, "is not a str.", f"write a path, such as {quoted('/api/*')}")
    host, path = split_key(key)
    if not _is_host(host):
        if _looks_like_regex(key):
            return _regex_problem(key, "", key)
        scheme, separator, rest = key.partition("://")
        if separator and "/" not in scheme:
            hint = _write(_key_of_url(rest))
            return _invalid_key(key, "is a URL; a key has a host and a path.", hint)
        if not key:
            return _invalid_key(
                key,
                "is empty.",
                f"write {quoted('/')} for the root alone, or {quoted('/*')} for all",
            )
        if host:
            return _invalid_key(
                key, "starts neither with a slash nor with a host.", _write(f"/{key}")
            )
    elif (problem := _host_problem(key, host, path)) is not None:
        return problem
    elif _looks_like_regex(path):
        return _regex_problem(key, host, path)
    return _path_problem(key, host, path)


def _path_problem(key: str, host: str, path: str) -> Problem | None:
    for sign, what in (("?", "a query"), ("#", "a fragment")):
        if sign in path:
            return _invalid_key(
                key,
                f"has {what} in it, which is no part of a path.",
                _write(key.split(sign, maxsplit=1)[0]),
            )
    if "*" in path.removesuffix(WILDCARD_END):
        beginning = path.rstrip("*")
        return _invalid_key(
            key,
            f'may have a "*" only at its end, after a slash, as in {quoted("/api/*")}.',
            _decide(host, path, "*") if "*" in beginning else _write_prefix(host + beginning),
        )
    for opening, closing in _TEMPLATES:
        if opening in path and closing in path:
            return _invalid_key(
                key,
                "is a route with parameters in it; a path map compares paths.",
                _decide(host, path, opening),
            )
    if _has_escape(path):
        return _invalid_key(
            key,
            "is percent-encoded; keys are compared with decoded paths.",
            _write(host + _decoded(path)),
        )
    return None


def _is_host(text: str) -> bool:
    """Whether the part of a key before its first slash is meant as a host."""
    name, port = split_port(text)
    if port and not port.isdigit():
        return False
    return name.lower() == "localhost" or (
        # "a.*.example" is meant as a host, and ".*" is a regex.
        "." in name and not _looks_like_regex(name.replace(".*.", "."))
        if name[:1] != "["
        else name[-1:] == "]"
    )


def _host_problem(key: str, host: str, path: str) -> Problem | None:
    name, port = split_port(host)
    canonical = name.lower().removesuffix(".")
    named = canonical.removeprefix("*.")
    if not path:
        return _invalid_key(
            key,
            "has a host and no path.",
            f"{_write(canonical + WILDCARD_END)} for a host, or {quoted(f'/{key}')} for a path",
        )
    if port is not None or canonical != name:
        return _invalid_key(
            key,
            "has a host with a port, an upper-case letter or a final dot; it is compared with "
            "hosts that have none of these.",
            _write(canonical + path),
        )
    if not is_canonical_host(named):
        address = canonical_ipv4(named) if ends_in_number(named) else None
        fixed = key if address is None else address + path
        hint = _write(fixed if fixed != key else f"/{key}")
        if not ends_in_number(named):
            hint = f"write the host as browsers do, as in {quoted('*.example.com' + path)}"
        return _invalid_key(key, "has a host that no browser sends.", hint)
    if named != name and is_address(named):
        return _invalid_key(key, 'has a "*." before an address.', _write(named + path))
    return None


def _key_of_url(rest: str) -> str:
    """The key for a URL, given without its scheme."""
    host, path = split_key(rest)
    return split_port(host)[0].lower().removesuffix(".") + (path or WILDCARD_END)


def _invalid_key(key: object, mistake: str, hint: str) -> Problem:
    return Problem("path-invalid", _FIELD, key, f"{shown(key)} {mistake}", hint)


def _regex_problem(key: object, host: str, source: str) -> Problem:
    start = source.removeprefix("^")
    # In `search` and `match`, a regex without `$` also matches every longer path.
    is_prefix = start != source and not start.endswith("$")
    literal, rest = _literal(start.removesuffix("$"))
    if rest == ".*":
        is_prefix, rest = True, ""
    literal = literal if literal.startswith("/") else f"/{literal}"
    if rest:
        hint = _decide(host, literal + "*", "*")
    else:
        hint = _write_prefix(host + literal) if is_prefix else _write(host + literal)
    return Problem(
        "path-is-regex",
        _FIELD,
        key,
        f"{shown(host + source)} is a regex; keys are literal paths, or prefixes ending in "
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
        # A dot that is not repeated most likely means a dot.
        is_sign = not is_escaped and source[start] != "." and source[start] in _SIGNS
        if is_sign or source[end : end + 1] in ("*", "+", "?", "{"):
            break
        literal += source[end - 1]
        start = end
    return literal, source[start:]


def _write(key: str) -> str:
    return f"write {quoted(key)}"


def _write_prefix(beginning: str) -> str:
    """A hint for all paths below ``beginning``, and for itself if it does not end in a slash.

    Unlike a regex that begins with ``/api``, no key covers ``/apis`` as well.
    """
    if beginning.endswith("/"):
        return _write(f"{beginning}*")
    return f"{_write(beginning)} and {quoted(beginning + WILDCARD_END)}"


def _decide(host: str, path: str, sign: str) -> str:
    """A hint for a sign that no key can have, such as the star in ``/a/*/b``."""
    wider = host + _before(path, sign)
    return (
        f"list the paths, or put the policy on the route; if it may govern all below "
        f"{quoted(wider[:-1])}, write {quoted(wider)}"
    )


def _looks_like_regex(key: str) -> bool:
    return key.startswith("^") or key.endswith("$") or any(sign in key for sign in _REGEX_SIGNS)


def _before(key: str, sign: str) -> str:
    """The prefix that ends with the last slash before ``sign``."""
    return key[: key.index(sign)].rpartition("/")[0] + WILDCARD_END


def _has_escape(key: str) -> bool:
    return any(len(part) >= 2 and _HEX_DIGITS.issuperset(part[:2]) for part in key.split("%")[1:])


def _decoded(key: str) -> str:
    # Imported late: only a wrong configuration needs it.
    from urllib.parse import unquote

    return unquote(key)
