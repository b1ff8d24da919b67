"""When a gateway says that a request was refused: once a minute for an origin, and bounded."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from typing import Any

import pytest

from builds import SUFFIXES
from corscore import Policy

MINUTE = 60.0


class Refusals:
    """What a gateway says, by a clock that the test sets."""

    def __init__(self, build: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000_000.0
        module = importlib.import_module(f"corscore._engine.gateway_{SUFFIXES[build]}")
        monkeypatch.setattr(module, "monotonic", lambda: self.now)
        self.said: list[Any] = []
        policy = Policy(allow_origins=["https://app.example.com"])
        self.gateway = policy.gateway(lambda name: None, self.said.append)

    def ask(self, origin: str, method: str = "GET") -> int:
        """Sends a request by way of ASGI, and says how much has been said by now."""
        asked = (b"access-control-request-method", b"PUT")
        pairs = [(b"origin", origin.encode())] + ([asked] if method == "OPTIONS" else [])
        self.gateway.sender({"method": method, "headers": pairs}, lambda message: None)
        return len(self.said)

    def ask_wsgi(self, origin: str) -> int:
        """The same by way of WSGI."""
        environ = {"REQUEST_METHOD": "GET", "HTTP_ORIGIN": origin}
        self.gateway.starter(environ, lambda *_: None)
        return len(self.said)


@pytest.fixture
def refusals(build: str, monkeypatch: pytest.MonkeyPatch) -> Refusals:
    return Refusals(build, monkeypatch)


def test_once_a_minute_for_each_origin(refusals: Refusals) -> None:
    assert [refusals.ask("https://one.example") for _ in range(3)] == [1, 1, 1]
    assert refusals.ask("https://two.example", "OPTIONS") == 2
    assert refusals.ask_wsgi("https://two.example") == 2
    refusals.now += MINUTE - 1
    assert refusals.ask("https://one.example", "OPTIONS") == 2
    refusals.now += 1
    assert refusals.ask_wsgi("https://one.example") == 3


def test_what_is_allowed_is_no_news(refusals: Refusals) -> None:
    assert refusals.ask("https://app.example.com") == 0
    assert refusals.ask("https://app.example.com", "OPTIONS") == 0
    assert refusals.ask_wsgi("https://app.example.com") == 0


def test_strangers_cannot_fill_the_memory(refusals: Refusals) -> None:
    for number in range(5_000):
        refusals.ask(f"https://{number}.example")
    # Each was said once, and what was remembered of the first ones is forgotten.
    assert len(refusals.said) == 5_000
    assert refusals.ask("https://4999.example") == 5_000
    assert refusals.ask("https://0.example") == 5_001


class Words(bytes):
    """What some layer made of a header's value."""


class Name(str):
    """A header's name, as a member of an enumeration is."""

    __slots__ = ()


ORIGIN = "https://app.example.com"


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize("odd", [[], [("x-text", b"1")], [(b"x-number", 1)]])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize(
    ("origin", "is_allowed"), [(ORIGIN, True), ("https://evil.example", False)]
)
def test_subclasses_and_odd_headers_under_asgi(
    origin: str, is_allowed: bool, method: str, odd: list[Any]
) -> None:
    policy = Policy(allow_origins=[ORIGIN, "https://*.example.net"])
    gateway = policy.gateway(lambda name: None, lambda scope: None)
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
def test_subclasses_under_wsgi(origin: str | None, name: str) -> None:
    environ = {"REQUEST_METHOD": "GET", **({} if origin is None else {"HTTP_ORIGIN": origin})}
    started: list[Any] = []
    policy = Policy(allow_origins=[ORIGIN])
    gateway = policy.gateway(lambda name: None, lambda environ: None)
    start = gateway.starter(environ, lambda *args: started.append(args))
    assert not isinstance(start, tuple)
    start("200 OK", [(Name(name), "1")])
    headers = dict(started[0][1])
    assert headers.get("Access-Control-Allow-Origin") == origin
    assert headers["Vary"] == ("1, Origin" if name == "Vary" else "Origin")


def test_text_is_never_compared_with_bytes() -> None:
    """With ``python -bb`` that raises what no ``except TypeError`` catches."""
    code = """if True:
        from corscore import Policy
        gateway = Policy(allow_origins=["https://a.example"]).gateway(print, print)
        for name in ("origin", "access-control-request-method"):
            for method in ("GET", "OPTIONS"):
                gateway.sender({"method": method, "headers": [(name, b"1")]}, print)
    """
    environ = {**os.environ, "CORSCORE_PURE_PYTHON": "1"}
    subprocess.run([sys.executable, "-bb", "-c", code], check=True, env=environ)
