"""The reasons for a refusal, and the item of the policy that is nearest."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from corscore._config.advice import explain_literal
from corscore._config.pattern import ANY, Pattern, is_loopback, parse_pattern
from corscore._explain.types import Nearest
from corscore._standard.fetch import (
    AUTHORIZATION,
    CORS_SAFELISTED_REQUEST_HEADERS,
    OPAQUE_ORIGIN,
    WILDCARD,
)
from corscore._standard.origin import MAX_ORIGIN_LENGTH, Origin, parse_origin
from corscore._standard.text import in_backticks, quoted, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from corscore._policy.policy import Policy

_ORIGINS = "allow_origins"
_REGEX = "allow_origin_regex"

# Bounds, since a request may ask for any number of names, of any length.
_LONGEST_COMPARED = 64
_MAX_COMPARED = 8

# Distances of an origin from a pattern, by their difference: a wrong scheme is a likelier mistake
# than a similar host, which may be a stranger's.
_DISTANCES = {"same": 1, "loopback": 2, "related": 3, "slip": 4}

# The mistakes in a text that is no origin, in a few words; other codes have a message already.
_MALFORMED = {
    "origin-trailing-slash": "trailing slash",
    "origin-has-path": "a path behind the host",
    "origin-has-userinfo": "a user name before the host",
    "origin-uppercase": "upper-case letters",
    "origin-not-ascii": "a host that is not in punycode",
    "origin-default-port": "the default port is spelled out",
    "origin-whitespace": "white space around it",
    "origin-quoted": "quotes around it",
    "origin-scheme-missing": "no scheme",
}


class Refusal(NamedTuple):
    """The fields of an ``Explanation`` that say why a policy refuses something."""

    reason: str
    message: str
    hint: str
    nearest: Nearest | None = None


def matched(policy: Policy, origin: str) -> str | None:
    """Return the pattern that allows an origin, the regex, ``"null"`` or ``"*"``.

    Args:
        policy: A policy that allows the origin.
        origin: As the request sent it.

    Returns:
        The first of these that allows it; None if only a resolver does.
    """
    if WILDCARD in policy.allow_origins:
        return WILDCARD
    if origin == OPAQUE_ORIGIN:
        return OPAQUE_ORIGIN
    parsed = parse_origin(origin)
    for pattern in _patterns(policy):
        if parsed is not None and not list(_differences(parsed, pattern)):
            return str(pattern)
    regex = policy.allow_origin_regex
    return regex.pattern if regex is not None and regex.fullmatch(origin) else None


def origin_refusal(policy: Policy, origin: str) -> Refusal:
    """Return why a policy does not allow an origin. Compares every pattern, and never raises.

    Args:
        policy: A policy that does not allow the origin.
        origin: As the request sent it; any text.
    """
    if origin == OPAQUE_ORIGIN:
        return Refusal(
            "null-origin",
            'The page\'s origin is "null": it is a file, it is in a sandboxed frame, or a redirect '
            "across origins hid its origin.",
            "serve the page over http from an origin of its own; allow_null_origin=True would "
            "allow every site that makes such a frame",
            Nearest(_ORIGINS, None, 'no pattern covers "null"'),
        )
    parsed = parse_origin(origin)
    if parsed is None:
        return _malformed(policy, origin)
    code, nearest = _nearest(policy, parsed)
    add = f"add {quoted(origin)} to {_ORIGINS}"
    if nearest is None:
        return Refusal(
            code,
            f"No pattern of the policy covers {shown(origin)}, and none is similar.",
            f"if the origin is yours, {add}",
        )
    message = f"{shown(origin)} is not allowed: {nearest.difference}."
    if code != "apex-not-covered":
        message += f" The nearest is {shown(nearest.pattern)}."
    return Refusal(code, message, _hint(code, nearest, add), nearest)


def _hint(code: str, nearest: Nearest, add: str) -> str:
    if code == "apex-not-covered":
        return f"{add}; a `*.` pattern covers subdomains, and never the host itself"
    if code == "origin-scheme-differs":
        return f"open the page from {quoted(nearest.pattern)}, or {add}"
    if code == "origin-port-differs" and nearest.pattern is not None:
        any_port = nearest.pattern.rpartition(":")[0] if _has_port(nearest.pattern) else ""
        local = parse_pattern(nearest.pattern)
        if local is not None and is_loopback(local.host):
            return f"{add}; for any port write {quoted(f'{any_port or nearest.pattern}:*')}"
    if nearest.option == _REGEX:
        return f"write the regex so that it matches the whole origin, or {add}"
    return f"open the page from {shown(nearest.pattern)}, or if the origin is yours, {add}"


def _has_port(pattern: str) -> bool:
    parsed = parse_pattern(pattern)
    return parsed is not None and parsed.port != ""


def _malformed(policy: Policy, origin: str) -> Refusal:
    """Explain a text that no browser sends as an Origin, such as a URL with a path."""
    mistakes, meant = ([], None) if len(origin) > MAX_ORIGIN_LENGTH else explain_literal(origin)
    parsed = None if meant is None else parse_origin(meant)
    if meant is None or parsed is None or not mistakes:
        return Refusal(
            "origin-malformed",
            f"{shown(origin)} is not in the form that browsers send.",
            "send what the page's address shows up to the first slash, such as "
            '"https://app.example.com"',
        )
    code, mistake = mistakes[0]
    difference = _MALFORMED.get(code, mistake)
    covering = next((p for p in _patterns(policy) if not list(_differences(parsed, p))), None)
    if covering is None:
        return Refusal(
            code,
            f"No browser sends {shown(origin)}: {difference}.",
            f"ask for {quoted(meant)}, which is not allowed either",
            Nearest(_ORIGINS, None, difference),
        )
    return Refusal(
        code,
        f"No browser sends {shown(origin)}: {difference}. The policy has {shown(str(covering))}.",
        f"write {quoted(meant)}",
        Nearest(_ORIGINS, str(covering), difference),
    )


def _nearest(policy: Policy, origin: Origin) -> tuple[str, Nearest | None]:
    """Return how an origin differs from the nearest pattern, as a code, and that pattern."""
    code = "origin-not-allowed"
    best, best_distance = None, None
    for pattern in _patterns(policy):
        found = list(_differences(origin, pattern))
        distance = sum(far for _, _, far in found)
        if any(far == 0 for _, _, far in found):
            continue
        if best_distance is None or distance < best_distance:
            best, best_distance = (pattern, found), distance
    if best is not None:
        pattern, found = best
        texts = ", ".join(text for _, text, _ in found)
        return found[0][0], Nearest(_ORIGINS, str(pattern), texts)
    regex = policy.allow_origin_regex
    text = f"{origin.scheme}://{origin.host}{origin.port and ':'}{origin.port}"
    if regex is not None and regex.search(text) is not None:
        return code, Nearest(_REGEX, regex.pattern, "the regex matches a part of it only")
    return code, None


def _patterns(policy: Policy) -> Iterable[Pattern]:
    parsed = (parse_pattern(item) for item in policy.allow_origins if item != ANY)
    return (pattern for pattern in parsed if pattern is not None)


def _differences(origin: Origin, pattern: Pattern) -> Iterator[tuple[str, str, int]]:
    """Yield each difference: its code, text and distance, which is 0 for unrelated hosts."""
    if origin.scheme != pattern.scheme:
        text = f"{origin.scheme}, not {pattern.scheme}"
        yield "origin-scheme-differs", text, _DISTANCES["same"]
    yield from _host_differences(origin.host, pattern)
    if not pattern.any_port and origin.port != pattern.port:
        wrong = f"port {origin.port} is not listed" if origin.port else ""
        yield "origin-port-differs", wrong or f"port {pattern.port} is missing", _DISTANCES["same"]


def _host_differences(host: str, pattern: Pattern) -> Iterator[tuple[str, str, int]]:
    name = pattern.host
    if pattern.subdomains:
        if host.endswith(f".{name}"):
            return
        if host == name:
            yield "apex-not-covered", f"the apex is not covered by `{pattern}`", _DISTANCES["same"]
            return
    elif host == name:
        return
    differs = "origin-host-differs"
    if host.removesuffix(".") == name.removesuffix(".") and not pattern.subdomains:
        with_dot = host if host.endswith(".") else name
        yield differs, f"{with_dot} ends in a dot, which makes another host", _DISTANCES["same"]
    elif is_loopback(host) and is_loopback(name):
        yield differs, f"{host} is not {name}", _DISTANCES["loopback"]
    elif not pattern.subdomains and (host.endswith(f".{name}") or name.endswith(f".{host}")):
        yield differs, f"{host} is not {name}", _DISTANCES["related"]
    elif _is_slip(host, name):
        yield differs, f"{host} is not {name}", _DISTANCES["slip"]
    else:
        yield differs, f"{host} is not {name}", 0


def _is_slip(one: str, other: str) -> bool:
    """Return whether two names differ by one missing, wrong or swapped letter."""
    if abs(len(one) - len(other)) > 1 or min(len(one), len(other)) < len("a.example"):
        return False
    shorter, longer = sorted((one, other), key=len)
    start = 0
    while start < len(shorter) and shorter[start] == longer[start]:
        start += 1
    if shorter[start:] == longer[start + 1 :] or shorter[start + 1 :] == longer[start + 1 :]:
        return True
    swapped = longer[start : start + 2][::-1]
    return shorter[start : start + 2] == swapped and shorter[start + 2 :] == longer[start + 2 :]


def method_refusal(policy: Policy, method: str) -> Refusal:
    """Return why a policy does not allow a method."""
    option, upper = "allow_methods", method.upper()
    if method != upper and upper in policy.allow_methods:
        difference = f"{in_backticks(method)} is not {in_backticks(upper)}"
        return Refusal(
            "method-case",
            f"{difference}: methods are compared by case, and browsers send this one as the "
            "script wrote it.",
            f"write {quoted(upper)} in the script",
            Nearest(option, upper, difference),
        )
    if WILDCARD in policy.allow_methods:
        difference, hint = "it is longer than any method that a policy repeats", "shorten it"
    else:
        case = "" if method == upper else f"write {shown(upper)} in the script, and "
        difference, hint = f"{shown(upper)} must be listed", f"{case}add {shown(upper)} to {option}"
    return Refusal(
        "method-not-allowed",
        f"The policy does not allow the method {shown(method)}: {difference}.",
        hint,
        Nearest(option, None, difference),
    )


def header_refusal(policy: Policy, asked: Iterable[str]) -> Refusal:
    """Return why a policy does not allow headers.

    Args:
        policy: A policy that does not allow all of them.
        asked: Their names, in lower case.
    """
    asked = tuple(asked)
    option, code = "allow_headers", "header-not-allowed"
    if WILDCARD in policy.allow_headers:
        difference = "the list is longer than any that a policy repeats"
        return Refusal(
            code,
            f"The script sets {len(asked)} headers: {difference}.",
            "set fewer headers",
            Nearest(option, WILDCARD, difference),
        )
    listed = (*CORS_SAFELISTED_REQUEST_HEADERS, *policy.allow_headers)
    missing = [name for name in asked if name not in listed]
    # Authorization in its usual spelling, other names as the browser sends them.
    names = ["Authorization" if name == AUTHORIZATION else name for name in missing]
    text = ", ".join(names)
    difference = f"{text if text.isascii() and len(text) < 80 else shown(text)} must be listed"
    return Refusal(
        code,
        f"The policy does not allow a header that the script sets: {difference}.",
        f"add {shown(text)} to {option}",
        Nearest(option, _alike(missing, policy.allow_headers), difference),
    )


def _alike(missing: Iterable[str], listed: Iterable[str]) -> str | None:
    """Return a listed name that is a typing slip away from a missing one."""
    near = (
        get_close_matches(name[:_LONGEST_COMPARED], listed, n=1)
        for name in islice(missing, _MAX_COMPARED)
    )
    return next((found[0] for found in near if found), None)
