"""A Starlette application with one route or 500 more, governed in every way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware as StarlettesMiddleware
from starlette.responses import Response
from starlette.routing import Route

from benchmarks import cases
from benchmarks.cases import ACTUAL
from benchmarks.sites.serving import AsgiSite
from benchmarks.ways import BARE, PEERS, PLAIN, Case
from benchmarks.ways.asgi import policy
from corscore_starlette import CORSMiddleware, cors_policy, install

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from starlette.requests import Request

    Endpoint = Callable[[Request], Any]

_MANY = 500
_BARE_OF_MANY = f"{BARE}, {_MANY} routes"


async def _view(request: Request) -> Response:
    return Response(cases.BODY, media_type="application/json")


def _application(view: Endpoint = _view, others: int = 0) -> Starlette:
    routes = [Route(f"/other{number}/{{id}}", _view) for number in range(others)]
    return Starlette(routes=[*routes, Route("/api/items/{id}", view)])


def _with(middleware: Any) -> AsgiSite:
    app = _application()
    app.add_middleware(middleware, **cases.options())
    return AsgiSite(app)


def _installed(view: Endpoint = _view, others: int = 0) -> AsgiSite:
    app = _application(view, others)
    install(app, policy())
    return AsgiSite(app)


def _marked() -> Endpoint:
    async def marked(request: Request) -> Response:
        return Response(cases.BODY, media_type="application/json")

    return cors_policy(policy(max_age=60))(marked)


CASES: Mapping[str, Case] = {
    BARE: Case(lambda: AsgiSite(_application()), ACTUAL, None),
    _BARE_OF_MANY: Case(lambda: AsgiSite(_application(others=_MANY)), ACTUAL, None),
    PLAIN: Case(lambda: _with(CORSMiddleware), ACTUAL),
    PEERS["starlette"]: Case(lambda: _with(StarlettesMiddleware), ACTUAL),
    "install": Case(_installed, ACTUAL),
    "route's policy, 1 route": Case(lambda: _installed(_marked()), ACTUAL),
    f"route's policy, {_MANY} routes": Case(
        lambda: _installed(_marked(), _MANY), ACTUAL, _BARE_OF_MANY
    ),
}
