"""Flask-SocketIO has its own CORS for its path: a notice and ``check`` name it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from cli_runs import run_json
from corscore import Policy, PolicyMap
from corscore_flask import CORS

if TYPE_CHECKING:
    from corscore.integration import Policies

SocketIO: Any = pytest.importorskip("flask_socketio").SocketIO

PAGE = "https://app.example.com"
POLICY = Policy(allow_origins=[PAGE])
POLLING = "/socket.io/?EIO=4&transport=polling"


def served(policies: Policies, *, is_first: bool, **options: Any) -> Flask:
    """Return an application with both, in one order or the other."""
    app = Flask("x", static_folder=None)
    if is_first:
        SocketIO(app, async_mode="threading", **options)
    CORS(app, policies)
    if not is_first:
        SocketIO(app, async_mode="threading", **options)
    return app


def polled(app: Flask) -> tuple[int, str | None]:
    response = app.test_client().get(POLLING, headers={"Origin": PAGE})
    return response.status_code, response.headers.get("Access-Control-Allow-Origin")


ORDERS = pytest.mark.parametrize("is_first", [True, False])


@ORDERS
@pytest.mark.parametrize(("options", "path"), [({}, "/socket.io/"), ({"path": "/ws"}, "/ws/")])
def test_socketio_is_named_once_where_the_policy_governs_its_path(
    is_first: bool, options: dict[str, Any], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = served(POLICY, is_first=is_first, **options)
    with caplog.at_level(logging.WARNING, "corscore"):
        for _ in range(2):
            app.test_client().get("/", headers={"Origin": PAGE})
    (message,) = [one for one in caplog.messages if "SocketIO" in one]
    assert message.startswith(f"Flask-SocketIO answers {path} by its own cors_allowed_origins")
    assert f'CORS(app, PolicyMap({{"{path}*": None}}, default=policy)).' in message


@ORDERS
def test_the_hint_works_and_ends_the_notice(
    is_first: bool, caplog: pytest.LogCaptureFixture
) -> None:
    policies = PolicyMap({"/socket.io/*": None}, default=POLICY)
    assert polled(served(POLICY, is_first=is_first)) == (400, PAGE)
    caplog.clear()
    app = served(policies, is_first=is_first, cors_allowed_origins=[PAGE])
    assert polled(app) == (200, PAGE)
    assert caplog.messages == []


def test_an_app_without_it_has_no_notice(caplog: pytest.LogCaptureFixture) -> None:
    app = Flask("x", static_folder=None)
    app.extensions["socketio"] = object()
    CORS(app, POLICY)
    app.test_client().get("/")
    assert caplog.messages == []


SOURCE = f"""\
from flask import Flask
from flask_socketio import SocketIO
from corscore import Policy, PolicyMap
from corscore_flask import CORS
app = Flask("x")
policy = Policy(allow_origins=["{PAGE}"])
"""


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        ("SocketIO(app)\nCORS(app, policy)\n", ["two-cors-layers"]),
        ("CORS(app, policy)\nSocketIO(app)\n", ["two-cors-layers"]),
        ('CORS(app, PolicyMap({"/socket.io/*": None}, default=policy))\nSocketIO(app)\n', []),
        ("CORS(app, policy)\n", []),
    ],
)
def test_check_finds_cors_of_socketio(
    lines: str, codes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("main.py").write_text(SOURCE + lines)
    said = run_json("check", "main:app", exit_code=None)
    assert [one["code"] for one in said["findings"]] == codes
    assert all("Flask-SocketIO" in one["message"] for one in said["findings"])
