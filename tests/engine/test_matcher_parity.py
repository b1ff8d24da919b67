"""The compiled build and the plain one, which agree on any input.

Other tests run on one build at a time, with the fixture ``build``; these use both.
"""

from __future__ import annotations

import importlib
import os
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builds import CYTHON, PYTHON, load, module_names
from corscore import Policy, RequestInfo
from corscore._engine import matcher
from corscore.testing.conformance import _strategies as strategies
from gateways import gateway_of

if TYPE_CHECKING:
    from types import SimpleNamespace


@pytest.fixture(scope="module")
def builds() -> list[SimpleNamespace]:
    try:
        return [load(PYTHON), load(CYTHON)]
    except ImportError:
        if os.environ.get("CORSCORE_REQUIRE_EXTENSION"):
            pytest.fail("the matcher is not compiled here", pytrace=False)
        pytest.skip("the matcher is not compiled here")


@contextmanager
def using(build: SimpleNamespace) -> Iterator[None]:
    """Put one build where the engine looks for it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in vars(build).items():
            patch.setattr(matcher, name, value)
        yield


def policies(builds: list[SimpleNamespace], options: dict[str, Any]) -> list[Policy]:
    """Return the same policy on each build."""
    made = []
    for build in builds:
        with using(build):
            made.append(Policy(**options))
    return made


def outcome(call: Any, *args: Any) -> Any:
    """Return what a call returns, or the type of its exception."""
    try:
        return call(*args)
    except Exception as error:  # noqa: BLE001
        return type(error)


ANY_TEXT = st.text(st.characters(exclude_categories=()))
GLUE = st.lists(
    st.sampled_from(
        ["http", "https", "ws", "tauri", "://", ":", "/", "//", ".", "..", "*", "[", "]", "::1",
         "example", "example.com", "app", "a_b", "localhost", "127.0.0.1", "@", "-", "0", "1",
         "80", "443", "8443", "65535", "65536", "99999", "\x00", "\n", " ", "\x7f", "\xff",
         "\u212a", "x" * 63, "x" * 64, "y." * 60]
    ),
    max_size=8,
).map("".join)  # fmt: skip
ORIGINS = ANY_TEXT | st.binary() | GLUE | GLUE.map(lambda text: text.encode("utf-8")) | st.none()


def mutated(pattern: str) -> st.SearchStrategy[str]:
    """Draw an origin that the pattern covers, or one with one character changed."""

    def slip(text: str, place: int, letter: str, cut: int) -> str:
        place %= len(text) + 1
        return text[:place] + letter + text[place + cut :]

    host = st.sampled_from(["", "a.", "a.b.", "-.", "x" * 63 + ".", "x" * 64 + ".", "..", "A."])
    port = st.sampled_from(["", ":", ":0", ":1", ":80", ":443", ":65535", ":65536", ":08", ":\xb2"])
    origin = st.builds(
        lambda labels, number: pattern.replace("*.", labels).replace(":*", number), host, port
    )
    letters = st.sampled_from(["", "", "", "", ".", ":", "/", "a", "A", "*", "\x00", "\xe4", "]"])
    return st.builds(slip, origin, st.integers(0, 400), letters, st.integers(0, 1))


PICK = Path(matcher.__file__)


@pytest.mark.parametrize(
    ("pure_python", "compiled", "wanted"),
    [("1", True, "python"), ("1", False, "python"), ("", False, "python"), ("", True, "cython")],
)
def test_the_compiled_build_is_picked_unless_pure_python_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, pure_python: str, compiled: bool, wanted: str
) -> None:
    monkeypatch.setenv("CORSCORE_PURE_PYTHON", pure_python)
    for plain, name in zip(module_names(PYTHON), module_names(CYTHON), strict=True):
        # A stand-in for the compiled module, or None, which makes the import fail.
        stand_in = importlib.import_module(plain) if compiled else None
        monkeypatch.setitem(sys.modules, name, stand_in)
    picked = runpy.run_path(str(PICK))
    assert picked["IMPLEMENTATION"] == wanted
    assert set(matcher.__all__) <= set(picked)


@given(strategies.options(), st.data())
def test_the_same_origins_are_allowed(
    builds: list[SimpleNamespace], options: dict[str, Any], data: st.DataObject
) -> None:
    plain, compiled = policies(builds, options)
    for pattern in [*options["allow_origins"], "https://pr-1.example.com", "null"]:
        origin = data.draw(ORIGINS | mutated(pattern) | strategies.origins(options))
        said = outcome(plain.allows_origin, origin)
        assert said is outcome(compiled.allows_origin, origin)
        assert said in (True, False)


NAMES = st.sampled_from(
    [b"origin", b"Origin", b"ORIGIN", b"access-control-request-method", b"host",
     b"Access-Control-Request-Method", b"access-control-request-headers", b"sec-fetch-site",
     b"access-control-request-private-network", b"", b"cookie", b"x-one", b"0rigin", b"\xeforigin"]
)  # fmt: skip
PAIRS = st.tuples(NAMES, st.binary(max_size=8) | st.sampled_from([b"PUT", b"null", b"https://a.b"]))
# No server passes such pairs, and both builds must read them alike.
ODD_PAIRS = st.tuples(NAMES | st.sampled_from(["origin", "x"]), st.binary(max_size=3) | ANY_TEXT)
REQUESTS = st.lists(PAIRS, max_size=6) | st.lists(PAIRS | ODD_PAIRS, max_size=6)


@given(strategies.options(), st.data())
def test_the_same_requests_get_the_same_answers(
    builds: list[SimpleNamespace], options: dict[str, Any], data: st.DataObject
) -> None:
    method = data.draw(st.sampled_from(["OPTIONS", "OPTIONS", "GET", "options", ""]))
    origin = data.draw(strategies.origins(options)).encode()
    pairs = data.draw(REQUESTS) + data.draw(
        st.sampled_from([[], [(b"origin", origin)], [(b"access-control-request-method", b"PUT")]])
    )
    data.draw(st.randoms()).shuffle(pairs)
    app = data.draw(responses())
    assert len({repr(answered(build, options, method, pairs, app)) for build in builds}) == 1


def answered(
    build: SimpleNamespace, options: dict[str, Any], method: str, pairs: Any, app: Any
) -> list[object]:
    """Return the answers of one build to a request, in all of its ways."""
    with using(build):
        policy = Policy(**options)
        removed: list[str] = []
        try:
            request = RequestInfo.from_pairs(method, pairs)
        except TypeError as error:  # the first pair shows that these are text
            return [str(error)]
        decision = policy.decide(request)
        sent: list[Any] = []
        refused: list[Any] = []
        gateway = gateway_of(policy, removed.append, refused.append)
        send = gateway.sender({"method": method, "headers": pairs}, sent.append)
        if isinstance(send, tuple):
            sent.extend(send)
        else:
            send({"type": "http.response.start", "headers": app})
        said = [
            (decision.kind, decision.origin_allowed, decision.status, decision.body),
            outcome(decision.apply_raw, app, removed.append),
            removed,
            request,
            decision,
            decision.raw_headers,
            outcome(decision.apply_raw, app),
            sent,
            refused,
        ]
    # The fast way and the slow way of one build agree, too.
    assert sent[0]["headers"] == (decision.apply_raw([]) if decision.status else said[1])
    return said


@st.composite
def responses(draw: st.DrawFn) -> Any:
    """Return raw headers of an application, in all their forms."""
    names = st.sampled_from(
        [b"vary", b"VARY", b"Vary", b"access-control-allow-origin", b"Access-Control-Max-Age",
         b"access-control-expose-headers", b"ACCESS-CONTROL-ALLOW-CREDENTIALS", b"via", b"date",
         b"accept-control-allow-origin", b"authentication-control", b"v\xe4ry", b"", b"server"]
    )  # fmt: skip
    values = st.sampled_from([b"*", b"", b"a, b", b"Origin", b"\xe4", b"x,,X , \t y"])
    pairs: list[Any] = draw(st.lists(st.tuples(names, values), max_size=5))
    if draw(st.booleans()):
        pairs = [list(pair) for pair in pairs]
    return tuple(pairs) if draw(st.booleans()) else pairs


KEYS = (
    "HTTP_ORIGIN",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
    "HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK",
)
ENVIRONS = st.dictionaries(
    st.sampled_from(KEYS), st.sampled_from(["PUT", "x-one, x", "true", "null", "*"]) | ANY_TEXT
)


@given(strategies.options(), st.data())
def test_the_same_environs_get_the_same_answers(
    builds: list[SimpleNamespace], options: dict[str, Any], data: st.DataObject
) -> None:
    environ = {
        "REQUEST_METHOD": data.draw(st.sampled_from(["OPTIONS", "OPTIONS", "GET"])),
        **data.draw(ENVIRONS),
    }
    if data.draw(st.booleans()):
        environ["HTTP_ORIGIN"] = data.draw(strategies.origins(options))
    app = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in data.draw(responses())
    ]
    said = []
    for build in builds:
        with using(build):
            policy = Policy(**options)
        started: list[Any] = []
        removed: list[str] = []
        refused: list[Any] = []
        gateway = gateway_of(policy, removed.append, refused.append)
        start = gateway.starter(environ, lambda *args, to=started: to.append(args))
        if isinstance(start, tuple):
            started.append(start)
        else:
            start("200 OK", app)
        said.append((started, removed, refused))
    assert said[0] == said[1]


@given(st.lists(st.tuples(NAMES, st.binary(max_size=5)) | ODD_PAIRS, max_size=8))
def test_the_same_lines_are_read(builds: list[SimpleNamespace], pairs: list[Any]) -> None:
    plain, compiled = (build.scan for build in builds)
    assert plain(pairs) == compiled(pairs)
    assert plain(tuple(map(list, pairs))) == compiled(tuple(map(list, pairs)))
    wanted = [
        value
        for name, value in pairs
        if isinstance(name, bytes) and name.lower() == b"origin" and isinstance(value, bytes)
    ]
    assert plain(pairs)[0] == (b", ".join(wanted) if wanted else None)
