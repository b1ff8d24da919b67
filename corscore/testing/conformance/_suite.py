"""Every adapter, through a model browser and a shared cache; ``conformance`` says how to add one.

What a script may do and read must be what the policy means: the engine decides, and an adapter that
carries requests and answers faithfully can add nothing to it and lose nothing of it.
"""

from __future__ import annotations

import logging
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given, note, settings
from hypothesis import strategies as st

from conformance import oracle, plans, strategies
from conformance.cache import SharedCache
from conformance.drivers import DRIVERS, Driver
from conformance.oracle import SERVER, Script
from conformance.site import METHODS, Headers, Page, Site, Transport
from corscore import Policy
from corscore.browser import FetchResult, PreflightCache, Request, fetch
from tables import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

every_driver = pytest.mark.parametrize("driver", DRIVERS, ids=[driver.name for driver in DRIVERS])

# What a framework answers in place of a page.
FRAMEWORKS_OWN = {"/crash": 500, "/missing": 404}

# The engine is the same below each of them, so that many drivers make up for fewer examples.
fewer_examples = settings(max_examples=settings().max_examples // 2)

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
    return options, site, draw(st.lists(strategies.scripts(options), min_size=1, max_size=6))


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
@fewer_examples
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
@fewer_examples
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
            assert_only_ours(options, site.pages[path], received)
        assert_nothing_is_doubled(received)
        assert_nothing_is_echoed(options, headers, received)


def assert_nothing_is_doubled(received: Headers) -> None:
    count = Counter(name.lower() for name, _ in received)
    assert {name for name in count if count[name] > 1} == set()


def assert_only_ours(options: Options, page: Page, received: Headers) -> None:
    """Of an app's own CORS headers nothing is left, and all of its other headers."""
    got = {name.lower(): value for name, value in received}
    expected = set()
    if "access-control-allow-origin" in got:
        expected.add("access-control-allow-origin")
        if options["allow_credentials"]:
            expected.add("access-control-allow-credentials")
    assert set(got) & oracle.OWNED == expected
    own = {name.lower(): value for name, value in page.headers}
    assert {name: got.get(name) for name in set(own) - oracle.SHARED} == {
        name: own[name] for name in set(own) - oracle.SHARED
    }
    varied = oracle.names(got.get("vary", ""))
    assert "*" in varied or oracle.names(own.get("vary", "")) <= varied


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
    """Much the same script, on the pages of a few origins; a cache may keep what it asks for."""
    options = draw(strategies.options())
    pages = draw(strategies.pages(cacheable=True))
    paths = sorted(set(pages) - {"/crash"})
    script = draw(strategies.scripts(options, paths=paths))
    near = st.lists(strategies.origins(options), min_size=1, max_size=2)
    origins = st.sampled_from([script.origin, *draw(near)])
    simple = st.builds(script._replace, origin=origins, method=st.just("GET"), headers=st.just(()))
    others = st.builds(
        script._replace,
        origin=origins,
        method=st.sampled_from([script.method, "GET", "PUT"]),
        headers=st.sampled_from([script.headers, (), (("X-One", "1"),)]),
    )
    return options, pages, draw(st.lists(simple | others, min_size=3, max_size=6))


@every_driver
@fewer_examples
@given(shared_fetches(), st.lists(st.booleans(), min_size=6, max_size=6))
def test_a_shared_cache_gives_nobody_the_answer_of_another(
    driver: Driver, case: Cases, others_come_first: list[bool]
) -> None:
    options, pages, scripts = case
    transport = driver.build(Policy(**options), Site(pages))
    direct = {script: fetch(request_of(script), transport) for script in scripts}
    for keep_preflights, order in product((False, True), (scripts, scripts[::-1])):
        cached = SharedCache(transport, keep_preflights=keep_preflights)
        for script, others in zip(order, others_come_first, strict=False):
            if others:
                # A crawler, a same-origin page, a program: no Origin, and its answer is kept too.
                cached("GET", SERVER + script.path, [])
            through = fetch(request_of(script), cached)
            note(f"{script} -> {through}, not {direct[script]}")
            assert through.reason == direct[script].reason
            assert through.status == direct[script].status
            assert through.headers == direct[script].headers
        event(f"the cache helped: {cached.hits > 0}")


def build(driver: Driver, plan: plans.Plan, site: Site) -> Transport:
    """A site with policies by path, and with those of its routes where the adapter knows any."""
    by_path, routes = plan.build()
    if driver.build_routes is None:
        return driver.build(by_path, site)
    return driver.build_routes(routes, by_path, site)


@every_driver
@fewer_examples
@given(st.data())
def test_a_browser_may_do_what_the_policy_of_its_path_and_route_means(
    driver: Driver, data: st.DataObject
) -> None:
    options = data.draw(st.lists(strategies.options(), min_size=1, max_size=3))
    has_routes = driver.build_routes is not None
    plan = data.draw(plans.plans(options, with_routes=has_routes))
    pages = data.draw(plans.pages())
    site = Site(pages)
    transport = build(driver, plan, site)
    for _ in range(data.draw(st.integers(1, 4))):
        near = data.draw(st.sampled_from(options))
        script = data.draw(strategies.scripts(near, paths=plans.PATHS, methods=plans.METHODS))
        governing = plan.governing(script.path, oracle.normalised(script.method))
        event(f"left alone: {governing is None}")
        if script.path in driver.out_of_reach:
            continue
        if governing is None:
            assert_left_alone(transport, script, site)
            continue
        result = fetch(request_of(script), transport)
        note(f"{script} -> {result}")
        refused = oracle.refusal(governing, script)
        assert (oracle.REASONS[result.reason] if result.reason else None) == refused
        if refused is None:
            assert_read(governing, script, pages, result)


def assert_left_alone(transport: Transport, script: Script, site: Site) -> None:
    """The app sees the preflight as well as the request, and its answers are its own."""
    method, path = oracle.normalised(script.method), script.path
    asked = [("Origin", script.origin), ("Access-Control-Request-Method", method)]
    for sent, headers in (("OPTIONS", asked), (method, [("Origin", script.origin)])):
        if sent not in METHODS:
            continue  # a framework's own answer, or the page's
        site.visits.clear()
        _, received = transport(sent, SERVER + path, headers)
        page = site.pages.get(path, Page())
        assert site.visits == ([(sent, path)] if path in site.pages else [])
        own = () if page.raises else page.headers
        got = [(name.lower(), value) for name, value in received if name.lower() in oracle.SHARED]
        ours = [(name.lower(), value) for name, value in own if name.lower() in oracle.SHARED]
        assert sorted(got) == sorted(ours)


PAGE = "https://page.example"


def numbered(number: int) -> Options:
    """A policy that can be told from others by its answers, to a preflight and to a request."""
    return {
        "allow_origins": [PAGE],
        "allow_methods": ["*"],
        "max_age": number,
        "expose_headers": [f"X-Policy-{number}"],
    }


@every_driver
@fewer_examples
@given(st.data())
def test_a_preflight_and_the_request_it_announces_have_one_policy(
    driver: Driver, data: st.DataObject
) -> None:
    options = [numbered(number) for number in range(3)]
    has_routes = driver.build_routes is not None
    plan = data.draw(plans.plans(options, with_routes=has_routes))
    site = Site({path: Page() for path in plans.PATHS if path != "/missing"})
    transport = build(driver, plan, site)
    paths = st.sampled_from([path for path in plans.PATHS if path not in driver.out_of_reach])
    methods = st.sampled_from([*METHODS, *plans.METHODS, "patch", "get", "options", "a-b"])
    for path, method in data.draw(st.lists(st.tuples(paths, methods), min_size=1, max_size=6)):
        url = SERVER + path
        asked = [("Origin", PAGE), ("Access-Control-Request-Method", method)]
        _, to_preflight = transport("OPTIONS", url, asked)
        _, to_request = transport(method, url, [("Origin", PAGE)])
        numbers = number_in("access-control-max-age", to_preflight)
        note(f"{method} {path}: {to_preflight} {to_request}")
        assert numbers == number_in("access-control-expose-headers", to_request)
        if method in METHODS:
            number = plan.number(path, method)
            assert numbers == ([] if number < 0 else [str(number)])


def number_in(name: str, received: Headers) -> list[str]:
    """The number of the policy that an answer comes from; none where nothing of CORS is in it."""
    return [value.rpartition("-")[2] for got, value in received if got.lower() == name]


def in_every_framework(row: dict[str, Any]) -> bool:
    """Whether servers can send the row's request, and applications answer as it says."""
    sent = "".join(name + value for name, value in row["sent"])
    names = [name.lower() for name, _ in row.get("app", ())]
    if any(char > "\xff" for char in sent) or row["method"] not in METHODS:
        return False
    # Some know one line a name; and a text for debugging has a length of its own.
    return len(set(names)) == len(names) and "body" not in row


def comparable(row: dict[str, Any], lines: Headers) -> list[tuple[str, str]]:
    """All of a preflight's lines, else those of CORS: frameworks have headers of their own."""
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
