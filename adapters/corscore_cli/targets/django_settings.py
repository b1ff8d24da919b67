"""A Django settings module as a TARGET."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from corscore import Policy, PolicyMap, PolicyRef
from corscore.diagnostics import Finding
from corscore_cli.shell.location import PythonLocator, nowhere
from corscore_cli.shell.output import Mistake
from corscore_cli.targets.imports import UnbuiltPolicy, import_target
from corscore_cli.targets.layers import is_app
from corscore_cli.targets.regex import prefix_findings
from corscore_cli.targets.source import OF_ROUTE, Source, Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from corscore.integration import Policies
    from corscore_cli.shell.location import Location, Locator
    from corscore_django.inspection import Inspection

_VARIABLE = "DJANGO_SETTINGS_MODULE"
# Settings that only a project has: a module with an app may have a SECRET_KEY, too.
_PROJECT_SETTINGS = ("INSTALLED_APPS", "MIDDLEWARE", "ROOT_URLCONF", "DATABASES")
_NO_DJANGO = 'the package django is not installed; run: pip install "corscore[cli,django]"'

# Warnings of `manage.py check`, with the codes of the same findings.
_CODES = {
    "corscore.W002": "app-without-cors",
    "corscore.W003": "cors-not-outermost",
    "corscore.W004": "two-cors-layers",
    "corscore.W006": "option-unknown",
    "corscore.W008": "header-forbidden",
}


def package_to_forget(name: str) -> str:
    """Return the package that ``importing`` forgets after a settings module, or "".

    The modules of the first project stay, since Django is set up for it.
    """
    conf = sys.modules.get("django.conf")
    return name.partition(".")[0] if conf is not None and conf.settings.configured else ""


def load_settings(name: str) -> Target:
    """Load a settings module.

    Raises:
        Mistake: It is no settings module, it fails, or the project cannot be set up.
    """
    try:
        with in_force(name) as module:
            return target_in_force(name, module)
    except UnbuiltPolicy as refused:
        problems = refused.error.problems
        return Target(name, (Source(None, name, problems=problems, locate=refused.locate),))


@contextmanager
def in_force(name: str) -> Iterator[ModuleType]:
    """Set a project up, with its settings in force.

    A process configures Django once. A second module, as in ``corscore diff``, overrides the
    settings of the first one.

    Raises:
        Mistake: It is no settings module, it fails, or the project cannot be set up.
        UnbuiltPolicy: A policy in it cannot be built.
    """
    try:
        import django
        from django.conf import settings
    except ImportError:
        raise Mistake(f"{name} would be a Django settings module, but {_NO_DJANGO}") from None
    module = import_target(name)
    names = [name for name in dir(module) if name.isupper()]
    if not names:
        raise Mistake(
            f"{name} is no Django settings module: it has no settings; for an object in it write "
            f"{name}:app"
        )
    app = _app_in(module, names)
    if app is not None:
        raise Mistake(f"{name} is no Django settings module; for the app in it write {name}:{app}")
    if settings.configured:
        with _overridden(module, names):
            yield module
        return
    os.environ[_VARIABLE] = name
    try:
        django.setup()
    except Exception as error:  # noqa: BLE001 - a project's own code may raise anything
        raise Mistake(f"{name}: the project cannot be set up: {_one_line(error)}") from None
    yield module


def _app_in(module: ModuleType, names: list[str]) -> str | None:
    """Return the name of an app or policy in a module that is no settings module, or None."""
    if any(name in _PROJECT_SETTINGS or name.startswith("CORS_") for name in names):
        return None
    found = (name for name, value in vars(module).items() if _is_target(value))
    return next(found, None)


def _is_target(value: object) -> bool:
    # isinstance would ask a proxy, which raises outside of a request.
    return issubclass(type(value), (Policy, PolicyMap, PolicyRef)) or is_app(value)


@contextmanager
def _overridden(module: ModuleType, names: list[str]) -> Iterator[None]:
    from django.conf import settings
    from django.test.utils import override_settings

    given = {name: getattr(module, name) for name in names}
    # Other applications cannot be set up any more, and no setting of CORS depends on them.
    given.pop("INSTALLED_APPS", None)
    given.setdefault("MIDDLEWARE", [])
    with override_settings(**given):
        for name in dir(settings):
            if name.startswith("CORS_") and name not in given:
                delattr(settings, name)
        yield


def target_in_force(name: str, module: ModuleType | None = None) -> Target:
    """Return the settings in force as a target.

    Raises:
        Mistake: They contradict each other.
    """
    from corscore_django.inspection import inspect_settings

    try:
        inspection = inspect_settings()
    except TypeError as error:
        raise Mistake(f"{name}: {_one_line(error)}") from None
    locate: Locator = nowhere
    if module is not None and module.__file__:
        locate = PythonLocator(module.__file__)
    library = "django-cors-headers" if inspection.has_theirs else None
    findings = tuple(_findings(inspection, locate)) + tuple(
        (found, locate(inspection.names["allow_origin_regex"]))
        for found in prefix_findings(library, inspection.options)
    )
    if not inspection.has_layer and not inspection.values:
        return Target(name, (), findings)
    source = Source(
        inspection.policy,
        name,
        inspection.names,
        frozenset(inspection.names) - inspection.written,
        inspection.problems,
        locate,
        library,
        inspection.options,
        routes=inspection.routes,
        policies_at=None if inspection.problems or inspection.has_theirs else _policies_at,
    )
    return Target(name, (source,), findings)


def _policies_at(method: str, path: str, _host: str | None) -> tuple[str, Policies | None] | None:
    from corscore_django.inspection import governs, view_policies

    of_view = view_policies(method, path)
    if of_view is not None:
        return OF_ROUTE, of_view[0]
    return None if governs(path) else ("CORS_URLS_REGEX leaves the path out", None)


def _findings(inspection: Inspection, locate: Locator) -> Iterator[tuple[Finding, Location]]:
    if not inspection.has_layer and not inspection.values:
        yield (
            Finding(
                "app-without-cors",
                "MIDDLEWARE has no middleware of CORS, and there is no CORS_* setting: scripts of "
                "other origins can read nothing.",
                'put "corscore_django.middleware.CorsMiddleware" at the top of MIDDLEWARE',
            ),
            locate("MIDDLEWARE"),
        )
    if inspection.has_theirs and not _has_corscore(inspection):
        yield from _not_outermost(locate)
    for warning in inspection.warnings:
        code = _CODES.get(str(warning.id))
        if code is None or (code == "app-without-cors" and inspection.has_theirs):
            continue
        if code == "two-cors-layers" and not _has_corscore(inspection):
            continue
        text = str(warning.msg)
        named = text.partition(" ")[0].rstrip(":")
        place = locate(named if named.startswith("CORS_") else "MIDDLEWARE")
        yield Finding(code, text, str(warning.hint)), place


def _not_outermost(locate: Locator) -> Iterator[tuple[Finding, Location]]:
    """Yield the finding about the position of django-cors-headers, as of our own middleware."""
    from django.conf import settings

    from corscore_django.checks import answering_above

    paths = [str(path) for path in settings.MIDDLEWARE]
    layer = next(path for path in paths if path.startswith("corsheaders."))
    above = answering_above(paths, layer)
    if above:
        yield (
            Finding(
                "cors-not-outermost",
                f"{', '.join(above)} can answer a request, a preflight too, before {layer} sees "
                "it.",
                f'put "{layer}" above "{above[0]}" in MIDDLEWARE, best at the top',
            ),
            locate("MIDDLEWARE"),
        )


def _has_corscore(inspection: Inspection) -> bool:
    from django.conf import settings

    return any("corscore" in str(path) for path in settings.MIDDLEWARE) or (
        inspection.has_layer and not inspection.has_theirs
    )


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
