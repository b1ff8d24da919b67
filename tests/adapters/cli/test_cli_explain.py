"""``corscore explain``: each pitfall of a request by its name, in text and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli_runs import run, run_json
from corscore import Policy
from corscore.browser import Request

APP = "https://app.example.com"
FILES = {
    "cors.toml": f"""\
allow_origins = ["{APP}", "http://localhost:3000", "https://*.example.org"]
allow_methods = ["PATCH", "PUT"]
allow_headers = ["X-One"]
expose_headers = ["X-Total"]
""",
    "star.toml": 'allow_origins = ["*"]\nallow_headers = ["*"]\n',
    "cookies.toml": f'allow_origins = ["{APP}"]\nallow_credentials = true\n',
    "bad.toml": f'allow_origins = ["{APP}/"]\n',
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text, encoding="utf-8")
    return tmp_path


REFUSED: list[tuple[str, list[str], str]] = [
    ("http://app.example.com", [], "origin-scheme-differs"),
    ("http://localhost:5173", [], "origin-port-differs"),
    ("http://localhost", [], "origin-port-differs"),
    ("http://127.0.0.1:3000", [], "origin-host-differs"),
    ("https://example.org", [], "apex-not-covered"),
    ("https://stranger.test", [], "origin-not-allowed"),
    ("null", [], "null-origin"),
    (f"{APP}/", [], "origin-trailing-slash"),
    ("https://App.example.com", [], "origin-uppercase"),
    (f"{APP}/login", [], "origin-has-path"),
    ("", [], "origin-malformed"),
    (APP, ["--method", "patch"], "method-case"),
    (APP, ["--method", "DELETE"], "method-not-allowed"),
    (APP, ["--method", "TRACE"], "method-forbidden"),
    (APP, ["--method", "a b"], "method-invalid"),
    (APP, ["--header", "X-Two: 2"], "header-not-allowed"),
    (APP, ["--header", "X-One", "--header", "Authorization: Bearer x"], "header-not-allowed"),
    (APP, ["--reads", "X-Total", "--reads", "X-Other"], "header-not-exposed"),
    (APP, ["--credentials"], "credentials-not-allowed"),
]
ALLOWED: list[tuple[str, list[str]]] = [
    (APP, []),
    ("http://localhost:3000", ["--method", "POST"]),
    ("https://a.b.example.org", []),
    (APP, ["--method", "PATCH"]),
    (APP, ["--method", "put"]),
    (APP, ["--header", "X-One: 1", "--header", "Content-Type: application/json"]),
    (APP, ["--header", "content-type"]),
    (APP, ["--reads", "X-Total"]),
]


def explained(target: str, origin: str, *args: str, exit_code: int) -> Any:
    said = run_json("explain", target, "--origin", origin, *args, exit_code=exit_code)
    assert {"allowed", "reason", "nearest", "steps", "headers"} <= said.keys()
    return said


@pytest.mark.parametrize(("origin", "args", "code"), REFUSED, ids=lambda value: str(value))
def test_a_refusal_has_its_name(origin: str, args: list[str], code: str) -> None:
    said = explained("cors.toml", origin, *args, exit_code=1)
    assert (said["allowed"], said["reason"]) == (False, code)
    assert said["hint"]
    assert [step["ok"] for step in said["steps"]].count(False) == 1
    text = run("explain", "cors.toml", "--origin", origin, *args)
    assert text.exit_code == 1
    assert text.stdout.startswith(f"Refused: {code}\n")
    assert f"  Fix: {said['hint']}.\n" in text.stdout
    assert f"corscore code {code}" in text.stdout


@pytest.mark.parametrize(("origin", "args"), ALLOWED, ids=lambda value: str(value))
def test_an_allowed_request_has_no_reason_and_no_fix(origin: str, args: list[str]) -> None:
    said = explained("cors.toml", origin, *args, exit_code=0)
    assert (said["allowed"], said["reason"], said["nearest"]) == (True, None, None)
    text = run("explain", "cors.toml", "--origin", origin, *args)
    assert text.exit_code == 0
    assert text.stdout.startswith("Allowed\n")
    assert "Fix:" not in text.stdout


def test_a_star_allows_authorization_and_null_and_no_credentials() -> None:
    said = explained("star.toml", APP, "--credentials", exit_code=1)
    assert said["reason"] == "wildcard-with-credentials"
    # The `*` of corscore also allows Authorization.
    explained("star.toml", APP, "--header", "Authorization: x", exit_code=0)
    explained("star.toml", "null", exit_code=0)
    explained("cookies.toml", APP, "--credentials", exit_code=0)


def test_the_json_is_the_explanation() -> None:
    policy = Policy(allow_origins=[APP], allow_credentials=True)
    request = Request(
        "PUT", "https://server.invalid/x", origin=APP, headers={"X-A": "1"}, credentials="include"
    )
    args = ("--method", "PUT", "--header", "X-A: 1", "--credentials", "--path", "/x")
    assert explained("cookies.toml", APP, *args, exit_code=1) == policy.explain(request).to_dict()


def test_the_text_has_steps_headers_and_consoles() -> None:
    text = run("explain", "cors.toml", "--origin", APP, "--method", "DELETE").stdout
    titles = ["What a browser does", "Headers of the preflight", "What the console says"]
    places = [text.index(f"\n{title}\n") for title in titles]
    assert places == sorted(places)
    for words in (
        "1. ok  ",
        "NO  ",
        "https://fetch.spec.whatwg.org/#",
        "Vary: Origin",
        "Chrome:",
        "Safari:",
    ):
        assert words in text


def test_path_chooses_the_policy_of_a_map() -> None:
    Path("main.py").write_text(
        "from corscore import Policy, PolicyMap\n"
        f"policies = PolicyMap({{'/api/*': Policy(allow_origins=['{APP}'])}})\n"
    )
    explained("main:policies", APP, "--path", "/api/x", exit_code=0)
    said = explained("main:policies", APP, "--path", "/", exit_code=1)
    assert said["reason"] == "no-allow-origin"
    result = run("explain", "main:policies", "--origin", f"{APP}/", "--path", "/")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: / is left alone: no policy says anything about it\n",
    )


HOSTS = f"""
[[policy."api.example.com/*"]]
allow_origins = ["{APP}"]
allow_credentials = true

[[policy."api.example.com/*"]]
allow_origins = ["*"]

[policy."/open/*"]
allow_origins = ["*"]
"""


@pytest.mark.parametrize(
    ("host", "path", "origin", "policy", "because"),
    [
        ("api.example.com", "/x", APP, "api.example.com/*, policy 1 of 2", []),
        (
            "API.example.com:8443",
            "/x",
            "https://b.example",
            "api.example.com/*, policy 2 of 2",
            ['policy 1 of 2 does not allow "https://b.example"'],
        ),
        ("other.example", "/open/x", APP, "/open/*", ['no key has a host for "other.example"']),
    ],
)
def test_a_policy_is_found_by_host_path_and_origin_and_named(
    host: str, path: str, origin: str, policy: str, because: list[str]
) -> None:
    Path("hosts.toml").write_text(HOSTS, encoding="utf-8")
    args = ("--host", host, "--path", path)
    said = explained("hosts.toml", origin, *args, exit_code=0)
    assert (said["policy"], said["because"]) == (policy, because)
    text = run("explain", "hosts.toml", "--origin", origin, *args).stdout
    *_, title = text.partition("Policy: ")
    assert title.split("\n") == [policy, *(f"  {note}." for note in because), ""]


def test_a_host_without_a_policy_is_left_alone() -> None:
    Path("hosts.toml").write_text(HOSTS, encoding="utf-8")
    said = explained("hosts.toml", APP, "--host", "other.example", exit_code=1)
    assert (said["reason"], said["policy"]) == ("no-allow-origin", "default")


def test_the_environment_is_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGINS", APP)
    explained("env", APP, exit_code=0)
    said = run_json("explain", "--env", "CORS_", "--origin", "null", exit_code=1)
    assert said["reason"] == "null-origin"


@pytest.mark.parametrize(
    ("install", "note"),
    [
        ("from starlette.middleware.cors import CORSMiddleware", True),
        ("from corscore_starlette import CORSMiddleware", False),
    ],
)
def test_an_app_with_another_library_gets_a_note(install: str, note: bool) -> None:
    Path("main.py").write_text(
        f"from fastapi import FastAPI\n{install}\napp = FastAPI()\n"
        f"app.add_middleware(CORSMiddleware, allow_origins=['{APP}'])\n"
    )
    result = run("explain", "main:app", "--origin", APP)
    assert result.exit_code == 0
    assert ("Note: main:app has starlette" in result.stderr) is note


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["bad.toml", "--origin", APP], "bad.toml has 1 problem, and so no policy"),
        (["cors.toml", "--origin", APP, "--header", "a b: 1"], "'a b' is not a header name"),
        (["main:app", "--origin", APP], "main:app has no layer of CORS"),
    ],
)
def test_a_mistake_is_one_line_and_2(args: list[str], says: str) -> None:
    Path("main.py").write_text("from flask import Flask\napp = Flask('x')\n")
    result = run("explain", *args)
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_path_begins_with_a_slash() -> None:
    result = run("explain", "cors.toml", "--origin", APP, "--path", "api")
    assert result.exit_code == 2
    assert "--path" in result.stderr


def test_layers_beside_each_other_govern_their_own_paths() -> None:
    Path("routed.py").write_text(
        "from fastapi import FastAPI\nfrom flask import Flask\nfrom flask_cors import CORS\n"
        "from starlette.middleware.cors import CORSMiddleware\n"
        "flask_app = Flask('x')\n"
        "CORS(flask_app, resources={r'/api/*': {'origins': ['https://app.example.com']},"
        " r'/public/*': {'origins': '*'}})\n"
        "part, mounted = FastAPI(), FastAPI()\n"
        "part.add_middleware(CORSMiddleware, allow_origins=['*'])\n"
        "mounted.mount('/public', part)\n"
    )
    for target, path, reason in (
        ("routed:flask_app", "/public/x", None),
        ("routed:flask_app", "/api/x", "origin-not-allowed"),
        ("routed:flask_app", "/", "no-allow-origin"),
        ("routed:mounted", "/public/x", None),
        ("routed:mounted", "/", "no-allow-origin"),
    ):
        said = run_json("explain", target, "--origin", "https://other.example", "--path", path)
        assert (said["allowed"], said["reason"]) == (reason is None, reason), (target, path)


def test_a_path_without_a_policy_is_named_in_a_note() -> None:
    Path("by_path.py").write_text(
        "from corscore import Policy, PolicyMap\n"
        f"policies = PolicyMap({{'/api/*': Policy(allow_origins=['{APP}']), '/x': None}})\n"
    )
    result = run("explain", "by_path:policies", "--origin", APP)
    assert result.exit_code == 1
    assert result.stderr == (
        "Note: no policy is for /; --path asks about another one, such as: /api/*.\n"
    )
    assert run("explain", "by_path:policies", "--origin", APP, "--json").stderr == ""


def test_paths_that_are_regexes_are_not_guessed() -> None:
    Path("regexes.py").write_text(
        "from flask import Flask\nfrom flask_cors import CORS\napp = Flask('x')\n"
        "CORS(app, resources={r'/v\\d+/.*': {'origins': ['https://app.example.com']}})\n"
    )
    result = run("explain", "regexes:app", "--origin", "https://app.example.com")
    assert result.exit_code == 2
    assert "cannot be looked up by the regex" in result.stderr


def test_paths_of_a_regex_that_are_keys_are_looked_up() -> None:
    Path("keyed.py").write_text(
        "from flask import Flask\nfrom flask_cors import CORS\napp = Flask('x')\n"
        "CORS(app, resources={r'/v[12]/.*': {'origins': ['https://app.example.com']}})\n"
    )
    for path, exit_code in (("/v2/x", 0), ("/v3/x", 1)):
        result = run("explain", "keyed:app", "--origin", "https://app.example.com", "--path", path)
        assert result.exit_code == exit_code, result.output


def test_a_header_that_no_script_reads_is_refused() -> None:
    Path("plain.toml").write_text('allow_origins = ["https://app.example.com"]\n')
    args = ("explain", "plain.toml", "--origin", "https://app.example.com", "--reads")
    said = run_json(*args, "Set-Cookie", exit_code=1)
    assert said["reason"] == "header-not-exposed"
    assert said["hint"] == 'do not read "Set-Cookie": no script can, whatever is exposed'
    for name in ("", "a b"):
        assert run(*args, name).exit_code == 2


def test_a_browser_is_asked_for_by_its_name() -> None:
    args = ("explain", "cors.toml", "--origin", APP, "--header", "DPR: 2")
    assert run_json(*args, exit_code=1)["reason"] == "header-not-allowed"
    told = run_json(*args, "--browser", "chromium", exit_code=0)
    assert "That is Chromium 156; by the standard: " in told["message"]
    assert run_json(*args, "--browser", "safari", exit_code=1)["console"].keys() == {"safari"}
    assert run(*args, "--browser", "opera").exit_code == 2
