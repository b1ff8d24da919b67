"""The policy, the requests and the lists of origins that all benchmarks measure.

The tests of other libraries use a toy request; a browser's has a dozen headers, and a layer that
looks through them pays for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    # Serves a number of requests, one after another, and returns how many seconds that took.
    Run = Callable[[int], float]

PREFLIGHT = "preflight"
ACTUAL = "actual"
REFUSED = "refused"
NO_ORIGIN = "no-origin"
REQUESTS = (PREFLIGHT, ACTUAL, REFUSED, NO_ORIGIN)
# An actual request with a method that changes something, for cross-site blocking.
POST = "post"

PATH = "/api/items/42"
# The key of a map that covers it.
PATH_PREFIX = "/api/*"

# The application alone, and behind a layer that only hands the request on: what a layer adds is
# its time minus that of the latter.
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
    """Exact origins, each different; the one that requests come from is the last."""
    return [f"https://tenant-{number}.example.com" for number in range(count - 1)] + [ORIGIN]


def subdomain_patterns(count: int) -> list[str]:
    """Patterns for any subdomain, each of another host."""
    return [f"https://*.tenant-{number}.example.com" for number in range(count)]


def options(count: int = 1) -> Options:
    """The policy of all benchmarks, for a number of listed origins."""
    return {
        "allow_origins": origins(count),
        "allow_methods": ["GET", "POST", "PUT", "DELETE"],
        "allow_headers": ["authorization", "content-type", "x-request-id"],
        "expose_headers": ["x-total-count"],
        "allow_credentials": True,
        "max_age": 600,
    }


# As a browser sends them; with the two or three of CORS, thirteen lines.
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
    """The method of a request of that kind."""
    return {PREFLIGHT: "OPTIONS", POST: "POST"}.get(request, "GET")


def headers(request: str) -> list[tuple[str, str]]:
    """The thirteen header lines of a request of that kind, names in lower case."""
    ours: list[tuple[str, str]] = []
    if request == PREFLIGHT:
        ours = [
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "authorization,content-type"),
            ("origin", ORIGIN),
        ]
    elif request in {ACTUAL, POST}:
        ours = [("origin", ORIGIN)]
    elif request == REFUSED:
        ours = [("origin", STRANGER)]
    return [*_BROWSER_HEADERS[: len(_BROWSER_HEADERS) - len(ours)], *ours]


def raw_headers(request: str) -> list[tuple[bytes, bytes]]:
    """The same as an ASGI server hands them over."""
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers(request)]


def environ(request: str) -> dict[str, Any]:
    """The same as a WSGI server hands them over; without ``wsgi.input``, which no one shares."""
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


# What somebody may send who means harm. The longest origin that is looked at at all has 326 bytes.
_HOSTILE_LENGTH = 64 * 1024
HOSTILE_ORIGIN = "https://" + "." * (326 - len("https://"))
HOSTILE_REQUEST_HEADERS = {
    "commas": "," * _HOSTILE_LENGTH,
    "spaces": " " * _HOSTILE_LENGTH,
    "one name": "authorization," * (_HOSTILE_LENGTH // len("authorization,")),
}
