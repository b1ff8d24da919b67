"""The settings beside the policy: observers, cross-site blocking and the resolver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.module_loading import import_string

from corscore import ConfigError, OriginResolver, Problem
from corscore.integration import (
    SOURCES,
    check_observer,
    compiled_source,
    read_governor_options,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corscore.integration import Policies

ON_DECISION = "CORS_ON_DECISION"
SHADOW = "CORS_SHADOW"
BLOCK_CROSS_SITE = "CORS_BLOCK_CROSS_SITE"
OWN_ORIGINS = "CORS_OWN_ORIGINS"
RESOLVER = "CORS_ORIGIN_RESOLVER"

EXTRAS = {
    ON_DECISION: "on_decision",
    SHADOW: "shadow",
    BLOCK_CROSS_SITE: "block_cross_site",
    OWN_ORIGINS: "own_origins",
}
"""The settings that are arguments of ``Governor``."""


def read_extras(values: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Return the arguments of ``Governor`` from the settings.

    Args:
        values: The settings that exist.
        problems: Gets each mistake.

    Raises:
        TypeError: ``CORS_SHADOW`` is no policy, or ``CORS_ON_DECISION`` no sync function.
    """
    settings = {option: setting for setting, option in EXTRAS.items()}
    given = {option: values[setting] for setting, option in EXTRAS.items() if setting in values}
    options = read_governor_options(given, problems, settings.__getitem__, " = ")
    options["on_decision"] = _on_decision(options.get("on_decision"))
    if options.get("shadow") is not None:
        options["shadow"] = read_policies(SHADOW, options["shadow"], problems)
    return options


def read_policies(name: str, value: object, problems: list[Problem]) -> Policies | None:
    """Return the policies of a setting; None if they are in the wrong places of a tuple.

    Raises:
        TypeError: The setting holds no policy.
    """
    if not isinstance(value, SOURCES):
        raise TypeError(
            f"{name}: a Policy was expected, not {type(value).__name__}; write {name} = "
            'Policy(allow_origins=["https://app.example.com"])'
        )
    try:
        return compiled_source(name, value)
    except ConfigError as error:
        problems.extend(error.problems)
        return None


def read_resolver(value: object, problems: list[Problem]) -> Any:
    """Return the resolver: imported by its dotted path, or as it was given."""
    resolver, reason = value, "is no function"
    if isinstance(value, str):
        try:
            resolver = import_string(value)
        except ImportError as error:
            reason = f"cannot be imported: {error}"
    if resolver is None or callable(resolver) or isinstance(resolver, OriginResolver):
        return resolver
    hint = f'write {RESOLVER} = "project.cors.is_allowed", or the function itself'
    problems.append(Problem("resolver-invalid", RESOLVER, value, f"{value!a} {reason}.", hint))
    return None


def _on_decision(value: object) -> Any:
    if value is None:
        return None
    example = f'write {ON_DECISION} = "project.cors.on_decision", or the function itself'
    if isinstance(value, str):
        try:
            value = import_string(value)
        except ImportError as error:
            raise TypeError(
                f"{ON_DECISION}: {value!a} cannot be imported: {error}; {example}"
            ) from None
    if not callable(value):
        raise TypeError(
            f"{ON_DECISION}: a function was expected, not {type(value).__name__}; {example}"
        )
    check_observer(value, ON_DECISION)
    return value
