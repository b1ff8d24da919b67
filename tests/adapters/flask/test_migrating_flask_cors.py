"""From flask-cors to ``corscore_flask``: with the same options, a browser may do the same.

But for what is written in tests/data/differences_flask_cors.json, each with its reason. A row has
the options of both, null for an application without ``CORS(app)``; maybe those of ``cross_origin``
on its page; an application and a script that shows the difference, and what flask-cors and corscore
make of it: a status that the script can read, a browser's reason why it cannot, the codes of a
configuration that is refused, or the lines of a header.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import flask_cors
import pytest
from flask import Blueprint, Flask, Response, abort, request

import corscore_flask
from cors_headers import cors_of
from corscore import ConfigError, PolicyMap
from corscore.browser import FetchResult, Request, fetch
from corscore.testing.conformance._wsgi import call as call_wsgi
from corscore.testing.conformance._wsgi import wsgi_environ
from tables import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

SERVER = "https://api.example"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY", "patch"]
A, B, STRANGER = "https://a.example", "https://b.example", "https://evil.test"

Extension = Any  # either module


def page() -> Response:
    return Response("page", headers={"X-Total": "3", "X-Other": "4"})


def application(decorate: Callable[[Any], Any] = lambda view: view) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.logger.disabled = True

    def boom() -> NoReturn:
        raise RuntimeError

    app.add_url_rule("/page", "page", decorate(page), methods=METHODS)
    app.add_url_rule("/api/page", "page below", page, methods=METHODS)
    app.add_url_rule("/slash/", "slash", page, methods=METHODS)
    app.add_url_rule("/get", "get", page)
    app.add_url_rule("/boom", "boom", boom)
    app.add_url_rule(
        "/vary", "vary", lambda: Response(headers=[("Vary", "Cookie"), ("Vary", "Accept")])
    )
    app.add_url_rule(
        "/own", "own", lambda: Response(headers={"Access-Control-Allow-Origin": STRANGER})
    )
    return app


def transport(app: Flask) -> Callable[..., tuple[int, list[tuple[str, str]]]]:
    def send(method: str, url: str, headers: list[tuple[str, str]]) -> Any:
        try:
            response = call_wsgi(app, wsgi_environ(method, url, headers))
        except RuntimeError:
            # The server answers an exception of the application.
            return 500, []
        return response.status, response.headers

    return send


# --- what differs


def needing_a_login() -> None:
    if not request.authorization:
        abort(401)


def failing(environ: Any, start_response: Any) -> Iterable[bytes]:
    raise RuntimeError


def made(extension: Extension, row: Mapping[str, Any]) -> Flask:
    app = application(extension.cross_origin(**row["view"])) if "view" in row else application()
    app.config.update(row.get("config", {}))
    if row.get("hook") == "login":
        app.before_request(needing_a_login)
    elif row.get("hook") == "layer":
        patched: Any = app
        patched.wsgi_app = failing
    if row["options"] is None:
        return app
    options = dict(row["options"])
    if isinstance(options.get("origins"), dict):
        options["origins"] = re.compile(options["origins"]["regex"])
    extension.CORS(app, **options)
    return app


def seen(extension: Extension, row: Mapping[str, Any]) -> str | list[str]:
    """Return the result of a row, in the words of the table."""
    try:
        return shown(made(extension, row), row)
    except ConfigError as error:
        return [problem.code for problem in error.problems]


def shown(app: Flask, row: Mapping[str, Any]) -> str | list[str]:
    script = dict(row["script"])
    url = SERVER + script.pop("path", "/page")
    if "header" in row:
        origin = script.pop("origin")
        headers = [*row.get("sends", {}).items(), *([("Origin", origin)] if origin else [])]
        if script:
            headers.append(("Access-Control-Request-Method", script["method"]))
        method = "OPTIONS" if script else "GET"
        _, lines = transport(app)(method, url, headers)
        return [value for name, value in lines if name.lower() == row["header"]]
    headers = script.pop("headers", {})
    headers.update({f"x-{number}": "1" for number in range(script.pop("many", 0))})
    result = fetch(
        Request(script.pop("method", "GET"), url, headers=headers, **script), transport(app)
    )
    return str(result.status) if result.readable else str(result.reason)


DIFFERENCES = rows("differences_flask_cors")


@pytest.mark.parametrize("row", DIFFERENCES, ids=[row["difference"] for row in DIFFERENCES])
def test_every_listed_difference_is_there(row: dict[str, Any]) -> None:
    theirs, ours = row["sees"]
    assert (seen(flask_cors, row), seen(corscore_flask, row)) == (theirs, ours)
    assert row["why"]
    assert row["flask-cors"] != row["corscore"]


# --- what does not

CONFIGURATIONS: list[dict[str, Any]] = [
    {"origins": A},
    {"origins": [A, B]},
    {"origins": "*"},
    {"origins": "*", "send_wildcard": True, "expose_headers": "*"},
    {"origins": [A, B], "supports_credentials": True},
    {"origins": [A], "supports_credentials": True, "expose_headers": ["X-Total"], "max_age": 60},
    {
        "origins": [A],
        "methods": ["GET", "POST", "PUT"],
        "allow_headers": ["X-One", "Authorization"],
    },
    {"origins": [A], "methods": "PUT,QUERY", "allow_headers": "x-one", "expose_headers": "X-Total"},
    {"origins": [A], "supports_credentials": True, "allow_headers": ["Content-Type", "X-Two"]},
    {"origins": re.compile(r"https://[ab]\.example$"), "methods": ["GET", "DELETE", "OPTIONS"]},
    {"origins": A, "allow_private_network": True, "max_age": "3600"},
    {"origins": A, "resources": "*"},
    {"origins": A, "resources": ["/page", "/get"]},
    {"resources": {"/*": {"origins": A}}, "max_age": 60},
    {"origins": B, "resources": {"/page": {"origins": [A]}, "/api/*": {"max_age": 5}}},
    {"resources": {"/api/*": {"origins": A}, "/api/page": {"origins": B, "methods": ["PUT"]}}},
]
ORIGINS = (A, B, STRANGER, f"{A}.evil.test", "http://a.example", f"{A}:8443", "null", SERVER)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"X-One": "1"},
    {"Authorization": "Bearer 1", "X-Two": "2"},
    {"Content-Type": "application/json"},
)
PATHS = ("/get", "/missing", "/boom", "/slash")


class Script(NamedTuple):
    origin: str
    method: str
    headers: dict[str, str]
    credentials: str
    path: str

    def result(self, app: Flask) -> FetchResult:
        request = Request(
            self.method,
            SERVER + self.path,
            origin=self.origin,
            headers=self.headers,
            credentials=self.credentials,  # type: ignore[arg-type]
            cookie="session=1",
        )
        return fetch(request, transport(app))


SCRIPTS = tuple(
    itertools.starmap(
        Script,
        [
            *itertools.product(ORIGINS, METHODS, HEADERS, ["omit", "include"], ["/page"]),
            *itertools.product((A, STRANGER, SERVER), ["GET", "PUT"], HEADERS, ["omit"], PATHS),
            *itertools.product((A, B), ["GET", "PUT"], ({},), ["omit"], ["/api/page"]),
        ],
    )
)

ALWAYS_ALLOWED_METHODS = {"GET", "HEAD", "POST"}


def listed(options: dict[str, Any], name: str) -> str:
    value = options.get(name, "*")
    return (value if isinstance(value, str) else ",".join(value)).lower()


def read(result: FetchResult) -> tuple[int | None, list[tuple[str, str]]]:
    """What a script got, but for what it says about CORS: a page may read all of its own site."""
    about_cors = cors_of(result.headers)
    return result.status, [pair for pair in result.headers if pair[0] not in about_cors]


# Which difference of the table a script meets.
RUN_INTO: dict[str, Callable[[dict[str, Any], Script], bool]] = {
    "GET, HEAD or POST with a header of their own, where `methods` does not list them": (
        lambda options, script: (
            script.method in ALWAYS_ALLOWED_METHODS
            and bool(script.headers)
            and script.method.lower() not in listed(options, "methods")
        )
    ),
    "`Content-Type: application/json`, where `allow_headers` does not list it": (
        lambda options, script: (
            "Content-Type" in script.headers
            and "content-type" not in listed(options, "allow_headers")
        )
    ),
    "A preflight to a page that is not there": lambda options, script: script.path == "/missing",
    "A preflight to a route that Flask redirects to its slash": (
        lambda options, script: script.path == "/slash"
    ),
}


def on_the_app(extension: Extension, options: dict[str, Any]) -> Flask:
    app = application()
    extension.CORS(app, **options)
    return app


def on_the_view(extension: Extension, options: dict[str, Any]) -> Flask:
    app = application(extension.cross_origin(**options))
    if extension is corscore_flask:
        corscore_flask.CORS(app, PolicyMap({}, default=None))
    return app


def on_a_blueprint(extension: Extension, options: dict[str, Any]) -> Flask:
    app = application()
    blueprint = Blueprint("blue", __name__)
    blueprint.add_url_rule("/page", "page", page, methods=METHODS)
    extension.CORS(blueprint, **options)
    app.register_blueprint(blueprint, url_prefix="/blue")
    if extension is corscore_flask:
        corscore_flask.CORS(app, PolicyMap({}, default=None))
    return app


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "path"), [(on_the_view, "/page"), (on_a_blueprint, "/blue/page")]
)
def test_routes_behave_as_under_flask_cors(place: Callable[..., Flask], path: str) -> None:
    scripts = [script._replace(path=path) for script in SCRIPTS if script.path == "/page"]
    for options in CONFIGURATIONS:
        if "resources" in options:
            continue
        theirs, ours = place(flask_cors, options), place(corscore_flask, options)
        for script in scripts:
            before, now = script.result(theirs), script.result(ours)
            if read(before) != read(now):
                assert any(applies(options, script) for applies in RUN_INTO.values())
                assert not before.readable


@pytest.mark.slow
def test_nothing_else_changes_for_a_browser() -> None:
    run_into = set()
    for options in CONFIGURATIONS:
        theirs, ours = on_the_app(flask_cors, options), on_the_app(corscore_flask, options)
        for script in SCRIPTS:
            before, now = script.result(theirs), script.result(ours)
            if read(before) == read(now):
                continue
            reasons = [name for name, applies in RUN_INTO.items() if applies(options, script)]
            assert reasons, (options, script, before, now)
            # A page that could read before can read now.
            assert not before.readable
            run_into.update(reasons)
    assert run_into == set(RUN_INTO)
    assert run_into <= {row["difference"] for row in DIFFERENCES}
