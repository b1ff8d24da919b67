"""The meaning of a project's settings as data, for tools.

``manage.py check`` reports the same as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from corscore import ConfigError, PolicyRef, RequestInfo
from corscore_django._routes import policy_for, route_policies
from corscore_django._settings import OPTIONS, POLICY, Reading, configuration
from corscore_django._views import NO_ROUTE
from corscore_django.checks import OURS, check_middleware, check_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.core.checks import CheckMessage

    from corscore import PolicyMap, Problem
    from corscore.integration import PathPolicy, Policies

_THEIRS = "corsheaders."


@dataclass(frozen=True, slots=True)
class Inspection:
    """The meaning of the current settings.

    Attributes:
        policy: The current policy; None if the settings are wrong or empty.
        problems: All problems.
        names: The setting for each argument of ``Policy``.
        values: The ``CORS_*`` settings that exist, by their present names.
        options: The settings that are arguments of ``Policy``, by the argument's name.
        written: The arguments of ``Policy`` that are set; the others have defaults.
        has_layer: Whether ``MIDDLEWARE`` has a layer of CORS, ours or django-cors-headers'.
        has_theirs: Whether it has that of django-cors-headers.
        warnings: The warnings of ``manage.py check``.
        routes: The policies of views, each with the view's name; None if the project's URLs cannot
            be imported.
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
    routes: Sequence[tuple[str, Policies | None]] | None


def inspect_settings() -> Inspection:
    """Read the settings of the configured project, after ``django.setup()``.

    Raises:
        TypeError: As ``Reading.compile`` does.
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
        routes=_routes() if has_ours else (),
    )


def _routes() -> Sequence[tuple[str, Policies | None]] | None:
    if not getattr(settings, "ROOT_URLCONF", None):
        return ()
    try:
        return route_policies()
    except Exception:  # noqa: BLE001 - a project's own code may raise anything
        return None


def view_policies(method: str, path: str) -> tuple[Policies | None] | None:
    """Return the policies of a request's view, in a tuple; None without any."""
    if not _routes():
        return None
    found = policy_for(RequestInfo(method, path=path), path, None)
    return None if found is NO_ROUTE else (found,)


def governs(path: str) -> bool:
    """Whether ``CORS_URLS_REGEX`` has a path.

    Raises:
        ConfigError: The settings are wrong.
    """
    return configuration().governs(path)
