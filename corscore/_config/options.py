"""The table of a policy's options, and the check of all options together."""

from __future__ import annotations

from corscore._config.names import (
    check_exposed_headers,
    read_exposed_headers,
    read_methods,
    read_request_headers,
)
from corscore._config.origins import check_origins, check_regex, read_patterns, read_regex
from corscore._config.spelling import python_literal
from corscore._config.values import (
    read_list,
    read_resolver,
    read_seconds,
    read_status,
    read_switch,
)
from corscore._standard.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Collection, Mapping
    from datetime import timedelta
    from typing import Any, Literal, TypedDict

    from corscore._config.pattern import Pattern
    from corscore._config.spelling import Problems
    from corscore._policy.resolver import OriginResolver

    Names = list[str] | tuple[str, ...] | set[str] | frozenset[str]
    Seconds = int | timedelta | None
    Regex = str | re.Pattern[str] | None
    Kind = Literal["list", "switch", "seconds", "status", "regex", "resolver"]

    class PolicyOptions(TypedDict, total=False):
        """The keyword arguments of ``Policy``."""

        allow_origins: Names
        allow_methods: Names
        allow_headers: Names
        expose_headers: Names
        allow_credentials: bool
        max_age: Seconds
        allow_origin_regex: Regex
        origin_resolver: Callable[..., Any] | OriginResolver | None
        allow_null_origin: bool
        allow_private_network: bool
        dangerously_allow_insecure_origins: bool
        dangerously_allow_public_suffixes: bool
        dangerously_allow_slow_regex: bool
        preflight_status: int
        debug: bool


class Option:
    """An option of a policy.

    Attributes:
        kind: The kind of its values.
        default: The value if none is given.
        read: Takes the problems, the option's name and a value; adds the problems of the value, and
            returns it checked.
    """

    __slots__ = ("default", "kind", "read")

    def __init__(
        self, kind: Kind, default: object, read: Callable[[Problems, str, Any], object]
    ) -> None:
        self.kind: Kind = kind
        self.default = default
        self.read = read


_SWITCH = Option("switch", False, read_switch)

OPTIONS = {
    "allow_origins": Option("list", (), read_list),
    "allow_methods": Option("list", (), read_methods),
    "allow_headers": Option("list", (), read_request_headers),
    "expose_headers": Option("list", (), read_exposed_headers),
    "allow_credentials": _SWITCH,
    "max_age": Option("seconds", 600, read_seconds),
    "allow_origin_regex": Option("regex", None, read_regex),
    "origin_resolver": Option("resolver", None, read_resolver),
    "allow_null_origin": _SWITCH,
    "allow_private_network": _SWITCH,
    "dangerously_allow_insecure_origins": _SWITCH,
    "dangerously_allow_public_suffixes": _SWITCH,
    "dangerously_allow_slow_regex": _SWITCH,
    "preflight_status": Option("status", 204, read_status),
    "debug": _SWITCH,
}
"""Every option by its name, in the order of messages and of a policy's ``repr``."""

GOVERNOR_OPTIONS = ("on_decision", "shadow", "block_cross_site", "own_origins")
"""Arguments of every adapter that are no options of a policy."""
ADAPTER_OPTIONS = (*GOVERNOR_OPTIONS, "check_websocket_origin")
"""Those, and the one of ASGI adapters."""

LISTS = tuple(name for name, option in OPTIONS.items() if option.kind == "list")


class Options:
    """The checked options of a policy, each of one type."""

    __slots__ = tuple(OPTIONS)

    allow_origins: tuple[str, ...]
    allow_methods: tuple[str, ...]
    allow_headers: tuple[str, ...]
    expose_headers: tuple[str, ...]
    allow_credentials: bool
    max_age: int | None
    allow_origin_regex: re.Pattern[str] | None
    origin_resolver: Callable[..., Any] | OriginResolver | None
    allow_null_origin: bool
    allow_private_network: bool
    dangerously_allow_insecure_origins: bool
    dangerously_allow_public_suffixes: bool
    dangerously_allow_slow_regex: bool
    preflight_status: int
    debug: bool


def read_options(given: Mapping[str, object], problems: Problems) -> tuple[Options, list[Pattern]]:
    """The checked options, and the origin patterns that ``allow_origins`` means.

    Args:
        given: Values by the options' names; a missing option has its default.
        problems: The problems found so far, for example in environment variables.

    Raises:
        ConfigError: With all problems, in the order of the options.
    """
    check_names(problems, given)
    options = Options()
    for name, option in OPTIONS.items():
        setattr(options, name, option.read(problems, name, given.get(name, option.default)))
    patterns = read_patterns(problems, options.allow_origins, options)
    check_origins(problems, options, patterns)
    check_exposed_headers(problems, options)
    check_regex(problems, options)
    problems.raise_all(OPTIONS)
    return options, patterns


def check_names(
    problems: Problems, given: Mapping[str, object], known: Collection[str] = OPTIONS
) -> None:
    """Note a problem with each option that is not among the known ones."""
    for name, value in given.items():
        if name in known:
            continue
        guess = did_you_mean(name, known)
        if guess:
            hint = f"did you mean {problems.spelling.name(guess)}?"
            # A function has no literal.
            hint += "" if callable(value) else f" write {problems.write(guess, value)}"
        elif name.lower() in ADAPTER_OPTIONS:
            written = "..." if callable(value) else python_literal(value)
            kind = "ASGI adapter" if name.lower() not in GOVERNOR_OPTIONS else "adapter"
            hint = (
                f"it belongs to the {kind}: CORSMiddleware(app, policy, {name.lower()}={written})"
            )
        else:
            hint = f"the options are {', '.join(map(problems.spelling.name, known))}"
        message = f"there is no option {shown(problems.spelling.name(name))}."
        problems.add("option-unknown", name, value, message, hint)


def did_you_mean(name: str, known: Collection[str]) -> str | None:
    """Return the known name that ``name`` is a misspelling of, or None."""
    name = name.lower()
    # Otherwise own_origins would be taken for a misspelled allow_origins.
    if name in ADAPTER_OPTIONS:
        return name if name in known else None
    # Imported late: only a wrong configuration needs it.
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, known, n=1, cutoff=0.8)), None)
