"""docs/codes: every code that the source can give has a page, and every page a code and a test."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from corscore.browser import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "codes"
SOURCES = [*(ROOT / "corscore").rglob("*.py"), *(ROOT / "adapters").rglob("*.py")]
TESTS = [
    path
    for pattern in ("*.py", "*.json")
    for path in (ROOT / "tests").rglob(pattern)
    if path.name != Path(__file__).name
]

# Functions whose first argument is a code.
GIVES_CODES = {
    "Finding",
    "NoResponse",
    "Problem",
    "Refusal",
    "_Problem",
    "_finding",
    "_problem",
    "add",
    "finding",
    "log",
    "note",
    "problem",
    "stop",
}
LONGEST_PAGE = 30
_CODE = r"[a-z]+(-[a-z]+)+"


@cache
def pages() -> dict[str, str]:
    return {
        path.stem: path.read_text(encoding="utf-8")
        for path in PAGES.glob("*.md")
        if path.name != "README.md"
    }


@cache
def codes() -> frozenset[str]:
    found = {code for path in SOURCES for code in _codes_in(_nodes(path))}
    return frozenset(found.union(REASONS))


@cache
def _nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text("utf-8"))))


def _codes_in(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        code: ast.AST | None = None
        if isinstance(node, ast.Call) and node.args:
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)
            if name in GIVES_CODES:
                code = node.args[0]
        elif isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
            code = node.value.elts[0]
        elif isinstance(node, ast.Assign) and "code" in ast.unparse(node.targets[0]).lower():
            code = node.value.elts[0] if isinstance(node.value, ast.Tuple) else node.value
        if isinstance(code, ast.Constant) and re.fullmatch(_CODE, str(code.value)):
            yield str(code.value)


def _words_in(paths: list[Path]) -> set[str]:
    return {word for path in paths for word in re.findall(r"[\w-]+", path.read_text("utf-8"))}


def test_every_code_has_a_page() -> None:
    assert sorted(codes() - pages().keys()) == []


def test_the_search_for_codes_finds_some_of_each_kind() -> None:
    assert codes() >= {
        "apex-not-covered",
        "method-case",
        "no-allow-origin",
        "origin-null",
        "origin-trailing-slash",
        "origins-missing",
    }


def test_every_page_has_a_code_and_a_test() -> None:
    assert pages()
    assert pages().keys() - _words_in(SOURCES) == set()
    assert pages().keys() - _words_in(TESTS) == set()


def test_a_page_has_the_cause_an_example_and_the_fix() -> None:
    for code, text in pages().items():
        assert text.startswith(f"# `{code}`\n\n")
        assert text.count("```") == 2, code
        assert text.count("\n**Fix.** ") == 1, code
        assert len(text.splitlines()) < LONGEST_PAGE, code


def test_no_message_points_into_the_project() -> None:
    # Users of the wheel have `corscore code`, and no other file of the project.
    for path in SOURCES:
        docstrings = {
            ast.get_docstring(node, clean=False)
            for node in _nodes(path)
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        }
        for node in _nodes(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                points = re.search(r"\b(?:docs|README|tests)/|\w\.md\b", node.value)
                assert not points or node.value in docstrings, f"{path}: {node.value}"


def test_the_index_has_every_page_once() -> None:
    index = (PAGES / "README.md").read_text("utf-8")
    listed = re.findall(r"^- \[`([a-z-]+)`\]\(\1\.md\): .+\.$", index, re.MULTILINE)
    assert sorted(listed) == sorted(pages())


def test_links_lead_somewhere() -> None:
    for path in PAGES.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text("utf-8")):
            assert (PAGES / target).is_file(), (path, target)
