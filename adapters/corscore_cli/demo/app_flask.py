"""The demo's API in Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, request

from corscore_cli.demo.api import (
    ARTICLES,
    COOKIE_NAME,
    COOKIE_VALUE,
    HEADERS,
    HEALTH,
    NEWS,
    SAVED,
    SESSION,
    UNAUTHORIZED,
    Broken,
)
from corscore_cli.demo.rows import TOKEN
from corscore_flask import CORS

if TYPE_CHECKING:
    from corscore import PolicyRef


def make_app(ref: PolicyRef) -> Flask:
    """The API behind the policies of the moment."""
    app = Flask("corscore_demo")
    # It would print the traceback of an answer that is meant to be one.
    app.logger.disabled = True
    CORS(app, ref)

    @app.get("/articles")
    def list_articles() -> tuple[Response, dict[str, str]]:
        return jsonify(ARTICLES), HEADERS

    @app.put("/articles/<int:number>")
    def replace_article(number: int) -> tuple[Response, int]:
        if request.headers.get("Authorization") != TOKEN:
            return jsonify(UNAUTHORIZED), 401
        return jsonify(SAVED), 200

    @app.route("/articles/<int:number>", methods=["PATCH", "DELETE"])
    def change_article(number: int) -> Response:
        return jsonify(SAVED)

    @app.post("/session")
    def sign_in() -> Response:
        response = jsonify(SESSION)
        response.set_cookie(COOKIE_NAME, COOKIE_VALUE, httponly=True, samesite="Lax")
        return response

    @app.get("/session")
    def who_am_i() -> tuple[Response, int]:
        if request.cookies.get(COOKIE_NAME) != COOKIE_VALUE:
            return jsonify(UNAUTHORIZED), 401
        return jsonify(SESSION), 200

    @app.get("/public/news")
    def tell_news() -> Response:
        return jsonify(NEWS)

    @app.get("/internal/health")
    def tell_health() -> Response:
        return jsonify(HEALTH)

    @app.get("/broken")
    def break_down() -> Response:
        raise Broken

    return app
