"""Other libraries' layers of CORS, read from an application or from settings."""

from __future__ import annotations

import copy
import inspect
import re
from fnmatch import translate
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from corscore_cli.migrate.stack import (
    EVERYWHERE,
    METHODS,
    OldLayer,
    OldStack,
    Paths,
    asgi_answer,
    asgi_replacement,
    asgi_transport,
    below_mounts,
    exposed_names,
    header_text,
    mounted_paths,
    path_of,
    wsgi_answer,
    wsgi_replacement,
    wsgi_transport,
)
from corscore_cli.shell.output import Mistake
from corscore_cli.targets.layers import FLASK_CORS, INNER_NAMES, STARLETTE, Search, comma_separated
from corscore_cli.targets.regex import full_regex, joined_regex, path_keys, paths_near, sample

if TYPE_CHECKING:
    from corscore import PolicyMap
    from corscore.integration import PathPolicy
    from corscore_cli.migrate.stack import Pairs, Transport
    from corscore_cli.targets.source import Source

FASTAPI = "fastapi"
DJANGO = "django-cors-headers"
ASGI_CORS = "asgi-cors"
WSGICORS = "wsgicors"

PACKAGES = {
    STARLETTE: "starlette",
    FASTAPI: "fastapi",
    FLASK_CORS: "flask_cors",
    DJANGO: "corsheaders",
    ASGI_CORS: "asgi_cors",
    WSGICORS: "wsgicors",
}
"""Libraries that ``corscore migrate`` knows, with the package of each."""

_MAX_LAYERS = 20


# --- Starlette


def read_starlette(app: object, target: str) -> OldStack:
    """Read every Starlette CORSMiddleware on an application.

    Raises:
        Mistake: There is none, or it cannot be built.
    """
    from starlette.middleware.cors import CORSMiddleware

    layers = [layer for layer in Search(app).layers if layer.library == STARLETTE]
    if not layers:
        raise Mistake(f"{target} has no CORSMiddleware of Starlette on it")
    # A layer inside of another one has no effect for browsers.
    outer = [layer for layer in layers if not any(_is_inside(layer, other) for other in layers)]
    names = exposed_names(layer.options for layer in outer)
    answer = asgi_answer(names)
    mounted: dict[str, Transport] = {}
    for layer in outer:
        try:
            middleware = CORSMiddleware(answer, **layer.options)
        except Exception as error:  # noqa: BLE001 - a regex that does not compile, for one
            raise Mistake(f"{target}: Starlette refuses the options: {error}") from None
        mounted.setdefault(layer.path.rstrip("/"), asgi_transport(middleware))
    # Outside of the layer, Starlette redirects "/mount" to "/mount/".
    return OldStack(
        tuple(
            OldLayer(layer.options, mounted_paths(layer.path.rstrip("/"), with_mount=False))
            for layer in outer
        ),
        below_mounts(mounted, asgi_transport(answer), with_mount=False),
        asgi_replacement(names),
    )


def _is_inside(layer: Source, other: Source) -> bool:
    return layer.above > other.above and f"{layer.path}/".startswith(f"{other.path}/")


# --- flask-cors


def read_flask_cors(app: Any, target: str) -> OldStack:
    """Read every resource of flask-cors on an application.

    Raises:
        Mistake: There is none.
    """
    search = Search(app)
    layers = [layer for layer in search.layers if layer.library == FLASK_CORS]
    if not layers:
        raise Mistake(f"{target} has no flask_cors.CORS(app, ...) on it")
    names = exposed_names(layer.options for layer in layers)
    mounts = dict.fromkeys(mount.rstrip("/") for mount, _ in search.hooks)
    mounted = {
        mount: wsgi_transport(
            _flask(names, [hook for at, hook in search.hooks if at.rstrip("/") == mount])
        )
        for mount in mounts
    }
    plain = _flask(names, [])
    return OldStack(
        tuple(OldLayer(layer.options, _flask_paths(layer)) for layer in layers),
        below_mounts(mounted, wsgi_transport(plain), with_mount=True),
        wsgi_replacement(plain),
    )


def _flask(names: list[str], hooks: list[Any]) -> Any:
    from flask import Flask, Response

    app = Flask("corscore_migrate", static_folder=None)
    # Otherwise Flask redirects a path with two slashes, and the other stack does not.
    app.url_map.merge_slashes = False

    def answer(path: str = "") -> Response:  # noqa: ARG001 - the route has one
        return Response(headers=[(name, "1") for name in names])

    for rule in ("/", "/<path:path>"):
        app.add_url_rule(rule, rule, answer, methods=METHODS)
    for hook in hooks:
        app.after_request(hook)
    return app


def _flask_paths(layer: Source) -> Paths:
    mount = (layer.path if layer.resource is None else layer.mount).rstrip("/")
    if layer.resource is None:
        return mounted_paths(mount, with_mount=True)
    keys, is_exact = path_keys(layer.resource)
    pattern = layer.resource if isinstance(layer.resource, re.Pattern) else None
    near = tuple(f"{mount}{path}" for path in paths_near(layer.resource))
    below = tuple((f"{mount}{key}", has_policy) for key, has_policy in keys)
    return Paths(layer.path, below, is_exact, pattern, near)


# --- django-cors-headers


def read_django(inspection: Any, target: str) -> OldStack:
    """Read the settings of django-cors-headers that are in force.

    Args:
        inspection: What ``corscore_django.inspection.inspect_settings`` returned.
        target: The settings module.

    Raises:
        Mistake: django-cors-headers is not installed, or not in ``MIDDLEWARE``.
    """
    try:
        from corsheaders.conf import conf
        from corsheaders.middleware import CorsMiddleware
    except ImportError:
        raise not_installed(DJANGO) from None
    if not inspection.has_theirs:
        raise Mistake(f"{target} has no corsheaders.middleware.CorsMiddleware in MIDDLEWARE")
    from django.http import HttpResponse
    from django.test import RequestFactory

    from corscore_django import default_headers, default_methods

    values = inspection.values
    options: dict[str, Any] = {
        "allow_methods": list(default_methods),
        "allow_headers": list(default_headers),
        "max_age": 86400,
        **inspection.options,
    }
    if values.get("CORS_ALLOW_ALL_ORIGINS"):
        options["allow_origins"] = ["*"]
        options.pop("allow_origin_regex", None)
    elif options.get("allow_origin_regex"):
        regexes = [getattr(regex, "pattern", regex) for regex in options["allow_origin_regex"]]
        options["allow_origin_regex"] = joined_regex(regexes)
    names = exposed_names([options])

    def answer(request: Any) -> Any:  # noqa: ARG001 - Django's signature
        return HttpResponse(headers=dict.fromkeys(names, "1"))

    middleware = CorsMiddleware(answer)
    factory: Any = RequestFactory()

    def send(method: str, url: str, headers: Pairs) -> tuple[int, Pairs]:
        meta = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers}
        response: Any = middleware(factory.generic(method, path_of(url), **meta))
        return response.status_code, list(response.items())

    regex = re.compile(conf.CORS_URLS_REGEX)
    covered = full_regex(regex)
    plain = wsgi_answer(names)
    without_cors = wsgi_transport(plain)

    def replacement(policies: PathPolicy | PolicyMap) -> Transport:
        governed = wsgi_replacement(plain)(policies)

        def send(method: str, url: str, headers: Pairs) -> tuple[int, Pairs]:
            is_covered = covered.fullmatch(unquote(path_of(url)))
            return (governed if is_covered else without_cors)(method, url, headers)

        return send

    paths = EVERYWHERE
    if regex.pattern not in ("", "^.*$", ".*"):
        text = sample(covered)
        near: list[str] = [*([text] if text else []), *paths_near(regex)]
        paths = Paths(regex.pattern, pattern=covered, near=tuple(dict.fromkeys(near)))
    return OldStack((OldLayer(options, paths),), send, replacement)


# --- asgi-cors


def read_asgi_cors(app: Any, target: str) -> OldStack:
    """Read the layer that ``asgi_cors`` put around an application.

    Raises:
        Mistake: There is none.
    """
    from asgi_cors import asgi_cors

    given = _closure(app)
    for _ in range(_MAX_LAYERS):
        if given is not None and "host_wildcards" not in given:
            given = _closure(given.get("app"))
    if given is None or "host_wildcards" not in given:
        raise Mistake(f"{target} is no application that asgi_cors(...) returned")
    wildcards = [header_text(item) for item in given["host_wildcards"]]
    regexes = [item for item in wildcards if not _is_pattern(item)]
    hosts = [header_text(item) for item in sorted(given["hosts"])]
    options: dict[str, Any] = {
        "allow_origins": ["*"]
        if given["allow_all"]
        else [*hosts, *(item for item in wildcards if item not in regexes)],
        "allow_methods": [header_text(item) for item in given["methods"]],
        "allow_headers": [header_text(item) for item in given["headers"]],
        "max_age": given["max_age"] or None,
    }
    if given["callback"] is not None:
        raise Mistake(
            f"{target} has a callback; write origin_resolver=OriginResolver(is_allowed), for "
            "async def is_allowed(origin, request)"
        )
    if regexes and not given["allow_all"]:
        options["allow_origin_regex"] = "|".join(map(_fnmatch_regex, regexes))
    names = exposed_names([options])
    answer = asgi_answer(names)
    arguments = ("allow_all", "hosts", "host_wildcards", "headers", "methods", "max_age")
    old = asgi_cors(answer, **{name: given[name] for name in arguments})
    return OldStack(
        (OldLayer(options),),
        asgi_transport(old),
        asgi_replacement(names),
        ("a preflight", "answered by the application, if at all", "answered by corscore"),
    )


def _closure(app: Any) -> dict[str, Any] | None:
    """Return the variables that a function encloses, or a function inside of an application."""
    for _ in range(_MAX_LAYERS):
        if inspect.isfunction(app):
            return dict(inspect.getclosurevars(app).nonlocals)
        app = _inner(app)
    return None


def _inner(app: Any) -> Any:
    attributes = getattr(app, "__dict__", {})
    return next((attributes[name] for name in INNER_NAMES if name in attributes), None)


def _is_pattern(text: str) -> bool:
    """Whether ``*`` stands for whole labels, as in ``https://*.example.com``."""
    scheme, separator, host = text.partition("://*.")
    return bool(separator) and not set("*?[") & set(scheme + host) and "." in host


def _fnmatch_regex(pattern: str) -> str:
    body = re.fullmatch(r"\(\?s:(.*)\)\\[Zz]", translate(pattern))
    return body[1] if body else re.escape(pattern)


# --- wsgicors


def read_wsgicors(app: Any, target: str) -> OldStack:
    """Read the layer of wsgicors around an application.

    Raises:
        Mistake: There is none, or it has several policies.
    """
    from wsgicors import CORS

    layer = app
    for _ in range(_MAX_LAYERS):
        layer = layer if isinstance(layer, CORS) else _inner(layer)
    if not isinstance(layer, CORS):
        raise Mistake(f"{target} is no wsgicors.CORS(...)")
    if len(layer.activepolicies) != 1:
        names = ", ".join(layer.activepolicies)
        raise Mistake(
            f"{target} has {len(layer.activepolicies)} policies of wsgicors ({names}); migrate an "
            "application with one of them at a time"
        )
    policy = layer.policies[layer.activepolicies[0]]
    options: dict[str, Any] = {
        "allow_methods": ["*"] if "*" in policy.methods else list(filter(None, policy.methods)),
        "allow_headers": comma_separated(policy.headers),
        "expose_headers": comma_separated(policy.expose_headers),
        "allow_credentials": policy.credentials == "true",
        "max_age": int(policy.maxage) if str(policy.maxage).isdigit() else None,
    }
    if policy.name == "deny":
        options["allow_origins"] = []
    elif policy.match:
        exact = [item for item in policy.match if _is_pattern(item) or not set("*?[") & set(item)]
        regexes = [item for item in policy.match if item not in exact]
        options["allow_origins"] = exact
        if regexes:
            options["allow_origin_regex"] = "|".join(map(_fnmatch_regex, regexes))
    else:
        options["allow_origins"] = ["*"] if policy.origin in ("*", "copy") else []
    exposed = exposed_names([options])
    answer = wsgi_answer(exposed)
    old = copy.copy(layer)
    old.application = answer
    return OldStack((OldLayer(options),), wsgi_transport(old), wsgi_replacement(answer))


def not_installed(library: str) -> Mistake:
    """Return the mistake for a library that is needed for the comparison."""
    return Mistake(
        f"{library} is not installed here, and corscore compares with its middleware; run: "
        f"pip install {library} (which brings the package {PACKAGES[library]})"
    )
