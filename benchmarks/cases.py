"""The policy, the requests and the lists of origins that all benchmarks measure.

The requests have all headers that a browser sends, since a layer may look through each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    # Serves a number of requests, one after another, and returns the seconds that they took.
    Run = Callable[[int], float]

PREFLIGHT = "preflight"
ACTUAL = "actual"
REFUSED = "refused"
NO_ORIGIN = "no-origin"
REQUESTS = (PREFLIGHT, ACTUAL, REFUSED, NO_ORIGIN)
# An actual request with an unsafe method, for cross-site blocking.
POST = "post"

PATH = "/api/items/42"
# A key of a map that covers `PATH`.
PATH_PREFIX = "/api/*"

# The application alone, and behind a layer that does nothing: another layer adds its own time minus
# the time of NOTHING.
BARE = "bare"
NOTHING = "nothing"
CORSCORE = "corscore"

ORIGIN = "https://app.example.com"
STRANGER = "https://evil.example.net"

RESPONSE_HEADERS = (("content-type", "application/json"), ("content-length", "2"))
BODY = b"{}"


Options = dict[str, Any]
"""Arguments of ``Policy``, and of Starlette's middleware."""


def origins(count: int) -> list[str]:
    """Return different exact origins; the last is that of the requests."""
    return [f"https://tenant-{number}.example.com" for number in range(count - 1)] + [ORIGIN]


def subdomain_patterns(count: int) -> list[str]:
    """Return patterns for any subdomain, each of another host."""
    return [f"https://*.tenant-{number}.example.com" for number in range(count)]


def options(count: int = 1) -> Options:
    """Return the options of the policy of all benchmarks, with a number of listed origins."""
    return {
        "allow_origins": origins(count),
        "allow_methods": ["GET", "POST", "PUT", "DELETE"],
        "allow_headers": ["authorization", "content-type", "x-request-id"],
        "expose_headers": ["x-total-count"],
        "allow_credentials": True,
        "max_age": 600,
    }


# As a browser sends them; a request has thirteen lines, those of CORS included.
_BROWSER_HEADERS = (
    ("host", "api.example.com"),
    ("connection", "keep-alive"),
    ("sec-ch-ua-platform", '"Linux"'),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0"),
    ("accept", "application/json, text/plain, */*"),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-dest", "empty"),
    ("referer", "https://app.example.com/"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-US,en;q=0.9"),
    ("cookie", "session=0123456789abcdef"),
)


def method(request: str) -> str:
    """Return the method of a kind of request."""
    return {PREFLIGHT: "OPTIONS", POST: "POST"}.get(request, "GET")


def headers(request: str) -> list[tuple[str, str]]:
    """Return the thirteen header lines of a kind of request, with names in lower case."""
    of_cors: list[tuple[str, str]] = []
    if request == PREFLIGHT:
        of_cors = [
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "authorization,content-type"),
            ("origin", ORIGIN),
        ]
    elif request in {ACTUAL, POST}:
        of_cors = [("origin", ORIGIN)]
    elif request == REFUSED:
        of_cors = [("origin", STRANGER)]
    return [*_BROWSER_HEADERS[: len(_BROWSER_HEADERS) - len(of_cors)], *of_cors]


def raw_headers(request: str) -> list[tuple[bytes, bytes]]:
    """Return ``headers`` as an ASGI server passes them."""
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers(request)]


def environ(request: str) -> dict[str, Any]:
    """Return a request as a WSGI server passes it, without the streams, which are not shared."""
    found = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers(request)}
    return {
        "REQUEST_METHOD": method(request),
        "SCRIPT_NAME": "",
        "PATH_INFO": PATH,
        "QUERY_STRING": "",
        "SERVER_NAME": "api.example.com",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **found,
    }


# Hostile values. The engine looks at no origin of more than 326 bytes.
_HOSTILE_LENGTH = 64 * 1024
HOSTILE_ORIGIN = "https://" + "." * (326 - len("https://"))
HOSTILE_REQUEST_HEADERS = {
    "commas": "," * _HOSTILE_LENGTH,
    "spaces": " " * _HOSTILE_LENGTH,
    "one name": "authorization," * (_HOSTILE_LENGTH // len("authorization,")),
}
