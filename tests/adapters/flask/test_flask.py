"""``corscore_flask.CORS``: outside of everything that a Flask application answers."""

from __future__ import annotations

import logging
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest
from flask import Blueprint, Flask, Response, has_request_context, request
from werkzeug.datastructures import Headers
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from cors_headers import OTHER_PAGE, PAGE, READABLE, REFUSED, cors_of
from corscore import Decision, Policy, PolicyMap, RequestInfo
from corscore.testing.conformance._wsgi import call, wsgi_environ
from corscore_flask import CORS, current_decision
from corscore_wsgi import CORSMiddleware
from flask_apps import BoomError, application

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIApplication

FROM_PAGE = {"Origin": PAGE}
FROM_OTHER_PAGE = {"Origin": OTHER_PAGE}
PREFLIGHT = {"Access-Control-Request-Method": "PUT"}
OWN_ORIGIN = "http://localhost"  # what the test client asks


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    (tmp_path / "page.css").write_text("body {}")
    app = application(tmp_path)
    CORS(app, origins=[PAGE])
    return app


def cors(response: Any) -> dict[str, list[str]]:
    return cors_of(response.headers)


ANSWERS = [
    ("GET", "/", {}, 200),
    ("HEAD", "/", {}, 200),
    ("OPTIONS", "/", {}, 200),  # Flask's own
    ("OPTIONS", "/options", {}, 200),
    ("POST", "/", {}, 405),
    ("GET", "/missing", {}, 404),
    ("GET", "/slash", {}, 308),
    ("GET", "/moved", {}, 302),
    ("PUT", "/put", {"data": b"small"}, 200),
    ("PUT", "/put", {"data": b"too large a body"}, 413),
    ("GET", "/secret", {}, 401),
    ("GET", "/teapot", {}, 418),
    ("GET", "/boom", {}, 500),
    ("GET", "/stream", {}, 200),
    ("GET", "/async", {}, 200),
    ("GET", "/pages/one", {}, 200),
    ("GET", "/pages/missing", {}, 404),
    ("GET", "/static/page.css", {}, 200),
    ("GET", "/static/page.css", {"headers": {"Range": "bytes=0-3"}}, 206),
    ("GET", "/static/none.css", {}, 404),
]


@pytest.mark.parametrize(("method", "path", "sent", "status"), ANSWERS)
@pytest.mark.parametrize(
    ("headers", "expected"), [(FROM_PAGE, READABLE), (FROM_OTHER_PAGE, REFUSED), ({}, REFUSED)]
)
def test_every_answer_has_the_headers_once(
    app: Flask,
    method: str,
    path: str,
    sent: dict[str, Any],
    status: int,
    headers: dict[str, str],
    expected: dict[str, list[str]],
) -> None:
    sent = {**sent, "headers": {**sent.get("headers", {}), **headers}}
    response = app.test_client().open(path, method=method, **sent)
    assert response.status_code == status
    assert cors(response) == expected
    response.close()


def test_a_304_has_the_headers(app: Flask) -> None:
    client = app.test_client()
    first = client.get("/static/page.css", headers=FROM_PAGE)
    again = client.get(
        "/static/page.css", headers={**FROM_PAGE, "If-None-Match": first.headers["ETag"]}
    )
    first.close()
    again.close()
    assert again.status_code == 304
    assert cors(again) == READABLE


def test_vary_of_the_session_stays(app: Flask) -> None:
    response = app.test_client().get("/login", headers=FROM_PAGE)
    assert cors(response) == {**READABLE, "vary": ["cookie", "origin"]}


@pytest.mark.parametrize("path", ["/", "/slash", "/missing", "/secret", "/options", "/boom"])
def test_a_preflight_never_reaches_the_application(app: Flask, path: str) -> None:
    seen = []
    app.before_request(lambda: seen.append(request.path))
    client = app.test_client()
    allowed = client.options(path, headers={**FROM_PAGE, **PREFLIGHT})
    refused = client.options(path, headers={**FROM_OTHER_PAGE, **PREFLIGHT})
    assert (allowed.status_code, refused.status_code) == (204, 403)
    assert cors(allowed)["access-control-allow-origin"] == [PAGE]
    assert cors(refused) == REFUSED
    assert seen == []


def test_headers_of_cors_that_a_view_sets_are_replaced_and_noticed_once(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/own")
    def own() -> Response:
        return Response("own", headers={"Access-Control-Allow-Origin": "*"})

    client = app.test_client()
    assert [cors(client.get("/own", headers=FROM_PAGE)) for _ in range(2)] == [READABLE] * 2
    (record,) = caplog.records
    assert record.name == "corscore"


# --- exceptions that Flask leaves to the server

PROPAGATING: list[dict[str, Any]] = [
    {"DEBUG": True},
    {"PROPAGATE_EXCEPTIONS": True},
    {"TRAP_HTTP_EXCEPTIONS": True, "DEBUG": True},
]


@pytest.mark.parametrize("config", PROPAGATING)
def test_an_error_is_readable_for_the_page_that_waits_for_it(
    app: Flask, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    app.config.update(config)
    response = app.test_client().get("/boom?a=b", headers=FROM_PAGE)
    assert response.status == "500 INTERNAL SERVER ERROR"
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.text == "Internal Server Error"
    assert cors(response) == READABLE
    (record,) = caplog.records
    assert record.name == app.logger.name
    assert record.getMessage() == "Exception on /boom [GET]"
    assert record.exc_info is not None
    assert record.exc_info[0] is BoomError


def test_an_error_on_head_has_no_body(app: Flask) -> None:
    app.debug = True
    response = app.test_client().head("/boom", headers=FROM_PAGE)
    assert (response.status_code, response.data) == (500, b"")
    assert cors(response) == READABLE


def test_a_path_is_escaped_for_the_log(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    wrap(app, Failing)
    app.test_client().get("/boom/a%0Ab%1B", headers=FROM_PAGE)
    assert caplog.records[0].getMessage() == r"Exception on /boom/a\nb\x1b [GET]"


@pytest.mark.parametrize("config", PROPAGATING)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        FROM_OTHER_PAGE,
        {"Origin": OWN_ORIGIN},
        {"Origin": PAGE, "Sec-Fetch-Site": "same-origin"},  # behind a proxy
    ],
)
def test_any_other_error_propagates_as_without(
    tmp_path: Path, config: dict[str, Any], headers: dict[str, str]
) -> None:
    app = application(tmp_path)
    app.config.update(config)
    CORS(app, origins=[PAGE, OWN_ORIGIN])
    with pytest.raises(BoomError):
        app.test_client().get("/boom", headers=headers)


@pytest.mark.parametrize("config", [{"TESTING": True}, *PROPAGATING])
def test_a_test_sees_every_error(app: Flask, config: dict[str, Any]) -> None:
    app.config.update({**config, "TESTING": True})
    with pytest.raises(BoomError):
        app.test_client().get("/boom", headers=FROM_PAGE)


def test_an_error_after_the_start_takes_its_place(app: Flask) -> None:
    @app.teardown_request
    def fail(error: BaseException | None) -> None:
        raise BoomError

    # The server has the status, but has sent nothing.
    response = call(app, wsgi_environ("GET", "http://localhost/", [("Origin", PAGE)]))
    assert (response.status, response.starts) == (500, 2)
    assert response.body == b"Internal Server Error"
    assert cors_of(response.headers) == READABLE


def test_an_error_after_the_first_bytes_is_the_server_s(app: Flask) -> None:
    def writing(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])(b"begun")
        raise BoomError

    wrap(app, lambda inner: writing)
    with pytest.raises(BoomError):
        call(app, wsgi_environ("GET", "http://localhost/", [("Origin", PAGE)]))


def test_an_error_is_answered_by_the_layer_that_governs_the_request() -> None:
    """The inner layer leaves the path alone; a foreign layer is between it and the outer one."""
    app = Flask(__name__)
    app.logger.disabled = True
    CORS(app, PolicyMap({"/api": Policy(allow_origins=[PAGE])}))

    def failing(inner: WSGIApplication) -> WSGIApplication:
        def fail(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            inner(environ, start_response)
            raise BoomError

        return fail

    def between(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        return app(environ, lambda status, headers, *error: start_response(status, headers, *error))

    wrap(app, failing)
    site = CORSMiddleware(between, Policy(allow_origins=[PAGE]))
    response = call(site, wsgi_environ("GET", "http://localhost/", [("Origin", PAGE)]))
    assert (response.status, response.starts) == (500, 2)
    assert cors_of(response.headers)["access-control-allow-origin"] == [PAGE]


def test_a_name_of_a_header_may_be_a_member_of_an_enumeration(app: Flask) -> None:
    class Header(str, Enum):
        TOTAL = "X-Total-Count"

    @app.get("/total")
    def total() -> Response:
        response = Response("ok")
        response.headers[Header.TOTAL] = "1"
        return response

    for headers in ({}, FROM_PAGE, FROM_OTHER_PAGE):
        assert app.test_client().get("/total", headers=headers).status_code == 200


def test_a_decision_updates_headers_of_werkzeug() -> None:
    headers = Headers([("Vary", "Cookie"), ("X-Own", "1")])
    info = RequestInfo("GET", origin=PAGE)
    Policy(allow_origins=[PAGE]).decide(info).update(headers)
    assert dict(headers) == {
        "X-Own": "1", "Access-Control-Allow-Origin": PAGE, "Vary": "Cookie, Origin"
    }  # fmt: skip


# --- the decision


def test_a_view_finds_the_decision(app: Flask) -> None:
    seen: list[Decision | None] = []

    def note(passed: Any = None) -> Any:
        seen.append(current_decision())
        return passed

    app.before_request(note)
    app.after_request(note)
    app.teardown_request(note)
    client = app.test_client()
    for headers, kind, is_allowed in (
        (FROM_PAGE, "actual", True),
        (FROM_OTHER_PAGE, "actual", False),
        ({}, "not-cors", False),
    ):
        seen.clear()
        client.get("/", headers=headers)
        assert len(seen) == 3
        for decision in seen:
            assert decision is not None
            assert (decision.kind, decision.origin_allowed) == (kind, is_allowed)


def test_an_async_view_finds_the_decision(app: Flask) -> None:
    response = app.test_client().get("/async", headers=FROM_PAGE)
    assert response.text.startswith("<Decision actual allowed")


def test_the_decision_stays_with_a_client_s_context(app: Flask) -> None:
    with app.test_client() as client:
        client.get("/", headers=FROM_PAGE)
        assert has_request_context()
        decision = current_decision()
    assert decision is not None
    assert decision.allowed


def test_there_is_no_decision_outside_of_a_served_request(app: Flask) -> None:
    assert current_decision() is None
    with app.app_context():
        assert current_decision() is None
    with app.test_request_context(headers=FROM_PAGE):
        assert current_decision() is None


# --- among other layers


class Refusing:
    """A layer that answers everything itself."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("401 Unauthorized", [("Content-Type", "text/plain")])
        return [b"no"]


class Failing(Refusing):
    """A layer that raises."""

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        raise BoomError


def wrap(app: Flask, layer: Callable[[WSGIApplication], WSGIApplication]) -> None:
    wrapped: Any = app
    wrapped.wsgi_app = layer(app.wsgi_app)


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize(("layer", "status"), [(ProxyFix, 200), (Refusing, 401), (Failing, 500)])
def test_layers_around_wsgi_app_are_inside(
    layer: Callable[[WSGIApplication], WSGIApplication], status: int, is_late: bool
) -> None:
    app = application()
    if not is_late:
        wrap(app, layer)
    CORS(app, origins=[PAGE])
    if is_late:
        wrap(app, layer)
    response = app.test_client().get("/", headers=FROM_PAGE)
    assert response.status_code == status
    assert cors(response) == READABLE
    assert app.test_client().options("/", headers={**FROM_PAGE, **PREFLIGHT}).status_code == 204


@pytest.mark.parametrize("is_late", [False, True])
def test_applications_mounted_inside_have_the_policy_too(is_late: bool) -> None:
    app, mounted = application(), application()

    def mount(inner: WSGIApplication) -> WSGIApplication:
        return DispatcherMiddleware(inner, {"/mounted": mounted})

    if not is_late:
        wrap(app, mount)
    CORS(app, origins=[PAGE])
    if is_late:
        wrap(app, mount)
    client = app.test_client()
    for path in ("/", "/mounted/", "/mounted/pages/one", "/mounted/missing"):
        assert cors(client.get(path, headers=FROM_PAGE)) == READABLE, path


def test_applications_side_by_side_have_their_own_policies() -> None:
    first, second, third = application(), application(), application()
    CORS(first, origins=[PAGE])
    CORS(second, origins=[OTHER_PAGE])
    client = Client(DispatcherMiddleware(first, {"/second": second, "/third": third}))
    assert cors(client.get("/", headers=FROM_PAGE)) == READABLE
    assert cors(client.get("/second/", headers=FROM_PAGE)) == REFUSED
    assert cors(client.get("/third/", headers=FROM_PAGE)) == {}
    assert cors(client.get("/second/", headers=FROM_OTHER_PAGE)) == {
        **READABLE,
        "access-control-allow-origin": [OTHER_PAGE],
    }


def test_the_outer_one_of_two_policies_decides(caplog: pytest.LogCaptureFixture) -> None:
    outer, inner = application(), application()
    inner.debug = True
    CORS(outer, origins=[PAGE])
    CORS(inner, origins=[OTHER_PAGE])
    wrap(outer, lambda app: DispatcherMiddleware(app, {"/inner": inner}))
    client = outer.test_client()
    assert cors(client.get("/inner/", headers=FROM_PAGE)) == READABLE
    assert cors(client.get("/inner/", headers=FROM_OTHER_PAGE)) == REFUSED
    caplog.clear()
    # The inner policy does not allow this page, so the outer one answers the error.
    assert cors(client.get("/inner/boom", headers=FROM_PAGE)) == READABLE
    assert [record.name for record in caplog.records] == [outer.logger.name]


def test_a_plain_layer_around_the_application_serves_as_well(app: Flask) -> None:
    bare = application()
    client = Client(CORSMiddleware(bare, Policy(allow_origins=[PAGE])))
    assert client.get("/async", headers=FROM_PAGE).text.startswith("<Decision actual allowed")


# --- the application stays what it was


class Custom(Flask):
    """A subclass that overrides ``__call__``."""

    calls = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.calls += 1
        return super().__call__(environ, start_response)


def test_the_application_stays_what_it_was() -> None:
    app = Custom("custom")
    before = (repr(app), app.name, type(app).__name__, type(app).__qualname__, type(app).__doc__)
    CORS(app, origins=[PAGE])
    assert isinstance(app, Custom)
    assert type(app).__module__ == __name__
    assert before == (
        repr(app), app.name, type(app).__name__, type(app).__qualname__, type(app).__doc__
    )  # fmt: skip
    assert cors(app.test_client().get("/", headers=FROM_PAGE)) == READABLE
    assert app.calls == 1
    assert type(Custom("another")) is Custom


def test_routes_may_be_added_later(app: Flask) -> None:
    app.add_url_rule("/later", view_func=lambda: "later")
    app.register_blueprint(Blueprint("empty", __name__))
    app.before_request(lambda: None)
    response = app.test_client().get("/later", headers=FROM_PAGE)
    assert (response.text, cors(response)) == ("later", READABLE)


def test_allowed_requests_log_nothing(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for headers in (FROM_PAGE, {}):
            app.test_client().get("/", headers=headers)
        assert [record for record in caplog.records if record.name == "corscore"] == []
        app.test_client().get("/", headers=FROM_OTHER_PAGE)
    (record,) = [record for record in caplog.records if record.name == "corscore"]
    assert record.getMessage().startswith("CORS refused (origin-not-allowed): ")
