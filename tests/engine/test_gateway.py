"""Gateways and their parts with requests in odd forms: subclasses, text for bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gateways
from corscore import Policy
from corscore._engine import answer_py
from gateways import gateway_of


class BytesSubclass(bytes):
    """A subclass of bytes, which a layer may put into a header pair."""


class Name(str):
    """A header's name that is a member of an enumeration."""

    __slots__ = ()


ORIGIN = "https://app.example.com"


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize("odd", [[], [("x-text", b"1")], [(b"x-number", 1)]])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize(
    ("origin", "is_allowed"), [(ORIGIN, True), ("https://evil.example", False)]
)
def test_subclasses_and_odd_headers_are_read_alike_under_asgi(
    origin: str, is_allowed: bool, method: str, odd: list[Any]
) -> None:
    policy = Policy(allow_origins=[ORIGIN, "https://*.example.net"])
    gateway = gateway_of(policy, lambda name: None, lambda scope: None)
    asked = (BytesSubclass(b"access-control-request-method"), BytesSubclass(b"PUT"))
    pairs = [
        *odd,
        (b"origin", BytesSubclass(origin.encode())),
        *([asked] if method == "OPTIONS" else []),
    ]
    sent: list[Any] = []
    answer = gateway.sender({"method": method, "headers": pairs}, sent.append)
    if isinstance(answer, tuple):
        start, end = answer
        assert start.keys() == {"type", "status", "headers"}
        assert start["type"] == "http.response.start"
        assert start["status"] == (204 if is_allowed else 403)
        assert end == {"type": "http.response.body", "body": b""}
        return
    answer({"type": "http.response.start", "status": 200, "headers": [(b"vary", b"Cookie")]})
    allowed = [
        value for name, value in sent[0]["headers"] if name == b"access-control-allow-origin"
    ]
    assert allowed == ([origin.encode()] if is_allowed and method == "GET" else [])


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize("name", ["X-Total-Count", "Vary", "Access-Control-Allow-Origin"])
@pytest.mark.parametrize("origin", [None, ORIGIN, Name(ORIGIN)])
def test_subclasses_are_read_alike_under_wsgi(origin: str | None, name: str) -> None:
    environ = {"REQUEST_METHOD": "GET", **({} if origin is None else {"HTTP_ORIGIN": origin})}
    started: list[Any] = []
    policy = Policy(allow_origins=[ORIGIN])
    gateway = gateway_of(policy, lambda name: None, lambda environ: None)
    start = gateway.starter(environ, lambda *args: started.append(args))
    assert not isinstance(start, tuple)
    start("200 OK", [(Name(name), "1")])
    headers = dict(started[0][1])
    assert headers.get("Access-Control-Allow-Origin") == origin
    assert headers["Vary"] == ("1, Origin" if name == "Vary" else "Origin")


@pytest.mark.parametrize(
    "name", ["etag", "x-id", "via", "age", "x-content-type-options", "content-security-policy"]
)
def test_headers_that_cannot_concern_cors_are_not_merged(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for merge in ("merge", "merge_raw"):
        monkeypatch.setattr(answer_py, merge, lambda *args: pytest.fail("merged"))
    answer = answer_py.Answer("actual", origin_allowed=True, vary=("Vary", "Origin"))
    assert answer.status == 0
    for spelled in (name, name.title()):
        assert answer.apply([(spelled, "1")]) == [(spelled, "1"), ("Vary", "Origin")]
        raw = (spelled.encode(), b"1")
        assert answer.apply_raw([raw]) == [raw, (b"vary", b"Origin")]


@pytest.mark.usefixtures("build")
def test_a_verdict_decides_and_requested_values_without_effect_are_not_read() -> None:
    responder = Policy(allow_origins=[ORIGIN])._responder
    for origin in (ORIGIN.encode(), b"https://other.example"):
        for verdict in (True, False):
            assert responder.answer(origin, False, None, verdict).origin_allowed is verdict
    asked = (b"PUT", None, None)
    answer = responder.answer(ORIGIN.encode(), True, asked, None)
    assert answer is responder.preflight_allowed


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize(
    ("option", "attribute"),
    [("allow_credentials", "credentials"), ("debug", "is_debug"), ("resolver", "has_resolver")],
)
def test_a_responder_has_the_options_that_a_gateway_reads(option: str, attribute: str) -> None:
    options: dict[str, Any] = {option: True}
    if option == "resolver":
        options = {"origin_resolver": lambda origin, request: True}
    assert getattr(Policy(allow_origins=[ORIGIN], **options)._responder, attribute) is True
    assert getattr(Policy(allow_origins=[ORIGIN])._responder, attribute) is False


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize("origin", [None, ORIGIN.encode(), b"https://other.example"])
def test_a_blocked_request_gets_the_headers_of_cors_too(origin: bytes | None) -> None:
    responder = Policy(allow_origins=[ORIGIN])._responder
    answer = responder.answer(origin, False, None, None)
    blocked = responder.blocked(answer)
    assert (blocked.status, blocked.kind) == (403, answer.kind)
    assert blocked.origin_allowed is answer.origin_allowed
    assert set(blocked.raw(origin)) > set(answer.raw(origin))


def test_text_is_never_compared_with_bytes() -> None:
    """``python -bb`` raises a BytesWarning for it, which no ``except TypeError`` catches."""
    code = """if True:
        from corscore import Policy
        from gateways import gateway_of
        gateway = gateway_of(Policy(allow_origins=["https://a.example"]))
        for name in ("origin", "access-control-request-method"):
            for method in ("GET", "OPTIONS"):
                gateway.sender({"method": method, "headers": [(name, b"1")]}, print)
    """
    support = str(Path(gateways.__file__).parent)
    environ = {**os.environ, "CORSCORE_PURE_PYTHON": "1", "PYTHONPATH": support}
    subprocess.run([sys.executable, "-bb", "-c", code], check=True, env=environ)
