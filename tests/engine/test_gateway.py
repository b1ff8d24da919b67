"""Gateways and requests in odd forms: subclasses, text for bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gateways
from corscore import Policy
from gateways import gateway_of


class Words(bytes):
    """A subclass of bytes, as a layer may make of a header."""


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
    asked = (Words(b"access-control-request-method"), Words(b"PUT"))
    pairs = [*odd, (b"origin", Words(origin.encode())), *([asked] if method == "OPTIONS" else [])]
    sent: list[Any] = []
    answer = gateway.sender({"method": method, "headers": pairs}, sent.append)
    if isinstance(answer, tuple):
        assert answer[0]["status"] == (204 if is_allowed else 403)
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


def test_text_is_never_compared_with_bytes() -> None:
    """``python -bb`` raises a BytesWarning then, which no ``except TypeError`` catches."""
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
