"""Options under the names that users of flask-cors write, as arguments and in ``app.config``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypedDict

from corscore import ConfigError, Policy
from corscore.integration import (
    GOVERNOR_OPTIONS,
    did_you_mean,
    is_written_for_match,
    split_forbidden,
    translated_policy,
)
from corscore_flask._regexes import without_header_regexes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta
    from typing import Any

    from corscore import OriginResolver
    from corscore.integration import GovernorOptions
    from corscore_flask._given import GivenOptions

    Texts = str | list[str] | tuple[str, ...] | set[str] | frozenset[str]
    Origins = Texts | re.Pattern[str] | list[str | re.Pattern[str]]


class RouteOptions(TypedDict, total=False):
    """Options of ``cross_origin``: flask-cors's, and those of ``Policy`` it has no name for."""

    origins: Origins
    methods: Texts
    allow_headers: Texts
    expose_headers: Texts | None
    supports_credentials: bool
    max_age: int | timedelta | str | None
    allow_private_network: bool
    allow_origin_regex: str | re.Pattern[str] | None
    origin_resolver: Callable[..., Any] | OriginResolver | None
    allow_null_origin: bool
    dangerously_allow_insecure_origins: bool
    dangerously_allow_public_suffixes: bool
    dangerously_allow_slow_regex: bool
    preflight_status: int
    debug: bool


if TYPE_CHECKING:

    class FlaskOptions(RouteOptions, GovernorOptions, total=False):
        """Options of ``CORS``: those, and the options of the whole app."""

        resources: Texts | Mapping[str, Mapping[str, Any] | Policy | None]


_POLICY_NAMES = {name: name for name in RouteOptions.__annotations__} | {
    "origins": "allow_origins",
    "methods": "allow_methods",
    "supports_credentials": "allow_credentials",
}
_FLASK_NAMES = {policy_name: name for name, policy_name in _POLICY_NAMES.items()}

# flask-cors's defaults, where those of a policy differ.
_DEFAULTS: dict[str, object] = {
    "methods": ["GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"],
    "allow_headers": ["*"],
    "max_age": None,
}

# Options of flask-cors that a policy does not need, and why.
_NEEDLESS = {
    "always_send": "the headers that caches need are sent with and without an Origin",
    "automatic_options": "preflights never reach the app, and every other OPTIONS request does",
    "intercept_exceptions": "the answers of error handlers have the headers like all others",
    "send_wildcard": '"*" is sent as it is',
    "vary_header": "without Vary, a cache would give one origin what was meant for another",
}
# Values that ask for what a policy never does.
_REFUSED = (("automatic_options", False), ("vary_header", False))
# Options of a whole app that are no options of a policy.
_READ_ELSEWHERE = (*GOVERNOR_OPTIONS, "resources")
_NAMES = (*_POLICY_NAMES, *_READ_ELSEWHERE)


def policy_from_flask(user_options: GivenOptions) -> Policy:
    """The policy of the options that a Flask user wrote.

    Args:
        user_options: The options, which get their problems. Not read are ``resources`` and the
            options of the whole app.

    Raises:
        ConfigError: Options are wrong; it has every problem, under the name that the user wrote.
    """
    written = {
        name: value
        for name, value in user_options.written.items()
        if name not in _READ_ELSEWHERE or user_options.is_in_place(name)
    }
    options: dict[str, Any] = {**_DEFAULTS, **written}
    for name in written:
        if name not in _POLICY_NAMES:
            _drop_unknown(user_options, options, name)
    _read_origins(user_options, options)
    _read_names(user_options, options)
    max_age = options["max_age"]
    if isinstance(max_age, str) and max_age.isascii() and max_age.isdigit():
        options["max_age"] = int(max_age)
    try:
        policy = translated_policy(
            {_POLICY_NAMES[name]: value for name, value in options.items()},
            {policy_name: user_options.name(name) for name, policy_name in _POLICY_NAMES.items()},
            user_options.separator,
        )
        if not user_options.found:
            _note_written_for_match(user_options, policy)
            return policy
    except ConfigError as error:
        fields = {problem.field for problem in user_options.found}
        # Origins under a wrong name or in a wrong form are not missing.
        is_consequence = user_options.name("origins") in fields
        user_options.found += [
            problem
            for problem in error.problems
            if not (is_consequence and problem.code == "origins-missing")
        ]
    raise ConfigError(tuple(user_options.found))


def _read_origins(user_options: GivenOptions, options: dict[str, Any]) -> None:
    items = listed(options.get("origins", ()))
    if not isinstance(items, list):
        return
    names = [item for item in items if not isinstance(item, re.Pattern)]
    options["origins"] = names
    compiled = [item for item in items if isinstance(item, re.Pattern)]
    given = options.get("allow_origin_regex")
    if not compiled:
        return
    if len(compiled) == 1 and given is None:
        options["allow_origin_regex"] = compiled[0]
        return
    regexes = compiled if given is None else [*compiled, given]
    whole = "|".join(f"(?:{getattr(regex, 'pattern', regex)})" for regex in regexes)
    user_options.add(
        "origin-is-regex",
        "origins",
        compiled,
        f"there are {len(regexes)} regexes, and a policy has one.",
        f"write {user_options.write('allow_origin_regex', whole)}",
    )


def _note_written_for_match(user_options: GivenOptions, policy: Policy) -> None:
    """Log that a compiled regex in ``origins`` covers less than in flask-cors."""
    regex = policy.allow_origin_regex
    if (
        regex is None
        or "allow_origin_regex" in user_options.written
        # A slow regex is not run before the first request.
        or policy.dangerously_allow_slow_regex
        or not is_written_for_match(regex)
    ):
        return
    user_options.notices.once(
        f"beginning of {regex.pattern}",
        f"{user_options.name('origins')}: {regex.pattern!a} has to match a whole origin; "
        "flask-cors compares its beginning, so that a port may follow. Put a $ at its end, or "
        "write what may follow: (:[0-9]+)?$",
    )


def _read_names(user_options: GivenOptions, options: dict[str, Any]) -> None:
    for name in ("methods", "allow_headers", "expose_headers"):
        value = options.get(name)
        # flask-cors splits these at commas, which no method or header name contains.
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        options[name] = listed(value)
    if options["expose_headers"] is None:
        options["expose_headers"] = ()
    headers = options["allow_headers"]
    if not isinstance(headers, list):
        return
    names, forbidden = split_forbidden(without_header_regexes(user_options, headers))
    options["allow_headers"] = names
    if forbidden:
        user_options.notices.once(
            "forbidden",
            "%s: browsers set %s themselves, without permission; drop what is not needed",
            user_options.name("allow_headers"),
            ", ".join(forbidden),
        )


def listed(value: object) -> object:
    """The value as a list, if flask-cors takes it for a list or for a single item."""
    if isinstance(value, (str, re.Pattern)):
        return [value]
    if isinstance(value, (set, frozenset)):
        # A set has no order; headers and problems have one.
        return sorted(value, key=str)
    return list(value) if isinstance(value, (list, tuple)) else value


def _drop_unknown(user_options: GivenOptions, options: dict[str, Any], name: str) -> None:
    """Remove an option that a policy does not have, and report it."""
    value = options.pop(name)
    written = user_options.name(name)
    if name in _READ_ELSEWHERE:
        user_options.add(
            "option-refused",
            name,
            value,
            f"{written} is out of place: it belongs to the whole app.",
            f"write CORS(app, {name}=...)",
        )
    elif (name, value) in _REFUSED:
        user_options.add(
            "option-refused",
            name,
            value,
            f"{user_options.write(name, value)} is not possible: {_NEEDLESS[name]}.",
            f"drop {written}",
        )
    elif name in _NEEDLESS:
        user_options.notices.once(name, f"{written} is not needed: {_NEEDLESS[name]}. Drop it.")
    elif user_options.is_argument(name) or _meant(name):
        meant = _meant(name)
        if meant in _POLICY_NAMES:
            # Checked under the name that was meant, so that all problems come at once.
            options.setdefault(meant, value)
        hint = f"the options are {', '.join(map(user_options.name, _NAMES))}"
        if meant:
            hint = f"did you mean {user_options.name(meant)}?"
            # A function has no literal.
            hint += "" if callable(value) else f" write {user_options.write(meant, value)}"
        message = f"there is no option {written}."
        user_options.add("option-unknown", name, value, message, hint)
    else:
        # A key of another extension, or one that flask-cors ignores as well: CORS_HEADERS.
        user_options.notices.once(name, f"{written} is no option of corscore, and left alone")


def _meant(name: str) -> str | None:
    return _FLASK_NAMES.get(name) or did_you_mean(name, _NAMES)
