"""A preflight and its request have the same policy, over generated trees of blueprints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Request, Response, abort, make_response
from flask.views import MethodView
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from corscore.testing.conformance import Crash, wsgi_sender
from corscore_flask import CORS, cross_origin
from route_trees import HOSTS, MARKS, POLICIES, UNMARKED, Node, assert_one_policy, requests, trees

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIApplication

KINDS = ["route", "class", "crash", "missing", "redirect", "in", "in", "in"]
PATHS = ["/a", "/b", "/a/", "/a/b", "/<name>", "/<path:rest>"]
# No variables, since a rule may have each name only once.
PREFIXES = ["/a", "/b", None]


def view_of(node: Node) -> Any:
    def view(**_: object) -> str:
        if node.kind == "crash":
            raise Crash
        if node.kind == "missing":
            abort(404)
        return "ok"

    if node.kind != "class":
        return view if node.mark == UNMARKED else cross_origin(MARKS[node.mark])(view)

    def method(self: object, **_: object) -> str:
        return "class"

    # One method has the policy; the others have that of the blueprint.
    names = [name.lower() for name in node.methods]
    made = dict.fromkeys(names, method)
    if node.mark != UNMARKED:
        made[names[0]] = cross_origin(MARKS[node.mark])(method)
    page: Any = type("Page", (MethodView,), made)
    return page.as_view("page")


def app_of(tree: Any, *, by_host: bool) -> Flask:
    app = Flask(__name__, static_folder=None, host_matching=by_host)
    app.logger.disabled = True
    app.register_error_handler(404, lambda _: make_response("no such page", 404))
    blueprints: list[Blueprint] = []
    for number, (level, mark) in enumerate(tree):
        is_last = number == len(tree) - 1
        place: Any = app if is_last else Blueprint(f"level{number}", __name__)
        for index, node in enumerate(level):
            if node.kind == "in" and blueprints:
                blueprint = blueprints[node.number % len(blueprints)]
                prefix = PREFIXES[node.number % 3]
                place.register_blueprint(blueprint, name=f"in{index}", url_prefix=prefix)
                continue
            options: dict[str, Any] = {}
            if by_host:
                options["host"] = (*HOSTS, "<tenant>.example")[node.number % 3]
            if node.kind == "redirect":
                options["redirect_to"] = "/a"
            if node.kind != "class":
                options["methods"] = node.methods
            place.add_url_rule(node.path, f"view{index}", view_of(node), **options)
        if not is_last:
            # A blueprint cannot be left alone.
            if mark != UNMARKED and MARKS[mark] is not None:
                CORS(place, MARKS[mark])
            blueprints.append(place)
    return app


# --- middleware between the layer and the routes


def setting(change: Callable[[Any], object]) -> Callable[[WSGIApplication], WSGIApplication]:
    def around(inside: WSGIApplication) -> WSGIApplication:
        def middleware(environ: Any, start_response: Any) -> Any:
            change(environ)
            return inside(environ, start_response)

        return middleware

    return around


def copying(inside: WSGIApplication) -> WSGIApplication:
    return lambda environ, start_response: inside(dict(environ), start_response)


def to_other(environ: Any) -> None:
    environ["PATH_INFO"] = environ["PATH_INFO"].translate(str.maketrans("ab", "ba"))


def answering(inside: WSGIApplication) -> WSGIApplication:
    return Response("answered before routing")


def mounting(inside: WSGIApplication) -> WSGIApplication:
    node = Node("route", "/a", ("GET", "PUT"), 0, UNMARKED)
    return DispatcherMiddleware(inside, {"/a": app_of([([node], UNMARKED)], by_host=False)})


rewriting = setting(to_other)
# Each with whether it may send a request to another route than that of its URL.
MIDDLEWARE: dict[str, tuple[Any, bool]] = {
    "none": (lambda inside: inside, False),
    "copy": (copying, False),
    "answering": (answering, False),
    "mounting": (mounting, False),
    "looking": (setting(lambda environ: Request(environ).get_data()), False),
    "path": (rewriting, True),
    "path-copy": (lambda inside: copying(rewriting(inside)), False),
    "copy-path": (lambda inside: rewriting(copying(inside)), False),
    "method": (setting(lambda environ: environ.update(REQUEST_METHOD="GET")), True),
    "host": (setting(lambda environ: environ.update(HTTP_HOST=HOSTS[1])), True),
}


@settings(max_examples=min(100, settings().max_examples))
@given(
    trees(KINDS, PATHS),
    st.booleans(),
    st.booleans(),
    st.sampled_from([*MIDDLEWARE]),
    requests("//a//b"),
)
def test_a_preflight_and_its_request_have_the_same_policy(
    tree: Any, by_host: bool, answers_before: bool, middleware: str, sent: Any
) -> None:
    app = app_of(tree, by_host=by_host)
    if answers_before:
        app.before_request(lambda: "answered before the view")
    around, may_differ = MIDDLEWARE[middleware]
    CORS(app, POLICIES)
    app.wsgi_app = around(app.wsgi_app)  # type: ignore[method-assign]
    assert_one_policy(wsgi_sender(app), sent, may_differ=may_differ)
