"""``corscore har``: what it reads from recordings of browsers, and hostile files."""

from __future__ import annotations

import gzip
import json
import shlex
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import corscore.diagnostics._har as reading
from cli_runs import run
from corscore.diagnostics import HarError, explain_har, read_har
from hars import API, PAGE, URL, chromium, firefox, har, preflight
from pitfall_servers import answers, asgi, fastapi_app

if TYPE_CHECKING:
    from click.testing import Result
    from playwright.sync_api import Browser

ALLOWED = {"Access-Control-Allow-Origin": PAGE, "Vary": "Origin"}
STAR = {"Access-Control-Allow-Origin": "*"}
PUT = {**ALLOWED, "Access-Control-Allow-Methods": "PUT"}
# A page of another site than that of the API.
SHOP = {"origin": "https://shop.example.org"}
SHARED = {
    "Access-Control-Allow-Origin": SHOP["origin"],
    "Access-Control-Allow-Credentials": "true",
    "Vary": "Origin",
}
COOKIE = {"Cookie": "session=secret"}
JSON = {"Content-Type": "application/json"}
TOKEN = {"Authorization": "Bearer secret"}
FAILED = "net::ERR_FAILED"
DENIED = "Permission was denied for this request to access the `unknown` address space."
BLOCKED: dict[str, Any] = {"status": 0, "error": FAILED}
NET = "net::ERR_"


class Row(NamedTuple):
    why: str
    entries: list[dict[str, Any]]
    reasons: list[str | None]
    findings: set[str]


ROWS = [
    # --- the response says it
    Row("no header", [chromium(error=FAILED)], ["no-allow-origin"], set()),
    Row("no header, in Firefox", [firefox()], ["no-allow-origin"], set()),
    Row(
        "another origin's",
        [chromium(gets={"access-control-allow-origin": "https://other.example"}, error=FAILED)],
        ["origin-mismatch"],
        set(),
    ),
    Row(
        "two lines",
        [chromium(gets={"access-control-allow-origin": f"*\n{PAGE}"}, error=FAILED)],
        ["multiple-allow-origin"],
        {"two-cors-layers"},
    ),
    Row(
        "a list in one line",
        [firefox(gets={"Access-Control-Allow-Origin": f"{PAGE}, https://b.example"})],
        ["multiple-allow-origin"],
        set(),
    ),
    Row(
        "* with cookies",
        [firefox(asks=COOKIE, gets=STAR)],
        ["wildcard-with-credentials"],
        set(),
    ),
    Row(
        "* with credentials that the file does not show",
        [chromium(gets=STAR, error=FAILED)],
        ["wildcard-with-credentials"],
        set(),
    ),
    Row(
        "no Allow-Credentials",
        [chromium(asks=COOKIE, gets=ALLOWED, error=FAILED)],
        ["credentials-not-allowed"],
        set(),
    ),
    Row(
        "a sandboxed frame",
        [chromium(asks={"origin": "null"}, error=FAILED)],
        ["null-origin"],
        set(),
    ),
    Row(
        "a redirect to another server",
        [
            chromium(status=302, gets={**ALLOWED, "location": "https://cdn.example.net/a"}),
            chromium(
                url="https://cdn.example.net/a", asks={"origin": "null"}, gets=ALLOWED, error=FAILED
            ),
        ],
        ["redirected-to-null-origin"],
        set(),
    ),
    # --- the preflight says it
    Row(
        "a method, the preflight behind its request as Chrome has it",
        [chromium("PUT", **BLOCKED), preflight(200, ALLOWED)],
        ["method-not-allowed"],
        set(),
    ),
    Row(
        "a method, the preflight before its request as Firefox has it",
        [
            firefox("OPTIONS", asks={"Access-Control-Request-Method": "PUT"}, gets=ALLOWED),
            firefox("PUT", status=0),
        ],
        ["method-not-allowed"],
        set(),
    ),
    Row(
        "patch is not PATCH",
        [
            chromium("patch", **BLOCKED),
            preflight(200, {**ALLOWED, "Access-Control-Allow-Methods": "PATCH"}, method="patch"),
        ],
        ["method-case"],
        set(),
    ),
    Row(
        "JSON",
        [
            chromium("POST", asks=JSON, **BLOCKED),
            preflight(200, ALLOWED, method="POST", names="content-type"),
        ],
        ["header-not-allowed"],
        set(),
    ),
    Row(
        "Authorization and *",
        [
            chromium(**BLOCKED),
            preflight(
                200,
                {**ALLOWED, "Access-Control-Allow-Headers": "*"},
                method="GET",
                names="authorization",
            ),
        ],
        ["authorization-needs-explicit"],
        set(),
    ),
    Row(
        "a preflight that is redirected",
        [chromium("PUT", **BLOCKED), preflight(308, {"location": f"{URL}/"})],
        ["preflight-redirected"],
        set(),
    ),
    *(
        Row(
            f"a preflight with {status}, {headers}",
            [chromium("PUT", **BLOCKED), preflight(status, headers)],
            ["preflight-not-ok"],
            {finding},
        )
        for status, headers, finding in (
            (401, {}, "preflight-needs-auth"),
            (403, {}, "preflight-needs-auth"),
            (403, {"Vary": "Origin"}, "preflight-refused"),
            (400, {"Vary": "Accept, origin"}, "preflight-refused"),
            (404, {}, "preflight-not-handled"),
            (405, {}, "preflight-not-handled"),
            (501, {}, "preflight-not-handled"),
            (500, {}, "preflight-server-error"),
            (502, {}, "preflight-server-error"),
        )
    ),
    Row(
        "a preflight without its request",
        [preflight(401)],
        ["preflight-not-ok"],
        {"preflight-needs-auth"},
    ),
    # --- several entries say it together
    Row(
        "an error after a preflight that passed",
        [chromium("PUT", status=500, error=FAILED), preflight(204, PUT)],
        ["no-allow-origin"],
        {"missing-on-error"},
    ),
    Row(
        "a gateway's error, where other answers have the headers",
        [chromium(gets=ALLOWED), chromium(url=f"{API}/slow", status=504, error=FAILED)],
        [None, "no-allow-origin"],
        {"gateway-error"},
    ),
    Row(
        "too many preflights for a gateway",
        [preflight(429)],
        ["preflight-not-ok"],
        {"gateway-error"},
    ),
    Row(
        "an Allow-Origin with a slash",
        [chromium(gets={"Access-Control-Allow-Origin": f"{PAGE}/"}, error=FAILED)],
        ["origin-mismatch"],
        {"allow-origin-trailing-slash"},
    ),
    Row(
        "an error, where other answers have the headers",
        [chromium(gets=ALLOWED), chromium(url=f"{API}/missing", status=404, error=FAILED)],
        [None, "no-allow-origin"],
        {"missing-on-error"},
    ),
    Row(
        "an error of a server without CORS",
        [chromium(status=404, error=FAILED)],
        ["no-allow-origin"],
        set(),
    ),
    Row(
        "an answer that depends on the origin",
        [
            chromium(gets={"access-control-allow-origin": PAGE}),
            chromium(
                asks={"origin": "https://admin.example.com"},
                gets={"access-control-allow-origin": "https://admin.example.com"},
            ),
        ],
        [None, None],
        {"vary-missing"},
    ),
    Row(
        "another origin's answer out of the cache",
        [
            chromium(
                gets={"access-control-allow-origin": "https://admin.example.com"},
                error=FAILED,
                _fromCache="disk",
            )
        ],
        ["origin-mismatch"],
        {"vary-missing"},
    ),
    Row(
        "an image's answer out of the cache",
        [chromium(error=FAILED, _fromCache="disk")],
        ["no-allow-origin"],
        {"vary-missing"},
    ),
    Row(
        "a preflight of yesterday",
        [chromium("PUT", error=FAILED)],
        ["no-allow-origin"],
        {"preflight-cached"},
    ),
    Row(
        "a preflight of a minute ago",
        [
            chromium("PUT", gets=ALLOWED),
            preflight(204, PUT),
            chromium("PUT", error=FAILED, second=55),
        ],
        [None, "no-allow-origin"],
        {"preflight-cached"},
    ),
    # --- the recording does not hold the reason
    Row("blocked, and nothing kept", [chromium(**BLOCKED)], ["not-enough-data"], set()),
    Row("blocked, in Firefox", [firefox(status=0)], ["not-enough-data"], set()),
    Row("blocked, no preflight", [chromium("PUT", **BLOCKED)], ["not-enough-data"], set()),
    Row(
        "blocked, and a preflight of a minute ago",
        [
            chromium("PUT", gets=ALLOWED),
            preflight(204, PUT),
            chromium("PUT", second=55, **BLOCKED),
        ],
        [None, "not-enough-data"],
        {"preflight-cached"},
    ),
    Row(
        "a page that only its title tells",
        [
            {
                **chromium(asks={"Referer": ""}, **BLOCKED),
                "pageref": "page_1",
                "_initiator": {"type": "script", "url": "https://cdn.example.net/a.js"},
            }
        ],
        ["not-enough-data"],
        set(),
    ),
    Row(
        "a page that only its own entry tells",
        [
            firefox(url=f"{PAGE}/start", asks={"Origin": ""}, mode="navigate"),
            {**chromium(asks={"Referer": ""}, **BLOCKED), "_initiator": {"type": "script"}},
        ],
        ["not-enough-data"],
        set(),
    ),
    Row(
        "a page that only another request tells",
        [chromium(gets=ALLOWED), chromium(asks={"Referer": ""}, **BLOCKED)],
        [None, "not-enough-data"],
        set(),
    ),
    Row(
        "a page that only its script tells",
        [
            {
                **chromium(asks={"Referer": ""}, **BLOCKED),
                "_initiator": {"type": "script", "url": f"{PAGE}/app.js"},
            }
        ],
        ["not-enough-data"],
        set(),
    ),
    Row(
        "blocked after a preflight that passed",
        [chromium("PUT", **BLOCKED), preflight(204, PUT)],
        ["not-enough-data"],
        set(),
    ),
    Row(
        "refused, and all is well with the headers",
        [chromium(gets={**ALLOWED, "Access-Control-Allow-Credentials": "true"}, error=FAILED)],
        ["not-enough-data"],
        set(),
    ),
    Row(
        "a redirect that leads out of the file",
        [chromium(status=302, gets={**ALLOWED, "location": "/elsewhere"}, error=FAILED)],
        ["not-enough-data"],
        set(),
    ),
    # --- CORS is not the cause
    *(
        Row(f"{error}", [chromium(status=0, error=error)], [reason], set())
        for error, reason in (
            (f"{NET}BLOCKED_BY_LOCAL_NETWORK_ACCESS_CHECKS", "local-network-access"),
            (f"{NET}BLOCKED_BY_PRIVATE_NETWORK_ACCESS_CHECKS", "local-network-access"),
            (
                "Permission was denied for this request to access the `loopback` address space.",
                "local-network-access",
            ),
            (
                f"Access to fetch at '{URL}?{'a' * 200}' from origin '{PAGE}' has been blocked: "
                + DENIED,
                "local-network-access",
            ),
            (f"{NET}CONNECTION_REFUSED", "network-error"),
            (f"{NET}TOO_MANY_REDIRECTS", "network-error"),
            # The texts of WebKit and of proxies.
            ("Could not connect to the server.", "network-error"),
            ("A server with the specified hostname could not be found.", "network-error"),
            ("The network connection was lost.", "network-error"),
            ("Connection refused", "network-error"),
            ("The certificate for this server is invalid.", "tls-error"),
            ("An SSL error has occurred and a secure connection cannot be made.", "tls-error"),
            ("Peer failed to perform TLS handshake", "tls-error"),
            ("Server TLS handshake failed.", "tls-error"),
            (f"Origin {PAGE} is not allowed by Access-Control-Allow-Origin.", "not-enough-data"),
            (f"{NET}NAME_NOT_RESOLVED", "network-error"),
            (f"{NET}CONNECTION_TIMED_OUT", "network-error"),
            (f"{NET}EMPTY_RESPONSE", "network-error"),
            (f"{NET}HTTP2_PROTOCOL_ERROR", "network-error"),
            (f"{NET}BLOCKED_BY_CLIENT", "network-error"),
            ("NS_ERROR_CONNECTION_REFUSED", "network-error"),
            ("NS_ERROR_UNKNOWN_HOST", "network-error"),
            (f"{NET}CERT_AUTHORITY_INVALID", "tls-error"),
            (f"{NET}CERT_DATE_INVALID", "tls-error"),
            (f"{NET}SSL_PROTOCOL_ERROR", "tls-error"),
            ("SEC_ERROR_UNKNOWN_ISSUER", "tls-error"),
            ("MOZILLA_PKIX_ERROR_SELF_SIGNED_CERT", "tls-error"),
        )
    ),
    Row(
        "a preflight without a response",
        [chromium("PUT", **BLOCKED), preflight(0, error=f"{NET}CERT_DATE_INVALID")],
        ["tls-error"],
        set(),
    ),
    Row(
        "a preflight without a response or a request of it",
        [preflight(0, error=f"{NET}CONNECTION_RESET")],
        ["network-error"],
        set(),
    ),
    Row(
        "the browser's own words beside the entry",
        [
            chromium(
                status=0,
                error=FAILED,
                _corsErrorStatus={"corsError": "LocalNetworkAccessPermissionDenied"},
            )
        ],
        ["local-network-access"],
        set(),
    ),
    *(
        Row(f"what the console said, in {key}", [entry], ["local-network-access"], set())
        for key in ("_console", "_consoleMessages", "_errors")
        for entry in [{**chromium(**BLOCKED), key: [DENIED]}]
    ),
    # --- cookies
    *(
        Row(
            f"a cookie that browsers keep from other sites: {cookie}",
            [chromium(asks={**SHOP, **sent}, gets={**SHARED, "Set-Cookie": cookie})],
            [None],
            {"cookie-not-sent"},
        )
        for cookie, sent in [("session=1", {}), ("a=1; SameSite=None", {}), ("a=1; Secure", COOKIE)]
    ),
    # --- what only looks like what needs no look
    Row("a font", [chromium(kind="font", **BLOCKED)], ["not-enough-data"], set()),
    Row(
        "a renewed response that was refused",
        [chromium(status=304, error=FAILED)],
        ["no-allow-origin"],
        set(),
    ),
    Row(
        "headers that Firefox adds are none of the script's",
        [firefox(asks={"Alt-Used": "api.example.com", "Priority": "u=4"})],
        ["no-allow-origin"],
        set(),
    ),
]

# Recordings without findings, and their numbers of requests to other origins.
HEALTHY: list[tuple[str, list[dict[str, Any]], int]] = [
    ("nothing at all", [], 0),
    ("a simple request", [chromium(gets=ALLOWED)], 1),
    ("for everyone", [chromium(gets=STAR), firefox(gets=STAR)], 2),
    (
        "cookies",
        [firefox(asks=COOKIE, gets={**ALLOWED, "Access-Control-Allow-Credentials": "true"})],
        1,
    ),
    (
        "cookies that browsers send, to another site and to their own",
        [
            chromium(asks=SHOP, gets={**SHARED, "Set-Cookie": "a=1; SameSite=None; Secure"}),
            chromium(
                gets={**ALLOWED, "Access-Control-Allow-Credentials": "true", "Set-Cookie": "a=1"}
            ),
        ],
        2,
    ),
    (
        "a cookie of an answer that is for no cookies",
        [
            chromium(
                asks=SHOP,
                gets={**SHARED, "Access-Control-Allow-Credentials": "false", "Set-Cookie": "a=1"},
            )
        ],
        1,
    ),
    ("a preflight", [chromium("PUT", gets=ALLOWED), preflight(204, PUT)], 1),
    (
        "a preflight, in Firefox",
        [
            firefox("OPTIONS", asks={"Access-Control-Request-Method": "PUT"}, status=204, gets=PUT),
            firefox("PUT", gets=ALLOWED),
        ],
        1,
    ),
    (
        "headers",
        [
            chromium("POST", asks={**JSON, **TOKEN}, gets=STAR),
            preflight(
                204,
                {**STAR, "Access-Control-Allow-Headers": "content-type, authorization"},
                method="POST",
                names="authorization,content-type",
            ),
        ],
        1,
    ),
    ("a preflight that was remembered", [chromium("PUT", gets=ALLOWED)], 1),
    (
        "a preflight for an upload's progress",
        [chromium("POST", gets=ALLOWED), preflight(204, STAR, method="POST")],
        1,
    ),
    ("an error with the headers", [chromium(status=500, gets=ALLOWED)], 1),
    (
        "a redirect",
        [
            chromium(status=302, gets={**ALLOWED, "location": "/articles/1"}),
            chromium(url=f"{URL}/1", gets=ALLOWED),
        ],
        1,
    ),
    (
        "two origins, and Vary",
        [
            chromium(gets=ALLOWED),
            chromium(
                asks={"origin": "https://admin.example.com"},
                gets={"access-control-allow-origin": "https://admin.example.com", "vary": "origin"},
            ),
        ],
        2,
    ),
    ("the page's own origin", [chromium(url=f"{PAGE}/api", asks={"origin": PAGE})], 0),
    ("an image", [chromium(asks={"sec-fetch-mode": "no-cors"}, kind="image")], 0),
    ("a broken image", [chromium(status=0, error=FAILED, kind="image")], 0),
    ("a navigation", [firefox(mode="navigate")], 0),
    ("a WebSocket", [chromium(url="wss://api.example.com/", kind="websocket")], 0),
    ("given up by the page", [chromium(status=0, error="net::ERR_ABORTED")], 0),
    (
        "given up by the page, in Firefox",
        [{**firefox(status=0), "comment": "NS_BINDING_ABORTED"}],
        0,
    ),
    (
        "a revalidation",
        [
            chromium(
                asks={"if-none-match": '"1"', "cache-control": "no-cache"}, status=304, gets=ALLOWED
            )
        ],
        1,
    ),
    ("a renewed response, whose headers are in the cache", [chromium(status=304)], 0),
    ("a service worker's response", [chromium(_fetchedViaServiceWorker=True)], 0),
    ("a service worker's response, in Safari", [chromium(_fetchType="Service Worker")], 0),
    ("a preflight whose request is elsewhere", [preflight(204, PUT)], 0),
]


def invoke(path: Path, *args: str, **env: str) -> Result:
    return run("har", str(path), *args, env={**env})


def saved(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "network.har"
    path.write_bytes(data)
    return path


def told(path: Path) -> tuple[dict[str, Any], int]:
    result = invoke(path, "--json")
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout), result.exit_code


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.why)
def test_a_recording_has_the_reasons_and_findings_of_the_table(tmp_path: Path, row: Row) -> None:
    report, exit_code = told(saved(tmp_path, har(*row.entries)))
    assert [request["reason"] for request in report["requests"]] == row.reasons
    reasons = {reason for reason in row.reasons if reason is not None}
    assert {found["code"] for found in report["findings"]} == row.findings | reasons
    beside = {found["code"] for request in report["requests"] for found in request["findings"]}
    assert beside == row.findings
    assert exit_code == 1
    assert all(found["message"] and found["hint"] for found in report["findings"])


@pytest.mark.parametrize(("why", "entries", "count"), HEALTHY, ids=[row[0] for row in HEALTHY])
def test_a_healthy_recording_has_no_findings(
    tmp_path: Path, why: str, entries: list[dict[str, Any]], count: int
) -> None:
    report, exit_code = told(saved(tmp_path, har(*entries)))
    assert report["findings"] == []
    assert [request["readable"] for request in report["requests"]] == [True] * count
    assert report["entries"] == len([one for one in entries if "wss" not in one["request"]["url"]])
    assert exit_code == 0


# --- the line that would tell


def line_of(*entries: dict[str, Any]) -> list[str]:
    (request,) = explain_har(read_har(har(*entries))).requests
    assert request.reason == "not-enough-data"
    assert request.hint == f"run: {request.probe_line}"
    return shlex.split(request.probe_line or "")


def test_the_line_asks_what_the_script_asked() -> None:
    words = line_of(
        chromium(
            "PUT", asks={**JSON, **TOKEN, "X-One": "secret"}, url=f"{URL}?a=1&b=$(c)", **BLOCKED
        )
    )
    assert words == [
        "corscore",
        "probe",
        f"{URL}?a=1&b=$(c)",
        "--origin",
        PAGE,
        "--method",
        "PUT",
        "--header",
        "content-type: application/json",
        "--header",
        "x-one: 1",
        "--header",
        "authorization: 1",
    ]


def test_the_line_asks_the_server_when_it_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with asgi(fastapi_app()) as base:
        words = line_of(chromium(url=f"{base}/ok", **BLOCKED))
        result = run(*words[1:], "--json")
    assert json.loads(result.stdout)["reason"] == "no-allow-origin"


def test_the_line_has_no_header_of_the_browser() -> None:
    asks = {"Alt-Used": "api.example.com", "Last-Event-ID": "1", "X-Browser-Validation": "a"}
    assert "--header" not in line_of(firefox(asks=asks, status=0))


def test_the_page_of_a_font_is_not_its_style_sheet_s() -> None:
    asks = {"Referer": "https://styles.example/all.css"}
    words = line_of(chromium(asks=asks, kind="font", pageref="page_1", **BLOCKED))
    assert words[words.index("--origin") + 1] == PAGE


def test_the_line_has_credentials_where_cookies_went_out() -> None:
    assert line_of(chromium(asks=COOKIE, **BLOCKED))[-1] == "--credentials"


# --- for people


def test_the_text_has_refused_requests_and_with_options_all_and_steps(tmp_path: Path) -> None:
    path = saved(tmp_path, har(chromium(gets=STAR), chromium("PUT", **BLOCKED), preflight(401)))
    result = invoke(path)
    assert result.exit_code == 1
    assert "2 requests to other origins, of 3 in all; 1 to look at" in result.output
    assert "Not readable: preflight-not-ok" in result.output
    assert "Finding: preflight-needs-auth" in result.output
    assert "What a browser does" not in result.output
    assert "Readable: 200" not in result.output
    assert "Readable: 200" in invoke(path, "--all").output
    assert "What a browser does" in invoke(path, "--steps").output


def test_the_page_shows_what_it_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    docs = Path(__file__).parents[3] / "docs"
    _, found, shown = (docs / "cli.md").read_text("utf-8").partition("$ corscore har network.har\n")
    assert found
    monkeypatch.chdir(docs / "cli")
    assert invoke(Path("network.har"), COLUMNS="88").output.strip() == shown.partition("\n```")[0]


def test_no_secret_of_the_file_is_printed(tmp_path: Path) -> None:
    asks = {**COOKIE, **TOKEN, "X-Api-Key": "secret"}
    path = saved(tmp_path, har(chromium("PUT", asks=asks, error=FAILED), firefox(asks=asks)))
    for args in ((), ("--steps", "--all"), ("--json",)):
        assert "secret" not in invoke(path, *args).output


@pytest.mark.parametrize("evil", ["\x1b]0;owned\x07", "\x9b31m", "\u202e", "[red]x[/red]", "\r\nx"])
def test_the_text_of_a_file_is_escaped_for_the_terminal(tmp_path: Path, evil: str) -> None:
    path = saved(
        tmp_path,
        har(
            chromium(url=f"{URL}/{evil}", gets={"access-control-allow-origin": evil}, error=evil),
            chromium("PUT", f"{URL}?{evil}", asks={"x-one": evil, evil: "1"}, **BLOCKED),
            chromium(status=0, error=f"{NET}CERT_{evil}"),
        ),
    )
    for args in ((), ("--steps", "--all"), ("--json",)):
        output = invoke(path, *args).output
        assert output.isascii() or args == ("--steps", "--all")
        assert not [char for char in output if char != "\n" and not char.isprintable()]


# --- files that are none


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON, line 1"),
        (b"\xff\xfe", "no UTF-8"),
        (b"[]", '"log"."entries"'),
        (b"null", '"log"."entries"'),
        (b'{"log": {"entries": {}}}', '"log"."entries"'),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"log": {"entries": [' + b"1" * 5000 + b"]}}", None),
        (b"\x1f\x8bnonsense", "broken gzip"),
    ],
    ids=["empty", "cut", "no text", "list", "null", "dict", "deep", "large number", "gzip"],
)
def test_a_file_that_is_none_ends_with_2(tmp_path: Path, data: bytes, message: str | None) -> None:
    result = invoke(saved(tmp_path, data))
    if message is None:  # some versions of Python read a number of so many digits
        assert result.exit_code in (0, 2)
        return
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""


def test_a_file_that_is_not_there_ends_with_2(tmp_path: Path) -> None:
    assert invoke(tmp_path / "none.har").exit_code == 2
    assert invoke(tmp_path).exit_code == 2


def test_a_file_that_cannot_be_read_ends_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, b"{}")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    result = invoke(path)
    assert result.exit_code == 2
    assert "cannot be read: Permission denied" in result.stderr


def test_a_har_file_is_refused_above_a_size_and_a_number_of_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_HAR_BYTES", 2**20)
    monkeypatch.setattr(reading, "MAX_HAR_ENTRIES", 3)
    packed = gzip.compress(b" " * 2**21)
    for data, message in (
        (b" " * (2**20 + 1), "more than 1 MiB"),
        (packed, "more than 1 MiB"),
        (har(*[chromium()] * 4), "4 entries"),
    ):
        with pytest.raises(HarError, match=message):
            read_har(data)


# At the bounds; a character beyond the BMP makes Python's text four times as large.
HOSTILE = {
    "lists": "b'[],' * (MOST // 2)",
    "numbers": "b'1.5,' * MOST",
    "strings": "b'\"ab\",' * MOST",
    "objects": "b'{\"a\":1},' * (MOST // 2)",
    "text": "b''",
    "too deep": "b'[' * MOST",
    "more than is read": "b'1,' * (MOST + 100)",
}
MEMORY = """
import resource
from corscore.diagnostics import HarError, MAX_HAR_BYTES, read_har
from corscore.diagnostics._har import MAX_HAR_VALUES

MOST = MAX_HAR_VALUES - 10
start = b'{{"log":{{"entries":[{{"x":[' + {body} + b'"'
end = '\\U0001f600"]}}]}}}}'.encode()
try:
    print(len(read_har(start + b'a' * (MAX_HAR_BYTES - len(start) - len(end)) + end)))
except HarError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_the_largest_file_takes_little_more_than_its_text(body: str) -> None:
    code = MEMORY.format(body=body)
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    _, megabytes = run.stdout.splitlines()
    assert int(megabytes) < 1536, run.stdout


def test_a_har_file_is_refused_above_a_number_of_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_HAR_VALUES", 100)
    with pytest.raises(HarError, match="more than 100 values; record fewer requests"):
        read_har(har(*[chromium()] * 4))


def test_a_small_file_that_unpacks_to_a_huge_one_takes_little_memory() -> None:
    packed = gzip.compress(b'{"log":{"entries":[' + b"[]," * (20 * 2**20))
    assert len(packed) < 2**17
    tracemalloc.start()
    try:
        with pytest.raises(HarError, match="more than 100 times its size; unpack it first"):
            read_har(packed)
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()


def test_a_file_that_repeats_itself_is_read() -> None:
    plain = har(*[chromium(error=FAILED)] * 2000)
    packed = gzip.compress(plain)
    assert len(plain) > 50 * len(packed)
    assert len(read_har(packed)) == 2000


def test_a_gzipped_file_and_one_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    plain = har(chromium(error=FAILED))
    for data in (gzip.compress(plain), b"\xef\xbb\xbf" + plain):
        report, _ = told(saved(tmp_path, data))
        assert [request["reason"] for request in report["requests"]] == ["no-allow-origin"]


_NAMES = [
    *("Origin", "Referer", "Sec-Fetch-Mode", "Cookie", "Access-Control-Request-Method"),
    *("Access-Control-Allow-Origin", "Location", "Content-Type", "Vary", "X-One"),
]
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [URL, PAGE, "GET", "PUT", "OPTIONS", "null", "cors", "preflight", 200, 0, -1]
    ),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
HEADERS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(
                [
                    "Origin",
                    "Referer",
                    "sec-fetch-mode",
                    "access-control-request-method",
                    "cookie",
                    "vary",
                    "x-a",
                    "access-control-allow-origin",
                    "location",
                    "content-type",
                ]
            )
            | JSON_VALUES,
            "value": st.sampled_from([PAGE, URL, "cors", "PUT", "*", "null", "a,b", "/"])
            | JSON_VALUES,
        }
    )
    | JSON_VALUES,
    max_size=4,
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["GET", "PUT", "OPTIONS", "patch", "a b"]) | JSON_VALUES,
        "url": st.sampled_from([URL, "https://b.example/", "/"]) | JSON_VALUES,
        "status": st.sampled_from([0, 200, 204, 302, 401, 500, -1, True]) | JSON_VALUES,
        "headers": HEADERS | JSON_VALUES,
        "cookies": JSON_VALUES,
        "_error": st.sampled_from([FAILED, f"{NET}CONNECTION_RESET"]) | JSON_VALUES,
    },
)
ENTRIES = st.fixed_dictionaries(
    {"request": MESSAGES | JSON_VALUES, "response": MESSAGES | JSON_VALUES},
    optional={"_resourceType": st.sampled_from(["fetch", "xhr", "preflight"]) | JSON_VALUES},
)


@given(st.lists(ENTRIES | JSON_VALUES, max_size=5))
def test_any_entries_get_a_report_of_bounded_size(entries: list[Any]) -> None:
    data = json.dumps({"log": {"entries": entries}}).encode()
    report = explain_har(read_har(data))
    text = json.dumps(report.to_dict())
    assert len(text) < 500_000


@pytest.mark.parametrize(
    "pair",
    [
        [chromium("PUT", **BLOCKED), preflight(401)],
        [preflight(401), chromium("GET", **BLOCKED)],
        [chromium(status=302, gets={**ALLOWED, "location": URL}), chromium(status=500)],
    ],
    ids=["used", "unused", "redirects"],
)
def test_a_long_recording_of_one_url_is_read_in_linear_time(pair: list[dict[str, Any]]) -> None:
    report = explain_har(read_har(har(*pair * 500)))
    assert len(report.requests) >= 400


# --- recorded by a real Chromium

_FETCH = "({url, init}) => fetch(url, init).then(() => 'read', () => 'refused')"


def test_a_recording_of_a_real_browser_tells_what_the_browser_did(
    chromium: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "real.har"
    servers = {
        "readable": fastapi_app(allow_origins=["*"], allow_methods=["GET", "PUT"]),
        "auth": answers(401),
        "none": fastapi_app(),
    }
    context = chromium.new_context(record_har_path=path)
    got = {}
    urls = {}
    try:
        with (
            asgi(servers["readable"]) as readable,
            asgi(servers["auth"]) as auth,
            asgi(servers["none"]) as none,
        ):
            page = context.new_page()
            page.goto(none.replace("127.0.0.1", "localhost") + "/ok")
            for name, url, init in (
                ("readable", f"{readable}/ok", {}),
                ("put", f"{readable}/ok?put", {"method": "PUT"}),
                ("auth", f"{auth}/ok", {"method": "PUT"}),
                ("none", f"{none}/ok", {}),
                ("nobody", "http://nobody.invalid/", {}),
            ):
                urls[url] = name
                got[name] = page.evaluate(_FETCH, {"url": url, "init": init})
    finally:
        context.close()
    assert got == {
        "readable": "read",
        "put": "read",
        "auth": "refused",
        "none": "refused",
        "nobody": "refused",
    }
    report, exit_code = told(path)
    reasons = {urls[one["url"]]: one["reason"] for one in report["requests"]}
    assert reasons == {
        "readable": None,
        "put": None,
        # Playwright records no preflights and no blocked requests.
        "auth": "not-enough-data",
        "none": "not-enough-data",
        "nobody": "network-error",
    }
    assert exit_code == 1
    lines = [one["probe"] for one in report["requests"] if one["reason"] == "not-enough-data"]
    assert all(line.startswith("corscore probe http://127.0.0.1:") for line in lines)
