"""Which origins a policy allows: tests/data/matches.json on both builds of the matcher."""

from __future__ import annotations

import re
from typing import Any

import pytest

from corscore import Policy
from tables import cases

ROWS = cases("matches")
DECOYS = [
    *(f"https://host{number}.example.net" for number in range(8)),
    *(f"https://*.zone{number}.example.net:*" for number in range(8)),
    "https://[2001:db8::ffff]:*",
    "gopher://*.example.net",
]
STRICT = Policy(
    allow_origins=["https://kiss.example", "https://*.example.com", "http://localhost:*"],
    allow_null_origin=True,
    allow_origin_regex=r"https://.*\.example\.org",
)
STAR = Policy(allow_origins=["*"])


class Text(str):
    """A subclass of str, which compiled code may refuse."""

    __slots__ = ()


class Bytes(bytes):
    """A subclass of bytes."""

    __slots__ = ()


@pytest.mark.parametrize("row", ROWS)
def test_an_origin_is_allowed_as_the_table_says(build: object, row: dict[str, Any]) -> None:
    options, origin, allowed = row["options"], row["origin"], row["allowed"]
    policy = Policy(**options)
    assert policy.allows_origin(origin) is allowed
    assert policy.allows_origin(origin.encode("latin-1")) is allowed
    patterns = options.get("allow_origins", [])
    if not patterns or patterns == ["*"]:
        return
    # Other patterns beside it change nothing.
    for beside in ([*DECOYS, *patterns], [*patterns[::-1], *DECOYS]):
        policy = Policy(**{**options, "allow_origins": beside})
        assert policy.allows_origin(origin.encode("latin-1")) is allowed


@pytest.mark.parametrize(
    "options",
    [
        {"allow_origins": ["https://a.example.com"]},
        {"allow_origins": ["https://*.example.com"]},
        {"allow_origins": ["https://a.example.com:*"]},
        {"allow_origin_regex": r"https://a\.example\.com"},
    ],
    ids=["exact", "subdomains", "any port", "regex"],
)
def test_subclasses_of_str_and_bytes_match_alike(build: object, options: dict[str, Any]) -> None:
    policy = Policy(**options)
    for origin, allowed in (("https://a.example.com", True), ("https://a.example.net", False)):
        assert policy.allows_origin(Text(origin)) is allowed
        assert policy.allows_origin(Bytes(origin.encode())) is allowed


@pytest.mark.parametrize(
    "origin",
    [
        "https://\u212aiss.example",
        "https://ki\u017fs.example",
        "https://kis\uff53.example",
        "https://kiss\u3002example",
        "https://kiss\uff0eexample",
        "https://kiss.example\u200b",
        "\ufeffhttps://kiss.example",
        "https://kiss.example\u2028",
        "https://\ud800.example.com",
        "https://a\udc80.example.com",
        "https://\U0001f600.example.com",
        "https://\u0430.example.com",
        "https://\u0661.example.com",
        "http://localhost:\u0663\u0660\u0660\u0660",
        "http://localhost:\uff13\uff10\uff10\uff10",
        "http://localhost:\u0967",
        "http://localhost:300\u00b2",
        "http://localhost\uff1a3000",
        "http:\uff0f\uff0flocalhost:3000",
        "https://\u00fc.example.org",
        "https://\ud800.example.org",
        "\uff4e\uff55\uff4c\uff4c",
        "nul\u217c",
        "\ud800",
        "\U0010ffff" * 1000,
    ],
)
def test_text_that_no_header_can_hold_matches_a_star_only(build: object, origin: str) -> None:
    assert STRICT.allows_origin(origin) is False
    assert STRICT.allows_origin(origin.encode("utf-8", "surrogatepass")) is False
    assert STAR.allows_origin(origin) is True


def test_a_label_takes_letters_digits_hyphens_and_underscores_only(build: object) -> None:
    policy = Policy(allow_origins=["https://*.example.com"])
    allowed = {
        byte
        for byte in range(256)
        if policy.allows_origin(b"https://" + bytes([byte]) + b".example.com")
    }
    assert bytes(sorted(allowed)) == b"-0123456789_abcdefghijklmnopqrstuvwxyz"


def test_any_port_takes_valid_ports_but_the_default(build: object) -> None:
    policy = Policy(allow_origins=["https://example.com:*"])
    refused = [
        port for port in range(70_000) if not policy.allows_origin(f"https://example.com:{port}")
    ]
    assert refused == [0, 443, *range(65_536, 70_000)]


@pytest.mark.parametrize(
    "flags", [re.IGNORECASE, re.DOTALL, re.MULTILINE, re.ASCII, re.IGNORECASE | re.DOTALL]
)
def test_flags_of_a_compiled_regex_cannot_widen_what_an_origin_is(
    build: object, flags: re.RegexFlag
) -> None:
    policy = Policy(allow_origin_regex=re.compile(r"https://[a-z]+\.example\.com$", flags))
    assert policy.allows_origin("https://app.example.com") is True
    for refused in (
        "https://APP.example.com",
        "https://\u212a.example.com",
        "https://app.example.com\n",
        "https://app.example.com\nhttps://app.example.com",
        "https://evil.net\nhttps://app.example.com",
    ):
        assert policy.allows_origin(refused) is False
