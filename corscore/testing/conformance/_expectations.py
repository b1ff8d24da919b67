"""The expectations of an adapter's answers; a failure says what a browser does, and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NoReturn

from corscore._explain.fetch import explain_fetch
from corscore._standard.text import shown
from corscore.testing.conformance import _oracle as oracle
from corscore.testing.conformance._site import METHODS, Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from corscore.browser import FetchResult, Request
    from corscore.testing.conformance._cache import SharedCache
    from corscore.testing.conformance._oracle import Script
    from corscore.testing.conformance._site import Answer, Headers

    Options = dict[str, Any]
    Pages = Mapping[str, Page]

# The statuses of a framework's own answers.
FRAMEWORK_STATUSES = {"/crash": 500, "/missing": 404}

_SERVER_ERROR = 500
_BODILESS = (204, 304)


def expect_meaning(
    options: Options, script: Script, request: Request, result: FetchResult
) -> oracle.RefusedPart | None:
    """Fail unless a browser treats the response as the policy means; return why it refuses."""
    __tracebackhide__ = True
    expected = oracle.refusal(options, script)
    got = None if result.reason is None else oracle.REASONS.get(result.reason, result.reason)
    if got != expected:
        fail(_disagreement(expected, result), request, result, options)
    return expected


def _disagreement(expected: oracle.RefusedPart | None, result: FetchResult) -> str:
    if expected is None:
        fault = "The policy allows this request, and a browser refuses it"
    elif result.readable:
        fault = f"The policy refuses this request for its {expected}, and a browser allows it"
    else:
        fault = (
            f"The policy refuses this request for its {expected}, and a browser refuses it for "
            f"another reason, {result.reason}"
        )
    status = result.exchanges[-1].status
    if result.reason == "no-allow-origin" and status >= _SERVER_ERROR:
        fault += (
            f". The response with status {status} has passed outside the adapter, or the adapter "
            "has raised: then the captured output ends with its exception"
        )
    return fault


def expect_out_of_reach(options: Options, request: Request, result: FetchResult) -> None:
    """Fail if a script reads a page whose path is in ``out_of_reach``."""
    __tracebackhide__ = True
    if result.readable:
        fault = "out_of_reach lists this path, and a browser reads its response: remove it there"
        fail(fault, request, result, options)


def expect_reading(
    options: Options, script: Script, pages: Pages, request: Request, result: FetchResult
) -> None:
    """Fail unless the script reads the page's status and the headers that the policy exposes."""
    __tracebackhide__ = True
    if oracle.normalised(script.method) not in METHODS:
        return  # A framework may answer a method that it does not route.
    framework_status = FRAMEWORK_STATUSES.get(script.path)
    page = pages.get("/plain" if script.path == "/moved" else script.path, Page())
    status = page.status if framework_status is None else framework_status
    if result.status != status:
        fail(f"A script reads status {result.status}, not {status}", request, result, options)
    if framework_status is not None:
        return
    set_by_page = {name.lower() for name, _ in page.headers} - oracle.SHARED
    got = {name: value for name, value in result.headers if name in set_by_page}
    expected = oracle.readable(options, script, page)
    for name in sorted(expected.keys() - got.keys()):
        is_sent = any(name == line for line, _ in result.exchanges[-1].response_headers)
        loss = "a browser hides it" if is_sent else "the adapter has lost it"
        fault = f"The policy exposes {name}, which the page sets, and {loss}"
        fail(fault, request, result, options, reads=[name])
    for name, value in got.items():
        if expected.get(name) != value:
            fault = f"A script reads {name}: {shown(value)}, which the policy does not expose"
            fail(fault, request, result, options)


def expect_from_cache(
    options: Options,
    script: Script,
    request: Request,
    direct: FetchResult,
    through: FetchResult,
    cache: SharedCache,
) -> None:
    """Fail unless a script gets the same through a shared cache and without one."""
    __tracebackhide__ = True
    if (through.reason, through.status, through.headers) == (
        direct.reason,
        direct.status,
        direct.headers,
    ):
        return
    stored = dict(_lower(cache.last or ())).get("origin")
    other = "a request without an Origin" if stored is None else shown(stored)
    fault = (
        f"A shared cache answered {shown(script.origin)} with what it had stored for {other}, "
        f"and a browser {'allows' if through.readable else 'refuses'} it. Answers that depend on "
        "a request header name it in Vary (vary-missing)"
    )
    fail(fault, request, through, options)


def expect_no_visit_of_preflight(
    options: Options, method: str, path: str, answer: Answer, visits: list[tuple[str, str]]
) -> None:
    """Fail unless the engine answered a preflight, and the application did not see it."""
    __tracebackhide__ = True
    if visits:
        raise AssertionError(
            f"The application was called for a preflight, {method} {path}. Send the answer that "
            "the engine has ready instead: an application may redirect a preflight or ask it to "
            "log in, and then a browser refuses the request (preflight-not-ok)"
        )
    if answer.status not in (options["preflight_status"], 403):
        raise AssertionError(
            f"The answer to a preflight, {method} {path}, has status {answer.status}, not the "
            f"engine's {options['preflight_status']} or 403: a browser accepts only 200 to 299"
        )


def expect_visit(
    options: Options,
    method: str,
    path: str,
    page: Page,
    answer: Answer,
    visits: list[tuple[str, str]],
) -> None:
    """Fail unless the application answered a request that is no preflight, with all its headers."""
    __tracebackhide__ = True
    asked = f"{method} {path}"
    if visits != [(method, path)]:
        raise AssertionError(
            f"The application was called {len(visits)} times for {asked}, not once: {visits}. CORS "
            "stops preflights only: every other request reaches the application once"
        )
    own, got = _lower(page.headers), _lower(answer.headers)
    expected = {"access-control-allow-origin"} & dict(got).keys()
    if expected and options["allow_credentials"]:
        expected |= {"access-control-allow-credentials"}
    for name in sorted(dict(got).keys() & oracle.OWNED - expected):
        raise AssertionError(
            f"{name} is in the answer to {asked}, where the policy does not set it: a browser "
            "believes it. Remove what the application sets; `Decision.apply` does so"
        )
    for name in sorted(expected - dict(got).keys()):
        raise AssertionError(
            f"{name} is missing in the answer to {asked}: a browser keeps the response from every "
            "script that sends cookies (credentials-not-allowed)"
        )
    for name, value in own:
        if name not in oracle.SHARED and (name, value) not in got:
            raise AssertionError(
                f"The application sets {name}: {value}, and the answer to {asked} has "
                f"{dict(got).get(name)!a}: the adapter has lost it"
            )
    _expect_vary(asked, dict(own).get("vary", ""), dict(got).get("vary", ""))
    body = b"".join(page.chunks)
    if not (page.raises or method == "HEAD" or page.status in _BODILESS) and answer.body != body:
        raise AssertionError(f"The body of {asked} is {answer.body!a}, not {body!a}")


def _expect_vary(asked: str, own: str, got: str) -> None:
    missing = oracle.names(own) - oracle.names(got)
    if missing and "*" not in oracle.names(got):
        raise AssertionError(
            f"The application sets Vary: {own}, and the answer to {asked} has {got!a}: a shared "
            "cache would give one client the answer of another. Merge Vary, and never replace it"
        )


def expect_hostile_gains_nothing(
    options: Options, asked: str, sent: Headers, answer: Answer
) -> None:
    """Fail if a header is doubled, or if Allow-Origin repeats an origin that is not allowed."""
    __tracebackhide__ = True
    got = _lower(answer.headers)
    for name, count in Counter(name for name, _ in got).items():
        if count > 1:
            values = ", ".join(shown(value) for other, value in got if other == name)
            why = (
                "a browser refuses such a response (multiple-allow-origin)"
                if name == "access-control-allow-origin"
                else "the adapter replaces or merges a header, and never adds a second line"
            )
            raise AssertionError(
                f"{name} comes {count} times in the answer to {asked}, {values}: {why}"
            )
    allowed = dict(got).get("access-control-allow-origin")
    if allowed is None:
        return  # refused, or out of the adapter's reach
    origins = [value for name, value in _lower(sent) if name == "origin"]
    if "*" in options["allow_origins"]:
        if allowed != "*":
            raise AssertionError(
                f"The policy allows every origin, and the answer to {asked} allows "
                f"{shown(allowed)}: a shared cache would give it to other origins, whose browsers "
                "refuse it (origin-mismatch)"
            )
    elif origins != [allowed] or not oracle.allows_origin(options, allowed):
        raise AssertionError(
            f"The answer to {asked} allows {shown(allowed)}, which the policy does not: a browser "
            f"lets that page read the response. Origins sent: {', '.join(map(shown, origins))} "
            "(reflects-any-origin)"
        )


def expect_left_alone(
    sent: str, path: str, page: Page | None, answer: Answer, visits: list[tuple[str, str]]
) -> None:
    """Fail unless a request without a policy reached the page, and the answer is the page's own."""
    __tracebackhide__ = True
    if visits != ([] if page is None else [(sent, path)]):
        seen = ", ".join(f"{method} {target}" for method, target in visits) or "nothing"
        raise AssertionError(
            f"No policy governs {sent} {path}, so that the application answers it; it was called "
            f"for {seen}"
        )
    own = () if page is None or page.raises else page.headers
    ours = sorted(pair for pair in _lower(own) if pair[0] in oracle.SHARED)
    got = sorted(pair for pair in _lower(answer.headers) if pair[0] in oracle.SHARED)
    if got != ours:
        raise AssertionError(
            f"No policy governs {sent} {path}, and its answer has {got} where the application "
            f"sets {ours}: leave such a response as it is"
        )


def expect_one_policy(
    asked: str, number: int | None, to_preflight: Answer, to_request: Answer
) -> None:
    """Fail unless a preflight and its request have the answers of one numbered policy.

    Args:
        asked: Method and path, for the message.
        number: The number of the policy that governs them; -1 is no policy, and None is unknown.
        to_preflight: The answer to the preflight.
        to_request: The answer to the request that it announces.
    """
    __tracebackhide__ = True
    first = _number_in("access-control-max-age", to_preflight)
    second = _number_in("access-control-expose-headers", to_request)
    if first != second:
        raise AssertionError(
            f"The preflight of {asked} has the answer of {_named(first)} and status "
            f"{to_preflight.status}, the request that of {_named(second)} and status "
            f"{to_request.status}: a browser would send what the second refuses, or not send what "
            "it allows. Look the policy up with the method that the preflight announces"
        )
    expected = None if number is not None and number < 0 else number
    if number is not None and first != expected:
        raise AssertionError(
            f"{asked} has the answer of {_named(first)}, not of {_named(expected)}"
        )


def _named(number: int | None) -> str:
    return "no policy" if number is None else f"policy {number}"


def _number_in(name: str, answer: Answer) -> int | None:
    # The suite's policies send their numbers in these headers.
    value = dict(_lower(answer.headers)).get(name)
    return None if value is None else int(value.rpartition("-")[2])


def _lower(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers]


def fail(
    fault: str,
    request: Request,
    result: FetchResult,
    options: Options,
    *,
    reads: Iterable[str] = (),
) -> NoReturn:
    """Fail with the fault, the browser's explanation, and the exchanges."""
    __tracebackhide__ = True
    lines = [
        f"{fault}: {shown(request.method)} {request.url} from {shown(request.origin)}.",
        str(explain_fetch(result, reads=reads)),
        "Policy",
        *(f"  {name}={shown(value)}" for name, value in options.items() if value),
        "Over the wire",
    ]
    for exchange in result.exchanges:
        lines.append(f"  {exchange.method} {exchange.url}")
        lines += (f"    {name}: {shown(value)}" for name, value in exchange.request_headers)
        lines.append(f"  {exchange.status}")
        lines += (f"    {name}: {shown(value)}" for name, value in exchange.response_headers)
    raise AssertionError("\n".join(lines))
