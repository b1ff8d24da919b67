"""The suite itself: an adapter's author subclasses it and says how to send a request."""

from __future__ import annotations

import logging
import traceback
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from corscore._policy.policy import Policy
from corscore.browser import PreflightCache, Request, fetch
from corscore.testing.conformance import _expectations as expectations
from corscore.testing.conformance import _oracle as oracle
from corscore.testing.conformance import _plans as plans
from corscore.testing.conformance import _strategies as strategies
from corscore.testing.conformance._cache import SharedCache
from corscore.testing.conformance._oracle import SERVER, Script
from corscore.testing.conformance._site import (
    METHODS,
    Answer,
    Crash,
    Headers,
    Page,
    Site,
    transport_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from corscore.browser import FetchResult
    from corscore.testing.conformance._site import Sender

Options = dict[str, Any]
Cases = tuple[Options, dict[str, Page], list[Script]]
SharedCases = tuple[plans.Plan, dict[str, Page], list[Script]]

# Half the examples, since every adapter tests the same engine; a failure explains one request in
# full, so that shrinking, which takes minutes, is left out.
_SETTINGS = settings(
    max_examples=max(1, settings().max_examples // 2),
    deadline=None,
    phases=[phase for phase in settings().phases if phase is not Phase.shrink],
    report_multiple_bugs=False,
    suppress_health_check=[
        HealthCheck.differing_executors,
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],
)


@st.composite
def _fetches(draw: st.DrawFn) -> Cases:
    options = draw(strategies.options())
    site = draw(strategies.pages())
    return options, site, draw(st.lists(strategies.scripts(options), min_size=1, max_size=6))


@st.composite
def _shared_fetches(draw: st.DrawFn) -> SharedCases:
    """Draw similar requests from a few origins, whose responses a cache may store."""
    several = draw(st.lists(strategies.options(), min_size=1, max_size=2))
    plan = draw(plans.shared(several))
    options = draw(st.sampled_from(several))
    pages = draw(strategies.pages(cacheable=True))
    paths = sorted(set(pages) - {"/crash"})
    script = draw(strategies.scripts(options, paths=paths))
    near = st.lists(strategies.origins(options), min_size=1, max_size=2)
    origins = st.sampled_from([script.origin, *draw(near)])
    servers = st.sampled_from(plans.SERVERS[: draw(st.integers(1, 2))])
    simple = st.builds(
        script._replace,
        origin=origins,
        method=st.just("GET"),
        headers=st.just(()),
        server=servers,
    )
    others = st.builds(
        script._replace,
        origin=origins,
        server=servers,
        method=st.sampled_from([script.method, "GET", "PUT"]),
        headers=st.sampled_from([script.headers, (), (("X-One", "1"),)]),
    )
    return plan, pages, draw(st.lists(simple | others, min_size=3, max_size=6))


class ConformanceSuite:
    """The tests that every adapter passes, for pytest; a subclass writes ``serve``.

    Attributes:
        has_routes: Whether the adapter knows policies of single routes. ``site.routes(path)`` then
            says with which policy to register each route.
        out_of_reach: Paths whose answers the adapter cannot reach, each with the reason. The test
            fails if a script can read the answer of a listed path.
        out_of_reach_in_debug: Further such paths under a policy with ``debug=True``, where an
            adapter leaves exceptions to a debugger outside.
    """

    has_routes: ClassVar[bool] = False
    out_of_reach: ClassVar[Mapping[str, str]] = MappingProxyType({})
    out_of_reach_in_debug: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def serve(self, site: Site, policies: plans.Policies) -> Sender:
        """Put the adapter with its policies around an application, and return its sender.

        Args:
            site: The application as data. It needs a route for each of ``site.pages`` and each of
                ``METHODS``, whose view answers with the page that ``site.visit(method, path)``
                returns, and catches no exception. A page with several chunks is streamed.
            policies: The policies to give to the adapter.

        Returns:
            A function of method, URL and header pairs that returns an ``Answer`` with every header
            line. A ``Crash`` that it raises counts as a server's bare 500; it may raise nothing
            else.
        """
        raise NotImplementedError(f"{type(self).__name__}.serve(site, policies) is missing")

    @pytest.fixture(autouse=True)
    def _silence(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Log nothing, since pages crash; print the last exception that is no page's own."""
        raised: list[BaseException] = []

        def handle(_: logging.Logger, record: logging.LogRecord) -> None:
            error = record.exc_info[1] if record.exc_info else None
            if error is not None and not isinstance(error, Crash):
                raised[:] = [error]

        monkeypatch.setattr(logging.Logger, "handle", handle)
        yield
        if raised:
            # pytest shows it beside a failure only.
            traceback.print_exception(raised[0])

    @_SETTINGS
    @given(_fetches())
    def test_a_browser_may_do_what_the_policy_means(self, case: Cases) -> None:
        """A script reads what the policy allows, and no more, of redirects, errors and streams."""
        options, pages, scripts = case
        transport = transport_of(self._send(Site(pages), Policy(**options)))
        cache = PreflightCache()
        for script in scripts:
            request = _request(script)
            result = fetch(request, transport, cache)
            if script.origin != SERVER and self._is_out_of_reach(options, script):
                expectations.expect_out_of_reach(options, request, result)
                continue
            refused = expectations.expect_meaning(options, script, request, result)
            event(f"refused: {refused}")
            if refused is None:
                expectations.expect_reading(options, script, pages, request, result)

    @_SETTINGS
    @given(st.data())
    def test_the_app_sees_every_request_once_but_no_preflight(self, data: st.DataObject) -> None:
        """Requests that no browser sends: doubled, malformed and oversized headers."""
        options = data.draw(strategies.options())
        site = Site(data.draw(strategies.pages()))
        send = self._send(site, Policy(**options))
        for _ in range(data.draw(st.integers(1, 4))):
            method, path, headers = data.draw(strategies.raw_requests(options))
            site.visits.clear()
            answer = send(method, SERVER + path, headers)
            names = {name.lower() for name, _ in headers}
            asked = f"{method} {path}"
            expectations.expect_hostile_gains_nothing(options, asked, headers, answer)
            if method == "OPTIONS" and {"origin", "access-control-request-method"} <= names:
                expectations.expect_no_visit_of_preflight(
                    options, method, path, answer, site.visits
                )
            elif path in site.pages:
                page = site.pages[path]
                expectations.expect_visit(options, method, path, page, answer, site.visits)

    @_SETTINGS
    @given(_shared_fetches(), st.lists(st.booleans(), min_size=6, max_size=6))
    def test_a_shared_cache_gives_no_origin_the_answer_of_another(
        self, case: SharedCases, others_come_first: list[bool]
    ) -> None:
        """RFC 9111, section 4.1: ``Vary`` says which requests one stored response may answer."""
        plan, pages, scripts = case
        _, send = self._planned(plan, pages)
        transport = transport_of(send)
        direct = {script: fetch(_request(script), transport) for script in scripts}
        for keep_preflights, order in product((False, True), (scripts, scripts[::-1])):
            cache = SharedCache(transport, keep_preflights=keep_preflights)
            for script, others in zip(order, others_come_first, strict=False):
                if others:
                    # A crawler or a page of the site itself sends no Origin.
                    cache("GET", script.server + script.path, [])
                request = _request(script)
                options = (
                    plan.governing(script.path, script.method, script.origin, script.server) or {}
                )
                through = fetch(request, cache)
                expectations.expect_from_cache(
                    options, script, request, direct[script], through, cache
                )
            event(f"the cache helped: {cache.hits > 0}")

    @_SETTINGS
    @given(st.data())
    def test_a_browser_may_do_what_the_policy_of_the_path_and_route_means(
        self, data: st.DataObject
    ) -> None:
        """Route beats host beats literal path beats longest prefix; None leaves alone.

        Of a tuple the first policy that allows the origin governs, else the last.
        """
        options = data.draw(st.lists(strategies.options(), min_size=1, max_size=3))
        plan = data.draw(plans.plans(options, with_routes=self.has_routes))
        pages = data.draw(plans.pages())
        site, send = self._planned(plan, pages)
        transport = transport_of(send)
        for _ in range(data.draw(st.integers(1, 4))):
            near = data.draw(st.sampled_from(options))
            script = data.draw(strategies.scripts(near, paths=plans.PATHS, methods=plans.METHODS))
            script = script._replace(server=data.draw(st.sampled_from(plans.SERVERS)))
            governing = plan.governing(
                script.path, oracle.normalised(script.method), script.origin, script.server
            )
            event(f"left alone: {governing is None}")
            if self._is_out_of_reach(governing, script):
                continue
            if governing is None:
                _expect_left_alone(send, script, site)
                continue
            request = _request(script)
            result: FetchResult = fetch(request, transport)
            if expectations.expect_meaning(governing, script, request, result) is None:
                expectations.expect_reading(governing, script, pages, request, result)

    @_SETTINGS
    @given(st.data())
    def test_a_preflight_and_the_request_it_announces_have_one_policy(
        self, data: st.DataObject
    ) -> None:
        """A preflight is governed by the route of the method that it announces."""
        plan = data.draw(plans.plans(_NUMBERED, with_routes=self.has_routes))
        pages = {path: Page() for path in plans.PATHS if path != "/missing"}
        _, send = self._planned(plan, pages)
        paths = st.sampled_from([path for path in plans.PATHS if path not in self.out_of_reach])
        methods = st.sampled_from([*METHODS, *plans.METHODS, "patch", "get", "options", "a-b"])
        for path, method in data.draw(st.lists(st.tuples(paths, methods), min_size=1, max_size=6)):
            server = data.draw(st.sampled_from(plans.SERVERS))
            url = server + path
            asked = [("Origin", _PAGE), ("Access-Control-Request-Method", method)]
            expectations.expect_one_policy(
                f"{method} {path}",
                plan.number(path, method, _PAGE, server) if method in METHODS else None,
                send("OPTIONS", url, asked),
                send(method, url, [("Origin", _PAGE)]),
            )

    def _send(self, site: Site, policies: plans.Policies) -> Sender:
        """Return the sender of ``serve``, with a ``Crash`` as the 500 of a server."""
        sender = self.serve(site, policies)

        def send(method: str, url: str, headers: Headers) -> Answer:
            try:
                return sender(method, url, headers)
            except Crash:
                return Answer(500)

        return send

    def _is_out_of_reach(self, options: Options | None, script: Script) -> bool:
        is_debug = options is not None and bool(options.get("debug"))
        return script.path in self.out_of_reach or (
            is_debug and script.path in self.out_of_reach_in_debug
        )

    def _planned(self, plan: plans.Plan, pages: dict[str, Page]) -> tuple[Site, Sender]:
        by_path, routes = plan.build()
        site = Site(pages, routes)
        return site, self._send(site, by_path)


_PAGE = "https://page.example"
# The number of each policy is in its answers to a preflight and to a request.
_NUMBERED: list[Options] = [
    {
        "allow_origins": [_PAGE],
        "allow_methods": ["*"],
        "max_age": number,
        "expose_headers": [f"X-Policy-{number}"],
    }
    for number in range(3)
]


def _request(script: Script) -> Request:
    return Request(
        script.method,
        script.server + script.path,
        origin=script.origin,
        headers=script.headers,
        credentials=script.credentials,
        cookie="session=1",
    )


def _expect_left_alone(send: Sender, script: Script, site: Site) -> None:
    """Fail unless the application answers the preflight as well as the request."""
    method, path = oracle.normalised(script.method), script.path
    asked = [("Origin", script.origin), ("Access-Control-Request-Method", method)]
    for sent, headers in (("OPTIONS", asked), (method, [("Origin", script.origin)])):
        if sent not in METHODS:
            continue  # A framework may answer a method that it does not route.
        site.visits.clear()
        answer = send(sent, script.server + path, headers)
        expectations.expect_left_alone(sent, path, site.pages.get(path), answer, site.visits)
