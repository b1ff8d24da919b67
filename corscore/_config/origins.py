"""Checks the options that say which origins are allowed."""

from __future__ import annotations

from corscore._config.pattern import ANY, Pattern, parse_pattern
from corscore._standard.fetch import DEFAULT_PORTS
from corscore._standard.public_suffix import is_public_suffix
from corscore._standard.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

    from corscore._config.spelling import Problems

_OPTION = "allow_origins"
_REGEX = "allow_origin_regex"
_EXAMPLE = "https://app.example.com"


def read_patterns(problems: Problems, items: Iterable[str]) -> list[Pattern]:
    """The patterns that the literals mean, ``"*"`` left out; every mistake is noted."""
    patterns = []
    for item in items:
        pattern = parse_pattern(item)
        if pattern is not None:
            patterns.append(pattern)
        elif item != ANY:
            _explain(problems, item)
    return patterns


def _explain(problems: Problems, item: str) -> None:
    # Imported late: only a wrong configuration needs it.
    from corscore._config.advice import explain_literal

    mistakes, suggestion = explain_literal(item)
    hint = _hint(problems, {code for code, _ in mistakes}, item, suggestion)
    for code, mistake in mistakes:
        problems.add(code, _OPTION, item, f"{shown(item)} {mistake}.", hint)


def _hint(problems: Problems, codes: set[str], item: str, suggestion: str | None) -> str:
    if suggestion is not None:
        return f"write {problems.literal(suggestion)}"
    if "origin-null" in codes:
        return (
            f"drop it, or if you mean everyone, write {problems.write('allow_null_origin', True)}"
        )
    if "origin-file" in codes:
        return f"serve the page over http, and write {problems.literal('http://localhost:8000')}"
    several = [part for part in item.replace(",", " ").replace(";", " ").split() if "://" in part]
    if len(several) > 1:
        return f"write one origin an item: {problems.write(_OPTION, several)}"
    return (
        "write what the browser's address bar shows up to the first slash, such as "
        f"{problems.literal(_EXAMPLE)} or {problems.literal('https://*.example.com')}"
    )


def check_credentialed(
    problems: Problems,
    patterns: Iterable[Pattern],
    *,
    insecure_is_allowed: bool,
    public_suffixes_are_allowed: bool,
) -> None:
    """Notes patterns whose origins strangers can take over, where cookies would be at stake."""
    for pattern in patterns:
        if pattern.is_insecure and not insecure_is_allowed:
            port = "" if pattern.port == DEFAULT_PORTS["https"] else pattern.port
            secure = Pattern("https", pattern.subdomains, pattern.host, port)
            problems.add(
                "insecure-origin-with-credentials",
                _OPTION,
                str(pattern),
                f"{shown(str(pattern))} is plain http: anyone on the way can put a script into "
                "its pages and use your visitors' cookies.",
                f"write {problems.literal(str(secure))}, or accept the risk with "
                f"{problems.write('dangerously_allow_insecure_origins', True)}",
            )
        if pattern.subdomains and not public_suffixes_are_allowed:
            _check_suffix(problems, pattern)


def _check_suffix(problems: Problems, pattern: Pattern) -> None:
    host = pattern.host.removesuffix(".")
    if host == "localhost" or host.endswith(".localhost"):
        return
    if is_public_suffix(host):
        code = "public-suffix-with-credentials"
        reason = f"below {host} anyone can have a name"
    elif "." not in host:
        code = "single-label-suffix-with-credentials"
        reason = f"{host} is a whole top-level domain"
    else:
        return
    named = Pattern(pattern.scheme, False, f"your-name.{pattern.host}", pattern.port)
    problems.add(
        code,
        _OPTION,
        str(pattern),
        f"{shown(str(pattern))} allows credentials to strangers: {reason}.",
        f"write the hosts that are yours, such as {problems.literal(str(named))}, or accept the "
        f"risk with {problems.write('dangerously_allow_public_suffixes', True)}",
    )


def read_regex(
    problems: Problems, value: object, *, credentials: bool, slow_is_allowed: bool
) -> re.Pattern[str] | None:
    """The compiled regex, or None without one; every mistake is noted."""
    if value is None:
        return None
    # Imported late: most configurations have no regex, and `re` is larger than the engine.
    import re
    import warnings

    from corscore._config.regex import has_nested_repeats, matched_stranger

    source = value.pattern if isinstance(value, re.Pattern) else value
    if not isinstance(source, str):
        problems.add(
            "not-a-string",
            _REGEX,
            value,
            f"{shown(value)} is not a str or a compiled pattern of str.",
            f"write {problems.write(_REGEX, 'https://pr-[0-9]+[.]example[.]com')}",
        )
        return None
    regex, may_be_slow, reason = None, False, "is empty"
    try:
        # An empty regex compiles, and never matches an origin: a variable that was not filled in.
        flags = value.flags if isinstance(value, re.Pattern) else 0
        with warnings.catch_warnings():
            # Of what a later Python may read otherwise: no reason to stop a server.
            warnings.simplefilter("ignore")
            regex = re.compile(source, flags) if source else None
            may_be_slow = regex is not None and has_nested_repeats(regex)
    except (re.error, OverflowError, RecursionError) as error:
        reason = f"is not a valid regex: {error}"
    if regex is None:
        problems.add(
            "regex-invalid",
            _REGEX,
            source,
            f"{shown(source)} {reason}.",
            f"write it in the syntax of Python's re, such as "
            f"{problems.write(_REGEX, 'https://pr-[0-9]+[.]example[.]com')}",
        )
        return None
    if may_be_slow and not slow_is_allowed:
        problems.add(
            "regex-unsafe",
            _REGEX,
            source,
            f"{shown(source)} repeats a part without bound that repeats or branches itself; "
            "a hostile Origin can make it run for hours.",
            f"write a pattern, {problems.write(_OPTION, ['https://*.example.com'])}, or accept "
            f"the risk with {problems.write('dangerously_allow_slow_regex', True)}",
        )
        return regex
    stranger = matched_stranger(regex, may_be_slow=may_be_slow) if credentials else None
    if stranger is not None:
        problems.add(
            "regex-matches-anything-with-credentials",
            _REGEX,
            source,
            f"{shown(source)} also matches {stranger}, an origin of nobody's, and would give it "
            "your visitors' cookies.",
            f"spell your own domain out: "
            f"{problems.write(_REGEX, 'https://pr-[0-9]+[.]example[.]com')}",
        )
    return regex
