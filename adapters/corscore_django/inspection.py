"""What the settings of a project come to, as data: for tools that look at it from outside.

``manage.py check`` says the same to a project's own people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from corscore import ConfigError, PolicyRef
from corscore_django._settings import OPTIONS, POLICY, Reading
from corscore_django.checks import OURS, check_middleware, check_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.core.checks import CheckMessage

    from corscore import Policy, PolicyMap, Problem

_THEIRS = "corsheaders."


@dataclass(frozen=True, slots=True)
class Inspection:
    """The settings as they stand.

    Attributes:
        policy: What they mean at the moment; None where they are wrong, or say nothing.
        problems: All that is wrong.
        names: Arguments of ``Policy`` to the settings that they are written as.
        values: The ``CORS_*`` settings that are there, by their present names.
        options: Those of them that are arguments of ``Policy``, by that name, and as written.
        written: The arguments of ``Policy`` that a setting says; the others have defaults.
        has_layer: Whether a middleware for CORS is on, ours or django-cors-headers'.
        has_theirs: Whether that is, or also is, django-cors-headers'.
        warnings: What ``manage.py check`` warns of.
    """

    policy: Policy | PolicyMap | None
    problems: tuple[Problem, ...]
    names: Mapping[str, str]
    values: Mapping[str, Any]
    options: Mapping[str, Any]
    written: frozenset[str]
    has_layer: bool
    has_theirs: bool
    warnings: tuple[CheckMessage, ...]


def inspect_settings() -> Inspection:
    """Reads the settings of the configured project, after ``django.setup()``.

    Raises:
        TypeError: When ``CORS_POLICY`` is no policy, or stands beside what it replaces.
    """
    reading = Reading()
    policy: Policy | PolicyMap | None = None
    problems: tuple[Problem, ...] = ()
    try:
        found = reading.compile().policy
        policy = found.policy if isinstance(found, PolicyRef) else found
    except ConfigError as error:
        problems = error.problems
    warnings = check_middleware()
    if problems or policy:
        warnings += [message for message in check_settings() if not message.is_serious()]
    paths = [str(path) for path in settings.MIDDLEWARE]
    has_theirs = any(path.startswith(_THEIRS) for path in paths)
    has_ours = OURS in paths or any(message.id == "corscore.W003" for message in warnings)
    if POLICY in reading.values:
        written = frozenset(OPTIONS.values())
    else:
        written = frozenset(OPTIONS[name] for name in reading.values if name in OPTIONS)
    return Inspection(
        policy=policy,
        problems=problems,
        names={option: reading.name(setting) for setting, option in OPTIONS.items()},
        values=dict(reading.values),
        options={OPTIONS[name]: value for name, value in reading.values.items() if name in OPTIONS},
        written=written,
        has_layer=has_ours or has_theirs,
        has_theirs=has_theirs,
        warnings=tuple(warnings),
    )
