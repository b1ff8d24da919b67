"""Other libraries' middleware as a server that the model browser can ask: the real thing, around
an application that answers 200 to everything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from corscore_cli.shell.output import Mistake
from corscore_cli.targets.layers import FLASK_CORS, STARLETTE, Layer, Search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Pairs = list[tuple[str, str]]
    Transport = Callable[[str, str, Pairs], tuple[int, Pairs]]

SERVER = "https://server.invalid"
ANY_PATH = "corscore-any-path"
DJANGO = "django-cors-headers"
LIBRARIES = (STARLETTE, FLASK_CORS, DJANGO)

_ONE_HEADER = "X-Corscore-Any"


@dataclass(frozen=True, slots=True)
class Old:
    """A layer of CORS to move away from.

    Attributes:
        options: Under the names of ``Policy``, and with their meanings there.
        transport: Sends one request through the real middleware.
        path: The path that it is for, as its library writes it; empty for every one.
        url: A URL that it is for.
    """

    options: Mapping[str, Any]
    transport: Transport
    path: str = ""
    url: str = field(default=f"{SERVER}/")


def exposed_of(options: Mapping[str, Any]) -> list[str]:
    """Names of headers that the application's answers have."""
    names = options.get("expose_headers")
    listed = names if isinstance(names, (list, tuple, set, frozenset)) else ()
    return [*(name for name in listed if isinstance(name, str) and name != "*"), _ONE_HEADER]


# --- Starlette


def of_starlette(app: object, target: str) -> list[Old]:
    """Every Starlette CORSMiddleware on an application.

    Raises:
        Mistake: There is none, or it cannot be built.
    """
    from starlette.middleware.cors import CORSMiddleware

    layers = [layer for layer in Search(app).layers if layer.theirs == STARLETTE]
    if not layers:
        raise Mistake(f"{target} has no CORSMiddleware of Starlette on it")
    # What stands inside of another one has no say beside it.
    outer = [layer for layer in layers if not any(_is_inside(layer, other) for other in layers)]
    return [_starlette(CORSMiddleware, layer, target) for layer in outer]


def _is_inside(layer: Layer, other: Layer) -> bool:
    return layer.above > other.above and f"{layer.path}/".startswith(f"{other.path}/")


def _starlette(cls: Any, layer: Layer, target: str) -> Old:
    headers = [
        (name.lower().encode("latin-1", "replace"), b"1") for name in exposed_of(layer.options)
    ]

    async def answer(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - ASGI
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    try:
        middleware = cls(answer, **layer.options)
    except Exception as error:  # noqa: BLE001 - a regex that does not compile, for one
        raise Mistake(f"{target}: Starlette refuses the options: {error}") from None
    # Mounted: its application has what is below that path.
    path = f"{layer.path.rstrip('/')}/*" if layer.path else ""
    return Old(layer.options, _asgi(middleware), path)


def _asgi(app: Any) -> Transport:
    def send(method: str, url: str, headers: Pairs) -> tuple[int, Pairs]:
        path = url.removeprefix(SERVER)
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        }
        messages: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def collect(message: Any) -> None:
            messages.append(message)

        asyncio.run(app(scope, receive, collect))
        start = messages[0]
        pairs = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]
        ]
        return start["status"], pairs

    return send


# --- flask-cors


def of_flask_cors(app: Any, target: str) -> list[Old]:
    """Every resource of flask-cors on an application.

    Raises:
        Mistake: There is none.
    """
    search = Search(app)
    layers = [layer for layer in search.layers if layer.theirs == FLASK_CORS]
    if not layers:
        raise Mistake(f"{target} has no flask_cors.CORS(app, ...) on it")
    return [_flask_cors(search.hooks, layer) for layer in layers]


def _flask_cors(functions: list[Any], layer: Layer) -> Old:
    from flask import Flask, Response

    tiny = Flask("corscore_migrate", static_folder=None)
    names = exposed_of(layer.options)

    def answer(path: str) -> Response:  # noqa: ARG001 - the route has one
        return Response(headers=[(name, "1") for name in names])

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY"]
    for rule in ("/", "/<path:path>"):
        tiny.add_url_rule(
            rule, rule, answer, methods=methods, defaults=None if "<" in rule else {"path": ""}
        )
    for function in functions:
        tiny.after_request(function)
    client = tiny.test_client()

    def send(method: str, url: str, headers: Pairs) -> tuple[int, Pairs]:
        response = client.open(url.removeprefix(SERVER), method=method, headers=headers)
        return response.status_code, list(response.headers)

    # The hooks of a mounted application see paths without the one that it is mounted at.
    mount = layer.path.removesuffix(layer.resource)
    path = layer.path if layer.resource or not mount else f"{mount.rstrip('/')}/*"
    return Old(layer.options, send, path, SERVER + path_below(layer.resource))


def path_below(path: str) -> str:
    """A path that a resource of flask-cors, a path or a regex, is for."""
    from corscore_cli.targets.samples import sample

    if not path:
        return "/"
    plain = path.removesuffix("/*").removesuffix("*")
    return sample(path) or (plain if plain.startswith("/") else f"/{ANY_PATH}")


# --- django-cors-headers


def of_django(inspection: Any, target: str) -> list[Old]:
    """django-cors-headers with the settings as they stand.

    Args:
        inspection: Of ``corscore_django.inspection``.
        target: The settings module.

    Raises:
        Mistake: It is not installed, or not in ``MIDDLEWARE``.
    """
    try:
        from corsheaders.middleware import CorsMiddleware
    except ImportError:
        raise not_installed(DJANGO, "corsheaders") from None
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
        options["allow_origin_regex"] = _joined(options["allow_origin_regex"])
    names = exposed_of(options)

    def answer(request: Any) -> Any:  # noqa: ARG001 - Django's signature
        return HttpResponse(headers=dict.fromkeys(names, "1"))

    middleware = CorsMiddleware(answer)
    factory: Any = RequestFactory()

    def send(method: str, url: str, headers: Pairs) -> tuple[int, Pairs]:
        meta = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers}
        response: Any = middleware(factory.generic(method, url.removeprefix(SERVER), **meta))
        return response.status_code, list(response.items())

    regex = str(
        getattr(values.get("CORS_URLS_REGEX"), "pattern", values.get("CORS_URLS_REGEX", ""))
    )
    path = "" if regex in ("", "^.*$", ".*") else regex
    return [Old(options, send, path, SERVER + path_below(path.removeprefix("^")))]


def _joined(regexes: Any) -> Any:
    sources = [getattr(regex, "pattern", regex) for regex in regexes]
    return sources[0] if len(sources) == 1 else "|".join(f"(?:{source})" for source in sources)


def not_installed(library: str, package: str) -> Mistake:
    """For a library that the comparison would have to run."""
    return Mistake(
        f"{library} is not installed here, and its middleware is what corscore compares with; run: "
        f"pip install {library} (which brings the package {package})"
    )
