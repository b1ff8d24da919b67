"""``lint``: likely mistakes in a policy that can be built."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from corscore._config.paths import split_key
from corscore._config.pattern import Pattern, is_address, is_loopback, parse_pattern
from corscore._config.regex_repair import with_escaped_dots
from corscore._policy.map import PolicyMap
from corscore._policy.policy import Policy
from corscore._policy.tuple import place_of
from corscore._standard.origin import parse_origin
from corscore._standard.public_suffix import is_public_suffix
from corscore._standard.text import escaped, quoted, regex_literal, shown
from corscore.browser._deviations import MAX_AGE_LIMITS
from corscore.diagnostics._coverage import Coverage
from corscore.diagnostics._finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from corscore._policy.tenant import PolicyResolver

_ORIGINS = "allow_origins"
_REGEX = "allow_origin_regex"
_WEB = ("http", "https")

# Most browsers are Chromium, which cuts longer ages; only Firefox keeps them.
_MAX_KEPT = MAX_AGE_LIMITS["chromium"]
_LEAST_KEPT = MAX_AGE_LIMITS["safari"]

# Names that exist in private networks only: RFC 6761, RFC 6762 and RFC 9476.
_PRIVATE_ENDINGS = (".test", ".local", ".internal", ".home.arpa", ".alt")
# A page inside an application, not a developer's machine: https://v2.tauri.app.
_APPLICATIONS = ("tauri.localhost",)
# Usual origins of a developer's server, to try a regex with.
_LOCAL_PROBES = tuple(
    f"http://{host}{port}"
    for host in ("localhost", "127.0.0.1")
    for port in ("", ":3000", ":5173", ":8000", ":8080")
)


def lint(policies: Policy | tuple[Policy, ...] | PolicyMap | PolicyResolver) -> tuple[Finding, ...]:
    """Return the likely mistakes in a policy, or in those of a tuple or a map.

    Each finding's ``place`` is the option, after the map's key and the policy's number in a tuple:
    ``"/api/*, policy 1 of 2: allow_origins"``. An origin resolver is not called.
    """
    entries: list[tuple[str | None, Any]] = [(None, policies)]
    if isinstance(policies, PolicyMap):
        entries = [*policies.items(), ("default", policies.default)]
    found = [finding for key, entry in entries for finding in _entry_findings(key, entry)]
    return (*found, *_any_origin_on_any_host(entries))


def _any_origin_on_any_host(entries: list[tuple[str | None, Any]]) -> Iterator[Finding]:
    if not any(key is not None and split_key(key)[0] and "/" in key for key, _ in entries):
        return
    for key, entry in entries:
        policies = entry if isinstance(entry, tuple) else (entry,)
        last = policies[-1]
        if key in ("/*", "default") and isinstance(last, Policy) and "*" in last.allow_origins:
            yield Finding(
                "default-allows-any-origin",
                '"*" is for all other hosts: where a proxy rewrites Host, every page may read what '
                "the keys of your hosts protect.",
                f'give "*" to its own hosts, as in "open.example.com/*", and drop it from {key}',
                f"{key}: {_ORIGINS}",
            )


def _entry_findings(key: str | None, entry: object) -> Iterator[Finding]:
    # A PolicyResolver has no policy before a request.
    policies = entry if isinstance(entry, tuple) else (entry,) if isinstance(entry, Policy) else ()
    for number, policy in enumerate(policies, 1):
        place = place_of(key, number, len(policies))
        for found in _policy_findings(policy):
            where = found.place if place is None else f"{escaped(place)}: {found.place}"
            yield Finding(found.code, found.message, found.hint, where)


def _policy_findings(policy: Policy) -> Iterator[Finding]:
    patterns = [
        pattern for pattern in map(parse_pattern, policy.allow_origins) if pattern is not None
    ]
    yield from _localhost(policy, patterns)
    yield from _shadowed(policy, patterns)
    yield from _hosting_domains(policy, patterns)
    yield from _dots(policy)
    yield from _age(policy)


def _localhost(policy: Policy, patterns: list[Pattern]) -> Iterator[Finding]:
    is_in_production = any(map(_is_public, patterns)) or _names_a_domain(policy)
    if not is_in_production:
        return
    message = (
        "{} is allowed beside origins of a live site: any program on a visitor's own machine can "
        "serve a page from there, and read what the policy lets it."
    )
    hint = "keep the origins of developers' machines in a configuration of their own"
    code = "localhost-in-production"
    for origin in developers_origins(policy):
        if origin in policy.allow_origins:
            yield Finding(code, message.format(shown(origin)), hint, _ORIGINS)
        else:
            text = message.format(f"{quoted(origin)}, which the regex matches,")
            yield Finding(code, text, hint, _REGEX)


def developers_origins(policy: Policy) -> tuple[str, ...]:
    """Return the patterns for developers' own machines, and one such origin that the regex matches.

    An origin resolver is not called.
    """
    patterns = filter(None, map(parse_pattern, policy.allow_origins))
    found = [str(pattern) for pattern in patterns if _is_developers(pattern)]
    if policy.allow_origin_regex is not None:
        found += islice(filter(policy.allow_origin_regex.fullmatch, _LOCAL_PROBES), 1)
    return tuple(dict.fromkeys(found))


def _is_developers(pattern: Pattern) -> bool:
    # Only http: https://localhost is an application of Capacitor on Android.
    return (
        pattern.scheme == "http" and is_loopback(pattern.host) and pattern.host not in _APPLICATIONS
    )


def _is_public(pattern: Pattern) -> bool:
    """Return whether the pattern is for origins on the public web."""
    host = pattern.host.removesuffix(".")
    return (
        pattern.scheme in _WEB
        and "." in host
        and not is_address(host)
        and not is_loopback(host)
        and not host.endswith(_PRIVATE_ENDINGS)
    )


def _names_a_domain(policy: Policy) -> bool:
    """Return whether the regex spells a common top-level domain."""
    regex = policy.allow_origin_regex
    if regex is None:
        return False
    text = regex.pattern.replace("[.]", ".").replace("\\", "")
    return any(ending in text for ending in (".com", ".org", ".net", ".io", ".dev", ".app"))


def _shadowed(policy: Policy, patterns: list[Pattern]) -> Iterator[Finding]:
    code, coverage = "origin-shadowed", Coverage(policy.allow_origins)
    regex = policy.allow_origin_regex
    for pattern in patterns:
        text = str(pattern)
        wider = coverage.covering(pattern, others=True)
        if wider is not None:
            yield Finding(
                code,
                f"{shown(text)} changes nothing: {shown(wider)} covers it.",
                f"drop one of them: {shown(text)}, or {shown(wider)} if it is wider than you mean",
                _ORIGINS,
            )
        elif regex is not None and parse_origin(text) is not None and regex.fullmatch(text):
            yield Finding(
                code,
                f"{shown(text)} changes nothing: the regex matches it too.",
                f"drop {shown(text)}, or take it out of the regex",
                _ORIGINS,
            )


def _hosting_domains(policy: Policy, patterns: list[Pattern]) -> Iterator[Finding]:
    # Without credentials only: with them no such policy can be built.
    if policy.dangerously_allow_public_suffixes:
        return
    for pattern in patterns:
        host = pattern.host.removesuffix(".")
        if pattern.subdomains and not is_loopback(host) and is_public_suffix(host):
            named = Pattern(pattern.scheme, False, f"your-name.{pattern.host}", pattern.port)
            yield Finding(
                "hosting-domain-wildcard",
                f"{shown(str(pattern))} allows strangers: anyone can have a name below {host}.",
                f"write the hosts that are yours, such as {quoted(str(named))}",
                _ORIGINS,
            )


def _dots(policy: Policy) -> Iterator[Finding]:
    regex = policy.allow_origin_regex
    meant = None if regex is None else with_escaped_dots(regex.pattern)
    if regex is not None and meant is not None:
        yield Finding(
            "regex-unescaped-dot",
            f"{regex_literal(regex.pattern)} has a dot that is not escaped, and matches any "
            "character: also a name that only looks like yours.",
            f"write {regex_literal(meant)}",
            _REGEX,
        )


def _age(policy: Policy) -> Iterator[Finding]:
    if policy.max_age is not None and policy.max_age > _MAX_KEPT:
        yield Finding(
            "max-age-above-browsers",
            f"{policy.max_age} seconds are longer than most browsers remember a preflight: "
            f"Chrome and Edge {_MAX_KEPT} seconds, Safari {_LEAST_KEPT}.",
            f"write {_MAX_KEPT} or less",
            "max_age",
        )
