"""What the conformance suite says of adapters that break a rule: the browser's explanation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

import corscore_wsgi
from corscore import Policy, PolicyMap
from corscore.testing.conformance import (
    ConformanceSuite,
    Crash,
    Sender,
    Site,
    wsgi_sender,
    wsgi_site,
)

if TYPE_CHECKING:
    from corscore.integration import Policies

# A fault shows in some of the examples only.
pytestmark = pytest.mark.slow

Headers = list[tuple[str, str]]
Environ = dict[str, Any]
Adapter = Callable[[Any, Any], Any]


def without(name: str, headers: Headers) -> Headers:
    return [pair for pair in headers if pair[0].lower() != name]


def answering_crashes(app: Any) -> Any:
    """A framework that answers what a view raises, inside of the adapter."""

    def framework(environ: Environ, start_response: Any) -> Any:
        try:
            return app(environ, start_response)
        except Crash:
            start_response("500 Internal Server Error", [])
            return []

    return framework


def edited(edit: Callable[[Environ, Headers], Headers]) -> Adapter:
    """An adapter that does something more to the headers of each response."""

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


def lose(name: str) -> Adapter:
    return edited(lambda environ, headers: without(name, headers))


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
    """An adapter that adds headers where there are none, and removes nothing."""

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


def know_no_path(app: Any, policies: Policies) -> Any:
    return app


MEANING = ConformanceSuite.test_a_browser_may_do_what_the_policy_means
EVERY_REQUEST = ConformanceSuite.test_the_app_sees_every_request_once_but_no_preflight
CACHE = ConformanceSuite.test_a_shared_cache_gives_no_origin_the_answer_of_another
PATHS = ConformanceSuite.test_a_browser_may_do_what_the_policy_of_the_path_and_route_means
ONE_POLICY = ConformanceSuite.test_a_preflight_and_the_request_it_announces_have_one_policy

ALLOWED = "The policy allows this request, and a browser refuses it"
REFUSED = "The policy refuses this request for its"

BROKEN: dict[str, tuple[Adapter, Callable[[Any], Any], list[str]]] = {
    "no Vary": (
        lose("vary"),
        CACHE,
        [
            r"A shared cache answered .* with what it had stored for .*, and a browser",
            r"name it in Vary \(vary-missing\)",
            "What a browser does",
        ],
    ),
    "any origin reflected": (
        edited(reflect),
        MEANING,
        [
            f"{REFUSED} origin, and a browser allows it",
            "Allowed\n  A script on .* may do this .* and read the answer",
            "Policy\n  allow_",
        ],
    ),
    "any origin reflected, malformed ones too": (
        edited(reflect),
        EVERY_REQUEST,
        [r"allows .*, which the policy does not: a browser lets .*\(reflects-any-origin\)"],
    ),
    "headers lost on a 500": (
        lose_on_errors,
        MEANING,
        [
            "The response with status 500 has passed outside the adapter: ",
            "Refused: (no-allow-origin|null-origin)",
        ],
    ),
    "a doubled header": (
        edited(double),
        MEANING,
        ["Refused: multiple-allow-origin", "Fix: set the header in one place only"],
    ),
    "a doubled header, to any client": (
        edited(double),
        EVERY_REQUEST,
        [r"access-control-allow-origin comes 2 times .*\(multiple-allow-origin\)"],
    ),
    "the app is called for preflights": (
        call_the_app_for_preflights,
        EVERY_REQUEST,
        [r"The application was called for a preflight, OPTIONS /", r"\(preflight-not-ok\)"],
    ),
    "a request that is not allowed never reaches the app": (
        stop_what_is_not_allowed,
        EVERY_REQUEST,
        ["The application was called 0 times for .*, not once"],
    ),
    "the app's own CORS headers are kept": (
        keep_the_apps_own,
        EVERY_REQUEST,
        ["access-control-.* is in the answer to .*, where the policy does not set it"],
    ),
    "Vary is replaced": (
        edited(replace_vary),
        EVERY_REQUEST,
        ["The application sets Vary: .*: a shared cache would .* Merge Vary"],
    ),
    "no Expose-Headers": (
        lose("access-control-expose-headers"),
        MEANING,
        [
            "The policy exposes .*, which the page sets, and a browser hides it",
            "Refused: header-not-exposed",
            "Fix: list .* in Access-Control-Expose-Headers",
        ],
    ),
    "no Allow-Credentials": (
        lose("access-control-allow-credentials"),
        MEANING,
        ["Refused: (credentials-not-allowed|null-origin)"],
    ),
    "the app's own headers are lost": (
        edited(lose_the_apps_own),
        EVERY_REQUEST,
        ["The application sets .*: the adapter has lost it"],
    ),
    "a stream ends after its first chunk": (
        send_one_chunk,
        EVERY_REQUEST,
        [r"The body of .* /stream is b'data: 1\\n\\n', not b'data: 1\\n\\ndata: 2"],
    ),
    "one policy for all paths": (
        know_one_path,
        ONE_POLICY,
        [r"(Policy (\d|None) answers .*, not policy -?\d|Policy .* answers the preflight)"],
    ),
    "no policy for any path": (
        know_no_path,
        PATHS,
        [ALLOWED, "Refused: (no-allow-origin|preflight-not-ok|null-origin)"],
    ),
}


def _run_often(rule: Callable[[Any], Any], suite: ConformanceSuite) -> None:
    for _ in range(10):  # a run of few examples may miss the fault
        rule(suite)


@pytest.mark.parametrize(("adapter", "rule", "says"), BROKEN.values(), ids=BROKEN)
def test_an_adapter_that_breaks_a_rule_gets_the_browsers_explanation(
    adapter: Adapter, rule: Callable[[Any], Any], says: list[str]
) -> None:
    class Broken(ConformanceSuite):
        def serve(self, site: Site, policies: Policies) -> Sender:
            return wsgi_sender(adapter(answering_crashes(wsgi_site(site)), policies))

    with pytest.raises(AssertionError) as failure:
        _run_often(rule, Broken())
    text = str(failure.value)
    missing = [pattern for pattern in says if re.search(pattern, text, re.DOTALL) is None]
    assert missing == [], text


def test_a_path_that_is_listed_as_out_of_reach_without_need_fails() -> None:
    class Listed(ConformanceSuite):
        out_of_reach = MappingProxyType({"/plain": "listed by mistake"})

        def serve(self, site: Site, policies: Policies) -> Sender:
            app = answering_crashes(wsgi_site(site))
            return wsgi_sender(corscore_wsgi.CORSMiddleware(app, policies))

    with pytest.raises(AssertionError, match="out_of_reach lists this path"):
        MEANING(Listed())


def test_a_suite_without_serve_says_what_to_write() -> None:
    class Empty(ConformanceSuite):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty\.serve\(site, policies\) is missing"):
        MEANING(Empty())
