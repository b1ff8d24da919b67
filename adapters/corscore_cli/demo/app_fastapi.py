"""The demo's API in FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Cookie, FastAPI, Header, HTTPException, Response

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
from corscore_starlette import install

if TYPE_CHECKING:
    from corscore import PolicyRef


def make_app(ref: PolicyRef) -> FastAPI:
    """The API behind the policies of the moment."""
    app = FastAPI(openapi_url=None)
    install(app, ref)

    @app.get("/articles")
    async def list_articles(response: Response) -> list[dict[str, int | str]]:
        response.headers.update(HEADERS)
        return [*ARTICLES]

    @app.put("/articles/{number}")
    async def replace_article(
        number: int, article: dict[str, str], authorization: Annotated[str, Header()] = ""
    ) -> dict[str, bool]:
        if authorization != TOKEN:
            raise HTTPException(401, UNAUTHORIZED["detail"])
        return SAVED

    @app.patch("/articles/{number}")
    @app.delete("/articles/{number}")
    async def change_article(number: int) -> dict[str, bool]:
        return SAVED

    @app.post("/session")
    async def sign_in(response: Response) -> dict[str, str]:
        response.set_cookie(COOKIE_NAME, COOKIE_VALUE, httponly=True, samesite="lax")
        return SESSION

    @app.get("/session")
    async def who_am_i(session: Annotated[str, Cookie(alias=COOKIE_NAME)] = "") -> dict[str, str]:
        if session != COOKIE_VALUE:
            raise HTTPException(401, UNAUTHORIZED["detail"])
        return SESSION

    @app.get("/public/news")
    async def tell_news() -> dict[str, str]:
        return NEWS

    @app.get("/internal/health")
    async def tell_health() -> dict[str, bool]:
        return HEALTH

    @app.get("/broken")
    async def break_down() -> None:
        raise Broken

    return app
