"""docs/cli.md: each command prints what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cli_runs import run

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "cli.md").read_text(encoding="utf-8")
FILES = re.compile(r"^```(?:python|toml)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The commands that send nothing to a server.
SHOWN = re.findall(
    r"^```console\n[$] corscore ((?:check|console|explain|diff|migrate) .*)\n([^`]+|[^$]+?)^```$",
    PAGE,
    re.MULTILINE,
)
COLUMNS = "88"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.findall(PAGE):
        Path(name).write_text(text, encoding="utf-8")


def test_every_command_is_shown() -> None:
    assert {call.split()[0] for call, _ in SHOWN} == {
        *("check", "console", "explain", "diff", "migrate"),
    }


@pytest.mark.parametrize(("call", "output"), SHOWN, ids=[call for call, _ in SHOWN])
def test_a_command_prints_what_the_page_says(call: str, output: str) -> None:
    result = run(*shlex.split(call), env={"COLUMNS": COLUMNS})
    assert result.stdout.splitlines() == output.splitlines()
    assert result.stderr == ""


def test_every_screenshot_is_shown_and_loads_nothing() -> None:
    pictures = set(re.findall(r"\]\((cli/\w+[.]svg)\)", PAGE))
    assert {f"cli/{path.name}" for path in (DOCS / "cli").glob("*.svg")} == pictures
    for name in pictures:
        text = (DOCS / name).read_text(encoding="utf-8")
        assert "url(http" not in text.replace("&quot;", "")
        assert "@font-face" not in text
