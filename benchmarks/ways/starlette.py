"""A Starlette application of one route, or of 500 more, under every kind of policy.

Most cases have the other routes behind the one that answers. Before it, they would take 3,300,000
instructions, which vary by more than a policy adds.
"""

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
_BARE_BEHIND = f"{BARE}, behind {_MANY} routes"


async def _view(request: Request) -> Response:
    return Response(cases.BODY, media_type="application/json")


def _others(number: int) -> list[Route]:
    return [Route(f"/other{each}/{{id}}", _view) for each in range(number)]


def _application(view: Endpoint = _view, before: int = 0, after: int = 0) -> Starlette:
    own = Route("/api/items/{id}", view)
    return Starlette(routes=[*_others(before), own, *_others(after)])


def _with(middleware: Any) -> AsgiSite:
    app = _application()
    app.add_middleware(middleware, **cases.options())
    return AsgiSite(app)


def _installed(view: Endpoint = _view, before: int = 0, after: int = 0, **options: Any) -> AsgiSite:
    app = _application(view, before, after)
    install(app, policy(), **options)
    return AsgiSite(app)


def _marked() -> Endpoint:
    async def marked(request: Request) -> Response:
        return Response(cases.BODY, media_type="application/json")

    return cors_policy(policy(max_age=60))(marked)


CASES: Mapping[str, Case] = {
    BARE: Case(lambda: AsgiSite(_application()), ACTUAL, None),
    _BARE_BEHIND: Case(lambda: AsgiSite(_application(before=_MANY)), ACTUAL, None),
    PLAIN: Case(lambda: _with(CORSMiddleware), ACTUAL),
    PEERS["starlette"]: Case(lambda: _with(StarlettesMiddleware), ACTUAL),
    "install": Case(_installed, ACTUAL),
    "route's policy, 1 route": Case(lambda: _installed(_marked()), ACTUAL),
    f"route's policy, {_MANY} routes": Case(lambda: _installed(_marked(), after=_MANY), ACTUAL),
    # Cross-site blocking needs the policy before the application runs.
    f"route's policy, behind {_MANY} routes, looked up": Case(
        lambda: _installed(_marked(), before=_MANY, block_cross_site=True), ACTUAL, _BARE_BEHIND
    ),
}
