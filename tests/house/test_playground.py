"""The playground of the site: its answers, and that nothing typed leaves a real Chromium."""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from runpy import run_path
from typing import TYPE_CHECKING, Any

import pytest

from corscore import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

DOCS = Path(__file__).parents[2] / "docs"
# The built site: make docs-test.
SITE = os.environ.get("CORSCORE_SITE")
STATE = {
    "tab": "why",
    "origin": "https://app.example.com",
    "url": "https://api.example.com/items",
    "method": "PUT",
    "status": "200",
    "credentials": False,
    "headers": "",
    "preflight": "",
    "response": "HTTP/1.1 200 OK\nAccess-Control-Allow-Origin: https://app.example.com",
}
OPTIONS = {
    "python": 'allow_origins=["https://app.example.com"], max_age=None, allow_methods=["PUT"]',
    "toml": 'allow_origins = ["https://app.example.com"]\nmax_age = "none"\n'
    'allow_methods = ["PUT"]',
    "environment": "CORS_ALLOW_ORIGINS=https://app.example.com\nCORS_MAX_AGE=none\n"
    "export CORS_ALLOW_METHODS=PUT",
}


@pytest.fixture(scope="module")
def program() -> dict[str, Any]:
    spellings = run_path(str(DOCS / "option_table.py"))["spellings"]()
    given = {"SPELLINGS_JSON": json.dumps(spellings)}
    return run_path(str(DOCS / "playground" / "playground.py"), init_globals=given)


def texts(program: dict[str, Any], **state: object) -> list[str]:
    parts = json.loads(program["answer"](json.dumps({**STATE, **state})))
    return [part.get("text") or part.get("code") or json.dumps(part["rows"]) for part in parts]


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "Blocked: method-not-allowed"),
        (
            {"preflight": "Access-Control-Allow-Origin: *\nAccess-Control-Allow-Methods: PUT"},
            "Readable",
        ),
        ({"method": "GET", "response": ""}, "Blocked: no-allow-origin"),
        ({"method": "GET", "credentials": True}, "Blocked: credentials-not-allowed"),
        ({"status": "many"}, "This cannot be read: invalid literal for int() with base 10: 'many'"),
    ],
)
def test_a_response_is_explained(
    program: dict[str, Any], change: dict[str, object], verdict: str
) -> None:
    if "status" in change:
        change = {**change, "method": "GET"}
    assert texts(program, **change)[0] == verdict


@pytest.mark.parametrize("form", OPTIONS)
def test_a_policy_is_read_in_each_form(program: dict[str, Any], form: str) -> None:
    asked = {"tab": "policy", "format": form, "options": OPTIONS[form], "from": STATE["origin"]}
    found = texts(program, **asked)
    assert found[0] == "The policy is sound"
    assert "    methods=['PUT'],\n    allow_headers=[],\n)" in found[found.index("Flask") + 1]
    assert found[found.index("Django") + 1].endswith("CORS_PREFLIGHT_MAX_AGE = None")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ('allow_origins=["https://app.example.com/"]', "origin-trailing-slash"),
        ('Policy(allow_origins=["*"], allow_credentials=True)', "wildcard-with-credentials"),
    ],
)
def test_problems_have_their_pages(program: dict[str, Any], options: str, found: str) -> None:
    asked = {"tab": "policy", "format": "python", "options": options, "from": "null"}
    assert found in texts(program, **asked)


@pytest.mark.parametrize(
    "options", ["allow_origins=", "open('x')", "a=__import__('os')", "f()(b=1)"]
)
def test_options_are_read_and_never_run(program: dict[str, Any], options: str) -> None:
    asked = {"tab": "policy", "format": "python", "options": options, "from": "null"}
    assert texts(program, **asked)[0].startswith("This cannot be read: ")


def test_a_recording_is_explained(program: dict[str, Any]) -> None:
    parts = json.loads(program["explain_recording"]((DOCS / "cli" / "network.har").read_bytes()))
    assert parts[0]["text"] == "3 requests to other origins, 2 refused"
    assert json.loads(program["explain_recording"](b"no"))[0]["good"] is False


def test_a_policy_means_the_same_in_each_spelling(program: dict[str, Any]) -> None:
    policy = Policy(allow_origins=["https://app.example.com"], allow_credentials=True)
    spelled = program["spelled"](policy)
    assert program["_policy"]("toml", spelled["TOML"].replace("true", "true")) == policy
    assert program["_policy"]("environment", spelled["environment"]) == policy


class Handler(SimpleHTTPRequestHandler):
    """A server of files with the types that browsers need, which logs nothing."""

    def guess_type(self, path: Any) -> str:
        known = {".mjs": "text/javascript", ".wasm": "application/wasm"}
        return known.get(Path(path).suffix) or super().guess_type(path)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def served(site: str) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=site))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/docs/playground/index.html"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wait_for(page: Page, text: str) -> None:
    page.get_by_text(text).first.wait_for(timeout=120_000)


@pytest.mark.skipif(SITE is None, reason="the site is not built: make docs-test")
@pytest.mark.slow
def test_nothing_typed_leaves_the_page(chromium: Browser) -> None:
    assert SITE is not None
    with served(SITE) as address:
        page = chromium.new_page()
        errors: list[str] = []
        asked: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        wait_for(page, "Blocked: method-not-allowed")
        folder = address.rpartition("/")[0]
        assert [url for url in asked if not url.startswith((folder, "data:"))] == []
        asked.clear()
        # With the keyboard: the other tab, and its first text field.
        page.locator("#tab-why").focus()
        page.keyboard.press("ArrowRight")
        wait_for(page, "The policy is sound")
        page.get_by_label("Options").fill('allow_origins=["https://secret.example/"]')
        wait_for(page, "origin-trailing-slash")
        page.set_input_files("[type=file]", str(DOCS / "cli" / "network.har"))
        wait_for(page, "3 requests to other origins, 2 refused")
        assert asked == []
        # The page's Content-Security-Policy refuses requests of scripts.
        tried = "fetch('https://example.com/').then(() => 'sent', () => 'refused')"
        assert page.evaluate(tried) == "refused"
        errors[:] = [error for error in errors if "Content Security Policy" not in error]
        # The link has the typed text.
        link = page.url
        other = chromium.new_page()
        other.goto(link)
        wait_for(other, "origin-trailing-slash")
        assert "secret.example" in other.get_by_label("Options").input_value()
        other.close()
        page.close()
        assert [error for error in errors if "ERR_FAILED" not in error] == []
