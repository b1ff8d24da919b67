"""Runs of the command, in this process or in another one."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from corscore_cli.shell.command import corscore

# Variables of the machine must not change a run.
_PLAIN = {"NO_COLOR": None, "FORCE_COLOR": None, "COLUMNS": None}


# Since version 8.2, click always keeps the streams apart and has no such argument.
_APART: dict[str, Any] = (
    {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
)


def run(
    *args: str, env: dict[str, str | None] | None = None, given: str | bytes | None = None
) -> Result:
    """Run the command in this process, and return its exit code and streams.

    Args:
        args: The arguments.
        env: Variables of the environment.
        given: The standard input.
    """
    runner = CliRunner(**_APART)
    return runner.invoke(corscore, args, input=given, env={**_PLAIN, **(env or {})})


def run_json(*args: str, exit_code: int | None = None) -> Any:
    """Run the command with ``--json``, and return the one object that it prints."""
    result = run(*args, "--json")
    if exit_code is not None:
        assert result.exit_code == exit_code, result.output
    said = json.loads(result.stdout)
    assert isinstance(said, dict)
    return said


def run_process(*args: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a process, in a folder."""
    script = "import sys; from corscore_cli import main; sys.argv[0] = 'corscore'; main()"
    plain = {key: value for key, value in os.environ.items() if not key.startswith("CORS_")}
    return subprocess.run(
        [sys.executable, "-c", script, *args],
        cwd=folder,
        env={**plain, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
