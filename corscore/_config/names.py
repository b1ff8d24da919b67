"""Readers of the options that list methods and header names."""

from __future__ import annotations

from corscore._config.values import read_list
from corscore._standard.fetch import (
    CORS_SAFELISTED_METHODS,
    FORBIDDEN_METHODS,
    FORBIDDEN_RESPONSE_HEADERS,
    NORMALISED_METHODS,
    is_forbidden_request_header,
)
from corscore._standard.grammar import is_token
from corscore._standard.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore._config.options import Options
    from corscore._config.spelling import Problems

ANY = "*"

# Browsers do not upper-case these (https://fetch.spec.whatwg.org/#concept-method-normalize), so
# that `patch` in a configuration would not match the `PATCH` of a script.
_MEANT_IN_UPPER_CASE = ("PATCH", "QUERY")
_QUOTES = "\"'`"
_REQUEST_PREFIX = "access-control-request-"
_CORS_PREFIX = "access-control-"


def read_methods(problems: Problems, option: str, value: object) -> tuple[str, ...]:
    """Methods in the case that a browser sends, without those that CORS always allows."""
    methods: dict[str, None] = {}
    for item in read_list(problems, option, value):
        upper = item.upper()
        if not is_token(item):
            problems.add(
                "method-invalid",
                option,
                item,
                f"{shown(item)} is not the name of a method.",
                _hint(problems, item.upper(), "PUT"),
            )
        elif upper in FORBIDDEN_METHODS:
            problems.add(
                "method-forbidden",
                option,
                item,
                f"{shown(item)} is a method that browsers refuse to send.",
                f"drop {problems.literal(item)}",
            )
        elif item != upper and upper in _MEANT_IN_UPPER_CASE:
            problems.add(
                "method-case",
                option,
                item,
                f"{shown(item)} is not {upper}: methods are compared by case, and browsers send "
                "this one as the script wrote it.",
                f"write {problems.literal(upper)}, and {upper} in the script too",
            )
        else:
            methods[upper if upper in NORMALISED_METHODS else item] = None
    return tuple(method for method in methods if method not in CORS_SAFELISTED_METHODS)


def read_request_headers(problems: Problems, option: str, value: object) -> tuple[str, ...]:
    """Names that a script may send, in lower case."""
    names: dict[str, None] = {}
    for name, item in _read_names(problems, option, value):
        if name.startswith(_CORS_PREFIX) and not name.startswith(_REQUEST_PREFIX):
            problems.add(
                "header-wrong-direction",
                option,
                item,
                f"{shown(item)} is a header of responses; a request does not carry it.",
                f"drop {problems.literal(item)}: the policy sends it where it belongs",
            )
        elif is_forbidden_request_header(name):
            problems.add(
                "header-forbidden",
                option,
                item,
                f"{shown(item)} is set by browsers alone; scripts cannot send it, and it needs "
                "no permission.",
                f"drop {problems.literal(item)}",
            )
        else:
            names[name] = None
    return tuple(names)


def read_exposed_headers(problems: Problems, option: str, value: object) -> tuple[str, ...]:
    """Names that a script may read, as they were written."""
    names: dict[str, str] = {}
    for name, item in _read_names(problems, option, value):
        if name in FORBIDDEN_RESPONSE_HEADERS:
            problems.add(
                "header-forbidden",
                option,
                item,
                f"{shown(item)} is a header that no script may read.",
                f"drop {problems.literal(item)}",
            )
        elif name.startswith(_REQUEST_PREFIX) or name == "origin":
            problems.add(
                "header-wrong-direction",
                option,
                item,
                f"{shown(item)} is a header of requests; there is nothing to read in a response.",
                f"drop {problems.literal(item)}",
            )
        else:
            names.setdefault(name, item)
    return tuple(names.values())


def check_exposed_headers(problems: Problems, options: Options) -> None:
    """Note a ``*`` beside credentials."""
    option = "expose_headers"
    if ANY in options.expose_headers and options.allow_credentials:
        problems.add(
            "expose-wildcard-with-credentials",
            option,
            ANY,
            'browsers take "*" for a header of that name when credentials are sent.',
            f"list the names: {problems.write(option, ['X-Total-Count', 'Link'])}",
        )


def _read_names(problems: Problems, option: str, value: object) -> Iterator[tuple[str, str]]:
    """Each valid name in lower case, and as it was written."""
    for item in read_list(problems, option, value):
        if is_token(item):
            yield item.lower(), item
            continue
        problems.add(
            "header-invalid",
            option,
            item,
            f"{shown(item)} is not the name of a header.",
            # "X-Token: 1" has a value behind the name.
            _hint(problems, item.partition(":")[0], "X-Request-Id"),
        )


def _hint(problems: Problems, item: str, example: str) -> str:
    """Return a hint with the names that an invalid item contains, or with the example."""
    names = [part.strip().strip(_QUOTES).strip() for part in item.split(",")]
    if not any(names):
        return "drop it"
    if all(map(is_token, names)):
        return f"write {' and '.join(map(problems.literal, names))}"
    return f"write a name, such as {problems.literal(example)}"
