"""Loading a TARGET of ``check``, ``explain`` and ``diff``."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corscore import ConfigError, Policy, PolicyMap, PolicyRef
from corscore.diagnostics import Finding
from corscore.integration import escaped
from corscore_cli.shell.location import (
    Location,
    PythonLocator,
    TomlLocator,
    option_of,
    shown_path,
)
from corscore_cli.shell.output import Mistake
from corscore_cli.targets.imports import (
    UnbuiltPolicy,
    call_factory,
    find_attribute,
    import_target,
    importing,
)
from corscore_cli.targets.layers import Search, is_app, protocol_of
from corscore_cli.targets.regex import prefix_findings
from corscore_cli.targets.source import Source, Target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType


ENVIRONMENT = "env"
PREFIX = "CORS_"

_OBJECT = re.compile(r"([A-Za-z_]\w*(?:\.\w+)*):([A-Za-z_]\w*(?:\.\w+)*)(\(\))?")
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")
_LISTS = ("allow_origins", "allow_methods", "allow_headers", "expose_headers")
_TRUE = ("true", "1", "yes", "on")
_EXAMPLES = "cors.toml, main:policy, main:app, mysite.settings or env"


def load(
    target: str | None, *, prefix: str | None = None, app_dir: str = ".", is_factory: bool = False
) -> Target:
    """Load a TARGET.

    Args:
        target: A TOML file, ``module:policy``, ``module:app``, a Django settings module, or
            ``env``; None for the module of ``DJANGO_SETTINGS_MODULE``, or with ``prefix``.
        prefix: The prefix of environment variables to read instead of a target.
        app_dir: The folder that is searched for modules first.
        is_factory: Whether ``module:name`` is a function to call.

    Raises:
        Mistake: There is no such target, or it holds no policy.
    """
    if prefix is not None:
        if target not in (None, ENVIRONMENT):
            raise Mistake(f"--env {prefix} and the target {target} were given: name one of them")
        return _environment(prefix)
    target = target or os.environ.get("DJANGO_SETTINGS_MODULE")
    if target is None:
        raise Mistake(f"name a target: {_EXAMPLES}")
    if target == ENVIRONMENT:
        return _environment(PREFIX)
    path = Path(target)
    if path.suffix == ".toml" or _is_file(path) or "/" in target or "\\" in target:
        return _file(target, path)
    named = _OBJECT.fullmatch(target)
    if named is not None:
        module, name, call = named.groups()
        with importing(app_dir, module.partition(".")[0]):
            return _object(target, module, name, is_factory=is_factory or bool(call))
    if _MODULE.fullmatch(target) is not None:
        # Imported late, since Django may not be installed.
        from corscore_cli.targets.django_settings import load_settings, package_to_forget

        with importing(app_dir, package_to_forget(target)):
            return load_settings(target)
    raise Mistake(f"{target!a} is no target: name {_EXAMPLES}")


def _environment(prefix: str) -> Target:
    def locate(name: str, value: object = None) -> Location:  # noqa: ARG001 - it is a Locator
        is_variable = name.startswith(prefix)
        return Location(name if is_variable else f"{prefix}{name.upper()}")

    title = f"environment variables {prefix}*"
    variables = {
        name.removeprefix(prefix): value
        for name, value in os.environ.items()
        if name.startswith(prefix)
    }
    options = _as_options(variables)
    try:
        source = Source(Policy.from_env(prefix), title, locate=locate, options=options)
    except ConfigError as error:
        source = Source(None, title, problems=error.problems, locate=locate, options=options)
    place = locate("ALLOW_ORIGINS")
    origins = variables.get("ALLOW_ORIGINS", "")
    stripped = origins.strip()
    if stripped in ("", origins):
        return Target(ENVIRONMENT, (source,))
    finding = Finding(
        "origin-whitespace",
        f"{origins!a} has white space around it. corscore strips it; other readers of the variable "
        "may not.",
        f"write {place.name}={escaped(stripped)}",
        place.name,
    )
    return Target(ENVIRONMENT, (source,), ((finding, place),))


def _file(target: str, path: Path) -> Target:
    if path.suffix == ".py":
        raise Mistake(f"{target} is Python: name an object in it, such as {path.stem}:app")
    if not _is_file(path):
        raise Mistake(f"there is no file {target}")
    locate = TomlLocator(path)
    try:
        options = _as_options(read_toml(path))
    except Mistake:
        # `PolicyRef.from_file` reports what is wrong with the file.
        options = {}
    try:
        policy = PolicyRef.from_file(path).policy
    except ConfigError as error:
        if error.problems[0].code == "file-unreadable" and "corscore[toml]" in str(error):
            raise Mistake(str(error.problems[0]).partition("\n")[0]) from None
        source = Source(None, target, problems=error.problems, locate=locate, options=options)
        return Target(target, (source,))
    return Target(target, (Source(policy, target, locate=locate, options=options),))


def read_toml(path: Path) -> dict[str, Any]:
    """Return the table of a TOML file.

    Raises:
        Mistake: The file is not TOML, or there is no parser.
    """
    for parser in ("tomllib", "tomli"):
        try:
            table: dict[str, Any] = import_module(parser).loads(path.read_text("utf-8"))
        except ModuleNotFoundError:
            continue
        except (OSError, ValueError, RecursionError) as error:
            raise Mistake(f"{path} is not TOML: {error}") from None
        return table
    raise Mistake('TOML needs a package here; run: pip install "corscore[toml]"')


def _as_options(table: Mapping[str, object]) -> dict[str, object]:
    """Return options of ``Policy``, for keys or variables with values that may be strings."""
    options = ((option_of(key), value) for key, value in table.items())
    return {option: _value(option, value) for option, value in options}


def _value(option: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    if option in _LISTS:
        return [item.strip() for item in value.split(",") if item.strip()]
    text = value.strip()
    if option == "max_age":
        return int(text) if text.isascii() and text.isdigit() else None
    return text.lower() in _TRUE if option != "allow_origin_regex" else text


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        # A name that is too long, or a folder that this user may not read.
        return False


def _object(target: str, module_name: str, name: str, *, is_factory: bool) -> Target:
    try:
        module = import_target(module_name)
        found = find_attribute(module, name)
        if is_factory:
            found = call_factory(found, target)
    except UnbuiltPolicy as refused:
        problems = refused.error.problems
        return Target(target, (Source(None, target, problems=problems, locate=refused.locate),))
    # isinstance would ask a proxy such as Flask's `current_app`, which raises outside of a request.
    if issubclass(type(found), PolicyRef):
        found = found.policy
    if issubclass(type(found), (Policy, PolicyMap)):
        file = _file_of(module)
        locate = PythonLocator(file or "", name)
        return Target(
            target, (Source(found, target, locate=locate),), file=file and shown_path(file)
        )
    if _is_django(found):
        from corscore_cli.targets.django_settings import target_in_force

        return target_in_force(target)
    search = Search(found)
    if not search.is_known and protocol_of(found) is None:
        raise _wrong_object(target, found, is_factory=is_factory)
    return _application(target, found, search, module)


def _file_of(module: ModuleType) -> str | None:
    """Return the file of a module, or None: built-in modules and namespace packages have none."""
    return getattr(module, "__file__", None)


def _wrong_object(target: str, found: object, *, is_factory: bool) -> Mistake:
    kind = type(found).__name__
    if kind == "function" and not is_factory:
        return Mistake(f"{target} is a function; if it makes the app, add --factory")
    if kind == "dict":
        return Mistake(f"{target} is a dict; write Policy(**{target.rpartition(':')[2]})")
    return Mistake(f"{target} is a {kind}: neither a policy nor an application of ASGI or WSGI")


def _is_django(found: object) -> bool:
    handlers = sys.modules.get("django.core.handlers.base")
    return handlers is not None and issubclass(type(found), handlers.BaseHandler)


def _application(target: str, app: object, search: Search, module: ModuleType) -> Target:
    file = _file_of(module)
    locate = PythonLocator(file or "")
    findings = []
    if not search.layers and not search.has_decorated_views:
        place = Location(target, shown_path(file) if file else None)
        protocol = None if search.is_known else protocol_of(app)
        findings.append((_without_cors(target, app, module, protocol), place))
    inner = next((layer for layer in search.layers if layer.above), None)
    if inner is not None:
        findings.append((_two_layers(search.layers, inner), Location(target)))
    findings += [
        (Finding("two-cors-layers", message, hint, target), Location(target))
        for message, hint in search.second_layers
        # The finding about two layers has named flask-cors.
        if inner is None or not message.startswith("flask-cors")
    ]
    findings += [
        (found, locate(layer.names.get("allow_origins", "allow_origins")))
        for layer in search.layers
        for found in prefix_findings(layer.library, layer.options)
    ]
    sources = tuple(
        replace(layer, title=_title(layer, target), locate=locate) for layer in search.layers
    )
    return Target(target, sources, tuple(findings), file and shown_path(file))


def _without_cors(target: str, app: object, module: ModuleType, protocol: str | None) -> Finding:
    """Return the finding for an application without CORS.

    Args:
        target: The name of the application.
        app: The application.
        module: The module that it is in.
        protocol: ``"asgi"`` or ``"wsgi"`` for an application of an unknown framework, or None.
    """
    others = [
        name
        for name, other in vars(module).items()
        if other is not app and not name.startswith("_") and is_app(other, has_layers=True)
    ]
    name = target.partition(":")[0]
    if others:
        hint = f"serve {name}:{others[0]}, which has one, or add the middleware to {target}"
    elif protocol is not None:
        own = target.rpartition(":")[2]
        hint = (
            f"wrap it where it is served: corscore_{protocol}.CORSMiddleware({own}, "
            "allow_origins=[...])"
        )
    else:
        hint = (
            "add the middleware to the object that is served, after the last assignment to its name"
        )
    return Finding(
        "app-without-cors",
        f"{target} has no layer of CORS on it: scripts of other origins can read nothing."
        if protocol is None
        else f"{target} has no layer of CORS around it that corscore knows.",
        hint,
        target,
    )


def _two_layers(layers: list[Source], inner: Source) -> Finding:
    titles = [layer.title for layer in layers]
    where = f" at {inner.path}" if inner.path else ""
    return Finding(
        "two-cors-layers",
        f"more than one layer of CORS is on the app{where}: {', '.join(titles)}. The outermost "
        "decides, or both write their headers.",
        f"keep one, and remove {inner.title}{where}",
    )


def _title(layer: Source, target: str) -> str:
    title = f"{target}, {layer.title}"
    return f"{title} at {layer.path}" if layer.path else title
