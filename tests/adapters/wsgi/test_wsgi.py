"""``corscore_wsgi.CORSMiddleware``: PEP 3333 to the letter, around any application."""

from __future__ import annotations

import gc
import io
import logging
import sys
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest

from cors_headers import OTHER_PAGE, PAGE, READABLE, REFUSED, cors_of
from corscore import ConfigError, Decision, Policy, RequestInfo
from corscore.testing.conformance._wsgi import Response, call, wsgi_environ
from corscore.testing.strategies import ODD_ORIGINS
from corscore_wsgi import CORSMiddleware, decision_of
from wsgi_apps import CHUNKS, BoomError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication

    Headers = list[tuple[str, str]]

pytestmark = pytest.mark.usefixtures("build")

OPTIONS: dict[str, Any] = {
    "allow_origins": [PAGE],
    "allow_methods": ["PUT"],
    "expose_headers": ["X-Id"],
}
POLICY = Policy(**OPTIONS)
ALLOWED = {**READABLE, "access-control-expose-headers": ["X-Id"]}
URL = "https://api.example/ok"
TEXT = ("Content-Type", "text/plain")


def environ(method: str = "GET", *headers: tuple[str, str], url: str = URL) -> dict[str, Any]:
    return wsgi_environ(method, url, list(headers))


def from_page(method: str = "GET", *headers: tuple[str, str], url: str = URL) -> dict[str, Any]:
    return environ(method, ("Origin", PAGE), *headers, url=url)


PREFLIGHT = ("Access-Control-Request-Method", "PUT")


def plain(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    return [b"ok"]


# --- what PEP 3333 lets an application do


def boom() -> None:
    raise BoomError


def late(environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
    # A generator does not run before the server asks for the first chunk.
    start_response("200 OK", [TEXT])
    yield b"ok"


def writing(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", [TEXT])
    write(b"o")
    return [b"k"]


def restarting(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    start_response("404 Not Found", [TEXT, ("Vary", "Cookie")])
    try:
        boom()
    except BoomError:
        start_response("200 OK", [TEXT], sys.exc_info())
    return [b"ok"]


@pytest.mark.parametrize("app", [plain, late, writing, restarting])
def test_an_application_may_start_its_response_in_any_way(app: WSGIApplication) -> None:
    response = call(CORSMiddleware(app, POLICY), from_page())
    assert (response.status, response.body) == (200, b"ok")
    assert cors_of(response.headers) == ALLOWED


def test_a_response_that_was_partly_sent_cannot_be_started_again() -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [TEXT])
        yield b"begun"
        try:
            boom()
        except BoomError:
            start_response("500 Internal Server Error", [TEXT], sys.exc_info())

    with pytest.raises(BoomError):
        call(CORSMiddleware(app, POLICY), from_page())


def test_a_server_without_exc_info_is_not_given_any() -> None:
    started = []

    def start_response(status: str, headers: Headers) -> Any:
        started.append((status, headers))

    CORSMiddleware(plain, POLICY)(environ(), start_response)  # type: ignore[arg-type]
    assert started == [("200 OK", [TEXT, ("Vary", "Origin")])]


def test_no_exception_is_kept_alive() -> None:
    # PEP 3333: "to avoid creating a circular reference through the traceback"
    errors = []

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            boom()
        except BoomError as error:
            errors.append(weakref.ref(error))
            start_response("500 Internal Server Error", [TEXT], sys.exc_info())
        return []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Any:
        try:
            raise exc_info[1].with_traceback(exc_info[2])
        finally:
            exc_info = None

    gc.collect()
    gc.disable()
    try:
        with suppress(BoomError):
            CORSMiddleware(app, POLICY)(from_page(), start_response)
        assert [error() for error in errors] == [None]
    finally:
        gc.enable()


class Body:
    """A body that knows whether it was closed."""

    def __init__(self) -> None:
        self.chunks = iter(CHUNKS)
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        self.is_closed = True


def test_the_body_is_the_one_that_the_application_returned() -> None:
    # So the server calls its close(), and nothing is buffered or lost.
    body = Body()

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [TEXT])
        return body

    assert CORSMiddleware(app, POLICY)(from_page(), Response().start) is body
    assert not body.is_closed
    assert call(CORSMiddleware(app, POLICY), from_page()).body == b"".join(CHUNKS)
    assert body.is_closed


def test_a_file_wrapper_reaches_the_server() -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("206 Partial Content", [TEXT, ("Content-Range", "bytes 1-2/4")])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](io.BytesIO(b"bc"))
        return wrapped

    response = Response()
    wrapped = CORSMiddleware(app, POLICY)(
        {**from_page("GET", ("Range", "bytes=1-2")), "wsgi.file_wrapper": FileWrapper},
        response.start,
    )
    assert type(wrapped) is FileWrapper
    assert response.status == 206
    assert ("Content-Range", "bytes 1-2/4") in response.headers


def test_an_application_may_send_one_list_of_headers_in_all_responses() -> None:
    constant = [TEXT, ("Vary", "Cookie")]

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", constant)
        return []

    first, second = (call(CORSMiddleware(app, POLICY), from_page()) for _ in range(2))
    assert first.headers == second.headers
    assert constant == [TEXT, ("Vary", "Cookie")]


# --- what requests get

KINDS = {
    "no origin": environ(),
    "allowed": from_page(),
    "refused": environ("GET", ("Origin", OTHER_PAGE)),
    "preflight": from_page("OPTIONS", PREFLIGHT),
    "refused preflight": environ("OPTIONS", ("Origin", OTHER_PAGE), PREFLIGHT),
    "options": from_page("OPTIONS"),
    "head": from_page("HEAD"),
}


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        {"allow_origins": [PAGE], "preflight_status": 200, "debug": True},
        {"allow_origins": ["*"]},
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_wsgiref_accepts_the_response_to_every_kind_of_request(
    kind: str, options: dict[str, Any]
) -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [TEXT])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"ok"]

    layered = validator(CORSMiddleware(validator(app), **options))
    response = Response()
    chunks = layered(dict(KINDS[kind]), response.start)
    list(chunks)
    chunks.close()  # type: ignore[attr-defined]
    # The validator asserts the other rules.
    assert response.status in (200, 204, 403)


@pytest.mark.parametrize(
    ("options", "origin", "status_line", "body"),
    [
        ({}, PAGE, "204 No Content", b""),
        ({"preflight_status": 200}, PAGE, "200 OK", b""),
        ({}, OTHER_PAGE, "403 Forbidden", b""),
        (
            {"debug": True},
            OTHER_PAGE,
            "403 Forbidden",
            b"The request's Origin is not one that the policy allows.",
        ),
    ],
)
def test_a_preflight_is_answered_here(
    options: dict[str, Any], origin: str, status_line: str, body: bytes
) -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        raise AssertionError("the application saw a preflight")

    started = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Any:
        started.append((status, headers))

    request = environ("OPTIONS", ("Origin", origin), PREFLIGHT)
    layer = CORSMiddleware(app, allow_origins=[PAGE], **options)
    assert b"".join(layer(request, start_response)) == body
    ((status, headers),) = started
    assert status == status_line
    assert headers == list(layer.policy.decide(layer.request_of(request)).headers)


@pytest.mark.parametrize("kind", ["no origin", "allowed", "refused", "options", "head"])
def test_everything_else_reaches_the_application_with_the_decision(kind: str) -> None:
    seen: list[Any] = []

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        seen.append(decision_of(environ))
        return plain(environ, start_response)

    expected = {"no origin": REFUSED, "refused": REFUSED}.get(kind, ALLOWED)
    assert cors_of(call(CORSMiddleware(app, POLICY), dict(KINDS[kind])).headers) == expected
    (decision,) = seen
    assert isinstance(decision, Decision)
    assert decision.kind == ("not-cors" if kind == "no origin" else "actual")
    assert decision.origin_allowed == (expected is ALLOWED)


@pytest.mark.parametrize("origin", ODD_ORIGINS)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_odd_origins_never_raise(method: str, origin: str) -> None:
    # PEP 3333 has header bytes as latin-1.
    sent = origin.encode("latin-1").decode("latin-1")
    asked = ("Access-Control-Request-Headers", "\x80\xff,")
    response = call(
        CORSMiddleware(plain, POLICY), environ(method, ("Origin", sent), PREFLIGHT, asked)
    )
    assert response.status == (200 if method == "GET" else 403)
    assert cors_of(response.headers) == REFUSED


@pytest.mark.parametrize("separator", [",", ", "])
def test_two_lines_of_origin_are_no_origin(separator: str) -> None:
    # Servers join the lines, each with its own separator.
    for joined in (f"{PAGE}{separator}{PAGE}", f"{PAGE}{separator}{OTHER_PAGE}"):
        response = call(CORSMiddleware(plain, POLICY), environ("GET", ("Origin", joined)))
        assert cors_of(response.headers) == REFUSED


def test_request_of_reads_all_that_the_engine_needs() -> None:
    assert CORSMiddleware(plain, POLICY).request_of(
        from_page(
            "OPTIONS",
            PREFLIGHT,
            ("Access-Control-Request-Headers", "x-a"),
            ("Access-Control-Request-Private-Network", "true"),
            ("Sec-Fetch-Site", "cross-site"),
        )
    ) == RequestInfo(
        "OPTIONS",
        origin=PAGE,
        request_method="PUT",
        request_headers="x-a",
        request_private_network="true",
        host="api.example",
        sec_fetch_site="cross-site",
    )


def test_a_second_layer_is_noticed_once(caplog: pytest.LogCaptureFixture) -> None:
    layer = CORSMiddleware(CORSMiddleware(plain, allow_origins=["*"]), POLICY)
    with caplog.at_level(logging.WARNING, "corscore"):
        for _ in range(3):
            assert cors_of(call(layer, from_page()).headers) == ALLOWED
    (record,) = caplog.records
    assert "another CORS layer" in record.getMessage()


# --- how it is built


def test_the_policy_is_given_whole_or_as_options() -> None:
    by_options = CORSMiddleware(
        plain, allow_origins=[PAGE], allow_methods=["PUT"], expose_headers=["X-Id"]
    )
    assert by_options.policy == CORSMiddleware(plain, POLICY).policy == POLICY
    assert by_options.app is plain


def test_a_wrong_configuration_raises_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        CORSMiddleware(plain, allow_origins=[f"{PAGE}/"], max_age=-1)
    assert [problem.code for problem in caught.value.problems] == [
        "origin-trailing-slash",
        "max-age-out-of-range",
    ]


@pytest.mark.parametrize(
    ("args", "options"),
    [((POLICY,), {"allow_origins": [PAGE]}), (([PAGE],), {}), ((), {"origins": [PAGE]})],
)
def test_an_argument_that_is_no_policy_raises(
    args: tuple[Any, ...], options: dict[str, Any]
) -> None:
    with pytest.raises((TypeError, ConfigError)):
        CORSMiddleware(plain, *args, **options)
