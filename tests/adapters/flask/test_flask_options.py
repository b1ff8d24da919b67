"""Options of ``corscore_flask.CORS``: tests/data/flask_options.json, and what JSON cannot hold.

A row has the arguments of ``CORS`` and ``app.config``; then either the policy they mean, or the
policies of paths, with the start of each notice; or the problems: code, field, and a part of the
hint.
"""

from __future__ import annotations

import ast
import copy
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, current_app

from corscore import ConfigError, Policy, PolicyMap, PolicyRef, Problem
from corscore_flask import CORS
from tables import cases

if TYPE_CHECKING:
    from collections.abc import Mapping

ORIGIN = "https://a.example"
REGEX = r"https://pr-\d+\.example\.com"


def policy_of(app: Flask) -> Any:
    return app.extensions["corscore"].governor.policies


def built(options: Mapping[str, Any], config: Mapping[str, Any] | None = None) -> Any:
    app = Flask(__name__)
    app.config.update(config or {})
    CORS(app, **options)
    return policy_of(app)


def meant(row: Mapping[str, Any]) -> Policy | PolicyMap:
    if "policy" in row:
        return Policy(**row["policy"])
    by_path: dict[str, Policy | None] = {
        path: None if options is None else Policy(**options)
        for path, options in row["policies"].items()
    }
    return PolicyMap(by_path, default=None)


def problems_of(
    options: Mapping[str, Any], config: Mapping[str, Any] | None = None
) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        built(options, config)
    return caught.value.problems


@pytest.mark.parametrize("row", cases("flask_options"))
def test_options_mean_what_the_table_says(
    row: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    if "problems" not in row:
        assert built(row["options"], row["config"]) == meant(row)
        notices = [record.getMessage() for record in caplog.records]
        assert len(notices) == len(row["notices"])
        for notice, start in zip(notices, row["notices"], strict=True):
            assert notice.startswith(start)
        return
    problems = problems_of(row["options"], row["config"])
    assert [(found.code, found.field) for found in problems] == [
        (code, field) for code, field, _ in row["problems"]
    ]
    for found, (_, _, hint) in zip(problems, row["problems"], strict=True):
        assert hint in found.hint
        assert found.message


_LINE = re.compile(
    r"""\b(CORS_[A-Z_]+|[a-z_]+) ?= ?"""
    r"""(\[[^][]*\]|"[^"]*"|'(?:[^'\\]|\\.)*'|True|False|None|[0-9]+)"""
)


@pytest.mark.parametrize(
    "row", [case for case in cases("flask_options") if "problems" in case.values[0]]
)
def test_an_applied_hint_solves_the_problem(row: dict[str, Any]) -> None:
    for problem in problems_of(row["options"], row["config"]):
        # The next test has the options of paths.
        if _PLACE.match(problem.field):
            continue
        for alternative in problem.hint.split(", or "):
            lines = dict(_LINE.findall(alternative))
            if not lines or "instead" in alternative:
                continue
            options, config = dict(row["options"]), dict(row["config"])
            for name, value in lines.items():
                (config if name.startswith("CORS_") else options)[name] = ast.literal_eval(value)
            if problem.code == "option-unknown":
                options.pop(problem.field, None)
                config.pop(problem.field, None)
            if "allow_origin_regex" in lines and "origins" in options:
                del options["origins"]
            try:
                built(options, config)
            except ConfigError as error:
                remaining = [(other.code, other.field, other.value) for other in error.problems]
                assert (problem.code, problem.field, problem.value) not in remaining, problem.hint


_KEY = r"""\[(?:"[^"]*"|'(?:[^'\\]|\\.)*')\]"""
_PLACE = re.compile(rf"(CORS_RESOURCES|resources)((?:{_KEY})*)")


@pytest.mark.parametrize(
    "row",
    [
        case
        for case in cases("flask_options")
        if any(_PLACE.match(field) for _, field, _ in case.values[0].get("problems", ()))
    ],
)
def test_an_applied_hint_solves_the_problem_of_a_resource(row: dict[str, Any]) -> None:
    for problem in problems_of(row["options"], row["config"]):
        if not _PLACE.match(problem.field):
            continue
        for alternative in problem.hint.split(", or "):
            options, config = copy.deepcopy((dict(row["options"]), dict(row["config"])))
            given = config if problem.field.startswith("CORS_") else options
            if not _apply(alternative, problem, given):
                continue
            remaining: tuple[Problem, ...] = ()
            try:
                built(options, config)
            except ConfigError as error:
                remaining = error.problems
            solved = problem.code, problem.field, problem.value
            found = [(other.code, other.field, other.value) for other in remaining]
            assert solved not in found, problem.hint


def _apply(alternative: str, problem: Problem, given: dict[str, Any]) -> bool:
    """Apply a hint to what the user wrote; return False where the hint leaves a choice."""
    holder, name = _holder(problem.field, given)
    needless = r"drop (?:CORS_RESOURCES|resources)\[|write CORS\(app|write .* once$"
    assignment = re.search(rf"({_PLACE.pattern}) = (.+)", alternative)
    written = re.search(r'write ("[^"]*")', alternative)
    if assignment:
        if problem.code == "option-unknown":
            del holder[name]
        target, option = _holder(assignment[1], given)
        target[option] = ast.literal_eval(assignment[4])
    elif re.match(needless, alternative):
        del holder[name]
    elif written and name == problem.value:
        holder[ast.literal_eval(written[1])] = holder.pop(name)
    elif written:
        items = holder[name] if isinstance(holder[name], list) else [holder[name]]
        new = ast.literal_eval(written[1])
        holder[name] = [new if item == problem.value else item for item in items]
    return bool(assignment or written or re.match(needless, alternative))


def _holder(place: str, given: dict[str, Any]) -> tuple[Any, str]:
    """Return the dict with the option or path of a place, and its key there."""
    match = _PLACE.match(place)
    assert match is not None
    names = [match[1], *(ast.literal_eval(key)[0] for key in re.findall(_KEY, match[2]))]
    holder = given
    for name in names[:-1]:
        holder = holder[name]
    return holder, names[-1]


# --- what JSON cannot hold


def test_headers_list_the_items_of_a_set_in_order() -> None:
    policy = built(
        {
            "origins": {"https://b.example", ORIGIN},
            "methods": frozenset({"PUT", "DELETE"}),
            "allow_headers": {"X-Two", "X-One"},
            "expose_headers": {"X-B", "X-A"},
        }
    )
    assert policy.allow_origins == (ORIGIN, "https://b.example")
    assert policy.allow_methods == ("DELETE", "PUT")
    assert policy.allow_headers == ("x-one", "x-two")
    assert policy.expose_headers == ("X-A", "X-B")


def test_max_age_may_be_a_timedelta() -> None:
    assert built({"origins": ORIGIN, "max_age": timedelta(minutes=10)}).max_age == 600


@pytest.mark.parametrize("origins", [re.compile(REGEX), [re.compile(REGEX)], {re.compile(REGEX)}])
def test_one_compiled_regex_is_what_it_says(origins: Any) -> None:
    policy = built({"origins": origins})
    assert policy == built({"allow_origin_regex": REGEX})
    assert policy.allows_origin("https://pr-7.example.com")
    # flask-cors compares the beginning only.
    assert not policy.allows_origin("https://pr-7.example.com.evil.net")


def test_a_compiled_regex_may_be_beside_an_origin() -> None:
    policy = built({"origins": [ORIGIN, re.compile(REGEX)]})
    assert policy == built({"origins": ORIGIN, "allow_origin_regex": REGEX})


@pytest.mark.parametrize(
    "options",
    [
        {"origins": [re.compile(REGEX), re.compile("b+")]},
        {"origins": [re.compile(REGEX)], "allow_origin_regex": "b+"},
        {"origins": [re.compile(REGEX)], "allow_origin_regex": re.compile("b+")},
    ],
)
def test_several_regexes_are_to_be_joined(options: dict[str, Any]) -> None:
    (problem,) = problems_of(options)
    assert (problem.code, problem.field) == ("origin-is-regex", "origins")
    assert problem.hint == f"write allow_origin_regex={f'(?:{REGEX})|(?:b+)'!r}"


def test_a_compiled_regex_is_checked_like_any_other() -> None:
    options = {"origins": re.compile("https://.*"), "supports_credentials": True}
    (problem,) = problems_of(options)
    assert problem.code == "regex-matches-anything-with-credentials"
    assert problem.field == "allow_origin_regex"


def test_a_compiled_regex_is_no_header() -> None:
    options = {"origins": ORIGIN, "allow_headers": [re.compile("X-.*"), re.compile(b"X")]}
    assert [problem.code for problem in problems_of(options)] == ["header-is-regex"] * 2


def test_items_that_are_no_strings_are_problems() -> None:
    options = {"origins": [ORIGIN, 1], "methods": [b"PUT"], "allow_headers": [None]}
    assert [(problem.code, problem.field) for problem in problems_of(options)] == [
        ("not-a-string", "origins"),
        ("not-a-string", "methods"),
        ("not-a-string", "allow_headers"),
    ]


def test_a_problem_quotes_what_a_terminal_can_show() -> None:
    (problem,) = problems_of({"origins": [ORIGIN, 'https://(\x1b").example']})
    assert "\x1b" not in str(problem)


def test_a_compiled_regex_is_no_path() -> None:
    path = re.compile("/api/.*")
    shapes: tuple[Any, ...] = (path, [path], {path: {}})
    for resources in shapes:
        (problem,) = problems_of({"origins": ORIGIN, "resources": resources})
        assert (problem.code, problem.hint) == ("path-is-regex", 'write "/api/*"')
        assert problem.field.startswith("resources")


def test_resources_in_a_set_are_sorted() -> None:
    policies = built({"origins": ORIGIN, "resources": {"/b", "/a"}})
    assert [path for path, _ in policies.items()] == ["/a", "/b"]


def test_a_resource_may_be_a_ready_policy() -> None:
    policies = built({"origins": ORIGIN, "resources": {"/own": POLICY, "/*": {}}})
    assert policies.policy_for("/own") is POLICY
    assert policies.policy_for("/other") == built({"origins": ORIGIN})


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        (3, 'write resources={"/api/*": {"origins": [...]}}'),
        (
            {"/a": ["https://a.example"]},
            'resources["/a"]: a dict of options, a Policy, a tuple or None',
        ),
        ({"/a": "*"}, 'not str; write {"origins": [...]}'),
        ([["/a"]], "a path was expected, not list"),
    ],
)
def test_an_argument_that_is_no_resource_is_a_type_error(resources: Any, says: str) -> None:
    with pytest.raises(TypeError) as caught:
        built({"origins": ORIGIN, "resources": resources})
    assert says in str(caught.value)


# --- in which way they arrive


def test_a_factory_sets_up_any_number_of_applications() -> None:
    cors = CORS(origins=[ORIGIN], max_age=60)
    first, second, third = Flask("first"), Flask("second"), Flask("third")
    second.config["CORS_ORIGINS"] = second.config["CORS_METHODS"] = ["PUT"]
    cors.init_app(first)
    cors.init_app(second)
    cors.init_app(third, origins=["https://b.example"], methods=[])
    assert policy_of(first) == built({"origins": [ORIGIN], "max_age": 60})
    assert policy_of(second) == built({"origins": [ORIGIN], "max_age": 60, "methods": ["PUT"]})
    assert policy_of(third) == built(
        {"origins": ["https://b.example"], "max_age": 60, "methods": []}
    )


def test_a_factory_without_anything_reads_the_configuration() -> None:
    app = Flask(__name__)
    app.config["CORS_ORIGINS"] = ORIGIN
    cors = CORS()
    cors.init_app(app)
    assert policy_of(app) == built({"origins": ORIGIN})


POLICY = Policy(allow_origins=[ORIGIN])


@pytest.mark.parametrize("policy", [POLICY, PolicyMap({"/api/*": POLICY}), PolicyRef(POLICY)])
def test_a_ready_policy_ignores_the_configuration(policy: Any) -> None:
    first, second, third = Flask("first"), Flask("second"), Flask("third")
    # A policy is an argument, which counts more than the configuration.
    first.config["CORS_ORIGINS"] = f"{ORIGIN}/"
    CORS(first, policy)
    CORS(policy=policy).init_app(second)
    CORS().init_app(third, policy)
    assert policy_of(first) is policy_of(second) is policy_of(third) is policy


def test_an_application_may_be_given_as_its_proxy() -> None:
    app = Flask(__name__)
    with app.app_context():
        CORS(current_app, origins=ORIGIN)
    assert policy_of(app) == built({"origins": ORIGIN})


def test_an_application_has_one_policy() -> None:
    app = Flask(__name__)
    CORS(app, origins=ORIGIN)
    with pytest.raises(RuntimeError, match="called twice"):
        CORS(app, origins=ORIGIN)


def test_a_wrong_configuration_leaves_the_app_as_it_was() -> None:
    app = Flask(__name__)
    with pytest.raises(ConfigError):
        CORS(app)
    assert type(app) is Flask
    CORS(app, origins=ORIGIN)


@pytest.mark.parametrize(
    ("args", "options", "message"),
    [
        ((PolicyMap({}),), {"resources": "/a"}, "a PolicyMap and options (resources) were given"),
        ((POLICY,), {"origins": ORIGIN}, "a policy and options (origins) were given"),
        (([ORIGIN],), {}, f'write CORS(app, origins=["{ORIGIN}"]) or CORS(app, Policy('),
        ((ORIGIN,), {"origins": ORIGIN}, "a Policy was expected, not str"),
        ((3,), {}, "write CORS(app, origins=[...]) or CORS(app, Policy("),
    ],
)
def test_an_argument_that_is_no_policy_is_a_type_error(
    args: tuple[Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        CORS(Flask(__name__), *args, **options)


def test_a_wrong_configuration_ends_in_its_text_below_the_line_of_the_user() -> None:
    for configure in (
        lambda: CORS(Flask(__name__), origins=[f"{ORIGIN}/"]),
        lambda: CORS().init_app(Flask(__name__), origins=[f"{ORIGIN}/"]),
    ):
        with pytest.raises(ConfigError) as caught:
            configure()
        # The test, the lambda, and the line that raises.
        assert len(caught.traceback) == 3


@pytest.mark.parametrize(
    ("app", "message"),
    [
        (POLICY, "write CORS(app, policy), or CORS(policy=policy)"),
        (PolicyMap({}), "write CORS(app, policy), or CORS(policy=policy)"),
        (lambda environ, start_response: [], "write corscore_wsgi.CORSMiddleware(app, ...)"),
        ("app", "takes a Flask application or a blueprint, not str"),
    ],
)
def test_an_argument_that_is_no_application_is_a_type_error(app: Any, message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        CORS(app, origins=ORIGIN)
