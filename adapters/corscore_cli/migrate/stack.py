"""The layers of CORS before a move, and transports through the stacks before and after it.

The stacks are the other library's real middleware and ours, around an application that answers
every request with 200.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

import corscore_asgi
import corscore_wsgi

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from corscore import PolicyMap
    from corscore.integration import PathPolicy

    Pairs = list[tuple[str, str]]
    Transport = Callable[[str, str, Pairs], tuple[int, Pairs]]
    Keys = tuple[tuple[str, bool], ...]

SERVER = "https://server.invalid"
_ONE_HEADER = "X-Corscore-Any"
_EVERY_PATH = (("/*", True),)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY"]


class Paths(NamedTuple):
    """Paths of one layer.

    Attributes:
        text: The paths as the library writes them; empty for every path.
        keys: Keys of a ``PolicyMap`` for these paths, each with whether it has a policy.
        is_exact: Whether the keys cover exactly these paths.
        pattern: The regex of the paths, or None.
        near: Paths to compare, inside and just outside of them.
    """

    text: str = ""
    keys: Keys = _EVERY_PATH
    is_exact: bool = True
    pattern: re.Pattern[str] | None = None
    near: tuple[str, ...] = ("/",)


EVERYWHERE = Paths()


@dataclass(frozen=True, slots=True)
class OldLayer:
    """A layer of CORS to move away from.

    Attributes:
        options: Its options, under the names of ``Policy`` and with the meaning there.
        paths: The paths that it covers.
    """

    options: Mapping[str, Any]
    paths: Paths = EVERYWHERE


@dataclass(frozen=True, slots=True)
class OldStack:
    """All layers of one library on an application.

    Attributes:
        layers: The layers; of several that cover a path, the first counts.
        send: Sends one request through the library's own middleware.
        replacement: Takes policies, of which None allows no origin, and returns the transport
            through our middleware.
        unknown: A difference that depends on the application, in three texts: what differs, before
            and after; or None.
    """

    layers: tuple[OldLayer, ...]
    send: Transport
    replacement: Callable[[PathPolicy | PolicyMap], Transport]
    unknown: tuple[str, str, str] | None = None

    def exposed(self) -> list[str]:
        """Return the names of the response headers that the application sends."""
        return exposed_names(layer.options for layer in self.layers)


def exposed_names(several: Iterable[Mapping[str, Any]]) -> list[str]:
    names = [name for options in several for name in _texts(options.get("expose_headers"))]
    return [*dict.fromkeys(name for name in names if name != "*"), _ONE_HEADER]


def _texts(value: object) -> list[str]:
    items = value if isinstance(value, (list, tuple, set, frozenset)) else ()
    return [item for item in items if isinstance(item, str)]


@contextmanager
def quiet_loggers() -> Iterator[None]:
    """Keep refusals of the comparison out of the log."""
    loggers = [logging.getLogger(name) for name in ("corscore", "flask_cors")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


# --- ASGI


def asgi_answer(names: list[str]) -> Any:
    headers = [(name.lower().encode("latin-1", "replace"), b"1") for name in names]

    async def answer(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - ASGI
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    return answer


def asgi_transport(app: Any) -> Transport:
    def send(method: str, url: str, headers: Pairs) -> tuple[int, Pairs]:
        path = path_of(url)
        scope = {
            "type": "http",
            "method": method,
            "path": unquote(path),
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
        return start["status"], [
            (header_text(name), header_text(value)) for name, value in start["headers"]
        ]

    return send


def header_text(value: bytes | str) -> str:
    # asgi-cors sends the max-age as a str.
    return value.decode("latin-1") if isinstance(value, bytes) else value


def path_of(url: str) -> str:
    return url.removeprefix(SERVER).partition("?")[0] or "/"


def asgi_replacement(names: list[str]) -> Callable[[PathPolicy | PolicyMap], Transport]:
    answer = asgi_answer(names)

    def replacement(policies: PathPolicy | PolicyMap) -> Transport:
        app = answer if policies is None else corscore_asgi.CORSMiddleware(answer, policies)
        return asgi_transport(app)

    return replacement


# --- WSGI


def wsgi_answer(names: list[str]) -> Any:
    def answer(environ: Any, start_response: Any) -> Any:  # noqa: ARG001 - WSGI
        start_response("200 OK", [(name, "1") for name in names])
        return [b""]

    return answer


def wsgi_transport(app: Any) -> Transport:
    def send(method: str, url: str, headers: Pairs) -> tuple[int, Pairs]:
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            # PEP 3333 writes bytes as a str in Latin-1.
            "PATH_INFO": unquote(path_of(url), "latin-1"),
            "QUERY_STRING": "",
            "SERVER_NAME": "server.invalid",
            "SERVER_PORT": "443",
            "wsgi.url_scheme": "https",
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers},
        }
        started: list[tuple[int, Pairs]] = []

        def start_response(status: str, pairs: Pairs, _: Any = None) -> None:
            started.append((int(status.partition(" ")[0]), pairs))

        for _ in app(environ, start_response):
            pass
        return started[0]

    return send


def wsgi_replacement(app: Any) -> Callable[[PathPolicy | PolicyMap], Transport]:
    def replacement(policies: PathPolicy | PolicyMap) -> Transport:
        return wsgi_transport(
            app if policies is None else corscore_wsgi.CORSMiddleware(app, policies)
        )

    return replacement


def below_mounts(
    mounted: Mapping[str, Transport], outside: Transport, *, with_mount: bool
) -> Transport:
    """Return a transport to the application that is mounted at the longest prefix of a path.

    Args:
        mounted: The applications, by path without a slash at its end.
        outside: The transport for other paths.
        with_mount: Whether the mount path itself reaches the application, too.
    """
    end = "/" if with_mount else ""

    def send(method: str, url: str, headers: Pairs) -> tuple[int, Pairs]:
        path = path_of(url)
        mounts = [mount for mount in mounted if f"{path}{end}".startswith(f"{mount}/")]
        if not mounts:
            return outside(method, url, headers)
        mount = max(mounts, key=len)
        return mounted[mount](method, f"{SERVER}{path.removeprefix(mount) or '/'}", headers)

    return send


def mounted_paths(mount: str, *, with_mount: bool) -> Paths:
    if not mount:
        return EVERYWHERE
    literal = ((mount, True),) if with_mount else ()
    near = (mount, f"{mount}/", f"{mount}/x", f"{mount}x", "/", "/x")
    return Paths(f"{mount}/*", (*literal, (f"{mount}/*", True)), near=near)
