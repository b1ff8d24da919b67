"""Fixtures and settings of all tests: both builds, Hypothesis profiles, a real browser."""

from __future__ import annotations

import gc
import os
import shutil
from importlib import import_module
from secrets import token_hex
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings

import builds
from corscore._engine import matcher
from corscore_store import Store, open_store
from kinds import kinds
from stores import StoreServers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

# No deadlines, since times depend on the machine. The fixture `build` may be shared by all examples
# of a test, since it is the same for each of them.
settings.register_profile(
    "default",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
# The same examples in every run, so that a failure is due to the change.
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.register_profile("fast", settings.get_profile("ci"), max_examples=10)
settings.register_profile("deep", settings.get_profile("default"), max_examples=20_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

WAITING = ("browser", "server")


@pytest.hookimpl(tryfirst=True)  # so that -m can select by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by what it starts, and run those with Playwright last in their module.

    Its loop stays alive in the main thread for as long as the browser does, and under a running
    loop no other test of the module could start one of its own.
    """
    for item in items:
        if isinstance(item, pytest.Function):
            for kind in sorted(kinds(item)):
                item.add_marker(getattr(pytest.mark, kind))
    # Modules that wait for browsers and servers come first, lest one process be left with them.
    waiting = {item.path for item in items if any(map(item.get_closest_marker, WAITING))}
    places = {path: place for place, path in enumerate(dict.fromkeys(item.path for item in items))}
    items.sort(
        key=lambda item: (item.path not in waiting, places[item.path], _uses_playwright(item))
    )


def pytest_collection_finish() -> None:
    """Make later collections of garbage, which some tests ask for, skip what is alive now."""
    gc.collect()
    if hasattr(gc, "freeze"):  # PyPy has none
        gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Save the coverage, since pytest-xdist does not wait until its processes have."""
    if hasattr(session.config, "workerinput") and (measured := Coverage.current()) is not None:
        measured.save()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return a scheduler of modules that forgets those that are done.

    The one of pytest-xdist counts all tests so far after each test, which takes quadratic time.
    """
    if config.getvalue("dist") != "loadfile":
        return None
    scheduler: Any = import_module("xdist.scheduler").LoadFileScheduling(config, log)
    count_pending = scheduler._pending_of

    def pending_of(workload: dict[str, dict[str, bool]]) -> Any:
        for module in [name for name, tests in workload.items() if all(tests.values())]:
            del workload[module]
        return count_pending(workload)

    scheduler._pending_of = pending_of
    return scheduler


def _uses_playwright(item: pytest.Item) -> bool:
    return "chromium" in getattr(item, "fixturenames", ())


@pytest.fixture(params=[builds.PYTHON, builds.CYTHON])
def build(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test on the plain build and on the compiled one; return the build's name."""
    name: str = request.param
    try:
        picked = builds.load(name)
    except ImportError:
        _unavailable("CORSCORE_REQUIRE_EXTENSION", "the matcher is not compiled here")
    for attribute, value in vars(picked).items():
        monkeypatch.setattr(matcher, attribute, value)
    return name


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium: the program in CORSCORE_CHROMIUM, or the one on PATH."""
    program = os.environ.get("CORSCORE_CHROMIUM") or _first_program(
        "chromium", "chromium-browser", "google-chrome"
    )
    if program is None:
        _unavailable("CORSCORE_REQUIRE_BROWSER", "there is no Chromium: apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _unavailable("CORSCORE_REQUIRE_BROWSER", "the package playwright is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            headless=True,
            args=[
                "--no-sandbox",  # otherwise it refuses to start for root
                "--no-proxy-server",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                # No requests but those of the test.
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def store_servers() -> Iterator[StoreServers]:
    """Redis and PostgreSQL, each started for the first test that needs it."""
    servers = StoreServers()
    yield servers
    servers.kill()


@pytest.fixture(params=["file", "sqlite", "redis", "postgres"])
def store(
    request: pytest.FixtureRequest, store_servers: StoreServers, tmp_path: Path
) -> Iterator[Store]:
    """An empty store of each engine, under a new name."""
    engine: str = request.param
    found = open_store(store_servers.url(engine, tmp_path), name=token_hex(8))
    yield found
    found.disconnect()


def _first_program(*names: str) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)


def _unavailable(variable: str, reason: str) -> NoReturn:
    """Skip the test, or fail it where ``variable`` says that nothing may be missing."""
    if os.environ.get(variable):
        pytest.fail(f"{reason} ({variable} is set)", pytrace=False)
    pytest.skip(reason)
