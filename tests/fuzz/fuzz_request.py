"""Fuzz whole requests with atheris, through both gateways: ``make fuzz``.

A request never raises, and is allowed to no origin that the policy does not allow.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

try:
    import atheris
except ModuleNotFoundError:
    sys.exit("fuzz_request: atheris is not installed; `pip install atheris` and run this again")

with atheris.instrument_imports(include=["corscore", "corscore_asgi", "corscore_wsgi"]):
    import corscore_asgi
    import corscore_wsgi
    from corscore import Policy, PolicyMap

ALLOWED = "https://example.com"
STRICT = Policy(
    allow_origins=[ALLOWED, "https://*.example.net"],
    allow_methods=["*"],
    allow_headers=["*"],
    allow_credentials=True,
    expose_headers=["X-Total"],
)
POLICIES = PolicyMap(
    {"/open/*": Policy(allow_origins=["*"]), "/none/*": None, "/a/b": STRICT}, default=STRICT
)
NAMES = [
    "Origin",
    "Access-Control-Request-Method",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Private-Network",
    "Host",
    "Sec-Fetch-Site",
    "Content-Type",
    "Cookie",
]


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"Vary", b"Accept")]})
    await send({"type": "http.response.body"})


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Vary", "Accept")])
    return []


OPTIONS: dict[str, Any] = {"block_cross_site": True, "own_origins": ["https://own.example"]}
OVER_ASGI = corscore_asgi.CORSMiddleware(asgi_app, POLICIES, **OPTIONS)
OVER_WSGI = corscore_wsgi.CORSMiddleware(wsgi_app, POLICIES, **OPTIONS)


def fuzz(data: bytes) -> None:
    given = atheris.FuzzedDataProvider(data)
    method = given.PickValueInList(["OPTIONS", "GET", "POST", "PUT"])
    start = given.PickValueInList(["/", "/open/", "/none/", "/a/b"])
    path = start + given.ConsumeBytes(20).decode("latin-1")
    headers = [
        (given.PickValueInList(NAMES), _value(given)) for _ in range(given.ConsumeIntInRange(0, 5))
    ]
    _check(path, headers, _over_asgi(method, path, headers))
    _check(path, headers, _over_wsgi(method, path, headers))


def _value(given: Any) -> str:
    known = ["", ALLOWED, "https://a.example.net", "null", "PUT", "x-one, x-two", "same-origin"]
    start: str = given.PickValueInList(known)
    end: bytes = given.ConsumeBytes(given.ConsumeIntInRange(0, 12))
    return start + end.decode("latin-1")


def _check(path: str, sent: list[tuple[str, str]], got: list[tuple[str, str]]) -> None:
    allowed = [value for name, value in got if name.lower() == "access-control-allow-origin"]
    assert len(allowed) <= 1, allowed
    origins = [value for name, value in sent if name == "Origin"]
    for origin in allowed:
        assert origin == "*" or (origins == [origin] and STRICT.allows_origin(origin)), (
            path,
            sent,
            got,
        )


def _over_asgi(method: str, path: str, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }
    started: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        started.append(message)

    call: Any = OVER_ASGI(scope, receive, send)
    with suppress(StopIteration):
        call.send(None)  # the application waits for nothing
    return [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in started[0]["headers"]
    ]


def _over_wsgi(method: str, path: str, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "wsgi.url_scheme": "https",
    }
    for name, value in headers:
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[key] = f"{environ[key]}, {value}" if key in environ else value
    started: list[list[tuple[str, str]]] = []
    OVER_WSGI(environ, lambda _, lines, *rest: started.append(lines))  # type: ignore[arg-type]
    return started[0]


if __name__ == "__main__":
    atheris.Setup(sys.argv, fuzz)
    atheris.Fuzz()
