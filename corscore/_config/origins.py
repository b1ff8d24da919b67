"""Readers and checks of the options that allow origins."""

from __future__ import annotations

from corscore._config.pattern import ANY, Pattern, parse_pattern
from corscore._standard.fetch import DEFAULT_PORTS
from corscore._standard.public_suffix import is_public_suffix, suffixes_below
from corscore._standard.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

    from corscore._config.options import Options
    from corscore._config.spelling import Problems

_OPTION = "allow_origins"
_EXAMPLE = "https://app.example.com"
_REGEX = "allow_origin_regex"
_REGEX_EXAMPLE = "https://pr-[0-9]+[.]example[.]com"


def read_patterns(
    problems: Problems, items: Iterable[str], options: Options | None = None
) -> list[Pattern]:
    """The patterns in a list of literals, without ``"*"``.

    Args:
        problems: Where to note literals that are no patterns.
        items: The literals.
        options: The other options, where a regex may be written instead of a literal.
    """
    patterns = []
    wrong = []
    for item in items:
        pattern = parse_pattern(item)
        if pattern is not None:
            patterns.append(pattern)
        elif item != ANY:
            wrong.append(item)
    if wrong:
        # Imported late: only a wrong configuration needs it.
        from corscore._config.origin_problems import note_problems

        note_problems(problems, wrong, options, _check_whole)
    return patterns


def _check_whole(problems: Problems, options: Options) -> None:
    """Check patterns and a regex beside the other options."""
    parsed = map(parse_pattern, options.allow_origins)
    check_origins(problems, options, [pattern for pattern in parsed if pattern is not None])
    check_regex(problems, options)


def check_origins(problems: Problems, options: Options, patterns: Iterable[Pattern]) -> None:
    """Note options that allow no origin, or more than is safe beside other options."""
    if ANY in options.allow_origins:
        _check_any(problems, options)
    elif not (options.allow_origins or problems.has(_OPTION) or _has_others(problems, options)):
        problems.add(
            "origins-missing",
            _OPTION,
            options.allow_origins,
            "no origin is allowed; an empty list does not mean all of them.",
            f"list the origins of your pages, such as {problems.write(_OPTION, [_EXAMPLE])}",
        )
    if not options.allow_credentials:
        return
    for pattern in patterns:
        if pattern.is_insecure and not options.dangerously_allow_insecure_origins:
            _note_insecure(problems, pattern)
        if pattern.subdomains and not options.dangerously_allow_public_suffixes:
            _check_suffix(problems, pattern)
    if options.allow_null_origin:
        problems.add(
            "null-with-credentials",
            "allow_null_origin",
            True,
            'any page can make a frame whose origin is "null", and would use your visitors\' '
            "cookies through it.",
            f"write {problems.write('allow_null_origin', False)}, or "
            f"{problems.write('allow_credentials', False)}",
        )


def _has_others(problems: Problems, options: Options) -> bool:
    """Whether an option beside ``allow_origins`` allows origins, or was meant to."""
    return (
        options.allow_origin_regex is not None
        or problems.has(_REGEX)
        or options.allow_null_origin
        or options.origin_resolver is not None
    )


def _check_any(problems: Problems, options: Options) -> None:
    if len(options.allow_origins) > 1 or _has_others(problems, options):
        problems.add(
            "wildcard-not-alone",
            _OPTION,
            ANY,
            '"*" allows every origin; the other options that allow origins have no effect.',
            f"write {problems.write(_OPTION, [ANY])} alone, or drop {problems.literal(ANY)}",
        )
    if options.allow_credentials:
        problems.add(
            "wildcard-with-credentials",
            _OPTION,
            ANY,
            '"*" and credentials do not go together: every site could act as your visitors, '
            "and browsers refuse it.",
            f"list the origins, such as {problems.write(_OPTION, [_EXAMPLE])}, or write "
            f"{problems.write('allow_credentials', False)}",
        )
    if options.allow_private_network:
        problems.add(
            "private-network-with-wildcard",
            _OPTION,
            ANY,
            '"*" would open a private network to every site.',
            f"list the origins, such as {problems.write(_OPTION, [_EXAMPLE])}, or "
            f"write {problems.write('allow_private_network', False)}",
        )


def _note_insecure(problems: Problems, pattern: Pattern) -> None:
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


def _check_suffix(problems: Problems, pattern: Pattern) -> None:
    host = pattern.host.removesuffix(".")
    if host == "localhost" or host.endswith(".localhost"):
        return
    if is_public_suffix(host):
        code = "public-suffix-with-credentials"
        reason = f"below {host} anyone can have a name"
    elif below := suffixes_below(host):
        code = "public-suffix-with-credentials"
        reason = f"below {below[0]} anyone can have a name"
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


def read_regex(problems: Problems, option: str, value: object) -> re.Pattern[str] | None:
    """The compiled regex, or None."""
    if value is None:
        return None
    # Imported late: most configurations have no regex, and `re` is larger than the engine.
    import re

    from corscore._config.regex import compiled

    source = value.pattern if isinstance(value, re.Pattern) else value
    if not isinstance(source, str):
        problems.add(
            "not-a-string",
            option,
            value,
            f"{shown(value)} is not a str or a compiled pattern of str.",
            f"write a regex, such as {problems.write(option, _REGEX_EXAMPLE)}",
        )
        return None
    reason = "is empty"
    try:
        # An empty regex would match no origin; it comes from an unset variable.
        if source:
            return compiled(source, value.flags if isinstance(value, re.Pattern) else 0)
    except (re.error, OverflowError, RecursionError) as error:
        reason = f"is not a valid regex: {error}"
    problems.add(
        "regex-invalid",
        option,
        source,
        f"{shown(source)} {reason}.",
        f"write it in the syntax of Python's re, such as {problems.write(option, _REGEX_EXAMPLE)}",
    )
    return None


def check_regex(problems: Problems, options: Options) -> None:
    """Note a regex that may be slow, or that allows more sites than its author means."""
    if options.allow_origin_regex is not None:
        # Imported late, as above.
        from corscore._config.regex import RegexCheck

        RegexCheck(problems, options, options.allow_origin_regex).run()
