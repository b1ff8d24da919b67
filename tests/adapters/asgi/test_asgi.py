"""``corscore_asgi.CORSMiddleware``: what it changes, and what it leaves alone."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import anyio.lowlevel
import pytest

from asgi_apps import APPS
from cors_headers import OTHER_PAGE, PAGE, READABLE, REFUSED, cors_of
from corscore import ConfigError, Policy
from corscore.testing.conformance import Crash, asgi_sender
from corscore.testing.conformance._asgi import http_scope
from corscore_asgi import CORSMiddleware

if TYPE_CHECKING:
    from asgi_apps import ASGIApp

pytestmark = pytest.mark.usefixtures("build")

API = "https://api.example"
ORIGIN = PAGE.encode()
POLICY = Policy(allow_origins=[PAGE], allow_methods=["PUT"])
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])
PREFLIGHT = [("Origin", PAGE), ("Access-Control-Request-Method", "PUT")]

Message = MutableMapping[str, Any]


@pytest.fixture
def policy(build: object) -> Policy:
    """The policy of these tests, on each build."""
    return Policy(allow_origins=[PAGE], allow_methods=["PUT"])


async def never(*args: object) -> Any:
    pytest.fail("it was called")


def app_sending(*messages: Any) -> ASGIApp:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return app


def exchange(
    app: ASGIApp, scope: Message, receive: Any = never, *, backend: str = "asyncio"
) -> list[Message]:
    """Return all messages that the application sends, as the same objects."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    anyio.run(app, scope, receive, send, backend=backend)
    return sent


def scope_of(method: str = "GET", path: str = "/", origin: str | None = PAGE) -> Message:
    headers = [] if origin is None else [("Origin", origin)]
    return http_scope(method, API + path, headers)


def cors_of_start(message: Message) -> dict[str, list[str]]:
    assert message["type"] == "http.response.start"
    return cors_of((bytes(n).decode(), bytes(v).decode()) for n, v in message["headers"])


START = {"type": "http.response.start", "status": 200, "headers": [(b"x-one", b"1")]}
BODY = {"type": "http.response.body", "body": b"ok"}


# --- any application


@pytest.fixture(scope="module", params=list(APPS))
def framework(request: pytest.FixtureRequest) -> ASGIApp:
    return CORSMiddleware(APPS[request.param](), POLICY)


def notices(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what was logged, without refused requests."""
    return [
        record
        for record in caplog.records
        if record.name == "corscore" and not record.getMessage().startswith("CORS refused")
    ]


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/stream", 200), ("/missing", 404), ("/crash", 500)]
)
def test_the_middleware_governs_any_framework(
    framework: ASGIApp, path: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    send = asgi_sender(framework)
    vary = ["accept-encoding"] if path == "/" else []
    for origin, wanted in (
        (PAGE, {**READABLE, "vary": [*vary, "origin"]}),
        (OTHER_PAGE, {"vary": [*vary, "origin"]}),
    ):
        got_status, headers, _ = send("GET", API + path, [("Origin", origin)])
        assert got_status == status
        assert cors_of(headers) == wanted
    assert notices(caplog) == []
    got_status, headers, _ = send("OPTIONS", API + path, PREFLIGHT)
    assert got_status == 204
    assert "content-length" not in {name.lower() for name, _ in headers}
    assert cors_of(headers)["access-control-allow-methods"] == ["GET, HEAD, POST, PUT"]


def test_head_is_a_request_like_another(framework: ASGIApp) -> None:
    # Some frameworks do not route it, and their answer must be readable, too.
    _, headers, _ = asgi_sender(framework)("HEAD", f"{API}/", [("Origin", PAGE)])
    assert cors_of(headers)["access-control-allow-origin"] == [PAGE]


def test_tools_can_walk_the_stack() -> None:
    inner = app_sending()
    middleware = CORSMiddleware(CORSMiddleware(inner, POLICY), POLICY)
    assert isinstance(middleware.app, CORSMiddleware)
    assert middleware.app.app is inner
    assert middleware.policy is POLICY


# --- what passes untouched


@pytest.mark.parametrize("kind", ["websocket", "lifespan", "mqtt", "", "HTTP"])
def test_other_scopes_pass_as_the_very_objects(kind: str) -> None:
    seen: list[object] = []

    async def app(*args: object) -> None:
        seen.extend(args)

    scope = {"type": kind, "headers": [(b"origin", PAGE.encode())]}
    before = dict(scope)
    asyncio.run(CORSMiddleware(app, POLICY)(scope, never, never))
    assert [id(argument) for argument in seen] == [id(scope), id(never), id(never)]
    assert scope == before


def test_an_http_scope_and_its_receive_pass_as_the_very_objects() -> None:
    seen: list[object] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend((scope, receive))

    scope = scope_of()
    before = {**scope, "headers": list(scope["headers"])}
    assert exchange(CORSMiddleware(app, POLICY), scope) == []
    assert seen[0] is scope
    assert seen[1] is never
    assert scope == before


@pytest.mark.parametrize(
    "message",
    [
        {"type": "http.response.body", "body": b"x", "more_body": True},
        {"type": "http.response.body"},
        {"type": "http.response.trailers", "headers": [(b"vary", b"x"), (b"etag", b"y")]},
        {"type": "http.response.pathsend", "path": "/srv/file"},
        {"type": "http.response.zerocopysend", "file": 3},
        {"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]},
        {"type": "http.response.push", "path": "/style.css", "headers": []},
        {"type": "http.response.debug", "info": {"template": "index.html"}},
        {"type": "something.of.tomorrow", "headers": [(b"access-control-allow-origin", b"*")]},
    ],
    ids=lambda message: message["type"],
)
def test_other_messages_pass_as_the_very_objects(policy: Policy, message: Message) -> None:
    before = dict(message)
    sent = exchange(CORSMiddleware(app_sending(message, START, message), policy), scope_of())
    assert sent[0] is message
    assert sent[2] is message
    assert message == before


def test_a_start_message_keeps_its_other_fields(policy: Policy) -> None:
    start = {**START, "status": 299, "trailers": True, "of.tomorrow": object()}
    (sent,) = exchange(CORSMiddleware(app_sending(start), policy), scope_of())
    assert {**sent, "headers": None} == {**start, "headers": None}
    assert (b"x-one", b"1") in sent["headers"]


@pytest.mark.parametrize("headers", [[(b"x-one", b"1")], [(b"vary", b"accept"), (b"x", b"y")], []])
def test_a_constant_message_stays_what_it_was(
    policy: Policy, headers: list[tuple[bytes, bytes]]
) -> None:
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    before = list(headers)
    app = CORSMiddleware(app_sending(start, BODY), policy)
    for origin in (PAGE, OTHER_PAGE, PAGE, None):
        sent = exchange(app, scope_of(origin=origin))
        assert sent[0] is not start
        assert sent[0]["headers"] is not headers
        # A server adds headers to one response, and the next one must not have them.
        sent[0]["headers"].append((b"server", b"x"))
        sent[0]["status"] = 500
        assert start == {"type": "http.response.start", "status": 200, "headers": headers}
        assert headers == before
    first, second = (exchange(app, scope_of())[0] for _ in range(2))
    assert first == second
    assert len(first["headers"]) == len(set(first["headers"]))


# --- how headers are written


@pytest.mark.parametrize(
    "headers",
    [
        [(b"x-one", b"1"), (b"vary", b"accept")],
        [[b"x-one", b"1"], [b"vary", b"accept"]],
        ((b"x-one", b"1"), (b"vary", b"accept")),
        ([b"X-One", b"1"], [b"VARY", b"accept"]),
        {b"x-one": b"1", b"Vary": b"accept"}.items(),
        lambda: iter([(b"x-one", b"1"), (b"vArY", b"accept")]),
        [(bytearray(b"x-one"), b"1"), (memoryview(b"vary"), bytearray(b"accept"))],
    ],
    ids=["list of tuples", "list of lists", "tuples", "tuple of lists", "view", "iterator", "like"],
)
def test_headers_of_a_response_are_taken_in_any_form(build: object, headers: Any) -> None:
    headers = headers() if callable(headers) else headers
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    (sent,) = exchange(CORSMiddleware(app_sending(start), allow_origins=[PAGE]), scope_of())
    assert cors_of_start(sent) == {**READABLE, "vary": ["accept", "origin"]}
    lines = [(bytes(name).lower(), value) for name, value in sent["headers"]]
    assert lines.count((b"x-one", b"1")) == 1


@pytest.mark.parametrize("name", ["x-one", "Vary"])
def test_headers_of_a_response_may_be_text(build: object, name: str) -> None:
    # Some servers take text, so an app that works without the middleware must work with it.
    start = {"type": "http.response.start", "status": 200, "headers": [(name, "accept")]}
    (sent,) = exchange(CORSMiddleware(app_sending(start), allow_origins=[PAGE]), scope_of())
    ours = [(b"access-control-allow-origin", ORIGIN)]
    assert sent["headers"] == (
        [*ours, (b"vary", b"accept, Origin")]
        if name == "Vary"
        else [(name, "accept"), *ours, (b"vary", b"Origin")]
    )


def test_a_response_without_headers_gets_those_of_cors(policy: Policy) -> None:
    start = {"type": "http.response.start", "status": 200}
    app = CORSMiddleware(app_sending(start), policy)
    assert cors_of_start(exchange(app, scope_of())[0]) == READABLE
    assert cors_of_start(exchange(app, scope_of(origin=OTHER_PAGE))[0]) == REFUSED
    assert start == {"type": "http.response.start", "status": 200}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ([(b"origin", ORIGIN)], True),
        ([(b"Origin", ORIGIN)], True),
        (((b"host", b"api.example"), (b"oRiGiN", ORIGIN)), True),
        ([[b"origin", ORIGIN]], True),
        (({b"host": b"x", b"origin": ORIGIN}.items()), True),
        ([(b"origin", ORIGIN), (b"origin", ORIGIN)], False),
        ([(b"origin", ORIGIN), (b"ORIGIN", b"")], False),
        ([(b"Origin", b""), (b"origin", ORIGIN)], False),
        ([(b"origin", OTHER_PAGE.encode()), (b"origin", ORIGIN)], False),
        ([(b"origin", b"\xff" * 8)], False),
        ([(b"origin", b"https://" + b"a" * (1 << 20))], False),
        # No server passes text, so it is not trusted, and does not fail either.
        ([("origin", PAGE), ("host", "api.example")], False),
        ([(b"origin", PAGE)], False),
        ([(b"origin", ORIGIN), (b"origin", PAGE)], True),
        ([("origin", PAGE), (b"origin", ORIGIN)], True),
        ([("access-control-request-method", "PUT"), (b"origin", ORIGIN)], True),
    ],
)
def test_headers_of_a_request_are_read_in_any_form(
    build: object, headers: Any, allowed: bool
) -> None:
    app = CORSMiddleware(app_sending(START), allow_origins=[PAGE])
    (sent,) = exchange(app, {**scope_of(origin=None), "headers": headers})
    assert cors_of_start(sent) == (READABLE if allowed else REFUSED)


# --- preflights


@BACKENDS
def test_a_preflight_is_answered_alone(policy: Policy, backend: str) -> None:
    scope = http_scope("OPTIONS", f"{API}/anything", PREFLIGHT)
    start, body = exchange(CORSMiddleware(never, policy), scope, backend=backend)
    assert start == {
        "type": "http.response.start",
        "status": 204,
        "headers": [
            (b"access-control-allow-origin", ORIGIN),
            (b"access-control-allow-methods", b"GET, HEAD, POST, PUT"),
            (
                b"access-control-allow-headers",
                b"accept, accept-language, content-language, content-type, range",
            ),
            (b"access-control-max-age", b"600"),
            (b"vary", b"Origin"),
        ],
    }
    assert body == {"type": "http.response.body", "body": b""}


def test_a_refused_preflight_says_why_only_in_debug() -> None:
    scope = http_scope("OPTIONS", f"{API}/", [*PREFLIGHT[1:], ("Origin", OTHER_PAGE)])
    for debug, length in ((False, 0), (True, 55)):
        app = CORSMiddleware(never, allow_origins=[PAGE], debug=debug)
        start, body = exchange(app, scope)
        assert start["status"] == 403
        assert dict(start["headers"]) == {
            b"content-length": str(length).encode(),
            b"content-type": b"text/plain; charset=utf-8",
            b"vary": b"Origin",
        }
        assert len(body["body"]) == length
        assert PAGE.encode() not in body["body"]


def test_headers_handed_to_the_server_are_its_own(policy: Policy) -> None:
    app = CORSMiddleware(never, policy)
    scope = http_scope("OPTIONS", f"{API}/", PREFLIGHT)
    first = exchange(app, scope)[0]
    before = list(first["headers"])
    first["headers"].append((b"server", b"x"))
    assert exchange(app, scope)[0]["headers"] == before


def test_several_lines_of_requested_headers_are_one_list(build: object) -> None:
    asked = "Access-Control-Request-Headers"
    app = CORSMiddleware(never, allow_origins=[PAGE], allow_credentials=True, allow_headers=["*"])
    scope = http_scope(
        "OPTIONS", f"{API}/", [(asked, "x-one"), *PREFLIGHT, (asked.upper(), "x-two,x-three")]
    )
    headers = cors_of_start(exchange(app, scope)[0])
    assert headers["access-control-allow-headers"] == ["x-one, x-two,x-three"]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("OPTIONS", [("Origin", PAGE)]),
        ("OPTIONS", PREFLIGHT[1:]),
        ("options", PREFLIGHT),
        ("GET", PREFLIGHT),
        ("OPTIONS", [("Origin", PAGE), ("Access-Control-Request-Headers", "x-one")]),
    ],
)
def test_a_request_that_is_no_preflight_reaches_the_app(
    method: str, headers: list[tuple[str, str]]
) -> None:
    app = CORSMiddleware(app_sending(START, BODY), POLICY)
    start, body = exchange(app, http_scope(method, f"{API}/", headers))
    assert start["status"] == 200
    assert body is BODY


# --- time


@BACKENDS
def test_a_stream_is_not_buffered(policy: Policy, backend: str) -> None:
    log: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in (START, *({**BODY, "body": b"%d" % n, "more_body": True} for n in range(3))):
            log.append("app")
            await send(message)

    async def send(message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        log.append(message["type"])

    anyio.run(CORSMiddleware(app, policy), scope_of(), never, send, backend=backend)
    body = ["app", "http.response.body"]
    assert log == ["app", "http.response.start", *body, *body, *body]


@BACKENDS
def test_events_reach_the_client_while_the_app_waits_for_it(policy: Policy, backend: str) -> None:
    # Each side waits for the other, so a message that is held back would end the test.
    async def main() -> list[Message]:
        received: list[Message] = []
        arrived = [anyio.Event() for _ in range(4)]

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({**START, "headers": [(b"content-type", b"text/event-stream")]})
            await arrived[0].wait()
            for number, event in enumerate(arrived[1:]):
                data = b"data: %d\n\n" % number
                await send({"type": "http.response.body", "body": data, "more_body": True})
                await event.wait()

        async def send(message: Message) -> None:
            arrived[len(received)].set()
            received.append(message)

        await CORSMiddleware(app, policy)(scope_of(), never, send)
        return received

    received = anyio.run(main, backend=backend)
    assert [message.get("body") for message in received] == [
        None, b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n",
    ]  # fmt: skip
    assert cors_of_start(received[0]) == READABLE


@BACKENDS
def test_thousands_of_requests_at_once_get_their_own_answers(backend: str) -> None:
    count = 2000
    arrived = 0

    async def main() -> dict[int, list[Message]]:
        all_arrived = anyio.Event()
        answers: dict[int, list[Message]] = {}

        async def inner(scope: Any, receive: Any, send: Any) -> None:
            nonlocal arrived
            arrived += 1
            if arrived == count:
                all_arrived.set()
            # The first one is answered when all of them are in the application.
            await all_arrived.wait()
            await send(START)
            await send(BODY)

        app = CORSMiddleware(inner, allow_origins=["https://*.app.example"])

        async def client(number: int) -> None:
            sent = answers.setdefault(number, [])

            async def send(message: Message) -> None:
                sent.append(message)

            scheme = "https" if number % 3 else "http"
            await app(scope_of(origin=f"{scheme}://n{number}.app.example"), never, send)

        async with anyio.create_task_group() as group:
            for number in range(count):
                group.start_soon(client, number)
        return answers

    answers = anyio.run(main, backend=backend)
    for number, (start, body) in answers.items():
        origin = {"access-control-allow-origin": [f"https://n{number}.app.example"]}
        assert cors_of_start(start) == (REFUSED if number % 3 == 0 else {**REFUSED, **origin})
        assert body is BODY
    assert START["headers"] == [(b"x-one", b"1")]


@BACKENDS
@pytest.mark.parametrize("started", [False, True])
def test_a_cancelled_request_leaves_nothing_behind(
    policy: Policy, backend: str, started: bool
) -> None:
    class Scope(dict[str, Any]):
        """A scope whose lifetime can be observed."""

    async def main() -> None:
        cleaned_up = []
        inside, go_on = anyio.Event(), anyio.Event()
        others: list[Message] = []

        async def inner(scope: Any, receive: Any, send: Any) -> None:
            if scope["path"] == "/other":
                await go_on.wait()
                await send(START)
                return
            try:
                if started:
                    await send(START)
                inside.set()
                await anyio.sleep_forever()
            finally:
                cleaned_up.append(True)

        app = CORSMiddleware(inner, policy)

        async def keep(message: Message) -> None:
            others.append(message)

        async def drop(message: Message) -> None:
            pass

        async def cancelled(scope: Message) -> None:
            with anyio.CancelScope() as cancel:
                async with anyio.create_task_group() as group:
                    group.start_soon(app, scope, never, drop)
                    await inside.wait()
                    cancel.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(app, scope_of(path="/other"), never, keep)
            scope = Scope(scope_of())
            watched = weakref.ref(scope)
            await cancelled(scope)
            assert cleaned_up == [True]
            del scope
            await anyio.lowlevel.checkpoint()
            gc.collect()
            assert watched() is None
            go_on.set()
        assert [cors_of_start(message) for message in others] == [READABLE]

    anyio.run(main, backend=backend)


# --- failures


@pytest.mark.parametrize("messages", [(START,), (START, BODY)])
def test_an_exception_after_the_start_is_the_apps_own(
    policy: Policy, messages: tuple[Message, ...]
) -> None:
    crash = Crash()
    sent: list[Message] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)
        raise crash

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(Crash) as raised:
        asyncio.run(CORSMiddleware(app, policy)(scope_of(), never, send))
    assert raised.value is crash
    assert len(sent) == len(messages)


@pytest.mark.parametrize("scope", [scope_of(), http_scope("OPTIONS", API, PREFLIGHT)])
def test_an_error_of_the_connection_reaches_the_application(policy: Policy, scope: Message) -> None:
    async def send(message: Message) -> None:
        raise OSError("the client went away")

    with pytest.raises(OSError, match="the client went away"):
        asyncio.run(CORSMiddleware(app_sending(START), policy)(scope, never, send))


# --- an app with CORS headers of its own

THEIRS = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"Access-Control-Allow-Origin", b"*"),
        (b"access-control-allow-credentials", b"true"),
        (b"Vary", b"Cookie"),
        (b"access-control-expose-headers", b"X-One"),
    ],
}


def test_an_apps_own_cors_headers_are_replaced_and_noticed_once_an_app(
    caplog: pytest.LogCaptureFixture,
) -> None:
    apps = [CORSMiddleware(app_sending(THEIRS), POLICY) for _ in range(2)]
    for _ in range(3):
        for app in apps:
            sent = cors_of_start(exchange(app, scope_of())[0])
            assert sent == {
                **READABLE,
                "access-control-expose-headers": ["X-One"],
                "vary": ["cookie", "origin"],
            }
            refused = cors_of_start(exchange(app, scope_of(origin=OTHER_PAGE))[0])
            assert refused == {"vary": ["cookie", "origin"]}
    records = notices(caplog)
    assert len(records) == len(apps)
    assert {record.levelno for record in records} == {logging.WARNING}
    assert "access-control-allow-origin" in records[0].getMessage()


@pytest.mark.parametrize(
    "headers", [[(b"vary", b"Accept")], [(b"access-control-expose-headers", b"x")], []]
)
def test_merged_headers_cause_no_notice(
    headers: list[tuple[bytes, bytes]], caplog: pytest.LogCaptureFixture
) -> None:
    app = CORSMiddleware(app_sending({**START, "headers": headers}), POLICY)
    for origin in (PAGE, OTHER_PAGE, None):
        exchange(app, scope_of(origin=origin))
    assert notices(caplog) == []


# --- configuration


def test_a_wrong_configuration_raises_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        CORSMiddleware(never, allow_origins=["https://app.example/"], max_age=-1)
    assert [problem.code for problem in raised.value.problems] == [
        "origin-trailing-slash",
        "max-age-out-of-range",
    ]
    with pytest.raises(ConfigError) as raised:
        CORSMiddleware(never)
    assert [problem.code for problem in raised.value.problems] == ["origins-missing"]


def test_an_unknown_option_is_a_problem_with_a_guess() -> None:
    misspelt: Any = {"allow_origin": [PAGE]}
    with pytest.raises(ConfigError, match="did you mean allow_origins"):
        CORSMiddleware(never, **misspelt)


def test_options_and_a_ready_policy_do_the_same() -> None:
    options = CORSMiddleware(never, allow_origins=[PAGE], allow_methods={"PUT"})
    assert options.policy == CORSMiddleware(never, POLICY).policy
    assert options.policy == CORSMiddleware(never, policy=POLICY).policy


@pytest.mark.parametrize(
    ("policy", "options", "message"),
    [
        (POLICY, {"allow_credentials": True, "max_age": 5}, "(allow_credentials, max_age)"),
        ([PAGE], {}, f'not list; write CORSMiddleware(app, allow_origins=["{PAGE}"])'),
        ([PAGE], {"max_age": 5}, f'or CORSMiddleware(app, Policy(allow_origins=["{PAGE}"]))'),
        (3, {}, "not int; write CORSMiddleware(app, allow_origins=[...])"),
        ("*", {}, 'not str; write CORSMiddleware(app, allow_origins=["*"])'),
        ({"allow_origins": ["*"]}, {}, "not dict; write CORSMiddleware(app, allow_origins="),
        (Policy, {}, "not type; write CORSMiddleware(app, allow_origins="),
        ((), {}, "an empty tuple has no policy; write a Policy"),
    ],
)
def test_a_wrong_policy_is_a_type_error_that_says_what_to_write(
    policy: Any, options: Any, message: str
) -> None:
    with pytest.raises(TypeError) as raised:
        CORSMiddleware(never, policy, **options)
    assert message in str(raised.value)
