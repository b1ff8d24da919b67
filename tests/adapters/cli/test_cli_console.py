"""``corscore console``: where the text comes from, and what is printed about it."""

from __future__ import annotations

import pytest

from cli_runs import run, run_json

CHROME = (
    "Access to fetch at 'https://api.example/items' from origin 'https://app.example' has been "
    "blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested "
    "resource."
)
FIREFOX = (
    "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at "
    "https://api.example/. (Reason: header \u2018x-a\u2019 is not allowed according to header "
    "\u2018Access-Control-Allow-Headers\u2019 from CORS preflight response)."
)
SHOWN = """\
Refused: no-allow-origin
  The response has no Access-Control-Allow-Origin.
  Fix: send Access-Control-Allow-Origin: "https://app.example" with this response.
  corscore code no-allow-origin

What the console says
  browser: Chrome
  URL: https://api.example/items
  origin: https://app.example

To ask the server for the rest
  corscore probe https://api.example/items --origin https://app.example
"""


@pytest.mark.parametrize("args", [[CHROME], CHROME.split(" "), []])
def test_the_text_is_an_argument_or_several_or_standard_input(args: list[str]) -> None:
    result = run("console", *args, given=None if args else CHROME.replace(" ", "\n"))
    assert result.exit_code == 0
    assert result.stdout == SHOWN


def test_several_messages_are_explained_in_turn() -> None:
    result = run("console", given=f"{FIREFOX}\n{CHROME}\n")
    assert result.stdout.count("Refused: ") == 2
    assert "--origin ORIGIN --header 'x-a: 1'" in result.stdout
    assert "location.origin" in result.stdout


def test_other_reasons_for_the_same_text_are_named() -> None:
    said = "Origin https://app.example is not allowed by Access-Control-Allow-Origin."
    assert "The same text can mean: origin-mismatch\n" in run("console", said).stdout


def test_json_has_every_message() -> None:
    [message] = run_json("console", FIREFOX)["messages"]
    assert message["reason"] == "header-not-allowed"
    assert message["header"] == "x-a"


@pytest.mark.parametrize("text", ["", "TypeError: Failed to fetch", "\x1b[31mred"])
def test_a_text_without_a_message_about_cors_is_a_mistake(text: str) -> None:
    result = run("console", given=text)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "no message of Chrome, Firefox or Safari about CORS" in result.stderr


def test_nothing_of_the_text_reaches_the_terminal_as_it_is() -> None:
    evil = CHROME.replace("No 'Access", "\x1b[2J\x9b31m'No 'Access").replace(
        "items", "\x1b]0;x\x07"
    )
    value = "Header Access-Control-Allow-Methods has an invalid value: \x1b[2J\x9b31m\u202e"
    result = run("console", given=f"{evil}\n{value}")
    assert result.exit_code == 0
    assert not set(result.stdout) & set("\x1b\x9b\x07\u202e")


def test_bytes_that_are_no_utf_8_are_read() -> None:
    assert run("console", given=b"\xff\xfe " + CHROME.encode()).exit_code == 0


def test_a_refused_preflight_is_asked_for_again_as_a_preflight() -> None:
    refused = (
        "Access to fetch at 'https://api.example/a' from origin 'https://app.example' has been "
        "blocked by CORS policy: {}No 'Access-Control-Allow-Origin' header is present on the "
        "requested resource."
    )
    preflight = "Response to preflight request doesn't pass access control check: "
    for gap, asks in ((preflight, True), ("", False)):
        said = run("console", refused.format(gap)).stdout
        assert ("--method METHOD" in said) is asks
        assert ("add --header for each header that it sets" in said) is asks
