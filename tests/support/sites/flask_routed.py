"""Routes with their own policies, in every way of Flask."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from flask import Blueprint, Flask, abort, current_app, g, request
from flask.views import MethodView, View
from werkzeug.routing import BaseConverter

from cors_headers import named
from corscore import PolicyMap, PolicyRef
from corscore.testing.conformance import wsgi_sender
from corscore_flask import CORS, cross_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from corscore.testing.conformance import Sender

METHODS = ["GET", "POST", "PUT", "DELETE"]

APP, PATH, BLUE, INNER = named("app"), named("path"), named("blue"), named("inner")
A, B, C = named("a"), named("b"), named("c")
BY_PATH = PolicyMap(
    {"/plain": PATH, "/below": PATH, "/x": PATH, "/outer/*": PATH, "/slash": PATH, "/slash/": B},
    default=None,
)


class Checked(BaseConverter):
    """A converter that needs the application, as one with a database does."""

    def to_python(self, value: str) -> str:
        assert current_app.name
        assert not hasattr(g, "user")
        if value == "gone":
            abort(404)
        if value == "boom":
            raise LookupError("no\nline")
        return value


def passing(view: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator as users write them."""

    @functools.wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return wrapper


def ok(**_: object) -> str:
    return "ok"


class Slotted:
    """A view without weak references."""

    __slots__ = ()

    def __call__(self) -> str:
        return "object"


class Listed(MethodView):
    decorators = [cross_origin(A)]  # noqa: RUF012 - as in Flask's documentation

    def get(self) -> str:
        return "listed"

    @cross_origin(B)
    def put(self) -> str:
        return "put"


class ListedBelow(Listed):
    pass


@cross_origin(C)
class Decorated(View):
    methods = ["GET", "PUT"]  # noqa: RUF012

    def dispatch_request(self) -> str:
        return "decorated"


class DecoratedBelow(Decorated):
    init_every_request = False


class ByMethod(MethodView):
    @cross_origin(A)
    def get(self) -> str:
        return "get"

    @cross_origin(None)
    async def put(self) -> str:
        return "put"

    def delete(self) -> str:
        return "delete"


class ByDispatch(View):
    @cross_origin(A)
    def dispatch_request(self) -> str:
        return "dispatched"


def routed(policies: Any = APP, **options: Any) -> Flask:
    app = Flask(__name__)
    app.url_map.converters["checked"] = Checked
    app.logger.disabled = True
    CORS(app, policies, **options)
    app.add_url_rule("/plain", "plain", ok, methods=METHODS)
    add_functions(app)
    add_methods(app)
    add_rules(app)
    for path, view_class in VIEW_CLASSES.items():
        app.add_url_rule(path, view_func=view_class.as_view(path.strip("/")))

    @app.before_request
    def login() -> None:
        if request.path == "/secret":
            abort(401)

    return app


VIEW_CLASSES: dict[str, type[View]] = {
    "/listed": Listed,
    "/listed-below": ListedBelow,
    "/decorated": Decorated,
    "/decorated-below": DecoratedBelow,
    "/by-method": ByMethod,
    "/by-dispatch": ByDispatch,
}


def add_functions(app: Flask) -> None:
    @app.route("/below", methods=METHODS)
    @cross_origin(A)
    def below() -> str:
        return "below"

    @cross_origin(A)
    @app.route("/above", methods=METHODS)
    def above() -> str:
        return "above"

    @app.route("/alone", methods=METHODS)
    @cross_origin(None)
    def alone() -> str:
        return "alone"

    @app.get("/async")
    @cross_origin(A)
    async def asynchronous() -> str:
        return "async"

    @app.get("/wrapped")
    @passing
    @cross_origin(A)
    @passing
    def wrapped() -> str:
        return "wrapped"

    @app.get("/ref")
    @cross_origin(PolicyRef(B))
    def by_reference() -> str:
        return "ref"


def add_methods(app: Flask) -> None:
    @app.get("/x")
    @cross_origin(A)
    def get_x() -> str:
        return "get"

    @app.delete("/x")
    @cross_origin(B)
    def delete_x() -> str:
        return "delete"

    @app.put("/x")
    def put_x() -> str:
        return "put"


def add_rules(app: Flask) -> None:
    @app.get("/checked/<checked:name>")
    @cross_origin(A)
    def checked(name: str) -> str:
        return name

    @app.get("/slash/")
    @cross_origin(A)
    def slash() -> str:
        return "slash"

    @app.get("/secret")
    @cross_origin(A)
    def secret() -> str:
        return "secret"

    @app.get("/error")
    @cross_origin(A)
    def error() -> NoReturn:
        raise LookupError

    # One function under several rules.
    app.add_url_rule("/shared/a", "shared a", cross_origin(A)(ok))
    app.add_url_rule("/shared/b", "shared b", cross_origin(B)(ok))
    app.add_url_rule("/shared/plain", "shared plain", ok)
    app.add_url_rule("/shared/again", "shared again", app.view_functions["shared a"])

    # Views that are no functions.
    app.add_url_rule("/partial", "partial", cross_origin(A)(functools.partial(ok)))
    app.add_url_rule("/object", "object", Slotted())
    app.add_url_rule("/marked-object", "marked object", cross_origin(A)(Slotted()))

    app.add_url_rule("/page", "page", ok, defaults={"number": 1})
    app.add_url_rule("/page/<int:number>", "page", ok)
    app.add_url_rule("/old", "old", cross_origin(A)(ok), redirect_to="plain")
    app.url_map.add(app.url_rule_class("/viewless", endpoint="viewless", methods=["GET"]))


def with_blueprints(policies: Any = APP) -> Flask:
    app = routed(policies)
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    plain, open_ = Blueprint("plain", __name__), Blueprint("open", __name__)
    CORS(outer, BLUE)
    CORS(inner, INNER)
    CORS(open_, PolicyMap({"/open/b": B}, default=None))
    for blueprint in (outer, inner, plain, open_):
        blueprint.add_url_rule("/", "index", ok, methods=METHODS)
        blueprint.add_url_rule("/own", "own", cross_origin(C)(ok))
        blueprint.add_url_rule("/alone", "alone", cross_origin(None)(ok))
        blueprint.add_url_rule("/b", "b", ok)

    @cross_origin(C)
    @outer.get("/above")
    def above() -> str:
        return "above"

    outer.register_blueprint(inner, url_prefix="/inner")
    outer.register_blueprint(plain, url_prefix="/plain")
    app.register_blueprint(outer, url_prefix="/outer")
    app.register_blueprint(outer, url_prefix="/again", name="again")
    app.register_blueprint(plain, url_prefix="/blue-plain", name="plain-blueprint")
    app.register_blueprint(open_, url_prefix="/open")
    return app


@contextmanager
def serve(policies: Any) -> Iterator[Sender]:
    yield wsgi_sender(with_blueprints(policies))


CASES: dict[str, dict[str, str | None]] = {
    "functions": {
        "GET /plain": "app",
        "GET /below": "a",
        "HEAD /below": "a",
        "OPTIONS /below": "a",
        "PUT /below": "a",
        "put /below": "a",  # Flask reads it as PUT, too
        "PATCH /below": "app",  # 405
        "PURGE /below": "app",
        "GET //below": "a",  # Flask merges the slashes
        "GET /below?a=b": "a",
        "GET /below/": "app",
        "GET /above": "a",
        "GET /async": "a",
        "GET /wrapped": "a",
        "GET /ref": "b",
        "GET /missing": "app",
        "GET /static/missing": "app",
    },
    "left alone": {"GET /alone": None, "DELETE /alone": None, "PATCH /alone": "app"},
    "methods": {
        "GET /x": "a",
        "HEAD /x": "a",
        "DELETE /x": "b",
        "PUT /x": "app",
        "PATCH /x": "app",
    },
    "rules": {
        "GET /checked/one": "a",
        "GET /checked/gone": "app",  # the converter refuses it
        "GET /slash/": "a",
        "GET /slash": "app",  # a redirect
        "GET /page/1": "app",  # redirects to /page
        "GET /old": "app",  # redirects
        "GET /secret": "a",  # 401 in before_request
        "GET /error": "a",
    },
    "functions under several rules": {
        "GET /shared/a": "a",
        "GET /shared/b": "b",
        "GET /shared/plain": "app",
        "GET /shared/again": "a",
    },
    "other callables": {"GET /partial": "a", "GET /object": "app", "GET /marked-object": "a"},
    "classes": {
        "GET /listed": "a",
        "HEAD /listed": "a",
        "PUT /listed": "b",
        "GET /listed-below": "a",
        "PUT /listed-below": "b",
        "GET /decorated": "c",
        "PUT /decorated-below": "c",
        "GET /by-method": "a",
        "HEAD /by-method": "a",
        "PUT /by-method": None,
        "DELETE /by-method": "app",
        "GET /by-dispatch": "a",
    },
    "blueprints": {
        "GET /outer/": "blue",
        "DELETE /outer/": "blue",
        "PATCH /outer/": "app",
        "GET /outer/own": "c",
        "GET /outer/above": "c",
        "GET /outer/alone": None,
        "GET /outer/missing": "app",  # no route of the blueprint
        "GET /outer/inner/": "inner",
        "GET /outer/inner/own": "c",
        "GET /outer/plain/": "blue",
        "GET /again/": "blue",
        "GET /again/inner/": "inner",
        "GET /blue-plain/": "app",
        "GET /open/": None,
        "GET /open/b": "b",
        "GET /open/own": "c",
    },
    "by path, and by route": {
        "GET /plain": "path",
        "GET //plain": "path",
        "PATCH /plain": "path",
        "GET /below": "a",
        "PATCH /below": "path",
        "PUT /x": "path",
        "DELETE /x": "b",
        "GET /alone": None,
        "GET /shared/a": "a",
        "GET /shared/plain": None,
        "GET /outer/": "blue",
        "GET /outer/missing": "path",
        "GET /outer/alone": None,
        "GET /slash": "path",
        "GET /slash/": "a",
        "GET /missing": None,
    },
}
