"""Checks every option of a policy, and reports all that is wrong at once."""

from __future__ import annotations

from corscore._config.names import read_exposed_headers, read_methods, read_request_headers
from corscore._config.origins import check_credentialed, read_patterns, read_regex
from corscore._config.pattern import ANY, Pattern
from corscore._config.spelling import KEYWORDS, Problems, Spelling
from corscore._config.values import (
    read_list,
    read_max_age,
    read_preflight_status,
    read_resolver,
    read_switch,
)
from corscore._standard.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from corscore._policy.resolver import OriginResolver

DEFAULTS: dict[str, object] = {
    "allow_origins": (),
    "allow_methods": (),
    "allow_headers": (),
    "expose_headers": (),
    "allow_credentials": False,
    "max_age": 600,
    "allow_origin_regex": None,
    "origin_resolver": None,
    "allow_null_origin": False,
    "allow_private_network": False,
    "dangerously_allow_insecure_origins": False,
    "dangerously_allow_public_suffixes": False,
    "dangerously_allow_slow_regex": False,
    "preflight_status": 204,
    "debug": False,
}
"""Every option of a policy with its default, in the order in which people are told of them."""

_LISTS = tuple(name for name, default in DEFAULTS.items() if default == ())
_SWITCHES = tuple(name for name, default in DEFAULTS.items() if isinstance(default, bool))


class Options:
    """The options of a policy, checked and in one form whatever was given."""

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
    patterns: list[Pattern]

    def __init__(self, given: Mapping[str, object], spelling: Spelling = KEYWORDS) -> None:
        """Reads the options, missing ones by their defaults.

        Raises:
            ConfigError: With every problem of every option.
        """
        problems = Problems(spelling)
        values = {**DEFAULTS, **given}
        _check_names(problems, given)
        lists = {name: read_list(problems, name, values[name]) for name in _LISTS}
        for name in _SWITCHES:
            setattr(self, name, read_switch(problems, name, values[name]))
        self.origin_resolver = read_resolver(problems, values["origin_resolver"])
        self._read_origins(problems, lists["allow_origins"], values["allow_origin_regex"])
        self.allow_methods = read_methods(problems, lists["allow_methods"] or ())
        self.allow_headers = read_request_headers(problems, lists["allow_headers"] or ())
        self.expose_headers = read_exposed_headers(
            problems, lists["expose_headers"] or (), credentials=self.allow_credentials
        )
        self.max_age = read_max_age(problems, values["max_age"])
        self.preflight_status = read_preflight_status(problems, values["preflight_status"])
        problems.raise_all()

    def _read_origins(
        self, problems: Problems, origins: tuple[str, ...] | None, regex: object
    ) -> None:
        self.allow_origins = origins or ()
        self.patterns = read_patterns(problems, self.allow_origins)
        self.allow_origin_regex = read_regex(
            problems,
            regex,
            credentials=self.allow_credentials,
            slow_is_allowed=self.dangerously_allow_slow_regex,
        )
        if ANY in self.allow_origins:
            self._check_any(problems, regex)
        elif origins == () and not self._has_others(regex):
            problems.add(
                "origins-missing",
                "allow_origins",
                self.allow_origins,
                "no origin is allowed; an empty list does not mean all of them.",
                f"write {problems.write('allow_origins', ['https://app.example.com'])}",
            )
        if not self.allow_credentials:
            return
        check_credentialed(
            problems,
            self.patterns,
            insecure_is_allowed=self.dangerously_allow_insecure_origins,
            public_suffixes_are_allowed=self.dangerously_allow_public_suffixes,
        )
        if self.allow_null_origin:
            problems.add(
                "null-with-credentials",
                "allow_null_origin",
                True,
                'any page can make a frame whose origin is "null", and would use your visitors\' '
                "cookies through it.",
                f"write {problems.write('allow_null_origin', False)}, or "
                f"{problems.write('allow_credentials', False)}",
            )

    def _has_others(self, regex: object) -> bool:
        """Whether something beside patterns allows origins."""
        return regex is not None or self.allow_null_origin or self.origin_resolver is not None

    def _check_any(self, problems: Problems, regex: object) -> None:
        option = "allow_origins"
        if any(item != ANY for item in self.allow_origins) or self._has_others(regex or None):
            problems.add(
                "wildcard-not-alone",
                option,
                ANY,
                '"*" allows every origin; what stands beside it means nothing.',
                f"write {problems.write(option, [ANY])} alone, or drop {problems.literal(ANY)}",
            )
        if self.allow_credentials:
            problems.add(
                "wildcard-with-credentials",
                option,
                ANY,
                '"*" and credentials do not go together: every site could act as your visitors, '
                "and browsers refuse it.",
                "list the origins, "
                f"{problems.write(option, ['https://app.example.com'])}, or write "
                f"{problems.write('allow_credentials', False)}",
            )
        if self.allow_private_network:
            problems.add(
                "private-network-with-wildcard",
                option,
                ANY,
                '"*" would open a private network to every site.',
                f"list the origins, {problems.write(option, ['https://app.example.com'])}, or "
                f"write {problems.write('allow_private_network', False)}",
            )


def _check_names(problems: Problems, given: Mapping[str, object]) -> None:
    for name in given:
        if name not in DEFAULTS:
            guess = did_you_mean(name, DEFAULTS)
            problems.add(
                "option-unknown",
                name,
                given[name],
                f"there is no option {shown(name)}.",
                f"did you mean {problems.spelling.name(guess)}?"
                if guess
                else f"the options are {', '.join(map(problems.spelling.name, DEFAULTS))}",
            )


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` is within a typing slip of."""
    # Imported late: needed only where something is wrong already.
    from difflib import get_close_matches

    return next(iter(get_close_matches(name.lower(), known, n=1, cutoff=0.8)), None)
