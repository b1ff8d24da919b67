"""Paths, cross-site blocking, handshakes and observers, in both the ASGI and the WSGI adapter."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

import corscore_wsgi
from cors_headers import READABLE, REFUSED, cors_of
from corscore import ConfigError, Policy, PolicyMap, PolicyRef, RequestInfo
from corscore._engine import log
from corscore.testing.conformance._asgi import http_scope
from corscore_asgi import CORSMiddleware as ASGIMiddleware
from corscore_asgi import decision_of
from corscore_wsgi import CORSMiddleware as WSGIMiddleware
from ways import IN_EVERY_WAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from corscore import Decision
    from corscore.integration import Policies

pytestmark = pytest.mark.usefixtures("build")

PAGE = "https://app.example"
OTHER = "https://other.example"
EVIL = "https://evil.example"
HOST = "shop.example"
POLICY = Policy(allow_origins=[PAGE], allow_methods=["PUT"])
STARTED = [("Access-Control-Allow-Origin", "https://own.example"), ("X-App", "1")]


async def _never(*args: object) -> Any:
    pytest.fail("it was called")


class Answer:
    """A response, and whether the application was called."""

    def __init__(self, status: int, headers: list[tuple[str, str]], reached_app: bool) -> None:
        self.status = status
        self.headers = headers
        self.reached_app = reached_app

    @property
    def cors(self) -> dict[str, list[str]]:
        return cors_of(self.headers)


def through_asgi(
    options: dict[str, Any], method: str, path: str, headers: dict[str, str], mount: str = ""
) -> Answer:
    called: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        called.append(scope)
        raw = [(name.lower().encode(), value.encode()) for name, value in STARTED]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await send({"type": "http.response.body"})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        pytest.fail("it was called")

    scope = http_scope(method, f"https://{HOST}/", list(headers.items()))
    # `path` includes `root_path` in the current specification of ASGI.
    scope |= {"path": mount + path, "root_path": mount}
    anyio.run(ASGIMiddleware(app, **options), scope, receive, send)
    pairs = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    return Answer(sent[0]["status"], pairs, bool(called))


def through_wsgi(
    options: dict[str, Any], method: str, path: str, headers: dict[str, str], mount: str = ""
) -> Answer:
    called: list[Any] = []
    started: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        called.append(environ)
        start_response("200 OK", list(STARTED))
        return []

    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": mount,
        "PATH_INFO": path.encode().decode("latin-1"),
        "HTTP_HOST": HOST,
    }
    keys = {name: name.upper().replace("-", "_") for name in headers}
    environ |= {
        key if key.startswith("CONTENT_") else f"HTTP_{key}": headers[name]
        for name, key in keys.items()
    }
    WSGIMiddleware(app, **options)(environ, lambda *args: started.append(args))  # type: ignore[arg-type]
    status, pairs = started[0][:2]
    return Answer(int(status[:3]), pairs, bool(called))


THROUGH = pytest.mark.parametrize("through", [through_asgi, through_wsgi])
Through = Any


def ask(
    through: Through,
    policies: Any,
    path: str = "/",
    *,
    method: str = "GET",
    origin: str | None = PAGE,
    site: str | None = None,
    asks_for: str | None = None,
    mount: str = "",
    **options: Any,
) -> Answer:
    headers = {
        "Origin": origin,
        "Sec-Fetch-Site": site,
        "Access-Control-Request-Method": asks_for,
    }
    given = {name: value for name, value in headers.items() if value is not None}
    answer: Answer = through({"policy": policies, **options}, method, path, given, mount)
    return answer


# --- paths

MAP = PolicyMap(
    {"/api/*": POLICY, "/caf\u00e9/*": POLICY, "/internal/*": None},
    default=Policy(allow_origins=[OTHER]),
)


@THROUGH
@pytest.mark.parametrize("mount", ["", "/mounted"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [("/api/x", READABLE), ("/caf\u00e9/x", READABLE), ("/x", REFUSED), ("/apix", REFUSED)],
)
def test_a_path_has_its_policy(
    through: Through, mount: str, path: str, expected: dict[str, list[str]]
) -> None:
    assert ask(through, MAP, path, mount=mount).cors == expected
    preflight = ask(through, MAP, path, mount=mount, method="OPTIONS", asks_for="PUT")
    assert preflight.status == (204 if expected is READABLE else 403)
    assert not preflight.reached_app


@THROUGH
def test_a_path_without_a_policy_is_left_alone(through: Through) -> None:
    for method, asks_for in (("GET", None), ("OPTIONS", "PUT"), ("POST", None)):
        answer = ask(
            through,
            MAP,
            "/internal/x",
            method=method,
            asks_for=asks_for,
            site="cross-site",
            block_cross_site=True,
        )
        assert answer.reached_app
        assert answer.headers == [
            (name.lower() if through is through_asgi else name, value) for name, value in STARTED
        ]


@pytest.mark.parametrize(
    ("path", "root_path", "expected"),
    [
        ("/m/api/x", "/m", READABLE),
        ("/api/x", "/m", READABLE),  # older servers leave the mount out of the path
        ("/m", "/m", REFUSED),
        ("/mapi/x", "/m", REFUSED),
        ("/api/x", "", READABLE),
        ("/api/x", None, READABLE),
        ("/api/x", "/api", REFUSED),
    ],
)
def test_a_path_is_relative_to_where_the_app_is_mounted(
    path: str, root_path: str | None, expected: dict[str, list[str]]
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = http_scope("GET", f"https://{HOST}/", [("Origin", PAGE)])
    scope |= {"path": path, "root_path": root_path}
    anyio.run(ASGIMiddleware(app, MAP), scope, _never, send)
    assert cors_of((n.decode(), v.decode()) for n, v in sent[0]["headers"]) == expected


POLICIES = [
    None,
    POLICY,
    Policy(allow_origins=[OTHER], allow_credentials=True),
    Policy(allow_origins=["*"]),
]
SEGMENTS = st.lists(st.sampled_from(["", "a", "b", "\u00e9"]), max_size=3)
PATHS = SEGMENTS.map(lambda parts: "/" + "/".join(parts))
MAPS = st.builds(
    lambda policies, default: PolicyMap(policies, default=default),
    st.dictionaries(PATHS | PATHS.map(lambda p: p.rstrip("/") + "/*"), st.sampled_from(POLICIES)),
    default=st.sampled_from(POLICIES),
)


@THROUGH
@given(policies=MAPS, path=PATHS, method=st.sampled_from(["GET", "PUT", "POST"]))
def test_a_preflight_gets_the_policy_of_the_request_that_it_announces(
    through: Through, policies: PolicyMap, path: str, method: str
) -> None:
    seen: list[Decision] = []
    options: dict[str, Any] = {"on_decision": lambda decision, request: seen.append(decision)}
    for origin in (PAGE, OTHER):
        preflight = ask(
            through, policies, path, method="OPTIONS", asks_for=method, origin=origin, **options
        )
        actual = ask(through, policies, path, method=method, origin=origin, **options)
        policy = policies.policy_for(path)
        assert preflight.reached_app is (policy is None)
        if policy is not None:
            name = "access-control-allow-origin"
            assert preflight.cors.get(name) == actual.cors.get(name)
            assert seen[-2].origin_allowed == seen[-1].origin_allowed
            assert seen[-1].origin_allowed is policy.allows_origin(origin)


# --- what is given to the adapters


@THROUGH
@pytest.mark.parametrize("option", ["allow_origins", "alow_origins", "n"])
@pytest.mark.parametrize("policies", [POLICY, MAP, PolicyRef(MAP), PolicyRef(POLICY)])
def test_policies_and_options_do_not_go_together(
    through: Through, policies: Any, option: str
) -> None:
    with pytest.raises(TypeError, match=rf"and options \({option}\) were given"):
        through({"policy": policies, option: [PAGE], "own_origins": [PAGE]}, "GET", "/", {})


@THROUGH
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"on_decision": "print"}, "on_decision: a function was expected"),
        ({"shadow": ["*"]}, "shadow: a Policy, a tuple or a PolicyMap was expected"),
    ],
)
def test_an_option_of_a_wrong_type_is_a_type_error(
    through: Through, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(TypeError, match=says):
        through({"policy": POLICY, **options}, "GET", "/", {})


@THROUGH
def test_an_async_on_decision_is_a_type_error(through: Through) -> None:
    async def on_decision(decision: Any, request: Any) -> None:
        """An observer that is never called."""

    with pytest.raises(TypeError, match="nothing awaits it"):
        through({"policy": POLICY, "on_decision": on_decision}, "GET", "/", {})


@THROUGH
@pytest.mark.parametrize(
    ("origins", "codes"),
    [
        (["shop.example"], ["origin-scheme-missing"]),
        (["https://*.shop.example", "*"], ["origin-wildcard-misplaced"] * 2),
        ("https://shop.example", ["not-a-list"]),
    ],
)
def test_own_origins_are_whole_origins(through: Through, origins: Any, codes: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        through({"policy": POLICY, "own_origins": origins}, "GET", "/", {})
    assert [problem.code for problem in caught.value.problems] == codes
    assert {problem.field for problem in caught.value.problems} == {"own_origins"}


@THROUGH
@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"policy": POLICY, "block_cross_site": "no"}, {"not-a-bool": "block_cross_site=False"}),
        (
            {"policy": POLICY, "own_origin": [], "block_cross_site": 1},
            {"option-unknown": "own_origins=[]", "not-a-bool": "block_cross_site=True"},
        ),
        (
            {"allow_origins": [PAGE], "block_crosssite": True, "own_origins": ["x.y"], "debug": 1},
            {
                "option-unknown": "block_cross_site=True",
                "origin-scheme-missing": '"https://x.y"',
                "not-a-bool": "debug=True",
            },
        ),
        (
            {"allow_origins": [PAGE], "n": 1},
            {"option-unknown": "debug, on_decision, shadow, block_cross_site, own_origins"},
        ),
    ],
)
def test_all_mistakes_with_options_are_found_at_once(
    through: Through, options: dict[str, Any], found: dict[str, str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        through(options, "GET", "/", {})
    hints = {problem.code: problem.hint for problem in caught.value.problems}
    assert list(hints) == list(found)
    assert all(part in hints[code] for code, part in found.items())


def test_a_check_of_websockets_is_true_or_false() -> None:
    with pytest.raises(ConfigError, match="write check_websocket_origin=False"):
        ASGIMiddleware(_never, POLICY, check_websocket_origin="no")  # type: ignore[arg-type]


# --- cross-site blocking


@THROUGH
def test_cross_site_requests_pass_unless_block_cross_site_is_on(through: Through) -> None:
    assert ask(through, POLICY, method="POST", origin=EVIL, site="cross-site").reached_app


@THROUGH
def test_preflights_are_answered_with_block_cross_site_too(through: Through) -> None:
    answer = ask(
        through, POLICY, method="OPTIONS", asks_for="PUT", site="cross-site", block_cross_site=True
    )
    assert answer.status == 204


# --- observers


@THROUGH
def test_every_governed_request_is_observed(through: Through) -> None:
    seen: list[tuple[str, str, str, bool]] = []

    def on_decision(decision: Decision, request: RequestInfo) -> None:
        seen.append((decision.kind, request.method, request.path, decision.allowed))

    for path, origin in (
        ("/api/x", PAGE),
        ("/api/x", EVIL),
        ("/api/x", None),
        ("/internal/x", PAGE),
    ):
        ask(through, MAP, path, origin=origin, on_decision=on_decision)
    ask(through, MAP, "/api/x", method="OPTIONS", asks_for="FROB", on_decision=on_decision)
    assert seen == [
        ("actual", "GET", "/api/x", True),
        ("actual", "GET", "/api/x", False),
        ("not-cors", "GET", "/api/x", True),
        ("preflight", "OPTIONS", "/api/x", False),
    ]


@THROUGH
def test_an_exception_of_an_observer_is_logged_and_changes_nothing(
    through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    def on_decision(decision: Decision, request: RequestInfo) -> None:
        raise RuntimeError("a bug of an observer")

    assert ask(through, POLICY, on_decision=on_decision).cors == READABLE
    assert "on_decision raised" in caplog.text
    assert "a bug of an observer" in caplog.text


def test_other_origins_cannot_silence_the_log_of_observers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def on_decision(decision: Decision, request: RequestInfo) -> None:
        if request.path == "/broken":
            raise RuntimeError("a bug of an observer")

    layer = WSGIMiddleware(lambda *_: [], POLICY, on_decision=on_decision)
    for number in range(1001):
        path = "/broken" if number == 1000 else "/"
        origin = f"https://{number}.example"
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "HTTP_ORIGIN": origin}
        layer(environ, lambda *_: None)  # type: ignore[arg-type]
    assert "a bug of an observer" in caplog.text


@pytest.mark.parametrize(
    ("origin", "says"),
    [
        ("null", "Refused: null-origin"),
        ("evil", "Refused: origin-scheme-missing"),
        (EVIL, "its origin_resolver, refused the origin"),
    ],
)
@THROUGH
def test_debug_logs_the_explanation_of_a_refusal(
    through: Through, origin: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    # Resolvers are asked about well-formed origins only.
    policy = Policy(origin_resolver=lambda origin, request: False, debug=True)
    ask(through, policy, origin=origin)
    assert says in caplog.text


@THROUGH
@IN_EVERY_WAY
def test_a_shadow_of_any_kind_is_compared_with_policies_of_any_kind(
    through: Through, way: Callable[[Policy], Policies], caplog: pytest.LogCaptureFixture
) -> None:
    tighter = way(Policy(allow_origins=[OTHER]))
    assert ask(through, way(POLICY), shadow=tighter).cors == READABLE
    assert ask(through, way(POLICY), shadow=way(POLICY)).cors == READABLE
    (message,) = [m for m in caplog.messages if m.startswith("shadow")]
    assert message == (
        f"shadow: origin {PAGE}, GET / is allowed without credentials, and would be refused "
        "(origin-not-allowed)"
    )


@THROUGH
def test_a_shadow_reports_what_would_change(
    through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    candidate = PolicyMap(
        {
            "/tighter/*": Policy(allow_origins=[OTHER]),
            "/same/*": Policy(allow_origins=[PAGE, OTHER], max_age=5, allow_methods=["PUT"]),
            "/cookies/*": Policy(allow_origins=[PAGE], allow_credentials=True),
            "/shown/*": Policy(allow_origins=[PAGE], expose_headers=["X-Total"]),
        }
    )
    for path in ("/tighter/x", "/same/x", "/cookies/x", "/shown/x", "/alone"):
        assert ask(through, POLICY, path, shadow=candidate).cors == READABLE
    for origin in (None, f"https://{HOST}"):  # both without CORS
        ask(through, POLICY, "/tighter/x", shadow=candidate, origin=origin)
    ask(through, MAP, "/internal/x", shadow=PolicyRef(POLICY))
    assert [m for m in caplog.messages if m.startswith("shadow")] == [
        (
            f"shadow: origin {PAGE}, GET /tighter/x is allowed without credentials, "
            "and would be refused (origin-not-allowed)"
        ),
        (
            f"shadow: origin {PAGE}, GET /cookies/x is allowed without credentials, "
            "and would be allowed with credentials"
        ),
        (
            f"shadow: origin {PAGE}, GET /shown/x is allowed without credentials, "
            "and would be allowed without credentials, exposing X-Total"
        ),
        (
            f"shadow: origin {PAGE}, GET /alone is allowed without credentials, "
            "and would be left alone"
        ),
        (
            f"shadow: origin {PAGE}, GET /internal/x is left alone, "
            "and would be allowed without credentials"
        ),
    ]


# --- the log of refusals


WHY = "; what to do: corscore code origin-not-allowed, corscore explain, or debug=True"
MALFORMED = "; what to do: corscore code origin-malformed, corscore explain, or debug=True"


def refusals(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [message for message in caplog.messages if message.startswith("CORS refused")]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = itertools.accumulate([1000.0])
    state = [next(now)]
    monkeypatch.setattr(log, "monotonic", lambda: state[0])

    def advance(seconds: float) -> None:
        state[0] += seconds

    return advance


def test_refusals_are_logged_once_a_minute(
    clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return []

    layer = WSGIMiddleware(app, PolicyRef(POLICY))

    def request(origin: str, method: str = "GET", **more: str) -> None:
        environ = {"REQUEST_METHOD": method, "PATH_INFO": "/a\nb", "HTTP_HOST": HOST, **more}
        layer({**environ, "HTTP_ORIGIN": origin}, lambda *_: None)  # type: ignore[arg-type]

    with caplog.at_level(logging.WARNING, "corscore"):
        request(PAGE)
        request(f"https://{HOST}")  # the site's own pages
        for _ in range(3):
            request(EVIL)
        request("evil\n")
        # debug=True checks methods and headers, too.
        request(PAGE, "OPTIONS", HTTP_ACCESS_CONTROL_REQUEST_METHOD="FROB")
        clock(59)
        request(EVIL)
        clock(2)
        request(EVIL)
    assert refusals(caplog) == [
        f"CORS refused (origin-not-allowed): origin {EVIL}, GET /a\\nb{WHY}",
        f"CORS refused (origin-malformed): origin evil\\n, GET /a\\nb{MALFORMED}",
        f"CORS refused (origin-not-allowed): origin {EVIL}, GET /a\\nb{WHY}",
    ]


def test_the_log_takes_at_most_a_thousand_origins_a_minute(
    clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    limit = log.LogLimit()
    assert sum(limit.lets_pass(f"https://{n}.example", "x") for n in range(5000)) == 1000
    assert len(limit._ends) == 1000
    clock(61)
    assert limit.lets_pass("https://one-more.example", "x")
    assert len(limit._ends) == 1


@THROUGH
def test_a_blocked_request_is_logged_with_its_method_and_path(
    through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    ask(
        through,
        POLICY,
        "/pay",
        method="POST",
        origin=None,
        site="cross-site",
        block_cross_site=True,
    )
    assert refusals(caplog) == [
        (
            "CORS refused (request-not-allowed): origin -, POST /pay; what to do: "
            "corscore code request-not-allowed"
        )
    ]


@THROUGH
def test_a_refusal_is_logged_once_where_two_rules_refuse(
    through: Through, caplog: pytest.LogCaptureFixture
) -> None:
    more: dict[str, Any] = {"method": "POST", "origin": EVIL, "site": "cross-site"}
    ask(through, POLICY, "/pay", block_cross_site=True, **more)
    assert [message.partition(":")[0] for message in refusals(caplog)] == [
        "CORS refused (request-not-allowed)"
    ]


def test_the_application_finds_the_decision() -> None:
    found: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.append(decision_of(scope))

    for policies in (MAP, POLICY):
        scope = http_scope("GET", f"https://{HOST}/api/x", [("Origin", PAGE)])
        anyio.run(ASGIMiddleware(app, policies), scope, _never, _never)
    assert found[0].allowed
    assert found[1] is None  # under one plain policy


class Text(str):
    """A framework's own text, such as Starlette's ``URLPath``, or a member of an ``Enum``."""

    __slots__ = ()

    def __str__(self) -> str:
        return "Text"


@pytest.mark.parametrize("key", ["/api/*", f"{HOST}/api/*"])
def test_a_subclass_of_str_counts_as_its_text(key: str) -> None:
    policies = PolicyMap({key: POLICY})
    assert policies.policy_for(Text("/api/x"), host=Text(HOST)) is POLICY
    assert POLICY.decide(RequestInfo("GET", origin=Text(PAGE))).allowed
    found: list[Any] = []

    async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
        found.append(decision_of(scope))

    scope = http_scope("GET", f"https://{HOST}/", [("Origin", PAGE)])
    scope |= {"path": Text("/api/x"), "root_path": Text("")}
    anyio.run(ASGIMiddleware(asgi_app, policies), scope, _never, _never)

    def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
        found.append(corscore_wsgi.decision_of(environ))
        return []

    environ: dict[str, Any] = {
        "REQUEST_METHOD": Text("GET"),
        "PATH_INFO": Text("/api/x"),
        "HTTP_HOST": Text(HOST),
        "HTTP_ORIGIN": Text(PAGE),
    }
    WSGIMiddleware(wsgi_app, policies)(environ, _never)  # type: ignore[arg-type]
    assert [decision.allowed for decision in found] == [True, True]


# --- WebSockets


def handshake(origin: str | None, policy: Any, *, denial: bool, **options: Any) -> Any:
    """Return what was sent, or None where the application was called."""
    called: list[Any] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        called.append(scope)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", HOST.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    scope = {"type": "websocket", "path": "/ws", "headers": headers, "extensions": {}}
    if denial:
        scope["extensions"] = {"websocket.http.response": {}}
    anyio.run(ASGIMiddleware(app, policy, **options), scope, receive, send)
    assert bool(sent) != bool(called)
    return sent or None


def test_handshakes_are_not_checked_unless_asked_for() -> None:
    assert handshake(EVIL, POLICY, denial=True) is None


def test_handshakes_where_there_is_no_policy_are_left_alone() -> None:
    policies = PolicyMap({"/ws": None}, default=POLICY)
    assert handshake(EVIL, policies, denial=True, check_websocket_origin=True) is None


def test_a_resolver_is_asked_about_handshakes(caplog: pytest.LogCaptureFixture) -> None:
    async def is_allowed(origin: str, request: RequestInfo) -> bool:
        assert (request.method, request.path) == ("GET", "/ws")
        return origin == OTHER

    policy = Policy(origin_resolver=is_allowed, allow_credentials=True)
    assert handshake(OTHER, policy, denial=True, check_websocket_origin=True) is None
    assert handshake(EVIL, policy, denial=True, check_websocket_origin=True) is not None
    refusal = (
        f"CORS refused (websocket-not-allowed): origin {EVIL}, GET /ws; compared with Host {HOST}: "
    )
    assert [message.startswith(refusal) for message in refusals(caplog)] == [True]


# --- the headers of a request


def test_many_lines_of_one_header_are_one_list() -> None:
    lines = 100_000
    pairs: list[Any] = [(b"Origin", b"a"), (b"X-A", b"1"), (b"x-a", b"2"), *[(b"b", b"")] * lines]
    # No server passes these.
    pairs += [("host", "a.example"), (b"host", None)]
    request = RequestInfo.from_pairs("GET", pairs)
    assert (request.origin, request.host, request.header("X-a")) == ("a", None, "1, 2")
    assert request.header("b") == ", " * (lines - 1)


@THROUGH
def test_observers_can_read_every_header(through: Through) -> None:
    seen: list[Any] = []

    def on_decision(decision: Decision, request: RequestInfo) -> None:
        seen.append([request.header(name) for name in names])

    names = ["Content-Type", "content-length", "X-Tenant"]
    options = {"policy": POLICY, "on_decision": on_decision}
    values = ["text/plain", "0", "one"]
    through(options, "POST", "/", dict(zip(names, values, strict=True)))
    assert seen == [values]
