"""The documentation agrees with the data files, and its links lead somewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

from corscore.browser import KNOWN_DEVIATIONS

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *DOCS]
PEERS = {
    "starlette": "differences_starlette.json",
    "flask-cors": "differences_flask_cors.json",
    "django-cors-headers": "differences_django_cors_headers.json",
}


def differences(peer: str) -> list[dict[str, Any]]:
    text = (ROOT / "tests" / "data" / PEERS[peer]).read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def table_row(row: dict[str, Any], peer: str) -> str:
    cells = (row["difference"], row[peer], row["corscore"], row["why"])
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


@pytest.mark.parametrize("peer", PEERS)
def test_every_deliberate_difference_is_in_the_guide_to_moving_over(peer: str) -> None:
    text = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")
    head = f"| difference | {peer} | corscore | why |\n|---|---|---|---|\n"
    tables = re.findall(rf"^### (.*)\n\n{re.escape(head)}((?:\|.*\n)+)", text, re.MULTILINE)
    found = [(group, line) for group, table in tables for line in table.splitlines()]
    assert found == [(row["group"], table_row(row, peer)) for row in differences(peer)]
    assert max(len(table.splitlines()) for _, table in tables) <= 15


def test_every_deviation_of_a_browser_is_in_its_table() -> None:
    names = {"chromium": "Chromium", "firefox": "Firefox", "safari": "WebKit"}
    browsers: dict[tuple[str, str], list[str]] = {}
    for known in KNOWN_DEVIATIONS:
        when = known.when[0].upper() + known.when[1:]
        browsers.setdefault((when, known.what), []).append(names[known.browser])
    text = (ROOT / "docs" / "browsers.md").read_text(encoding="utf-8")
    # The table of console texts has no deviations.
    text = text.partition("## What their consoles say")[0]
    found = [
        line for line in text.splitlines() if line.endswith(tuple(f"{b} |" for b in names.values()))
    ]
    rows = [f"| {when} | {what} | {', '.join(by)} |" for (when, what), by in browsers.items()]
    assert sorted(found) == sorted(rows)


# Pages for reference, which may be long.
REFERENCE = {"docs/cli.md", "docs/performance.md"}


def test_no_page_is_long_but_those_for_reference() -> None:
    lines = {
        str(page.relative_to(ROOT)): len(page.read_text(encoding="utf-8").splitlines())
        for page in PAGES
    }
    long = {name for name, count in lines.items() if count > 255}
    assert long <= REFERENCE


def test_links_inside_the_repository_lead_somewhere() -> None:
    assert DOCS
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), (page, target)


def test_every_promise_of_the_security_page_has_its_test() -> None:
    named = re.findall(r"`(test_\w+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    suite = ROOT / "corscore" / "testing" / "conformance" / "_suite.py"
    paths = [suite, *(ROOT / "tests").rglob("test_*.py")]
    tests = "".join(path.read_text("utf-8") for path in paths)
    assert named
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_links_of_readme_lead_somewhere_on_the_package_index(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("setuptools.setup", lambda **options: given.update(options))
    readme = run_path(str(ROOT / "setup.py"))["readme"]
    assert given["long_description"] == readme("")
    local = re.compile(r"\]\((?!https://)[^)]*\)")
    assert local.findall(readme("")) == []
    published = readme("https://docs.example/c")
    assert local.findall(published) == []
    assert "(https://docs.example/c/docs/codes/cookie-not-sent.html)" in published
    assert "(https://docs.example/c/_images/performance.svg)" in published
