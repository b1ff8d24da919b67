"""The table of adapters that run the suite; ``conformance`` says how to add one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import corscore_asgi
import corscore_flask
import corscore_starlette
import corscore_wsgi
from conformance import wsgi
from conformance.asgi import asgi_transport, bare_app
from conformance.django_sites import (
    django_asgi,
    django_asgi_routes,
    django_wsgi,
    django_wsgi_routes,
)
from conformance.flask_sites import flask_app
from conformance.routes import Routes
from conformance.site import Site, Transport
from conformance.starlette_sites import fastapi_app, starlette_app
from corscore import Policy, PolicyMap, PolicyRef

Policies = Policy | PolicyMap | PolicyRef


class Driver(NamedTuple):
    """An adapter as the suite sees it.

    Attributes:
        name: What the tests are called by.
        build: Puts policies around a site.
        build_routes: The same for a site whose routes have policies of their own, which beat
            those around it; None where the adapter knows no routes.
        out_of_reach: Paths of ``strategies.PATHS`` whose answers the adapter cannot reach, each
            with the reason: they come without any CORS header.
    """

    name: str
    build: Callable[[Policies, Site], Transport]
    build_routes: Callable[[Routes, Policies, Site], Transport] | None = None
    out_of_reach: Mapping[str, str] = MappingProxyType({})


def _asgi(policy: Policies, site: Site) -> Transport:
    return asgi_transport(corscore_asgi.CORSMiddleware(bare_app(site), policy))


def _starlette(policy: Policies, site: Site) -> Transport:
    return _starlette_routes({}, policy, site)


def _starlette_routes(routes: Routes, policy: Policies, site: Site) -> Transport:
    app = starlette_app(site, routes)
    app.add_middleware(corscore_starlette.CORSMiddleware, policy=policy)
    return asgi_transport(app)


def _starlette_install(policy: Policies, site: Site) -> Transport:
    return _starlette_install_routes({}, policy, site)


def _starlette_install_routes(routes: Routes, policy: Policies, site: Site) -> Transport:
    app = starlette_app(site, routes)
    corscore_starlette.install(app, policy)
    return asgi_transport(app)


def _fastapi_install(policy: Policies, site: Site) -> Transport:
    return _fastapi_install_routes({}, policy, site)


def _fastapi_install_routes(routes: Routes, policy: Policies, site: Site) -> Transport:
    app = fastapi_app(site, routes)
    corscore_starlette.install(app, policy)
    return asgi_transport(app)


def _wsgi(policy: Policies, site: Site) -> Transport:
    return wsgi.wsgi_transport(corscore_wsgi.CORSMiddleware(wsgi.bare_app(site), policy))


def _flask(policy: Policies, site: Site) -> Transport:
    return _flask_routes({}, policy, site)


def _flask_routes(routes: Routes, policy: Policies, site: Site) -> Transport:
    app = flask_app(site, routes)
    corscore_flask.CORS(app, policy)
    return wsgi.wsgi_transport(app)


DRIVERS = (
    Driver(
        "asgi",
        _asgi,
        out_of_reach={"/crash": "what no layer inside answers, the server answers outside"},
    ),
    Driver("starlette", _starlette, _starlette_routes),
    Driver("starlette-install", _starlette_install, _starlette_install_routes),
    Driver("fastapi-install", _fastapi_install, _fastapi_install_routes),
    Driver(
        "wsgi",
        _wsgi,
        out_of_reach={"/crash": "what no layer inside answers, the server answers outside"},
    ),
    Driver("flask", _flask, _flask_routes),
    Driver("django-wsgi", django_wsgi, django_wsgi_routes),
    Driver("django-asgi", django_asgi, django_asgi_routes),
)
