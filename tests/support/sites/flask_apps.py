"""A Flask application with every kind of answer of Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from flask import Blueprint, Flask, Response, abort, redirect, request, session

from corscore_flask import current_decision

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class BoomError(Exception):
    """The exception of the views."""


def boom() -> NoReturn:
    raise BoomError


def login() -> str:
    session["user"] = 1
    return "in"


def stream() -> Response:
    def chunks() -> Iterator[str]:
        yield "one "
        yield "two"

    return Response(chunks())


async def asynchronous() -> str:
    return repr(current_decision())


VIEWS: dict[str, Any] = {
    "GET /": lambda: "index",
    "GET /slash/": lambda: "slash",
    "PUT /put": lambda: request.get_data(),
    "GET /moved": lambda: redirect("/"),
    "GET /login": login,
    "GET /secret": lambda: abort(401),
    "GET /teapot": lambda: abort(418),
    "GET /boom": boom,
    "GET /stream": stream,
    "GET /async": asynchronous,
    "OPTIONS /options": lambda: "mine",
}


def application(static_folder: Path | None = None) -> Flask:
    """Return the application, without CORS."""
    app = Flask(__name__, static_folder=static_folder, static_url_path="/static")
    app.config.update(MAX_CONTENT_LENGTH=10, SECRET_KEY="only for tests")
    for rule, view in VIEWS.items():
        method, path = rule.split()
        app.add_url_rule(path, rule, view, methods=[method])
    app.register_error_handler(418, lambda error: ("short and stout", 418))
    pages = Blueprint("pages", __name__, url_prefix="/pages")
    pages.add_url_rule("/one", "one", lambda: "one")
    pages.add_url_rule("/missing", "missing", lambda: abort(404))
    pages.register_error_handler(404, lambda error: ({"missing": True}, 404))
    app.register_blueprint(pages)
    return app
