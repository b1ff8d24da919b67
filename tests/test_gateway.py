"""When a gateway says that a request was refused: once a minute for an origin, and bounded."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from builds import SUFFIXES
from corscore import Policy

MINUTE = 60.0


class Refusals:
    """What a gateway says, by a clock that the test sets."""

    def __init__(self, build: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000_000.0
        module = importlib.import_module(f"corscore._gateway_{SUFFIXES[build]}")
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
