"""Texts of consoles are parsed back to their reasons, from any browser and in any copied form."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comparison import Row, Run
from corscore.browser import _console_texts as texts
from corscore.diagnostics import (
    MAX_CONSOLE_CHARACTERS,
    ConsoleMessage,
    console_messages,
    explain_console,
)
from generator import cases
from loopback import Site
from tables import rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corscore.browser import Browser, FetchResult

API = "https://api.example/items'c"
APP = "https://app.example"
CHROMIUM = texts.CHROMIUM_HEAD.format(kind="fetch", url=API, redirected="", origin=APP)
FIREFOX = texts.FIREFOX_HEAD.format(url=API)
COPIED = rows("console_lines")

TABLES: dict[Browser, Mapping[str, str]] = {
    "chromium": texts.CHROMIUM,
    "firefox": texts.FIREFOX,
    "safari": texts.WEBKIT,
}
TEXTS = [(browser, key) for browser, table in TABLES.items() for key in table]


def told(message: ConsoleMessage) -> set[str]:
    return {message.reason, *message.others}


@given(
    text=st.sampled_from(TEXTS),
    value=st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), max_size=300),
)
def test_every_text_is_read_back_whatever_value_it_has(
    text: tuple[Browser, str], value: str
) -> None:
    browser, key = text
    token = re.sub(r"\W", "-", value) or "x"
    written = TABLES[browser][key].format(
        value=value,
        header=token,
        method=token,
        origin=APP,
        status=404,
        location=API,
        url=API,
    )
    head = {"chromium": CHROMIUM, "firefox": FIREFOX, "safari": ""}[browser]
    tail = {
        "chromium": "",
        "firefox": ").",
        "safari": "\n" + texts.WEBKIT_TAIL.format(kind="Fetch API", url=API),
    }[browser]
    [message, *_] = explain_console(f"{head}{written}{tail}")
    assert message.browser == browser
    assert key.partition("/")[0] in told(message)
    assert message.url == API


# In redirect mode "error": a redirect with a user name, and one with two locations.
@example(seed=4427, browser="chromium")
@example(seed=442002, browser="chromium")
@given(seed=st.integers(0, 2**32), browser=st.sampled_from(sorted(TABLES)))
def test_console_texts_of_random_fetches_are_read_back(seed: int, browser: Browser) -> None:
    for result in results(seed, browser):
        text = dict(console_messages(result.exchanges[-1])).get(browser)
        if text is None:
            continue
        for written in (text, "[Error] " + text.replace(" ", "\n  ")):
            messages = explain_console(written)
            assert messages
            assert any(result.reason in told(message) for message in messages)
            assert {message.browser for message in messages} == {browser}


def results(seed: int, browser: Browser) -> list[FetchResult]:
    site = Site((8001, 8002))
    site.run(cases(seed, 3))
    made = [Row(step["case"], step, i / 4, {}, []) for i, step in enumerate(site.steps)]
    predicted = Run(browser, site.origins["page"], made).predicted(browser)
    return [result for result in predicted if result.reason is not None]


@pytest.mark.parametrize("row", COPIED, ids=lambda row: row["why"])
def test_copied_lines_are_read_as_the_table_says(row: dict[str, object]) -> None:
    found = [message.to_dict() for message in explain_console("\n".join(row["lines"]))]  # type: ignore[arg-type]
    expected: list[dict[str, object]] = row["messages"]  # type: ignore[assignment]
    assert [
        {key: one[key] for key in wanted} for one, wanted in zip(found, expected, strict=True)
    ] == (expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "TypeError: Failed to fetch",
        "Origin",
        "Uncaught ReferenceError: x is not defined",
        "CORS",
    ],
)
def test_a_text_without_a_message_about_cors_has_no_messages(text: str) -> None:
    assert explain_console(text) == ()


PIECES = st.sampled_from(
    [CHROMIUM, FIREFOX, texts.CHROMIUM_PREFLIGHT, "net::ERR_FAILED 200", "\x1b[31m", "‘", "\n"]  # noqa: RUF001
    + [template for table in TABLES.values() for template in table.values()]
    + ["Origin null is not allowed by Access-Control-Allow-Origin", texts.WEBKIT_TAIL]
)


@given(st.lists(PIECES | st.text(max_size=20), max_size=20))
def test_no_text_raises_and_every_result_is_printable_ascii(pieces: list[str]) -> None:
    for message in explain_console("".join(pieces)):
        plain = json.loads(json.dumps(message.to_dict()))
        values = [value for value in plain.values() if isinstance(value, str)]
        assert all(value.isascii() and value.isprintable() for value in values)


@pytest.mark.parametrize(
    "piece",
    [
        "Access to ",
        "Origin ",
        "invalid token '",
        "x",
        f"{CHROMIUM}",
        "http://a.example ",
        "net::ERR_X ",
    ],
)
def test_a_long_text_is_read_up_to_a_bound(piece: str) -> None:
    long = piece * (2 * MAX_CONSOLE_CHARACTERS // len(piece))
    assert len(explain_console(long)) <= 1_000


def test_the_same_message_comes_once() -> None:
    line = CHROMIUM + texts.CHROMIUM["no-allow-origin"]
    assert len(explain_console("\n".join([line] * 5))) == 1
