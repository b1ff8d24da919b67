"""``corscore migrate``: the policy, what changes for browsers, and what was insecure."""

from __future__ import annotations

import importlib.util
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_runs import run, run_json, run_process
from corscore import Policy, PolicyMap
from corscore._config import options as policy_options
from corscore_cli.commands import migrate
from corscore_cli.migrate.python import adapter_source, policy_source
from corscore_cli.migrate.repairs import nearest_policy
from corscore_cli.targets.regex import sample

APP = "https://app.example.com"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def starlette(options: str) -> tuple[str, str]:
    Path("main.py").write_text(
        "import re\nfrom fastapi import FastAPI\n"
        "from fastapi.middleware.cors import CORSMiddleware\n"
        f"app = FastAPI()\napp.add_middleware(CORSMiddleware, {options})\n"
    )
    return "starlette", "main:app"


def flask(options: str) -> tuple[str, str]:
    Path("main.py").write_text(
        "import re\nfrom flask import Flask\nfrom flask_cors import CORS\n"
        f"app = Flask('x')\nCORS(app, {options})\n"
    )
    return "flask-cors", "main:app"


def policy_in(source: str) -> Any:
    """Return the policy that the printed Python makes."""
    names: dict[str, Any] = {}
    lines = [line for line in source.splitlines() if not line.startswith(("install(", "CORS("))]
    filled_in = "\n".join(lines).replace("allow_origins=[],", f"allow_origins=['{APP}'],")
    exec(compile(filled_in, "printed", "exec"), names)  # noqa: S102
    return names.get("policy", names.get("CORS_POLICY"))


def moved(library: str, target: str, *, exit_code: int) -> Any:
    said = run_json("migrate", "--from", library, target, exit_code=exit_code)
    assert said.keys() == {"policy", "replaces", "repairs", "changes", "insecure"}
    return said


CODES: list[tuple[Any, str, list[str], list[str]]] = [
    (starlette, f"allow_origins=['{APP}/']", ["origin-trailing-slash"], []),
    (
        starlette,
        "allow_origins=['*'], allow_credentials=True",
        ["wildcard-with-credentials"],
        ["reflects-any-origin", "null-allowed"],
    ),
    (
        starlette,
        "allow_origins=['http://app.example.com'], allow_credentials=True",
        ["insecure-origin-with-credentials"],
        ["insecure-origin-allowed"],
    ),
    (
        starlette,
        r"allow_origin_regex=r'https://[a-z]+.example\.com'",
        ["regex-unescaped-dot"],
        ["look-alike-allowed"],
    ),
    (
        starlette,
        "allow_origin_regex='https?://.*', allow_credentials=True",
        ["regex-matches-anything-with-credentials"],
        ["reflects-any-origin"],
    ),
    (
        starlette,
        "allow_origin_regex='.*'",
        [],
        ["reflects-any-origin", "null-allowed"],
    ),
    (starlette, f"allow_origins=['{APP}', 'null']", ["origin-null"], ["null-allowed"]),
    (
        flask,
        r"origins=[r'https://.*\.example\.com']",
        [],
        ["look-alike-allowed"],
    ),
    (
        flask,
        "supports_credentials=True",
        ["wildcard-with-credentials"],
        ["reflects-any-origin", "null-allowed"],
    ),
    (flask, f"origins=['{APP}/']", ["origin-trailing-slash"], []),
]


def shown(value: object) -> str:
    """Return a parameter as a name that is the same in every process."""
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize(("make", "options", "repairs", "insecure"), CODES, ids=shown)
def test_insecure_options_are_reported_and_refused_values_repaired(
    make: Any, options: str, repairs: list[str], insecure: list[str]
) -> None:
    said = moved(*make(options), exit_code=1)
    assert [one["code"] for one in said["repairs"]] == repairs
    assert [one["code"] for one in said["insecure"]] == insecure
    assert isinstance(policy_in(said["policy"]), Policy)
    for one in said["insecure"]:
        assert one["message"]
        assert one["hint"]


SAME: list[tuple[Any, str, Policy]] = [
    (
        starlette,
        f"allow_origins=['{APP}'], allow_methods=['GET', 'HEAD', 'POST', 'PUT']",
        Policy(allow_origins=[APP], allow_methods=["GET", "HEAD", "POST", "PUT"]),
    ),
    (
        starlette,
        (
            f"allow_origins=['{APP}'], allow_methods=['GET', 'HEAD', 'POST'], "
            "allow_credentials=True, allow_headers=['X-One'], expose_headers=['X-Total'], max_age=5"
        ),
        Policy(
            allow_origins=[APP],
            allow_methods=["GET", "HEAD", "POST"],
            allow_credentials=True,
            allow_headers=["X-One"],
            expose_headers=["X-Total"],
            max_age=5,
        ),
    ),
    (
        starlette,
        (
            r"allow_origin_regex=re.compile(r'https://[a-z]+\.example\.com', re.I), "
            "allow_methods=['GET', 'HEAD', 'POST']"
        ),
        Policy(
            allow_origin_regex=re.compile(r"https://[a-z]+\.example\.com", re.IGNORECASE),
            allow_methods=["GET", "HEAD", "POST"],
        ),
    ),
    (
        flask,
        f"origins=['{APP}'], expose_headers='X-Total', max_age=60",
        Policy(
            allow_origins=[APP],
            allow_methods=["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],
            allow_headers=["*"],
            expose_headers=["X-Total"],
            max_age=60,
        ),
    ),
]


@pytest.mark.parametrize(("make", "options", "policy"), SAME, ids=shown)
def test_a_sound_configuration_changes_nothing(make: Any, options: str, policy: Policy) -> None:
    library, target = make(options)
    said = moved(library, target, exit_code=0)
    assert (said["repairs"], said["changes"], said["insecure"]) == ([], [], [])
    assert policy_in(said["policy"]) == policy
    result = run("migrate", "--from", library, target)
    assert result.exit_code == 0
    assert result.stdout.startswith("Nothing changes for browsers.\n\nRemove\n")


def test_every_change_for_browsers_is_listed() -> None:
    said = moved(*starlette(f"allow_origins=['{APP}', 'https://*.example.org']"), exit_code=1)
    assert said["changes"] == [
        {
            "what": "a page of https://a.example.org, without credentials",
            "before": "refused: no-allow-origin",
            "after": "readable",
        },
        {
            "what": "a page of https://sub.a.example.org, without credentials",
            "before": "refused: no-allow-origin",
            "after": "readable",
        },
        *(
            {
                "what": f"the method {method}, after a preflight",
                "before": "refused: preflight-not-ok",
                "after": "readable",
            }
            for method in ("HEAD", "POST")
        ),
    ]


def test_the_text_begins_with_the_verdict_and_has_its_sections_in_order() -> None:
    library, target = starlette(
        f"allow_origins=['{APP}/'], allow_methods=['GET', 'HEAD', 'POST'], "
        r"allow_origin_regex=r'https://[a-z]+.example\.org'"
    )
    result = run("migrate", "--from", library, target)
    assert result.exit_code == 1
    assert result.stdout.startswith("Browsers will notice: 3 differences. 1 thing was insecure.\n")
    titles = [
        "Remove",
        "main.py:3:",
        "main.py:5:",
        "Write",
        "from corscore import Policy",
        "install(app, policy)",
        "What was insecure",
        "What corscore refuses, and the new value",
        "What changes for browsers",
    ]
    places = [result.stdout.index(title) for title in titles]
    assert places == sorted(places)
    assert "- look-alike-allowed: " in result.stdout
    assert f'- origin-trailing-slash: "{APP}/" ends in a slash' in result.stdout
    assert (
        f"- a page of {APP}, without credentials: refused: no-allow-origin -> readable"
        in result.stdout
    )
    assert not any(line.endswith(" ") for line in result.stdout.splitlines())


def test_resources_of_flask_cors_become_a_map() -> None:
    said = moved(
        *flask(
            f"resources={{r'/api/*': {{'origins': ['{APP}']}}, "
            "r'/open/.*': {'origins': '*', 'methods': 'GET'}}"
        ),
        exit_code=1,
    )
    policies = policy_in(said["policy"])
    assert isinstance(policies, PolicyMap)
    found = dict(policies.items())
    assert {path: getattr(policy, "allow_origins", None) for path, policy in found.items()} == {
        "/api": (APP,),
        "/api/*": (APP,),
        "/open/*": ("*",),
    }
    (change,) = said["changes"]
    assert change["what"] == f"a page of {APP} at /apix, /apix/y, /api.x, /apidocs"


def test_a_stack_that_allows_no_origin_needs_no_policy() -> None:
    said = moved(*starlette("allow_origins=[]"), exit_code=0)
    assert said["policy"].startswith("# It allows no origin at all.")


SETTINGS = """\
SECRET_KEY = "x"
INSTALLED_APPS = ["corsheaders"]
MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware"]
"""
DJANGO: list[tuple[str, list[str], int, list[str]]] = [
    (f"CORS_ALLOWED_ORIGINS = ['{APP}']\n", [], 0, []),
    (
        "CORS_ALLOW_ALL_ORIGINS = True\nCORS_ALLOW_CREDENTIALS = True\n",
        ["reflects-any-origin", "null-allowed"],
        1,
        ["CORS_POLICY"],
    ),
    (
        (
            "CORS_ALLOWED_ORIGIN_REGEXES = [r'^https://\\w+\\.example\\.com', r'^https://b\\.org$']\n"
            "CORS_ALLOW_CREDENTIALS = True\n"
        ),
        ["look-alike-allowed"],
        1,
        [],
    ),
    (f"CORS_ALLOWED_ORIGINS = ['{APP}']\nCORS_URLS_REGEX = r'^/api/.*$'\n", [], 0, []),
    (
        f"CORS_ALLOWED_ORIGINS = ['{APP}']\nCORS_URLS_REGEX = r'^/api/'\n",
        [],
        0,
        ["CORS_URLS_REGEX"],
    ),
    (f"CORS_ALLOWED_ORIGINS = ['{APP}/']\n", [], 0, ["CORS_POLICY"]),
]


@pytest.mark.parametrize(("settings", "insecure", "exit_code", "new"), DJANGO, ids=str)
def test_settings_that_say_the_same_stay(
    settings: str, insecure: list[str], exit_code: int, new: list[str]
) -> None:
    # The tests have configured Django, so the settings are overridden.
    import django_project  # noqa: F401

    Path("mysite.py").write_text(SETTINGS + settings)
    said = moved("django-cors-headers", "mysite", exit_code=exit_code)
    assert [one["code"] for one in said["insecure"]] == insecure
    assert isinstance(policy_in(said["policy"]), Policy) is ("CORS_POLICY" in new)
    assert re.findall(r"^(CORS_\w+) = ", said["policy"], re.MULTILINE) == new
    old = [one["text"] for one in said["replaces"]]
    assert old[:2] == SETTINGS.splitlines()[1:]
    assert ('CORS_URLS_REGEX = r"^/api/.*"' in said["policy"]) is ("CORS_URLS_REGEX" in new)
    assert bool(old[2:]) is bool(new)


def test_settings_of_django_are_moved_in_another_process(folder: Path) -> None:
    Path("mysite.py").write_text(SETTINGS + f"CORS_ALLOWED_ORIGINS = ['{APP}']\n")
    done = run_process("migrate", "--from", "django-cors-headers", "mysite", folder=folder)
    assert done.returncode == 0, done.stderr
    assert '    "corscore_django",  # where "corsheaders" was\n' in done.stdout
    assert done.stdout.endswith("\nThe other CORS_* settings stay as they are.\n")
    assert done.stdout.startswith("Nothing changes for browsers.\n")


def test_settings_without_the_middleware_are_a_mistake() -> None:
    import django_project  # noqa: F401

    Path("mysite.py").write_text("SECRET_KEY = 'x'\nMIDDLEWARE = []\n")
    result = run("migrate", "--from", "django-cors-headers", "mysite")
    assert result.exit_code == 2
    assert "no corsheaders.middleware.CorsMiddleware in MIDDLEWARE" in result.stderr


@pytest.mark.parametrize(
    ("library", "target", "says"),
    [
        ("starlette", "main:flask_app", "main:flask_app has no CORSMiddleware of Starlette on it"),
        ("flask-cors", "main:app", "main:app has no flask_cors.CORS(app, ...) on it"),
        ("flask-cors", "main", "main is no app; write module:app"),
        (
            "django-cors-headers",
            "main:app",
            "main:app is no settings module; write mysite.settings",
        ),
        ("starlette", "nope:app", "there is no module nope"),
        ("starlette", "main:broken", "Starlette refuses the options"),
        ("starlette", "main:refused()", "1 problem in the CORS configuration"),
    ],
)
def test_a_target_that_cannot_be_moved_is_a_mistake(library: str, target: str, says: str) -> None:
    Path("main.py").write_text(
        "from fastapi import FastAPI\nfrom flask import Flask\n"
        "from fastapi.middleware.cors import CORSMiddleware\n"
        "app, broken, flask_app = FastAPI(), FastAPI(), Flask('x')\n"
        "broken.add_middleware(CORSMiddleware, allow_origin_regex='(')\n"
        "def refused():\n    from corscore import Policy\n    Policy()\n"
    )
    result = run("migrate", "--from", library, target)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""


def test_a_library_that_is_not_installed_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "find_spec", lambda name: None)
    result = run("migrate", "--from", "flask-cors", "main:app")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: flask-cors is not installed here")
    assert importlib.util.find_spec("flask_cors") is not None


REPAIRS: list[tuple[dict[str, Any], dict[str, Any] | None]] = [
    ({"allow_origins": APP}, {"allow_origins": [APP]}),
    ({"allow_origins": ["app.example.com"]}, {"allow_origins": [APP]}),
    ({"allow_origins": [APP, "https://app.example.com:443"]}, {"allow_origins": [APP]}),
    ({"allow_origins": [APP, "not an origin"]}, {"allow_origins": [APP]}),
    ({"allow_origins": [APP, 7]}, {"allow_origins": [APP]}),
    ({"allow_origins": ["*", APP], "allow_origin_regex": "x"}, {"allow_origins": ["*"]}),
    (
        {"allow_origins": [APP], "allow_methods": ["patch", "TRACE"]},
        {"allow_origins": [APP], "allow_methods": ["PATCH"]},
    ),
    (
        {"allow_origins": [APP], "allow_headers": ["Cookie", "X-A"]},
        {"allow_origins": [APP], "allow_headers": ["X-A"]},
    ),
    (
        {"allow_origins": [APP], "allow_credentials": True, "expose_headers": ["*"]},
        {"allow_origins": [APP], "allow_credentials": True},
    ),
    ({"allow_origins": [APP], "max_age": -1}, {"allow_origins": [APP], "max_age": 0}),
    ({"allow_origins": [APP], "max_age": "soon"}, {"allow_origins": [APP], "max_age": None}),
    (
        {"allow_origins": [APP], "allow_credentials": 1},
        {"allow_origins": [APP], "allow_credentials": True},
    ),
    ({"allow_origins": [APP], "allow_origin_regex": "("}, {"allow_origins": [APP]}),
    ({"allow_origins": [APP], "orgins": [APP]}, {"allow_origins": [APP]}),
    (
        {"allow_origin_regex": "(a+)+"},
        {"allow_origin_regex": "(a+)+", "dangerously_allow_slow_regex": True},
    ),
    (
        {"allow_origins": ["null"], "allow_credentials": True},
        None,
    ),
    ({"allow_origins": ["*"], "allow_private_network": True}, {"allow_origins": ["*"]}),
    ({}, None),
    (
        {"allow_origin_regex": "https://.*.com", "allow_credentials": True},
        {"allow_origin_regex": r"https://.*\.com"},
    ),
    (
        {"allow_origins": [APP], "max_age": timedelta(days=2)},
        {"allow_origins": [APP], "max_age": 86400},
    ),
    ({"allow_origins": [APP], "max_age": "60"}, {"allow_origins": [APP], "max_age": None}),
    (
        {"allow_origin_regex": "https://.*.example.com", "allow_credentials": True},
        {"allow_origin_regex": r"https://.*\.example\.com", "allow_credentials": True},
    ),
]


@pytest.mark.parametrize(("options", "expected"), REPAIRS, ids=str)
def test_the_nearest_policy_has_repaired_options(
    options: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    before = repr(options)
    policy, repairs = nearest_policy(options)
    assert policy == (None if expected is None else Policy(**expected))
    assert bool(repairs) is bool(options)
    assert repr(options) == before


LITERALS = ["*", "null", f"{APP}/", f"{APP}:443", "http://a.example", "patch", "Cookie", "(a+)+"]
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(LITERALS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=6,
)
OPTIONS = ["allow_origins", "allow_methods", "allow_headers", "expose_headers", "max_age"]
OPTIONS += ["allow_credentials", "allow_origin_regex", "origin_resolver", "debug", "bogus"]


@given(st.dictionaries(st.sampled_from(OPTIONS), ANYTHING, max_size=6))
def test_any_options_come_to_an_end(options: dict[str, Any]) -> None:
    policy, repairs = nearest_policy(options)
    if policy is not None:
        assert nearest_policy({name: getattr(policy, name) for name in policy_options.OPTIONS}) == (
            policy,
            [],
        )
    assert all(one.code and one.message and one.done for one in repairs)


@pytest.mark.parametrize(
    ("regex", "text"),
    [
        (r"^https://[a-z0-9-]+\.example\.com(:\d+)?$", "https://a.example.com:1"),
        (r"https?://(app|api)\.example\.com", "https://app.example.com"),
        (r"https://.*\.example\.com", "https://a.example.com"),
        (r"https://[^.]+.example\.com", "https://a.example.com"),
        (r"https://\w{3}\s?x", "https://aaa x"),
        (r"(", None),
        (r"a(?=b)", None),
    ],
)
def test_a_sample_is_a_text_that_the_regex_matches(regex: str, text: str | None) -> None:
    assert sample(regex) == text


def test_the_python_of_a_policy_rebuilds_it() -> None:
    for policy in (
        Policy(allow_origins=["*"]),
        Policy(allow_origins=[f"https://a{n}.example" for n in range(20)], max_age=None),
        Policy(allow_origin_regex=re.compile(r"https://\w+\.x", re.ASCII)),
        Policy(allow_origin_regex='https://"x"'),
    ):
        source = policy_source(policy)
        assert eval(source, {"Policy": Policy, "re": re}) == policy  # noqa: S307
        assert max(map(len, source.splitlines())) <= 100
    assert policy_source(Policy(allow_origins=["*"])) == ('Policy(\n    allow_origins=["*"],\n)')
    text = adapter_source("starlette", Policy(allow_origin_regex=re.compile("x", re.ASCII)))
    assert text.startswith("import re\n")


def test_layers_of_mounted_applications_are_moved() -> None:
    Path("main.py").write_text(
        "from fastapi import FastAPI\nfrom flask import Flask\nfrom flask_cors import CORS\n"
        "from starlette.middleware.cors import CORSMiddleware\n"
        "from werkzeug.middleware.dispatcher import DispatcherMiddleware\n"
        "flask_app = Flask('x')\nCORS(flask_app, origins=['https://app.example.com'])\n"
        "served = DispatcherMiddleware(Flask('y'), {'/api': flask_app})\n"
        # "*" would be a longer list in a newer Starlette.
        "methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']\n"
        "options = {'allow_origins': ['https://app.example.com'], 'allow_methods': methods}\n"
        "part, mounted, twice = FastAPI(), FastAPI(), FastAPI()\n"
        "part.add_middleware(CORSMiddleware, **options)\n"
        "mounted.mount('/api', part)\ntwice.mount('/api', part)\n"
        "twice.add_middleware(CORSMiddleware, **options)\n"
    )
    for library, name, by_path in (
        ("flask-cors", "served", True),
        ("starlette", "mounted", True),
        ("starlette", "twice", False),
    ):
        said = run_json("migrate", "--from", library, f"main:{name}")
        assert ("PolicyMap(" in said["policy"]) is by_path, name
        assert ('"/api/*": ' in said["policy"]) is by_path, name
        assert said["changes"] == [], name
        policy = policy_in(said["policy"])
        governed = policy.policy_for("/x") if by_path else policy
        assert (governed is None) is by_path, name


def test_a_regex_without_keys_leaves_the_wider_key_to_the_user() -> None:
    library, target = flask(rf"resources={{r'/users/\d+/.*': {{'origins': '{APP}'}}, '/a': {{}}}}")
    said = moved(library, target, exit_code=1)
    assert [key for key, _ in policy_in(said["policy"]).items()] == ["/a"]
    assert '# "/users/*" covers them, and more: add it if it may.' in said["policy"]
    assert any("/users/1/a" in one["what"] for one in said["changes"])


def test_a_star_that_flask_cors_takes_for_a_regex_is_insecure() -> None:
    library, target = flask("origins=['https://*.example.com']")
    said = moved(library, target, exit_code=1)
    assert [one["code"] for one in said["insecure"]] == ["look-alike-allowed"]
    assert "a page of https://aexample.com, without credentials" in [
        one["what"] for one in said["changes"]
    ]


def test_a_fastapi_app_moves_as_one_of_starlette() -> None:
    _, target = starlette(f"allow_origins=['{APP}/']")
    first, second = (
        run_json("migrate", "--from", library, target) for library in ("starlette", "fastapi")
    )
    assert first == second


def test_every_origin_with_credentials_keeps_logins_and_leaves_the_origins_to_the_user() -> None:
    library, target = starlette("allow_origins=['*'], allow_credentials=True")
    said = moved(library, target, exit_code=1)
    lines = [line.strip() for line in said["policy"].splitlines()]
    assert 'allow_origins=[],  # such as "https://app.example.com"' in lines
    assert "allow_credentials=True," in lines
    assert any('put allow_origins=["*"] here' in line and line[0] == "#" for line in lines)
    assert policy_in(said["policy"]) == Policy(allow_origins=[APP], allow_credentials=True)


ASGI_CORS = """\
from asgi_cors import asgi_cors
async def inside(scope, receive, send):
    raise NotImplementedError
app = asgi_cors(inside, {})
"""
WSGICORS = """\
from wsgicors import CORS
def inside(environ, start_response):
    raise NotImplementedError
app = CORS(inside, {})
"""
OTHERS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("asgi-cors", ASGI_CORS, "allow_all=True", {"allow_origins": ["*"], "max_age": None}),
    (
        "asgi-cors",
        ASGI_CORS,
        (
            f"hosts=['{APP}'], host_wildcards=['https://*.example.org'], methods=['PUT'], "
            "headers=['X-One'], max_age=60"
        ),
        {
            "allow_origins": [APP, "https://*.example.org"],
            "allow_methods": ["PUT"],
            "allow_headers": ["X-One"],
            "max_age": 60,
        },
    ),
    (
        "asgi-cors",
        ASGI_CORS,
        "host_wildcards=['https://app?.example.com']",
        {"allow_origin_regex": r"https://app.\.example\.com", "max_age": None},
    ),
    (
        "wsgicors",
        WSGICORS,
        (
            f"origin='{APP} https://*.example.org', methods='GET, PUT', headers='X-One', "
            "expose_headers='X-Total', credentials='true', maxage='60'"
        ),
        {
            "allow_origins": [APP, "https://*.example.org"],
            "allow_methods": ["PUT"],
            "allow_headers": ["X-One"],
            "expose_headers": ["X-Total"],
            "allow_credentials": True,
            "max_age": 60,
        },
    ),
    (
        "wsgicors",
        WSGICORS,
        "origin='*', methods='*', headers='*'",
        {
            "allow_origins": ["*"],
            "allow_methods": ["*"],
            "allow_headers": ["*"],
            "max_age": None,
        },
    ),
]


@pytest.mark.parametrize(("library", "module", "options", "policy"), OTHERS, ids=str)
def test_options_of_other_libraries_become_a_policy(
    library: str, module: str, options: str, policy: dict[str, Any]
) -> None:
    Path("main.py").write_text(module.format(options))
    said = run_json("migrate", "--from", library, "main:app")
    assert policy_in(said["policy"].replace("app = CORSMiddleware", "# ")) == Policy(**policy)
    assert [one["place"] for one in said["replaces"]] == ["main.py:1", "main.py:4"]
    # asgi-cors leaves preflights to the application, whose answers are unknown.
    is_open = "a preflight" in [one["what"] for one in said["changes"]]
    assert is_open is (library == "asgi-cors")


@pytest.mark.parametrize(
    ("library", "module", "says"),
    [
        ("asgi-cors", ASGI_CORS.format("callback=print"), "has a callback; write origin_resolver"),
        ("asgi-cors", "app = print", "is no application that asgi_cors(...) returned"),
        ("wsgicors", "app = print", "is no wsgicors.CORS(...)"),
        (
            "wsgicors",
            WSGICORS.format("policy='a, b', a_origin='*', b_origin='*'"),
            "has 2 policies of wsgicors (a, b)",
        ),
    ],
)
def test_an_app_that_cannot_be_migrated_ends_with_one_line_and_2(
    library: str, module: str, says: str
) -> None:
    Path("main.py").write_text(module)
    result = run("migrate", "--from", library, "main:app")
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_only_lines_about_the_target_are_replaced() -> None:
    Path("main.py").write_text(
        "from flask import Flask\nfrom flask_cors import CORS, cross_origin\n"
        "app, other = Flask('x'), Flask('y')\ncors = CORS(origins=['https://app.example.com'])\n"
        "cors.init_app(app)\nCORS(other)\n"
    )
    said = run_json("migrate", "--from", "flask-cors", "main:app")
    assert [one["place"] for one in said["replaces"]] == ["main.py:2", "main.py:4", "main.py:5"]
