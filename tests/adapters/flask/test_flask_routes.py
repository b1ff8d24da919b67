"""Policies of blueprints and views in Flask: when they are found, and wrong arguments."""

from __future__ import annotations

import inspect
import itertools
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from flask import Blueprint, Flask, g, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

import cors_headers
from cors_headers import PAGE, REFUSED, cors_of
from corscore import ConfigError, Policy, PolicyMap, PolicyRef
from corscore.testing.conformance import wsgi_sender
from corscore.testing.conformance._wsgi import call, wsgi_environ
from corscore_flask import CORS, cross_origin, current_decision
from flask_routed import (
    APP,
    INNER,
    PATH,
    A,
    B,
    ByMethod,
    C,
    Decorated,
    Listed,
    ok,
    passing,
    routed,
    with_blueprints,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from corscore import Decision, RequestInfo

pytestmark = pytest.mark.usefixtures("build")


def governing(app: Flask, method: str, url: str) -> str | None:
    return cors_headers.governing(wsgi_sender(app), method, url)


def sent(app: Flask, method: str, url: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Send a request as a server would, and return the status and the headers of CORS."""
    if url.startswith("/"):
        url = f"https://api.example.com{url}"
    environ = wsgi_environ(method, url, [("Origin", PAGE), *headers.items()])
    response = call(app, environ)
    return response.status, cors_of(response.headers)


def test_a_rule_without_a_view_has_the_policy_of_the_app() -> None:
    app = routed()
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert governing(app, "GET", "/viewless") == "app"


@pytest.mark.parametrize(
    ("options", "host", "expected"),
    [
        ({"host_matching": True, "static_host": "static.example"}, "a.example", "a"),
        ({"host_matching": True, "static_host": "static.example"}, "b.example", "b"),
        ({"host_matching": True, "static_host": "static.example"}, "c.example", "app"),
        ({"subdomain_matching": True}, "a.site.example", "a"),
        ({"subdomain_matching": True}, "b.site.example", "b"),
        ({"subdomain_matching": True}, "site.example", "app"),
    ],
)
def test_hosts_have_routes_of_their_own(options: dict[str, Any], host: str, expected: str) -> None:
    app = Flask(__name__, **options)
    is_by_host = "host_matching" in options
    if not is_by_host:
        app.config["SERVER_NAME"] = "site.example"
    CORS(app, APP)
    for name, policy in (("a", A), ("b", B)):
        place: Any = {"host": f"{name}.example"} if is_by_host else {"subdomain": name}
        app.add_url_rule("/", name, cross_origin(policy)(ok), **place)
    assert governing(app, "GET", f"https://{host}/") == expected


def test_a_host_that_is_not_trusted_has_no_routes() -> None:
    app = routed()
    if "TRUSTED_HOSTS" not in app.config:
        pytest.skip("this Flask has no such setting")
    app.config["TRUSTED_HOSTS"] = ["site.example"]
    assert governing(app, "GET", "https://site.example/below") == "a"
    assert governing(app, "GET", "https://other.example/below") == "app"


@pytest.mark.parametrize("path", ["/below", "/plain"])
def test_routes_of_a_mounted_application_have_their_policies(path: str) -> None:
    app = routed(PolicyMap({"/plain": PATH}, default=None))
    environ = wsgi_environ("GET", f"https://site.example{path}", [("Origin", PAGE)])
    environ["SCRIPT_NAME"] = "/mounted"
    response = call(app, environ)
    expected = "X-a" if path == "/below" else "X-path"
    assert cors_of(response.headers)["access-control-expose-headers"] == [expected]


def test_a_404_of_another_application_has_the_policy_of_its_url() -> None:
    app, other = Flask(__name__), Flask(__name__)
    app.add_url_rule("/page", "page", cross_origin(INNER)(ok))
    CORS(app, APP)
    app.wsgi_app = other.wsgi_app  # type: ignore[method-assign]
    assert governing(app, "GET", "/page") == "inner"


def test_the_signature_says_that_nothing_is_not_none() -> None:
    assert str(inspect.signature(cross_origin).parameters["policy"]).endswith("= ...")


def test_a_view_without_its_decorator_has_no_policy_of_its_own() -> None:
    app = Flask(__name__)
    CORS(app, APP)

    @cross_origin(A)
    def view() -> str:
        return "view"

    undecorated: Any = view
    app.add_url_rule("/view", "view", view)
    app.add_url_rule("/plain", "plain", undecorated.__wrapped__)
    assert (governing(app, "GET", "/view"), governing(app, "GET", "/plain")) == ("a", "app")


def test_resources_of_the_app_are_no_limit_to_its_routes() -> None:
    app = Flask(__name__)
    app.config["CORS_RESOURCES"] = {"/api/*": {"origins": [PAGE], "expose_headers": "X-app"}}
    CORS(app)
    decorate = cross_origin(origins=[PAGE], expose_headers="X-a", allow_headers="x-a")
    app.add_url_rule("/own", "own", decorate(ok))
    app.add_url_rule("/plain", "plain", ok)
    assert governing(app, "GET", "/own") == "a"
    assert governing(app, "GET", "/plain") is None


# --- the lookup


def test_a_route_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    app = with_blueprints()
    asked: list[Any] = []
    create = app.create_url_adapter

    def counted(sent: Any) -> Any:
        if sent is not None:  # a context of the app asks, too, without a URL to match
            asked.append(sent.environ["REQUEST_METHOD"])
        return create(sent)

    monkeypatch.setattr(app, "create_url_adapter", counted)
    sent(app, "OPTIONS", "/x", {"Access-Control-Request-Method": "DELETE"})
    assert asked == ["DELETE"]
    asked.clear()
    sent(app, "DELETE", "/x", {})
    assert asked == ["DELETE"]  # Flask's own look-up, whose result is used


def test_apps_without_route_policies_look_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Flask(__name__)
    app.add_url_rule("/", "index", ok)
    CORS(app, APP)
    routed()  # another app with routes in the same process
    asks = {"Access-Control-Request-Method": "GET"}
    monkeypatch.setattr(app, "app_context", lambda: pytest.fail("it was looked up"))
    monkeypatch.setattr(app, "create_url_adapter", lambda sent: pytest.fail("it was looked up"))
    assert sent(app, "OPTIONS", "/", asks)[0] == 204


def test_the_application_sees_the_environ_as_it_was_sent() -> None:
    app = routed()
    seen: list[Any] = []

    @app.before_request
    def note() -> None:
        seen.append((request.method, request.environ.get("REQUEST_METHOD"), vars(g).get("user")))

    sent(app, "DELETE", "/x", {})
    assert seen == [("DELETE", "DELETE", None)]


def test_routes_may_be_added_after_a_preflight() -> None:
    app = Flask(__name__)
    CORS(app, APP)
    marked, completed, incomplete = (
        cross_origin(A)(ok),
        cross_origin(C)(ok),
        cross_origin(max_age=1)(ok),
    )
    # Flask takes routes until its first request, and a preflight never reaches it.
    assert sent(app, "OPTIONS", "/late", {"Access-Control-Request-Method": "GET"})[0] == 204
    app.add_url_rule("/late", "late", marked)
    assert governing(app, "GET", "/late") == "a"
    app.view_functions["late"] = cross_origin(B)(ok)
    assert governing(app, "GET", "/late") == "b"
    app.view_functions["late"] = marked
    assert governing(app, "GET", "/late") == "a"
    app.view_functions["late"] = completed
    assert governing(app, "GET", "/late") == "c"
    app.view_functions["late"] = incomplete
    with pytest.raises(ConfigError) as caught:
        sent(app, "GET", "/late", {})
    assert [problem.code for problem in caught.value.problems] == ["origins-missing"]


def test_a_teardown_may_clean_up_after_the_lookup() -> None:
    app = routed()
    ended: list[Any] = []
    app.teardown_appcontext(ended.append)
    sent(app, "OPTIONS", "/checked/one", {"Access-Control-Request-Method": "GET"})
    assert ended == [None]


# --- what else an adapter promises


def test_the_decision_is_the_route_s() -> None:
    app = Flask(__name__)
    CORS(app, PolicyRef(PolicyMap({"/path": PATH}, default=None)))
    seen: list[Decision | None] = []

    def view() -> str:
        seen.append(current_decision())
        return "ok"

    app.add_url_rule("/path", "path", view)
    app.add_url_rule("/other", "other", view)
    app.add_url_rule("/a", "a", cross_origin(A)(view))
    app.add_url_rule("/none", "none", cross_origin(None)(view))
    for path in ("/path", "/other", "/a", "/none"):
        sent(app, "GET", path, {})
    path_decision, other, of_route, none = seen
    assert (other, none) == (None, None)
    assert path_decision is not None
    assert of_route is not None
    assert ("Access-Control-Expose-Headers", "X-path") in path_decision.headers
    assert ("Access-Control-Expose-Headers", "X-a") in of_route.headers


@pytest.mark.parametrize("outer", [APP, PolicyRef(APP)])
@pytest.mark.parametrize("inner", [A, PolicyRef(A)])
def test_the_decision_of_an_app_inside_another(outer: Any, inner: Any) -> None:
    seen: list[Decision | None] = []

    def view() -> str:
        seen.append(current_decision())
        return "ok"

    apps = [Flask("outer"), Flask("inner")]
    for app, policies in zip(apps, (outer, inner), strict=True):
        app.add_url_rule("/", "index", view)
        CORS(app, policies)
    around: Any = apps[0]
    around.wsgi_app = DispatcherMiddleware(around.wsgi_app, {"/inner": apps[1]})
    for path, name in (("/", "app"), ("/inner/", "a")):
        seen.clear()
        sent(apps[0], "GET", path, {})
        (decision,) = seen
        assert decision is not None
        assert ("Access-Control-Expose-Headers", f"X-{name}") in decision.headers


def test_an_error_is_readable_with_flask_s_debugger() -> None:
    app = Flask(__name__)
    app.debug = True
    app.logger.disabled = True
    CORS(app, APP)

    def boom() -> NoReturn:
        raise LookupError

    app.add_url_rule("/boom", "boom", cross_origin(A)(boom))
    app.add_url_rule("/none", "none", cross_origin(None)(boom))
    status, headers = sent(app, "GET", "/boom", {})
    assert status == 500
    assert headers["access-control-expose-headers"] == ["X-a"]
    with pytest.raises(LookupError):
        sent(app, "GET", "/none", {})


def test_options_of_the_layer_count_beside_those_of_flask_cors() -> None:
    seen: list[str] = []
    app = Flask(__name__)
    app.config["CORS_OWN_ORIGINS"] = "https://own.example"
    app.add_url_rule("/", "index", ok, methods=["POST"])
    cors = CORS(origins=[PAGE], block_cross_site=True)
    cors.init_app(app, on_decision=lambda decision, _: seen.append(decision.kind))
    assert sent(app, "POST", "/", {"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert seen == ["actual"]
    own = [("Origin", "https://own.example"), ("Sec-Fetch-Site", "cross-site")]
    assert call(app, wsgi_environ("POST", "https://site.example/", own)).status == 200


@pytest.mark.parametrize("policy", [None, APP])
def test_the_configuration_may_block_cross_site_requests(policy: Policy | None) -> None:
    app = Flask(__name__)
    app.config.update(CORS_BLOCK_CROSS_SITE=True, CORS_ORIGINS=[PAGE])
    app.add_url_rule("/", "index", ok, methods=["POST"])
    CORS(app, policy)
    assert sent(app, "POST", "/", {"Sec-Fetch-Site": "cross-site"})[0] == 403


@pytest.mark.parametrize("is_route", [False, True])
def test_a_resolver_is_asked_with_the_request(is_route: bool) -> None:
    asked: list[Any] = []

    def is_allowed(origin: str, request: RequestInfo) -> bool:
        asked.append((origin, request.method, request.path, type(request.native)))
        return True

    app = Flask(__name__)
    options: Any = {"origin_resolver": is_allowed, "expose_headers": ["X-a"]}
    if is_route:
        CORS(app, APP)
        app.add_url_rule("/x", "x", cross_origin(**options, allow_headers=["x-a"])(ok))
    else:
        CORS(app, **options, allow_headers=["x-a"])
        app.add_url_rule("/x", "x", ok)
    environ = wsgi_environ("GET", "https://site.example/x", [("Origin", "https://new.example")])
    headers = cors_of(call(app, environ).headers)
    assert headers["access-control-allow-origin"] == ["https://new.example"]
    assert asked == [("https://new.example", "GET", "/x", dict)]


async def is_allowed_async(origin: str, request: object) -> bool:
    raise AssertionError


ASYNC = Policy(origin_resolver=is_allowed_async)


@pytest.mark.parametrize(
    "use",
    [
        lambda: CORS(Flask(__name__), ASYNC),
        lambda: CORS(Flask(__name__), PolicyMap({"/api/*": ASYNC})),
        lambda: CORS(Flask(__name__), PolicyRef(ASYNC)),
        lambda: CORS(Flask(__name__), origin_resolver=is_allowed_async),
        lambda: CORS(Blueprint("b", __name__), ASYNC),
        lambda: cross_origin(ASYNC),
        lambda: cross_origin(PolicyRef(ASYNC)),
    ],
)
def test_an_async_resolver_stops_the_start(use: Callable[[], object]) -> None:
    with pytest.raises(ConfigError) as caught:
        use()
    assert [problem.code for problem in caught.value.problems] == ["resolver-is-async"]


def test_a_reference_of_a_route_takes_no_async_resolver_later() -> None:
    ref = PolicyRef(A)
    app = Flask(__name__)
    CORS(app, APP)
    app.add_url_rule("/x", "x", cross_origin(ref)(ok))
    with pytest.raises(ConfigError):
        ref.replace(ASYNC)
    assert governing(app, "GET", "/x") == "a"


# --- options of a route, and what app.config adds to them


def test_options_of_a_route_are_completed_by_the_configuration() -> None:
    view = cross_origin(expose_headers="X-Own")(ok)
    blueprint = Blueprint("pages", __name__)
    CORS(blueprint, max_age=7)
    blueprint.add_url_rule("/blue", "blue", ok)
    apps = [Flask("one"), Flask("two")]
    for number, app in enumerate(apps):
        app.config["CORS_ORIGINS"] = [f"https://{number}.example", PAGE]
        app.config["CORS_MAX_AGE"] = 60
        CORS(app, PolicyMap({}, default=None))
        app.add_url_rule("/own", "own", view)
        app.register_blueprint(blueprint)
        asks = {"Access-Control-Request-Method": "GET"}
        assert sent(app, "GET", "/own", {})[1]["access-control-expose-headers"] == ["X-Own"]
        assert sent(app, "OPTIONS", "/own", asks)[1]["access-control-max-age"] == ["60"]
        assert sent(app, "OPTIONS", "/blue", asks)[1]["access-control-max-age"] == ["7"]
    environ = wsgi_environ("GET", "https://site.example/own", [("Origin", "https://0.example")])
    assert cors_of(call(apps[1], environ).headers) == REFUSED


def test_a_mark_that_app_config_does_not_complete_stops_every_request() -> None:
    app = Flask(__name__)
    app.config["CORS_SUPPORTS_CREDENTIALS"] = True
    CORS(app, PolicyMap({}, default=None))
    app.add_url_rule("/missing", "missing", cross_origin()(ok))
    app.add_url_rule("/any", "any", cross_origin(origins="*")(ok))
    app.add_url_rule("/plain", "plain", lambda: "plain")
    for _ in range(2):
        with pytest.raises(ConfigError) as caught:
            sent(app, "GET", "/plain", {})
        found = {(problem.code, problem.field) for problem in caught.value.problems}
        assert found == {
            ("origins-missing", "CORS_ORIGINS"),
            ("wildcard-with-credentials", "origins"),
        }
        assert all("the view ok: " in problem.message for problem in caught.value.problems)


@pytest.mark.parametrize(
    "decorate",
    [lambda **options: cross_origin(**options), lambda **o: CORS(Blueprint("b", __name__), **o)],
)
@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ({"origins": ["https://a.example/"]}, ["origin-trailing-slash"]),
        ({"origins": "*", "supports_credentials": True}, ["wildcard-with-credentials"]),
        ({"orgins": ["https://a.example"]}, ["option-unknown"]),
        ({"methods": ["patch"], "origins": "a"}, ["origin-scheme-missing", "method-case"]),
        ({"expose_headers": ["a b"]}, ["header-invalid"]),
    ],
)
def test_wrong_options_of_a_route_are_reported_at_its_line(
    decorate: Callable[..., object], options: dict[str, Any], codes: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        decorate(**options)
    assert [problem.code for problem in caught.value.problems] == codes


def test_an_app_may_accept_a_risk_for_its_routes() -> None:
    app = Flask(__name__)
    app.config["CORS_DANGEROUSLY_ALLOW_INSECURE_ORIGINS"] = True
    CORS(app, PolicyMap({}, default=None))
    decorate = cross_origin(origins=["http://a.example"], supports_credentials=True)
    app.add_url_rule("/x", "x", decorate(ok))
    assert sent(app, "GET", "/x", {}) == (200, REFUSED)


WRONG: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: cross_origin(ok), TypeError, "write @cross_origin(...), with the parentheses"),  # type: ignore[arg-type]
    (lambda: cross_origin("https://a.example"), TypeError, "write cross_origin(origins=[...])"),  # type: ignore[arg-type]
    (lambda: cross_origin([PAGE]), TypeError, "a Policy was expected, not list"),  # type: ignore[arg-type]
    (lambda: cross_origin(PolicyMap({})), TypeError, "CORS(app, PolicyMap(...)) has those"),  # type: ignore[arg-type]
    (lambda: cross_origin(A, origins=[PAGE]), TypeError, "a policy and options (origins)"),
    (lambda: cross_origin(None, max_age=1), TypeError, "a policy and options (max_age)"),
    (
        lambda: cross_origin(block_cross_site=True),  # type: ignore[call-arg]
        TypeError,
        "write CORS(app, block_cross_site=...)",
    ),
    (lambda: cross_origin(resources="/a"), TypeError, "write CORS(app, resources=...)"),  # type: ignore[call-arg]
    (lambda: cross_origin(A)(dict), TypeError, "decorates a view"),
    (lambda: cross_origin(A)("view"), TypeError, "decorates a view"),  # type: ignore[type-var]
    (lambda: cross_origin(A)(cross_origin(B)(ok)), RuntimeError, "on ok twice"),
    (lambda: cross_origin(A)(passing(cross_origin(B)(ok))), RuntimeError, "on ok twice"),
    (lambda: cross_origin(A)(Decorated), RuntimeError, "on Decorated twice"),
    (
        lambda: CORS(Blueprint("b", __name__), A, shadow=B),
        TypeError,
        "shadow is for the whole app",
    ),
    (lambda: CORS(Blueprint("b", __name__), "*"), TypeError, "write CORS(blueprint, origins="),  # type: ignore[arg-type]
    (lambda: twice(Blueprint("b", __name__)), RuntimeError, "called twice"),
]


def twice(blueprint: Blueprint) -> None:
    CORS(blueprint, A)
    CORS(blueprint, B)


@pytest.mark.parametrize(("use", "error", "says"), WRONG, ids=[says for *_, says in WRONG])
def test_wrong_arguments_of_a_route_say_what_to_write(
    use: Callable[[], object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as caught:
        use()
    assert says in str(caught.value)


# --- an app that has no policy to look at the marks


def unprotected() -> Flask:
    app = Flask(__name__)
    app.testing = True
    app.add_url_rule("/below", "below", cross_origin(A)(lambda: "below"))

    @cross_origin(A)
    @app.get("/above")
    def above() -> str:
        return "above"

    @app.get("/async")
    @cross_origin(None)
    async def asynchronous() -> str:
        return "async"

    blueprint = Blueprint("pages", __name__)
    CORS(blueprint, A)
    blueprint.add_url_rule("/blue", "blue", ok)
    app.register_blueprint(blueprint)
    app.add_url_rule("/listed", view_func=Listed.as_view("listed"))
    app.add_url_rule("/by-method", view_func=ByMethod.as_view("by-method"))
    app.add_url_rule("/plain", "plain", lambda: "plain")
    return app


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *itertools.product(["GET", "OPTIONS"], ["/below", "/above", "/async", "/blue", "/listed"]),
        ("GET", "/by-method"),  # its OPTIONS has no policy of its own
    ],
)
def test_a_marked_route_of_an_app_without_a_policy_is_an_error(method: str, path: str) -> None:
    app = unprotected()
    with pytest.raises(RuntimeError) as caught:
        app.test_client().open(path, method=method)
    assert "write CORS(app, PolicyMap({}, default=None))" in str(caught.value)
    CORS(app, PolicyMap({}, default=None))
    assert app.test_client().open(path, method=method).status_code == 200


def test_other_views_of_such_an_app_are_served() -> None:
    client = unprotected().test_client()
    assert client.get("/plain").text == "plain"
    assert client.delete("/by-method").text == "delete"
    assert client.get("/missing").status_code == 404
