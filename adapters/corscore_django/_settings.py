"""A policy from the settings, under the names of django-cors-headers."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import setting_changed

from corscore import ConfigError, Problem
from corscore.integration import (
    Notices,
    did_you_mean,
    read_switch,
    split_forbidden,
    translated_policy,
)
from corscore_django._configuration import Configuration
from corscore_django._extras import EXTRAS, RESOLVER, read_extras, read_policies, read_resolver
from corscore_django._regexes import LISTS, NOTHING, bracketed, join, read_urls
from corscore_django.defaults import default_headers, default_methods
from corscore_django.signals import check_request_enabled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore import Policy
    from corscore.integration import Policies

PREFIX = "CORS_"
POLICY = "CORS_POLICY"
URLS = "CORS_URLS_REGEX"
ALL_ORIGINS = "CORS_ALLOW_ALL_ORIGINS"
REGEXES = "CORS_ALLOWED_ORIGIN_REGEXES"

OPTIONS = {
    "CORS_ALLOWED_ORIGINS": "allow_origins",
    "CORS_ALLOW_METHODS": "allow_methods",
    "CORS_ALLOW_HEADERS": "allow_headers",
    "CORS_EXPOSE_HEADERS": "expose_headers",
    "CORS_ALLOW_CREDENTIALS": "allow_credentials",
    "CORS_PREFLIGHT_MAX_AGE": "max_age",
    REGEXES: "allow_origin_regex",
    RESOLVER: "origin_resolver",
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
    REGEXES: "CORS_ORIGIN_REGEX_WHITELIST",
}

KNOWN = frozenset((POLICY, URLS, ALL_ORIGINS, *OPTIONS, *EXTRAS, *OLD_NAMES.values()))

# Hints for settings of other libraries and adapters, which nothing reads here.
_INSTEAD = {
    "CORS_MODEL": "write CORS_ORIGIN_RESOLVER, a function that looks the origin up",
    "CORS_REPLACE_HTTPS_REFERER": "drop it, and list the origins in CSRF_TRUSTED_ORIGINS",
    "CORS_URLS_ALLOW_ALL_REGEX": "write CORS_POLICY, a PolicyMap with these paths",
    "CORS_RESOURCES": "write CORS_POLICY, a PolicyMap with these paths",
    "CORS_ORIGINS": "did you mean CORS_ALLOWED_ORIGINS?",
    "CORS_ALLOW_ORIGIN_REGEX": "did you mean CORS_ALLOWED_ORIGIN_REGEXES?",
    "CORS_METHODS": "did you mean CORS_ALLOW_METHODS?",
    "CORS_SUPPORTS_CREDENTIALS": "did you mean CORS_ALLOW_CREDENTIALS?",
    "CORS_MAX_AGE": "did you mean CORS_PREFLIGHT_MAX_AGE?",
}

# Settings that go with a ready policy, and count as unset when they are None.
_WITH_POLICY = (POLICY, URLS, *EXTRAS)

# The defaults of django-cors-headers, where those of Policy differ.
_DEFAULTS = {
    "allow_methods": default_methods,
    "allow_headers": default_headers,
    "max_age": 86400,
}
_SOURCES = ("allow_origins", "allow_origin_regex", "allow_null_origin", "origin_resolver")


class Reading:
    """The current settings, read without any warning.

    Attributes:
        values: The settings that exist, by their present names.
        written: The old names that the user wrote, by present names.
        forbidden: Names in ``CORS_ALLOW_HEADERS`` that no script can send.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.written: dict[str, str] = {}
        self.forbidden: list[str] = []
        for name in (*_WITH_POLICY, ALL_ORIGINS, *OPTIONS):
            old = OLD_NAMES.get(name, "")
            if name in (*_WITH_POLICY, RESOLVER) and getattr(settings, name, None) is None:
                continue
            if hasattr(settings, name):
                self.values[name] = getattr(settings, name)
            elif old and hasattr(settings, old):
                self.values[name] = getattr(settings, old)
                self.written[name] = old

    def name(self, setting: str) -> str:
        """The name of the setting as the user wrote it."""
        return self.written.get(setting, setting)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is configured, as in a project that has only installed the app."""
        return not self.values

    def compile(self) -> Configuration:
        """Check the settings, and return them as a configuration.

        Raises:
            ConfigError: Settings are wrong; it has every problem.
            TypeError: The value of a setting is no policy or no function where it has to be one, or
                ``CORS_POLICY`` is set beside settings that it replaces.
        """
        problems: list[Problem] = []
        names = {"own_origins": "CORS_OWN_ORIGINS"}
        urls = read_urls(self.values.get(URLS), URLS, problems)
        policy: Policies | None = self.values.get(POLICY)
        if policy is None:
            policy = self._translated(problems)
            names["origin_resolver"] = RESOLVER
        else:
            policy = read_policies(POLICY, policy, problems)
            others = [self.name(name) for name in self.values if name not in _WITH_POLICY]
            if others:
                raise TypeError(
                    f"{POLICY} and other settings ({', '.join(others)}) were given; put them into "
                    f"the Policy, or drop {POLICY}"
                )
        extras = read_extras(self.values, problems)
        if policy is None or problems:
            raise ConfigError(tuple(problems))
        return Configuration(policy, urls, extras, names)

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
            # The engine sorts a set, which has no order.
            options["allow_headers"] = kept if isinstance(headers, (list, tuple)) else set(kept)
        regexes = options.pop("allow_origin_regex", ())
        options["allow_origin_regex"] = join(regexes, names, options, problems)
        resolver = options.get("origin_resolver")
        options["origin_resolver"] = read_resolver(resolver, problems)
        allows_all = self.values.get(ALL_ORIGINS, False)
        if read_switch(allows_all, self.name(ALL_ORIGINS), " = ", problems=problems):
            listed = options.get("allow_origins", ())
            options["allow_origins"] = ["*", *listed] if isinstance(listed, LISTS) else listed
        if not any(map(options.get, _SOURCES)) and (
            regexes or resolver or check_request_enabled.has_listeners()
        ):
            # Receivers allow the origins, or another problem explains that there are none.
            options["allow_origin_regex"] = NOTHING
        try:
            return translated_policy(options, names, " = ")
        except ConfigError as error:
            problems.extend(map(self._reworded, error.problems))
            return None

    def _reworded(self, problem: Problem) -> Problem:
        """Return a problem under the names that the user wrote."""
        hint = bracketed(problem.hint, self.name("CORS_ALLOWED_ORIGIN_REGEXES"))
        if problem.value != "*" or ALL_ORIGINS not in self.values:
            return Problem(problem.code, problem.field, problem.value, problem.message, hint)
        name = self.name(ALL_ORIGINS)
        if problem.code == "wildcard-not-alone":
            hint = f"drop the other settings that allow origins, or write {name} = False"
        hint = hint.replace("list the origins, ", f"write {name} = False and list the origins, ")
        return Problem(problem.code, name, True, problem.message, hint)

    def announce(self) -> None:
        """Warn of old names and of needless headers, when the settings are first used."""
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


def unread_settings() -> Iterator[Problem]:
    """Yield a problem for each setting that is meant for CORS and that nothing reads."""
    known = {name.removeprefix(PREFIX).lower(): name for name in KNOWN}
    for name in dir(settings):
        if not name.startswith(PREFIX) or not name.isupper() or name in KNOWN:
            continue
        guess = did_you_mean(name.removeprefix(PREFIX), known)
        hint = _INSTEAD.get(name) or (f"did you mean {known[guess]}?" if guess else "")
        # All other names are the project's own.
        if hint:
            yield Problem(
                "option-unknown",
                name,
                getattr(settings, name),
                "is no setting of corscore, and nothing reads it.",
                hint,
            )


def _with_unread(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return the problems after those of misspelt settings, which may be their cause."""
    unread = tuple(unread_settings())
    if any("ORIGIN" in problem.hint for problem in unread):
        problems = tuple(one for one in problems if one.code != "origins-missing")
    return (*unread, *problems)


_compiled: Configuration | None = None


def configuration() -> Configuration:
    """The configuration, read at its first use and again after each change of a setting.

    Raises:
        ConfigError, TypeError: As ``Reading.compile`` does.
    """
    global _compiled
    if _compiled is None:
        reading = Reading()
        try:
            compiled = reading.compile()
        except ConfigError as error:
            raise ConfigError(_with_unread(error.problems)) from None
        reading.announce()
        _compiled = compiled
    return _compiled


def _forget(*, setting: str, **_: object) -> None:
    global _compiled
    if setting.startswith(PREFIX):
        _compiled = None


setting_changed.connect(_forget)
