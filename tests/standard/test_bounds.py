"""The bounds of origins, hosts and patterns: the last text within each, and the first beyond."""

from __future__ import annotations

import pytest

from corscore._config.pattern import is_loopback, parse_pattern
from corscore._standard.host import canonical_ipv4, canonical_ipv6, is_canonical_host
from corscore._standard.origin import MAX_ORIGIN_LENGTH, is_port, parse_origin, split_port

LABEL = "a" * 63
LONGEST_HOST = ".".join([LABEL, LABEL, LABEL, "a" * 61])
LONGEST_ORIGIN = f"{'s' * 64}://{LONGEST_HOST}:65535"
LIGATURE = "\ufb01x".encode("punycode").decode()

ORIGINS = [
    (f"{'s' * 64}://host", True, "a scheme of 64 bytes"),
    (f"{'s' * 65}://host", False, "a scheme of 65 bytes"),
    ("a0123456789+.-://host", True, "every other character of a scheme"),
    ("0a://host", False, "a scheme that begins with a digit"),
    ("X://host", False, "an upper-case scheme"),
    ("aX://host", False, "an upper-case letter in a scheme"),
    (LONGEST_ORIGIN, True, "the longest origin"),
    (f"https://{LABEL}.example", True, "a label of 63 bytes"),
    (f"https://a{LABEL}.example", False, "a label of 64 bytes"),
    (f"https://{LONGEST_HOST}", True, "a host of 253 bytes"),
    (f"https://{LONGEST_HOST}a", False, "a host of 254 bytes"),
    ("https://host:1", True, "the first port"),
    ("https://host:0", False, "port 0"),
    ("https://host:65535", True, "the last port"),
    ("https://host:65536", False, "a port too many"),
    ("https://host:", False, "a colon without a port"),
    ("https", False, "no separator"),
    ("https://host://host", False, "two separators"),
    ("file://host", False, "a file"),
    ("https://1.2.3.4.", False, "an address with a trailing dot"),
    ("https://0x7f000001", False, "a hexadecimal address"),
    ("https://1.2.3.09", False, "an octal number with a 9"),
    ("https://", False, "no host"),
    ("https://[::1]", True, "an address in brackets"),
    ("safari-web-extension://A1B2", True, "upper case in an extension's host"),
    ("safari-web-extension://\u212a", False, "a Kelvin sign, whose lower case is k"),
]


@pytest.mark.parametrize(("text", "valid"), [pytest.param(*row[:2], id=row[2]) for row in ORIGINS])
def test_an_origin_is_valid_up_to_its_bounds(text: str, valid: bool) -> None:
    assert (parse_origin(text) is not None) is valid


def test_an_origin_has_scheme_host_and_port() -> None:
    origin = parse_origin("https://host:8443")
    assert origin is not None
    assert (origin.scheme, origin.host, origin.port) == ("https", "host", "8443")


def test_the_longest_origin_is_as_long_as_what_is_read() -> None:
    assert len(LONGEST_ORIGIN) == MAX_ORIGIN_LENGTH


PATTERNS = [
    (f"https://*.{LONGEST_HOST[2:]}", True, "a domain with room for a label and a dot"),
    (f"https://*.{LONGEST_HOST[1:]}", False, "a domain without such room"),
    ("https://*.a://b", False, "two separators"),
    ("https://a://*.b", False, "two separators and a wildcard"),
    ("https://host:*", True, "any port"),
    ("https://host:8443:*", False, "any port behind another"),
    ("https://xn--bcher-kva.example", True, "punycode of a name"),
    (f"https://xn--{LIGATURE}.example", False, "punycode of a name that browsers spell otherwise"),
]


@pytest.mark.parametrize(("text", "valid"), [pytest.param(*row[:2], id=row[2]) for row in PATTERNS])
def test_a_pattern_is_valid_up_to_its_bounds(text: str, valid: bool) -> None:
    assert (str(parse_pattern(text)) == text) is valid


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("localhost", True),
        ("localhost.", True),
        ("a.localhost", True),
        ("a.localhost.", True),
        ("alocalhost", False),
        ("alocalhost.", False),
        ("localhost.example", False),
        ("127.0.0.1", True),
        ("127.example", False),
        ("[::1]", True),
        ("[::2]", False),
    ],
)
def test_which_hosts_are_the_machine_itself(host: str, is_local: bool) -> None:
    assert is_loopback(host) is is_local


@pytest.mark.parametrize(
    ("authority", "parts"),
    [
        ("host", ("host", None)),
        ("host:", ("host", "")),
        (":80", ("", "80")),
        ("[::1]", ("[::1]", None)),
        ("[::1]:80", ("[::1]", "80")),
        ("[::1]:80]", ("[::1]:80]", None)),
        ("host:80:81", ("host", "80:81")),
    ],
)
def test_host_and_port_are_split_at_the_first_colon_behind_brackets(
    authority: str, parts: tuple[str, str | None]
) -> None:
    assert split_port(authority) == parts


def test_a_port_of_thousands_of_digits_is_not_read() -> None:
    # int() raises for more than 4,300.
    assert not is_port("9" * 5000, "https")


def test_an_address_in_brackets_ends_with_one() -> None:
    assert is_canonical_host("[::1]")
    assert not is_canonical_host("[::1x")


def test_an_address_has_four_numbers_at_most() -> None:
    assert canonical_ipv4("1.2.3.4") == "1.2.3.4"
    assert canonical_ipv4("1.2.3.4.0") is None


def test_a_number_of_an_address_has_253_digits_at_most() -> None:
    assert canonical_ipv4("0" * 254) == "0.0.0.0"
    assert canonical_ipv4("0" * 255) is None


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("0:0:0:0:0:0:0:0", "::"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("1:0:0:0:0:0:0:0", "1::"),
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"),
        ("10:0:0:2:3:4:5:06", "10::2:3:4:5:6"),
        ("0:1:0:2:0:3:0:4", "0:1:0:2:0:3:0:4"),
    ],
)
def test_the_first_longest_run_of_two_or_more_zeros_is_compressed(
    address: str, canonical: str
) -> None:
    assert canonical_ipv6(address) == canonical
