"""``corscore probe`` of real servers: one for each pitfall, and healthy ones.

A row is a server, the request, the reason, and exactly the findings.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import corscore_flask
from cli_runs import run
from corscore import Policy
from corscore_asgi import CORSMiddleware as OurASGI
from corscore_starlette import install
from corscore_wsgi import CORSMiddleware as OurWSGI
from pitfall_servers import (
    ORIGIN,
    OTHER,
    answers,
    asgi,
    cached,
    django,
    fastapi_app,
    flask_app,
    flask_cors,
    flask_with_auth,
    nginx,
    proxied,
    redirecting,
    with_cookie,
    wsgi,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

THEIRS = "corsheaders.middleware.CorsMiddleware"
OURS = "corscore_django.middleware.CorsMiddleware"

JSON = ("--header", "Content-Type: application/json")
AUTHORIZATION = ("--header", "Authorization: Bearer secret")
PUT = ("--method", "PUT")
AUDIT = "--audit"

ALLOW = "Access-Control-Allow-Origin"
ALLOWED = f"add_header {ALLOW} {ORIGIN} always;"
NO_CONTENT = "if ($request_method = OPTIONS) { return 204; }"


class Row(NamedTuple):
    why: str
    server: Callable[[], AbstractContextManager[str]]
    path: str
    args: tuple[str, ...]
    reason: str | None
    findings: set[str]


def ours(**options: Any) -> AbstractContextManager[str]:
    return asgi(OurASGI(fastapi_app(), policy=Policy(**options)))


@contextmanager
def django_at(middleware: str, **settings: Any) -> Iterator[str]:
    with django(middleware, **settings) as base:
        yield base


def starlette(**options: Any) -> AbstractContextManager[str]:
    return asgi(fastapi_app(**options))


def flask(**options: Any) -> AbstractContextManager[str]:
    return wsgi(flask_cors(**options))


LIST = {"allow_origins": [ORIGIN, OTHER]}


def credentialed() -> Any:
    """An API that pages of these origins, and one of this machine, use with cookies."""
    return fastapi_app(allow_origins=[ORIGIN, OTHER, "http://127.0.0.1:1"], allow_credentials=True)


PITFALLS = [
    # --- what the script says
    Row(
        "patch is not PATCH, at a server of ours",
        lambda: ours(**LIST, allow_methods=["PATCH"]),
        "/ok",
        ("--method", "patch"),
        "method-case",
        set(),
    ),
    Row(
        "patch is not PATCH, under Starlette's middleware",
        lambda: starlette(**LIST, allow_methods=["PATCH"]),
        "/ok",
        ("--method", "patch"),
        "preflight-not-ok",
        {"preflight-refused", "method-case"},
    ),
    Row(
        "* with credentials, by nginx",
        lambda: nginx(f"add_header {ALLOW} * always;"),
        "/ok.json",
        ("--credentials",),
        "wildcard-with-credentials",
        set(),
    ),
    Row(
        "* with credentials, by Starlette",
        lambda: starlette(allow_origins=["*"]),
        "/ok",
        ("--credentials",),
        "wildcard-with-credentials",
        set(),
    ),
    Row(
        "no Allow-Credentials, by flask-cors",
        lambda: flask(origins=[ORIGIN, OTHER]),
        "/ok",
        ("--credentials",),
        "credentials-not-allowed",
        set(),
    ),
    Row(
        "no Allow-Credentials, by django-cors-headers",
        lambda: django_at(THEIRS, CORS_ALLOWED_ORIGINS=[ORIGIN]),
        "/ok/",
        ("--credentials",),
        "credentials-not-allowed",
        set(),
    ),
    Row(
        "JSON is a header to allow, by flask-cors",
        lambda: flask(origins=[ORIGIN, OTHER], allow_headers=["X-One"]),
        "/ok",
        (*PUT, *JSON),
        "header-not-allowed",
        set(),
    ),
    Row(
        "a header of one's own, by django-cors-headers",
        lambda: django_at(THEIRS, CORS_ALLOWED_ORIGINS=[ORIGIN]),
        "/ok/",
        ("--header", "X-One: 1"),
        "header-not-allowed",
        set(),
    ),
    Row(
        "a header of one's own, by Starlette",
        lambda: starlette(**LIST, allow_methods=["GET"]),
        "/ok",
        ("--header", "X-One: 1"),
        "preflight-not-ok",
        {"preflight-refused", "header-not-allowed"},
    ),
    Row(
        "Authorization and *",
        lambda: nginx(
            f"add_header {ALLOW} * always; add_header Access-Control-Allow-Headers * always;"
            + NO_CONTENT
        ),
        "/ok.json",
        AUTHORIZATION,
        "authorization-needs-explicit",
        set(),
    ),
    Row(
        "a method that is not listed, by django-cors-headers",
        lambda: django_at(THEIRS, CORS_ALLOWED_ORIGINS=[ORIGIN], CORS_ALLOW_METHODS=["GET"]),
        "/ok/",
        PUT,
        "method-not-allowed",
        set(),
    ),
    Row(
        "a method that is not listed, by Starlette",
        lambda: starlette(**LIST),
        "/ok",
        PUT,
        "preflight-not-ok",
        {"preflight-refused", "method-not-allowed"},
    ),
    # --- what the script reads
    Row(
        "a header that is not exposed, and asked for",
        lambda: starlette(**LIST, expose_headers=["X-Other"]),
        "/ok",
        ("--reads", "X-Total-Count"),
        "header-not-exposed",
        set(),
    ),
    Row(
        "a header that is not exposed, and that only scripts would read",
        lambda: starlette(**LIST, expose_headers=["X-Other"]),
        "/ok",
        (),
        None,
        {"header-not-exposed"},
    ),
    # --- who asks
    Row(
        "a sandboxed frame",
        lambda: starlette(**LIST),
        "/ok",
        ("--origin", "null"),
        "null-origin",
        set(),
    ),
    Row(
        "a redirect to another server",
        lambda: redirecting(fastapi_app(**LIST), fastapi_app(**LIST)),
        "",
        (),
        "redirected-to-null-origin",
        set(),
    ),
    Row(
        "an origin that the policy does not have, by Starlette",
        lambda: starlette(allow_origins=[OTHER]),
        "/ok",
        (),
        "no-allow-origin",
        set(),
    ),
    Row(
        "an origin that the policy does not have, by django-cors-headers",
        lambda: django_at(THEIRS, CORS_ALLOWED_ORIGINS=[OTHER]),
        "/ok/",
        (),
        "no-allow-origin",
        set(),
    ),
    Row(
        "another origin's header",
        lambda: nginx(f"add_header {ALLOW} {OTHER} always;"),
        "/ok.json",
        (),
        "origin-mismatch",
        set(),
    ),
    # --- two layers
    Row(
        "a second Allow-Origin from the proxy",
        lambda: proxied(
            f"location / {{ proxy_pass {{upstream}}; add_header {ALLOW} * always; }}",
            fastapi_app(**LIST),
        ),
        "/ok",
        (),
        "multiple-allow-origin",
        {"two-cors-layers"},
    ),
    Row(
        "the same Allow-Origin twice",
        lambda: proxied(
            f"location / {{ proxy_pass {{upstream}}; {ALLOWED} }}", fastapi_app(**LIST)
        ),
        "/ok",
        PUT,
        "preflight-not-ok",
        {"preflight-refused", "two-cors-layers"},
    ),
    Row(
        "a list in one header",
        lambda: nginx(f'add_header {ALLOW} "{ORIGIN}, {OTHER}" always;'),
        "/ok.json",
        (),
        "multiple-allow-origin",
        set(),
    ),
    # --- preflights
    Row(
        "a preflight redirected for its slash",
        lambda: wsgi(flask_app()),
        "/slash",
        PUT,
        "preflight-redirected",
        set(),
    ),
    Row(
        "a preflight redirected to https",
        lambda: nginx("return 301 https://$host$request_uri;"),
        "/ok",
        PUT,
        "preflight-redirected",
        set(),
    ),
    Row(
        "authentication by nginx, 401",
        lambda: nginx(f"location / {{ {ALLOWED} return 401; }}"),
        "/ok",
        PUT,
        "preflight-not-ok",
        {"preflight-needs-auth"},
    ),
    Row(
        "authentication by an application, 403",
        lambda: wsgi(flask_with_auth()),
        "/ok",
        PUT,
        "preflight-not-ok",
        {"preflight-needs-auth"},
    ),
    Row(
        "refused by a layer of ours, 403",
        lambda: ours(allow_origins=[OTHER]),
        "/ok",
        PUT,
        "preflight-not-ok",
        {"preflight-refused"},
    ),
    Row(
        "refused by a layer of ours under WSGI",
        lambda: wsgi(OurWSGI(flask_app(), allow_origins=[OTHER])),
        "/ok",
        PUT,
        "preflight-not-ok",
        {"preflight-refused"},
    ),
    Row(
        "refused by Starlette's middleware, 400",
        lambda: starlette(allow_origins=[OTHER], allow_methods=["PUT"]),
        "/ok",
        PUT,
        "preflight-not-ok",
        {"preflight-refused"},
    ),
    Row(
        "a load balancer's 405",
        lambda: asgi(answers(405, ("Allow", "GET"))),
        "/ok",
        PUT,
        "preflight-not-ok",
        {"preflight-not-handled"},
    ),
    Row(
        "the static files of nginx, 405",
        lambda: nginx(f"add_header {ALLOW} *;"),
        "/ok.json",
        PUT,
        "preflight-not-ok",
        {"preflight-not-handled"},
    ),
    Row(
        "the static files of nginx, 405 with the headers",
        lambda: nginx(f"{ALLOWED} add_header Vary Origin always;"),
        "/ok.json",
        PUT,
        "preflight-not-ok",
        {"preflight-not-handled"},
    ),
    Row(
        "no such path, 404",
        lambda: asgi(answers(404)),
        "/nowhere",
        PUT,
        "preflight-not-ok",
        {"preflight-not-handled"},
    ),
    Row(
        "no server behind the proxy, 502",
        lambda: nginx("location / { proxy_pass http://127.0.0.1:1; }"),
        "/ok",
        PUT,
        "preflight-not-ok",
        {"preflight-server-error"},
    ),
    # --- errors
    Row(
        "add_header without always, on a 404",
        lambda: nginx(f"add_header {ALLOW} {ORIGIN};"),
        "/missing.json",
        (),
        "no-allow-origin",
        {"missing-on-error"},
    ),
    Row(
        "add_header without always, on a 404 far below",
        lambda: nginx(f"add_header {ALLOW} *;"),
        "/a/b/missing.json?page=1",
        (),
        "no-allow-origin",
        {"missing-on-error"},
    ),
    Row(
        "add_header without always, on an error of the application",
        lambda: proxied(
            f"location / {{ proxy_pass {{upstream}}; add_header {ALLOW} *; {NO_CONTENT} }}",
            fastapi_app(),
        ),
        "/boom",
        (),
        "no-allow-origin",
        {"missing-on-error"},
    ),
    Row(
        "a 500 from outside Starlette's middleware",
        lambda: starlette(**LIST),
        "/boom",
        (),
        "no-allow-origin",
        {"missing-on-error"},
    ),
    # --- caches
    Row(
        "the Origin repeated without Vary, by nginx",
        lambda: nginx(f"add_header {ALLOW} $http_origin always;"),
        "/ok.json",
        (),
        None,
        {"vary-missing"},
    ),
    Row(
        "one origin of flask-cors, which sends nothing to others",
        lambda: flask(origins=[ORIGIN]),
        "/ok",
        (),
        None,
        {"vary-missing"},
    ),
    Row(
        "an origin out of a map of nginx",
        lambda: nginx(
            f'set $cors ""; if ($http_origin = "{ORIGIN}") {{ set $cors $http_origin; }} '
            f"add_header {ALLOW} $cors always;"
        ),
        "/ok.json",
        (),
        None,
        {"vary-missing"},
    ),
    # --- applications
    Row(
        "no layer at all, under FastAPI",
        lambda: starlette(),
        "/ok",
        (),
        "no-allow-origin",
        {"app-without-cors"},
    ),
    Row(
        "no layer at all, under FastAPI, with a preflight",
        lambda: starlette(),
        "/ok",
        PUT,
        "preflight-not-ok",
        {"preflight-not-handled", "app-without-cors"},
    ),
    Row(
        "no layer at all, under Flask",
        lambda: wsgi(flask_app()),
        "/ok",
        PUT,
        "no-allow-origin",
        {"app-without-cors"},
    ),
    # --- the audit
    Row(
        "any origin, with credentials, by Starlette",
        lambda: starlette(allow_origin_regex=".*", allow_credentials=True),
        "/ok",
        (AUDIT, "--credentials"),
        None,
        {"reflects-any-origin", "null-allowed", "insecure-origin-allowed"},
    ),
    Row(
        "any origin, with credentials, by flask-cors",
        lambda: flask(origins=".*", supports_credentials=True),
        "/ok",
        (AUDIT,),
        None,
        {"reflects-any-origin", "null-allowed", "insecure-origin-allowed"},
    ),
    Row(
        "null in the list",
        lambda: starlette(allow_origins=[ORIGIN, "null"]),
        "/ok",
        (AUDIT,),
        None,
        {"null-allowed"},
    ),
    Row(
        "a regex with an unescaped dot, by Starlette",
        lambda: starlette(allow_origin_regex=r"https://app.example\.com"),
        "/ok",
        (AUDIT,),
        None,
        {"look-alike-allowed"},
    ),
    Row(
        "a regex without an end, by django-cors-headers",
        lambda: django_at(THEIRS, CORS_ALLOWED_ORIGIN_REGEXES=[r"https://app\.example\.com"]),
        "/ok/",
        (AUDIT,),
        None,
        {"look-alike-allowed"},
    ),
    Row(
        "a regex whose star eats the dot",
        lambda: starlette(allow_origin_regex=r"https://.*example\.com"),
        "/ok",
        (AUDIT,),
        None,
        {"look-alike-allowed"},
    ),
    Row(
        "http with credentials, by django-cors-headers",
        lambda: django_at(
            THEIRS,
            CORS_ALLOWED_ORIGINS=[ORIGIN, "http://app.example.com"],
            CORS_ALLOW_CREDENTIALS=True,
        ),
        "/ok/",
        (AUDIT,),
        None,
        {"insecure-origin-allowed"},
    ),
    Row(
        "* and credentials in one answer",
        lambda: nginx(
            f"add_header {ALLOW} * always; add_header Access-Control-Allow-Credentials true always;"
        ),
        "/ok.json",
        (AUDIT,),
        None,
        {"wildcard-with-credentials"},
    ),
    Row(
        "preflights that authentication swallows, while GET passes",
        lambda: asgi(answers(401)),
        "/ok",
        (AUDIT,),
        None,
        {"preflight-needs-auth"},
    ),
    Row(
        "preflights that are redirected, while GET passes",
        lambda: asgi(answers(308, ("Location", "/elsewhere"))),
        "/ok",
        (AUDIT,),
        None,
        {"preflight-redirected"},
    ),
    Row(
        "a second layer in preflights alone",
        lambda: asgi(answers(204, (ALLOW, ORIGIN), (ALLOW, "*"))),
        "/ok",
        (AUDIT,),
        None,
        {"two-cors-layers"},
    ),
    Row(
        "a second layer in answers and preflights, told once",
        lambda: nginx(f"{ALLOWED} add_header {ALLOW} * always;"),
        "/ok.json",
        (AUDIT,),
        "multiple-allow-origin",
        {"two-cors-layers"},
    ),
    Row(
        "errors without headers, while GET passes",
        lambda: nginx(f"add_header {ALLOW} *; {NO_CONTENT}"),
        "/ok.json",
        (AUDIT,),
        None,
        {"missing-on-error"},
    ),
    # --- what the response itself shows
    Row(
        "any origin with credentials, without an audit",
        lambda: starlette(allow_origin_regex=".*", allow_credentials=True),
        "/ok",
        (),
        None,
        {"reflects-any-origin"},
    ),
    Row(
        "any origin with credentials, in preflights",
        lambda: flask(origins=".*", supports_credentials=True),
        "/ok",
        PUT,
        None,
        {"reflects-any-origin"},
    ),
    Row(
        "null with credentials, asked by a sandboxed frame",
        lambda: starlette(allow_origins=[ORIGIN, "null"], allow_credentials=True),
        "/ok",
        ("--origin", "null", "--credentials"),
        None,
        {"null-allowed"},
    ),
    Row(
        "http with credentials, asked by the page over http",
        lambda: starlette(allow_origins=["http://app.example.com"], allow_credentials=True),
        "/ok",
        ("--origin", "http://app.example.com"),
        None,
        {"insecure-origin-allowed"},
    ),
    Row(
        "an Allow-Origin with a slash, by nginx",
        lambda: nginx(f"add_header {ALLOW} {ORIGIN}/ always;"),
        "/ok.json",
        (),
        "origin-mismatch",
        {"allow-origin-trailing-slash"},
    ),
    Row(
        "a cookie without SameSite",
        lambda: asgi(with_cookie(credentialed(), "session=1; Secure; Path=/")),
        "/ok",
        ("--credentials",),
        None,
        {"cookie-not-sent"},
    ),
    Row(
        "a cookie with SameSite=None and without Secure",
        lambda: asgi(with_cookie(credentialed(), "session=1; SameSite=None")),
        "/ok",
        ("--credentials",),
        None,
        {"cookie-not-sent"},
    ),
    # --- gateways and caches
    Row(
        "no application behind nginx, 502 to a GET",
        lambda: nginx("location / { proxy_pass http://127.0.0.1:1; }"),
        "/ok",
        (),
        "no-allow-origin",
        {"gateway-error"},
    ),
    Row(
        "an application that takes too long, 504 of nginx",
        lambda: proxied(
            "location / { proxy_pass {upstream}; proxy_read_timeout 1s; }", fastapi_app(**LIST)
        ),
        "/slow",
        (),
        "no-allow-origin",
        {"gateway-error"},
    ),
    Row(
        "a body that nginx finds too large, 413",
        lambda: proxied(
            "location /ok { return 413; } location / { proxy_pass {upstream}; }",
            fastapi_app(**LIST),
        ),
        "/ok",
        ("--method", "POST"),
        "no-allow-origin",
        {"gateway-error"},
    ),
    Row(
        "too many requests for nginx, 429",
        lambda: proxied(
            "location / { limit_req zone=one; limit_req_status 429; proxy_pass {upstream}; }",
            fastapi_app(**LIST),
            "limit_req_zone $server_port zone=one:1m rate=1r/m;",
            spent="/ok",
        ),
        "/ok",
        (),
        "no-allow-origin",
        {"gateway-error"},
    ),
    Row(
        "nginx answers OPTIONS itself, while the application has CORS",
        lambda: proxied(
            f"location / {{ {NO_CONTENT} proxy_pass {{upstream}}; }}",
            fastapi_app(**LIST, allow_methods=["PUT"]),
        ),
        "/ok",
        PUT,
        "no-allow-origin",
        {"preflight-not-forwarded"},
    ),
    Row(
        "a cache that ignores Vary, by nginx",
        lambda: cached("proxy_cache_valid 200 1m; proxy_ignore_headers Vary;", fastapi_app(**LIST)),
        "/ok",
        (),
        "origin-mismatch",
        {"cache-ignores-vary"},
    ),
]

EXPOSING = {**LIST, "expose_headers": ["X-Total-Count"]}

# A server, a path and options: readable, without reason and findings.
HEALTHY: list[tuple[str, Callable[[], AbstractContextManager[str]], str, tuple[str, ...]]] = [
    ("ours", lambda: ours(**LIST), "/ok", ()),
    ("ours, with an error", lambda: ours(**LIST), "/nowhere", ()),
    (
        "ours, with a PATCH",
        lambda: ours(**LIST, allow_methods=["PATCH"]),
        "/ok",
        ("--method", "PATCH"),
    ),
    (
        "ours, with credentials",
        lambda: ours(**LIST, allow_credentials=True, allow_methods=["PUT"]),
        "/ok",
        (*PUT, "--credentials", AUDIT),
    ),
    (
        "ours, with subdomains",
        lambda: ours(allow_origins=["https://*.example.com"]),
        "/ok",
        (AUDIT,),
    ),
    ("ours, for everyone", lambda: ours(allow_origins=["*"]), "/ok", (AUDIT,)),
    (
        "ours, with Authorization",
        lambda: ours(allow_origins=["*"], allow_headers=["Authorization"]),
        "/ok",
        AUTHORIZATION,
    ),
    (
        "ours, under WSGI",
        lambda: wsgi(OurWSGI(flask_app(), allow_origins=[ORIGIN])),
        "/ok",
        (AUDIT,),
    ),
    (
        "ours, under Flask",
        lambda: wsgi(_with(corscore_flask.CORS, flask_app(), origins=[ORIGIN], methods=["PUT"])),
        "/ok",
        (*PUT, AUDIT),
    ),
    (
        "ours, under Django",
        lambda: django_at(OURS, CORS_ALLOWED_ORIGINS=[ORIGIN]),
        "/ok/",
        (AUDIT,),
    ),
    ("ours, with an error in the view", lambda: asgi(_installed(**LIST)), "/boom", (AUDIT,)),
    ("Starlette", lambda: starlette(**LIST, allow_methods=["GET", "PUT"]), "/ok", PUT),
    ("Starlette, audited", lambda: starlette(**LIST, allow_methods=["GET"]), "/ok", (AUDIT,)),
    ("Starlette, for everyone", lambda: starlette(allow_origins=["*"]), "/ok", (AUDIT,)),
    (
        "Starlette, with an exposed header",
        lambda: starlette(**EXPOSING),
        "/ok",
        ("--reads", "X-Total-Count"),
    ),
    (
        "Starlette, with a regex",
        lambda: starlette(allow_origin_regex=r"https://([a-z0-9-]+\.)?example\.com"),
        "/ok",
        (AUDIT,),
    ),
    ("flask-cors", lambda: flask(origins=[ORIGIN, OTHER]), "/ok", (*PUT, AUDIT)),
    (
        "flask-cors, for everyone",
        lambda: flask(origins="*", send_wildcard=True),
        "/ok",
        (AUDIT,),
    ),
    (
        "django-cors-headers",
        lambda: django_at(THEIRS, CORS_ALLOWED_ORIGINS=[ORIGIN], CORS_ALLOW_CREDENTIALS=True),
        "/ok/",
        (*JSON, "--credentials", AUDIT),
    ),
    (
        "django-cors-headers, for everyone",
        lambda: django_at(THEIRS, CORS_ALLOW_ALL_ORIGINS=True),
        "/ok/",
        (AUDIT,),
    ),
    ("nginx, one origin in all answers", lambda: nginx(ALLOWED), "/ok.json", (AUDIT,)),
    ("nginx, on an error", lambda: nginx(ALLOWED), "/missing.json", (AUDIT,)),
    ("nginx, for everyone", lambda: nginx(f"add_header {ALLOW} * always;"), "/ok.json", (AUDIT,)),
    (
        "nginx, preflights included",
        lambda: nginx(
            f"{ALLOWED} add_header Access-Control-Allow-Methods PUT always; {NO_CONTENT}"
        ),
        "/ok.json",
        PUT,
    ),
    (
        "nginx before an application",
        lambda: proxied("location / { proxy_pass {upstream}; }", fastapi_app(**LIST)),
        "/ok",
        (AUDIT,),
    ),
    (
        "Starlette, with credentials for one origin",
        lambda: starlette(**LIST, allow_credentials=True),
        "/ok",
        ("--credentials",),
    ),
    (
        "a cookie that other sites may send",
        lambda: asgi(with_cookie(credentialed(), "session=1; SameSite=None; Secure")),
        "/ok",
        ("--credentials",),
    ),
    (
        "a cookie of one site",
        lambda: asgi(with_cookie(credentialed(), "session=1; SameSite=Lax")),
        "/ok",
        ("--credentials", "--origin", "http://127.0.0.1:1"),
    ),
    (
        "a cookie without credentials",
        lambda: asgi(with_cookie(fastapi_app(**LIST), "session=1")),
        "/ok",
        (),
    ),
    (
        "nginx, on a gateway's error",
        lambda: nginx(f"location / {{ {ALLOWED} proxy_pass http://127.0.0.1:1; }}"),
        "/ok",
        (),
    ),
    (
        "nginx, on a preflight that it passes on",
        lambda: proxied(
            "location / { proxy_pass {upstream}; }", fastapi_app(**LIST, allow_methods=["PUT"])
        ),
        "/ok",
        PUT,
    ),
    (
        "a cache that heeds Vary, by nginx",
        lambda: cached("proxy_cache_valid 200 1m;", fastapi_app(**LIST)),
        "/ok",
        (),
    ),
    (
        "a redirect within one server",
        lambda: starlette(**LIST),
        "/moved?to=/ok",
        (),
    ),
]


def _with(extension: Any, app: Any, **options: Any) -> Any:
    extension(app, **options)
    return app


def _installed(**options: Any) -> Any:
    app = fastapi_app()
    install(app, **options)
    return app


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use no proxy of this machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def told(url: str, *args: str) -> tuple[dict[str, Any], int]:
    origin = () if "--origin" in args else ("--origin", ORIGIN)
    result = run("probe", url, *origin, *args, "--json")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return json.loads(result.stdout), result.exit_code


@pytest.mark.parametrize("row", PITFALLS, ids=lambda row: row.why)
def test_a_pitfall_has_its_reason_and_its_findings(row: Row) -> None:
    with row.server() as base:
        report, exit_code = told(f"{base}{row.path}", *row.args)
    assert report["reason"] == row.reason, report["message"]
    assert {found["code"] for found in report["findings"]} == row.findings
    # A hidden header leaves the response readable.
    assert report["readable"] is (row.reason in (None, "header-not-exposed"))
    assert [found["code"] for found in report["findings"]].count("two-cors-layers") < 2
    assert exit_code == 1
    assert all(found["message"] and found["hint"] for found in report["findings"])
    assert report["steps"]


@pytest.mark.parametrize(
    ("why", "server", "path", "args"), HEALTHY, ids=[row[0] for row in HEALTHY]
)
def test_a_healthy_server_has_no_findings(
    why: str,
    server: Callable[[], AbstractContextManager[str]],
    path: str,
    args: tuple[str, ...],
) -> None:
    with server() as base:
        report, exit_code = told(f"{base}{path}", *args)
    assert (report["readable"], report["reason"], report["findings"]) == (True, None, [])
    assert exit_code == 0


SHOWN = [
    (
        "/missing.json",
        (),
        lambda: nginx(f"add_header {ALLOW} http://localhost:5173;"),
    ),
    (
        "/ok",
        (AUDIT,),
        lambda: starlette(allow_origin_regex="http://localhost.*", allow_credentials=True),
    ),
]


@pytest.mark.parametrize(("path", "args", "server"), SHOWN, ids=[row[0] for row in SHOWN])
def test_the_page_shows_what_it_prints(
    path: str, args: tuple[str, ...], server: Callable[[], AbstractContextManager[str]]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
    words = ["probe", f"http://127.0.0.1:8000{path}", "--origin", "http://localhost:5173", *args]
    _, found, shown = page.partition(f"$ corscore {' '.join(words)}\n")
    assert found
    with server() as base:
        words[1] = f"{base}{path}"
        output = run(*words).output.replace(base, "http://127.0.0.1:8000")
    # Line breaks depend on the length of the port.
    told = " ".join(shown.partition("\n```")[0].split())
    assert " ".join(output.split())[: len(told)] == told
