"""``corscore check``: problems and findings of every kind of target, in every format."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from cli_runs import run, run_json, run_process
from corscore import Policy, PolicyMap
from corscore.diagnostics import lint

APP = "https://app.example.com"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, text: str) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return name


def codes(target: str, *args: str) -> tuple[list[str], list[str]]:
    """Return the codes of the problems, and those of the findings."""
    said = run_json("check", target, *args)
    for one in [*said["problems"], *said["findings"]]:
        assert {"code", "message", "hint", "place"} <= one.keys()
    assert all({"field", "value"} <= one.keys() for one in said["problems"])
    return [one["code"] for one in said["problems"]], [one["code"] for one in said["findings"]]


# --- pitfalls, each in a file, in the environment, in a module and on an app

PITFALLS: list[tuple[str, dict[str, Any], str]] = [
    ("a trailing slash", {"allow_origins": [f"{APP}/"]}, "origin-trailing-slash"),
    ("upper case", {"allow_origins": ["https://App.example.com"]}, "origin-uppercase"),
    ("white space", {"allow_origins": ["https://app.example .com"]}, "origin-whitespace"),
    ("quotes", {"allow_origins": ["'https://app.example.com'"]}, "origin-quoted"),
    ("nothing", {"allow_origins": []}, "origins-missing"),
    ("a method's case", {"allow_origins": [APP], "allow_methods": ["patch"]}, "method-case"),
    (
        "* with credentials",
        {"allow_origins": ["*"], "allow_credentials": True},
        "wildcard-with-credentials",
    ),
]
EACH_PITFALL = pytest.mark.parametrize(
    ("options", "code"), [row[1:] for row in PITFALLS], ids=[row[0] for row in PITFALLS]
)


def as_variable(value: object) -> str:
    return ",".join(value) if isinstance(value, list) else str(value).lower()


@EACH_PITFALL
def test_each_pitfall_in_a_file_is_one_problem(options: dict[str, Any], code: str) -> None:
    lines = [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    write("cors.toml", "\n".join(lines))
    assert codes("cors.toml") == ([code], [])


@EACH_PITFALL
def test_each_pitfall_in_the_environment_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], code: str
) -> None:
    for name, value in options.items():
        monkeypatch.setenv(f"API_{name.upper()}", as_variable(value))
    said = run_json("check", "--env", "API_", exit_code=1)
    (problem,) = said["problems"]
    assert problem["code"] == code
    assert problem["field"].startswith("API_")
    assert problem["place"] == problem["field"]


@EACH_PITFALL
def test_each_pitfall_in_a_module_has_its_line(options: dict[str, Any], code: str) -> None:
    given = ", ".join(f"{name}={value!r}" for name, value in options.items())
    write("main.py", f"from corscore import Policy\n\npolicy = Policy({given})\n")
    said = run_json("check", "main:policy", exit_code=1)
    assert [(one["code"], one["place"]) for one in said["problems"]] == [(code, "main.py:3")]


OURS = "from corscore_starlette import CORSMiddleware"
THEIRS = "from starlette.middleware.cors import CORSMiddleware"


@EACH_PITFALL
@pytest.mark.parametrize("line", [OURS, THEIRS], ids=["ours", "starlette"])
@pytest.mark.parametrize("framework", ["FastAPI", "Starlette"])
def test_each_pitfall_on_an_app_is_one_problem(
    options: dict[str, Any], code: str, line: str, framework: str
) -> None:
    package = "fastapi" if framework == "FastAPI" else "starlette.applications"
    write(
        "main.py",
        f"from {package} import {framework}\n{line}\napp = {framework}()\n"
        f"app.add_middleware(CORSMiddleware, **{options!r})\n",
    )
    assert codes("main:app") == ([code], [])


def test_env_is_the_environment_with_the_prefix_cors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORS_ALLOW_ORIGINS", raising=False)
    (problem,) = run_json("check", "env", exit_code=1)["problems"]
    assert (problem["code"], problem["field"]) == ("origins-missing", "CORS_ALLOW_ORIGINS")
    monkeypatch.setenv("CORS_ALLOW_ORIGINS", f"{APP},http://localhost:3000")
    (finding,) = run_json("check", "env", exit_code=1)["findings"]
    assert (finding["code"], finding["place"]) == ("localhost-in-production", "CORS_ALLOW_ORIGINS")


# --- lints

LINTS: list[tuple[dict[str, Any], list[str]]] = [
    ({"allow_origins": [APP, "http://localhost:3000"]}, ["localhost-in-production"]),
    ({"allow_origins": [APP, "http://127.0.0.1:*"]}, ["localhost-in-production"]),
    ({"allow_origins": ["https://*.example.com", "http://[::1]"]}, ["localhost-in-production"]),
    (
        {"allow_origins": [APP], "allow_origin_regex": r"http://localhost:[0-9]+"},
        ["localhost-in-production"],
    ),
    (
        {"allow_origin_regex": r"https://[a-z]+\.example\.com|http://localhost:3000"},
        ["localhost-in-production"],
    ),
    ({"allow_origins": [APP, "https://*.example.com"]}, ["origin-shadowed"]),
    (
        {"allow_origins": ["https://*.a.example.com", "https://*.example.com"]},
        ["origin-shadowed"],
    ),
    ({"allow_origins": [APP, "https://app.example.com:*"]}, ["origin-shadowed"]),
    ({"allow_origins": [APP, "https://*.example.com:*"]}, ["origin-shadowed"]),
    (
        {"allow_origins": [APP], "allow_origin_regex": r"https://[a-z]+\.example\.com"},
        ["origin-shadowed"],
    ),
    ({"allow_origins": ["https://*.github.io"]}, ["hosting-domain-wildcard"]),
    ({"allow_origins": ["https://*.co.uk:*"]}, ["hosting-domain-wildcard"]),
    ({"allow_origins": [APP], "max_age": 7201}, ["max-age-above-browsers"]),
    ({"allow_origins": [APP], "max_age": 86400}, ["max-age-above-browsers"]),
    ({"allow_origin_regex": r"https://[a-z]+.example\.com"}, ["regex-unescaped-dot"]),
    ({"allow_origin_regex": r"https://app.example[.]com"}, ["regex-unescaped-dot"]),
    ({"allow_origin_regex": r"https://(a|b).example\.com"}, ["regex-unescaped-dot"]),
    ({"allow_origin_regex": r"https://[]x].example\.com"}, ["regex-unescaped-dot"]),
    ({"allow_origin_regex": r"https://(.+.)?example\.com"}, ["regex-unescaped-dot"]),
    ({"allow_origin_regex": r"https://(?:app.)?example\.com"}, ["regex-unescaped-dot"]),
    ({"allow_origin_regex": r"https://app\.example.(com|org)"}, ["regex-unescaped-dot"]),
    ({"allow_origin_regex": r"https://app\.example.[a-z]+"}, ["regex-unescaped-dot"]),
]
HEALTHY: list[dict[str, Any]] = [
    {"allow_origins": [APP]},
    {"allow_origins": ["*"]},
    {"allow_origins": [APP, "https://example.com"], "allow_credentials": True},
    {"allow_origins": ["http://localhost:3000", "http://127.0.0.1:3000"]},
    {"allow_origins": ["http://localhost:*", "https://app.test", "http://192.168.0.7:3000"]},
    {"allow_origins": ["http://localhost:3000"], "allow_credentials": True},
    {"allow_origins": [APP, "http://tauri.localhost", "capacitor://localhost"]},
    {"allow_origins": ["https://*.example.com", "https://example.com"]},
    {"allow_origins": ["https://*.example.com", "http://a.example.com"]},
    {"allow_origins": ["https://*.example.com", "https://a.example.com:8443"]},
    {"allow_origins": ["https://me.github.io", "https://*.me.github.io"]},
    {"allow_origins": ["http://*.localhost"]},
    {
        "allow_origins": ["https://*.github.io"],
        "allow_credentials": True,
        "dangerously_allow_public_suffixes": True,
    },
    {"allow_origins": [APP], "max_age": 0},
    {"allow_origins": [APP], "max_age": None},
    {"allow_origins": [APP], "max_age": 600},
    {"allow_origins": [APP], "max_age": 7200},
    {"allow_origin_regex": r"https://.*\.example\.com"},
    {"allow_origin_regex": r"https://.+\.example[.]com"},
    {"allow_origin_regex": r"https://pr-.\.example\.com"},
    {"allow_origin_regex": r"https://[^.]+\.example\.com"},
    {"allow_origin_regex": r"https://[]\].x]+\.example\.com"},
    {"allow_origin_regex": r"https://(?:.*\.)?example\.com(:[0-9]+)?"},
    {"allow_origin_regex": r"https://(?:a|pr-.)\.example\.com"},
    {"allow_origin_regex": ".*"},
]


@pytest.mark.parametrize(("options", "expected"), LINTS, ids=str)
def test_lint_finds_what_the_table_says(options: dict[str, Any], expected: list[str]) -> None:
    assert [found.code for found in lint(Policy(**options))] == expected


@pytest.mark.parametrize("options", HEALTHY, ids=str)
def test_a_healthy_policy_has_no_findings(options: dict[str, Any]) -> None:
    assert lint(Policy(**options)) == ()


def test_the_table_has_as_many_healthy_policies_as_lints() -> None:
    assert len(HEALTHY) >= len(LINTS)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (
            {"allow_origin_regex": r"https://[a-z]+.example.com"},
            r'write r"https://[a-z]+\.example\.com"',
        ),
        (
            {"allow_origins": ["https://*.github.io"]},
            'write the hosts that are yours, such as "https://your-name.github.io"',
        ),
    ],
)
def test_the_hint_has_what_to_write(options: dict[str, Any], hint: str) -> None:
    assert [found.hint for found in lint(Policy(**options))] == [hint]


def test_the_corrected_regex_is_a_policy_without_findings() -> None:
    (found,) = lint(Policy(allow_origin_regex=r"https://(a|b).example.com(:\d+)?"))
    regex = re.fullmatch(r'write r"(.*)"', found.hint)
    assert regex is not None
    assert regex[1] == r"https://(a|b)\.example\.com(:\d+)?"
    assert lint(Policy(allow_origin_regex=regex[1])) == ()


def test_findings_of_a_map_say_where() -> None:
    old = Policy(allow_origins=[APP], max_age=86400)
    found = lint(PolicyMap({"/api/*": old, "/open": None}, default=old))
    assert [one.place for one in found] == ["/api/*: max_age", "default: max_age"]


def test_a_map_and_a_reference_in_a_module_are_checked() -> None:
    write(
        "main.py",
        "from corscore import Policy, PolicyMap, PolicyRef\n"
        f"old = Policy(allow_origins=['{APP}'], max_age=86400)\n"
        "policies = PolicyMap({'/api/*': old})\n"
        "ref = PolicyRef(policies)\n",
    )
    for name in ("policies", "ref"):
        (finding,) = run_json("check", f"main:{name}", exit_code=1)["findings"]
        assert finding["code"] == "max-age-above-browsers"


# --- findings beside problems: all at once

BESIDE: list[tuple[str, list[str], list[str]]] = [
    (
        f'allow_origins = ["{APP}/", "http://localhost:3000"]',
        ["origin-trailing-slash"],
        ["localhost-in-production"],
    ),
    (
        f'allow_origins = ["{APP}"]\nallow_methods = ["patch"]\nmax_age = 86400',
        ["method-case"],
        ["max-age-above-browsers"],
    ),
    (
        'allow_origin_regex = "https://[a-z]+.example.com"\nmax_age = "x"',
        ["max-age-invalid"],
        ["regex-unescaped-dot"],
    ),
    # A value of a repair is no finding.
    (f'allow_origins = ["{APP}"]\nmax_age = 86401', ["max-age-out-of-range"], []),
    # A repair makes the two items equal, which the user did not write twice.
    (f'allow_origins = ["{APP}/", "{APP}"]', ["origin-trailing-slash"], []),
    (
        'allow_origins = ["https://app.example.com/", "https://*.example.com"]',
        ["origin-trailing-slash"],
        [],
    ),
    (f'allow_origins = ["{APP}", "https://api.example.com", "{APP}"]', [], ["origin-shadowed"]),
    (f'allow_origins = "{APP}, {APP}"', [], ["origin-shadowed"]),
]


@pytest.mark.parametrize(("text", "problems", "findings"), BESIDE, ids=[row[0] for row in BESIDE])
def test_findings_are_reported_beside_problems(
    text: str, problems: list[str], findings: list[str]
) -> None:
    write("cors.toml", text)
    assert codes("cors.toml") == (problems, findings)


@pytest.mark.parametrize("value", [f" {APP}", f"{APP}\n", f"\t{APP}, {APP}:8443 "])
def test_white_space_around_a_variable_is_a_finding(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGINS", value)
    said = run_json("check", "env", exit_code=1)
    assert said["problems"] == []
    (finding,) = said["findings"]
    assert (finding["code"], finding["place"]) == ("origin-whitespace", "CORS_ALLOW_ORIGINS")
    assert finding["hint"] == f"write CORS_ALLOW_ORIGINS={value.strip()}"


@pytest.mark.parametrize("value", [APP, f"{APP}, {APP}:8443"])
def test_white_space_inside_of_a_variable_is_no_finding(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGINS", value)
    assert run_json("check", "env", exit_code=0) == {"problems": [], "findings": []}


def test_findings_beside_problems_in_the_environment_name_their_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (
        ("ALLOW_ORIGINS", f"{APP},http://localhost"),
        ("ALLOW_METHODS", "patch"),
        ("ALLOW_CREDENTIALS", "true"),
        ("MAX_AGE", "86400"),
    ):
        monkeypatch.setenv(f"X_{name}", value)
    said = run_json("check", "--env", "X_", exit_code=1)
    assert [one["code"] for one in said["problems"]] == ["method-case"]
    assert [(one["code"], one["place"]) for one in said["findings"]] == [
        ("localhost-in-production", "X_ALLOW_ORIGINS"),
        ("max-age-above-browsers", "X_MAX_AGE"),
    ]


# --- places

TOML = """\
# who may read
allow_origins = [
  "https://app.example.com/",  # this one
  'https://API.example.com',
  "http://localhost:3000",
]
"CORS_ALLOW_METHODS" = ["patch"]
max_age = -1
"""


def test_problems_and_findings_in_a_file_have_their_lines() -> None:
    write("conf/cors.toml", TOML)
    said = run_json("check", "conf/cors.toml", exit_code=1)
    assert [(one["code"], one["field"], one["place"]) for one in said["problems"]] == [
        ("origin-trailing-slash", "allow_origins", "conf/cors.toml:3"),
        ("origin-uppercase", "allow_origins", "conf/cors.toml:4"),
        ("method-case", "CORS_ALLOW_METHODS", "conf/cors.toml:7"),
        ("max-age-out-of-range", "max_age", "conf/cors.toml:8"),
    ]
    assert said["problems"][0]["value"] == "https://app.example.com/"
    assert [(one["code"], one["place"]) for one in said["findings"]] == [
        ("localhost-in-production", "conf/cors.toml:5")
    ]


def test_findings_alone_in_a_file_have_their_lines() -> None:
    write(
        "cors.toml",
        f'allow_origins = [\n  "{APP}",\n  "http://localhost:3000",\n]\nmax_age = 9999\n',
    )
    said = run_json("check", "cors.toml", exit_code=1)
    assert [(one["code"], one["place"]) for one in said["findings"]] == [
        ("localhost-in-production", "cors.toml:3"),
        ("max-age-above-browsers", "cors.toml:5"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("allow_origins = [", "is not TOML"),
        ("\ufeffx", "is not TOML"),
    ],
)
def test_a_file_that_is_no_toml_is_a_problem(text: str, says: str) -> None:
    write("cors.toml", text)
    (problem,) = run_json("check", "cors.toml", exit_code=1)["problems"]
    assert problem["code"] == "file-unreadable"
    assert says in problem["message"]


def test_a_file_outside_of_the_folder_has_its_full_path(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("other") / "cors.toml"
    path.write_text('allow_origins = ["https://app.example.com/"]\n')
    (problem,) = run_json("check", str(path), exit_code=1)["problems"]
    assert problem["place"] == f"{path}:1"


def test_findings_in_a_module_have_their_lines() -> None:
    write(
        "main.py",
        "from corscore import Policy\n"
        "policy = Policy(\n"
        "    allow_origins=[\n"
        "        'https://app.example.com',\n"
        "        'http://localhost:3000',\n"
        "    ],\n"
        "    max_age=86400,\n"
        ")\n",
    )
    said = run_json("check", "main:policy", exit_code=1)
    assert [one["place"] for one in said["findings"]] == ["main.py:5", "main.py:7"]


# --- applications

BOTH = f"options = dict(allow_origins=['{APP}'])\n"
# Applications of unknown frameworks: the protocol, and the line that makes `inner`.
OTHER_APPS = {
    "a function of WSGI": ("wsgi", "def inner(environ, start_response): return []\n"),
    "a function of ASGI": ("asgi", "async def inner(scope, receive, send): pass\n"),
    "an object of ASGI": (
        "asgi",
        "class App:\n    async def __call__(self, scope, receive, send): pass\ninner = App()\n",
    ),
    "a partial": (
        "wsgi",
        (
            "from functools import partial\ndef app(config, environ, start_response): return []\n"
            "inner = partial(app, {})\n"
        ),
    ),
    "Bottle": ("wsgi", "from bottle import Bottle\ninner = Bottle()\n"),
    "Falcon": ("wsgi", "import falcon\ninner = falcon.App()\n"),
    "Falcon's ASGI": ("asgi", "import falcon.asgi\ninner = falcon.asgi.App()\n"),
    "Litestar": ("asgi", "from litestar import Litestar\ninner = Litestar()\n"),
    "Channels": (
        "asgi",
        (
            "from channels.routing import ProtocolTypeRouter\n"
            "async def http(scope, receive, send): pass\n"
            "inner = ProtocolTypeRouter({'http': http})\n"
        ),
    ),
}
APPS: list[tuple[str, str, list[str], list[str]]] = [
    (
        "replaced",
        (
            f"from fastapi import FastAPI\n{OURS}\n{BOTH}app = FastAPI()\n"
            "app.add_middleware(CORSMiddleware, **options)\napp = FastAPI()\n"
        ),
        [],
        ["app-without-cors"],
    ),
    (
        "wrapped, but the inner one is served",
        (
            "from fastapi import FastAPI\nfrom corscore_asgi import CORSMiddleware\n"
            f"{BOTH}app = FastAPI()\nserved = CORSMiddleware(app, **options)\n"
        ),
        [],
        ["app-without-cors"],
    ),
    (
        "two, ours and Starlette's",
        (
            f"from fastapi import FastAPI\n{OURS} as Ours\n{THEIRS}\n{BOTH}app = FastAPI()\n"
            "app.add_middleware(Ours, **options)\napp.add_middleware(CORSMiddleware, **options)\n"
        ),
        [],
        ["two-cors-layers"],
    ),
    (
        "install and add_middleware",
        (
            f"from fastapi import FastAPI\nfrom corscore_starlette import install\n{THEIRS}\n{BOTH}"
            "app = FastAPI()\napp.add_middleware(CORSMiddleware, **options)\n"
            "install(app, **options)\n"
        ),
        [],
        ["two-cors-layers"],
    ),
    (
        "around and inside",
        (
            "from fastapi import FastAPI\nfrom corscore_asgi import CORSMiddleware\n"
            f"{OURS} as Inner\n"
            f"{BOTH}inner = FastAPI()\ninner.add_middleware(Inner, **options)\n"
            "app = CORSMiddleware(inner, **options)\n"
        ),
        [],
        ["two-cors-layers"],
    ),
    (
        "mounted below another",
        (
            f"from fastapi import FastAPI\n{OURS}\n{BOTH}app = FastAPI()\nsub = FastAPI()\n"
            "for one in (app, sub):\n    one.add_middleware(CORSMiddleware, **options)\n"
            "app.mount('/v1', sub)\n"
        ),
        [],
        ["two-cors-layers"],
    ),
    (
        "flask-cors and ours",
        (
            "from flask import Flask\nimport flask_cors, corscore_flask\napp = Flask('x')\n"
            f"flask_cors.CORS(app, origins=['{APP}'])\n"
            f"corscore_flask.CORS(app, origins=['{APP}'])\n"
        ),
        [],
        ["two-cors-layers"],
    ),
    *(
        (f"{name}, without", f"{source}app = inner\n", [], ["app-without-cors"])
        for name, (_, source) in OTHER_APPS.items()
    ),
    ("Flask without", "from flask import Flask\napp = Flask('x')\n", [], ["app-without-cors"]),
    (
        "flask-cors, trailing slash",
        (
            "from flask import Flask\nimport flask_cors\napp = Flask('x')\n"
            f"flask_cors.CORS(app, origins=['{APP}/'])\n"
        ),
        ["origin-trailing-slash"],
        [],
    ),
    (
        "flask-cors, a regex without its end",
        (
            "from flask import Flask\nimport flask_cors\napp = Flask('x')\n"
            "flask_cors.CORS(app, origins=[r'https://.*\\.example\\.com'])\n"
        ),
        [],
        ["look-alike-allowed"],
    ),
    (
        "flask-cors, * with credentials",
        (
            "from flask import Flask\nimport flask_cors\napp = Flask('x')\n"
            "flask_cors.CORS(app, supports_credentials=True)\n"
        ),
        ["wildcard-with-credentials"],
        [],
    ),
    (
        "ours on Flask, refused when it is built",
        (
            "from flask import Flask\nfrom corscore_flask import CORS\napp = Flask('x')\n"
            f"CORS(app, origins=['{APP}/'])\n"
        ),
        ["origin-trailing-slash"],
        [],
    ),
    (
        "Starlette's, built by hand",
        (
            f"from starlette.applications import Starlette\n{THEIRS}\n"
            f"app = CORSMiddleware(Starlette(), allow_origins=['{APP}/'], allow_credentials=True,\n"
            "    expose_headers=['X-Total'], max_age=60, allow_origin_regex='https://x')\n"
        ),
        ["origin-trailing-slash"],
        [],
    ),
    (
        "ours, built by hand",
        (
            f"from starlette.applications import Starlette\n{OURS}\n"
            f"app = CORSMiddleware(Starlette(), allow_origins=['{APP}/'])\n"
        ),
        ["origin-trailing-slash"],
        [],
    ),
]
HEALTHY_APPS = {
    "flask-cors on a view": "from flask import Flask\nfrom flask_cors import cross_origin\n"
    "app = Flask('x')\n@app.route('/')\n@cross_origin()\ndef view(): return 'x'\n",
    "flask-cors, a regex with its end": "from flask import Flask\nimport flask_cors\n"
    "app = Flask('x')\nflask_cors.CORS(app, origins=[r'^https://.*\\.example\\.com$'])\n",
    "FastAPI": f"from fastapi import FastAPI\n{OURS}\n{BOTH}app = FastAPI()\n"
    "app.add_middleware(CORSMiddleware, **options)\n",
    "install": "from fastapi import FastAPI\nfrom corscore_starlette import install\n"
    f"{BOTH}app = FastAPI()\ninstall(app, **options)\n",
    "ASGI": "from fastapi import FastAPI\nfrom corscore_asgi import CORSMiddleware\n"
    f"{BOTH}inner = FastAPI()\napp = CORSMiddleware(inner, **options)\n",
    "Starlette's": f"from fastapi import FastAPI\n{THEIRS}\n{BOTH}app = FastAPI()\n"
    "app.add_middleware(CORSMiddleware, **options)\n",
    "mounted": f"from fastapi import FastAPI\n{OURS}\n{BOTH}app = FastAPI()\nsub = FastAPI()\n"
    "sub.add_middleware(CORSMiddleware, **options)\napp.mount('/v1', sub)\n",
    "Flask": f"from flask import Flask\nfrom corscore_flask import CORS\napp = Flask('x')\n"
    f"CORS(app, origins=['{APP}'])\n",
    "flask-cors": f"from flask import Flask\nfrom flask_cors import CORS\napp = Flask('x')\n"
    f"CORS(app, origins=['{APP}'])\n",
    "WSGI": f"from corscore_wsgi import CORSMiddleware\n{BOTH}"
    "def inner(environ, start_response): return []\napp = CORSMiddleware(inner, **options)\n",
    "around Flask's wsgi_app": "from flask import Flask\nfrom corscore_wsgi import CORSMiddleware\n"
    f"{BOTH}app = Flask('x')\napp.wsgi_app = CORSMiddleware(app.wsgi_app, **options)\n",
    **{
        f"around {name}": f"{source}from corscore_{protocol} import CORSMiddleware\n{BOTH}"
        "app = CORSMiddleware(inner, **options)\n"
        for name, (protocol, source) in OTHER_APPS.items()
    },
    "inside of Channels": "from channels.routing import ProtocolTypeRouter\n"
    f"from corscore_asgi import CORSMiddleware\n{BOTH}async def http(scope, receive, send): pass\n"
    "app = ProtocolTypeRouter({'http': CORSMiddleware(http, **options)})\n",
    "a dispatcher": "from flask import Flask\nfrom corscore_flask import CORS\n"
    "from werkzeug.middleware.dispatcher import DispatcherMiddleware\none = Flask('one')\n"
    f"CORS(one, origins=['{APP}'])\napp = DispatcherMiddleware(Flask('two'), {{'/one': one}})\n",
}


@pytest.mark.parametrize(
    ("source", "problems", "findings"), [row[1:] for row in APPS], ids=[row[0] for row in APPS]
)
def test_problems_and_findings_of_an_app_are_reported(
    source: str, problems: list[str], findings: list[str]
) -> None:
    write("main.py", source)
    assert codes("main:app") == (problems, findings)


@pytest.mark.parametrize("name", OTHER_APPS)
def test_the_hint_of_an_application_without_cors_names_the_middleware(name: str) -> None:
    protocol, source = OTHER_APPS[name]
    write("main.py", source)
    (found,) = run_json("check", "main:inner")["findings"]
    assert f"corscore_{protocol}.CORSMiddleware(inner, allow_origins=" in found["hint"]
    said = run("explain", "main:inner", "--origin", APP)
    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr == "Error: main:inner has no layer of CORS; run: corscore check main:inner\n"


@pytest.mark.parametrize("name", OTHER_APPS)
def test_a_layer_around_any_application_is_explained(name: str) -> None:
    protocol, source = OTHER_APPS[name]
    write(
        "main.py",
        f"{source}from corscore_{protocol} import CORSMiddleware\n"
        f"app = CORSMiddleware(inner, allow_origins=['{APP}'])\n",
    )
    assert run_json("explain", "main:app", "--origin", APP, exit_code=0)["allowed"]
    assert not run_json("explain", "main:app", "--origin", "https://x.test", exit_code=1)["allowed"]


@pytest.mark.parametrize("source", HEALTHY_APPS.values(), ids=HEALTHY_APPS)
def test_a_healthy_app_has_no_problem_and_no_finding(source: str) -> None:
    write("main.py", source)
    assert codes("main:app") == ([], [])


@pytest.mark.parametrize(
    ("line", "call", "says"),
    [
        (OURS, "app.add_middleware(CORSMiddleware, policy=1)", "a Policy was expected, not int"),
        (THEIRS, "app.add_middleware(CORSMiddleware, orgins=[])", "'orgins'"),
        (OURS, "app = CORSMiddleware(app, policy=1)", "a Policy was expected, not int"),
        (OURS, "app.add_middleware(CORSMiddleware, orgins=[])", None),
    ],
)
def test_arguments_that_no_middleware_takes_are_reported(
    line: str, call: str, says: str | None
) -> None:
    write("main.py", f"from fastapi import FastAPI\n{line}\napp = FastAPI()\nother = app\n{call}\n")
    result = run("check", "main:app")
    if says is None:
        assert "option-unknown" in result.stdout
        return
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert says in result.stderr


def test_the_hint_of_an_app_without_cors_names_the_object_that_has_it() -> None:
    write("main.py", APPS[1][1])
    (finding,) = run_json("check", "main:app")["findings"]
    assert finding["hint"].startswith("serve main:served, which has one")
    assert codes("main:served") == ([], [])


def test_other_objects_of_a_module_are_left_alone() -> None:
    write(
        "main.py",
        "from unittest.mock import MagicMock\nfrom flask import Flask, current_app, g, request\n"
        "app = Flask('x')\nmock = MagicMock()\ndef __getattr__(name): 1 / 0\n",
    )
    assert codes("main:app") == ([], ["app-without-cors"])
    for name in ("mock", "request", "nothing"):
        result = run("check", f"main:{name}")
        assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)


def test_a_factory_is_called_with_the_option_factory() -> None:
    source = HEALTHY_APPS["FastAPI"].replace("app = FastAPI()", "def make():\n  app = FastAPI()")
    write("main.py", source.replace("app.add", "  app.add") + "  return app\nnothing = None\n")
    assert codes("main:make", "--factory") == ([], [])
    assert codes("main:make()") == ([], [])
    result = run("check", "main:make")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: main:make is a function; if it makes the app, add --factory\n",
    )
    assert run("check", "main:nothing", "--factory").exit_code == 2


def test_app_dir_is_searched_for_one_target_only() -> None:
    write("src/main.py", HEALTHY_APPS["FastAPI"])
    assert codes("main:app", "--app-dir", "src") == ([], [])
    # The next target does not find it.
    assert run("check", "main:app").exit_code == 2


def test_a_problem_in_a_package_has_the_file_that_raised_it() -> None:
    write("shop/__init__.py", "")
    write("shop/web/__init__.py", "")
    write("shop/web/main.py", f"from shop.cors import policy as found\n{HEALTHY_APPS['FastAPI']}")
    write(
        "shop/cors.py", f"from corscore import Policy\npolicy = Policy(allow_origins=['{APP}/'])\n"
    )
    (problem,) = run_json("check", "shop.web.main:app", exit_code=1)["problems"]
    assert (problem["code"], problem["place"]) == ("origin-trailing-slash", "shop/cors.py:2")


# --- Django

SETTINGS = """\
SECRET_KEY = "x"
INSTALLED_APPS = ["corscore_django"]
MIDDLEWARE = ["corscore_django.middleware.CorsMiddleware"]
ROOT_URLCONF = "mysite.settings"
urlpatterns = []
"""
DJANGO: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("healthy", f"CORS_ALLOWED_ORIGINS = ['{APP}']\n", []),
    (
        "a trailing slash",
        f"CORS_ALLOWED_ORIGINS = [\n    '{APP}/',\n]\n",
        [("origin-trailing-slash", "mysite/settings.py:7")],
    ),
    ("nothing", "", [("origins-missing", "CORS_ALLOWED_ORIGINS")]),
    (
        "a finding",
        f"CORS_ALLOWED_ORIGINS = ['{APP}', 'http://localhost:3000']\n",
        [("localhost-in-production", "mysite/settings.py:6")],
    ),
    (
        "* with credentials",
        "CORS_ALLOW_ALL_ORIGINS = True\nCORS_ALLOW_CREDENTIALS = True\n",
        [("wildcard-with-credentials", "mysite/settings.py:6")],
    ),
    (
        "a max age in the settings",
        f"CORS_ALLOWED_ORIGINS = ['{APP}']\nCORS_PREFLIGHT_MAX_AGE = 86400\n",
        [("max-age-above-browsers", "mysite/settings.py:7")],
    ),
    (
        "not outermost",
        (
            f"CORS_ALLOWED_ORIGINS = ['{APP}']\n"
            "MIDDLEWARE = ['django.middleware.common.CommonMiddleware', *MIDDLEWARE]\n"
        ),
        [("cors-not-outermost", "mysite/settings.py:3")],
    ),
    (
        "two layers",
        (
            f"CORS_ALLOWED_ORIGINS = ['{APP}']\n"
            "MIDDLEWARE = [*MIDDLEWARE, 'corsheaders.middleware.CorsMiddleware']\n"
        ),
        [("two-cors-layers", "mysite/settings.py:3")],
    ),
    (
        "settings without the middleware",
        f"CORS_ALLOWED_ORIGINS = ['{APP}']\nMIDDLEWARE = []\n",
        [("app-without-cors", "mysite/settings.py:3")],
    ),
    ("no CORS at all", "MIDDLEWARE = []\n", [("app-without-cors", "mysite/settings.py:3")]),
    (
        "a misspelt setting",
        f"CORS_ALLOWED_ORIGINS = ['{APP}']\nCORS_ALLOW_CREDENTAILS = True\n",
        [("option-unknown", "mysite/settings.py:7")],
    ),
    (
        "django-cors-headers, healthy",
        (
            f"CORS_ALLOWED_ORIGINS = ['{APP}']\n"
            "MIDDLEWARE = ['corsheaders.middleware.CorsMiddleware']\n"
        ),
        [],
    ),
    (
        "django-cors-headers, not outermost",
        (
            f"CORS_ALLOWED_ORIGINS = ['{APP}']\n"
            "MIDDLEWARE = ['django.middleware.security.SecurityMiddleware',\n"
            "    'django.middleware.common.CommonMiddleware',\n"
            "    'corsheaders.middleware.CorsMiddleware']\n"
        ),
        [("cors-not-outermost", "mysite/settings.py:3")],
    ),
    (
        "django-cors-headers, below what never answers",
        (
            f"CORS_ALLOWED_ORIGINS = ['{APP}']\n"
            "MIDDLEWARE = ['django.middleware.security.SecurityMiddleware',\n"
            "    'corsheaders.middleware.CorsMiddleware']\n"
        ),
        [],
    ),
    (
        "django-cors-headers, a regex without its end",
        (
            "CORS_ALLOWED_ORIGIN_REGEXES = [r'^https://\\w+\\.example\\.com']\n"
            "MIDDLEWARE = ['corsheaders.middleware.CorsMiddleware']\n"
        ),
        [("look-alike-allowed", "mysite/settings.py:6")],
    ),
    (
        "a policy that cannot be built",
        f"from corscore import Policy\nCORS_POLICY = Policy(allow_origins=['{APP}/'])\n",
        [("origin-trailing-slash", "mysite/settings.py:7")],
    ),
]


EACH_DJANGO = pytest.mark.parametrize(
    ("settings", "expected"), [row[1:] for row in DJANGO], ids=[row[0] for row in DJANGO]
)


def told(said: Any) -> list[tuple[str, str]]:
    return [(one["code"], one["place"]) for one in (*said["problems"], *said["findings"])]


@EACH_DJANGO
def test_problems_and_findings_of_django_settings_are_reported(
    settings: str, expected: list[tuple[str, str]]
) -> None:
    # The tests have configured Django, so the settings are overridden.
    import django_project  # noqa: F401

    write("mysite/__init__.py", "")
    write("mysite/settings.py", SETTINGS + settings)
    assert told(run_json("check", "mysite.settings", exit_code=bool(expected))) == expected


@pytest.mark.parametrize(
    ("settings", "expected"), [row[1:] for row in DJANGO[:4]], ids=[row[0] for row in DJANGO[:4]]
)
def test_django_settings_are_checked_in_another_process_alike(
    folder: Path, settings: str, expected: list[tuple[str, str]]
) -> None:
    write("mysite/__init__.py", "")
    write("mysite/settings.py", SETTINGS + settings)
    done = run_process("check", "mysite.settings", "--json", folder=folder)
    assert done.stdout, done.stderr
    assert told(json.loads(done.stdout)) == expected
    assert done.returncode == bool(expected)


DJANGO_MISTAKES = [
    (
        (
            f"from corscore import Policy\nCORS_POLICY = Policy(allow_origins=['{APP}'])\n"
            "CORS_ALLOW_CREDENTIALS = True\n"
        ),
        "mysite.settings: TypeError: CORS_POLICY and other settings",
    ),
    ("1 / 0\n", "mysite.settings cannot be imported: ZeroDivisionError"),
]


@pytest.mark.parametrize(("settings", "says"), DJANGO_MISTAKES)
def test_a_mistake_in_django_settings_is_one_line_and_2(settings: str, says: str) -> None:
    import django_project  # noqa: F401

    write("mysite/__init__.py", "")
    write("mysite/settings.py", SETTINGS + settings)
    result = run("check", "mysite.settings")
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_project_that_cannot_be_set_up_is_a_mistake(folder: Path) -> None:
    write("mysite/__init__.py", "")
    write("mysite/settings.py", SETTINGS + "INSTALLED_APPS = ['nowhere']\n")
    done = run_process("check", "mysite.settings", folder=folder)
    assert done.returncode == 2
    assert done.stderr == (
        "Error: mysite.settings: the project cannot be set up: ModuleNotFoundError: No module "
        "named 'nowhere'\n"
    )


def test_django_that_is_not_installed_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "django", None)
    result = run("check", "mysite.settings")
    assert (result.exit_code, result.stderr) == (
        2,
        (
            "Error: mysite.settings would be a Django settings module, but the package django is "
            'not installed; run: pip install "corscore[cli,django]"\n'
        ),
    )


def test_the_default_target_is_the_module_of_django_settings_module(folder: Path) -> None:
    write("mysite/__init__.py", "")
    write("mysite/settings.py", SETTINGS + f"CORS_ALLOWED_ORIGINS = ['{APP}/']\n")
    done = run_process("check", folder=folder, DJANGO_SETTINGS_MODULE="mysite.settings")
    assert done.returncode == 1
    assert done.stdout.startswith("mysite/settings.py:6: error origin-trailing-slash")


def test_a_handler_of_django_is_checked_by_its_settings(folder: Path) -> None:
    write("mysite/__init__.py", "")
    write("mysite/settings.py", SETTINGS + f"CORS_ALLOWED_ORIGINS = ['{APP}']\n")
    write(
        "mysite/wsgi.py",
        "import os\nfrom django.core.wsgi import get_wsgi_application\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'\n"
        "application = get_wsgi_application()\n",
    )
    done = run_process("check", "mysite.wsgi:application", folder=folder)
    assert (done.returncode, done.stdout) == (0, "mysite.wsgi:application: nothing is wrong.\n")


def test_a_handler_of_the_configured_project_is_checked_by_its_settings() -> None:
    import django_project

    write("serves.py", "from django.core.wsgi import WSGIHandler\napp = WSGIHandler()\n")
    with django_project.project(CORS_ALLOWED_ORIGINS=[f"{APP}/"], MIDDLEWARE=[django_project.OURS]):
        assert codes("serves:app") == (["origin-trailing-slash"], [])


# --- mistakes: one line, and no traceback

MISTAKES: list[tuple[str, str, str]] = [
    ("nope:app", "", "Error: there is no module nope; run corscore where"),
    ("nope", "", "Error: there is no module nope; run corscore where"),
    ("main:nope", "app = 1\n", "Error: there is no nope in main\n"),
    ("main:aap", "app = 1\n", "Error: there is no aap in main; did you mean main:app?\n"),
    (
        "main:app",
        "1 / 0\n",
        "Error: main cannot be imported: ZeroDivisionError: division by zero (main.py, line 1)\n",
    ),
    (
        "main:app",
        "\n\nx = (\n",
        "Error: main cannot be imported: SyntaxError: '(' was never closed (main.py, line 3)",
    ),
    (
        "main:app",
        "import nowhere\n",
        "Error: main cannot be imported: ModuleNotFoundError: No module named 'nowhere' (main.py, ",
    ),
    (
        "main:app",
        "raise SystemExit('bye')\n",
        "Error: main cannot be imported: SystemExit: bye (main.py, line 1)\n",
    ),
    ("main:app", "app = 1\n", "Error: main:app is a int: neither a policy nor an app"),
    ("main:app", "class app: pass\n", "Error: main:app is a type: neither a policy nor an app"),
    ("main:app", "def app(config): pass\n", "Error: main:app is a function; if it makes the app"),
    ("main:app", "def app(*args): pass\n", "Error: main:app is a function; if it makes the app"),
    ("main:app", "app = print\n", "Error: main:app is a builtin_function_or_method: neither"),
    ("main:app", "app = {}\n", "Error: main:app is a dict; write Policy(**app)\n"),
    (
        "main:app()",
        "def app(): 1 / 0\n",
        "Error: main:app() fails: ZeroDivisionError: division by zero (main.py, line 1)\n",
    ),
    ("main:app()", "app = 1\n", "Error: main:app() is no factory: a int cannot be called\n"),
    ("main.py", "app = 1\n", "Error: main.py is Python: name an object in it, such as main:app\n"),
    (
        "main",
        "app = 1\n",
        "Error: main is no Django settings module: it has no settings; for an object in it write ",
    ),
    ("nope.toml", "", "Error: there is no file nope.toml\n"),
    ("./nope", "", "Error: there is no file ./nope\n"),
    (
        "a b",
        "",
        "Error: 'a b' is no target: name cors.toml, main:policy, main:app, mysite.settings or ",
    ),
]


@pytest.mark.parametrize(
    ("target", "source", "says"), MISTAKES, ids=[row[2][:60] for row in MISTAKES]
)
def test_a_target_that_cannot_be_loaded_is_one_line_and_2(
    target: str, source: str, says: str
) -> None:
    write("main.py", source)
    result = run("check", target)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(says)
    assert len(result.stderr.splitlines()) == 1


def test_no_target_and_two_targets_are_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    assert run("check").stderr.startswith("Error: name a target: cors.toml, ")
    assert run("check", "a.toml", "--env", "X_").exit_code == 2
    assert run("check", "env", "--env", "X_").exit_code == 1


# --- forms


def test_ignored_codes_leave_findings_out_and_no_problems() -> None:
    write("cors.toml", f'allow_origins = ["{APP}", "http://localhost:3000"]\nmax_age = 9999\n')
    assert codes("cors.toml", "--ignore", "max-age-above-browsers") == (
        [],
        ["localhost-in-production"],
    )
    both = ("--ignore", "max-age-above-browsers", "--ignore", "localhost-in-production")
    assert run("check", "cors.toml", *both).exit_code == 0
    write("cors.toml", f'allow_origins = ["{APP}/"]\n')
    assert codes("cors.toml", "--ignore", "origin-trailing-slash") == (
        ["origin-trailing-slash"],
        [],
    )


def test_the_text_has_location_message_fix_page_and_counts() -> None:
    write("cors.toml", f'allow_origins = ["{APP}/"]\n')
    result = run("check", "cors.toml")
    assert result.exit_code == 1
    assert result.stdout == (
        "cors.toml:1: error origin-trailing-slash in allow_origins\n"
        '    "https://app.example.com/" ends in a slash, which an Origin never does.\n'
        '    Fix: write "https://app.example.com".\n'
        "    corscore code origin-trailing-slash\n"
        "\n"
        "cors.toml: 1 problem, 0 findings\n"
    )


def test_json_is_one_of_the_forms() -> None:
    write("cors.toml", f'allow_origins = ["{APP}/"]\n')
    assert (
        run("check", "cors.toml", "--format", "json").stdout
        == run("check", "cors.toml", "--json").stdout
    )


def test_annotations_of_github_have_file_line_and_escapes() -> None:
    write("a,b/100%.toml", f'allow_origins = [\n"{APP}/",\n"https://b%\\r.example"]\n')
    result = run("check", "a,b/100%.toml", "--format", "github")
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0] == (
        "::error file=a%2Cb/100%25.toml,line=2,title=origin-trailing-slash::"
        '"https://app.example.com/" ends in a slash, which an Origin never does.'
        '%0AFix: write "https://app.example.com".'
    )
    assert all(line.startswith("::error file=a%2Cb/100%25.toml,line=") for line in lines)
    assert "\r" not in result.stdout


def test_annotations_without_a_file_begin_with_their_location(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("X_ALLOW_ORIGINS", f"{APP},http://localhost")
    assert run("check", "--env", "X_", "--format", "github").stdout.startswith(
        "::warning title=localhost-in-production::X_ALLOW_ORIGINS: "
    )


def test_sarif_has_rules_results_and_locations() -> None:
    write(
        "con f/cors.toml",
        f'allow_origins = [\n"{APP}/",\n"https://A.example", "https://B.example"]\n',
    )
    result = run("check", "con f/cors.toml", "--format", "sarif")
    assert result.exit_code == 1
    log = json.loads(result.stdout)
    assert (log["version"], log["$schema"]) == (
        "2.1.0",
        "https://json.schemastore.org/sarif-2.1.0.json",
    )
    (sarif,) = log["runs"]
    driver = sarif["tool"]["driver"]
    assert driver["name"] == "corscore"
    assert [rule["id"] for rule in driver["rules"]] == ["origin-trailing-slash", "origin-uppercase"]
    assert [
        (one["ruleId"], one["ruleIndex"], one["level"], one["locations"][0]["physicalLocation"])
        for one in sarif["results"]
    ] == [
        (
            code,
            index,
            "error",
            {"artifactLocation": {"uri": "con%20f/cors.toml"}, "region": {"startLine": line}},
        )
        for code, index, line in (
            ("origin-trailing-slash", 0, 2),
            ("origin-uppercase", 1, 3),
            ("origin-uppercase", 1, 3),
        )
    ]
    assert all(one["message"]["text"] for one in sarif["results"])


def test_sarif_without_a_file_has_logical_locations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_ALLOW_ORIGINS", f"{APP}/")
    (sarif,) = json.loads(run("check", "--env", "X_", "--format", "sarif").stdout)["runs"]
    location = {"logicalLocations": [{"name": "X_ALLOW_ORIGINS"}]}
    assert sarif["results"][0]["locations"] == [location]
    monkeypatch.setenv("X_ALLOW_ORIGINS", APP)
    result = run("check", "--env", "X_", "--format", "sarif")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["runs"][0]["results"] == []


def test_the_help_of_a_rule_is_an_address_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from corscore._standard import page

    monkeypatch.setattr(page, "_documentation", lambda: "https://docs.example")
    write("cors.toml", f'allow_origins = ["{APP}/"]\n')
    (sarif,) = json.loads(run("check", "cors.toml", "--format", "sarif").stdout)["runs"]
    (rule,) = sarif["tool"]["driver"]["rules"]
    assert rule["helpUri"] == "https://docs.example/docs/codes/origin-trailing-slash.html"


def test_sarif_of_a_problem_without_a_line_has_the_file_of_the_target() -> None:
    write(
        "main.py",
        f"from fastapi import FastAPI\n{OURS}\napp = FastAPI()\nSLASH = '/'\n"
        f"app.add_middleware(CORSMiddleware, allow_origins=['{APP}' + SLASH])\n"
        f"other = dict(allow_origins=['{APP}'])\n",
    )
    result = run("check", "main:app", "--format", "sarif")
    (found,) = json.loads(result.stdout)["runs"][0]["results"]
    (place,) = found["locations"]
    assert place["physicalLocation"] == {"artifactLocation": {"uri": "main.py"}}
    assert place["logicalLocations"] == [{"name": "allow_origins"}]
