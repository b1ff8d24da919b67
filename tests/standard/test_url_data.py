"""Origins and URLs against the data of web-platform-tests, and against another URL parser."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corscore import ConfigError, Policy
from corscore._standard.host import domain_to_ascii, has_valid_punycode
from corscore._standard.origin import parse_origin
from corscore.browser._url import parse_url

if TYPE_CHECKING:
    from corscore import Problem

DATA = Path(__file__).parents[1] / "data" / "wpt"

# Origins in the data that no page has: DNS has no such name, or there is no such port.
REFUSED = {
    "http://.": "origin-host-invalid",
    "http://..": "origin-host-invalid",
    # Since Python 3.11 "*+" may be in a regex.
    "http://!\"$&'()*+,-.;=_`{}~": (
        "origin-is-regex" if sys.version_info >= (3, 11) else "origin-wildcard-misplaced"
    ),
    "http://f:0": "origin-port-invalid",
}


def read(name: str) -> list[dict[str, Any]]:
    """Return the rows of a file, without the strings between them, which are comments."""
    loaded = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    return [row for row in loaded if isinstance(row, dict)]


URLS = read("urltestdata")
DOMAINS = read("toascii")
ORIGINS = sorted({row["origin"] for row in URLS if row.get("origin", "").startswith("http")})


def problems(origin: str) -> tuple[Problem, ...]:
    """Return the problems of an origin in a configuration whose other options allow it."""
    try:
        policy = Policy(allow_origins=[origin])
    except ConfigError as error:
        return error.problems
    assert policy.allows_origin(origin)
    assert policy.allows_origin(origin.encode())
    assert not policy.allows_origin(f"{origin}/")
    assert Policy.from_mapping(policy.to_mapping()) == policy
    return ()


def assert_refused(found: tuple[Problem, ...]) -> None:
    # Each code has a page: tests/house/test_codes.py.
    assert found
    assert all(problem.hint for problem in found)


def test_urls_are_parsed_as_the_standard_says() -> None:
    compared = 0
    for row in URLS:
        base = parse_url(row["base"]) if row["base"] else None
        if row["base"] and base is None:
            continue  # the base is no HTTP(S) URL
        url = parse_url(row["input"], base)
        is_http = row.get("protocol") in ("http:", "https:")
        assert (url and str(url)) == (row["href"] if is_http else None), row
        if url is not None and "origin" in row:
            assert url.origin == row["origin"], row
        compared += 1
    assert compared > 600


@pytest.mark.parametrize("origin", ORIGINS)
def test_an_origin_of_a_page_is_matched_unless_dns_cannot_have_it(origin: str) -> None:
    found = problems(origin)
    assert [problem.code for problem in found] == ([REFUSED[origin]] if origin in REFUSED else [])
    assert all(problem.hint for problem in found)


def test_an_invalid_url_is_refused_as_an_origin() -> None:
    for row in URLS:
        if row.get("failure"):
            assert_refused(problems(row["input"]))


def domain_name(row: dict[str, Any]) -> str:
    """Return the name of a row, without backslashes: collected twice, pytest doubles them."""
    name: bytes = row["input"].encode("ascii", "xmlcharrefreplace")
    return name.decode()[:40]


@pytest.mark.parametrize("row", DOMAINS, ids=domain_name)
def test_domains_become_ascii(row: dict[str, Any]) -> None:
    url = parse_url(f"https://{row['input']}/x")
    assert (url and url.host) == row["output"]
    found = problems(f"https://{row['input']}")
    if row["output"] == row["input"] and not found:
        return
    assert_refused(found)
    if row["output"] is None:
        return
    written = re.findall(r'write "(https:[^"]+)"', found[0].hint)
    if written:
        assert written == [f"https://{row['output']}"]
    else:
        # An empty label, or more than 63 characters in one or 253 in all.
        assert {problem.code for problem in found} >= {"origin-host-invalid"}
        assert parse_origin(f"https://{row['output']}") is None


@pytest.mark.parametrize(
    ("domain", "becomes"),
    [
        # Seen in Chromium, Firefox and WebKit.
        ("\u05d0.0a", None),
        ("a_.\u05d0", None),
        ("\xe01.\u05d0", "xn--1-rfa.xn--4db"),
        ("\u0300a.b", None),
        ("a\u094d\u200db", "xn--ab-fsf014u"),
        ("\xdfxn--a.b", "xn--xn--a-kqa.b"),
        ("xn--\xdf.b", None),
        # In Firefox and WebKit; Chromium leaves ASCII as it is.
        ("xn--a-ecb.b", None),
        ("xn---.b", None),
        ("xn--xn--a-vla.b", None),
        # Signs other than hyphens are left to the rules for labels.
        ("\xfc_.b", "xn--_-dha.b"),
        # Our own bound.
        ("\xfc." * 506, "xn--tda." * 506),
        ("\xfc" * 1013, None),
    ],
)
def test_bidirectional_names_and_joiners_become_ascii_or_are_refused(
    domain: str, becomes: str | None
) -> None:
    assert domain_to_ascii(domain) == becomes


NAMES = st.lists(
    st.text("abAB01-_\xfc\xdf\u4f8b\u05d0\u3002%.x!", min_size=1, max_size=6)
    | st.sampled_from(["xn--", "127", "0x7f", "1.2.3.4", "example", "localhost", "a" * 64]),
    min_size=1,
    max_size=4,
).map(".".join)
TEXTS = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["https://", "http://", "HTTP://", "https:", "http:/\\"]),
    st.sampled_from(["", "", "", "u@", "u:p@"]),
    NAMES | st.sampled_from(["[::1]", "[::ffff:1.2.3.4]", "[1:0::]", "[::1", "1.2.3", "256.1.1"]),
    st.sampled_from(["", "", ":", ":80", ":443", ":8080", ":0", ":00080", ":65536", ":8x"]),
    st.sampled_from(["", "", "/", "/a/../b", "?x", "#x"]),
)  # fmt: skip


@given(TEXTS)
def test_another_url_parser_reads_the_same_origin(text: str) -> None:
    ada = pytest.importorskip("ada_url")
    try:
        theirs = ada.URL(text)
    except ValueError:
        theirs = None
    ours = parse_url(text)
    if theirs is None or not has_valid_punycode(theirs.hostname):
        # Like Chromium, it takes ASCII labels that begin with "xn--".
        assert ours is None
        assert problems(text)
        return
    assert ours is not None
    assert (ours.origin, str(ours)) == (theirs.origin, theirs.href)
    parsed = parse_origin(ours.origin)
    if parsed is not None:
        assert not problems(ours.origin)
        assert problems(text) or text == ours.origin
        return
    assert_refused(problems(ours.origin))
    labels = ours.host.removesuffix(".").split(".")
    is_of_dns = all(re.fullmatch("[a-z0-9_-]{1,63}", label) for label in labels)
    assert not is_of_dns or ours.port == "0"
