"""Policies of routes in Starlette, Flask and Django: one table, and one set of rules.

The rows of each framework's own kinds of routes are ``CASES`` of its ``*_routed`` module in
tests/support/sites.
Every row is asked twice: a preflight and the request that it announces have the same policy.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route as StarletteRoute

import django_project  # noqa: F401 - configures Django before its REST framework is imported
import django_routed
import django_site
import flask_routed
import flask_site
import starlette_routed
import starlette_site
from cors_headers import LEFT_ALONE, OTHER_PAGE, PAGE, REFUSED, cors_of, governing, named
from corscore import Policy, PolicyMap, PolicyRef
from corscore.testing.conformance import Page, Site
from corscore_starlette import cors_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from corscore import Decision, RequestInfo
    from corscore.testing.conformance import Answer, Sender

    Serve = Callable[[Any], AbstractContextManager[Sender]]
    Expected = Mapping[str, str | None]

APP, ONE, TWO = map(named, ("app", "one", "two"))


# --- each framework's own kinds of routes


def starlette_served(make: Callable[[], Any], layer: Callable[..., Sender]) -> Serve:
    @contextmanager
    def serve(policies: Any) -> Iterator[Sender]:
        made = make()
        app = made if isinstance(made, Starlette) else Starlette(routes=made)
        yield layer(app, policies)

    return serve


def kinds_of_routes() -> Iterator[Any]:
    """Return the kinds of routes, each with a way to serve it, policies, and expected results."""
    layers = (starlette_routed.with_middleware, starlette_routed.with_install)
    for kind, (make, expected) in starlette_routed.CASES.items():
        for layer in layers:
            served = starlette_served(make, layer)
            name = f"Starlette {layer.__name__}: {kind}"
            yield pytest.param(served, starlette_routed.BY_PATH, expected, id=name)
    for kind, expected in flask_routed.CASES.items():
        by_path = flask_routed.BY_PATH
        yield pytest.param(flask_routed.serve, by_path, expected, id=f"Flask: {kind}")
    for kind, expected in django_routed.CASES.items():
        for serve in (django_routed.serve_sync, django_routed.serve_async):
            name = f"Django {serve.__name__}: {kind}"
            yield pytest.param(serve, django_routed.BY_PATH, expected, id=name)


CASES = list(kinds_of_routes())


def check(serve: Serve, policies: Any, expected: Expected) -> None:
    with serve(policies) as send:
        asked = {}
        for line in expected:
            method, url = line.split()
            asked[line] = governing(send, method, url)
    assert asked == expected


@pytest.mark.parametrize(("serve", "by_path", "expected"), CASES)
def test_route_beats_path_beats_app(serve: Serve, by_path: PolicyMap, expected: Expected) -> None:
    if "path" in expected.values():
        check(serve, by_path, expected)
        check(serve, PolicyRef(by_path), expected)
    else:
        check(serve, APP, expected)
        check(serve, PolicyRef(PolicyMap({}, default=APP)), expected)


@pytest.mark.parametrize(
    ("serve", "expected"),
    [
        pytest.param(serve, expected, id=case.id)
        for case in CASES
        for serve, _, expected in [case.values]
        if "path" not in expected.values()
    ],
)
def test_routes_may_have_the_only_policies(serve: Serve, expected: Expected) -> None:
    alone = {line: LEFT_ALONE if name == "app" else name for line, name in expected.items()}
    check(serve, PolicyMap({}, default=None), alone)


# --- a lookup that raises


class Clumsy(StarletteRoute):
    def matches(self, scope: Any) -> Any:
        raise ValueError(f"\x1b[2J{scope['path']}")


BROKEN: dict[str, tuple[Serve, str]] = {
    "Starlette, a route": (
        starlette_served(
            lambda: [Clumsy("/x", cors_policy(ONE)(starlette_routed.endpoint()))],
            starlette_routed.with_middleware,
        ),
        "/x",
    ),
    "FastAPI, a route": (
        starlette_served(
            lambda: [Clumsy("/x", cors_policy(ONE)(starlette_routed.endpoint()))],
            starlette_routed.with_install,
        ),
        "/x",
    ),
    # Python since 3.11 refuses to read a number of more than 4,300 digits.
    "Starlette, a converter": (
        starlette_served(
            lambda: [
                starlette_routed.here(ONE, path="/number/{item:int}"),
                Clumsy("/number/{item}", starlette_routed.endpoint()),
            ],
            starlette_routed.with_install,
        ),
        f"/number/{'7' * 5000}",
    ),
    "Flask, a converter": (flask_routed.serve, "/checked/boom"),
    "Django, a converter": (django_routed.serve_sync, "/word/broken/"),
    "Django under ASGI, a converter": (django_routed.serve_async, "/word/broken/"),
}


@pytest.mark.parametrize("policies", [APP, PolicyMap({}), Policy(allow_origins=["*"])])
@pytest.mark.parametrize(("serve", "path"), BROKEN.values(), ids=BROKEN)
def test_a_lookup_that_raises_refuses_the_preflight(
    serve: Serve, path: str, policies: Any, caplog: pytest.LogCaptureFixture
) -> None:
    asking = [("Origin", PAGE), ("Access-Control-Request-Method", "GET")]
    with serve(policies) as send:
        for _ in range(3):
            preflight = send("OPTIONS", f"https://api.example.com{path}", asking)
            # The refusal has Vary, so that a cache does not reuse it.
            assert (preflight.status, cors_of(preflight.headers)) == (403, REFUSED)
            assert preflight.body == b""
        request = send("GET", f"https://api.example.com{path}", asking[:1])
    assert request.status == 500
    if policies is APP:
        # The answer is that of any other exception.
        assert cors_of(request.headers)["access-control-expose-headers"] == ["X-app"]
    logged = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    (ours,) = [line for line in logged if line.startswith("the route of")]
    assert path[:100] in ours
    assert ours.isprintable()
    assert ours.isascii()
    assert len(ours) < 1000
    assert ours.endswith("get the policy of the path")


# --- the same rules everywhere

SERVERS = {
    "Starlette": starlette_site.serve_middleware,
    "Starlette, installed": starlette_site.serve_installed,
    "FastAPI": starlette_site.serve_fastapi,
    "Flask": flask_site.serve,
    "Django under WSGI": django_site.serve_wsgi,
    "Django under ASGI": django_site.serve_asgi,
}
every_framework = pytest.mark.parametrize("serve", SERVERS.values(), ids=SERVERS)
Framework = Any  # a name of `SERVERS`

OWN = (("Access-Control-Allow-Origin", "https://own.example"), ("Vary", "Cookie"))
PAGES = {
    "/x": Page(),
    "/y": Page(),
    "/none": Page(headers=OWN),
    "/crash": Page(raises=True),
}
CROSS_SITE = [("Origin", OTHER_PAGE), ("Sec-Fetch-Site", "cross-site")]


def site_of(*marks: tuple[str, Any]) -> Site:
    """Return a site with policies for its routes at some paths, for every method."""
    methods = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
    return Site(PAGES, {(path, method): mark for path, mark in marks for method in methods})


def ask(send: Sender, method: str, path: str, *headers: tuple[str, str]) -> Answer:
    return send(method, f"https://api.example.com{path}", list(headers))


@every_framework
def test_none_leaves_a_route_alone(serve: Framework) -> None:
    site = site_of(("/none", None))
    send = serve(site, APP, block_cross_site=True)
    for method in ("GET", "OPTIONS", "POST"):
        asking = ("Access-Control-Request-Method", "GET")
        answer = ask(send, method, "/none", *CROSS_SITE, asking)
        assert (answer.status, answer.body) == (200, b"page")
        assert cors_of(answer.headers) == {
            "access-control-allow-origin": ["https://own.example"],
            "vary": ["cookie"],
        }
    assert [method for method, _ in site.visits] == ["GET", "OPTIONS", "POST"]


@every_framework
@pytest.mark.parametrize("policies", [APP, PolicyMap({"/crash": APP}), PolicyRef(APP)])
def test_an_unhandled_exception_is_answered_under_the_policy_of_the_route(
    serve: Framework, policies: Any
) -> None:
    for mark, name in ((ONE, "one"), (None, None)):
        send = serve(site_of(("/crash", mark)), policies)
        assert ask(send, "GET", "/crash", ("Origin", PAGE)).status == 500
        assert governing(send, "GET", "/crash") == name
    assert governing(serve(Site(PAGES), policies), "GET", "/crash") == "app"


@every_framework
def test_observers_see_the_policy_of_the_route(
    serve: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    seen: list[tuple[str, str, str | None]] = []

    def on_decision(decision: Decision, request: RequestInfo) -> None:
        seen.append((decision.kind, request.path, decision.reason))

    mark = named("one", allow_origins=[OTHER_PAGE])
    send = serve(
        site_of(("/x", mark), ("/none", None)),
        PolicyMap({}, default=APP),
        on_decision=on_decision,
        shadow=PolicyRef(APP),
    )
    ask(send, "GET", "/x", ("Origin", OTHER_PAGE))
    ask(send, "GET", "/x", ("Origin", PAGE))
    ask(send, "GET", "/none", ("Origin", PAGE))
    ask(send, "GET", "/y")
    ask(send, "OPTIONS", "/y", ("Origin", OTHER_PAGE), ("Access-Control-Request-Method", "PUT"))
    assert seen == [
        ("actual", "/x", None),
        ("actual", "/x", "origin-not-allowed"),
        ("not-cors", "/y", None),
        ("preflight", "/y", "origin-not-allowed"),
    ]
    lines = [record.getMessage() for record in caplog.records if record.name == "corscore"]
    refused = [line for line in lines if line.startswith("CORS refused")]
    assert refused[0].startswith(f"CORS refused (origin-not-allowed): origin {PAGE}, GET /x")
    shadows = [line for line in lines if line.startswith("shadow")]
    assert ["/x" in line or "/none" in line for line in shadows] == [True] * len(shadows)
    assert shadows


@every_framework
def test_cross_site_requests_are_blocked_by_the_policy_of_the_route(serve: Framework) -> None:
    trusted = named("one", allow_origins=[OTHER_PAGE], allow_credentials=True)
    site = site_of(("/x", trusted), ("/none", None))
    send = serve(site, APP, block_cross_site=True, own_origins=["https://own.example"])
    statuses = {path: ask(send, "POST", path, *CROSS_SITE).status for path in PAGES}
    # A path that is left alone is not blocked: a payment's return is such a form.
    assert statuses == {"/x": 200, "/none": 200, "/y": 403, "/crash": 403}
    assert [path for _, path in site.visits] == ["/x", "/none"]
    own = [("Origin", "https://own.example"), ("Sec-Fetch-Site", "cross-site")]
    assert ask(send, "POST", "/y", *own).status == 200


@every_framework
def test_a_route_may_have_a_resolver(serve: Framework) -> None:
    asked: list[tuple[str, str]] = []

    def is_tenant(origin: str, request: RequestInfo) -> bool:
        asked.append((origin, request.path))
        return origin == OTHER_PAGE

    send = serve(site_of(("/x", named("one", origin_resolver=is_tenant))), APP)
    other, third = ("Origin", OTHER_PAGE), ("Origin", "https://third.example")
    announced = ("Access-Control-Request-Method", "GET")
    assert ask(send, "OPTIONS", "/x", other, announced).status == 204
    assert ask(send, "OPTIONS", "/y", other, announced).status == 403
    names = cors_of(ask(send, "GET", "/x", other).headers)["access-control-expose-headers"]
    assert names == ["X-one"]
    assert cors_of(ask(send, "GET", "/x", third).headers) == REFUSED
    assert asked == [(OTHER_PAGE, "/x"), (OTHER_PAGE, "/x"), ("https://third.example", "/x")]


@every_framework
def test_the_policy_of_a_route_is_replaced_live(serve: Framework) -> None:
    of_app, of_route = PolicyRef(APP), PolicyRef(ONE)
    site = Site(PAGES, {("/x", method): of_route for method in ("GET", "HEAD")})  # type: ignore[misc]
    send = serve(site, of_app)
    assert governing(send, "GET", "/x") == "one"
    of_route.replace(TWO)
    assert governing(send, "GET", "/x") == "two"
    of_route.replace(PolicyMap({"/x": named("path")}, default=None))
    assert governing(send, "GET", "/x") == "path"
    of_route.replace(PolicyMap({}, default=None))
    assert governing(send, "GET", "/x") is None
    assert governing(send, "PUT", "/x") == "app"
    of_app.replace(PolicyMap({"/x": TWO}, default=None))
    assert [governing(send, "PUT", path) for path in ("/x", "/y")] == ["two", None]


@every_framework
def test_debug_explains_the_policy_of_the_route(
    serve: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    send = serve(site_of(("/x", named("one", debug=True))), APP)
    asking = (("Origin", OTHER_PAGE), ("Access-Control-Request-Method", "GET"))
    assert b"Origin" in ask(send, "OPTIONS", "/x", *asking).body
    assert ask(send, "OPTIONS", "/y", *asking).body == b""
    assert any("Refused: origin-not-allowed" in line for line in caplog.messages)
