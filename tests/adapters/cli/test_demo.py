"""``corscore demo``: the table, the page and its server, and mistakes of users."""

from __future__ import annotations

import errno
import http.client
import io
import json
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from rich.console import Console

import corscore_cli
from corscore import Policy, PolicyMap, PolicyRef
from corscore.browser import KNOWN_DEVIATIONS, Request, fetch
from corscore_cli.commands import demo as demo_command
from corscore_cli.demo import api, servers
from corscore_cli.demo import demo as demo_module
from corscore_cli.demo import policies as demo_policies
from corscore_cli.demo.apps import APPS
from corscore_cli.demo.demo import Demo, PreflightCounts, running
from corscore_cli.demo.model import explain
from corscore_cli.demo.page import demo_state
from corscore_cli.demo.policies import INTERNAL, PUBLIC, SHARED, as_python, build_policies
from corscore_cli.demo.table import AFTER_CHANGE, ROWS
from corscore_cli.demo.terminal import print_address, print_live_change, print_table
from corscore_cli.shell.command import corscore
from demo_apps import EACH_APP, as_in_a_process_of_its_own

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY_PORTS = ("--port", "0", "--page-port", "0")
ALL_EXPECTED = f"{len(ROWS)} of {len(ROWS)} came out as expected."


def invoke(*args: str, **options: Any) -> Any:
    return CliRunner().invoke(corscore, args, **options)


@pytest.fixture
def demo() -> Iterator[Demo]:
    with running(APPS["fastapi"], 0, 0) as served:
        yield served


# --- the command


@pytest.mark.server
@EACH_APP
def test_every_app_does_what_the_table_says(name: str) -> None:
    with as_in_a_process_of_its_own(name):
        result = invoke("demo", "--once", "--app", name, *ANY_PORTS)
    assert result.exit_code == 0, result.output
    assert ALL_EXPECTED in result.output
    assert APPS[name].title in result.output
    assert all(row.title in result.output for row in ROWS)
    assert f'"{PUBLIC}": Policy(allow_origins=["*"])' in result.output
    assert f'"{INTERNAL}": None' in result.output
    assert "\x1b" not in result.output  # it is not a terminal
    # The table shows the refusals, so they are not logged.
    assert "refused (" not in result.output


@pytest.mark.parametrize("app", APPS.values(), ids=APPS)
def test_the_extra_of_an_app_is_one_of_ours(app: Any) -> None:
    from importlib.metadata import metadata

    assert app.extra in (metadata("corscore").get_all("Provides-Extra") or ())


@pytest.mark.server
def test_the_table_fits_a_narrow_terminal() -> None:
    result = invoke("demo", "--once", *ANY_PORTS, env={"COLUMNS": "80"})
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    # Each row has one line.
    assert all(sum(row.title in line and "yes" in line for line in lines) == 1 for row in ROWS)
    governed = {"/public/news": PUBLIC, "/shared/prices": SHARED, "/internal/health": INTERNAL}
    for row in ROWS:
        (line,) = [line for line in lines if row.title in line and "yes" in line]
        assert governed.get(row.path, " default ") in line


def test_each_refused_row_is_explained_in_the_terminal(demo: Demo) -> None:
    output = io.StringIO()
    assert print_table(Console(file=output, width=160), demo.snapshot().predictions)
    lines = [line.strip() for line in output.getvalue().splitlines()]
    explained = lines[lines.index("Why not, and what would change it") :]
    for row, code, fix in (
        ("other-origin", "origin-host-differs", "fix: open the page from "),
        ("other-origin-put", "origin-host-differs", "fix: open the page from "),
        ("null-origin", "null-origin", "fix: serve the page over http from an origin of its own;"),
        ("delete", "method-not-allowed", 'fix: add "DELETE" to allow_methods'),
        ("patch-lower-case", "method-case", 'fix: write "PATCH" in the script'),
        ("unlisted-header", "header-not-allowed", 'fix: add "x-trace" to allow_headers'),
        ("hidden-header", "header-not-exposed", 'fix: add "X-Served-By" to expose_headers'),
        ("public-with-cookie", "wildcard-with-credentials", "fix: write allow_origins=["),
        ("internal", "no-allow-origin", f'fix: give the path a policy: "{INTERNAL}" has None'),
    ):
        title = next(done.title for done in demo.snapshot().predictions if done.row.name == row)
        at = next(i for i, line in enumerate(explained) if line.startswith(title))
        assert explained[at].split() == [*title.split(), code]
        assert explained[at + 1].startswith(fix), explained[at + 1]
    allowed = {row.title for row in ROWS if row.expected.reason is None}
    assert not any(line.startswith(title) for line in explained for title in allowed)


@EACH_APP
def test_the_terminal_shows_a_live_change(name: str) -> None:
    output = io.StringIO()
    with as_in_a_process_of_its_own(name), running(APPS[name], 0, 0) as served:
        served_by = served.api.app
        assert print_live_change(Console(file=output, width=100), served)
        assert served.api.app is served_by
        assert served.ref.policy == build_policies(served.start, served.site.pages["page"])
        other = served.site.pages["other"]
    said = output.getvalue()
    assert "ref.replace(...)" in said
    assert f"policy replaced: allow_origins: added {other}\n" in said
    assert "policy replaced: allow_methods: added DELETE\n" in said
    changed = {row.name for row in ROWS if row.title in said}
    assert changed == {*AFTER_CHANGE}
    assert "As expected: no other row changed." in said


def test_a_live_change_that_is_not_as_expected_is_loud(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The change does not reach the running API.
    monkeypatch.setattr(demo, "ref", PolicyRef(build_policies(demo.start, demo.site.pages["page"])))
    output = io.StringIO()
    assert not print_live_change(Console(file=output, width=100), demo)
    assert "NOT as expected." in output.getvalue()


def test_the_terminal_prints_a_change_from_the_page(demo: Demo) -> None:
    output = io.StringIO()
    print_address(Console(file=output, width=100), demo)
    for change, says in (
        ({"max_age": 0}, "policy replaced: max_age: 0, was 600"),
        ({}, "policy replaced: max_age: 600, was 0"),
        ({}, "policy replaced: nothing changed"),
    ):
        assert put_in_force(demo, {**demo.start, **change})[0] == 200
        assert output.getvalue().splitlines()[-1].strip() == says


@pytest.mark.server
def test_colours_are_for_terminals_that_want_them() -> None:
    coloured = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    assert "\x1b[32m" in invoke("demo", "--once", *ANY_PORTS, env=coloured).output
    plain = invoke("demo", "--once", *ANY_PORTS, env={**coloured, "NO_COLOR": "1"})
    assert "\x1b[32m" not in plain.output


@pytest.mark.server
@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("allow_methods", ["PUT", "DELETE"], "NO, but blocked: method-not-allowed, 1 asked"),
        ("allow_credentials", False, "NO, but readable: 200, 0 asked"),
        ("expose_headers", ["X-Served-By"], "NO, but hidden: header-not-exposed, 0 asked"),
        ("max_age", 0, "NO, but readable: 200, 1 asked"),
    ],
)
def test_an_unexpected_outcome_is_shown_and_fails(
    monkeypatch: pytest.MonkeyPatch, option: str, value: object, says: str
) -> None:
    start = demo_policies.start_options
    monkeypatch.setattr(
        demo_module, "start_options", lambda origin: {**start(origin), option: value}
    )
    result = invoke("demo", "--once", *ANY_PORTS, env={"COLUMNS": "160"})
    assert result.exit_code == 1
    assert says in result.output
    assert ALL_EXPECTED not in result.output


@pytest.mark.server
def test_the_demo_serves_until_it_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def interrupted(seconds: float) -> None:
        address = next(word for word in reversed(output.getvalue().split()) if "://" in word)
        connection = http.client.HTTPConnection(address.partition("//")[2], timeout=30)
        connection.request("GET", "/")
        seen.append(connection.getresponse().read().decode())
        connection.close()
        raise KeyboardInterrupt

    output = io.StringIO()
    monkeypatch.setattr(demo_command, "Console", lambda **given: Console(file=output, **given))
    monkeypatch.setattr(demo_command, "sleep", interrupted)
    result = invoke("demo", *ANY_PORTS)
    assert result.exit_code == 0, result.output
    assert "Ctrl+C" in output.getvalue()
    assert len(seen) == 1
    assert "What may a browser do" in seen[0]


def test_help_and_version_are_printed() -> None:
    from importlib.metadata import version

    assert invoke("--version").output == f"corscore {version('corscore')}\n"
    assert "demo" in invoke("--help").output
    shown = invoke("demo", "-h")
    assert shown.exit_code == 0
    for option in ("--app", "--port", "--page-port", "--once", *APPS):
        assert option in shown.output


@pytest.mark.parametrize("option", ["--port", "--page-port"])
@pytest.mark.parametrize("once", [["--once"], []])
def test_a_port_in_use_is_a_mistake(option: str, once: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = invoke("demo", *once, *ANY_PORTS, option, port)
    assert result.exit_code == 2
    (line,) = result.output.splitlines()
    assert line == (
        f"Error: port {port} is in use; choose another one with {option}, or {option} 0 for any "
        "that is free"
    )


def test_a_port_without_permission_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(address: object) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(socket, "create_server", refuse)
    result = invoke("demo", "--port", "80")
    assert result.exit_code == 2
    (line,) = result.output.splitlines()
    assert line.startswith("Error: port 80 cannot be used: ")


@pytest.mark.parametrize(
    "args", [["--port", "65536"], ["--port", "x"], ["--app", "rails"], ["--onec"], ["extra"]]
)
def test_a_mistake_in_the_call_prints_the_usage(args: list[str]) -> None:
    result = invoke("demo", *args)
    assert result.exit_code == 2
    assert "Usage: " in result.output


@pytest.mark.server
def test_a_framework_that_is_not_installed_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flask", None)
    monkeypatch.delitem(sys.modules, "corscore_flask", raising=False)
    result = invoke("demo", "--app", "flask", *ANY_PORTS)
    assert result.exit_code == 2
    assert result.output == (
        'Error: --app flask needs the package flask; run: pip install "corscore[cli,flask]"\n'
    )


def test_a_missing_module_of_corscore_is_not_the_users_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "corscore_wsgi", None)
    with pytest.raises(ModuleNotFoundError):
        APPS["wsgi"].build(None)  # type: ignore[arg-type]


def run_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    # `_end` would end the test run, which has threads of its own.
    monkeypatch.setitem(corscore_cli.main.__globals__, "_end", lambda code: None)
    corscore_cli.main()


@pytest.mark.parametrize("package", ["click", "rich.console", "uvicorn"])
def test_a_missing_extra_is_named_with_its_install_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], package: str
) -> None:
    _forget_the_command(monkeypatch)
    monkeypatch.setattr(sys, "argv", ["corscore", "demo", "--help"])
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SystemExit) as ended:
        run_entry_point(monkeypatch)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"corscore: the command needs the package {package.partition('.')[0]}; "
        'run: pip install "corscore[cli]"\n'
    )


def test_a_page_of_a_code_needs_no_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _forget_the_command(monkeypatch)
    monkeypatch.setattr(sys, "argv", ["corscore", "code", "null-origin"])
    monkeypatch.setitem(sys.modules, "click", None)
    with pytest.raises(SystemExit) as ended:
        run_entry_point(monkeypatch)
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("# `null-origin`\n")


def test_another_failing_import_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    _forget_the_command(monkeypatch)
    monkeypatch.setattr(sys, "argv", ["corscore", "demo", "--help"])
    monkeypatch.setitem(sys.modules, "corscore_cli.demo.table", None)
    with pytest.raises(ModuleNotFoundError, match="table"):
        run_entry_point(monkeypatch)


def _forget_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget all modules of the command but its entry point, for one test."""
    for name in [*sys.modules]:
        if name.startswith("corscore_cli.") and name != "corscore_cli.shell.main":
            monkeypatch.delitem(sys.modules, name)


def test_the_entry_point_runs_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["corscore", "--help"])
    with pytest.raises(SystemExit) as ended:
        run_entry_point(monkeypatch)
    assert ended.value.code == 0
    assert "demo" in capsys.readouterr().out


# --- the server of the page


def ask(
    demo: Demo,
    path: str,
    *,
    method: str = "GET",
    host: str = "page",
    body: bytes | None = None,
    **headers: str,
) -> tuple[int, dict[str, str], bytes]:
    """Asks the page's server, with a Host of ours by its name in ``Site.pages`` or another one."""
    ours: dict[str, str] = {name: at.partition("//")[2] for name, at in demo.site.pages.items()}
    connection = http.client.HTTPConnection(ours["page"], timeout=30)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"Host": ours.get(host, host), **named})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def put_in_force(demo: Demo, options: object, **headers: str) -> tuple[int, Any]:
    given = {"Origin": demo.site.pages["page"], "Content_Type": "application/json", **headers}
    body = options if isinstance(options, bytes) else json.dumps(options).encode()
    status, _, answer = ask(demo, "/policy", method="POST", body=body, **given)
    return status, json.loads(answer) if status in {200, 422} else answer.decode()


@pytest.mark.parametrize(
    ("method", "path", "host", "status"),
    [
        ("GET", "/", "page", 200),
        ("GET", "/demo.css", "page", 200),
        ("GET", "/demo.js", "page", 200),
        ("GET", "/form.js", "page", 200),
        ("GET", "/view.js", "page", 200),
        ("GET", "/run.js", "page", 200),
        ("GET", "/frame.html", "page", 200),
        ("GET", "/state", "page", 200),
        ("GET", "/preflights?row=x", "page", 200),
        ("GET", "/nothing", "page", 404),
        ("GET", "/demo.py", "page", 404),
        ("GET", "/../demo.py", "page", 404),
        ("GET", "/policy", "page", 404),
        ("POST", "/", "page", 404),
        ("DELETE", "/policy", "page", 404),
        # The other name of loopback is for the frame only, so a visitor is redirected.
        ("GET", "/", "other", 307),
        ("GET", "/frame.html", "other", 200),
        ("GET", "/frame.js", "other", 200),
        ("GET", "/run.js", "other", 200),
        ("GET", "/state", "other", 404),
        ("GET", "/demo.js", "other", 404),
        ("POST", "/policy", "other", 404),
        # A foreign name that points to loopback, as in DNS rebinding.
        ("GET", "/", "rebound.example", 403),
        ("GET", "/state", "rebound.example", 403),
        ("GET", "/frame.html", "rebound.example", 403),
        ("POST", "/policy", "rebound.example", 403),
        ("GET", "/", "127.0.0.1", 403),
        ("GET", "/", "", 403),
    ],
)
def test_files_are_served_to_the_hosts_that_need_them(
    demo: Demo, method: str, path: str, host: str, status: int
) -> None:
    answered, headers, _ = ask(demo, path, method=method, host=host)
    assert answered == status
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert ("Location" in headers) == (status == 307)
    if status == 307:
        assert headers["Location"] == demo.site.pages["page"] + "/"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (403, {"Origin": "null"}, b"{}"),
        (403, {"Origin": "https://app.example"}, b"{}"),
        (403, {"Origin": ""}, b"{}"),
        # A form can send it without a preflight.
        (400, {"Content_Type": "text/plain"}, b"{}"),
        (400, {"Content_Type": "application/x-www-form-urlencoded"}, b"{}"),
        (400, {}, b""),
        (400, {}, b"{"),
        (400, {}, b"[]"),
        (400, {}, b"\xff"),
        (400, {}, b"[" * 50_000),
        (400, {}, b'{"a": "' + b"x" * 65_536 + b'"}'),
        (400, {}, b'{"dangerously_allow_slow_regex": true}'),
        (400, {}, b'{"allow_origin_regex": "(a+)+"}'),
        (400, {"Content_Length": "-1"}, b"{}"),
        (400, {"Content_Length": "9" * 30}, b"{}"),
    ],
)
def test_only_the_page_changes_the_policy_and_only_with_an_object_of_options(
    demo: Demo, status: int, headers: dict[str, str], body: bytes
) -> None:
    before = demo.options
    answered, text = put_in_force(demo, body, **headers)
    assert answered == status
    assert text
    assert demo.options is before


def test_a_policy_that_cannot_be_is_explained_and_the_old_one_stays(demo: Demo) -> None:
    before = demo.snapshot().options
    page = demo.site.pages["page"]
    status, answer = put_in_force(
        demo, {"allow_origins": [f"{page}/"], "allow_methods": ["patch"], "max_age": "soon"}
    )
    assert status == 422
    problems = answer["problems"]
    assert [(found["field"], found["code"]) for found in problems] == [
        ("allow_origins", "origin-trailing-slash"),
        ("allow_methods", "method-case"),
        ("max_age", "max-age-invalid"),
    ]
    assert f'"{page}"' in problems[0]["hint"]
    assert all(found["message"] for found in problems)
    snapshot = demo.snapshot()
    assert snapshot.options == before
    assert all(done.script_result == done.row.expected for done in snapshot.predictions)


def test_a_policy_of_the_page_is_in_force_at_once(demo: Demo) -> None:
    page, other = demo.site.pages["page"], demo.site.pages["other"]
    status, answer = put_in_force(demo, {"allow_origins": [other], "max_age": None})
    assert status == 200
    assert answer == {
        "problems": [],
        "changes": [
            f"allow_origins: added {other}; removed {page}",
            "allow_methods: removed PUT, PATCH",
            "allow_headers: removed authorization",
            "expose_headers: removed X-Total-Count",
            "allow_credentials: False, was True",
            "max_age: None, was 600",
        ],
    }
    _, _, body = ask(demo, "/state?browser=chromium")
    told = json.loads(body)
    assert f'allow_origins=["{other}"],\n    max_age=None,\n' in told["python"]
    reasons = {
        row["name"]: row["predicted"]["reason"] for group in told["groups"] for row in group["rows"]
    }
    assert reasons["own-origin"] == "no-allow-origin"
    assert reasons["other-origin"] is None


@pytest.mark.parametrize(
    ("query", "browser"),
    [
        ("browser=chromium", "chromium"),
        ("browser=safari", "safari"),
        ("browser=lynx", None),
        ("browser=", None),
        ("", None),
    ],
)
def test_the_prediction_is_for_the_browser_that_asks(
    demo: Demo, query: str, browser: str | None
) -> None:
    _, _, body = ask(demo, f"/state?{query}")
    told = json.loads(body)
    assert told["browser"] == browser
    assert [known["what"] for known in told["deviations"]] == [
        f"{known.when}: {known.what}" for known in KNOWN_DEVIATIONS if known.browser == browser
    ]


def test_no_run_has_the_queries_of_another(demo: Demo) -> None:
    runs = [demo.snapshot() for _ in range(3)]
    urls = [done.request.url for run in runs for done in run.predictions]
    assert len(set(urls)) == len(urls)
    assert len({run.run for run in runs}) == 3


def test_preflights_are_counted_by_query_and_forgotten_in_the_end() -> None:
    preflights = PreflightCounts()
    for number in range(2_000):
        preflights.note("OPTIONS", f"run={number}")
    preflights.note("OPTIONS", "run=1999")
    preflights.note("GET", "run=1999")
    assert preflights.count("run=1999") == 2
    assert preflights.count("run=0") == 0


# --- the API


TOKEN = {"Authorization": "Bearer demo"}
COOKIE = {"Cookie": "corscore_demo=signed-in"}


@EACH_APP
def test_every_app_answers_alike(name: str) -> None:
    with as_in_a_process_of_its_own(name), running(APPS[name], 0, 0) as served:
        for method, path, headers, status, answer in (
            ("GET", "/articles", {}, 200, api.ARTICLES),
            ("PUT", "/articles/1", TOKEN, 200, api.SAVED),
            ("PUT", "/articles/1", {"Authorization": "Bearer stolen"}, 401, None),
            ("PUT", "/articles/1", {}, 401, None),
            ("PATCH", "/articles/1", {}, 200, api.SAVED),
            ("DELETE", "/articles/1", {}, 200, api.SAVED),
            ("POST", "/session", {}, 200, api.SESSION),
            ("GET", "/session", COOKIE, 200, api.SESSION),
            ("GET", "/session", {"Cookie": "corscore_demo=guessed"}, 401, None),
            ("GET", "/session", {}, 401, None),
            ("GET", "/broken", {}, 500, None),
            ("GET", "/public/news", {}, 200, api.NEWS),
            ("GET", "/internal/health", {}, 200, api.HEALTH),
            ("DELETE", "/articles", {}, 405, None),
            ("GET", "/nothing", {}, 404, None),
        ):
            case = f"{method} {path} {headers}"
            connection = http.client.HTTPConnection(served.site.api.partition("//")[2], timeout=30)
            body = '{"title": "Hello"}' if method == "PUT" else None
            page = {"Origin": served.site.pages["page"], "Content-Type": "application/json"}
            connection.request(method, path, body, {**page, **headers})
            response = connection.getresponse()
            text = response.read()
            connection.close()
            assert response.status == status, case
            # The page may read every answer, but for the path that is left alone.
            allowed = {"/public/news": "*", "/internal/health": None}.get(path, page["Origin"])
            assert response.getheader("Access-Control-Allow-Origin") == allowed, case
            if answer is not None:
                assert json.loads(text) == answer, case
            if path == "/articles" and status == 200:
                assert {key: response.getheader(key) for key in api.HEADERS} == api.HEADERS
            cookie = response.getheader("Set-Cookie", "")
            assert bool(cookie) == (method == "POST"), case
            if cookie:
                assert cookie.startswith("corscore_demo=signed-in; ")
                assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {
                    part.replace("Lax", "lax") for part in cookie.split("; ")
                }


@EACH_APP
def test_every_app_takes_another_policy_while_it_serves(name: str) -> None:
    with as_in_a_process_of_its_own(name), running(APPS[name], 0, 0) as served:
        served_by = served.api.app
        for method, reason in (("DELETE", None), ("PUT", "method-not-allowed")):
            served.apply({**served.start, "allow_methods": [method]})
            (done,) = [done for done in served.snapshot().predictions if done.row.name == "delete"]
            assert done.script_result.reason == reason
        assert served.api.app is served_by


@EACH_APP
def test_a_change_reaches_the_paths_that_have_no_policy_of_their_own(name: str) -> None:
    with as_in_a_process_of_its_own(name), running(APPS[name], 0, 0) as served:
        served.apply({"allow_origins": ["https://app.example"]})
        read = {done.row.name: done.script_result for done in served.snapshot().predictions}
    for row in ROWS:
        if row.path.startswith(("/public/", "/shared/", "/internal/")):
            assert read[row.name] == row.expected, row.name
        else:
            assert read[row.name].status is None, row.name


# --- what is said


@pytest.mark.parametrize(
    ("change", "row", "says"),
    [
        ({}, "own-origin", None),
        ({}, "without-cookie", None),
        ({}, "other-origin", 'open the page from "{page}", or if the origin is yours, add "'),
        ({}, "other-origin-put", 'open the page from "{page}", or if the origin is yours, add'),
        ({}, "null-origin", "serve the page over http from an origin of its own; allow_null"),
        ({}, "delete", 'add "DELETE" to allow_methods'),
        ({}, "patch-lower-case", 'write "PATCH" in the script'),
        ({}, "unlisted-header", 'add "x-trace" to allow_headers'),
        ({}, "hidden-header", 'add "X-Served-By" to expose_headers'),
        ({"allow_headers": []}, "put-json", 'add "Authorization" to allow_headers'),
        ({}, "public", None),
        ({}, "public-with-cookie", 'write allow_origins=["{page}"] and allow_credentials=True, or'),
        ({}, "internal", 'give the path a policy: "/internal/*" has None'),
        ({"allow_credentials": False}, "sign-in", "set allow_credentials=True"),
        (
            {"allow_origins": ["*"], "allow_credentials": False},
            "with-cookie",
            'write allow_origins=["{page}"] and allow_credentials=True, or leave out credentials',
        ),
    ],
)
def test_the_hint_of_a_row_says_what_to_change(
    demo: Demo, change: dict[str, object], row: str, says: str | None
) -> None:
    demo.apply({**demo.start, **change})
    (done,) = [done for done in demo.snapshot().predictions if done.row.name == row]
    said = done.explanation.hint
    if says is None:
        assert said is None
    else:
        assert said is not None
        page, other = demo.site.pages["page"], demo.site.pages["other"]
        assert said.startswith(says.format(page=page, other=other))


def test_every_row_comes_with_its_explanation_and_the_wire(demo: Demo) -> None:
    told: Any = demo_state(demo, "chromium")
    codes = Path(__file__).parents[3] / "docs" / "codes"
    for group in told["groups"]:
        for row in group["rows"]:
            predicted, name = row["predicted"], row["name"]
            explanation = predicted["explanation"]
            assert explanation["browser_reason"] == predicted["reason"], name
            assert explanation["allowed"] == (predicted["reason"] is None), name
            assert bool(explanation["hint"]) == bool(predicted["reason"]), name
            assert explanation["message"], name
            assert [step["ok"] for step in explanation["steps"]] == [
                *[True] * (len(explanation["steps"]) - 1),
                explanation["allowed"],
            ], name
            # No console has a message about a hidden response header.
            is_blocked = predicted["status"] is None
            assert explanation["console"].keys() == (
                {"chromium", "firefox", "safari"} if is_blocked else set()
            ), name
            if explanation["allowed"]:
                assert explanation["page"] is None, name
            else:
                assert (codes / f"{explanation['reason']}.md").is_file(), name
                assert explanation["page"] == f"/codes/{explanation['reason']}", name
            asked = [exchange["is_preflight"] for exchange in predicted["exchanges"]]
            assert asked in ([True], [True, False], [False]), name
            answers = {"preflight" if is_preflight else "actual" for is_preflight in asked}
            assert {note["response"] for note in explanation["headers"]} <= answers, name
            folder = "/".join(row["path"].split("/")[:2])
            key = f"{folder}/*" if f"{folder}/*" in (PUBLIC, SHARED, INTERNAL) else "default"
            assert row["policy"]["key"] == key, name
            number = {"shared-with-cookie": "policy 1 of 2", "shared-anywhere": "policy 2 of 2"}
            assert number.get(name, "") in row["policy"]["about"], name
            assert ("policy 1 of 2 does not allow" in row["policy"]["about"]) == (
                name == "shared-anywhere"
            )
            assert bool(explanation["headers"]) == (key != INTERNAL), name
    assert "Bearer" not in told["python"]


def test_a_deviation_of_a_browser_is_explained_by_the_headers() -> None:
    # Chromium lets "*" cover Authorization. No policy sends such a "*", but a proxy may.
    headers = (("Authorization", "x"),)
    request = Request("GET", "https://api.example/", origin="https://app.example", headers=headers)
    sent = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
    result = fetch(request, lambda method, url, headers: (200, sent), browser="chromium")
    told = explain(result, None, Policy(allow_origins=["*"]))
    assert told.allowed
    assert told.hint is None
    assert not told.headers


@pytest.mark.parametrize(
    "options",
    [
        {"allow_origins": ["https://app.example"], "max_age": 0},
        {"allow_origins": ["*"], "max_age": None, "allow_headers": []},
        {"allow_origins": ["https://app.example", "http://localhost:*"], "allow_credentials": True,
         "allow_null_origin": False, "allow_methods": ["PUT", "X"]},
    ],
)  # fmt: skip
def test_the_printed_python_builds_the_same_policies(options: dict[str, object]) -> None:
    text = as_python(options, "https://page.example")
    names = {"Policy": Policy, "PolicyMap": PolicyMap}
    assert eval(text, names) == build_policies(options, "https://page.example")  # noqa: S307 - as people paste it
    assert "False" not in text
    assert "[]" not in text


# --- the servers


def test_the_servers_listen_on_loopback_only(demo: Demo) -> None:
    with servers.listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.server
@pytest.mark.parametrize(
    ("error", "is_printed"), [(ConnectionResetError(), False), (ValueError(), True)]
)
def test_a_browser_that_hangs_up_is_no_error(
    capsys: pytest.CaptureFixture[str], error: Exception, *, is_printed: bool
) -> None:
    with servers.listen(0) as listener:
        server = servers._Server(listener)
        try:
            raise error
        except (ConnectionError, ValueError):
            server.handle_error(None, ("127.0.0.1", 1))
    assert bool(capsys.readouterr().err) == is_printed
