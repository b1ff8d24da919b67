"""The command ``corscore`` as a whole: help, mistakes, what it imports, colours, completion."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from rich.text import Text

from cli_runs import run, run_json, run_process
from corscore._standard import page
from corscore.diagnostics import code_page
from corscore_cli.shell import pages
from corscore_cli.shell.output import code_text, make_console, say, to_json
from corscore_cli.shell.pages import print_page

COMMANDS = ["check", "explain", "probe", "console", "har", "diff", "migrate", "store", "demo"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("good.toml").write_text('allow_origins = ["https://app.example.com"]\n')
    Path("bad.toml").write_text('allow_origins = ["https://app.example.com/"]\n')
    return tmp_path


def test_help_lists_every_command_in_the_order_of_need() -> None:
    shown = run("--help").stdout
    places = [shown.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)
    assert run("-h").stdout == shown


def test_help_has_whole_summaries_and_examples() -> None:
    shown = run("--help").stdout
    assert "..." not in shown.partition("Commands:")[2]
    assert "Examples:\n    corscore check main:app\n" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: corscore {name} ")


def test_version_prints_the_version_of_the_package() -> None:
    assert run("--version").stdout == f"corscore {version('corscore')}\n"


@pytest.mark.parametrize(
    "args",
    [
        ["chekc"],
        ["check", "--nope"],
        ["check", "a.toml", "b.toml"],
        ["check", "a.toml", "--format", "yaml"],
        ["check", "--app-dir", "nowhere", "main:app"],
        ["explain", "a.toml"],
        ["diff", "a.toml"],
        ["migrate", "main:app"],
        ["migrate", "--from", "rails", "main:app"],
    ],
    ids=" ".join,
)
def test_a_mistake_in_the_call_ends_with_2_and_the_usage(folder: Path, args: list[str]) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert "Usage: corscore" in result.stderr
    assert result.stdout == ""


def test_check_loads_neither_a_server_nor_a_client(folder: Path) -> None:
    script = (
        "import sys\nfrom corscore_cli.shell.command import corscore\n"
        "corscore(['check', 'good.toml'], standalone_mode=False)"
    )
    ended = f"import atexit, sys\natexit.register(lambda: print(*sorted(sys.modules)))\n{script}"
    done = subprocess.run(
        [sys.executable, "-c", ended], cwd=folder, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "rich" in loaded
    assert not loaded & {"uvicorn", "httpx2", "starlette", "fastapi", "flask", "django"}


@pytest.mark.parametrize(
    ("file", "code", "says"),
    [
        ("good.toml", 0, "good.toml: nothing is wrong.\n"),
        ("bad.toml", 1, "bad.toml:1: error origin-trailing-slash"),
        ("none.toml", 2, "Error: there is no file none.toml\n"),
    ],
)
def test_a_process_ends_with_its_exit_code_and_writes_plain_text_to_a_pipe(
    folder: Path, file: str, code: int, says: str
) -> None:
    done = run_process("check", file, folder=folder)
    assert done.returncode == code
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    # A pipe gets no colours and no links.
    assert "\x1b" not in done.stdout + done.stderr


def test_characters_that_stdout_lacks_are_escaped(folder: Path) -> None:
    Path("ä€.toml").write_text('allow_origins = ["https://b\u00fccher.example"]\n', "utf-8")
    done = run_process("check", "ä€.toml", folder=folder, PYTHONIOENCODING="ascii")
    assert done.returncode == 1, done.stderr
    assert "\\xe4\\u20ac.toml:1: error origin-not-ascii" in done.stdout


def test_colours_are_for_terminals_that_want_them(folder: Path) -> None:
    terminal: dict[str, str | None] = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    coloured = run("check", "bad.toml", env=terminal).stdout
    assert "\x1b[31merror" in coloured
    assert "\x1b" not in run("check", "bad.toml").stdout
    assert "\x1b" not in run("check", "bad.toml", env={**terminal, "NO_COLOR": "1"}).stdout


def test_lines_break_on_a_terminal_and_not_in_a_pipe(folder: Path) -> None:
    long = f'allow_methods = ["PUT", "x{"y" * 30} z"]\nallow_origins = ["*"]\n'
    Path("long.toml").write_text(long)
    assert any(
        len(line) > 80
        for line in run("explain", "good.toml", "--origin", "null").stdout.splitlines()
    )
    narrow = run("explain", "good.toml", "--origin", "null", env={"COLUMNS": "60"}).stdout
    assert all(len(line) <= 60 for line in narrow.splitlines() if "http" not in line)
    assert not any(line.endswith(" ") for line in run("check", "long.toml").stdout.splitlines())


def test_a_code_leads_to_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    assert code_page("null-origin") == "corscore code null-origin"
    assert not code_text("null-origin").style.link  # type: ignore[union-attr]
    monkeypatch.setattr(page, "_documentation", lambda: "https://docs.example/corscore")
    address = "https://docs.example/corscore/docs/codes/null-origin.html"
    assert code_page("null-origin") == address
    assert code_text("null-origin").style.link == address  # type: ignore[union-attr]


def test_the_documentation_is_where_the_package_says(monkeypatch: pytest.MonkeyPatch) -> None:
    class Metadata:
        def get_all(self, name: str) -> list[str]:
            assert name == "Project-URL"
            return ["Source, https://code.example", "Documentation, https://docs.example/c/"]

    monkeypatch.setattr(importlib.metadata, "metadata", lambda name: Metadata())
    page._documentation.cache_clear()
    try:
        assert code_page("null-origin") == "https://docs.example/c/docs/codes/null-origin.html"
    finally:
        page._documentation.cache_clear()


def test_a_page_is_a_command_where_the_package_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "metadata", missing)
    page._documentation.cache_clear()
    try:
        assert code_page("null-origin") == "corscore code null-origin"
    finally:
        page._documentation.cache_clear()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        (float("nan"), "nan"),
        ({1: {"a"}}, {"1": ["a"]}),
        ((b"x",), ["b'x'"]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ("\ud800", "\ud800"),
    ],
)
def test_any_value_has_a_form_in_json(value: object, expected: object) -> None:
    assert to_json(value) == expected
    json.dumps(to_json(value), allow_nan=False)


def test_a_paragraph_is_indented_and_not_filled_up(capsys: pytest.CaptureFixture[str]) -> None:
    console = make_console()
    say(console, "one\n  two [red]", indent=2)
    say(console, Text("three"), style="bold")
    assert capsys.readouterr().out == "  one\n    two [red]\nthree\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_installed(folder: Path, shell: str) -> None:
    done = run_process(folder=folder, _CORSCORE_COMPLETE=f"{shell}_source")
    # Click asks bash itself for its version.
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("there is no bash")
    assert done.returncode == 0, done.stderr
    assert "_CORSCORE_COMPLETE" in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("corscore ", {"plain,check", "plain,explain", "plain,migrate"}),
        ("corscore check --for", {"plain,--format"}),
        ("corscore check --format s", {"plain,sarif"}),
        ("corscore check ", {"file,", "plain,env"}),
        ("corscore diff a.toml b", {"file,b"}),
    ],
)
def test_a_shell_completes_commands_options_and_targets(
    folder: Path, words: str, expected: set[str]
) -> None:
    given = words.split(" ")
    done = run_process(
        folder=folder,
        _CORSCORE_COMPLETE="bash_complete",
        COMP_WORDS=words,
        COMP_CWORD=str(len(given) - 1),
    )
    assert expected <= set(done.stdout.split()), done.stderr


def test_json_is_one_object_whatever_a_module_prints(folder: Path) -> None:
    Path("noisy.py").write_text(
        "print('hello')\nfrom corscore import Policy\n"
        "policy = Policy(allow_origins=['https://app.example.com'])\n"
    )
    assert run_json("check", "noisy:policy", exit_code=0) == {"problems": [], "findings": []}
    assert "hello" in run("check", "noisy:policy").stderr


def test_python_m_runs_the_command() -> None:
    command = [sys.executable, "-m", "corscore_cli", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"corscore {version('corscore')}\n"


def test_code_shows_the_page_of_every_code() -> None:
    folder = Path(__file__).parents[3] / "docs" / "codes"
    for path in folder.glob("*.md"):
        if path.stem == "README":
            continue
        result = run("code", path.stem)
        assert result.exit_code == 0
        assert result.stdout.startswith(f"# `{path.stem}`\n\n")
        assert "**Fix.**" in result.stdout
        assert "README.md" not in result.stdout


def test_code_lists_the_codes() -> None:
    assert "\n- `origin-trailing-slash`: The origin ends in a slash.\n" in run("code").stdout


def test_code_finds_pages_by_their_text() -> None:
    found = run("code", "--search", "SAMESITE=none").stdout.splitlines()
    assert [line.partition(":")[0] for line in found] == ["- `cookie-not-sent`"]
    for wrong in (["--search", "no such text"], ["null-origin", "--search", "x"]):
        assert run("code", *wrong).exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["origin-trailing-slash"],
        ["django-checks"],
        ["--search", "SameSite"],
        ["nul-origin"],
        ["--search", "no such text"],
    ],
)
def test_code_needs_no_package_of_the_command(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    result = run("code", *arguments)
    assert print_page(arguments) == result.exit_code
    said = capsys.readouterr()
    assert said.out == result.stdout
    assert said.err.splitlines() == result.stderr.splitlines()[-1:]


def test_code_without_the_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in (["--help"], ["null-origin", "--search", "x"]):
        assert print_page(wrong) == 2
        assert "corscore code [CODE] [--search TEXT]" in capsys.readouterr().err


def test_pages_that_are_not_installed_are_a_mistake(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pages, "_FOLDERS", (tmp_path,))
    assert print_page([]) == 2
    assert "not installed" in capsys.readouterr().err


def test_code_renders_a_page_on_a_terminal() -> None:
    shown = run("code", "origin-trailing-slash", env={"FORCE_COLOR": "1", "COLUMNS": "80"}).stdout
    assert "Drop the slash" in shown
    assert "**Fix.**" not in shown


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nul-origin", 'no code "nul-origin"; did you mean null-origin?'),
        ("README", "corscore code lists them"),
        ("../codes/null-origin", "did you mean null-origin?"),
    ],
)
def test_code_refuses_a_name_without_a_page(name: str, says: str) -> None:
    result = run("code", name)
    assert result.exit_code == 2
    assert says in result.stderr
