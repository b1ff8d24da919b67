"""The benchmarks run, and measure what their names say. No test here measures a time."""

from __future__ import annotations

import inspect
import json
import sys
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[2]

pytest.importorskip("django", reason="a benchmark needs Django")
pytest.importorskip("flask", reason="a benchmark needs Flask")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FRAMEWORKS = ("asgi", "wsgi", "flask", "django")
PEERS = (
    ("asgi", "starlette"),
    ("asgi", "asgi-cors"),
    ("wsgi", "wsgicors"),
    ("flask", "flask-cors"),
    ("django", "django-cors-headers"),
)
SUITE = (*FRAMEWORKS, "engine", "matcher", "startup", "tenants")
ORIGIN = "https://app.example.com"
ALLOW_ORIGIN = "access-control-allow-origin"


@pytest.fixture(autouse=True)
def _root_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    # At the end of the path, so that the installed `corscore` comes first.
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT)])


def _site(framework: str, layer: str, count: int = 1) -> Any:
    sites = import_module(f"benchmarks.sites.{framework}")
    if layer not in sites.LAYERS:
        pytest.skip(f"{layer} is not installed")
    return sites.build(layer, count)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_application_alone_sends_nothing_of_cors(framework: str) -> None:
    for layer, request in product(("bare", "nothing"), ("actual", "no-origin")):
        status, headers = _site(framework, layer).answer(request)
        assert status == 200
        assert ALLOW_ORIGIN not in dict(headers)


@pytest.mark.parametrize(("framework", "layer"), [*product(FRAMEWORKS, ["corscore"]), *PEERS])
def test_every_layer_allows_and_refuses_the_same_requests(framework: str, layer: str) -> None:
    for count in (1, 3):
        site = _site(framework, layer, count)
        for request in ("preflight", "actual"):
            status, headers = site.answer(request)
            assert status in {200, 204}
            assert dict(headers)[ALLOW_ORIGIN] == ORIGIN
        _, headers = site.answer("refused")
        assert ALLOW_ORIGIN not in dict(headers)


@pytest.mark.parametrize(("framework", "layer"), [*product(FRAMEWORKS, ["corscore"]), *PEERS])
def test_requests_are_served_as_often_as_asked(framework: str, layer: str) -> None:
    site = _site(framework, layer)
    served = 0
    app = site.app

    def counting(*args: Any) -> Any:
        nonlocal served
        served += 1
        return app(*args)

    site.app = counting
    site.runner("actual")(3)
    assert served == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", SUITE)
def test_each_benchmark_of_the_suite_runs(name: str) -> None:
    module = import_module(f"benchmarks.{name}")
    ran = [_run(benchmark) for benchmark in _benchmarks(module)]
    assert ran


def _benchmarks(module: Any) -> Iterator[tuple[Any, str]]:
    """Return the functions and methods that asv finds by their names."""
    classes = [cls for _, cls in inspect.getmembers(module, inspect.isclass)]
    ours = (cls() for cls in classes if cls.__module__ == module.__name__)
    for owner in (module, *ours):
        for name in dir(owner):
            if name.startswith(("time_", "timeraw_", "peakmem_", "track_")):
                yield owner, name


def _run(benchmark: tuple[Any, str]) -> str:
    owner, name = benchmark
    # Every kind of request, but the shortest lists only.
    params = [
        values[:1] if isinstance(values[0], int) else values
        for values in _table(getattr(owner, "params", ()))
    ]
    for values in product(*params):
        if hasattr(owner, "setup"):
            owner.setup(*values)
        getattr(owner, name)(*values)
        if hasattr(owner, "teardown"):
            owner.teardown(*values)
    return name


def _table(params: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the parameters as a table; asv takes a single one without a tuple."""
    return params if not params or isinstance(params[0], tuple) else (params,)


def test_each_target_follows_from_the_figures() -> None:
    table = import_module("benchmarks.table.targets")
    asked: set[str] = set()

    class Figures(dict[str, float]):
        def __missing__(self, name: str) -> float:
            asked.add(name)
            self[name] = float(len(asked))
            return self[name]

    figures = Figures()
    for target in table.targets():
        target.is_met(target.value(figures))
    assert {name.partition("/")[0] for name in asked} == {
        *("asgi", "plain-asgi", "wsgi", "flask", "django", "engine", "hostile", "plain-hostile"),
        *("large", "scale", "build", "import", "server"),
    }


def test_the_report_says_what_was_not_measured() -> None:
    report = import_module("benchmarks.table.report")
    lines = list(report.table({"import/nothing": [0.5, 0.6], "import/corscore": [0.504, 0.61]}))
    assert any("| ≤ 8 ms | 4 ms |  |" in line for line in lines)
    assert any("not measured: no server/ratio/actual" in line for line in lines)


def test_the_plot_is_well_formed() -> None:
    plot = import_module("benchmarks.table.plot")
    points = [(1, 1e-6), (1_000, 2e-6)]
    line = plot.Series("a & b", is_ours=True, points=points)
    drawn = ET.fromstring(plot.draw([plot.Panel("<one>", [line])] * 3))  # noqa: S314 -- ours
    assert len(drawn.findall("{*}polyline")) == 3
    assert "a & b" in "".join(drawn.itertext())


def test_timings_are_taken_in_turns() -> None:
    timing = import_module("benchmarks.timing")
    turns: list[str] = []

    def run(name: str) -> Callable[[int], float]:
        def turn(count: int) -> float:
            turns.append(name)
            return count * 0.5

        return turn

    found = timing.interleaved({"a": run("a"), "b": run("b")}, rounds=3, batch_seconds=1.0)
    assert turns[-6:] == ["a", "b"] * 3
    assert found == {"a": (0.5, 0.5), "b": (0.5, 0.5)}


def test_the_baseline_covers_what_is_counted() -> None:
    loop = import_module("benchmarks.guard.loop")
    counting = import_module("benchmarks.guard.counting")
    baselines = json.loads((ROOT / "benchmarks" / "baseline.json").read_text(encoding="utf-8"))
    assert baselines
    for baseline in baselines.values():
        assert set(baseline) == {"made with", *counting.BUILDS}
        for build in counting.BUILDS:
            assert set(baseline[build]) == set(loop.loops(loop.ENGINE))


def test_the_guard_counts_no_other_build() -> None:
    loop = import_module("benchmarks.guard.loop")
    with pytest.raises(SystemExit, match="not another"):
        loop.main("another", loop.ENGINE)


@pytest.mark.parametrize("group", ["asgi", "starlette", "flask"])
def test_each_way_of_governing_allows_the_same_request(group: str) -> None:
    for name, case in import_module("benchmarks.ways").cases_of(group).items():
        status, headers = case.build().answer(case.request)
        assert status == (204 if case.request == "preflight" else 200), name
        allowed = None if name.startswith("bare") else ORIGIN
        assert dict(headers).get(ALLOW_ORIGIN) == allowed, name


@pytest.mark.parametrize("group", ["asgi", "starlette", "flask", "django"])
def test_each_limit_compares_cases_that_are_counted(group: str) -> None:
    ways = import_module("benchmarks.ways")
    counts = {name: 1_000 * number for number, name in enumerate(ways.cases_of(group), start=1)}
    rows = ways.compare(group, counts, "cython")
    assert {row.case for row in rows} == {limit.case for limit in ways.LIMITS[group]}
    assert [row.is_met for row in rows] == [row.ratio <= row.limit for row in rows]


def test_the_guard_fails_above_a_limit(capsys: pytest.CaptureFixture[str]) -> None:
    guard = import_module("benchmarks.guard.__main__")
    ways = import_module("benchmarks.ways")
    counts = dict.fromkeys(ways.cases_of("flask"), 1_100)
    counts["bare"] = 1_000
    assert guard.judge_ways({"cython": {"flask": counts}}) == 0
    counts["route's policy"] = 1_500
    assert guard.judge_ways({"cython": {"flask": counts}}) == 1
    assert "cython flask: route's policy" in capsys.readouterr().out


@pytest.mark.parametrize(("required", "status"), [("", 0), ("1", 1)])
def test_the_guard_needs_valgrind_only_where_it_is_required(
    required: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guard = import_module("benchmarks.guard.__main__")
    monkeypatch.setenv("CORSCORE_REQUIRE_VALGRIND", required)
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("sys.argv", ["guard"])
    assert guard.main() == status
    assert "valgrind is not installed" in capsys.readouterr().out


@pytest.mark.parametrize(("now", "status"), [(1_090, 0), (1_110, 1)])
def test_the_guard_fails_for_growth_by_more_than_a_tenth(
    now: int, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guard = import_module("benchmarks.guard.__main__")
    before = {"reference": 1_000, "exact": 1_000}
    baseline = {"made with": "a Python", "cython": before}
    counts = {"cython": {"reference": 1_000, "exact": now}}
    assert guard.judge("key", baseline, counts, required=True) == status
    assert ("make bench-baseline" in capsys.readouterr().out) == bool(status)


def test_figures_are_written_between_their_marks(tmp_path: Path) -> None:
    report = import_module("benchmarks.table.report")
    page = tmp_path / "performance.md"
    page.write_text((ROOT / "docs" / "performance.md").read_text(encoding="utf-8"))
    for text in ("| old |", "| new |"):
        report.write(tmp_path, text, "<svg/>")
    written = page.read_text(encoding="utf-8")
    assert "| new |" in written
    assert "| old |" not in written
    assert written.startswith("# Performance")
    assert "What was tried" in written
    assert (tmp_path / "performance.svg").read_text(encoding="utf-8") == "<svg/>"
