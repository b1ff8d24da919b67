"""Hostile TARGETs: they print, raise, wait, and have names of any kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli_runs import run, run_json, run_process

APP = "https://app.example.com"
POLICY = f"from corscore import Policy\npolicy = Policy(allow_origins=['{APP}'])\n"
FINE: dict[str, Any] = {"problems": [], "findings": []}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "line",
    [
        "print('noise')",
        "import os; os.write(1, b'noise\\n')",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(\"noise\")'])",
        "import atexit; atexit.register(print, 'noise')",
    ],
    ids=["print", "the descriptor", "a child process", "at exit"],
)
def test_json_is_alone_on_stdout(folder: Path, line: str) -> None:
    Path("main.py").write_text(f"{line}\n{POLICY}")
    done = run_process("check", "main:policy", "--json", folder=folder)
    assert done.returncode == 0
    assert json.loads(done.stdout) == FINE
    assert "noise" in done.stderr


def test_a_module_is_loaded_without_a_stdout(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("main.py").write_text(POLICY)
    monkeypatch.setattr(sys, "__stdout__", None)
    assert run_json("check", "main:policy") == FINE


@pytest.mark.parametrize(
    ("target", "source", "says"),
    [
        ("main:x", "raise BaseException('no')", "main cannot be imported: BaseException: no"),
        (
            "main:make()",
            "import asyncio\ndef make():\n    raise asyncio.CancelledError('stop')\n",
            "main:make() fails: CancelledError: stop",
        ),
        ("main:x", "raise ValueError('a\\x1b[31mb')", "ValueError: a\\x1b[31mb"),
        (
            "main:x",
            "class E(Exception):\n    def __str__(self):\n        raise ValueError\nraise E()\n",
            "main cannot be imported: E: no message",
        ),
        ("sys:modules", "", "sys:modules is a dict"),
        ("x" * 5000, "", "there is no module xxx"),
        ("x" * 5000 + ".toml", "", "there is no file xxx"),
        ("a\x1b[31m.toml", "", "there is no file a\\x1b[31m.toml"),
        ("main.py:app", "", "main.py is a file's name; name the module, such as main:app"),
    ],
)
def test_a_hostile_target_ends_with_one_line_and_2(target: str, source: str, says: str) -> None:
    Path("main.py").write_text(source)
    result = run("check", target, "--json")
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert "\x1b" not in result.stderr
    assert result.stdout == ""


def test_an_interrupt_during_an_import_aborts() -> None:
    Path("main.py").write_text("raise KeyboardInterrupt\n")
    result = run("check", "main:x", "--json")
    assert "Aborted!" in result.stderr
    assert result.stdout == ""


def test_threads_that_never_end_are_not_waited_for(folder: Path) -> None:
    Path("main.py").write_text(
        f"import threading\nthreading.Thread(target=threading.Event().wait).start()\n{POLICY}"
    )
    done = run_process("check", "main:policy", "--json", folder=folder)
    assert done.returncode == 0
    assert json.loads(done.stdout) == FINE
    failed = run_process("check", "main:nothing", folder=folder)
    assert failed.returncode == 2
    assert "there is no nothing in main" in failed.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_ends_with_2(folder: Path) -> None:
    Path("cors.toml").write_text(f'allow_origins = ["{APP}"]\n')
    script = "from corscore_cli import main; main()"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", script, "check", "cors.toml", "--json"],
            cwd=folder,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "source",
    [
        "from fastapi import FastAPI\nSECRET_KEY = 'x'\napp = FastAPI()\n",
        "from flask import Flask\nDEBUG = True\napp = Flask('x')\n",
        f"from corscore import Policy\nAPP = '{APP}'\napp = Policy(allow_origins=[APP])\n",
    ],
    ids=["fastapi", "flask", "a policy"],
)
def test_a_module_of_an_app_is_no_settings_module(folder: Path, source: str) -> None:
    Path("main.py").write_text(source)
    # In another process, since a process configures Django once.
    result = run_process("check", "main", folder=folder)
    assert result.returncode == 2
    assert "main is no Django settings module; for the app in it write main:app" in result.stderr


def test_control_characters_are_shown_and_not_sent() -> None:
    Path("cors.toml").write_text(f'allow_origins = ["{APP}"]\n"al\\u001b[31mlow" = 3\n')
    (problem,) = run_json("check", "cors.toml", exit_code=1)["problems"]
    assert problem["code"] == "option-unknown"
    for env in ({}, {"FORCE_COLOR": "1"}):
        said = run("check", "cors.toml", env=dict(env)).stdout
        assert "al\\x1b[31mlow" in said
        assert "al\x1b" not in said


def test_a_file_name_of_any_bytes_is_encoded_or_escaped(folder: Path) -> None:
    name = os.fsdecode(b"\xff b.toml")
    try:
        Path(name).write_text('allow_origins = ["https://app.example.com/"]\n')
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    done = run_process("check", name, "--format", "sarif", folder=folder)
    assert done.returncode == 1
    (result,) = json.loads(done.stdout)["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "%FF%20b.toml"
    for form in ("text", "github", "json"):
        done = run_process("check", name, "--format", form, folder=folder)
        assert done.returncode == 1, done.stderr


def test_a_file_that_is_no_toml_is_named_as_it_is() -> None:
    Path("cors.toml").write_text("no\n")
    (problem,) = run_json("check", "cors.toml", exit_code=1)["problems"]
    assert (problem["code"], problem["value"]) == ("file-unreadable", "cors.toml")
