"""``corscore explain``, ``check`` and ``diff`` know the policies of routes."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_runs import run, run_json, run_process

APP, OTHER = "https://app.example.com", "https://other.example"
TOP = f"from corscore import Policy, PolicyMap\npolicy = Policy(allow_origins=['{APP}'])\n"
ANY = "Policy(allow_origins=['*'])"
FASTAPI = (
    "from fastapi import APIRouter, FastAPI\n"
    "from corscore_starlette import CORSMiddleware, cors_policy, install\napp = FastAPI()\n"
)
VIEWS = (
    "@app.get('/open/{id}')\n@cors_policy(%s)\ndef opened(id): ...\n"
    "@app.get('/own')\ndef own(): ...\n"
)
FLASK = "from flask import Flask\nfrom corscore_flask import CORS, cross_origin\napp = Flask('x')\n"
FLASK_VIEWS = (
    "@app.get('/open/<id>')\n@cross_origin(%s)\ndef opened(id): ...\n"
    "@app.get('/own')\ndef own(): ...\n"
)
PROGRAMS = {
    "install": FASTAPI + "install(app, policy)\n" + VIEWS,
    "add_middleware": FASTAPI + "app.add_middleware(CORSMiddleware, policy=policy)\n" + VIEWS,
    "map": FASTAPI + "install(app, PolicyMap({'/*': policy}))\n" + VIEWS,
    "mounted": FASTAPI
    + "install(app, policy)\n"
    + VIEWS
    + "inner = app\napp = FastAPI()\napp.mount('/api', inner)\n",
    "flask": FLASK + "CORS(app, policy=policy)\n" + FLASK_VIEWS,
}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, kind: str, policy: str = ANY) -> str:
    Path(f"{name}.py").write_text(TOP + PROGRAMS[kind] % policy)
    return f"{name}:app"


@pytest.mark.parametrize("kind", PROGRAMS)
def test_explain_says_that_a_route_has_a_policy_of_its_own(kind: str) -> None:
    target = write(f"explained_{kind}", kind)
    mount = "/api" if kind == "mounted" else ""
    for path, method, is_own in (("/open/1", "GET", True), ("/own", "GET", False)):
        args = ("explain", target, "--origin", OTHER, "--path", mount + path, "--method", method)
        said = run_json(*args, exit_code=0 if is_own else 1)
        assert said["allowed"] is is_own, path
        place = said.get("policy") or ""
        assert place.startswith(f"the route of {method} {mount + path}") is is_own
    text = run("explain", target, "--origin", OTHER, "--path", f"{mount}/open/1").stdout
    assert "a route's own policy beats those of the application." in text


def test_explain_names_the_policy_of_a_routes_tuple() -> None:
    target = write("tuple_route", "install", f"(policy, {ANY})")
    said = run_json("explain", target, "--origin", OTHER, "--path", "/open/1")
    assert said["policy"] == "the route of GET /open/1, policy 2 of 2"
    assert 'policy 1 of 2 does not allow "https://other.example"' in said["because"]


def test_explain_of_a_route_that_is_left_alone_finds_no_headers() -> None:
    target = write("alone", "install", "None")
    said = run_json("explain", target, "--origin", APP, "--path", "/open/1", exit_code=1)
    assert said["reason"] == "no-allow-origin"


@pytest.mark.parametrize("kind", ["install", "add_middleware", "flask"])
def test_check_looks_at_the_policies_of_routes(kind: str) -> None:
    wrong = "Policy(allow_origins=['https://*.example.com', 'https://a.example.com'])"
    target = write(f"checked_{kind}", kind, wrong)
    said = run_json("check", target, exit_code=1)
    places = {one["place"].split(":")[0] for one in said["findings"]}
    name = "the view opened" if kind == "flask" else "the route /open/{id}"
    assert places == {name} or places == {"the endpoint opened"}, places


@pytest.mark.parametrize("kind", ["install", "add_middleware", "flask", "mounted"])
def test_diff_compares_the_policies_of_routes(kind: str) -> None:
    old = write(f"old_{kind}", kind)
    same = write(f"same_{kind}", kind)
    new = write(f"new_{kind}", kind, "Policy(allow_origins=['*'], allow_methods=['PUT'])")
    assert run("diff", old, same).exit_code == 0
    result = run("diff", old, new)
    assert result.exit_code == 1, result.output
    assert "+ method PUT" in result.stdout


def test_diff_compares_a_new_policy_of_a_route_with_that_of_the_application() -> None:
    Path("before.py").write_text(TOP + FASTAPI + "install(app, policy)\n")
    new = write("after", "install")
    said = run("diff", "before:app", new).stdout
    assert said.splitlines()[:2] == ["the endpoint opened", "  + origin *"]
    by_path = write("by_path", "map")
    Path("map_before.py").write_text(TOP + FASTAPI + "install(app, PolicyMap({'/*': policy}))\n")
    changed = run_json("diff", "map_before:app", by_path, exit_code=1)["changes"]
    assert [(one["item"], one["before"]) for one in changed] == [("policy", "by path")]


def test_policies_of_views_with_one_name_are_numbered() -> None:
    make = "def make(policy):\n    @cors_policy(policy)\n    def view(): ...\n    return view\n"
    added = "app.get('/{0}')(make(Policy(allow_origins=['https://{0}.example'])))\n"
    for name, last in (("two", "b"), ("three", "c")):
        program = TOP + FASTAPI + make + "install(app, policy)\n"
        Path(f"{name}.py").write_text(program + added.format("a") + added.format(last))
    said = run("diff", "two:app", "three:app").stdout
    assert said.splitlines()[:1] == ["the endpoint make.<locals>.view, number 2"]


DJANGO = f"""
SECRET_KEY = "x"
INSTALLED_APPS = ["corscore_django"]
MIDDLEWARE = ["corscore_django.middleware.CorsMiddleware"]
CORS_ALLOWED_ORIGINS = ["{APP}"]
CORS_URLS_REGEX = r"^/(open|own)"
ROOT_URLCONF = "site_urls"
"""
URLS = f"""
from corscore import Policy
from corscore_django import cors_policy
from django.http import HttpResponse
from django.urls import path

@cors_policy(get={ANY}, put=Policy(allow_origins=["{APP}"], allow_methods=["PUT"]))
def opened(request): return HttpResponse()

def own(request): return HttpResponse()

urlpatterns = [path("open/<int:id>", opened), path("own", own), path("free", own)]
"""


def test_explain_and_check_know_the_policies_of_views_of_django(tmp_path: Path) -> None:
    (tmp_path / "settings_routed.py").write_text(DJANGO)
    (tmp_path / "site_urls.py").write_text(URLS)

    def status(path: str, origin: str, *more: str) -> int:
        args = ("explain", "settings_routed", "--origin", origin, "--path", path, *more)
        return run_process(*args, folder=tmp_path).returncode

    assert status("/open/1", OTHER) == 0
    assert status("/own", OTHER) == 1
    assert status("/own", APP) == 0
    # CORS_URLS_REGEX leaves this path out.
    assert status("/free", APP) == 1
    assert status("/open/1", OTHER, "--method", "PUT") == 1
    assert run_process("check", "settings_routed", folder=tmp_path).returncode == 0
    (tmp_path / "site_urls.py").write_text("import no_such_module\n")
    for command in (("check", "settings_routed"), ("diff", "settings_routed", "settings_routed")):
        result = run_process(*command, folder=tmp_path)
        assert "its views are left out" in " ".join(result.stderr.split())
        assert "No difference" not in result.stdout
