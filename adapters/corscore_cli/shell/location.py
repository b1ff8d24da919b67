"""Locations of options and values in TOML files and Python source."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_PREFIX = "cors_"
# A key of a value, or the header of a table.
_TOML_KEY = re.compile(
    r"""^\s*(?:["']?([A-Za-z0-9_-]+)["']?\s*=|\[+\s*["']?([A-Za-z0-9_-]+)["']?\s*\])"""
)


@dataclass(frozen=True, slots=True)
class Location:
    """The file and line of an option, as far as they are known.

    Attributes:
        name: The option, as its user wrote it, or the TARGET.
        file: A path relative to the current folder, where the file lies below it.
        line: Counted from 1.
    """

    name: str
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        if self.file is None:
            return self.name
        return self.file if self.line is None else f"{self.file}:{self.line}"


class Locator(Protocol):
    """A function that finds the location of an option, or of one of its values."""

    def __call__(self, name: str, value: object = None) -> Location: ...


def nowhere(name: str, value: object = None) -> Location:  # noqa: ARG001 - it is a Locator
    """Locate an option that is in no file, such as a variable of the environment."""
    return Location(name)


def shown_path(path: str | Path) -> str:
    """Return a path for people, relative to the current folder if it lies below it."""
    absolute = Path(path).absolute()
    try:
        return absolute.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


def option_of(name: str) -> str:
    """Return the option that a key, a setting or a variable names: ``max_age``."""
    return name.lower().removeprefix(_PREFIX)


class TomlLocator:
    """Locations of keys and values in a TOML file of one table.

    It searches the text line by line, since a TOML parser returns no lines.
    """

    def __init__(self, path: str | Path) -> None:
        self._file = shown_path(path)
        try:
            self._lines = Path(path).read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            self._lines = []

    def __call__(self, name: str, value: object = None) -> Location:
        key_line = None
        for number, line in enumerate(self._lines, 1):
            key = _TOML_KEY.match(line)
            if key is not None:
                if key_line is not None:
                    break
                if option_of(key[1] or key[2]) == option_of(name):
                    key_line = number
            if key_line is not None and _holds(line, value):
                return Location(name, self._file, number)
        return Location(name, self._file, key_line)


def _holds(line: str, value: object) -> bool:
    return isinstance(value, str) and (json.dumps(value) in line or f"'{value}'" in line)


class PythonLocator:
    """Locations of options and values in Python source.

    Args:
        path: The file.
        near: The line of a call, or the name of an assigned variable: the statement to search. The
            whole file is searched without it, or where there is no such statement.
    """

    def __init__(self, path: str | Path, near: int | str | None = None) -> None:
        self._file = shown_path(path)
        self._near = near
        try:
            self._tree: ast.AST | None = ast.parse(Path(path).read_bytes())
        except (OSError, ValueError, SyntaxError, RecursionError):
            self._tree = None

    def __call__(self, name: str, value: object = None) -> Location:
        node = self._statement(name)
        if node is not None:
            line = _line_in(node, name, value) or getattr(node, "lineno", None)
        else:
            line = self._near if isinstance(self._near, int) else None
        if line is None and self._tree is not None:
            line = _only_line_in(self._tree, name, value)
        return Location(name, self._file if line else None, line)

    def _statement(self, name: str) -> ast.AST | None:
        """Return the statement to search, or None for the whole file."""
        if self._tree is None:
            return None
        if isinstance(self._near, int):
            return _innermost(self._tree, self._near)
        wanted = {name, self._near}
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(isinstance(target, ast.Name) and target.id in wanted for target in targets):
                    return node
        return None


def _innermost(tree: ast.AST, line: int) -> ast.AST | None:
    """Return the smallest statement that contains a line."""
    found: ast.stmt | None = None
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            found = node
    return found


def _line_in(node: ast.AST, name: str, value: object) -> int | None:
    return next(iter((*_lines_of_value(node, value), *_lines_of_option(node, name))), None)


def _only_line_in(tree: ast.AST, name: str, value: object) -> int | None:
    """Return the line of a value or option that occurs once."""
    for lines in (_lines_of_value(tree, value), _lines_of_option(tree, name)):
        if len(lines) == 1:
            return lines[0]
    return None


def _lines_of_value(node: ast.AST, value: object) -> list[int]:
    if not isinstance(value, str) or not value:
        return []
    return [
        child.lineno
        for child in ast.walk(node)
        if isinstance(child, ast.Constant) and child.value == value
    ]


def _lines_of_option(node: ast.AST, name: str) -> list[int]:
    return [
        child.value.lineno
        for child in ast.walk(node)
        if isinstance(child, ast.keyword) and child.arg == name
    ]
