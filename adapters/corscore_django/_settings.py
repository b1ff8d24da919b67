"""Reads the settings, under the names that users of django-cors-headers know, into one policy."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import setting_changed

from corscore import ConfigError, Policy, Problem
from corscore.adapting import Notices, split_forbidden, translated_policy
from corscore_django._regexes import LISTS, NOTHING, bracketed, join, read_urls
from corscore_django.defaults import default_headers, default_methods
from corscore_django.signals import check_request_enabled

if TYPE_CHECKING:
    import re

PREFIX = "CORS_"
POLICY = "CORS_POLICY"
URLS = "CORS_URLS_REGEX"
ALL_ORIGINS = "CORS_ALLOW_ALL_ORIGINS"

OPTIONS = {
    "CORS_ALLOWED_ORIGINS": "allow_origins",
    "CORS_ALLOW_METHODS": "allow_methods",
    "CORS_ALLOW_HEADERS": "allow_headers",
    "CORS_EXPOSE_HEADERS": "expose_headers",
    "CORS_ALLOW_CREDENTIALS": "allow_credentials",
    "CORS_PREFLIGHT_MAX_AGE": "max_age",
    "CORS_ALLOWED_ORIGIN_REGEXES": "allow_origin_regex",
    "CORS_ALLOW_NULL_ORIGIN": "allow_null_origin",
    "CORS_ALLOW_PRIVATE_NETWORK": "allow_private_network",
    "CORS_DANGEROUSLY_ALLOW_INSECURE_ORIGINS": "dangerously_allow_insecure_origins",
    "CORS_DANGEROUSLY_ALLOW_PUBLIC_SUFFIXES": "dangerously_allow_public_suffixes",
    "CORS_DANGEROUSLY_ALLOW_SLOW_REGEX": "dangerously_allow_slow_regex",
    "CORS_PREFLIGHT_STATUS": "preflight_status",
    "CORS_DEBUG": "debug",
}
"""The settings that are arguments of ``Policy``."""

OLD_NAMES = {
    ALL_ORIGINS: "CORS_ORIGIN_ALLOW_ALL",
    "CORS_ALLOWED_ORIGINS": "CORS_ORIGIN_WHITELIST",
    "CORS_ALLOWED_ORIGIN_REGEXES": "CORS_ORIGIN_REGEX_WHITELIST",
}

KNOWN = frozenset((POLICY, URLS, ALL_ORIGINS, *OPTIONS, *OLD_NAMES.values()))

# Where they differ from the defaults of Policy: Django users know these.
_DEFAULTS = {
    "allow_methods": default_methods,
    "allow_headers": default_headers,
    "max_age": 86400,
}
_SOURCES = ("allow_origins", "allow_origin_regex", "allow_null_origin")


class Configuration:
    """What the settings say, compiled."""

    __slots__ = ("policy", "urls")

    def __init__(self, policy: Policy, urls: re.Pattern[str] | None) -> None:
        self.policy = policy
        # None for every path.
        self.urls = urls

    def governs(self, path: str) -> bool:
        """Whether the policy applies to a request's ``path_info``."""
        return self.urls is None or self.urls.fullmatch(path) is not None


class Reading:
    """The settings as they stand now. Takes them apart, and says nothing to anybody.

    Attributes:
        values: Each setting that is there, by its present name.
        written: The present name of a setting to the old one that it was found under.
        forbidden: Names in ``CORS_ALLOW_HEADERS`` that no script can send.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.written: dict[str, str] = {}
        self.forbidden: list[str] = []
        for name in (POLICY, URLS, ALL_ORIGINS, *OPTIONS):
            old = OLD_NAMES.get(name, "")
            if name in (POLICY, URLS) and getattr(settings, name, None) is None:
                continue
            if hasattr(settings, name):
                self.values[name] = getattr(settings, name)
            elif old and hasattr(settings, old):
                self.values[name] = getattr(settings, old)
                self.written[name] = old

    def name(self, setting: str) -> str:
        """The setting as its user wrote it."""
        return self.written.get(setting, setting)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was configured, as in a project that has only installed the app."""
        return not self.values

    def compile(self) -> Configuration:
        """The policy, and the paths that it is for.

        Raises:
            ConfigError: With all that is wrong.
            TypeError: When ``CORS_POLICY`` is no policy, or stands beside what it replaces.
        """
        problems: list[Problem] = []
        urls = read_urls(self.values.get(URLS), URLS, problems)
        policy = self.values.get(POLICY)
        if policy is None:
            policy = self._translated(problems)
        elif not isinstance(policy, Policy):
            raise TypeError(
                f"{POLICY}: a Policy was expected, not {type(policy).__name__}; write {POLICY} = "
                'Policy(allow_origins=["https://app.example.com"])'
            )
        else:
            others = [self.name(name) for name in self.values if name not in (POLICY, URLS)]
            if others:
                raise TypeError(
                    f"{POLICY} and other settings ({', '.join(others)}) were given; put them into "
                    f"the Policy, or drop {POLICY}"
                )
        if policy is None or problems:
            raise ConfigError(tuple(problems))
        return Configuration(policy, urls)

    def _translated(self, problems: list[Problem]) -> Policy | None:
        options: dict[str, Any] = {**_DEFAULTS}
        names = {}
        for setting, option in OPTIONS.items():
            names[option] = self.name(setting)
            if setting in self.values:
                options[option] = self.values[setting]
        headers = options["allow_headers"]
        if isinstance(headers, LISTS):
            kept, self.forbidden = split_forbidden(headers)
            # A set stays one: the engine puts it into an order.
            options["allow_headers"] = kept if isinstance(headers, (list, tuple)) else set(kept)
        regexes = options.pop("allow_origin_regex", ())
        options["allow_origin_regex"] = join(regexes, names, options, problems)
        if self._allows_all(problems):
            listed = options.get("allow_origins", ())
            options["allow_origins"] = ["*", *listed] if isinstance(listed, LISTS) else listed
        if not any(map(options.get, _SOURCES)) and (
            regexes or check_request_enabled.has_listeners()
        ):
            # The origins are for receivers to allow, or the regexes were complained of already.
            options["allow_origin_regex"] = NOTHING
        try:
            return translated_policy(options, names, " = ")
        except ConfigError as error:
            problems.extend(map(self._worded, error.problems))
            return None

    def _allows_all(self, problems: list[Problem]) -> bool:
        value = self.values.get(ALL_ORIGINS, False)
        if isinstance(value, bool):
            return value
        # No argument of Policy, but a switch like any other: in the words for those.
        try:
            translated_policy(
                {"allow_origins": ["*"], "debug": value}, {"debug": self.name(ALL_ORIGINS)}, " = "
            )
        except ConfigError as error:
            problems.extend(error.problems)
        # Judge the rest by what was meant, so that all problems come at once.
        return problems[-1].hint.endswith("True")

    def _worded(self, problem: Problem) -> Problem:
        """A problem in the terms of what its user wrote."""
        hint = bracketed(problem.hint, self.name("CORS_ALLOWED_ORIGIN_REGEXES"))
        if problem.value != "*" or ALL_ORIGINS not in self.values:
            return Problem(problem.code, problem.field, problem.value, problem.message, hint)
        name = self.name(ALL_ORIGINS)
        if problem.code == "wildcard-not-alone":
            hint = f"drop the other settings that allow origins, or write {name} = False"
        return Problem(problem.code, name, True, problem.message, hint)

    def announce(self) -> None:
        """Tells, once the settings are put to use, what should be written otherwise."""
        for name, old in self.written.items():
            warnings.warn(
                f"the setting {old} is called {name} now; rename it",
                DeprecationWarning,
                stacklevel=2,
            )
        if self.forbidden:
            Notices().once(
                "forbidden-headers",
                "CORS_ALLOW_HEADERS: browsers alone set %s, and ask for no permission; drop them",
                ", ".join(self.forbidden),
            )


_compiled: Configuration | None = None


def configuration() -> Configuration:
    """The settings, compiled when they are asked for first and after each override of one.

    Raises:
        ConfigError: With all that is wrong.
        TypeError: When ``CORS_POLICY`` is no policy, or stands beside what it replaces.
    """
    global _compiled
    if _compiled is None:
        reading = Reading()
        compiled = reading.compile()
        reading.announce()
        _compiled = compiled
    return _compiled


def _forget(*, setting: str, **_: object) -> None:
    global _compiled
    if setting.startswith(PREFIX):
        _compiled = None


setting_changed.connect(_forget)
