"""A tenant's whole policy from a user's function, in sync and async adapters alike."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cors_headers import cors_of
from corscore import (
    ConfigError,
    OriginResolver,
    Policy,
    PolicyMap,
    PolicyRef,
    PolicyResolver,
    RequestInfo,
)
from corscore._policy import memory
from corscore.testing.conformance import Page, Site, asgi_sender, asgi_site, wsgi_sender, wsgi_site
from corscore_asgi import CORSMiddleware as ASGIMiddleware
from corscore_wsgi import CORSMiddleware as WSGIMiddleware

pytestmark = pytest.mark.usefixtures("build")

PAGE = "https://page.example"
OWN = Policy(allow_origins=[PAGE], allow_credentials=True)
PUBLIC = Policy(allow_origins=["*"])
TENANTS: dict[str | None, Any] = {
    "one.example": OWN,
    "two.example": PUBLIC,
    "both.example": (OWN, PUBLIC),
    "wrong.example": "*",
    "unordered.example": (PUBLIC, OWN),
}


class Clock:
    """The clock of the resolvers."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr(memory, "monotonic", one)
    return one


class Tenants:
    """A table of tenants that counts its queries, and may be down."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.is_down = False

    def policy_of(self, host: str | None) -> Any:
        self.asked.append(host)
        if self.is_down:
            raise ConnectionError("no database")
        return TENANTS.get(host)

    async def policy_of_async(self, host: str | None) -> Any:
        return self.policy_of(host)


def sync_sender(tenants: Tenants, **options: Any) -> Any:
    resolver = PolicyResolver(tenants.policy_of, timeout=None, **options)
    return wsgi_sender(WSGIMiddleware(wsgi_site(Site({"/": Page()})), resolver))


def async_sender(tenants: Tenants, **options: Any) -> Any:
    resolver = PolicyResolver(tenants.policy_of_async, **options)
    return asgi_sender(ASGIMiddleware(asgi_site(Site({"/": Page()})), resolver))


def threaded_sender(tenants: Tenants, **options: Any) -> Any:
    resolver = PolicyResolver(tenants.policy_of, **options)
    return asgi_sender(ASGIMiddleware(asgi_site(Site({"/": Page()})), resolver))


SENDERS = pytest.mark.parametrize("sender", [sync_sender, async_sender, threaded_sender])
ALLOWED = {"access-control-allow-origin": [PAGE], "access-control-allow-credentials": ["true"]}
ANYONE = {"access-control-allow-origin": ["*"]}
BY_ORIGIN = {"vary": ["origin"]}


def get(send: Any, host: str, origin: str | None = PAGE, **headers: str) -> dict[str, list[str]]:
    sent = [(name.replace("_", "-"), value) for name, value in headers.items()]
    if origin is not None:
        sent.append(("Origin", origin))
    answer = send("GET", f"https://{host}/", sent)
    assert (answer.status, answer.body) == (200, b"page")
    return cors_of(list(answer.headers))


@SENDERS
def test_each_tenant_has_its_own_policy(sender: Any) -> None:
    tenants = Tenants()
    send = sender(tenants)
    for _ in range(2):
        assert get(send, "one.example") == {**ALLOWED, **BY_ORIGIN}
        assert get(send, "ONE.example:8443") == {**ALLOWED, **BY_ORIGIN}
        assert get(send, "one.example", "https://other.example") == BY_ORIGIN
        assert get(send, "two.example") == ANYONE
        assert get(send, "both.example") == {**ALLOWED, **BY_ORIGIN}
        assert get(send, "both.example", "https://other.example") == {**ANYONE, **BY_ORIGIN}
        assert get(send, "none.example") == {}
    assert tenants.asked == ["one.example", "two.example", "both.example", "none.example"]


@SENDERS
def test_preflights_are_answered_by_the_tenants_policy(sender: Any) -> None:
    send = sender(Tenants())
    asked = [("Origin", PAGE), ("Access-Control-Request-Method", "PUT")]
    answers = [
        send("OPTIONS", f"https://{host}/", asked)
        for host in ("one.example", "two.example", "none.example")
    ]
    assert [answer.status for answer in answers] == [204, 204, 200]


@SENDERS
@pytest.mark.parametrize("host", ["wrong.example", "unordered.example"])
def test_a_result_that_is_no_policy_allows_no_origin_and_is_logged_once(
    sender: Any, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    tenants = Tenants()
    send = sender(tenants)
    for _ in range(3):
        assert get(send, host) == BY_ORIGIN
    assert tenants.asked == [host] * 3
    assert caplog.text.count(f"the policy resolver gave no policy for {host}") == 1


@SENDERS
def test_a_failure_allows_no_origin_and_is_not_remembered(
    sender: Any, caplog: pytest.LogCaptureFixture
) -> None:
    tenants = Tenants()
    send = sender(tenants)
    tenants.is_down = True
    assert get(send, "one.example") == BY_ORIGIN
    assert "no database" in caplog.text
    tenants.is_down = False
    assert get(send, "one.example") == {**ALLOWED, **BY_ORIGIN}


@SENDERS
def test_a_stale_policy_counts_from_the_last_success_and_no_longer(
    sender: Any, clock: Clock
) -> None:
    tenants = Tenants()
    send = sender(tenants, ttl=60, stale_if_error=600)
    served = {**ALLOWED, **BY_ORIGIN}
    assert get(send, "one.example") == served
    assert get(send, "none.example") == {}
    tenants.is_down = True
    for clock.now in (59.0, 61.0, 300.0, 599.0):
        assert get(send, "one.example") == served
    assert get(send, "none.example") == BY_ORIGIN  # None is not remembered
    clock.now = 600.0
    assert get(send, "one.example") == BY_ORIGIN
    tenants.is_down = False
    assert get(send, "one.example") == served


@pytest.mark.parametrize("end", ["forget", "refusal"])
def test_a_refusal_and_forgetting_end_a_stale_verdict(end: str, clock: Clock) -> None:
    results: list[Any] = [True, ValueError("down"), False, ValueError("down")]

    def is_allowed(origin: str, host: str) -> Any:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    resolver = OriginResolver(is_allowed, ttl=1, negative_ttl=1, timeout=None, stale_if_error=1000)
    request = RequestInfo("GET", origin=PAGE, host="one.example")
    assert resolver.ask(request)
    clock.now = 2
    assert resolver.ask(request)
    if end == "forget":
        resolver.forget()
        results[:] = [ValueError("down")]
    else:
        clock.now = 4
        assert not resolver.ask(request)
        clock.now = 6
    assert not resolver.ask(request)
    assert results == []


def test_a_stale_verdict_counts_when_the_function_takes_too_long_or_all_threads_are_busy(
    clock: Clock,
) -> None:
    is_slow = False

    async def is_allowed(origin: str, host: str) -> bool:
        if is_slow:
            await asyncio.sleep(60)
        return True

    request = RequestInfo("GET", origin=PAGE, host="one.example")
    slow = OriginResolver(is_allowed, ttl=1, timeout=0.01, stale_if_error=1000)
    assert asyncio.run(slow.ask_async(request))
    clock.now, is_slow = 2, True
    assert asyncio.run(slow.ask_async(request))

    busy = OriginResolver(
        lambda origin, host: True, ttl=1, timeout=None, max_threads=1, stale_if_error=1000
    )
    assert busy.ask(request)
    clock.now = 4
    busy._function._threads.acquire()
    assert busy.ask(request)
    assert not busy.ask(RequestInfo("GET", origin=PAGE, host="two.example"))


def test_stale_entries_count_in_the_most_that_are_kept(clock: Clock) -> None:
    resolver = OriginResolver(
        lambda origin, host: True, ttl=1, timeout=None, max_entries=3, stale_if_error=1000
    )
    for number in range(10):
        assert resolver.ask(RequestInfo("GET", origin=f"https://{number}.example"))
        clock.now += 2
    assert len(resolver._memory) == 3


def test_a_thousand_requests_at_once_ask_one_time_for_a_tenant() -> None:
    tenants = Tenants()
    resolver = PolicyResolver(tenants.policy_of_async)

    async def many() -> list[Any]:
        return await asyncio.gather(
            *(
                resolver.find_async(RequestInfo("GET", host=f"{name}.example"))
                for _ in range(500)
                for name in ("one", "two")
            )
        )

    assert asyncio.run(many()) == [OWN, PUBLIC] * 500
    assert sorted(map(str, tenants.asked)) == ["one.example", "two.example"]
    threads = PolicyResolver(Tenants().policy_of, timeout=None, max_threads=64)
    with ThreadPoolExecutor(32) as pool:
        request = RequestInfo("GET", host="one.example")
        assert list(pool.map(threads.find, [request] * 1000)) == [OWN] * 1000


def test_a_header_and_the_origin_of_a_key_are_in_vary() -> None:
    def policy_of(tenant: str | None, origin: str | None) -> Policy:
        return PUBLIC if tenant == "a" else OWN

    resolver = PolicyResolver(policy_of, ("header:X-Tenant", "origin"), timeout=None)
    send = wsgi_sender(WSGIMiddleware(wsgi_site(Site({"/": Page()})), resolver))
    assert get(send, "x.example", X_Tenant="a") == {**ANYONE, "vary": ["origin", "x-tenant"]}
    assert get(send, "x.example") == {**ALLOWED, "vary": ["origin", "x-tenant"]}


def test_an_empty_key_has_one_result_for_all_requests() -> None:
    results = iter([OWN])
    resolver = PolicyResolver(lambda: next(results), (), timeout=None)
    hosts = ("one.example", "two.example")
    assert [resolver.find(RequestInfo("GET", host=host)) for host in hosts] == [OWN, OWN]


def test_a_resolver_is_a_value_of_a_map_and_of_a_reference() -> None:
    tenants = Tenants()
    resolver = PolicyResolver(tenants.policy_of, timeout=None)
    by_path = PolicyMap({"*.example/*": resolver, "/open": PUBLIC})
    send = wsgi_sender(WSGIMiddleware(wsgi_site(Site({"/": Page()})), PolicyRef(by_path)))
    assert get(send, "one.example") == {**ALLOWED, **BY_ORIGIN}
    assert get(send, "localhost") == {}
    assert list(by_path.policies()) == [PUBLIC]
    with pytest.raises(TypeError, match="a PolicyResolver governs this path"):
        by_path.policy_for("/", host="one.example")
    with pytest.raises(TypeError, match="a PolicyResolver is a function, and no data"):
        by_path.to_mapping()
    assert [str(one) for one in PolicyRef(PUBLIC).diff(PolicyMap({"/a": resolver}))] == [
        "default: a policy -> left alone",
        "/a: no entry -> policies of tenants",
    ]


def test_the_policies_of_a_resolver_are_checked_as_they_come(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def is_allowed(origin: str, request: RequestInfo) -> bool:
        return True

    resolver = PolicyResolver(lambda host: Policy(origin_resolver=is_allowed), timeout=None)
    send = wsgi_sender(WSGIMiddleware(wsgi_site(Site({"/": Page()})), resolver))
    assert get(send, "one.example") == BY_ORIGIN
    assert "the resolver is async" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "hints"),
    [
        ({"fn": 3}, ["write PolicyResolver(policy_of)"]),
        ({"key": "host"}, ['write key=("host",)']),
        ({"key": ("hosts",)}, ['write "origin", "host", "path", or a header']),
        ({"stale_if_error": -1, "ttl": "x"}, ["write ttl=60", "write stale_if_error=600"]),
    ],
)
def test_all_problems_of_a_resolver_are_reported(
    arguments: dict[str, Any], hints: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        PolicyResolver(**{"fn": TENANTS.get, **arguments})
    problems = caught.value.problems
    assert [(one.code, one.field) for one in problems] == [
        ("resolver-invalid", "PolicyResolver")
    ] * len(hints)
    for problem, hint in zip(problems, hints, strict=True):
        assert hint in problem.hint


def test_an_async_resolver_and_a_time_out_need_an_async_adapter() -> None:
    resolver = PolicyResolver(Tenants().policy_of_async)
    with pytest.raises(ConfigError) as caught:
        WSGIMiddleware(lambda *_: [], PolicyMap({"/a": resolver}))
    assert [(one.code, one.field) for one in caught.value.problems] == [
        ("resolver-is-async", "PolicyResolver"),
        ("resolver-invalid", "PolicyResolver"),
    ]


def test_nothing_of_a_request_is_logged_raw(caplog: pytest.LogCaptureFixture) -> None:
    resolver = PolicyResolver(lambda path: 1 / 0, ("path",), timeout=None)
    with caplog.at_level(logging.ERROR):
        resolver.find(RequestInfo("GET", path="/\x1b[31m\n"))
    assert "gave no policy for /\\x1b[31m\\n, which" in caplog.text
    assert "\x1b" not in caplog.text


@pytest.mark.parametrize(("trusted", "is_found"), [(None, True), (["two.example.com"], False)])
def test_flask_says_which_host_counts(trusted: Any, is_found: bool) -> None:
    from flask import Flask

    from corscore_flask import CORS

    app = Flask(__name__)
    app.config["TRUSTED_HOSTS"] = trusted
    CORS(app, PolicyMap({"one.example.com/*": PUBLIC}))
    answer = wsgi_sender(app)("OPTIONS", "https://one.example.com/", [("Origin", PAGE), *ASKED])
    names = {name.lower() for name, _ in answer.headers}
    assert ("access-control-allow-origin" in names) is is_found


def test_two_lines_of_host_are_no_host() -> None:
    site = asgi_site(Site({"/": Page()}))
    send = asgi_sender(ASGIMiddleware(site, PolicyMap({"one.example/*": PUBLIC})))
    assert get(send, "one.example") == ANYONE
    assert get(send, "one.example", Host="one.example") == {}


ASKED = [("Access-Control-Request-Method", "GET")]
