"""The layers of CORS in an application: corscore's, Starlette's and flask-cors's.

The search imports no framework and runs no application.
"""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults

import corscore_asgi
import corscore_wsgi
from corscore import ConfigError
from corscore.integration import translated_policy
from corscore_cli.shell.output import Mistake
from corscore_cli.targets.regex import joined_regex
from corscore_cli.targets.source import OF_ROUTE, Source, current

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from corscore import Policy, Problem
    from corscore.integration import PathPolicy

STARLETTE = "starlette"
FLASK_CORS = "flask-cors"

_TITLES = {STARLETTE: "Starlette's CORSMiddleware", FLASK_CORS: "flask-cors"}
INNER_NAMES = ("app", "wsgi_app", "application", "wrapped_app", "asgi_app", "router", "inner")
"""The attributes in which layers keep the application inside."""

_CORSCORE_CLASSES = (corscore_asgi.CORSMiddleware, corscore_wsgi.CORSMiddleware)
_MAX_DEPTH = 100
# By the number of arguments that a server passes.
_PROTOCOLS = {2: "wsgi", 3: "asgi"}
# Options of `Policy` under the names of flask-cors.
_FLASK_NAMES = {
    "allow_origins": "origins",
    "allow_methods": "methods",
    "allow_credentials": "supports_credentials",
}
_FLASK_DEFAULTS = frozenset({"allow_methods", "allow_headers"})
_REGEX_CHARACTERS = frozenset("*\\]?$^[]()")
_EVERY_PATH = ("/*", "/.*", ".*", "*")


class Search:
    """The layers of an application and of those that are mounted in it.

    Raises:
        Mistake: A layer has arguments that no CORSMiddleware takes.

    Attributes:
        layers: The layers, from the outermost to the innermost.
        is_known: Whether a framework or a layer was recognised.
        has_decorated_views: Whether views have flask-cors's decorator.
        hooks: The ``after_request`` functions of flask-cors, each with the path that its
            application is mounted at.
        second_layers: A message and a hint for each extension of Flask with CORS of its own.
    """

    def __init__(self, app: object) -> None:
        self.layers: list[Source] = []
        self.is_known: bool = False
        self.has_decorated_views: bool = False
        self.hooks: list[tuple[str, Any]] = []
        self.second_layers: list[tuple[str, str]] = []
        self._seen: set[int] = set()
        self._look(app, 0, "", 0)

    def _look(self, app: Any, above: int, path: str, depth: int) -> None:
        """Add the layers of an application; ``above`` is the number of layers outside it."""
        if app is None or id(app) in self._seen or depth > _MAX_DEPTH:
            return
        self._seen.add(id(app))
        layers = list(self._layers_of(app, above, path))
        self.layers += layers
        if layers or _is_framework(app):
            self.is_known = True
        above += len(layers)
        self.hooks += [(path, hook) for hook in _flask_cors_hooks(app)]
        if _has_decorated_views(app):
            self.has_decorated_views = True
        for child, prefix in _children(app):
            self._look(child, above, path + prefix, depth + 1)

    def _layers_of(self, app: Any, above: int, path: str) -> Iterable[Source]:
        """Yield the layers that are this object or are kept in it, from the outside in."""
        if issubclass(type(app), _CORSCORE_CLASSES):
            yield _corscore_layer(app, type(app).__module__, above, path)
            return
        installed = _attribute(app, "corscore_layer")
        if issubclass(type(installed), _CORSCORE_CLASSES):
            yield _corscore_layer(installed, "corscore_starlette.install", above, path)
            above += 1
        if _is_starlette_middleware(type(app)):
            yield _library_layer(_starlette_options(app), STARLETTE, above, path)
        added = _attribute(app, "user_middleware")
        for middleware in added if isinstance(added, list) else ():
            layer = _added_layer(middleware, app, above, path)
            if layer is not None:
                yield layer
                above += 1
        extensions = _attribute(app, "extensions")
        extension = extensions.get("corscore") if isinstance(extensions, dict) else None
        if issubclass(type(extension), _CORSCORE_CLASSES):
            self.second_layers += getattr(extension, "second_layers", tuple)()
            yield _corscore_layer(extension, "corscore_flask.CORS", above, path)
            above += 1
        for resource, options in _flask_cors_resources(app):
            text = resource.pattern if isinstance(resource, re.Pattern) else resource or ""
            layer = _library_layer(options, FLASK_CORS, above, path + text, _FLASK_NAMES)
            yield replace(layer, mount=path, resource=resource, defaults=_FLASK_DEFAULTS)


def _attribute(instance: object, name: str) -> Any:
    """Return an instance attribute, or None.

    ``getattr`` would run code: a proxy, such as Flask's ``request``, raises outside of a request,
    and a mock has every attribute.
    """
    try:
        return object.__getattribute__(instance, "__dict__").get(name)
    except (AttributeError, TypeError):
        return None


def _corscore_layer(layer: Any, title: str, above: int, path: str) -> Source:
    found = Source(None, _public_title(title), path=path, above=above)
    governor = getattr(layer, "governor", None)
    if governor is None:
        # Starlette's middleware keeps the error until the server starts.
        error = vars(layer).get("_error")
        if isinstance(error, TypeError):
            raise Mistake(str(error))
        return replace(found, problems=error.problems if isinstance(error, ConfigError) else ())
    try:
        routes = layer.route_policies() if hasattr(layer, "route_policies") else ()
    except ConfigError as error:
        # The application raises it at its first request.
        return replace(found, problems=error.problems)
    policies: Any = current(governor.policies)
    at = partial(_policies_at, layer, path) if routes else None
    return replace(found, policies=policies, routes=routes, policies_at=at)


def _policies_at(
    layer: Any, mount: str, method: str, path: str, host: str | None
) -> tuple[str, PathPolicy] | None:
    """Return what ``Source.policies_at`` returns, for a layer of ASGI or WSGI."""
    request: dict[str, Any]
    if isinstance(layer, corscore_asgi.CORSMiddleware):
        headers = [] if host is None else [(b"host", host.encode("latin-1", "replace"))]
        request = {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": path,
            "root_path": mount,
            "query_string": b"",
            "headers": headers,
        }
    else:
        request = {"REQUEST_METHOD": method, "SCRIPT_NAME": mount}
        request["PATH_INFO"] = path.removeprefix(mount)
        if host is not None:
            request["HTTP_HOST"] = host
        setup_testing_defaults(request)
    governed = layer.policy_at(request)
    # A route without a policy of its own has those of its path.
    of_path = layer.governor.policies_for(layer.request_of(request), layer.governor.policies)
    return None if governed is of_path else (OF_ROUTE, governed)


def _public_title(title: str) -> str:
    """Name the package where the module is private: ``corscore_asgi._middleware``."""
    package, _, module = title.partition(".")
    return f"{package}.CORSMiddleware" if module.startswith("_") else title


def _added_layer(middleware: Any, app: Any, above: int, path: str) -> Source | None:
    """Return the layer that ``app.add_middleware`` was given, if it is one of CORS."""
    cls = getattr(middleware, "cls", None)
    args = tuple(getattr(middleware, "args", ()))
    options = dict(getattr(middleware, "kwargs", getattr(middleware, "options", {})))
    if not isinstance(cls, type):
        return None
    if issubclass(cls, corscore_asgi.CORSMiddleware):
        try:
            layer = cls(app, *args, **options)
        except TypeError as error:
            raise Mistake(str(error)) from None
        except ConfigError as error:
            found = Source(None, _public_title(cls.__module__), path=path, above=above)
            return replace(found, problems=error.problems, options=options)
        return replace(_corscore_layer(layer, cls.__module__, above, path), options=options)
    if _is_starlette_middleware(cls):
        signature = inspect.signature(cls.__init__)
        try:
            bound = signature.bind_partial(None, _no_app, *args, **options).arguments
        except TypeError as error:
            raise Mistake(f"add_middleware(CORSMiddleware, ...): {error}") from None
        given = {name: bound[name] for name in list(bound)[2:]}
        return _library_layer(given, STARLETTE, above, path)
    return None


async def _no_app(*_: object) -> None:
    """An application for a layer that serves no request."""


def _is_starlette_middleware(cls: type) -> bool:
    return any(
        base.__name__ == "CORSMiddleware" and base.__module__.startswith("starlette.")
        for base in cls.__mro__
    )


def _library_layer(
    options: Mapping[str, Any],
    library: str,
    above: int,
    path: str,
    names: Mapping[str, str] | None = None,
) -> Source:
    """Return another library's layer, with its options as those of ``Policy``."""
    names = names or {}
    policies: Policy | None = None
    problems: tuple[Problem, ...] = ()
    try:
        policies = translated_policy(options, names, "=")
    except ConfigError as error:
        problems = error.problems
    return Source(
        policies,
        _TITLES[library],
        names,
        problems=problems,
        library=library,
        options=options,
        path=path,
        above=above,
    )


def _flask_cors_hooks(app: Any) -> list[Any]:
    """Return the ``after_request`` functions of flask-cors on a Flask application."""
    funcs = _attribute(app, "after_request_funcs")
    if "flask_cors" not in sys.modules or not isinstance(funcs, dict):
        return []
    return [
        function
        for several in funcs.values()
        for function in several
        if str(getattr(function, "__module__", "")).startswith("flask_cors")
    ]


def _flask_cors_resources(
    app: Any,
) -> Iterable[tuple[str | re.Pattern[str] | None, dict[str, Any]]]:
    """Yield the resources of flask-cors on a Flask application, with their options."""
    for function in _flask_cors_hooks(app):
        resources = inspect.getclosurevars(function).nonlocals.get("resources", ())
        for pattern, options in resources:
            yield _flask_cors_resource(pattern, options)


def _has_decorated_views(app: Any) -> bool:
    views = _attribute(app, "view_functions")
    files = [_code_file(view) for view in views.values()] if isinstance(views, dict) else []
    return any("flask_cors" in file for file in files)


def _code_file(function: object) -> str:
    """Return the file of a function's code: of a decorated function, the decorator's file."""
    return str(getattr(getattr(function, "__code__", None), "co_filename", ""))


def _children(app: Any) -> Iterable[tuple[Any, str]]:
    """Yield the applications inside of an object, with the path that each is mounted at."""
    for name in INNER_NAMES:
        inner = _attribute(app, name)
        # Flask's `wsgi_app` is a method, unless a layer was assigned to it.
        if inner is not None and getattr(inner, "__self__", None) is not app:
            yield inner, ""
    # The ProtocolTypeRouter of Channels.
    protocols = _attribute(app, "application_mapping")
    if isinstance(protocols, dict):
        yield protocols.get("http"), ""
    mounts = _attribute(app, "mounts")
    if isinstance(mounts, dict):
        for path, mounted in mounts.items():
            yield mounted, str(path)
    routes = _attribute(app, "routes")
    for route in routes if isinstance(routes, list) else ():
        yield _attribute(route, "app"), str(_attribute(route, "path") or "")


def is_app(value: object, *, has_layers: bool = False) -> bool:
    """Return whether an object is an application, or one with a layer of CORS."""
    # A class, such as an imported CORSMiddleware, is no application. isinstance would ask a proxy,
    # which raises outside of a request.
    if issubclass(type(value), type):
        return False
    try:
        search = Search(value)
    except Mistake:
        # It has a layer that cannot be built.
        return True
    return bool(search.layers) if has_layers else search.is_known


def protocol_of(app: Any) -> str | None:
    """Return ``"asgi"`` for a callable of three arguments, ``"wsgi"`` for one of two, or None."""
    if not callable(app) or issubclass(type(app), type):
        return None
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError, RuntimeError):
        # Not every callable has a signature, and a proxy raises outside of a request.
        return None
    needed = [one for one in parameters if one.default is one.empty]
    is_plain = all(one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) for one in needed)
    return _PROTOCOLS.get(len(needed)) if is_plain else None


def _is_framework(app: object) -> bool:
    modules = {base.__module__.partition(".")[0] for base in type(app).__mro__}
    return bool(modules & {"starlette", "fastapi", "flask", "quart"})


def _starlette_options(layer: Any) -> dict[str, Any]:
    """Return the options of a built ``CORSMiddleware`` of Starlette, from its attributes."""
    sent: dict[str, str] = {
        name.lower().rpartition("-")[2]: value for name, value in layer.simple_headers.items()
    }
    prepared: dict[str, str] = dict(layer.preflight_headers)
    ages = [value for name, value in prepared.items() if name.lower().endswith("-max-age")]
    exposed = [value for name, value in layer.simple_headers.items() if "-expose-" in name.lower()]
    options: dict[str, Any] = {
        "allow_origins": ["*"] if layer.allow_all_origins else list(layer.allow_origins),
        "allow_methods": list(layer.allow_methods),
        "allow_headers": ["*"] if layer.allow_all_headers else list(layer.allow_headers),
        "expose_headers": [name.strip() for value in exposed for name in value.split(",")],
        "allow_credentials": sent.get("credentials") == "true",
        "max_age": int(ages[0]) if ages and str(ages[0]).isdigit() else 600,
    }
    if layer.allow_origin_regex is not None:
        options["allow_origin_regex"] = layer.allow_origin_regex
    return options


def _flask_cors_resource(
    pattern: Any, options: Any
) -> tuple[str | re.Pattern[str] | None, dict[str, Any]]:
    """Return a resource of flask-cors, None for every path, with its options.

    Args:
        pattern: A path, or a regex over paths.
        options: An object, or before version 6 a dict.
    """

    def get(name: str, default: Any = None) -> Any:
        if isinstance(options, dict):
            return options.get(name, default)
        return getattr(options, name, default)

    resource: str | re.Pattern[str] | None = pattern
    # Before version 6 a regex is a string with one of these characters.
    if isinstance(pattern, str) and not _REGEX_CHARACTERS.isdisjoint(pattern):
        resource = re.compile(pattern)
    if getattr(resource, "pattern", None) in _EVERY_PATH:
        resource = None
    origins = list(get("origins") or ())
    is_any = bool(get("allow_all_origins", False)) or any(
        getattr(item, "pattern", item) in ("*", ".*") for item in origins
    )
    regexes = [item.pattern for item in origins if isinstance(item, re.Pattern)]
    given: dict[str, Any] = {
        "allow_origins": ["*"] if is_any else [i for i in origins if isinstance(i, str)],
        "allow_methods": comma_separated(get("methods")),
        "allow_headers": _header_names(get("allow_headers") or ()),
        "expose_headers": comma_separated(get("expose_headers")),
        "allow_credentials": bool(get("supports_credentials")),
        "max_age": _seconds(get("max_age")),
    }
    if regexes and not is_any:
        given["allow_origin_regex"] = joined_regex(regexes)
    return resource, given


def comma_separated(text: Any) -> list[str]:
    """Return the items of a list that a library writes as one text; None has none."""
    return [part.strip() for part in str(text or "").split(",") if part.strip()]


def _header_names(items: Any) -> list[str]:
    sources = [str(getattr(item, "pattern", item)) for item in items]
    return ["*"] if any(source in ("*", ".*") for source in sources) else sources


def _seconds(value: Any) -> Any:
    text = str(value)
    return int(text) if value is not None and text.isascii() and text.isdigit() else value
