"""``corscore.diagnostics.probe`` and its findings, over answers without a socket."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest

from corscore._standard.public_suffix import registrable_domain
from corscore.browser import Request
from corscore.diagnostics import NoResponse, explain_har, probe, read_har
from corscore.diagnostics._audit import look_alikes
from hars import PAGE, URL, chromium, har, preflight

if TYPE_CHECKING:
    from collections.abc import Callable

ALLOW = "Access-Control-Allow-Origin"
Asked = list[tuple[str, str, dict[str, str]]]


def server(
    answer: Callable[[str, str, dict[str, str]], tuple[int, dict[str, str]]],
) -> tuple[Any, Asked]:
    """Return a transport with given answers, and the list of its requests."""
    asked: Asked = []

    def send(method: str, url: str, headers: list[tuple[str, str]]) -> Any:
        asked.append((method, url, dict(headers)))
        return answer(method, url, dict(headers))

    return send, asked


def codes(told: Any) -> set[str]:
    return {finding.code for finding in told.findings}


# --- what is asked beyond the fetch


def test_no_answer_to_what_is_asked_beyond_the_fetch_is_no_failure() -> None:
    answers = iter([(200, {ALLOW: PAGE})])

    def answer(*_: object) -> tuple[int, dict[str, str]]:
        found = next(answers, None)
        if found is None:
            raise NoResponse("network-error", "gone", "")
        return found

    send, asked = server(answer)
    told = probe(Request("GET", URL, origin=PAGE), send, audit=True)
    assert told.readable
    assert told.findings == ()
    assert len(asked) > 2


@pytest.mark.parametrize(
    ("headers", "location", "browser", "says"),
    [
        # The standard refuses the same responses.
        ({"Authorization": "x"}, None, "firefox", "That is Firefox 153; by the standard: "),
        # The standard needs a preflight, which was not sent.
        ({"DPR": "2"}, None, "chromium", "Chromium 156 takes other steps"),
        ({"DPR": "2"}, None, "safari", None),
        ({}, None, "chromium", None),
        ({}, "", "chromium", "That is Chromium 156; by the standard: "),
    ],
)
def test_a_browser_is_compared_with_the_standard_by_the_same_responses(
    headers: dict[str, str], location: str | None, browser: Any, says: str | None
) -> None:
    def answer(method: str, *_: object) -> tuple[int, dict[str, str]]:
        found = {ALLOW: "*", "Access-Control-Allow-Headers": "*"}
        if method == "OPTIONS" or location is None:
            return 200, found
        return 302, {**found, "Location": location}

    send, asked = server(answer)
    request = Request("GET", URL, origin=PAGE, headers=headers)
    told = probe(request, send, browser=browser)
    sent = [method for method, *_ in asked]
    assert told.request == request
    if says is None:
        assert told.message == probe(request, send).message
    else:
        assert says in told.message
    assert sent.count("OPTIONS") < 4


def test_a_probe_sends_a_bounded_number_of_requests() -> None:
    # No answer shows a layer of CORS, so the probe could always ask more.
    send, asked = server(lambda method, url, headers: (404, {}))
    url = f"{URL}/{'/'.join('abcdefghij' * 20)}?q"
    probe(Request("GET", url, origin=PAGE), send)
    assert len(asked) <= 13


def test_the_middle_of_a_long_chain_of_redirects_is_left_out() -> None:
    def steps(redirects: int) -> list[str]:
        def answer(method: str, url: str, headers: object) -> tuple[int, dict[str, str]]:
            number = int(url.rpartition("/")[2])
            if number == redirects:
                return 200, {ALLOW: "*"}
            return 302, {ALLOW: "*", "Location": f"/{'a' * 60_000}/{number + 1}"}

        send, _ = server(answer)
        told = probe(Request("GET", f"{URL}/0", origin=PAGE), send)
        assert told.reason == ("too-many-redirects" if redirects > 20 else None)
        assert len(str(told.to_dict())) < 4_000_000
        return [step.text for step in told.steps if step.name == "redirect"]

    assert len(steps(5)) == 5
    # The text has the number of steps that are left out.
    for redirects, more, shown in ((6, 3, 4), (20, 17, 4), (1000, 17, 5)):
        texts = steps(redirects)
        assert len(texts) == shown
        assert f"follows {more} more redirects, left out here" in texts[2]


def test_an_audit_asks_nothing_twice() -> None:
    send, asked = server(lambda method, url, headers: (200, {}))
    probe(Request("GET", URL, origin=PAGE), send, audit=True)
    assert len(asked) == len({(one, two, tuple(three.items())) for one, two, three in asked})


@pytest.mark.parametrize(
    ("method", "allowed", "expected"),
    [
        # The finding is about a GET, whose answer a cache stores.
        ("POST", lambda origin: origin, {"vary-missing"}),
        ("POST", lambda origin: PAGE, set()),
        ("GET", lambda origin: PAGE if origin else None, {"vary-missing"}),
        ("GET", lambda origin: "*" if origin else None, set()),
    ],
)
def test_missing_vary_is_found_where_the_answer_depends_on_the_origin(
    method: str, allowed: Callable[[str | None], str | None], expected: set[str]
) -> None:
    def answer(_: str, __: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        value = allowed(headers.get("origin"))
        return 200, {} if value is None else {ALLOW: value}

    send, asked = server(answer)
    told = probe(Request(method, URL, origin=PAGE), send)
    assert told.readable
    assert codes(told) == expected
    assert [one for one, _, _ in asked].count("POST") == (method == "POST")


def test_a_server_in_trouble_says_nothing_of_vary() -> None:
    def answer(_: str, __: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        return (200, {ALLOW: PAGE}) if headers.get("origin") == PAGE else (503, {})

    send, _ = server(answer)
    assert codes(probe(Request("GET", URL, origin=PAGE), send)) == set()


@pytest.mark.parametrize(
    ("headers", "hidden"),
    [
        ({"X-Total-Count": "3"}, True),
        ({"Link": '</articles?page=2>; rel="next"'}, True),
        ({"Link": "</style.css>; rel=preload"}, False),
        ({"ETag": '"1"', "Server": "x", "X-Frame-Options": "DENY", "Date": "today"}, False),
        ({"X-Total-Count": "3", "Access-Control-Expose-Headers": "x-total-count"}, False),
        ({"X-Total-Count": "3", "Access-Control-Expose-Headers": "*"}, False),
    ],
)
def test_a_header_for_scripts_that_is_hidden_is_a_finding(
    headers: dict[str, str], hidden: bool
) -> None:
    send, _ = server(lambda *_: (200, {ALLOW: "*", **headers}))
    told = probe(Request("GET", URL, origin=PAGE), send)
    assert codes(told) == ({"header-not-exposed"} if hidden else set())


@pytest.mark.parametrize("status", [401, 403, 500, 502, 302])
def test_an_answer_that_says_nothing_is_no_proof_of_no_layer(status: int) -> None:
    """A refusal does not show whether a layer of CORS is behind."""

    def answer(method: str, url: str, _: object) -> tuple[int, dict[str, str]]:
        return (status if method == "OPTIONS" else 200), {}

    send, _ = server(answer)
    told = probe(Request("GET", URL, origin=PAGE), send)
    assert told.reason == "no-allow-origin"
    assert codes(told) == set()


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (401, {}, "outside the authentication"),
        (403, {"Vary": "Origin"}, "in its policy"),
        (405, {}, "around the whole application"),
        (502, {}, "server's log"),
        (418, {}, "answer the preflight with 204"),
    ],
)
def test_the_fix_of_a_preflight_is_that_of_its_cause(
    status: int, headers: dict[str, str], words: str
) -> None:
    send, _ = server(lambda *_: (status, headers))
    told = probe(Request("PUT", URL, origin=PAGE), send)
    assert told.reason == "preflight-not-ok"
    assert words in (told.hint or "")


# --- who looks alike


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (
            "app.example.com",
            [
                "app.example.com.corscore-probe.example",
                "corscore-probeexample.com",
                "appxexample.com",
                "corscore-probeapp.example.com",
            ],
        ),
        (
            "example.com",
            ["example.com.corscore-probe.example", "corscore-probeexample.com"],
        ),
        (
            "a.b.example.co.uk",
            [
                "a.b.example.co.uk.corscore-probe.example",
                "corscore-probeexample.co.uk",
                "a.bxexample.co.uk",
                "corscore-probea.b.example.co.uk",
            ],
        ),
        ("me.github.io", ["me.github.io.corscore-probe.example", "corscore-probeme.github.io"]),
        ("localhost", ["localhost.corscore-probe.example"]),
        ("github.io", ["github.io.corscore-probe.example"]),
        ("192.0.2.1", ["192.0.2.1.corscore-probe.example"]),
        ("[::1]", []),
    ],
)
def test_look_alikes_of_a_host_are_those_of_the_table(host: str, expected: list[str]) -> None:
    assert [other for other, _ in look_alikes(host)] == expected


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("app.example.com", "example.com"),
        ("example.com.", "example.com"),
        ("a.b.internal", "b.internal"),
        ("localhost", None),
        ("co.uk", None),
    ],
)
def test_the_registrable_domain_of_a_host_is_that_of_the_table(
    host: str, domain: str | None
) -> None:
    assert registrable_domain(host) == domain


@pytest.mark.parametrize(
    ("origin", "pattern", "found"),
    [
        # All hosts below a registrable domain have one owner.
        (
            "https://app.example.com",
            lambda one: one.startswith("https://") and one.endswith(".example.com"),
            set(),
        ),
        (
            "https://app.example.com",
            lambda one: one.startswith("https:") and one.endswith("app.example.com"),
            {"look-alike-allowed"},
        ),
        (
            "https://app.example.com",
            lambda one: one.startswith("https:") and "example.com" in one,
            {"look-alike-allowed"},
        ),
        (
            "http://localhost:3000",
            lambda one: one.startswith("http://localhost"),
            {"look-alike-allowed"},
        ),
        ("http://localhost:3000", lambda one: one == "http://localhost:3000", set()),
        ("http://127.0.0.1:3000", lambda one: one == "http://127.0.0.1:3000", set()),
        (
            "http://app.example.com",
            lambda one: one == "http://app.example.com",
            {"insecure-origin-allowed"},
        ),
        ("tauri://localhost", lambda one: one == "tauri://localhost", set()),
        ("null", lambda one: one == "null", {"null-allowed"}),
    ],
)
def test_an_audit_finds_the_origins_that_a_server_should_not_allow(
    origin: str, pattern: Callable[[str], bool], found: set[str]
) -> None:
    def answer(_: str, __: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        asking = headers.get("origin", "")
        allowed = {ALLOW: asking, "Access-Control-Allow-Credentials": "true"}
        return 200, {"Vary": "Origin", **(allowed if asking and pattern(asking) else {})}

    send, _ = server(answer)
    told = probe(Request("GET", URL, origin=origin), send, audit=True)
    assert told.readable
    assert codes(told) == found


# --- lines


@pytest.mark.parametrize(
    ("method", "headers", "words"),
    [
        ("GET", {}, ["-D", "-", "-o", "/dev/null"]),
        ("HEAD", {}, ["--head"]),
        ("POST", {}, ["-X", "POST", "-D", "-", "-o", "/dev/null"]),
        ("GET", {"Accept": ""}, ["-D", "-", "-o", "/dev/null", "-H", "accept;"]),
    ],
)
def test_a_curl_line_has_the_method(method: str, headers: dict[str, str], words: list[str]) -> None:
    send, _ = server(lambda *_: (200, {ALLOW: "*"}))
    told = probe(Request(method, URL, origin=PAGE, headers=headers), send)
    line = shlex.split(told.steps[-1].curl)
    assert line[: 3 + len(words)] == ["curl", "-sS", "--globoff", *words]
    assert line[-1] == URL


def test_a_line_of_an_explanation_is_printable() -> None:
    send, _ = server(lambda *_: (200, {ALLOW: "*", "Access-Control-Allow-Headers": "*"}))
    request = Request("GET", URL, origin=PAGE, headers={"Accept": "\x1b[31m'\xe9"})
    line = probe(request, send).steps[-1].curl
    assert line.isascii()
    assert line.isprintable()
    # The byte that browsers send for it: https://infra.spec.whatwg.org/#isomorphic-encode
    assert r"$'accept: \x1b[31m\x27\xe9'" in line


# --- recordings that say little


@pytest.mark.parametrize(
    "entry",
    [
        chromium("A B", status=0),
        chromium("CONNECT"),
        preflight(401, method="a b"),
        preflight(0),
        {**preflight(401), "request": {**preflight(401)["request"], "headers": []}},
        preflight(401, url=f"{PAGE}/own"),
        chromium(url="https://user:password@api.example.com/"),
        chromium(url="blob:https://api.example.com/1"),
        chromium(status=0, kind="script"),
    ],
    ids=[
        "method",
        "forbidden",
        "asked",
        "no answer",
        "no headers",
        "own",
        "password",
        "blob",
        "script",
    ],
)
def test_a_request_that_no_script_sends_is_left_out(entry: dict[str, Any]) -> None:
    assert explain_har(read_har(har(entry))).requests == ()


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("nginx/1.22.1", 'in nginx write "always"'),
        ("Apache/2.4", 'in Apache write "Header always set"'),
        ("uvicorn", "put CORS outside the handling of errors"),
    ],
)
def test_the_fix_of_an_error_is_that_of_the_server_that_sent_it(name: str, fix: str) -> None:
    def answer(method: str, url: str, _: object) -> tuple[int, dict[str, str]]:
        return (500, {"Server": name}) if url == URL else (200, {ALLOW: PAGE})

    send, _ = server(answer)
    (finding,) = probe(Request("GET", URL, origin=PAGE), send).findings
    assert finding.code == "missing-on-error"
    assert finding.hint.startswith(fix)
