"""Django's settings: what they mean, and the system checks about them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.http import HttpResponse

from cors_headers import PAGE
from corscore import ConfigError, Policy, PolicyMap, PolicyRef
from corscore_django import check_request_enabled, default_headers, default_methods
from corscore_django._settings import Reading, configuration
from corscore_django.checks import ERROR_IDS
from corscore_django.middleware import CorsMiddleware
from django_project import OURS, project
from tables import cases, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.checks import CheckMessage


def messages(*, deploy: bool = False) -> list[CheckMessage]:
    """Return the messages of corscore's checks."""
    found = run_checks(tags=["security"], include_deployment_checks=deploy)
    return [message for message in found if str(message.id).startswith("corscore.")]


def the_policy() -> Policy:
    """Return the one policy that the settings mean."""
    policy = configuration().policy
    assert isinstance(policy, Policy)
    return policy


# --- the checks


@pytest.mark.parametrize("row", cases("django_checks"))
def test_settings_get_the_checks_of_the_table(row: dict[str, Any]) -> None:
    with project(**{"MIDDLEWARE": [OURS], **row["settings"]}):
        found = messages(deploy=row.get("deploy", False))
    assert [str(message.id).partition(".")[2] for message in found] == row["ids"]
    for message, hint in zip(found, row["hints"], strict=True):
        assert hint in str(message.hint)
        assert message.is_serious() == str(message.id).startswith("corscore.E")
        assert message.msg
        _, _, page = str(message.hint).partition("\n\tMore: corscore code ")
        codes = {id_: code for code, id_ in ERROR_IDS.items()}
        assert page == codes.get(str(message.id), "django-checks")


_LINE = re.compile(
    r"""\b(CORS_[A-Z_]+) = (\[[^][]*\]|r?"[^"]*"|'(?:[^'\\]|\\.)*'|True|False|None|[0-9]+)"""
)


@pytest.mark.parametrize("row", cases("django_checks"))
def test_an_applied_hint_solves_the_problem(row: dict[str, Any]) -> None:
    settings = {"MIDDLEWARE": [OURS], **row["settings"]}
    with project(**settings):
        found = [message for message in messages() if str(message.id) < "corscore.E1"]
    for message in found:
        for alternative in str(message.hint).split(", or "):
            lines = dict(_LINE.findall(alternative))
            if not lines or "instead" in alternative:
                continue
            applied = {name: ast.literal_eval(value) for name, value in lines.items()}
            if "CORS_ALLOWED_ORIGIN_REGEXES" in applied and message.id == "corscore.E052":
                applied["CORS_ALLOWED_ORIGINS"] = []
            with project(**{**settings, **applied}):
                remaining = [(other.id, other.msg) for other in messages()]
            assert (message.id, message.msg) not in remaining, message.hint


def test_every_code_has_an_id_that_stays() -> None:
    codes = {code for row in rows("problems") for code in row["codes"]}
    codes |= {code for row in rows("patterns") for code in row.get("codes", ())}
    codes |= {code for row in rows("look_alike_regexes") for code in row["codes"]}
    assert codes <= ERROR_IDS.keys()
    assert len(set(ERROR_IDS.values())) == len(ERROR_IDS)
    # Projects may have silenced these ids, so they never change.
    assert ERROR_IDS["origins-missing"] == "corscore.E001"
    assert ERROR_IDS["origin-trailing-slash"] == "corscore.E013"
    assert ERROR_IDS["preflight-status-invalid"] == "corscore.E043"
    assert ERROR_IDS["file-unreadable"] == "corscore.E048"
    assert ERROR_IDS["regex-unverifiable"] == "corscore.E051"


def test_an_error_names_its_code_and_its_setting() -> None:
    with project(CORS_ALLOWED_ORIGINS=["https://app.example/"]):
        (message,) = messages()
    assert message.msg.startswith("CORS_ALLOWED_ORIGINS: ")
    assert message.msg.endswith("[origin-trailing-slash]")


def test_a_policy_beside_its_settings_is_an_error() -> None:
    policy = Policy(allow_origins=[PAGE])
    with project(CORS_POLICY=policy, CORS_ORIGIN_WHITELIST=[PAGE], CORS_DEBUG=True):
        error, old_name = messages()
        with pytest.raises(TypeError, match="CORS_ORIGIN_WHITELIST, CORS_DEBUG"):
            configuration()
    assert (error.id, old_name.id) == ("corscore.E101", "corscore.W005")
    with project(CORS_POLICY=policy, CORS_URLS_REGEX="/api/.*"):
        assert messages() == []
        assert configuration().policy is policy
        assert configuration().governs("/api/x")
        assert not configuration().governs("/x")
    with project(CORS_POLICY=None, CORS_ALLOWED_ORIGINS=[PAGE]):
        assert messages() == []


MIGRATE = """
import sys, django
from django.conf import settings
from django.core.management import call_command

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.contenttypes", "corscore_django"],
    MIDDLEWARE=sys.argv[1:],
)
django.setup()
call_command("migrate", verbosity=0, skip_checks=False)
"""


@pytest.mark.parametrize("middleware", [[], [OURS]], ids=["without", "with its middleware"])
def test_an_app_without_settings_does_not_stop_migrate(middleware: list[str]) -> None:
    command = [sys.executable, "-c", MIGRATE, *middleware]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "corscore.W001" in run.stderr


def test_a_wrong_setting_stops_commands() -> None:
    with (
        project(CORS_ALLOWED_ORIGINS=["app.example"]),
        pytest.raises(SystemCheckError, match=r"corscore\.E010"),
    ):
        call_command("check")


def test_receivers_are_as_good_as_origins() -> None:
    def receiver(**kwargs: Any) -> bool:
        return True

    check_request_enabled.connect(receiver)
    try:
        configured: list[dict[str, Any]] = [
            {},
            {"CORS_ALLOW_CREDENTIALS": True},
            {"CORS_ALLOWED_ORIGINS": []},
        ]
        for changes in configured:
            with project(**changes):
                assert messages() == []
                assert not the_policy().allows_origin(PAGE)
        with project(CORS_ALLOWED_ORIGINS=""):
            assert [message.id for message in messages()] == ["corscore.E002"]
    finally:
        check_request_enabled.disconnect(receiver)


def test_the_checks_say_nothing_aloud(
    caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    with project(CORS_ORIGIN_WHITELIST=[PAGE], CORS_ALLOW_HEADERS=["DNT"]):
        assert [message.id for message in messages()] == ["corscore.W005", "corscore.W008"]
    assert caplog.records == []
    assert recwarn.list == []


# --- what the settings mean


SETTINGS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"CORS_ALLOWED_ORIGINS": (PAGE,)}, {"allow_origins": [PAGE]}),
    ({"CORS_ALLOWED_ORIGINS": {PAGE}}, {"allow_origins": [PAGE]}),
    ({"CORS_ALLOW_ALL_ORIGINS": True}, {"allow_origins": ["*"]}),
    ({"CORS_ALLOW_METHODS": ["PURGE"]}, {"allow_methods": ["PURGE"]}),
    ({"CORS_ALLOW_METHODS": ()}, {"allow_methods": []}),
    ({"CORS_ALLOW_HEADERS": ["X-Key"]}, {"allow_headers": ["X-Key"]}),
    ({"CORS_ALLOW_HEADERS": []}, {"allow_headers": []}),
    ({"CORS_EXPOSE_HEADERS": ["X-Total"]}, {"expose_headers": ["X-Total"]}),
    ({"CORS_ALLOW_CREDENTIALS": True}, {"allow_credentials": True}),
    ({"CORS_PREFLIGHT_MAX_AGE": 0}, {"max_age": 0}),
    ({"CORS_PREFLIGHT_MAX_AGE": None}, {"max_age": None}),
    ({"CORS_PREFLIGHT_MAX_AGE": timedelta(hours=1)}, {"max_age": 3600}),
    ({"CORS_ALLOW_NULL_ORIGIN": True}, {"allow_null_origin": True}),
    ({"CORS_ALLOW_PRIVATE_NETWORK": True}, {"allow_private_network": True}),
    (
        {"CORS_DANGEROUSLY_ALLOW_INSECURE_ORIGINS": True},
        {"dangerously_allow_insecure_origins": True},
    ),
    (
        {"CORS_DANGEROUSLY_ALLOW_PUBLIC_SUFFIXES": True},
        {"dangerously_allow_public_suffixes": True},
    ),
    ({"CORS_DANGEROUSLY_ALLOW_SLOW_REGEX": True}, {"dangerously_allow_slow_regex": True}),
    ({"CORS_PREFLIGHT_STATUS": 200}, {"preflight_status": 200}),
    ({"CORS_DEBUG": True}, {"debug": True}),
    ({"CORS_ALLOWED_ORIGIN_REGEXES": []}, {"allow_origin_regex": None}),
    ({"CORS_ALLOWED_ORIGIN_REGEXES": ["a"]}, {"allow_origin_regex": "a"}),
    ({"CORS_ALLOWED_ORIGIN_REGEXES": ["a", "b"]}, {"allow_origin_regex": "(?:a)|(?:b)"}),
]


@pytest.mark.parametrize(
    ("changes", "options"), [pytest.param(*row, id=str(row[0])) for row in SETTINGS]
)
def test_settings_are_arguments_of_a_policy(
    changes: dict[str, Any], options: dict[str, Any]
) -> None:
    defaults = {
        "allow_methods": default_methods,
        "allow_headers": default_headers,
        "max_age": 86400,
    }
    origins: dict[str, Any] = {"CORS_ALLOWED_ORIGINS": [PAGE]}
    if "CORS_ALLOW_ALL_ORIGINS" in changes:
        origins = {}
    with project(**{**origins, **changes}):
        policy = the_policy()
    assert policy == Policy(**{"allow_origins": [PAGE], **defaults, **options})


OLD_NAMES: list[tuple[str, Any, str]] = [
    ("CORS_ORIGIN_WHITELIST", [PAGE], "CORS_ALLOWED_ORIGINS"),
    ("CORS_ORIGIN_ALLOW_ALL", True, "CORS_ALLOW_ALL_ORIGINS"),
    ("CORS_ORIGIN_REGEX_WHITELIST", ["https://app\\.example"], "CORS_ALLOWED_ORIGIN_REGEXES"),
]


@pytest.mark.parametrize(("old", "value", "new"), OLD_NAMES)
def test_old_names_work_and_warn(old: str, value: Any, new: str) -> None:
    with project(**{old: value}):
        with pytest.warns(DeprecationWarning, match=f"{old} is called {new} now"):
            policy = the_policy()
        assert policy.allows_origin(PAGE)
        # The settings are compiled once.
        configuration()
    with project(**{new: value}):
        assert configuration().policy == policy


def test_a_new_name_counts_more_than_its_old_one() -> None:
    with project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_ORIGIN_WHITELIST=["https://old.example"]):
        assert the_policy().allow_origins == (PAGE,)


def test_headers_that_browsers_set_are_dropped_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = ["accept-encoding", "authorization", "dnt", "origin", "Sec-Fetch-Mode"]
    with project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_ALLOW_HEADERS=names):
        assert the_policy().allow_headers == ("authorization",)
        configuration()
    (record,) = caplog.records
    assert record.name == "corscore"
    assert "accept-encoding, dnt, origin, Sec-Fetch-Mode" in record.getMessage()


# --- regexes

ASCII, CASELESS, VERBOSE = re.ASCII, re.IGNORECASE, re.VERBOSE
REGEXES: list[tuple[list[str | re.Pattern[str]], list[str], list[str], str]] = [
    (["https://a"], ["https://a"], ["https://a.evil", "https://ab", "xhttps://a"], "the whole"),
    (["^https://a$"], ["https://a"], ["https://a\n", "https://a.b"], "anchors"),
    (["https://a", "https://b"], ["https://a", "https://b"], ["https://ab", "https://c"], "two"),
    (["https://a|https://b", "https://c"], ["https://a", "https://c"], ["https://ac"], "a bar"),
    ([re.compile("https://A", CASELESS), "https://b"], ["https://a"], ["https://B"], "a flag"),
    (["(?i)https://A", "https://b"], ["https://a", "https://b"], [], "a flag inline"),
    (["(?i)(?s)https://A", "https://b"], ["https://a", "https://b"], [], "two flags inline"),
    (
        [re.compile("https:// a # c", VERBOSE), "https://b"],
        ["https://a", "https://b"],
        [],
        "verbose",
    ),
    (["https://(?P<x>a)(?P=x)", "https://b"], ["https://aa", "https://b"], ["https://a"], "a name"),
    (
        [re.compile(r"https://\w", ASCII), r"https://\w\w"],
        ["https://a", "https://aa"],
        [],
        "ASCII",
    ),
    ([r"https://a\.b", r"https://\\1"], ["https://a.b"], ["https://axb"], "an escaped backslash"),
]


@pytest.mark.parametrize(
    ("regexes", "allowed", "refused"), [pytest.param(*row[:3], id=row[3]) for row in REGEXES]
)
def test_regexes_match_as_each_would_alone(
    regexes: list[str | re.Pattern[str]], allowed: list[str], refused: list[str]
) -> None:
    with project(CORS_ALLOWED_ORIGIN_REGEXES=regexes):
        policy = the_policy()
    assert [origin for origin in allowed if not policy.allows_origin(origin)] == []
    assert [origin for origin in refused if policy.allows_origin(origin)] == []


def test_a_compiled_regex_of_bytes_is_a_problem() -> None:
    wrong = {"CORS_ALLOWED_ORIGIN_REGEXES": [re.compile(b"a")], "CORS_URLS_REGEX": re.compile(b"a")}
    with project(**wrong), pytest.raises(ConfigError) as caught:
        configuration()
    assert [(problem.code, problem.field) for problem in caught.value.problems] == [
        ("not-a-string", "CORS_URLS_REGEX"),
        ("not-a-string", "CORS_ALLOWED_ORIGIN_REGEXES"),
    ]


@pytest.mark.parametrize(
    ("wrong", "codes", "hint"),
    [
        (
            {"CORS_ALLOWED_ORIGIN": [PAGE]},
            ["option-unknown"],
            "did you mean CORS_ALLOWED_ORIGINS?",
        ),
        (
            {"CORS_ALLOWED_ORIGINS": [f"{PAGE}/"], "CORS_MAX_AGE": 5},
            ["option-unknown", "origin-trailing-slash"],
            "did you mean CORS_PREFLIGHT_MAX_AGE?",
        ),
        (
            {"CORS_MAX_AGE": 5},
            ["option-unknown", "origins-missing"],
            "did you mean CORS_PREFLIGHT_MAX_AGE?",
        ),
    ],
)
def test_the_error_that_ends_the_server_names_misspelt_settings_without_frames_of_ours(
    wrong: dict[str, Any], codes: list[str], hint: str
) -> None:
    with project(**wrong), pytest.raises(ConfigError) as caught:
        CorsMiddleware(lambda _: HttpResponse())
    assert [problem.code for problem in caught.value.problems] == codes
    assert caught.value.problems[0].hint == hint
    assert len(caught.traceback) == 2


def test_a_compiled_regex_over_paths_keeps_its_flags() -> None:
    with project(CORS_ALLOWED_ORIGINS=[PAGE], CORS_URLS_REGEX=re.compile("/API/.*", CASELESS)):
        assert messages() == []
        assert configuration().governs("/api/x")


@pytest.fixture
def nothing_compiled() -> Iterator[None]:
    with project():
        yield


@pytest.mark.usefixtures("nothing_compiled")
def test_a_wrong_configuration_raises_each_time_it_is_read() -> None:
    for _ in range(2):
        with pytest.raises(ConfigError, match="origins-missing"):
            configuration()
    assert Reading().is_empty


# --- policies by path and by view


def test_the_checks_for_production_look_at_every_policy() -> None:
    local = Policy(allow_origins=["http://localhost:3000"], allow_credentials=True)
    both = PolicyMap({"/api/*": local}, default=Policy(allow_origins=[PAGE], max_age=5))
    csrf = "django.middleware.csrf.CsrfViewMiddleware"
    for policy in (both, PolicyRef(both), PolicyRef(local)):
        with project(CORS_POLICY=policy, MIDDLEWARE=[OURS, csrf]):
            found = messages(deploy=True)
        assert [message.id for message in found] == ["corscore.W009", "corscore.W010"]
        assert all("http://localhost:3000" in message.msg for message in found)


def test_views_with_policies_need_the_middleware() -> None:
    policy = Policy(allow_origins=[PAGE])
    for middleware, ids in (([], ["W002", "W011"]), ([OURS], [])):
        with project(CORS_POLICY=policy, MIDDLEWARE=middleware, ROOT_URLCONF="django_routed"):
            found = messages()
        assert [str(message.id).partition(".")[2] for message in found] == ids
        assert all(OURS in str(message.hint) for message in found)
    with project(CORS_POLICY=policy, MIDDLEWARE=[], ROOT_URLCONF="no_such_module"):
        assert [message.id for message in messages()] == ["corscore.W002"]
