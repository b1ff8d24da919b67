"""An exception of the application: a plain 500 with the headers, and it is raised again."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from cors_headers import READABLE, cors_of
from corscore import OriginResolver, Policy, PolicyMap, PolicyRef, RequestInfo
from corscore.testing.conformance._asgi import http_scope
from corscore.testing.conformance._wsgi import Response, call, wsgi_environ
from corscore_asgi import CORSMiddleware as ASGIMiddleware
from corscore_wsgi import CORSMiddleware as WSGIMiddleware
from tables import cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from corscore.integration import Policies

pytestmark = pytest.mark.usefixtures("build")

PAGE = "https://app.example"
HEADERS = [("Origin", PAGE)]
TEXT = ("Content-Type", "text/plain")
READABLE_BY_ALL = {"access-control-allow-origin": ["*"]}
PLAIN_500 = (500, b"Internal Server Error")


class BoomError(Exception):
    """The exception of the applications."""


class Sent:
    """The response at the client; the status is 0 without one."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


def through_asgi(app: Any, method: str, url: str, headers: list[tuple[str, str]]) -> Sent:
    """Send a request to an application that raises ``BoomError``."""
    messages: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        messages.append(message)

    with pytest.raises(BoomError):
        asyncio.run(app(http_scope(method, url, headers), receive, send))
    if not messages:
        return Sent(0, [], b"")
    start, *bodies = messages
    lines = [(name.decode(), value.decode()) for name, value in start["headers"]]
    return Sent(start["status"], lines, b"".join(one["body"] for one in bodies))


def through_wsgi(app: Any, method: str, url: str, headers: list[tuple[str, str]]) -> Sent:
    """Send a request to an application that raises ``BoomError``."""
    response = Response()
    with pytest.raises(BoomError):
        call(app, wsgi_environ(method, url, headers), response)
    return Sent(response.status, response.headers, response.body)


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    raise BoomError


def wsgi_app(environ: Any, start_response: Any) -> Iterable[bytes]:
    raise BoomError


def asgi(policies: Policies, **more: Any) -> Callable[..., Sent]:
    layer = ASGIMiddleware(asgi_app, policies, **more)
    return lambda *request: through_asgi(layer, *request)


def wsgi(policies: Policies, **more: Any) -> Callable[..., Sent]:
    layer = WSGIMiddleware(wsgi_app, policies, **more)
    return lambda *request: through_wsgi(layer, *request)


BOTH = pytest.mark.parametrize("layer", [asgi, wsgi])


def is_page(origin: str, request: RequestInfo) -> bool:
    return origin == PAGE


def policies_of(case: dict[str, Any]) -> Policies:
    resolver = OriginResolver(is_page, timeout=None) if case.get("resolver") else None
    policy = Policy(
        **case.get("options", {"allow_origins": [PAGE]}),
        origin_resolver=resolver,
    )
    if case.get("map"):
        return PolicyMap({"/api/*": policy})
    return PolicyRef(policy) if case.get("ref") else policy


@BOTH
@pytest.mark.parametrize("case", cases("exceptions"))
def test_an_exception_is_answered_where_a_page_waits_for_it(
    layer: Callable[..., Callable[..., Sent]], case: dict[str, Any]
) -> None:
    headers = dict(case["headers"])
    host = headers.pop("Host", "api.example")
    policies = policies_of(case)
    send = layer(policies, own_origins=case.get("own_origins", ()))
    url = f"https://{host}{case.get('path', '/')}"
    sent = send(case.get("method", "GET"), url, list(headers.items()))
    if not case["answered"]:
        assert (sent.status, sent.body, sent.headers) == (0, b"", [])
        return
    assert (sent.status, sent.body) == PLAIN_500
    is_any = policies == Policy(allow_origins=["*"])
    assert cors_of(sent.headers) == (READABLE_BY_ALL if is_any else READABLE)
    own = {name.lower(): value for name, value in sent.headers}
    assert own["content-type"] == "text/plain; charset=utf-8"
    assert own["content-length"] == "21"


@BOTH
def test_an_inner_layer_answers_and_the_outer_one_does_not_again(
    layer: Callable[..., Callable[..., Sent]],
) -> None:
    policy = Policy(allow_origins=[PAGE])
    if layer is asgi:
        both: Any = ASGIMiddleware(ASGIMiddleware(asgi_app, policy), policy)
        sent = through_asgi(both, "GET", "https://api.example/", HEADERS)
    else:
        both = WSGIMiddleware(WSGIMiddleware(wsgi_app, policy), policy)
        sent = through_wsgi(both, "GET", "https://api.example/", HEADERS)
    assert (sent.status, sent.body) == PLAIN_500
    assert cors_of(sent.headers) == READABLE


# --- what an application has done before it raises


async def begun_asgi(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise BoomError


def test_a_response_that_has_started_under_asgi_is_left_as_it_is() -> None:
    layer = ASGIMiddleware(begun_asgi, Policy(allow_origins=[PAGE]))
    sent = through_asgi(layer, "GET", "https://api.example/", HEADERS)
    assert (sent.status, sent.body) == (200, b"")


@pytest.mark.parametrize("error", [KeyboardInterrupt, asyncio.CancelledError])
def test_an_interruption_gets_no_response(error: type[BaseException]) -> None:
    async def interrupted(scope: Any, receive: Any, send: Any) -> None:
        raise error

    async def never(*_: object) -> Any:
        pytest.fail("it was called")

    async def main() -> None:
        layer = ASGIMiddleware(interrupted, Policy(allow_origins=[PAGE]))
        scope = http_scope("GET", "https://api.example/", HEADERS)
        with pytest.raises(error):
            await layer(scope, never, never)

    asyncio.run(main())

    def interrupted_wsgi(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise error

    layer = WSGIMiddleware(interrupted_wsgi, Policy(allow_origins=[PAGE]))
    with pytest.raises(error):
        layer(wsgi_environ("GET", "https://api.example/", HEADERS), pytest.fail)  # type: ignore[arg-type]


def started(environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    raise BoomError


def generator(environ: Any, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    yield from failing(0)


class Generator:
    def __call__(self, environ: Any, start_response: Any) -> Iterator[bytes]:
        yield from failing(0)


def failing(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b"begun"
    raise BoomError


def wrapper(environ: Any, start_response: Any) -> Iterable[bytes]:
    return generator(environ, start_response)


@pytest.mark.parametrize("app", [started, generator, Generator(), wrapper])
def test_a_wsgi_response_of_which_nothing_was_sent_is_replaced(app: Any) -> None:
    layer = WSGIMiddleware(app, Policy(allow_origins=[PAGE]))
    sent = through_wsgi(layer, "GET", "https://api.example/", HEADERS)
    assert (sent.status, sent.body) == PLAIN_500
    assert cors_of(sent.headers) == READABLE


def writing(environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])(b"begun")
    raise BoomError


def late(environ: Any, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    yield from failing(1)


@pytest.mark.parametrize("app", [writing, late])
def test_a_wsgi_response_that_was_begun_is_left_as_it_is(app: Any) -> None:
    layer = WSGIMiddleware(app, Policy(allow_origins=[PAGE]))
    sent = through_wsgi(layer, "GET", "https://api.example/", HEADERS)
    assert (sent.status, sent.body) == (200, b"begun")


def test_a_generator_is_closed_with_the_response() -> None:
    closed = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [TEXT])
        try:
            yield b"one"
            yield b"two"
        finally:
            closed.append(True)

    layer = WSGIMiddleware(app, Policy(allow_origins=[PAGE]))
    chunks: Any = layer(wsgi_environ("GET", "https://api.example/", HEADERS), Response().start)
    assert next(chunks) == b"one"
    assert not closed
    chunks.close()
    assert closed


def test_a_generator_may_have_no_chunks() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("204 No Content", [])
        yield from ()

    response = call(
        WSGIMiddleware(app, Policy(allow_origins=[PAGE])),
        wsgi_environ("GET", "https://api.example/", HEADERS),
    )
    assert (response.status, response.body) == (204, b"")


def test_an_exception_that_was_answered_is_in_no_cycle() -> None:
    layer = WSGIMiddleware(wsgi_app, Policy(allow_origins=[PAGE]))

    def serve() -> weakref.ref[BoomError]:
        try:
            call(layer, wsgi_environ("GET", "https://api.example/", HEADERS))
        except BoomError as error:
            return weakref.ref(error)
        pytest.fail("nothing was raised")

    gc.collect()
    gc.disable()
    try:
        assert serve()() is None
    finally:
        gc.enable()
