"""``corscore store``: push, pull, history, rollback, status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cli_runs import run, run_json
from corscore_store import Worker, open_store

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from corscore_store import Store

A, B = "https://a.example", "https://b.example"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path}/cors.db"


@pytest.fixture
def opened(url: str) -> Store:
    return open_store(url)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cors.toml"
    path.write_text(f'allow_origins = ["{A}"]\n')
    return path


def push(file: Path, url: str, *options: str) -> Result:
    return run("store", "push", str(file), "--to", url, "--yes", *options)


def test_a_file_is_pushed_once(file: Path, url: str, opened: Store) -> None:
    first = push(file, url)
    assert first.exit_code == 0, first.output
    assert "Version 1 is written" in first.stdout
    assert "is the same" in push(file, url).stdout
    assert json.loads(opened.history()[0].document) == {"allow_origins": [A]}
    pulled = run("store", "pull", "--from", url)
    assert json.loads(pulled.stdout) == {"allow_origins": [A]}


@pytest.mark.parametrize(("answer", "written"), [("y\n", 2), ("n\n", 1)])
def test_the_difference_is_shown_before_it_is_written(
    file: Path, url: str, opened: Store, answer: str, written: int
) -> None:
    push(file, url)
    file.write_text(f'allow_origins = ["{B}"]\n')
    import click.testing

    from corscore_cli.shell.command import corscore

    result = click.testing.CliRunner().invoke(
        corscore, ["store", "push", str(file), "--to", url], input=answer
    )
    assert f"+ origin {B}" in result.output
    assert f"- origin {A}" in result.output
    assert opened.state().version == written
    assert result.exit_code == (0 if written == 2 else 1)


def test_a_version_written_during_the_question_is_not_overwritten(
    file: Path, url: str, opened: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(file, url)

    def confirm(_: str) -> bool:
        opened.write('{"allow_origins": []}', number=2, expected=1, author="")
        return True

    monkeypatch.setattr("click.confirm", confirm)
    file.write_text(f'allow_origins = ["{B}"]\n')
    result = run("store", "push", str(file), "--to", url)
    assert result.exit_code == 2
    assert "version 2 was written meanwhile" in result.stderr
    assert opened.state().version == 2


def test_a_file_with_problems_is_not_written(file: Path, url: str, opened: Store) -> None:
    file.write_text(f'allow_origins = ["{A}/"]\nmax_age = -1\n')
    result = push(file, url)
    assert result.exit_code == 1
    assert "origin-trailing-slash" in result.stdout
    assert "2 problems" in result.stdout
    assert opened.history() == []
    file.write_text("[")
    assert push(file, url).exit_code == 2


RESOLVED = {
    "origins": 'origin_resolver = "tenants"\n',
    "policies": 'policy_resolver = "tenants"\n',
}


@pytest.mark.parametrize("text", RESOLVED.values(), ids=RESOLVED)
def test_a_resolver_is_known_by_an_option_or_by_the_workers(
    file: Path, url: str, opened: Store, text: str
) -> None:
    push(file, url)
    file.write_text(text)
    refused = push(file, url)
    assert refused.exit_code == 1
    assert "resolver-unknown" in refused.stdout
    assert push(file, url, "--resolver", "tenants").exit_code == 0
    assert run("store", "rollback", "1", "--to", url, "--yes").exit_code == 0
    opened.beat(Worker("w", "host", 1, 1, resolvers=("tenants",)))
    assert push(file, url).exit_code == 0
    assert run("store", "rollback", "2", "--to", url, "--yes").stdout.startswith("Version 4 is the")


def test_a_rollback_is_a_new_version(file: Path, url: str, opened: Store) -> None:
    push(file, url)
    file.write_text(f'allow_origins = ["{B}"]\n')
    push(file, url)
    result = run("store", "rollback", "1", "--to", url, "--yes")
    assert result.exit_code == 0
    assert "Version 3 is written" in result.stdout
    assert opened.history()[0].document == opened.history()[2].document
    missing = run("store", "rollback", "9", "--to", url, "--yes")
    assert missing.exit_code == 2
    assert "no version 9; the newest ones: 3, 2, 1" in missing.stderr


def test_a_rollback_to_an_invalid_version_is_refused(url: str, opened: Store) -> None:
    opened.write("{}", number=1, expected=0, author="")
    opened.write("[]", number=2, expected=1, author="")
    assert run("store", "rollback", "1", "--to", url, "--yes").exit_code == 1
    assert opened.state().version == 2


def test_the_history_names_number_time_and_author(file: Path, url: str) -> None:
    assert "no version" in run("store", "history", "--to", url).stdout
    push(file, url)
    line = run("store", "history", "--to", url).stdout
    assert "  1  20" in line
    assert "@" in line
    told = run_json("store", "history", "--to", url, exit_code=0)
    assert [row["version"] for row in told["versions"]] == [1]


def test_the_status_lists_the_workers(file: Path, url: str, opened: Store) -> None:
    push(file, url)
    opened.beat(Worker("a", "one", 11, 1))
    good = run("store", "status", "--from", url)
    assert good.exit_code == 0
    assert good.stdout.startswith("version 1: 1 of 1 workers serve it\n")
    assert "one  process 11  version 1" in good.stdout
    push(file, url)
    opened.write("{}", number=2, expected=1, author="")
    opened.beat(Worker("b", "two", 12, 1, 2, "1 problem\x1b"))
    bad = run("store", "status", "--from", url)
    assert bad.exit_code == 1
    assert "version 2: 0 of 2 workers serve it" in bad.stdout
    assert "refuses 2: 1 problem\\x1b" in bad.stdout
    told = run_json("store", "status", "--from", url, exit_code=1)
    assert [(row["host"], row["refused"]) for row in told["workers"]] == [("one", None), ("two", 2)]


def test_a_heartbeat_is_shown_on_one_line_and_without_escapes(
    file: Path, url: str, opened: Store
) -> None:
    push(file, url)
    opened.beat(Worker("a", "one\nversion 9: all is well\x1b[2J", 11, 1))
    shown = run("store", "status", "--from", url)
    assert len(shown.stdout.splitlines()) == 2
    assert "one\\nversion 9: all is well\\x1b[2J  process 11" in shown.stdout


@pytest.mark.parametrize("document", ['{"\x9b": "\u202e"}', "\x1b[2J", "[" * 100_000])
def test_a_pulled_document_reaches_the_terminal_without_escapes(
    url: str, opened: Store, document: str
) -> None:
    opened.write(document, number=1, expected=0, author="\x1b[2J")
    for command in ("pull", "history"):
        shown = run("store", command, "--from", url)
        assert shown.exit_code == 0
        assert shown.stdout.isascii()
        assert shown.stdout.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "url", ["sqlite:/nowhere/at/all", "hunter2", "redis://u:hunter2@127.0.0.1:1"]
)
def test_a_store_that_cannot_be_reached_is_a_mistake(url: str) -> None:
    result = run("store", "status", env={"CORSCORE_STORE": url})
    assert result.exit_code == 2
    assert "hunter2" not in result.output + result.stderr
