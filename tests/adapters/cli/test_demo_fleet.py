"""``corscore store demo``: a pushed policy arrives at each worker of two hosts."""

from __future__ import annotations

import io
import shutil
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from cli_runs import run
from corscore_cli.demo import fleet
from corscore_store import open_store

if TYPE_CHECKING:
    from pathlib import Path

FALSE = shutil.which("false")


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=160)


def written(console: Console) -> str:
    file: Any = console.file
    text: str = file.getvalue()
    return text


@pytest.mark.subprocess
@pytest.mark.parametrize(
    "engine", ["SQLite, since redis-server", pytest.param("a Redis", marks=pytest.mark.slow)]
)
def test_pushed_policies_arrive_at_every_worker(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine != "a Redis":
        monkeypatch.setattr(shutil, "which", lambda _: None)
    elif shutil.which("redis-server") is None:
        pytest.skip("redis-server is missing")
    result = run("store", "demo", "--once")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"Two hosts of two workers follow one policy in {engine}")
    for version, word in ((2, "may read"), (3, "may not read"), (4, "may read")):
        assert f"Version {version} is pushed: a page of the shop {word}." in result.stdout
        assert result.stdout.count(f"version {version}: the shop {word}") == 4
        assert f"4 of 4 workers serve version {version}." in result.stdout
    assert {line.split()[2] for line in result.stdout.splitlines() if " ms " in line} == {
        "host-1",
        "host-2",
    }
    assert result.stderr == ""


def test_a_line_pushes_the_next_policy(console: Console, tmp_path: Path) -> None:
    store = open_store(f"sqlite:{tmp_path}/cors.db")
    started = fleet.Fleet(store, "", "SQLite")
    arrival = fleet.Arrival(0.0, "host-1  process 7", 1, readable=True)
    started.arrivals.put(arrival)
    fleet.print_pushes(console, started, io.StringIO("\n\n"))
    assert store.state().version == 2
    assert "host-1  process 7  version 1: the shop may read" in written(console)
    assert "0 of 0 workers serve version 2." in written(console)


def test_a_worker_without_the_pushed_version_is_counted_as_missing(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "_TIMEOUT_SECONDS", 0.0)
    started = fleet.Fleet(open_store(f"sqlite:{tmp_path}/cors.db"), "", "SQLite")
    worker = fleet.DemoWorker.__new__(fleet.DemoWorker)
    for worker.served in (None, fleet.Arrival(0.0, "", 1, readable=True)):
        started.workers = [worker]
        assert not fleet.print_push(console, started)
    assert "0 of 1 workers serve version 2." in written(console)


def test_a_worker_that_does_not_start_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(sys, "executable", FALSE)
    result = run("store", "demo", "--once")
    assert result.exit_code == 2
    assert "a worker of host-1 did not start" in result.stderr


def test_sqlite_serves_where_redis_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: FALSE)
    with fleet._store(tmp_path) as (url, engine):
        assert url.startswith("sqlite:")
        assert engine == "SQLite, since redis-server did not start"


def test_one_address_serves_both_hosts_where_loopback_has_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(address: object) -> None:
        raise OSError("no such address")

    assert set(fleet._addresses()) == {"host-1", "host-2"}
    monkeypatch.setattr(socket, "create_server", refuse)
    assert set(fleet._addresses().values()) == {"127.0.0.1"}
