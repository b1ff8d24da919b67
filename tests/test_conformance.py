"""Every adapter, through a model browser and a shared cache; ``conformance`` says how to add one.

What a script may do and read must be what the policy means: the engine decides, and an adapter that
carries requests and answers faithfully can add nothing to it and lose nothing of it.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from conformance import oracle, strategies
from conformance.cache import SharedCache
from conformance.drivers import DRIVERS, Driver
from conformance.oracle import SERVER, Script
from conformance.site import METHODS, Headers, Page, Site, Transport
from hypothesis import event, given, note
from hypothesis import strategies as st
from tables import rows

from corscore import Policy
from corscore.browser import FetchResult, PreflightCache, Request, fetch

if TYPE_CHECKING:
    from collections.abc import Iterator

every_driver = pytest.mark.parametrize("driver", DRIVERS, ids=[driver.name for driver in DRIVERS])

# What a framework answers in place of a page.
FRAMEWORKS_OWN = {"/crash": 500, "/missing": 404}

Options = dict[str, Any]
Cases = tuple[Options, dict[str, Page], list[Script]]


@pytest.fixture(autouse=True)
def no_logs() -> Iterator[None]:
    """Applications that crash and set CORS headers themselves have much to say."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@st.composite
def fetches(draw: st.DrawFn) -> Cases:
    options = draw(strategies.options())
    site = draw(strategies.pages())
    scripts = strategies.scripts(strategies.origins(options))
    return options, site, draw(st.lists(scripts, min_size=1, max_size=4))


def request_of(script: Script) -> Request:
    return Request(
        script.method,
        SERVER + script.path,
        origin=script.origin,
        headers=script.headers,
        credentials=script.credentials,
        cookie="session=1",
    )


@every_driver
@given(fetches())
def test_a_browser_may_do_what_the_policy_means(driver: Driver, case: Cases) -> None:
    options, pages, scripts = case
    site = Site(pages)
    transport = driver.build(Policy(**options), site)
    cache = PreflightCache()
    for script in scripts:
        result = fetch(request_of(script), transport, cache)
        note(f"{script} -> {result}")
        refused = oracle.refusal(options, script)
        if script.origin != SERVER and script.path in driver.out_of_reach:
            assert not result.readable
            assert refused or result.reason == "no-allow-origin"
            continue
        event(f"refused: {refused}")
        assert (oracle.REASONS[result.reason] if result.reason else None) == refused
        if refused is None:
            assert_read(options, script, pages, result)


def assert_read(
    options: Options, script: Script, pages: dict[str, Page], result: FetchResult
) -> None:
    """What the script got is what the page that it ended up on says."""
    if oracle.normalised(script.method) not in METHODS:
        return  # a framework's own answer to a method that it does not route, or the page's
    if script.path in FRAMEWORKS_OWN:
        assert result.status == FRAMEWORKS_OWN[script.path]
        return
    page = pages["/plain" if script.path == "/moved" else script.path]
    assert result.status == page.status
    own = {name.lower() for name, _ in page.headers} - oracle.SHARED
    got = {name: value for name, value in result.headers if name in own}
    assert got == oracle.readable(options, script, page)


@every_driver
@given(st.data())
def test_an_app_sees_every_request_once_but_no_preflight(
    driver: Driver, data: st.DataObject
) -> None:
    options = data.draw(strategies.options())
    site = Site(data.draw(strategies.pages()))
    transport = driver.build(Policy(**options), site)
    for _ in range(data.draw(st.integers(1, 4))):
        method, path, headers = data.draw(strategies.raw_requests(options))
        site.visits.clear()
        status, received = transport(method, SERVER + path, headers)
        note(f"{status} {received}")
        names = {name.lower() for name, _ in headers}
        if method == "OPTIONS" and {"origin", "access-control-request-method"} <= names:
            assert site.visits == []
            assert status in (options["preflight_status"], 403)
        elif path != "/missing":
            assert site.visits == [(method, path)]
        assert_nothing_is_doubled(received)
        assert_nothing_is_echoed(options, headers, received)


def assert_nothing_is_doubled(received: Headers) -> None:
    count = Counter(name.lower() for name, _ in received)
    assert {name for name in count if count[name] > 1} == set()


def assert_nothing_is_echoed(options: Options, sent: Headers, received: Headers) -> None:
    """Allow-Origin is "*", or the one origin that the policy covers."""
    origins = [value for name, value in sent if name.lower() == "origin"]
    allowed = [value for name, value in received if name.lower() == "access-control-allow-origin"]
    if "*" in options["allow_origins"]:
        assert allowed in (["*"], [])  # without any, the answer was out of the adapter's reach
    elif allowed:
        assert allowed == origins
        assert oracle.allows_origin(options, allowed[0])


@st.composite
def shared_fetches(draw: st.DrawFn) -> Cases:
    """A few clients that ask for the same pages, which a cache may keep."""
    options = draw(strategies.options())
    site = draw(strategies.pages(cacheable=True))
    origins = draw(st.lists(strategies.origins(options), min_size=2, max_size=3))
    path = draw(st.sampled_from(strategies.PATHS))
    scripts = strategies.scripts(st.sampled_from(origins), [path]).flatmap(
        lambda script: st.sampled_from([script, script._replace(method="GET")])
    )
    return options, site, draw(st.lists(scripts, min_size=3, max_size=6))


@every_driver
@given(shared_fetches(), st.booleans(), st.data())
def test_a_shared_cache_gives_nobody_the_answer_of_another(
    driver: Driver, case: Cases, keep_preflights: bool, data: st.DataObject
) -> None:
    options, pages, scripts = case
    transport = driver.build(Policy(**options), Site(pages))
    cached = SharedCache(transport, keep_preflights=keep_preflights)
    for script in scripts:
        if data.draw(st.integers(0, 3)) == 0:
            # A crawler, a same-origin page or a program: no Origin, and its answer is kept as well.
            cached("GET", SERVER + script.path, [])
        direct = fetch(request_of(script), transport)
        through = fetch(request_of(script), cached)
        note(f"{script} -> {through}, not {direct}")
        assert through.reason == direct.reason
        assert through.status == direct.status
        assert through.headers == direct.headers
    event(f"the cache helped: {cached.hits > 0}")


def in_every_framework(row: dict[str, Any]) -> bool:
    """Whether servers can send the row's request, and applications answer as it says."""
    sent = "".join(name + value for name, value in row["sent"])
    names = [name.lower() for name, _ in row.get("app", ())]
    can_be_sent = all(char <= "\xff" for char in sent)
    return can_be_sent and row["method"] in METHODS and len(set(names)) == len(names)


def comparable(row: dict[str, Any], lines: Headers) -> list[tuple[str, str]]:
    """All of a preflight's lines; else those of CORS, since frameworks have headers of their own."""
    kept = [
        # Servers join several lines of a request with or without a space.
        (name.lower(), value.replace(", ", ","))
        for name, value in lines
        if row["kind"] == "preflight" or name.lower() in oracle.SHARED
    ]
    return sorted(kept)


@every_driver
def test_every_row_of_decisions(driver: Driver) -> None:
    failures = {}
    for row in filter(in_every_framework, rows("decisions")):
        app = tuple((name, value) for name, value in row.get("app", ()))
        site = Site({"/": Page(headers=app)})
        transport = driver.build(Policy(**row["options"]), site)
        sent = [(name, value) for name, value in row["sent"]]
        status, received = transport(row["method"], f"{SERVER}/", sent)
        got = (status, comparable(row, received))
        if got != (row.get("status", 200), comparable(row, row["headers"])):
            failures[row["why"]] = got
    assert failures == {}
