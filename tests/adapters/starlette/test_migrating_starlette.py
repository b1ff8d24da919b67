"""A move from Starlette's CORSMiddleware: with the same options, a browser may do the same.

The exceptions are deliberate, and listed in tests/data/differences_starlette.json, each with its
reason. Examples there show them; all that is generated here has to agree, or be one of them.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import pytest
import starlette
import starlette.middleware.cors
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cors_headers import PAGE, cors_of
from corscore import ConfigError, Policy, browser
from corscore.testing.conformance import METHODS, Page, Site, asgi_sender
from corscore.testing.conformance._site import transport_of
from corscore_starlette import CORSMiddleware
from starlette_site import starlette_app
from tables import rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from corscore.testing.conformance import Sender

Options = dict[str, Any]
Fetch = dict[str, Any]

ROWS = rows("differences_starlette")
EXAMPLES = [
    (f"{row['id']}-{number}", case) for row in ROWS for number, case in enumerate(row["examples"])
]
FETCHES = {name: case for name, case in EXAMPLES if "fetch" in case}
REQUESTS = {name: case for name, case in EXAMPLES if "request" in case}

API = "https://api.example"
PAGES = {
    "/": Page(headers=(("X-Total", "3"), ("X-Page", "1"))),
    "/missing": Page(status=404),
    "/crash": Page(raises=True),
    "/own-allow-origin": Page(
        headers=(("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", "*"))
    ),
    "/own-expose": Page(
        headers=(
            ("Access-Control-Expose-Headers", "Content-Disposition"),
            ("Content-Disposition", "attachment"),
            ("X-Total", "3"),
        )
    ),
}
OF_THE_PAGES = {"x-total", "x-page", "content-disposition"}

THEIRS = starlette.middleware.cors.CORSMiddleware


def sender(middleware: Any, options: Options) -> Sender:
    app = starlette_app(Site(PAGES))
    app.add_middleware(middleware, **options)
    return asgi_sender(app)


def outcome(middleware: Any, options: Options, fetch: Fetch) -> dict[str, str] | str:
    """Return the application's own headers that the script reads, or "refused"."""
    request = browser.Request(
        fetch.get("method", "GET"),
        API + fetch.get("path", "/"),
        origin=fetch.get("origin", PAGE),
        headers=fetch.get("headers", {}),
        credentials=fetch.get("credentials", "omit"),
        cookie="session=someone",
    )
    result = browser.fetch(request, transport_of(sender(middleware, options)))
    if not result.readable:
        return "refused"
    return {name: value for name, value in result.headers if name in OF_THE_PAGES}


def codes(options: Options) -> list[str]:
    """Return the codes of the problems that corscore has with the options."""
    try:
        Policy(**options)
    except ConfigError as error:
        return sorted(problem.code for problem in error.problems)
    return []


# --- the written list


def _skip_what_is_too_new(case: dict[str, Any]) -> None:
    option = case.get("needs", "allow_origins")
    if option not in inspect.signature(THEIRS).parameters:
        pytest.skip(f"this Starlette does not know {option}")
    if [int(part) for part in starlette.__version__.split(".")[:2]] < case.get("since", [0]):
        pytest.skip("this Starlette does not differ")


def _agrees(found: dict[str, str] | str, wanted: dict[str, str] | str) -> bool:
    return found != "refused" if wanted == "readable" else found == wanted


@pytest.mark.parametrize("case", FETCHES.values(), ids=FETCHES)
def test_each_listed_difference_of_what_a_browser_may_do_is_one(case: dict[str, Any]) -> None:
    _skip_what_is_too_new(case)
    assert case["starlette"] != case["corscore"]
    if case["starlette"] == "error":
        with pytest.raises(re.error):
            outcome(THEIRS, case["options"], case["fetch"])
    else:
        assert _agrees(outcome(THEIRS, case["options"], case["fetch"]), case["starlette"])
    if isinstance(case["corscore"], list):
        assert codes(case["options"]) == case["corscore"]
    else:
        assert _agrees(outcome(CORSMiddleware, case["options"], case["fetch"]), case["corscore"])


@pytest.mark.parametrize("case", REQUESTS.values(), ids=REQUESTS)
def test_each_listed_difference_of_the_answer_is_one(case: dict[str, Any]) -> None:
    _skip_what_is_too_new(case)
    assert case["starlette"] != case["corscore"]
    for name, middleware in (("starlette", THEIRS), ("corscore", CORSMiddleware)):
        send = sender(middleware, case["options"])
        status, headers, _ = send(
            case.get("method", "OPTIONS"), f"{API}/", list(case["request"].items())
        )
        allow_origin = cors_of(headers).get("access-control-allow-origin", [])
        vary = [value for header, value in headers if header.lower() == "vary"]
        seen = {"status": status, "allow_origin": allow_origin, "vary": vary}
        assert {part: seen[part] for part in case[name]} == case[name]


def test_every_row_says_what_a_reader_wants_to_know() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row["examples"]
        for text in ("difference", "starlette", "corscore", "why"):
            assert row[text]
            assert "|" not in row[text], "it becomes a cell of a table"


# --- everything else is the same

LISTED_CODES = {
    code
    for case in FETCHES.values()
    if isinstance(case["corscore"], list)
    for code in case["corscore"]
}


def _is_preflighted(fetch: Fetch) -> bool:
    return fetch["method"] not in ("GET", "HEAD", "POST") or bool(fetch["headers"])


def _lower(names: list[str]) -> set[str]:
    return {name.lower() for name in names}


# Each listed difference, with a function that says whether it explains two outcomes.
EXPLANATIONS: dict[str, Callable[[Options, Fetch], bool]] = {
    "patterns": lambda options, fetch: any(
        "*." in o or ":*" in o for o in options["allow_origins"]
    ),
    "regex-and-null": lambda options, fetch: (
        fetch["origin"] == "null" and "allow_origin_regex" in options
    ),
    "safelisted-methods": lambda options, fetch: (
        _is_preflighted(fetch)
        and fetch["method"] in {"GET", "HEAD", "POST"} - set(options["allow_methods"])
        and "*" not in options["allow_methods"]
    ),
    "any-method": lambda options, fetch: (
        "*" in options["allow_methods"]
        and fetch["method"] not in starlette.middleware.cors.ALL_METHODS
    ),
    "safelisted-range": lambda options, fetch: (
        "Range" in fetch["headers"] and not {"*", "range"} & _lower(options["allow_headers"])
    ),
    "unhandled-exception": lambda options, fetch: fetch["path"] == "/crash",
    "own-allow-origin": lambda options, fetch: fetch["path"] == "/own-allow-origin",
    "own-expose": lambda options, fetch: fetch["path"] == "/own-expose",
}


def _some(*items: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(items), max_size=3, unique=True)


OPTIONS = st.fixed_dictionaries(
    {
        "allow_origins": st.one_of(
            _some("https://two.example", "http://localhost:3000").map(lambda more: [PAGE, *more]),
            _some(PAGE, "https://*.app.example", "http://localhost:*"),
            st.just(["*"]),
        ),
        "allow_methods": st.just(["*"]) | _some("GET", "POST", "PUT", "PATCH", "DELETE"),
        "allow_headers": st.just(["*"]) | _some("Content-Type", "x-one", "Authorization", "Range"),
        "expose_headers": _some("X-Total", "x-page", "*"),
        "allow_credentials": st.booleans(),
        "max_age": st.sampled_from([600, 0, 86400]),
    },
    optional={
        "allow_origin_regex": st.sampled_from(
            [r"https://pr-[0-9]+\.app\.example", r"https://(two|three)\.example", ".*"]
        ),
    },
)
BAD_OPTIONS = st.fixed_dictionaries(
    {
        "allow_origins": _some(
            PAGE, "*", "null", f"{PAGE}/", f"{PAGE}:443", "http://app.example", "app.example"
        ),
        "allow_methods": _some("PUT", "patch", "TRACE", "GET, PUT", "*"),
        "allow_headers": _some("x-one", "Cookie", "Access-Control-Allow-Origin", "X One", "*"),
        "expose_headers": _some("X-Total", "Set-Cookie", "*"),
        "allow_credentials": st.booleans(),
        "max_age": st.sampled_from([600, -1, 604800]),
    },
    optional={"allow_origin_regex": st.sampled_from(["https://.*", "(a+)+", "(", ".*"])},
)
# Hypothesis draws the first ones more often: an origin that most policies allow, few headers.
FETCH = st.fixed_dictionaries(
    {
        "origin": st.just(PAGE)
        | st.sampled_from(
            [
                "null",
                "https://two.example",
                "https://pr-7.app.example",
                "http://localhost:3000",
                "http://localhost:4000",
                "http://app.example",
                "https://app.example.evil.test",
            ]
        ),
        "method": st.sampled_from(METHODS),
        "headers": st.sampled_from(
            [
                {},
                {"Content-Type": "application/json"},
                {"Range": "bytes=0-1,5-6"},
                {"X-One": "1"},
                {"X-One": "1", "Content-Type": "application/json"},
                {"X-One": "1", "X-Two": "2"},
                {"Authorization": "Bearer token"},
            ]
        ),
        "credentials": st.sampled_from(["omit", "include"]),
        "path": st.just("/") | st.sampled_from(sorted(PAGES)),
    }
)
POST_OF_JSON = {
    "origin": PAGE,
    "method": "POST",
    "headers": {"Content-Type": "application/json"},
    "credentials": "include",
    "path": "/",
}


@given(options=OPTIONS, fetch=FETCH)
@example(
    options={
        "allow_origins": [PAGE],
        "allow_methods": ["*"],
        "allow_headers": ["*"],
        "expose_headers": ["X-Total"],
        "allow_credentials": True,
        "max_age": 600,
    },
    fetch=POST_OF_JSON,
)
def test_a_browser_may_do_the_same_but_for_listed_differences(
    options: Options, fetch: Fetch
) -> None:
    problems = codes(options)
    assert set(problems) <= LISTED_CODES
    assume(not problems)
    if outcome(THEIRS, options, fetch) != outcome(CORSMiddleware, options, fetch):
        # Without an explanation, the difference is on no list.
        assert [name for name, explains in EXPLANATIONS.items() if explains(options, fetch)]


@given(options=BAD_OPTIONS)
def test_every_code_that_stops_a_start_is_on_the_list(options: Options) -> None:
    assert set(codes(options)) <= LISTED_CODES


def test_every_explanation_is_on_the_list() -> None:
    assert EXPLANATIONS.keys() <= {row["id"] for row in ROWS}
