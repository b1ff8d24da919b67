"""Decisions on every kind of request: each row has all headers of the answer.

``tests/data/decisions.json``: the ``options`` of the policy; the ``method`` of the request and the
header lines that it ``sent``; the headers that the ``app`` sets, if any; the ``headers`` of the
response, and the app's headers that were ``removed``; whether a preflight's answer has a ``body``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import suppress
from itertools import product
from typing import Any

import pytest

from corscore import Decision, Policy, RequestInfo
from corscore._standard import grammar
from corscore._standard.grammar import is_requested_method, parse_requested_headers
from corscore._standard.origin import parse_origin
from gateways import gateway_of
from tables import cases

Row = dict[str, Any]
Lines = list[tuple[str, str]]

ROWS = cases("decisions")
MEBIBYTE = 1 << 20


class Headers(MutableMapping[str, str]):
    """A response's headers as in frameworks: one value a name, in any case."""

    def __init__(self, lines: Iterable[tuple[str, str]] = ()) -> None:
        self._lines: dict[str, tuple[str, str]] = {}
        for name, value in lines:
            self[name] = f"{self[name]}, {value}" if name in self else value

    def __getitem__(self, name: str) -> str:
        return self._lines[name.lower()][1]

    def __setitem__(self, name: str, value: str) -> None:
        self._lines[name.lower()] = (name, value)

    def __delitem__(self, name: str) -> None:
        del self._lines[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._lines.values())

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._lines


def lines_of(row: Row, key: str) -> Lines:
    return [(name, value) for name, value in row.get(key, ())]


def raw(lines: Lines) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines]


def comparable(lines: Any) -> Lines:
    """Return header lines for a comparison that ignores order and the case of names."""
    decoded = [
        (name.decode("latin-1"), value.decode("latin-1"))
        if isinstance(name, bytes)
        else (name, value)
        for name, value in lines
    ]
    return sorted((name.lower(), value) for name, value in decoded)


def wanted_of(row: Row, body: bytes) -> Lines:
    """Return the row's headers, with the length of a body for debugging filled in."""
    return comparable(
        (name, str(len(body)) if value == "length of the body" else value)
        for name, value in lines_of(row, "headers")
    )


def assert_body(row: Row, body: bytes) -> None:
    """Assert that only ``debug`` gives a body, and that it does not name the configuration."""
    assert bool(body) is row.get("body", False)
    assert body.isascii()
    assert not any(secret in body for secret in (b"app.example", b"secret"))


def requests_of(row: Row) -> Iterator[RequestInfo]:
    """Yield the row's request, read in each way in which adapters read one."""
    sent = Headers(lines_of(row, "sent"))
    yield RequestInfo(
        row["method"],
        origin=sent.get("Origin"),
        request_method=sent.get("Access-Control-Request-Method"),
        request_headers=sent.get("Access-Control-Request-Headers"),
        request_private_network=sent.get("Access-Control-Request-Private-Network"),
        host=sent.get("Host"),
        sec_fetch_site=sent.get("Sec-Fetch-Site"),
    )
    yield RequestInfo.from_getter(row["method"], sent.get)
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.items()}
    yield RequestInfo.from_environ(row["method"], environ)
    for pairs in raw_requests_of(row):
        yield RequestInfo.from_pairs(row["method"], pairs)


def raw_requests_of(row: Row) -> Iterator[list[tuple[bytes, bytes]]]:
    """Yield the row's request as servers pass it; nothing where its text has no bytes."""
    with suppress(UnicodeEncodeError):
        pairs = raw(lines_of(row, "sent"))
        for cased in (bytes.lower, bytes.upper, bytes.title):
            yield [(b"accept", b"*/*"), *((cased(name), value) for name, value in pairs)]


def assert_headers(row: Row, decision: Decision) -> None:
    """Assert the row's headers, for all forms of a response's headers."""
    app, wanted = lines_of(row, "app"), wanted_of(row, decision.body)
    if not app:
        assert comparable(decision.headers) == wanted
        assert comparable(decision.raw_headers) == wanted
    removed: list[str] = []
    assert comparable(decision.apply(app, removed.append)) == wanted
    assert set(removed) == set(row.get("removed", ()))
    removed_raw: list[str] = []
    assert comparable(decision.apply_raw(raw(app), removed_raw.append)) == wanted
    assert removed_raw == removed
    headers = Headers(app)
    removed_in_place: list[str] = []
    decision.update(headers, removed_in_place.append)
    assert comparable(headers.items()) == comparable(Headers(wanted).items())
    assert set(removed_in_place) == set(removed)
    # The function for removed headers is optional.
    assert comparable(decision.apply(tuple(app))) == wanted
    assert comparable(decision.apply_raw(tuple(raw(app)))) == wanted
    decision.update(Headers(app))


def assert_decision(policy: Policy, row: Row) -> None:
    for request in requests_of(row):
        decision = policy.decide(request)
        assert decision.kind == row["kind"]
        assert decision.is_preflight is (row["kind"] == "preflight")
        assert decision.origin_allowed is row["origin_allowed"]
        assert decision.reason == row["reason"]
        assert decision.allowed is (row["reason"] is None)
        assert (decision.status or None) == row.get("status")
        assert_body(row, decision.body)
        assert_headers(row, decision)
        assert row["kind"] in repr(decision)


def is_refused(row: Row) -> bool:
    return row["kind"] != "not-cors" and not row["origin_allowed"]


def assert_answer_under_asgi(policy: Policy, row: Row) -> None:
    app = raw(lines_of(row, "app"))
    for pairs in raw_requests_of(row):
        decision = policy.decide(RequestInfo.from_pairs(row["method"], pairs))
        wanted = wanted_of(row, decision.body)
        removed: list[str] = []
        sent: list[Any] = []
        scope = {"type": "http", "method": row["method"], "headers": pairs}
        refused: list[Any] = []
        send = gateway_of(policy, removed.append, refused.append).sender(scope, sent.append)
        if row["kind"] == "preflight":
            assert isinstance(send, tuple)
            sent.extend(send)
            assert (sent[0]["status"], sent[1]["body"]) == (decision.status, decision.body)
        else:
            assert not isinstance(send, tuple)
            send({"type": "http.response.start", "status": 200, "headers": app})
            assert set(removed) == set(row.get("removed", ()))
        assert comparable(sent[0]["headers"]) == wanted
        assert refused == ([scope] if is_refused(row) else [])


def assert_answer_under_wsgi(policy: Policy, row: Row) -> None:
    app = lines_of(row, "app")
    sent = Headers(lines_of(row, "sent"))
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.items()}
    removed: list[str] = []
    started: list[Any] = []
    refused: list[Any] = []
    environ["REQUEST_METHOD"] = row["method"]
    gateway = gateway_of(policy, removed.append, refused.append)
    start = gateway.starter(environ, lambda *args: started.append(args))
    assert refused == ([environ] if is_refused(row) else [])
    if row["kind"] == "preflight":
        assert isinstance(start, tuple)
        status, headers, body = start
        assert status == row["status"]
        assert_body(row, body)
        assert comparable(headers) == wanted_of(row, body)
        return
    assert not isinstance(start, tuple)
    start("200 OK", app)
    error = (ValueError, ValueError(), None)
    start("500 Oh No", app, error)
    (first, headers), (second, headers_again, passed_on) = started
    assert (first, second, passed_on) == ("200 OK", "500 Oh No", error)
    assert comparable(headers) == comparable(headers_again) == wanted_of(row, b"")
    assert headers is not headers_again
    assert set(removed) == set(row.get("removed", ()))


@pytest.mark.parametrize("row", ROWS)
def test_every_interface_gives_the_decision_of_the_table(build: object, row: Row) -> None:
    policy = Policy(**row["options"])
    assert_decision(policy, row)
    assert_answer_under_asgi(policy, row)
    assert_answer_under_wsgi(policy, row)


def _read(*args: object) -> Any:
    pytest.fail("a value beyond its bound was read")


READERS = (
    "split",
    "partition",
    "strip",
    "lower",
    "find",
    "__iter__",
    "__contains__",
    "__getitem__",
)
Untouchable: Any = type("Untouchable", (str,), dict.fromkeys(READERS, _read))
"""Text that may be measured, and not read."""


@pytest.mark.parametrize("filler", [",", " ", "x", "\u212a"])
def test_values_beyond_their_bound_are_not_read(filler: str) -> None:
    assert parse_requested_headers(Untouchable(filler * 4097)) is None
    assert is_requested_method(Untouchable(filler * 65)) is False
    assert parse_origin(Untouchable("https://" + filler * 319)) is None


@pytest.mark.parametrize(
    "headers",
    [
        "," * MEBIBYTE,
        " " * MEBIBYTE,
        ", " * (MEBIBYTE // 2),
        "x-one," * (MEBIBYTE // 6),
        # Few bytes, and many more names than are read.
        "a," * 2048,
        "," * 4096,
        "a" * 4096,
    ],
    ids=["commas", "spaces", "both", "a name", "names in bounds", "commas in bounds", "in bounds"],
)
def test_no_more_names_are_looked_at_than_a_browser_sends(
    monkeypatch: pytest.MonkeyPatch, headers: str
) -> None:
    looked_at: list[str] = []

    def is_token(text: str) -> bool:
        looked_at.append(text)
        return True

    monkeypatch.setattr(grammar, "is_token", is_token)
    policy = Policy(
        allow_origins=["https://app.example"], allow_headers=["*"], allow_credentials=True
    )
    request = RequestInfo(
        "OPTIONS", origin="https://app.example", request_method="GET", request_headers=headers
    )
    decision = policy.decide(request)
    assert decision.headers
    assert sum(map(len, looked_at)) <= MEBIBYTE // 128
    assert len(looked_at) <= 1 + 64
    looked_at.clear()
    assert decision.reason in (None, "header-not-allowed")
    assert len(looked_at) <= 1 + 64


def test_a_regex_is_never_asked_about_a_malformed_origin(build: object) -> None:
    # This regex would take years to fail.
    policy = Policy(
        allow_origin_regex=r"(.*a|.*b)+(.*a|.*b)+(.*a|.*b)+(.*a|.*b)+c",
        dangerously_allow_slow_regex=True,
    )
    for origin in ("https://" + "ab" * MEBIBYTE, "ab" * 40, "https://" + "ab" * 40 + "!"):
        assert policy.allows_origin(origin) is False
        assert policy.allows_origin(origin.encode()) is False
        assert policy.decide(RequestInfo("GET", origin=origin)).reason == "origin-malformed"


def test_options_with_an_origin_and_a_requested_method_is_a_preflight() -> None:
    policy = Policy(allow_origins=["*"])
    for method, origin, asked in product(("OPTIONS", "GET"), (None, ""), (None, "")):
        request = RequestInfo(method, origin=origin, request_method=asked)
        wanted = method == "OPTIONS" and origin is not None and asked is not None
        assert policy.decide(request).is_preflight is wanted


@pytest.mark.parametrize(
    ("origin", "host", "site", "own"),
    [
        ("https://app.example", "app.example", None, True),
        # A server behind a proxy that ends TLS does not know the scheme.
        ("http://app.example", "app.example", None, True),
        ("https://app.example", "APP.example", None, True),
        ("https://app.example:8443", "app.example:8443", None, True),
        ("https://app.example", "app.example:443", None, True),
        ("http://app.example", "app.example:80", None, True),
        ("http://[::1]:8000", "[::1]:8000", None, True),
        ("https://app.example", "app.example:80", None, False),
        ("https://app.example", "app.example:8443", None, False),
        ("https://app.example:8443", "app.example", None, False),
        ("https://other.example", "app.example", None, False),
        ("https://app.example.evil.example", "app.example", None, False),
        ("https://evil.example://app.example", "app.example", None, False),
        ("https://app.example", None, None, False),
        ("https://other.example", "app.example", "same-origin", True),
        ("null", "app.example", "same-origin", True),
        ("https://app.example", "other.example", "same-site", False),
        ("null", "null", None, False),
        ("", "", None, False),
        ("app.example", "app.example", None, False),
        ("\ud800", "\ud800", None, False),
        (None, "app.example", "same-origin", False),
    ],
)
def test_an_own_origin_is_that_of_host_or_of_sec_fetch_site(
    origin: str | None, host: str | None, site: str | None, own: bool
) -> None:
    request = RequestInfo("POST", origin=origin, host=host, sec_fetch_site=site)
    assert request.is_own_origin is own


def test_header_pairs_of_str_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match=r"write RequestInfo\.from_getter"):
        RequestInfo.from_pairs("GET", [("origin", "https://a.example")])  # type: ignore[list-item]
