"""``corscore migrate`` tells the truth: its verdict is what both real stacks do to requests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flask_cors
import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route

import corscore_flask
import corscore_starlette
import django_project  # noqa: F401 - configures Django
from cli_runs import run_json
from corscore.browser import Request, fetch
from corscore.testing.conformance import asgi_sender
from corscore.testing.conformance._site import transport_of
from corscore.testing.conformance._wsgi import call as call_wsgi
from corscore.testing.conformance._wsgi import wsgi_environ
from corscore_cli.migrate.comparison import Comparison, Difference
from corscore_cli.migrate.libraries import read_django, read_flask_cors, read_starlette
from corscore_cli.migrate.python import joined_policies
from corscore_cli.migrate.repairs import nearest_policy
from corscore_cli.migrate.stack import quiet_loggers
from tables import cases

if TYPE_CHECKING:
    from collections.abc import Callable

    from corscore.browser import Transport
    from corscore_cli.migrate.stack import OldStack

APP, OTHER, STRANGER = "https://app.example.com", "https://other.example", "https://evil.test"
SERVER = "https://server.invalid"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
SETTINGS = """\
SECRET_KEY = "x"
INSTALLED_APPS = ["corsheaders"]
MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware"]
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("row", cases("migrate_paths"))
def test_keys_cover_the_old_paths_or_the_loss_is_reported(row: dict[str, Any]) -> None:
    if row["library"] == "flask-cors":
        resources = {row["key"]: {"origins": [APP]}, "/corscore-other$": {"origins": [APP]}}
        Path("main.py").write_text(
            "from flask import Flask\nfrom flask_cors import CORS\n"
            f"app = Flask('x')\nCORS(app, resources={resources!r})\n"
        )
        said = run_json("migrate", "--from", "flask-cors", "main:app")
        keys = re.findall(r'^        "(.*)": ', said["policy"], re.MULTILINE)
        if "default=" in said["policy"]:
            keys.append("/*")
        keys.remove("/corscore-other")
    else:
        Path("mysite.py").write_text(
            f"{SETTINGS}CORS_ALLOWED_ORIGINS = ['{APP}']\nCORS_URLS_REGEX = {row['key']!r}\n"
        )
        said = run_json("migrate", "--from", "django-cors-headers", "mysite")
        keys = re.findall(r'^CORS_URLS_REGEX = r"(.*)"$', said["policy"], re.MULTILINE)
    assert sorted(keys) == sorted(row["keys"])
    text = " ".join(one["what"] for one in said["changes"])
    assert bool(text) is bool(row["loses"])
    for path in row["loses"]:
        assert re.search(rf"{re.escape(path)}(,|$| )", text) or " more" in text, text


# --- Hypothesis: both stacks, built as a user builds them


def verdict(stack: OldStack, policies: Any) -> list[Difference]:
    with quiet_loggers():
        return Comparison(stack, policies).differences()


def moved(stack: OldStack) -> Any:
    return joined_policies(
        (layer, nearest_policy(layer.options, asks_for_origins=True)[0]) for layer in stack.layers
    )


def assert_differences_are_true(
    differences: list[Difference], old: Transport, new: Transport, requests: list[Request]
) -> None:
    """Assert that each reported difference is one, and that without one no request differs."""
    # Requests may have the same result, and differ in the headers that a script reads.
    reported = [one for one in differences if not one.what.startswith("the response header")]
    with quiet_loggers():
        for one in reported:
            if one.request is not None:
                assert readable(one.request, old) != readable(one.request, new), one
        if not reported:
            for request in requests:
                assert readable(request, old) == readable(request, new), request.url


def readable(request: Request, transport: Transport) -> bool:
    return fetch(request, transport).readable


def requests_at(path: str) -> list[Request]:
    return [
        Request(method, f"{SERVER}{path}", origin=origin, credentials=mode, headers=headers)
        for origin in (APP, OTHER, STRANGER, "null")
        for mode in ("omit", "include")
        for method, headers in (
            ("GET", []),
            ("PUT", []),
            ("DELETE", []),
            ("POST", [("Content-Type", "application/json")]),
            ("GET", [("X-One", "1")]),
        )
    ]


WORDS = st.sampled_from(["api", "v1", "foo.txt", "a-b", "x"])
ENDS = [
    "",
    "/",
    "/*",
    "*",
    "/.*",
    ".*",
    "$",
    "/.*$",
    "/?$",
    "(/.*)?$",
    "(/.*)?",
    "/.+",
    "[12]/",
    r"\d",
]
KEYS = st.builds(
    lambda start, words, end: f"{start}/{'/'.join(words)}{end}",
    st.sampled_from(["", "^"]),
    st.lists(WORDS, min_size=1, max_size=2),
    st.sampled_from(ENDS),
)
TAILS = st.text("ax/1.d", max_size=4)


@st.composite
def paths_of(draw: Any, keys: list[str]) -> list[str]:
    literal = [re.sub(r"[*?$^+()\[\]\\].*", "", key.removeprefix("^")) or "/" for key in keys]
    near = [f"{one.removesuffix('.')}{draw(TAILS)}" for one in literal for _ in range(4)]
    return [path for path in near if path.startswith("/") and "//" not in path and "/." not in path]


def flask_app(extension: Any, **options: Any) -> Transport:
    app = Flask("x", static_folder=None)
    app.logger.disabled = True
    for rule in ("/", "/<path:path>"):
        app.add_url_rule(rule, rule, lambda path="": "page", methods=METHODS)
    policy = options.pop("policy", None)
    extension.CORS(app, *([policy] if policy is not None else []), **options)

    def send(method: str, url: str, headers: list[tuple[str, str]]) -> Any:
        response = call_wsgi(app, wsgi_environ(method, url, headers))
        return response.status, response.headers

    send.app = app  # type: ignore[attr-defined]
    return send


@settings(max_examples=min(40, settings().max_examples))
@given(data=st.data())
def test_the_verdict_on_resources_of_flask_is_what_both_stacks_do(data: Any) -> None:
    keys = data.draw(st.lists(KEYS, min_size=1, max_size=2, unique=True))
    origins = data.draw(st.lists(st.sampled_from([[APP], [OTHER]]), min_size=2, max_size=2))
    resources = {
        key: {"origins": given, "supports_credentials": data.draw(st.booleans())}
        for key, given in zip(keys, origins, strict=False)
    }
    old = flask_app(flask_cors, resources=resources)
    stack = read_flask_cors(old.app, "main:app")  # type: ignore[attr-defined]
    policies = moved(stack)
    differences = verdict(stack, policies)
    if policies is None:
        assert differences
        return
    new = flask_app(corscore_flask, policy=policies)
    paths = data.draw(paths_of(keys))
    assert_differences_are_true(
        differences, old, new, [one for path in paths for one in requests_at(path)]
    )


@settings(max_examples=min(25, settings().max_examples))
@given(data=st.data())
def test_the_verdict_on_a_url_regex_of_django_is_what_both_stacks_do(data: Any) -> None:
    from django.http import HttpResponse
    from django.test import RequestFactory, override_settings

    from corscore_django.inspection import inspect_settings

    key = data.draw(KEYS)
    given = {
        "CORS_ALLOWED_ORIGINS": [APP],
        "CORS_ALLOW_CREDENTIALS": data.draw(st.booleans()),
        "CORS_URLS_REGEX": key,
    }
    factory: Any = RequestFactory()

    def sender(middleware: Callable[[Any], Any]) -> Transport:
        def send(method: str, url: str, headers: list[tuple[str, str]]) -> Any:
            meta = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers}
            response = middleware(factory.generic(method, url.removeprefix(SERVER), **meta))
            return response.status_code, list(response.items())

        return send

    def page(_: Any) -> Any:
        return HttpResponse("page")

    theirs = ["corsheaders.middleware.CorsMiddleware"]
    with override_settings(MIDDLEWARE=theirs, **given):
        from corsheaders.middleware import CorsMiddleware

        inspection = inspect_settings()
        stack = read_django(inspection, "mysite")
        differences = verdict(stack, inspection.policy)
        old = sender(CorsMiddleware(page))
        requests = [one for path in data.draw(paths_of([key])) for one in requests_at(path)]
        with quiet_loggers():
            before = [readable(request, old) for request in requests]
            reported = [
                (one, readable(one.request, old)) for one in differences if one.request is not None
            ]
    (layer,) = stack.layers
    whole = layer.paths.pattern
    assert whole is not None
    given["CORS_URLS_REGEX"] = whole.pattern
    with override_settings(MIDDLEWARE=["corscore_django.middleware.CorsMiddleware"], **given):
        from corscore_django.middleware import CorsMiddleware as Ours

        new = sender(Ours(page))
        with quiet_loggers():
            for one, was_readable in reported:
                assert one.request is not None
                if not one.what.startswith("the response header"):
                    assert was_readable != readable(one.request, new), one
            if not differences:
                assert before == [readable(request, new) for request in requests]


OPTIONS = st.fixed_dictionaries(
    {
        "allow_origins": st.sampled_from([[APP], [APP, OTHER], ["*"], [f"{APP}/"], ["null", APP]]),
        "allow_methods": st.sampled_from([["GET"], ["GET", "HEAD", "POST"], [*METHODS], ["*"]]),
        "allow_headers": st.sampled_from([[], ["X-One"], ["*"]]),
        "allow_credentials": st.booleans(),
    },
    optional={
        "allow_origin_regex": st.sampled_from(
            [r"https://[a-z]+\.example", r"https://.*\.example\.com", "https://app.example.com"]
        ),
        "expose_headers": st.sampled_from([["X-Total"], []]),
    },
)


def starlette_app(options: dict[str, Any] | None, policy: Any = None) -> tuple[Any, Transport]:
    async def page(_: Any) -> Response:
        return Response("page")

    app = Starlette(routes=[Route("/{path:path}", page, methods=METHODS)])
    if options is not None:
        app.add_middleware(CORSMiddleware, **options)
    elif policy is not None:
        corscore_starlette.install(app, policy)

    return app, transport_of(asgi_sender(app))


@settings(max_examples=min(40, settings().max_examples))
@given(OPTIONS)
def test_the_verdict_on_options_of_starlette_is_what_both_stacks_do(options: Any) -> None:
    app, old = starlette_app(options)
    stack = read_starlette(app, "main:app")
    policies = moved(stack)
    differences = verdict(stack, policies)
    _, new = starlette_app(None, policies)
    assert_differences_are_true(differences, old, new, requests_at("/x"))
