"""Properties of patterns and origins, against a slow reference written from the standards."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, note
from hypothesis import strategies as st

from corscore import ConfigError, Policy
from corscore.testing.conformance._reference_origin import covers, is_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

ANY_TEXT = st.text(st.characters(exclude_categories=()))
ANY_ORIGIN = ANY_TEXT | st.binary()

# Few words in many combinations, since near misses break matchers.
LABELS = st.sampled_from(["a", "foo", "bar", "barfoo", "oo", "com", "1", "127", "0x7f", "_x", "-"])
GOOD_SCHEMES = st.sampled_from(["https", "http", "ws", "wss", "ftp", "tauri", "a+b.c-1"])
ADDRESSES = st.sampled_from(
    ["127.0.0.1", "1.2.3.4", "[::1]", "[2001:db8::1]", "[::ffff:7f00:1]", "[1:2:3:4:5:6:7:0]"]
)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
# At the limits: 63 and 64 bytes a label, 251 to 254 a host.
LONG = st.sampled_from(["x" * 63, "x" * 64, *("a." * 125 + "a" * more for more in range(1, 5))])
HOSTS = NAMES | NAMES.map("{}.".format) | ADDRESSES | st.just("localhost") | LONG
PORTS = st.sampled_from(["", "", ":1", ":21", ":80", ":443", ":8080", ":65535"])
PATTERNS = st.builds(
    "{}://{}{}{}".format,
    GOOD_SCHEMES,
    st.sampled_from(["", "", "*."]),
    HOSTS,
    PORTS | st.just(":*"),
)
VALID_PATTERNS = PATTERNS.filter(is_pattern)
EXACT_PATTERNS = VALID_PATTERNS.filter(lambda pattern: "*" not in pattern)

ODD_SCHEMES = st.sampled_from(["", "file", "null", "HTTPS", "1http", "ht_tp", "h\u017f", "a" * 65])
ODD_SEPARATORS = st.sampled_from(["", ":", ":/", "//", ":///", ":\\\\", "::", "://\t"])
ODD_HOSTS = st.sampled_from(
    ["", ".", "..", "a..b", ".a", "EXAMPLE.com", "b\u00fccher", "a\u3002b", "\u212a", "a b", "a*",
     "*", "*.*.a", "127.1", "0177.0.0.1", "1.2.3.256", "a.1", "0x", "[", "]", "[]", "[::01]", "::1",
     "[::1%25a]", "[::ffff:127.0.0.1]", "u@a", "u:p@a", "a,b", "a%41", "a\x00", "a\n", '"a"',
     "\ud800"]
)  # fmt: skip
ODD_PORTS = st.sampled_from(
    [":", ":0", ":00", ":080", ":65536", ":+80", ":8_0", ":-1", ":8*", ":**", ":\u0663", ":\uff18",
     ": 80", ":80 ", ":a", ":1:2", ":" + "9" * 50]
)  # fmt: skip
TAILS = st.sampled_from(
    ["", "", "", "/", "//", "/a", "?", "#", "?a", "#.foo.com", "\\", " ", "\n", ","]
)
NEAR_MISSES = st.builds(
    "{}{}{}{}{}{}".format,
    GOOD_SCHEMES | ODD_SCHEMES,
    st.just("://") | ODD_SEPARATORS,
    st.sampled_from(["", "", "*.", "u@", "*", "**."]),
    HOSTS | ODD_HOSTS,
    PORTS | ODD_PORTS | st.just(":*"),
    TAILS,
)


def refusal(make: Callable[[], Policy]) -> ConfigError | None:
    """Return the error of a policy that cannot be built, or None."""
    try:
        policy = make()
    except ConfigError as error:
        return error
    assert policy == make()
    assert hash(policy) == hash(make())
    return None


def is_accepted(pattern: str) -> bool:
    error = refusal(lambda: Policy(allow_origins=[pattern]))
    if error is None:
        return True
    assert error.problems
    assert str(error)
    for problem in error.problems:
        assert problem.code.startswith("origin-")
        for literal in re.findall(r'write "([^"]*)"', problem.hint):
            assert refusal(partial(Policy, allow_origins=[literal])) is None
    return False


@st.composite
def mutations(draw: st.DrawFn, text: str) -> str:
    """Draw the text with one small change, or unchanged."""
    place = draw(st.integers(0, len(text)))
    letter = draw(
        st.sampled_from("aA0.-_:/*@#?\\[] \n\t\x00\xad,%~\u212a\u017f\u3002\uff0e\ud800")
        | st.characters(exclude_categories=())
    )
    port = draw(PORTS | ODD_PORTS)
    return draw(
        st.sampled_from(
            [
                text[:place] + letter + text[place:],
                text[:place] + text[place + 1 :],
                text[:place] + letter + text[place + 1 :],
                text[:place] + text[place:].swapcase(),
                text[:place] + text[place:].upper(),
                text[:place],
                text[place:],
                text + text,
                text + port,
                port + text,
                f"{text}.evil.net",
                f"{text}, {text}",
                f"https://evil.net#{text}",
                f"{text}@evil.net",
                text.replace("://", "://x", 1),
                text.replace("://", "://x.", 1),
                text.replace("://", "://.", 1),
                text.replace("*", "a", 1),
                text.replace("*", "a", 1).replace("*", "8080", 1),
                text.replace("*", "a", 1).replace(":*", "", 1),
                text.replace(":*", port, 1).replace("*", "a.b", 1),
            ]
        )
    )


@given(ANY_TEXT | NEAR_MISSES | PATTERNS | PATTERNS.flatmap(mutations))
def test_a_pattern_is_accepted_exactly_when_the_reference_says_so(text: str) -> None:
    assert is_accepted(text) == is_pattern(text)


@given(st.data(), EXACT_PATTERNS)
def test_an_exact_pattern_matches_itself_and_none_of_its_mutations(
    build: object, data: st.DataObject, pattern: str
) -> None:
    policy = Policy(allow_origins=[pattern])
    assert policy.allows_origin(pattern) is True
    assert policy.allows_origin(pattern.encode()) is True
    other = data.draw(mutations(pattern))
    assert policy.allows_origin(other) is (other == pattern)
    assert policy.allows_origin(other.encode("utf-8", "surrogatepass")) is (other == pattern)


@given(
    st.lists(VALID_PATTERNS, max_size=4),
    st.none() | st.sampled_from([".*", "(?s).*", r"https://[a-z]+\.com"]),
    st.booleans(),
    ANY_ORIGIN | NEAR_MISSES | st.sampled_from(["null", ""]),
)
def test_allows_origin_returns_a_bool_for_any_text(
    build: object, patterns: list[str], regex: str | None, null: bool, origin: str | bytes
) -> None:
    assume(patterns or regex or null)
    policy = Policy(allow_origins=patterns, allow_origin_regex=regex, allow_null_origin=null)
    assert policy.allows_origin(origin) in (True, False)


@given(ANY_ORIGIN)
def test_a_star_allows_everything(build: object, origin: str | bytes) -> None:
    assert Policy(allow_origins=["*"]).allows_origin(origin) is True


@given(
    st.data(),
    VALID_PATTERNS.filter(lambda pattern: "://*." in pattern),
    ANY_TEXT | NEAR_MISSES | PATTERNS,
)
def test_a_subdomain_pattern_never_matches_another_suffix(
    build: object, data: st.DataObject, pattern: str, other: str
) -> None:
    policy = Policy(allow_origins=[pattern])
    origin = data.draw(mutations(pattern) | st.just(other))
    if policy.allows_origin(origin):
        wanted = pattern.partition("*.")[2].partition(":")[0]
        host = origin.partition("://")[2].partition(":")[0]
        assert host.endswith(f".{wanted}")
        assert re.fullmatch("([a-z0-9_-]{1,63}[.])+", host.removesuffix(wanted))


@given(
    st.data(),
    st.lists(VALID_PATTERNS, min_size=1, max_size=8),
    st.lists(PATTERNS | NEAR_MISSES, max_size=4),
)
def test_membership_agrees_with_the_reference(
    build: object, data: st.DataObject, patterns: list[str], others: list[str]
) -> None:
    policy = Policy(allow_origins=patterns)
    origins = [*others, *(data.draw(mutations(pattern)) for pattern in patterns)]
    for origin in origins:
        wanted = any(covers(pattern, origin) for pattern in patterns)
        note(f"{origin!r}")
        assert policy.allows_origin(origin) is wanted
        with suppress(UnicodeEncodeError):
            assert policy.allows_origin(origin.encode("latin-1")) is wanted


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=2),
    max_leaves=5,
)
OPTIONS = [
    "allow_origins",
    "allow_methods",
    "allow_headers",
    "expose_headers",
    "allow_credentials",
    "max_age",
    "allow_null_origin",
    "allow_private_network",
    "dangerously_allow_insecure_origins",
    "dangerously_allow_public_suffixes",
    "dangerously_allow_slow_regex",
    "preflight_status",
    "debug",
]


@given(st.dictionaries(st.sampled_from(OPTIONS), JUNK | st.lists(ANY_TEXT, max_size=3)))
def test_any_options_make_a_policy_or_a_config_error(options: dict[str, Any]) -> None:
    error = refusal(lambda: Policy(**options))
    assert error is None or (error.problems and str(error))


@given(st.dictionaries(st.sampled_from([f"CORS_{name.upper()}" for name in OPTIONS]), ANY_TEXT))
def test_any_environment_makes_a_policy_or_a_config_error(environ: dict[str, str]) -> None:
    error = refusal(lambda: Policy.from_env(environ=environ))
    if error is not None:
        assert {problem.field for problem in error.problems} <= {*environ, "CORS_ALLOW_ORIGINS"}


@pytest.mark.filterwarnings(
    "ignore::FutureWarning"
)  # re warns of a set that it will read differently
@given(st.text(st.sampled_from("()[]{}*+?|\\.^$a-z0,:<=!P"), max_size=24), st.booleans())
def test_any_regex_makes_a_policy_or_a_config_error(regex: str, credentials: bool) -> None:
    error = refusal(lambda: Policy(allow_origin_regex=regex, allow_credentials=credentials))
    if error is not None:
        assert {p.code.partition("-")[0] for p in error.problems} <= {"regex", "origins"}
