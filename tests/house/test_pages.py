"""A reader who follows a page gets what the page says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from runpy import run_path

import pytest

from pages import Reader

ROOT = Path(__file__).parents[2]
# The wheel to follow the pages with, in an environment made from it: make docs-check.
WHEEL = os.environ.get("CORSCORE_WHEEL")
# What changes the least between the runs of one page; the others have seconds of servers.
QUICK = ["README.md"]
FOLLOWED = [
    "README.md",
    *(
        f"docs/{name}.md"
        for name in (
            "cookies",
            "environments",
            "explanation",
            "fastapi",
            "faq",
            "jwt",
            "mcp",
            "nextjs",
            "options",
            "proxies",
            "react-vite",
            "transfers",
            "tutorial",
        )
    ),
]
# Those that install what the tests do not have.
INSTALL = ["docs/mcp.md"]


@pytest.fixture(scope="session")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands are: of this environment, or of a new one with nothing in it."""
    if WHEEL is None:
        return Path(sys.executable).parent
    folder = tmp_path_factory.mktemp("reader") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder / "bin"


def page_cases() -> list[object]:
    slow = pytest.mark.slow
    return [
        pytest.param(page, id=page, marks=() if page in QUICK or WHEEL else slow)
        for page in FOLLOWED
        if WHEEL or page not in INSTALL
    ]


def test_every_option_is_in_the_table_under_its_names() -> None:
    # The page's own program: it is no module of a package.
    program = run_path(str(ROOT / "docs" / "option_table.py"))
    text = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert program["page"](text) == text


@pytest.mark.parametrize("page", page_cases())
def test_a_page_can_be_followed(page: str, scripts: Path, tmp_path: Path) -> None:
    wheel = Path(WHEEL).resolve() if WHEEL else None
    Reader(tmp_path, scripts, wheel).follow(ROOT / page)
