"""What every kind of request gets: each row says the whole of it, these headers and no other.

``tests/data/decisions.json``: ``options`` of the policy; ``method`` and the header lines that a
request ``sent``; the ``app``'s own headers, where it sets any; what comes out as ``headers``, and of
the app's which were ``removed``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import suppress
from itertools import product
from typing import Any

import pytest
from tables import cases

from corscore import Decision, Policy, RequestInfo, _grammar
from corscore._grammar import is_requested_method, parse_requested_headers
from corscore._origin import parse_origin

Row = dict[str, Any]
Lines = list[tuple[str, str]]

ROWS = cases("decisions")
MEBIBYTE = 1 << 20


class Headers(MutableMapping[str, str]):
    """A response's headers as frameworks keep them: one value a name, whatever its case."""

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
    """Order and the case of names say nothing; every line counts."""
    return sorted(
        (name.decode("latin-1"), value.decode("latin-1")) if isinstance(name, bytes) else (name, value)
        for name, value in ((name.lower(), value) for name, value in lines)
    )


def requests_of(row: Row) -> Iterator[RequestInfo]:
    """The row's request, read in each of the ways that adapters read one."""
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
    for pairs in raw_requests_of(row):
        yield RequestInfo.from_pairs(row["method"], pairs)


def raw_requests_of(row: Row) -> Iterator[list[tuple[bytes, bytes]]]:
    """The row's request as servers hand it over; none where it has text that no bytes stand for."""
    with suppress(UnicodeEncodeError):
        pairs = raw(lines_of(row, "sent"))
        for cased in (bytes.lower, bytes.upper, bytes.title):
            yield [(b"accept", b"*/*"), *((cased(name), value) for name, value in pairs)]


def assert_headers(row: Row, decision: Decision) -> None:
    """All forms of a response's headers come out as the row says."""
    app, wanted = lines_of(row, "app"), comparable(lines_of(row, "headers"))
    if not app:
        assert comparable(decision.headers) == wanted
        assert comparable(decision.raw_headers) == wanted
    removed: list[str] = []
    assert comparable(decision.apply(app, removed.append)) == wanted
    assert set(removed) == set(row.get("removed", ()))
    removed_raw: list[str] = []
    assert comparable(decision.apply_raw(raw(app), removed_raw.append)) == wanted
    assert removed_raw == removed
    headers, removed_there = Headers(app), []
    decision.update(headers, removed_there.append)
    assert comparable(headers.items()) == comparable(Headers(lines_of(row, "headers")).items())
    assert set(removed_there) == set(removed)
    # Nobody has to listen.
    assert comparable(decision.apply(tuple(app))) == wanted
    assert comparable(decision.apply_raw(tuple(raw(app)))) == wanted
    decision.update(Headers(app))


@pytest.mark.parametrize("row", ROWS)
def test_what_a_request_gets(build: object, row: Row) -> None:
    policy = Policy(**row["options"])
    for request in requests_of(row):
        decision = policy.decide(request)
        assert decision.kind == row["kind"]
        assert decision.is_preflight is (row["kind"] == "preflight")
        assert decision.origin_allowed is row["origin_allowed"]
        assert decision.reason == row["reason"]
        assert decision.allowed is (row["reason"] is None)
        assert (decision.status or None) == row.get("status")
        assert decision.body == row.get("body", "").encode("ascii")
        assert_headers(row, decision)
        assert row["kind"] in repr(decision)


@pytest.mark.parametrize("row", ROWS)
def test_the_fast_way_says_the_same(build: object, row: Row) -> None:
    policy = Policy(**row["options"])
    for pairs in raw_requests_of(row):
        answer, origin = policy.answer(row["method"], pairs)
        assert (answer.kind, answer.origin_allowed) == (row["kind"], row["origin_allowed"])
        assert (answer.status or None) == row.get("status")
        assert answer.body == row.get("body", "").encode("ascii")
        removed: list[str] = []
        app = raw(lines_of(row, "app"))
        headers = answer.apply_raw(app, origin, removed.append)
        assert comparable(headers) == comparable(lines_of(row, "headers"))
        assert set(removed) == set(row.get("removed", ()))


class Untouchable(str):
    """A value that may be measured, and not read."""

    __slots__ = ()

    def _read(self, *args: object) -> Any:
        pytest.fail("a value beyond its bound was read")

    split = partition = strip = lower = find = __iter__ = __contains__ = __getitem__ = _read


@pytest.mark.parametrize("filler", [",", " ", "x", "\u212a"])
def test_what_is_too_long_is_not_read(filler: str) -> None:
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
        # Within the bound of bytes, and many times the bound of names.
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

    monkeypatch.setattr(_grammar, "is_token", is_token)
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


def test_a_regex_is_never_asked_about_what_is_no_origin(build: object) -> None:
    # It would take this one longer than anybody can wait to say no.
    policy = Policy(
        allow_origin_regex=r"(.*a|.*b)+(.*a|.*b)+(.*a|.*b)+(.*a|.*b)+c",
        dangerously_allow_slow_regex=True,
    )
    for origin in ("https://" + "ab" * MEBIBYTE, "ab" * 40, "https://" + "ab" * 40 + "!"):
        assert policy.allows_origin(origin) is False
        assert policy.allows_origin(origin.encode()) is False
        assert policy.decide(RequestInfo("GET", origin=origin)).reason == "origin-malformed"


def test_a_request_is_preflight_by_method_origin_and_question_alone() -> None:
    policy = Policy(allow_origins=["*"])
    for method, origin, asked in product(("OPTIONS", "GET"), (None, ""), (None, "")):
        request = RequestInfo(method, origin=origin, request_method=asked)
        wanted = method == "OPTIONS" and origin is not None and asked is not None
        assert policy.decide(request).is_preflight is wanted
