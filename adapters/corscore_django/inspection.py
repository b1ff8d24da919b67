"""The meaning of a project's settings as data, for tools.

``manage.py check`` reports the same as text.
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

    from corscore import PolicyMap, Problem
    from corscore.integration import PathPolicy

_THEIRS = "corsheaders."


@dataclass(frozen=True, slots=True)
class Inspection:
    """The meaning of the current settings.

    Attributes:
        policy: The current policy; None if the settings are wrong or empty.
        problems: All problems.
        names: Arguments of ``Policy`` to the names of their settings.
        values: The ``CORS_*`` settings that exist, by their present names.
        options: Those of them that are arguments of ``Policy``, by the argument's name.
        written: The arguments of ``Policy`` that are set; the others have defaults.
        has_layer: Whether ``MIDDLEWARE`` has a layer of CORS, ours or django-cors-headers'.
        has_theirs: Whether it has that of django-cors-headers.
        warnings: The warnings of ``manage.py check``.
    """

    policy: PathPolicy | PolicyMap
    problems: tuple[Problem, ...]
    names: Mapping[str, str]
    values: Mapping[str, Any]
    options: Mapping[str, Any]
    written: frozenset[str]
    has_layer: bool
    has_theirs: bool
    warnings: tuple[CheckMessage, ...]


def inspect_settings() -> Inspection:
    """Read the settings of the configured project, after ``django.setup()``.

    Raises:
        TypeError: When ``CORS_POLICY`` is no policy, or stands beside what it replaces.
    """
    reading = Reading()
    policy: PathPolicy | PolicyMap = None
    problems: tuple[Problem, ...] = ()
    try:
        found: Any = reading.compile().policy
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
