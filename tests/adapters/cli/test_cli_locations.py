"""Locations of options and values, in files and in Python source."""

from __future__ import annotations

from pathlib import Path

import pytest

from corscore_cli.shell.location import Location, PythonLocator, TomlLocator, nowhere

TOML = """\
title = 1
allow_origins = ["a",
  'b', "c\\td"]

max_age = 5

[extra]
"x y" = 1
"""
PYTHON = """\
from corscore import Policy

public: Policy = Policy(allow_origins=["a"])
policy = Policy(
    allow_origins=[
        "a",
        "b",
    ],
    max_age=5,
)
other = "only"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cors.toml").write_text(TOML)
    Path("main.py").write_text(PYTHON)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("allow_origins", "a", 2),
        ("allow_origins", "b", 3),
        ("CORS_ALLOW_ORIGINS", "c\td", 3),
        ("allow_origins", "z", 2),
        ("allow_origins", None, 2),
        ("max_age", 5, 5),
        ("extra", {"x y": 1}, 7),
        ("debug", True, None),
    ],
)
def test_options_and_values_in_a_toml_file_have_their_lines(
    name: str, value: object, line: int | None
) -> None:
    assert TomlLocator("cors.toml")(name, value) == Location(name, "cors.toml", line)


@pytest.mark.parametrize(
    ("near", "name", "value", "line"),
    [
        ("policy", "allow_origins", "a", 6),
        ("policy", "allow_origins", "b", 7),
        ("policy", "max_age", 5, 9),
        ("policy", "debug", True, 4),
        ("public", "allow_origins", "a", 3),
        (4, "allow_origins", "b", 7),
        (4, "debug", None, 4),
        (99, "debug", None, 99),
        # Without a known statement, a text that occurs once is found.
        (None, "allow_origins", "b", 7),
        (None, "allow_origins", "a", None),
        (None, "max_age", 5, 9),
        (None, "debug", True, None),
        # A setting of Django is a variable of the same name.
        (None, "other", "only", 11),
    ],
)
def test_options_and_values_in_python_have_their_lines(
    near: int | str | None, name: str, value: object, line: int | None
) -> None:
    place = PythonLocator("main.py", near)(name, value)
    assert place == Location(name, None if line is None else "main.py", line)


@pytest.mark.parametrize("path", ["nowhere", "broken.py"])
def test_an_unreadable_file_has_no_lines(path: str) -> None:
    Path("broken.py").write_text("max_age = (5\n")
    assert PythonLocator(path)("max_age", 5) == Location("max_age")
    assert PythonLocator(path, 7)("max_age", 5) == Location("max_age", path, 7)
    assert TomlLocator("nowhere")("max_age") == Location("max_age", "nowhere")


def test_a_location_is_shown_as_file_and_line() -> None:
    assert str(nowhere("max_age", 5)) == "max_age"
    assert str(Location("max_age", "cors.toml")) == "cors.toml"
    assert str(Location("max_age", "cors.toml", 3)) == "cors.toml:3"
