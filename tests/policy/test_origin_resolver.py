"""Origin resolvers: when they are called, with what, and what failures mean."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from cors_headers import cors_of
from corscore import ConfigError, OriginResolver, Policy, PolicyMap, RequestInfo
from corscore._policy import memory
from corscore._policy.resolver import Resolver
from corscore.testing.conformance._asgi import http_scope
from corscore_asgi import CORSMiddleware as ASGIMiddleware
from corscore_wsgi import CORSMiddleware as WSGIMiddleware
from corscore_wsgi import decision_of

if TYPE_CHECKING:
    from collections.abc import Callable

STATIC = "https://static.example"
KNOWN = "https://known.example"
UNKNOWN = "https://unknown.example"
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(memory, "monotonic", clock)
    return clock


def request(origin: str = KNOWN, path: str = "/", **headers: str) -> RequestInfo:
    values = {"origin": origin, "host": "api.example"}
    values |= {name.lower().replace("_", "-"): value for name, value in headers.items()}
    return RequestInfo.from_getter("GET", lambda name: values.get(name.lower()), path=path)


def asgi(app: Any, origin: str | None, *, backend: str = "asyncio", **more: Any) -> Any:
    """Return the CORS headers of a response, or its status if it is no 200."""
    headers = [] if origin is None else [("Origin", origin)]
    headers += more.pop("headers", [])
    scope = http_scope(more.pop("method", "GET"), "https://api.example/", headers)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        pytest.fail("it was called")

    anyio.run(app, scope, receive, send, backend=backend)
    return cors_of((name.decode(), value.decode()) for name, value in sent[0]["headers"])


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return []


def wsgi(app: Any, origin: str | None, **environ: str) -> Any:
    started: list[Any] = []
    given = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_HOST": "api.example", **environ}
    if origin is not None:
        given["HTTP_ORIGIN"] = origin
    app(given, lambda status, headers, *_: started.extend(headers))
    return cors_of(started)


# --- the pure part


def test_a_decision_needs_the_resolver_where_there_is_no_verdict() -> None:
    policy = Policy(allow_origins=[STATIC], origin_resolver=lambda origin, request: True)
    open_question = policy.decide(RequestInfo("GET", origin=UNKNOWN))
    assert open_question.needs_resolver
    assert not open_question.origin_allowed
    for verdict in (True, False):
        decision = policy.decide(RequestInfo("GET", origin=UNKNOWN), origin_allowed=verdict)
        assert not decision.needs_resolver
        assert decision.origin_allowed is verdict


@pytest.mark.parametrize(
    "info",
    [
        RequestInfo("GET"),
        RequestInfo("GET", origin=STATIC),
        RequestInfo("GET", origin="null"),
        RequestInfo("GET", origin="https://UPPER.example"),
        RequestInfo("GET", origin=f"{UNKNOWN}, {KNOWN}"),
        RequestInfo("GET", origin="https://api.example", host="api.example"),
        RequestInfo("POST", origin=UNKNOWN, sec_fetch_site="same-origin"),
    ],
)
def test_the_resolver_is_not_asked_about_what_the_policy_settles(info: RequestInfo) -> None:
    policy = Policy(allow_origins=[STATIC], origin_resolver=lambda origin, request: True)
    assert not policy.decide(info).needs_resolver


def test_a_policy_without_a_resolver_never_asks() -> None:
    assert (
        not Policy(allow_origins=[STATIC]).decide(RequestInfo("GET", origin=UNKNOWN)).needs_resolver
    )


def test_header_keys_are_in_vary_of_every_response() -> None:
    resolver = OriginResolver(
        lambda origin, tenant: origin == KNOWN, key=("origin", "header:X-Tenant"), timeout=None
    )
    app = WSGIMiddleware(wsgi_app, Policy(allow_origins=[STATIC], origin_resolver=resolver))
    for origin in (None, STATIC, KNOWN, UNKNOWN, "null", "nonsense"):
        assert wsgi(app, origin)["vary"] == ["origin", "x-tenant"]
    preflight = {"REQUEST_METHOD": "OPTIONS", "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
    for origin in (STATIC, KNOWN, UNKNOWN):
        assert wsgi(app, origin, **preflight)["vary"] == ["origin", "x-tenant"]


# --- in the adapters


@BACKENDS
def test_an_async_resolver_gets_origin_and_request_under_asgi(backend: str) -> None:
    asked: list[tuple[str, str, str]] = []

    async def is_allowed(origin: str, request: RequestInfo) -> bool:
        await anyio.lowlevel.checkpoint()
        asked.append((origin, request.method, request.path))
        return origin == KNOWN

    app = ASGIMiddleware(asgi_app, allow_origins=[STATIC], origin_resolver=is_allowed)
    assert asgi(app, KNOWN, backend=backend)["access-control-allow-origin"] == [KNOWN]
    assert asgi(app, UNKNOWN, backend=backend) == {"vary": ["origin"]}
    assert asgi(app, STATIC, backend=backend)["access-control-allow-origin"] == [STATIC]
    # Called at each request, and never about a listed origin.
    assert asgi(app, KNOWN, backend=backend)["access-control-allow-origin"] == [KNOWN]
    assert asked == [(KNOWN, "GET", "/"), (UNKNOWN, "GET", "/"), (KNOWN, "GET", "/")]


@BACKENDS
@pytest.mark.parametrize("is_cached", [False, True])
def test_a_sync_resolver_under_asgi_runs_in_a_thread_of_its_own(
    backend: str, is_cached: bool
) -> None:
    threads: list[int] = []

    def is_allowed(origin: str, *_: object) -> bool:
        threads.append(threading.get_ident())
        return origin == KNOWN

    resolver = OriginResolver(is_allowed) if is_cached else is_allowed
    app = ASGIMiddleware(asgi_app, origin_resolver=resolver)
    assert asgi(app, KNOWN, backend=backend)["access-control-allow-origin"] == [KNOWN]
    assert threads
    assert threading.get_ident() not in threads


def test_a_sync_resolver_gets_origin_and_request_under_wsgi() -> None:
    natives: list[object] = []

    def is_allowed(origin: str, request: RequestInfo) -> bool:
        natives.append(request.native)
        return request.header("x-tenant") == "one"

    app = WSGIMiddleware(wsgi_app, origin_resolver=is_allowed)
    assert wsgi(app, KNOWN, HTTP_X_TENANT="one")["access-control-allow-origin"] == [KNOWN]
    assert wsgi(app, KNOWN, HTTP_X_TENANT="two") == {"vary": ["origin"]}
    assert isinstance(natives[0], dict)
    environ = {"REQUEST_METHOD": "GET", "HTTP_ORIGIN": KNOWN, "HTTP_X_TENANT": "one"}
    app(environ, lambda *_: None)  # type: ignore[arg-type]
    decision = decision_of(environ)
    assert decision is not None
    assert decision.origin_allowed  # not decided again, without the verdict


async def async_resolver(*args: object) -> bool:
    return True


class AsyncCallable:
    async def __call__(self, *args: object) -> bool:
        return True


@pytest.mark.parametrize(
    ("resolver", "codes"),
    [
        (async_resolver, ["resolver-is-async"]),
        (AsyncCallable(), ["resolver-is-async"]),
        (OriginResolver(async_resolver, timeout=None), ["resolver-is-async"]),
        (OriginResolver(async_resolver), ["resolver-is-async", "resolver-invalid"]),
        (OriginResolver(lambda origin, host: True), ["resolver-invalid"]),
    ],
)
def test_a_resolver_that_a_sync_adapter_cannot_ask_stops_the_start(
    resolver: Any, codes: list[str]
) -> None:
    policy = Policy(origin_resolver=resolver)
    for policies in (policy, PolicyMap({"/x/*": policy})):
        with pytest.raises(ConfigError) as caught:
            WSGIMiddleware(wsgi_app, policies)
        assert [problem.code for problem in caught.value.problems] == codes
    ASGIMiddleware(asgi_app, policy)


def test_without_anyio_a_resolver_that_needs_it_stops_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "anyio", None)
    ASGIMiddleware(asgi_app, origin_resolver=async_resolver)  # only awaits
    for resolver in (OriginResolver(async_resolver), lambda origin, request: True):
        with pytest.raises(ConfigError, match=r"corscore\[resolver\]"):
            ASGIMiddleware(asgi_app, origin_resolver=resolver)


# --- calls without a verdict


def failing(origin: str, *_: object) -> bool:
    raise RuntimeError("the database\nis gone")


@pytest.mark.parametrize("function", [failing, lambda *_: 1, lambda *_: None, lambda *_: "yes"])
@pytest.mark.parametrize("is_cached", [False, True])
def test_a_call_without_a_verdict_refuses_and_is_not_remembered(
    function: Any, is_cached: bool, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []

    def is_allowed(origin: str, *rest: object) -> bool:
        calls.append(origin)
        verdict: bool = function(origin, *rest)
        return verdict

    resolver = OriginResolver(is_allowed, timeout=None) if is_cached else is_allowed
    app = WSGIMiddleware(wsgi_app, origin_resolver=resolver)
    for _ in range(2):
        assert wsgi(app, UNKNOWN) == {"vary": ["origin"]}
    assert len(calls) == 2
    # Logged once a minute, since a lost database fails every request.
    assert caplog.text.count("gave no verdict on https://unknown.example") == 1


def test_an_awaitable_where_nothing_awaits_is_no_verdict(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = WSGIMiddleware(wsgi_app, origin_resolver=lambda *_: async_resolver())
    assert wsgi(app, KNOWN) == {"vary": ["origin"]}
    assert "nothing can await it" in caplog.text


@BACKENDS
def test_an_awaitable_of_a_sync_function_is_awaited_under_asgi(backend: str) -> None:
    app = ASGIMiddleware(asgi_app, origin_resolver=lambda *_: async_resolver())
    assert asgi(app, KNOWN, backend=backend)["access-control-allow-origin"] == [KNOWN]


@BACKENDS
@pytest.mark.parametrize("is_async", [False, True])
def test_a_resolver_that_takes_too_long_refuses(
    backend: str, is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()

    def hangs(origin: str, host: str | None) -> bool:
        release.wait(30)
        return True

    async def hangs_async(origin: str, host: str | None) -> bool:
        await anyio.sleep_forever()
        return True

    resolver = OriginResolver(hangs_async if is_async else hangs, timeout=0.05)
    app = ASGIMiddleware(asgi_app, origin_resolver=resolver)

    async def main() -> None:
        assert await resolver.ask_async(request()) is False
        release.set()

    anyio.run(main, backend=backend)
    assert "TimeoutError" in caplog.text
    assert len(resolver._memory) == 0
    assert app is not None


# --- the cache


def test_the_function_gets_the_values_of_its_key_and_nothing_else() -> None:
    seen: list[tuple[object, ...]] = []

    def is_allowed(*values: object) -> bool:
        seen.append(values)
        return True

    key = ("header:X-Tenant", "path", "origin", "host")
    resolver = OriginResolver(is_allowed, key=key)
    resolver.ask(request(path="/a", x_tenant="one", Host="API.example"))
    resolver.ask(request(path="/a", x_tenant="one", Host="api.EXAMPLE"))
    resolver.ask(request(path="/b"))
    assert seen == [("one", "/a", KNOWN, "api.example"), (None, "/b", KNOWN, "api.example")]


def test_one_tenants_result_serves_no_other() -> None:
    resolver = OriginResolver(
        lambda origin, tenant: tenant == "one", key=("origin", "header:X-Tenant")
    )
    assert resolver.ask(request(x_tenant="one"))
    assert not resolver.ask(request(x_tenant="two"))
    assert not resolver.ask(request())
    assert resolver.ask(request(x_tenant="one"))


def test_results_are_remembered_for_their_time(clock: Clock) -> None:
    calls: list[str] = []

    def is_allowed(origin: str, host: str | None) -> bool:
        calls.append(origin)
        return origin == KNOWN

    resolver = OriginResolver(is_allowed, ttl=60, negative_ttl=10)
    for seconds, expected in ((0, 2), (9, 2), (2, 3), (48, 3 + 1), (2, 5)):
        clock.now += seconds
        assert resolver.ask(request(KNOWN))
        assert not resolver.ask(request(UNKNOWN))
        assert len(calls) == expected, seconds
    resolver.forget()
    assert resolver.ask(request(KNOWN))
    assert len(calls) == 6


def test_forgetting_a_value_keeps_the_results_of_other_keys() -> None:
    asked: list[tuple[str | None, ...]] = []

    def is_allowed(origin: str, name: str | None) -> bool:
        asked.append((origin, name))
        return True

    resolver = OriginResolver(is_allowed, key=("origin", "header:x-tenant"), timeout=None)
    long_name = "x" * 600
    requests = [
        RequestInfo.from_pairs("GET", [(b"origin", KNOWN.encode()), (b"x-tenant", name.encode())])
        for name in ("one", "two", long_name)
    ]
    for each in requests:
        assert resolver.ask(each)
    resolver.forget("one")
    for each in requests:
        assert resolver.ask(each)
    # A key that is kept as a digest may be about any value.
    assert [name for _, name in asked[3:]] == ["one", long_name]


@pytest.mark.parametrize("value", [None, KNOWN])
def test_a_result_that_is_forgotten_during_its_call_is_not_remembered(value: str | None) -> None:
    results = iter([True, False])

    def is_allowed(origin: str) -> bool:
        resolver.forget(value)
        return next(results)

    resolver = OriginResolver(is_allowed, key=("origin",), timeout=None)
    assert resolver.ask(request(KNOWN))
    assert not resolver.ask(request(KNOWN))


def test_a_flood_of_origins_does_not_push_out_those_that_are_allowed(clock: Clock) -> None:
    calls: list[str] = []

    def is_allowed(origin: str, host: str | None) -> bool:
        calls.append(origin)
        return "known" in origin and "unknown" not in origin

    resolver = OriginResolver(is_allowed, max_entries=100)
    for number in range(50):
        resolver.ask(request(f"https://known{number}.example"))
    for number in range(1000):
        resolver.ask(request(f"https://unknown{number}.example"))
    assert len(resolver._memory) == 100
    calls.clear()
    for number in range(50):
        resolver.ask(request(f"https://known{number}.example"))
    assert calls == []


def test_the_least_recently_used_result_is_forgotten_first(clock: Clock) -> None:
    calls: list[str] = []

    def is_allowed(origin: str, host: str | None) -> bool:
        calls.append(origin)
        return True

    resolver = OriginResolver(is_allowed, max_entries=2)
    for name in ("a", "b", "a", "c", "a", "b"):
        resolver.ask(request(f"https://{name}.example"))
    assert [call[8] for call in calls] == ["a", "b", "c", "b"]


def test_a_long_key_takes_no_more_room_than_a_short_one() -> None:
    resolver = OriginResolver(
        lambda origin, path: path == "/" + "a" * 10_000, key=("origin", "path")
    )
    assert resolver.ask(request(path="/" + "a" * 10_000))
    assert not resolver.ask(request(path="/" + "a" * 10_001))
    assert all(len(key) < 100 for table, *_ in resolver._memory._tables for key in table)  # type: ignore[arg-type]


# --- single flight


@BACKENDS
@pytest.mark.parametrize("is_async", [False, True])
def test_a_thousand_tasks_ask_once(backend: str, is_async: bool) -> None:
    calls: list[str] = []

    def is_allowed(origin: str, host: str | None) -> bool:
        calls.append(origin)
        time.sleep(0.01)
        return origin == KNOWN

    async def is_allowed_async(origin: str, host: str | None) -> bool:
        calls.append(origin)
        await anyio.sleep(0.01)
        return origin == KNOWN

    resolver = OriginResolver(is_allowed_async if is_async else is_allowed, timeout=30)
    verdicts: list[tuple[str, bool]] = []

    async def ask(origin: str) -> None:
        verdicts.append((origin, await resolver.ask_async(request(origin))))

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(1000):
                tasks.start_soon(ask, KNOWN if number % 2 else UNKNOWN)

    anyio.run(main, backend=backend)
    assert sorted(calls) == [KNOWN, UNKNOWN]
    assert len(verdicts) == 1000
    assert all(verdict is (origin == KNOWN) for origin, verdict in verdicts)
    assert resolver._calls == {}


def test_forty_threads_ask_once() -> None:
    calls: list[str] = []

    def is_allowed(origin: str, host: str | None) -> bool:
        calls.append(origin)
        time.sleep(0.01)
        return True

    resolver = OriginResolver(is_allowed, timeout=None)
    verdicts: list[bool] = []
    threads = [
        threading.Thread(target=lambda: verdicts.append(resolver.ask(request()))) for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [KNOWN]
    assert verdicts == [True] * 40


@BACKENDS
def test_waiting_requests_share_a_failure(backend: str) -> None:
    calls: list[str] = []

    async def fails(origin: str, host: str | None) -> bool:
        calls.append(origin)
        await anyio.sleep(0.01)
        raise RuntimeError

    resolver = OriginResolver(fails)
    verdicts: list[bool] = []

    async def ask() -> None:
        verdicts.append(await resolver.ask_async(request()))

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(ask)

    anyio.run(main, backend=backend)
    assert calls == [KNOWN]
    assert verdicts == [False] * 100


@BACKENDS
def test_another_asks_when_the_one_who_asked_is_cancelled(backend: str) -> None:
    calls: list[str] = []

    async def is_allowed(origin: str, host: str | None) -> bool:
        calls.append(origin)
        if len(calls) == 1:
            await anyio.sleep_forever()
        return True

    resolver = OriginResolver(is_allowed, timeout=None)
    verdicts: list[bool] = []

    async def ask() -> None:
        verdicts.append(await resolver.ask_async(request()))

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            scope = anyio.CancelScope()

            async def leave_early() -> None:
                with scope:
                    await ask()

            tasks.start_soon(leave_early)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()

    anyio.run(main, backend=backend)
    assert calls == [KNOWN, KNOWN]
    assert verdicts == [True]


# --- threads


class Hanging:
    """A sync resolver that returns when it is released."""

    def __init__(self) -> None:
        self.started = 0
        self.starts = threading.Semaphore(0)
        self.ended = 0
        self.released = threading.Event()

    def __call__(self, *args: object) -> bool:
        self.started += 1
        self.starts.release()
        self.released.wait(30)
        self.ended += 1
        return True

    def release(self) -> None:
        self.released.set()
        while self.ended < self.started:
            time.sleep(0.001)


@BACKENDS
@pytest.mark.parametrize("is_cached", [False, True])
def test_a_hanging_resolver_takes_no_more_threads_than_its_limit(
    backend: str, is_cached: bool, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = Hanging()
    resolver = OriginResolver(hanging, max_threads=40) if is_cached else Resolver(hanging)

    async def give_up(number: int) -> None:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(resolver.ask_async, request(f"https://{number}.example"))
                await anyio.to_thread.run_sync(hanging.starts.acquire)
                scope.cancel()

    async def main() -> None:
        for number in range(40):
            await give_up(number)
        # All requests have ended, and their threads run.
        for number in range(40, 200):
            assert not await resolver.ask_async(request(f"https://{number}.example"))
        assert hanging.started == 40
        await anyio.to_thread.run_sync(hanging.release)
        verdict = False
        while not verdict:  # a thread ends shortly after the function
            verdict = await resolver.ask_async(request())

    anyio.run(main, backend=backend)
    assert "ThreadsBusyError: all 40 threads for it are busy" in caplog.text


@BACKENDS
def test_a_request_that_is_cancelled_before_its_thread_starts_takes_none(backend: str) -> None:
    resolver = OriginResolver(lambda origin, host: True, max_threads=1)

    async def main() -> None:
        for _ in range(10):
            with anyio.CancelScope() as scope:
                scope.cancel()
                await resolver.ask_async(request())
        assert await resolver.ask_async(request())

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("origins", [[KNOWN] * 3, [f"https://{n}.example" for n in range(3)]])
def test_a_slow_resolver_leaves_threads_of_a_sync_server(
    origins: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    hanging = Hanging()

    def is_allowed(origin: str, host: str | None) -> bool:
        return origin == STATIC or hanging()

    resolver = OriginResolver(is_allowed, timeout=None, max_threads=3)
    assert resolver.ask(request(STATIC))
    verdicts: list[bool] = []
    threads = [
        threading.Thread(
            target=lambda origin=origin: verdicts.append(resolver.ask(request(origin)))
        )
        for origin in origins
    ]
    for thread in threads:
        thread.start()
    while resolver._function._threads._value:
        time.sleep(0.001)
    assert not resolver.ask(request(UNKNOWN))
    assert resolver.ask(request(STATIC))  # remembered
    hanging.release()
    for thread in threads:
        thread.join()
    assert verdicts == [True] * 3
    assert hanging.started == len(set(origins))
    assert resolver.ask(request(UNKNOWN))
    assert "ThreadsBusyError: all 3 threads for it are busy" in caplog.text


# --- cancellation


def cancelled(*args: object) -> bool:
    raise asyncio.CancelledError


async def cancelled_async(*args: object) -> bool:
    task = asyncio.ensure_future(asyncio.sleep(30))
    asyncio.get_running_loop().call_soon(task.cancel)
    await task
    return True


@pytest.mark.parametrize("timeout", [None, 30])
@pytest.mark.parametrize(
    "fn",
    [
        cancelled,
        pytest.param(
            cancelled_async,
            marks=pytest.mark.skipif(
                sys.version_info < (3, 11), reason="3.10 cannot tell whose cancellation it is"
            ),
        ),
    ],
)
def test_a_cancellation_of_the_resolvers_own_is_a_refusal(
    fn: Any, timeout: float | None, caplog: pytest.LogCaptureFixture
) -> None:
    resolver = OriginResolver(fn, timeout=timeout)

    async def main() -> None:
        assert await resolver.ask_async(request()) is False

    anyio.run(main)
    assert "CancelledError" in caplog.text


def test_a_cancellation_of_the_resolvers_own_is_a_refusal_in_a_sync_adapter(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = WSGIMiddleware(wsgi_app, origin_resolver=cancelled)
    assert wsgi(app, UNKNOWN) == {"vary": ["origin"]}
    assert "CancelledError" in caplog.text


@pytest.mark.parametrize("timeout", [None, 30])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_cancellation_of_the_request_passes_through(
    timeout: float | None, is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = Hanging()

    async def hangs(origin: str, host: str | None) -> bool:
        hanging.starts.release()
        await asyncio.sleep(30)
        return True

    resolver = OriginResolver(hangs if is_async else hanging, timeout=timeout)

    async def main() -> None:
        task = asyncio.ensure_future(resolver.ask_async(request()))
        await anyio.to_thread.run_sync(hanging.starts.acquire)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        hanging.released.set()

    anyio.run(main)
    assert not caplog.messages


def test_a_keyboard_interrupt_of_a_resolver_passes_through() -> None:
    def interrupted(*args: object) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        OriginResolver(interrupted, timeout=None).ask(request())


# --- configuration


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"fn": "is_allowed"}, "is not a function"),
        ({"key": "origin"}, "key is not a tuple"),
        ({"key": ("host",)}, 'without "origin"'),
        ({"key": ("origin", "cookie")}, "header:X-Tenant"),
        ({"key": ("origin", "header:")}, "header:X-Tenant"),
        ({"key": ("origin", 3)}, "header:X-Tenant"),
        ({"ttl": -1}, "write ttl=60"),
        ({"negative_ttl": "10"}, "write negative_ttl=10"),
        ({"max_entries": 0}, "write max_entries=10000"),
        ({"max_entries": 1.5}, "write max_entries=10000"),
        ({"timeout": 0}, "write timeout=2.0"),
        ({"timeout": True}, "write timeout=2.0"),
        ({"max_threads": 0}, "write max_threads=40"),
    ],
)
def test_a_wrong_argument_of_a_resolver_is_a_problem(options: dict[str, Any], says: str) -> None:
    given = {"fn": async_resolver, **options}
    with pytest.raises(ConfigError) as caught:
        OriginResolver(**given)
    (problem,) = caught.value.problems
    assert problem.code == "resolver-invalid"
    assert says in str(problem)


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (lambda: Policy(origin_resolver="is_allowed"), "resolver-invalid"),  # type: ignore[arg-type]
        (lambda: Policy.from_env(environ={"CORS_ORIGIN_RESOLVER": "f"}), "resolver-invalid"),
        (lambda: Policy(allow_origins=["*"], origin_resolver=failing), "wildcard-not-alone"),
    ],
)
def test_options_that_contradict_a_resolver_are_problems(
    build: Callable[[], Policy], code: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        build()
    assert code in [problem.code for problem in caught.value.problems]


def test_a_resolver_is_enough_of_a_policy() -> None:
    policy = Policy(origin_resolver=failing, allow_credentials=True)
    assert policy.origin_resolver is failing
    assert policy == Policy(origin_resolver=failing, allow_credentials=True)
    assert policy != Policy(origin_resolver=async_resolver, allow_credentials=True)
    assert not policy.allows_origin(KNOWN)  # no resolver is called
    assert "origin_resolver=" in repr(policy)
    logging.getLogger("corscore").debug("%r", OriginResolver(failing))
