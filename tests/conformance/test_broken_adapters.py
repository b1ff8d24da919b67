"""Adapters that break a rule fail the conformance suite with the browser's explanation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

import corscore_wsgi
from cors_headers import OTHER_PAGE, PAGE
from corscore import Policy, PolicyMap
from corscore.testing.conformance import (
    ConformanceSuite,
    Crash,
    Page,
    Sender,
    Site,
    wsgi_sender,
    wsgi_site,
)
from corscore.testing.conformance._oracle import Script
from corscore.testing.conformance._plans import SERVERS, Plan

if TYPE_CHECKING:
    from corscore.integration import Policies

pytest_plugins = ["pytester"]

Headers = list[tuple[str, str]]
Environ = dict[str, Any]
Adapter = Callable[[Any, Any], Any]


def without(name: str, headers: Headers) -> Headers:
    return [pair for pair in headers if pair[0].lower() != name]


def answering_crashes(app: Any) -> Any:
    """A framework that answers exceptions of a view inside of the adapter."""

    def framework(environ: Environ, start_response: Any) -> Any:
        try:
            return app(environ, start_response)
        except Crash:
            start_response("500 Internal Server Error", [])
            return []

    return framework


def edited(edit: Callable[[Environ, Headers], Headers]) -> Adapter:
    """An adapter that changes the headers of each response."""

    def adapter(app: Any, policies: Policies) -> Any:
        inner = corscore_wsgi.CORSMiddleware(app, policies)

        def outer(environ: Environ, start_response: Any) -> Any:
            def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
                return start_response(status, edit(environ, headers), exc_info)

            return inner(environ, start)

        return outer

    return adapter


def reflect(environ: Environ, headers: Headers) -> Headers:
    origin = environ.get("HTTP_ORIGIN")
    names = {name.lower() for name, _ in headers}
    if origin is None or "access-control-allow-origin" in names:
        return headers
    return [
        *headers,
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
    ]


def double(environ: Environ, headers: Headers) -> Headers:
    name = "access-control-allow-origin"
    return [*headers, *(pair for pair in headers if pair[0].lower() == name)]


def replace_vary(environ: Environ, headers: Headers) -> Headers:
    if environ["REQUEST_METHOD"] == "OPTIONS":
        return headers
    return [*without("vary", headers), ("Vary", "Origin")]


def reflect_under_star(environ: Environ, headers: Headers) -> Headers:
    origin = environ.get("HTTP_ORIGIN", "*")
    name = "access-control-allow-origin"
    return [(key, origin if key.lower() == name else value) for key, value in headers]


def expose_everything(environ: Environ, headers: Headers) -> Headers:
    name = "access-control-expose-headers"
    return [*without(name, headers), ("Access-Control-Expose-Headers", "*")]


def double_vary(environ: Environ, headers: Headers) -> Headers:
    return [*headers, ("Vary", "Origin")]


def lose(name: str) -> Adapter:
    return edited(lambda environ, headers: without(name, headers))


def answering(status: str) -> Adapter:
    """An adapter that gives every response one status."""

    def adapter(app: Any, policies: Policies) -> Any:
        inner = corscore_wsgi.CORSMiddleware(app, policies)
        return lambda environ, start: inner(environ, lambda _, *rest: start(status, *rest))

    return adapter


def lose_on_errors(app: Any, policies: Policies) -> Any:
    """An adapter whose error handler is outside of it."""
    inner = corscore_wsgi.CORSMiddleware(app, policies)

    def outer(environ: Environ, start_response: Any) -> Any:
        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            return start_response(status, [] if status.startswith("500") else headers, exc_info)

        return inner(environ, start)

    return outer


def lose_the_apps_own(environ: Environ, headers: Headers) -> Headers:
    ours = ("access-control-", "vary", "content-")
    return [pair for pair in headers if pair[0].lower().startswith(ours)]


def keep_the_apps_own(app: Any, policies: Policies) -> Any:
    """An adapter that keeps the application's own headers of CORS."""

    def outer(environ: Environ, start_response: Any) -> Any:
        own: Headers = []

        def remembering(inner_environ: Environ, start: Any) -> Any:
            def noted(status: str, headers: Headers, exc_info: Any = None) -> Any:
                own.extend(headers)
                return start(status, headers, exc_info)

            return app(inner_environ, noted)

        def restored(status: str, headers: Headers, exc_info: Any = None) -> Any:
            names = {name.lower() for name, _ in headers}
            lost = [pair for pair in own if pair[0].lower() not in names]
            return start_response(status, [*headers, *lost], exc_info)

        return corscore_wsgi.CORSMiddleware(remembering, policies)(environ, restored)

    return outer


def call_the_app_for_preflights(app: Any, policies: Policies) -> Any:
    inner = corscore_wsgi.CORSMiddleware(app, policies)

    def outer(environ: Environ, start_response: Any) -> Any:
        asked = "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ and "HTTP_ORIGIN" in environ
        if environ["REQUEST_METHOD"] == "OPTIONS" and asked:
            for _ in app(environ, lambda *_: None):
                pass
        return inner(environ, start_response)

    return outer


def stop_what_is_not_allowed(app: Any, policies: Policies) -> Any:
    inner = corscore_wsgi.CORSMiddleware(app, policies)
    assert isinstance(policies, Policy)

    def outer(environ: Environ, start_response: Any) -> Any:
        origin = environ.get("HTTP_ORIGIN")
        if origin is not None and not policies.allows_origin(origin):
            start_response("403 Forbidden", [("Vary", "Origin")])
            return []
        return inner(environ, start_response)

    return outer


def send_one_chunk(app: Any, policies: Policies) -> Any:
    def first(environ: Environ, start_response: Any) -> Iterable[bytes]:
        return list(app(environ, start_response))[:1]

    return corscore_wsgi.CORSMiddleware(first, policies)


def know_one_path(app: Any, policies: Policies) -> Any:
    if isinstance(policies, PolicyMap):
        default = policies.policy_for("/nowhere")
        return app if default is None else corscore_wsgi.CORSMiddleware(app, default)
    return corscore_wsgi.CORSMiddleware(app, policies)


def know_paths_of_preflights(app: Any, policies: Policies) -> Any:
    inner, other = corscore_wsgi.CORSMiddleware(app, policies), know_one_path(app, policies)

    def outer(environ: Environ, start_response: Any) -> Any:
        is_preflight = environ["REQUEST_METHOD"] == "OPTIONS"
        return (inner if is_preflight else other)(environ, start_response)

    return outer


def know_no_path(app: Any, policies: Policies) -> Any:
    return app


MEANING = ConformanceSuite.test_a_browser_may_do_what_the_policy_means
EVERY_REQUEST = ConformanceSuite.test_the_app_sees_every_request_once_but_no_preflight
CACHE = ConformanceSuite.test_a_shared_cache_gives_no_origin_the_answer_of_another
PATHS = ConformanceSuite.test_a_browser_may_do_what_the_policy_of_the_path_and_route_means
ONE_POLICY = ConformanceSuite.test_a_preflight_and_the_request_it_announces_have_one_policy


class Drawn:
    """A stand-in for Hypothesis's data, which returns given values."""

    def __init__(self, *values: Any) -> None:
        self._values = iter(values)

    def draw(self, strategy: object) -> Any:
        return next(self._values)


def options(**changes: Any) -> dict[str, Any]:
    return {
        "allow_origins": [PAGE],
        "allow_methods": ["PUT"],
        "allow_headers": [],
        "allow_credentials": True,
        "expose_headers": ["X-Total"],
        "preflight_status": 204,
        "debug": False,
        **changes,
    }


SITE = {
    "/plain": Page(
        headers=(
            ("Access-Control-Allow-Methods", "*"),
            ("Cache-Control", "public, max-age=60"),
            ("Link", "</2>"),
            ("Vary", "Accept"),
            ("X-Total", "3"),
        )
    ),
    "/stream": Page(chunks=(b"data: 1\n\n", b"data: 2\n\n")),
    "/crash": Page(raises=True),
}


def script(origin: str = PAGE, method: str = "GET", path: str = "/plain") -> Script:
    return Script(origin, method, (), "include", path)


def fetching(*scripts: Script, **changes: Any) -> tuple[Any, ...]:
    return ((options(**changes), SITE, list(scripts)),)


def cached(*scripts: Script) -> tuple[Any, ...]:
    plan = Plan([options()], {}, 0, {})
    return (plan, SITE, list(scripts)), [False, False]


def sending(method: str, path: str, *headers: tuple[str, str], **changes: Any) -> tuple[Any, ...]:
    return (Drawn(options(**changes), SITE, 1, (method, path, list(headers))),)


def planned(keys: dict[str, int], *, default: int, fetch: Script) -> tuple[Any, ...]:
    given = options()
    return (Drawn([given], Plan([given], keys, default, {}), SITE, 1, given, fetch, SERVERS[0]),)


def numbered(keys: dict[str, int], *, default: int, asked: tuple[str, str]) -> tuple[Any, ...]:
    policies = [
        {
            "allow_origins": ["https://page.example"],
            "allow_methods": ["*"],
            "max_age": number,
            "expose_headers": [f"X-Policy-{number}"],
        }
        for number in range(3)
    ]
    return (Drawn(Plan(policies, keys, default, {}), [asked], SERVERS[0]),)


FROM_PAGE = ("Origin", PAGE)
ANNOUNCED = ("Access-Control-Request-Method", "PUT")

ALLOWED = "The policy allows this request, and a browser refuses it"
REFUSED = "The policy refuses this request for its"


class Broken(NamedTuple):
    """An adapter with a fault, a rule that it breaks, and an example that shows it.

    Attributes:
        adapter: Makes the adapter.
        rule: The name of the suite's test that it fails.
        example: Returns the arguments of the test, whose drawn values are used up.
        says: Patterns of the failure's text.
    """

    adapter: Adapter
    rule: Any
    example: Callable[[], tuple[Any, ...]]
    says: list[str]


BROKEN: dict[str, Broken] = {
    "no Vary": Broken(
        lose("vary"),
        CACHE,
        lambda: cached(script(), script(OTHER_PAGE)),
        [
            r"A shared cache answered .* with what it had stored for .*, and a browser",
            r"name it in Vary \(vary-missing\)",
            "What a browser does",
        ],
    ),
    "any origin reflected": Broken(
        edited(reflect),
        MEANING,
        lambda: fetching(script(OTHER_PAGE)),
        [
            f"{REFUSED} origin, and a browser allows it",
            "Allowed\n  A script on .* may do this .* and read the answer",
            "Policy\n  allow_",
        ],
    ),
    "any origin reflected, malformed ones too": Broken(
        edited(reflect),
        EVERY_REQUEST,
        lambda: sending("GET", "/plain", ("Origin", "https://a b")),
        [r"allows .*, which the policy does not: a browser lets .*\(reflects-any-origin\)"],
    ),
    "the origin reflected where every origin is allowed": Broken(
        edited(reflect_under_star),
        EVERY_REQUEST,
        lambda: sending("GET", "/plain", FROM_PAGE, allow_origins=["*"], allow_credentials=False),
        [r"allows every origin, and the answer to GET /plain allows .*\(origin-mismatch\)"],
    ),
    "headers lost on a 500": Broken(
        lose_on_errors,
        MEANING,
        lambda: fetching(script(path="/crash")),
        [
            "The response with status 500 has passed outside the adapter, or",
            "Refused: no-allow-origin",
        ],
    ),
    "headers lost where a method is refused": Broken(
        lose("access-control-allow-origin"),
        MEANING,
        lambda: fetching(script(method="DELETE")),
        [f"{REFUSED} method, and a browser refuses it for another reason, no-allow-origin"],
    ),
    "a doubled header": Broken(
        edited(double),
        MEANING,
        lambda: fetching(script()),
        ["Refused: multiple-allow-origin", "Fix: set the header in one place only"],
    ),
    "a doubled header, to any client": Broken(
        edited(double),
        EVERY_REQUEST,
        lambda: sending("GET", "/plain", FROM_PAGE),
        [r"access-control-allow-origin comes 2 times .*\(multiple-allow-origin\)"],
    ),
    "a second line of Vary": Broken(
        edited(double_vary),
        EVERY_REQUEST,
        lambda: sending("GET", "/plain", FROM_PAGE),
        ["vary comes 2 times .*: the adapter replaces or merges a header"],
    ),
    "the app is called for preflights": Broken(
        call_the_app_for_preflights,
        EVERY_REQUEST,
        lambda: sending("OPTIONS", "/plain", FROM_PAGE, ANNOUNCED),
        [r"The application was called for a preflight, OPTIONS /", r"\(preflight-not-ok\)"],
    ),
    "preflights have a status of the adapter's": Broken(
        answering("299 Odd"),
        EVERY_REQUEST,
        lambda: sending("OPTIONS", "/plain", FROM_PAGE, ANNOUNCED),
        ["The answer to a preflight, OPTIONS /plain, has status 299, not the engine's 204 or 403"],
    ),
    "a request that is not allowed never reaches the app": Broken(
        stop_what_is_not_allowed,
        EVERY_REQUEST,
        lambda: sending("GET", "/plain", ("Origin", OTHER_PAGE)),
        ["The application was called 0 times for GET /plain, not once"],
    ),
    "the app's own CORS headers are kept": Broken(
        keep_the_apps_own,
        EVERY_REQUEST,
        lambda: sending("GET", "/plain", FROM_PAGE),
        ["access-control-allow-methods is in the answer to .*, where the policy does not set it"],
    ),
    "Vary is replaced": Broken(
        edited(replace_vary),
        EVERY_REQUEST,
        lambda: sending("GET", "/plain", FROM_PAGE),
        ["The application sets Vary: Accept, .*: a shared cache would .* Merge Vary"],
    ),
    "no Expose-Headers": Broken(
        lose("access-control-expose-headers"),
        MEANING,
        lambda: fetching(script()),
        [
            "The policy exposes x-total, which the page sets, and a browser hides it",
            "Refused: header-not-exposed",
            "Fix: list .* in Access-Control-Expose-Headers",
        ],
    ),
    "everything is exposed": Broken(
        edited(expose_everything),
        MEANING,
        lambda: fetching(script()._replace(credentials="omit")),
        ["A script reads link: .*, which the policy does not expose"],
    ),
    "the app's status is lost": Broken(
        answering("203 Odd"),
        MEANING,
        lambda: fetching(script()),
        ["A script reads status 203, not 200"],
    ),
    "no Allow-Credentials": Broken(
        lose("access-control-allow-credentials"),
        MEANING,
        lambda: fetching(script()),
        [ALLOWED, "Refused: credentials-not-allowed"],
    ),
    "no Allow-Credentials, to any client": Broken(
        lose("access-control-allow-credentials"),
        EVERY_REQUEST,
        lambda: sending("GET", "/plain", FROM_PAGE),
        [r"access-control-allow-credentials is missing .*\(credentials-not-allowed\)"],
    ),
    "the app's own headers are lost": Broken(
        edited(lose_the_apps_own),
        EVERY_REQUEST,
        lambda: sending("GET", "/plain", FROM_PAGE),
        ["The application sets .*: the adapter has lost it"],
    ),
    "the app's own headers are lost to a script": Broken(
        edited(lose_the_apps_own),
        MEANING,
        lambda: fetching(script()),
        ["The policy exposes cache-control, which the page sets, and the adapter has lost it"],
    ),
    "a stream ends after its first chunk": Broken(
        send_one_chunk,
        EVERY_REQUEST,
        lambda: sending("GET", "/stream", FROM_PAGE),
        [r"The body of .* /stream is b'data: 1\\n\\n', not b'data: 1\\n\\ndata: 2"],
    ),
    "one policy for all paths": Broken(
        know_one_path,
        ONE_POLICY,
        lambda: numbered({"/plain": 1}, default=0, asked=("/plain", "PUT")),
        ["PUT /plain has the answer of policy 0, not of policy 1"],
    ),
    "one policy for all paths, but for preflights": Broken(
        know_paths_of_preflights,
        ONE_POLICY,
        lambda: numbered({"/plain": 1}, default=0, asked=("/plain", "PUT")),
        ["The preflight of PUT /plain has the answer of policy 1 and status"],
    ),
    "no policy for any path": Broken(
        know_no_path,
        PATHS,
        lambda: planned({"/plain": 0}, default=-1, fetch=script()),
        [ALLOWED, "Refused: no-allow-origin"],
    ),
    "the default for what is left alone": Broken(
        know_one_path,
        PATHS,
        lambda: planned({"/plain": -1}, default=0, fetch=script()),
        ["No policy governs OPTIONS /plain, so that the application answers it; it was called"],
    ),
    "headers on what is left alone": Broken(
        edited(reflect),
        PATHS,
        lambda: planned({"/plain": -1}, default=0, fetch=script()),
        ["No policy governs OPTIONS /plain, and its answer has .*: leave such a response as it is"],
    ),
}


def assert_passes(rule: Any, suite: ConformanceSuite, case: Callable[[], tuple[Any, ...]]) -> None:
    """Run a test of the suite with one example."""

    @settings(phases=[Phase.explicit])
    @given(st.none())
    @example(None)
    def once(_: None) -> None:
        rule.hypothesis.inner_test(suite, *case())

    once()


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_an_adapter_that_breaks_a_rule_gets_the_browsers_explanation(broken: Broken) -> None:
    class Suite(ConformanceSuite):
        def serve(self, site: Site, policies: Policies) -> Sender:
            return wsgi_sender(broken.adapter(answering_crashes(wsgi_site(site)), policies))

    with pytest.raises(AssertionError) as failure:
        assert_passes(broken.rule, Suite(), broken.example)
    text = str(failure.value)
    missing = [pattern for pattern in broken.says if re.search(pattern, text, re.DOTALL) is None]
    assert missing == [], text


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_our_own_adapter_passes_the_same_example(broken: Broken) -> None:
    class Suite(ConformanceSuite):
        def serve(self, site: Site, policies: Policies) -> Sender:
            app = answering_crashes(wsgi_site(site))
            return wsgi_sender(corscore_wsgi.CORSMiddleware(app, policies))

    assert_passes(broken.rule, Suite(), broken.example)


def test_a_path_that_is_listed_as_out_of_reach_without_need_fails() -> None:
    class Listed(ConformanceSuite):
        out_of_reach = MappingProxyType({"/plain": "listed by mistake"})

        def serve(self, site: Site, policies: Policies) -> Sender:
            app = answering_crashes(wsgi_site(site))
            return wsgi_sender(corscore_wsgi.CORSMiddleware(app, policies))

    with pytest.raises(AssertionError, match="out_of_reach lists this path"):
        assert_passes(MEANING, Listed(), lambda: fetching(script()))


def test_a_suite_without_serve_says_what_to_write() -> None:
    class Empty(ConformanceSuite):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty\.serve\(site, policies\) is missing"):
        assert_passes(MEANING, Empty(), lambda: fetching(script()))


def test_an_exception_that_a_framework_only_logs_is_shown(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import logging

        from corscore.testing.conformance import ConformanceSuite, asgi_sender, asgi_site

        class TestAdapter(ConformanceSuite):
            def serve(self, site, policies):
                async def framework(scope, receive, send):
                    try:
                        raise TypeError("the adapter's own")
                    except TypeError:
                        logging.getLogger("framework").exception("unhandled")
                    await send({"type": "http.response.start", "status": 500})
                    await send({"type": "http.response.body"})

                return asgi_sender(framework)
        """
    )
    result = pytester.runpytest_inprocess("-k", "what_the_policy_means")
    result.assert_outcomes(failed=1, deselected=4)
    result.stdout.fnmatch_lines(["*or the adapter has raised*", "TypeError: the adapter's own"])
    result.stdout.no_fnmatch_line("*unhandled*")
