"""How an origin differs from what a policy allows: the pattern that fits, or the nearest one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from corscore._config.advice import explain_literal
from corscore._config.pattern import ANY, Pattern, is_loopback, parse_pattern
from corscore._explain.types import Nearest
from corscore._standard.fetch import OPAQUE_ORIGIN, WILDCARD
from corscore._standard.origin import MAX_ORIGIN_LENGTH, Origin, parse_origin
from corscore._standard.text import quoted, shown

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator

_OPTION = "allow_origins"
_REGEX = "allow_origin_regex"

# How much further away one kind of difference is than another: a scheme is one click away, a name
# that only looks alike may be a stranger's.
_FAR = {"same": 1, "loopback": 2, "related": 3, "slip": 4}

# In a few words, what a literal has that no Origin has; the rest is said by the problem's message.
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


class Origins(Protocol):
    """The part of a policy that says which origins are allowed."""

    @property
    def allow_origins(self) -> tuple[str, ...]: ...
    @property
    def allow_origin_regex(self) -> re.Pattern[str] | None: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why an origin is not allowed.

    Attributes:
        code: The cause.
        message: One sentence, or two.
        hint: What to change.
        nearest: What comes closest.
    """

    code: str
    message: str
    hint: str
    nearest: Nearest | None = None


def matched(policy: Origins, origin: str) -> str | None:
    """The pattern that allows an origin, the regex, ``"null"`` or ``"*"``; of several, the first.

    Args:
        policy: One that allows it.
        origin: As the request sent it.
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


def refusal(policy: Origins, origin: str) -> Verdict:
    """Why a policy does not allow an origin. Looks at every pattern, and never raises.

    Args:
        policy: One that does not allow it.
        origin: As the request sent it; any text.
    """
    if origin == OPAQUE_ORIGIN:
        return Verdict(
            "null-origin",
            'The page\'s origin is "null": it is a file, it is in a sandboxed frame, or a redirect '
            "across origins took its name away.",
            "serve the page over http from an origin of its own; allow_null_origin=True would "
            "allow every site that makes such a frame",
            Nearest(_OPTION, None, "null-origin", '"null" is no origin that a pattern covers'),
        )
    parsed = parse_origin(origin)
    if parsed is None:
        return _malformed(policy, origin)
    nearest = _nearest(policy, parsed)
    add = f"add {quoted(origin)} to {_OPTION}"
    if nearest is None:
        return Verdict(
            "origin-not-allowed",
            f"No pattern of the policy covers {shown(origin)}, nor comes near it.",
            f"if the origin is yours, {add}",
        )
    message = f"{shown(origin)} is not allowed: {nearest.difference}."
    if nearest.code != "apex-not-covered":
        message += f" The nearest is {shown(nearest.pattern)}."
    return Verdict(nearest.code, message, _hint(nearest, add), nearest)


def _hint(nearest: Nearest, add: str) -> str:
    if nearest.code == "apex-not-covered":
        return f"{add}; a `*.` pattern covers what is below its name, and never the name itself"
    if nearest.code == "origin-scheme-differs":
        return f"open the page from {quoted(nearest.pattern)}, or {add}"
    if nearest.code == "origin-port-differs" and nearest.pattern is not None:
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


def _malformed(policy: Origins, origin: str) -> Verdict:
    """For what no browser sends, but people write when they try something out."""
    mistakes, meant = ([], None) if len(origin) > MAX_ORIGIN_LENGTH else explain_literal(origin)
    parsed = None if meant is None else parse_origin(meant)
    if meant is None or parsed is None or not mistakes:
        return Verdict(
            "origin-malformed",
            f"{shown(origin)} is not in the form that browsers send.",
            "send what the page's address shows up to the first slash, such as "
            '"https://app.example.com"',
        )
    code, mistake = mistakes[0]
    difference = _MALFORMED.get(code, mistake)
    covering = next((p for p in _patterns(policy) if not list(_differences(parsed, p))), None)
    if covering is None:
        return Verdict(
            code,
            f"No browser sends {shown(origin)}: {difference}.",
            f"ask for {quoted(meant)}, which is not allowed either",
            Nearest(_OPTION, None, code, difference),
        )
    return Verdict(
        code,
        f"No browser sends {shown(origin)}: {difference}. The policy has {shown(str(covering))}.",
        f"write {quoted(meant)}",
        Nearest(_OPTION, str(covering), code, difference),
    )


def _nearest(policy: Origins, origin: Origin) -> Nearest | None:
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
        return Nearest(_OPTION, str(pattern), found[0][0], texts)
    regex = policy.allow_origin_regex
    text = f"{origin.scheme}://{origin.host}{origin.port and ':'}{origin.port}"
    if regex is not None and regex.search(text) is not None:
        difference = "the regex matches a part of it only"
        return Nearest(_REGEX, regex.pattern, "origin-not-allowed", difference)
    return None


def _patterns(policy: Origins) -> Iterable[Pattern]:
    parsed = (parse_pattern(item) for item in policy.allow_origins if item != ANY)
    return (pattern for pattern in parsed if pattern is not None)


def _differences(origin: Origin, pattern: Pattern) -> Iterator[tuple[str, str, int]]:
    """Code, words and weight of each; a weight of 0 says that the two have nothing in common."""
    if origin.scheme != pattern.scheme:
        text = f"{origin.scheme}, not {pattern.scheme}"
        yield "origin-scheme-differs", text, _FAR["same"]
    yield from _host_differences(origin.host, pattern)
    if not pattern.any_port and origin.port != pattern.port:
        given = f"port {origin.port} is not listed" if origin.port else ""
        yield "origin-port-differs", given or f"port {pattern.port} is missing", _FAR["same"]


def _host_differences(host: str, pattern: Pattern) -> Iterator[tuple[str, str, int]]:
    name = pattern.host
    if pattern.subdomains:
        if host.endswith(f".{name}"):
            return
        if host == name:
            yield "apex-not-covered", f"the apex is not covered by `{pattern}`", _FAR["same"]
            return
    elif host == name:
        return
    differs = "origin-host-differs"
    if host.removesuffix(".") == name.removesuffix(".") and not pattern.subdomains:
        with_dot = host if host.endswith(".") else name
        yield differs, f"{with_dot} ends in a dot, which makes another host", _FAR["same"]
    elif is_loopback(host) and is_loopback(name):
        yield differs, f"{host} is not {name}", _FAR["loopback"]
    elif not pattern.subdomains and (host.endswith(f".{name}") or name.endswith(f".{host}")):
        yield differs, f"{host} is not {name}", _FAR["related"]
    elif _is_slip(host, name):
        yield differs, f"{host} is not {name}", _FAR["slip"]
    else:
        yield differs, f"{host} is not {name}", 0


def _is_slip(one: str, other: str) -> bool:
    """Whether two names are one missing, wrong or swapped letter apart."""
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
