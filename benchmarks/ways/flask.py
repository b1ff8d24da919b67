"""A Flask application, under every kind of policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.cases import ACTUAL, PREFLIGHT
from benchmarks.sites import flask
from benchmarks.sites.serving import WsgiSite
from benchmarks.ways import BARE, PEERS, PLAIN, Case
from benchmarks.ways.asgi import map_of, policy
from corscore import PolicyRef
from corscore_flask import CORS, cross_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Response

    from corscore.integration import Policies


def _governed(
    make_policy: Callable[[], Policies] = policy,
    view: Callable[[str], Response] = flask.view,
) -> WsgiSite:
    app = flask.application(view)
    CORS(app, make_policy())
    return WsgiSite(app)


def _map() -> WsgiSite:
    return _governed(lambda: map_of(10))


def _reference() -> WsgiSite:
    return _governed(lambda: PolicyRef(policy()))


def _marked() -> WsgiSite:
    return _governed(view=cross_origin(policy(max_age=60))(flask.view))


CASES: Mapping[str, Case] = {
    BARE: Case(lambda: flask.build(BARE), ACTUAL, None),
    PLAIN: Case(_governed, ACTUAL),
    f"{PLAIN}, preflight": Case(_governed, PREFLIGHT, None),
    "map of 10 keys": Case(_map, ACTUAL),
    "map of 10 keys, preflight": Case(_map, PREFLIGHT, None),
    "reference": Case(_reference, ACTUAL),
    "reference, preflight": Case(_reference, PREFLIGHT, None),
    "route's policy": Case(_marked, ACTUAL),
}
if flask.FLASK_CORS in flask.LAYERS:
    CASES = {**CASES, PEERS["flask"]: Case(lambda: flask.build(flask.FLASK_CORS), ACTUAL)}
