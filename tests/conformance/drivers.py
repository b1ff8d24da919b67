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
from conformance.django_sites import django_asgi, django_wsgi
from conformance.flask_sites import flask_app
from conformance.site import Site, Transport
from conformance.starlette_sites import fastapi_app, starlette_app
from corscore import Policy


class Driver(NamedTuple):
    """An adapter as the suite sees it.

    Attributes:
        name: What the tests are called by.
        build: Puts a policy around a site.
        out_of_reach: Paths of ``strategies.PATHS`` whose answers the adapter cannot reach, each
            with the reason: they come without any CORS header.
    """

    name: str
    build: Callable[[Policy, Site], Transport]
    out_of_reach: Mapping[str, str] = MappingProxyType({})


def _asgi(policy: Policy, site: Site) -> Transport:
    return asgi_transport(corscore_asgi.CORSMiddleware(bare_app(site), policy))


def _starlette(policy: Policy, site: Site) -> Transport:
    app = starlette_app(site)
    app.add_middleware(corscore_starlette.CORSMiddleware, policy=policy)
    return asgi_transport(app)


def _starlette_install(policy: Policy, site: Site) -> Transport:
    app = starlette_app(site)
    corscore_starlette.install(app, policy)
    return asgi_transport(app)


def _fastapi_install(policy: Policy, site: Site) -> Transport:
    app = fastapi_app(site)
    corscore_starlette.install(app, policy)
    return asgi_transport(app)


def _wsgi(policy: Policy, site: Site) -> Transport:
    return wsgi.wsgi_transport(corscore_wsgi.CORSMiddleware(wsgi.bare_app(site), policy))


def _flask(policy: Policy, site: Site) -> Transport:
    app = flask_app(site)
    corscore_flask.CORS(app, policy)
    return wsgi.wsgi_transport(app)


DRIVERS = (
    Driver(
        "asgi",
        _asgi,
        out_of_reach={"/crash": "what no layer inside answers, the server answers outside"},
    ),
    Driver("starlette", _starlette),
    Driver("starlette-install", _starlette_install),
    Driver("fastapi-install", _fastapi_install),
    Driver(
        "wsgi",
        _wsgi,
        out_of_reach={"/crash": "what no layer inside answers, the server answers outside"},
    ),
    Driver("flask", _flask),
    Driver("django-wsgi", django_wsgi),
    Driver("django-asgi", django_asgi),
)
