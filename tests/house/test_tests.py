"""Rules for the tests themselves."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parents[1]
MODULES = sorted(TESTS.rglob("test_*.py"))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def can_fail(function: ast.AST, helpers: set[str]) -> bool:
    """Whether a function asserts something, or calls a helper that does."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        if name in {"raises", "warns"} or name.startswith("assert") or name in helpers:
            return True
        # subprocess.run raises if the process fails.
        if any(word.arg == "check" and ast.unparse(word.value) == "True" for word in node.keywords):
            return True
    return False


def test_every_test_asserts_something() -> None:
    assert MODULES
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        all_functions = list(functions(tree))
        helpers: set[str] = set()
        # Helpers may call helpers.
        for _ in range(3):
            helpers |= {one.name for one in all_functions if can_fail(one, helpers)}
        helpers = {name for name in helpers if not name.startswith("test_")}
        tests = [one for one in all_functions if one.name.startswith("test_")]
        assert [one.name for one in tests if not can_fail(one, helpers)] == [], path
