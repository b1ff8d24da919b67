"""The page of ``corscore demo`` in a real Chromium, whose results are the predicted ones."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from corscore_cli.demo.apps import APPS
from corscore_cli.demo.demo import CountedASGI, Demo, running
from corscore_cli.demo.table import ROWS
from demo_apps import EACH_APP, as_in_a_process_of_its_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

SCORE = f"{len(ROWS)} of {len(ROWS)} as predicted"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}


class Opened:
    """The page of a running demo."""

    def __init__(self, demo: Demo, page: Page, stop: Callable[[], None] | None = None) -> None:
        self.demo = demo
        self.stop = stop or (lambda: None)
        self.page = page
        self.origins = {*demo.site.pages.values(), demo.site.api} - {"null"}
        self.strangers: list[str] = []
        self.errors: list[str] = []
        self.console: list[str] = []
        page.on("request", self._note_stranger)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.console.append(message.text))

    def _note_stranger(self, request: Any) -> None:
        scheme, _, rest = request.url.partition("://")
        if scheme != "data" and f"{scheme}://{rest.partition('/')[0]}" not in self.origins:
            self.strangers.append(request.url)

    def load(self) -> None:
        self.page.goto(self.demo.site.pages["page"] + "/")
        self.wait()

    def wait(self) -> None:
        ends = ",".join(f"body[data-run={end}]" for end in ("good", "bad", "stopped"))
        self.page.wait_for_selector(ends, timeout=60_000)

    def press(self, name: str) -> None:
        """Press a button that runs the rows again, and wait until they have run."""
        self.page.evaluate("document.body.dataset.run = 'pressed'")
        self.page.get_by_role("button", name=name, exact=True).click()
        self.wait()

    def verdicts(self, column: str) -> dict[str, str]:
        """Return the text of a column, by row."""
        found: dict[str, str] = self.page.evaluate(
            """column => Object.fromEntries([...document.querySelectorAll("[data-row]")].map(row =>
                [row.dataset.row, row.querySelector(`.${column} .verdict`).innerText]))""",
            column,
        )
        return found

    def matches(self) -> dict[str, str]:
        found: dict[str, str] = self.page.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll("[data-row]")].map(row =>
                [row.dataset.row, row.dataset.match]))"""
        )
        return found

    def explanations(self) -> dict[str, str]:
        """Return the text of each row's details, opened one by one."""
        found = {}
        for row in ROWS:
            details = self.page.locator(f"#row-{row.name}")
            details.locator("> summary").click()
            found[row.name] = details.locator(".detail").inner_text()
        return found

    def changed(self) -> set[str]:
        found: list[str] = self.page.evaluate(
            """() => [...document.querySelectorAll("[data-row]:has(.tag)")].map(
                row => row.dataset.row)"""
        )
        return set(found)

    def score(self) -> str:
        return self.page.inner_text("#score")

    def assert_all_as_predicted(self) -> None:
        names = {row.name for row in ROWS}
        predicted, actual = self.verdicts("predicted"), self.verdicts("actual")
        assert set(predicted) == names
        assert predicted == actual
        assert self.matches() == dict.fromkeys(names, "true")
        assert self.score() == SCORE


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Opened]:
    with ExitStack() as stack:
        server = stack.enter_context(ExitStack())
        demo = server.enter_context(running(APPS["fastapi"], 0, 0))
        page = chromium.new_page(viewport=DESKTOP)  # type: ignore[arg-type]
        stack.callback(page.close)
        yield Opened(demo, page, server.close)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with running(APPS["fastapi"], 0, 0) as started:
        yield started


@pytest.fixture(scope="module")
def shared(demo: Demo, chromium: Browser) -> Iterator[Opened]:
    """A page that is loaded once, for tests that change nothing but details and size."""
    page = chromium.new_page()
    opened = Opened(demo, page)
    opened.load()
    yield opened
    page.close()


@pytest.fixture
def loaded(shared: Opened) -> Opened:
    shared.page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    return shared


@pytest.fixture(scope="module")
def mistaken(demo: Demo, chromium: Browser) -> Iterator[Page]:
    """A page with three mistakes in its policy, and with all details open."""
    page = chromium.new_page()
    opened = Opened(demo, page)
    opened.load()
    opened.assert_all_as_predicted()
    page.get_by_role("button", name="Three at once").click()
    page.wait_for_selector("#problems li")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    yield page
    page.close()


def test_every_row_is_as_predicted(loaded: Opened) -> None:
    loaded.assert_all_as_predicted()
    assert loaded.page.inner_text("#browser-name") == "Chromium"
    actual = loaded.verdicts("actual")
    assert actual["own-origin"] == "Readable, 200"
    assert actual["null-origin"] == "Blocked"
    assert actual["put-json"] == "Readable, 200\n1 preflight"
    assert actual["server-error"] == "Readable, 500"
    assert actual["exposed-header"] == "Readable, 200\nX-Total-Count: 3"
    assert actual["hidden-header"] == "Readable, 200\nX-Served-By hidden"
    assert actual["preflight-cache"] == "Readable, 200\n1 preflight"
    assert loaded.strangers == []
    assert loaded.errors == []


# All other tests here run FastAPI's.
@pytest.mark.slow
@EACH_APP
def test_every_row_is_as_predicted_on_each_app(chromium: Browser, name: str) -> None:
    with as_in_a_process_of_its_own(name), running(APPS[name], 0, 0) as demo:
        page = chromium.new_page()
        try:
            opened = Opened(demo, page)
            opened.load()
            opened.assert_all_as_predicted()
            assert page.inner_text(".api .app") == APPS[name].title
            _assert_each_row_explains_itself(opened)
            served_by = demo.api.app
            opened.press("Both origins")
            opened.assert_all_as_predicted()
            assert demo.api.app is served_by
            assert opened.changed() == {"other-origin", "other-origin-put"}
            assert opened.verdicts("actual")["other-origin"] == "Readable, 200"
            other = demo.site.pages["other"]
            assert page.locator("#outcome li").all_inner_texts() == [
                f"allow_origins: added {other}"
            ]
        finally:
            page.close()


def _assert_each_row_explains_itself(opened: Opened) -> None:
    told = opened.explanations()
    for row in ROWS:
        text = told[row.name]
        assert ("Allowed." in text) == (row.expected.reason is None), row.name
        assert ("Refused." in text) == (row.expected.reason is not None), row.name
        assert ("Fix: " in text) == (row.expected.reason is not None), row.name
        assert "What a browser does" in text, row.name
        governs = opened.page.inner_text(f"#row-{row.name} .governs code")
        assert governs == opened.page.inner_text(f"#row-{row.name} > summary .key").split()[-1]
        has_own = row.path.startswith(("/public/", "/shared/", "/internal/"))
        assert governs == (f"{row.path.rpartition('/')[0]}/*" if has_own else "default")
        if row.expected.status is None:
            # The page quotes Chromium's console exactly.
            said = opened.page.locator(f"#row-{row.name} .explanation > pre").all_inner_texts()
            assert len(said) == 1, row.name
            assert said[0] in opened.console, row.name


@pytest.mark.slow
def test_every_preset_is_as_predicted(opened: Opened) -> None:
    opened.load()
    names = opened.page.locator("#presets button").all_inner_texts()
    assert len(names) >= 5
    start = opened.verdicts("predicted")
    for name in names:
        opened.press(name)
        opened.assert_all_as_predicted()
        assert (opened.verdicts("predicted") != start) == (name != names[0]), name
    opened.press("Start over")
    assert opened.verdicts("predicted") == start


def test_editing_the_policy_changes_rows(opened: Opened) -> None:
    opened.load()
    page = opened.page
    page.get_by_label("Origins").fill(
        f"{opened.demo.site.pages['page']}\n{opened.demo.site.pages['other']}"
    )
    page.get_by_label("Methods").fill("PUT, DELETE")
    page.get_by_label("Request headers").fill("Authorization, X-Trace")
    page.get_by_label("Exposed headers").fill("X-Served-By")
    page.get_by_label("Max age").fill("0")
    opened.press("Apply")
    opened.assert_all_as_predicted()
    assert opened.changed() == {
        "other-origin",
        "other-origin-put",
        "delete",
        "unlisted-header",
        "exposed-header",
        "hidden-header",
        "preflight-cache",
    }
    assert opened.verdicts("actual")["preflight-cache"] == "Readable, 200\n3 preflights"
    assert "7 results changed" in page.inner_text("#outcome")
    assert page.locator("#outcome li").all_inner_texts() == [
        f"allow_origins: added {opened.demo.site.pages['other']}",
        "allow_methods: added DELETE; removed PATCH",
        "allow_headers: added x-trace",
        "expose_headers: added X-Served-By; removed X-Total-Count",
        "max_age: 0, was 600",
    ]
    assert '"X-Served-By"' in page.inner_text("#python")
    titles = {row: page.inner_text(f"[data-row={row}] .title") for row in opened.changed()}
    assert titles["delete"].startswith("A DELETE, listed")
    assert titles["unlisted-header"].startswith("The header X-Trace, listed")
    assert titles["exposed-header"].startswith("X-Total-Count, not exposed")
    assert titles["hidden-header"].startswith("X-Served-By, exposed")
    page.get_by_label("Credentials").uncheck()
    opened.press("Apply")
    opened.assert_all_as_predicted()
    assert opened.changed() == {"sign-in", "with-cookie"}
    page.get_by_label("The origin null").check()
    opened.press("Apply")
    opened.assert_all_as_predicted()
    assert opened.changed() == {"null-origin"}


def test_a_wrong_policy_is_explained_and_the_old_one_stays(opened: Opened) -> None:
    opened.load()
    page = opened.page
    before = page.inner_text("#python")
    problems = ""
    for name in page.locator("#mistakes button").all_inner_texts():
        page.get_by_role("button", name=name, exact=True).click()
        page.wait_for_selector("#problems li")
        problems = page.inner_text("#problems")
        assert "The policy stays as it was" in problems
        assert page.inner_text("#python") == before
        assert page.locator("[aria-invalid=true]").count() >= 1
    assert "3 problems" in problems
    assert "method-case" in problems
    assert 'write "https://app.example"' in problems
    page.locator("#problems a", has_text="max_age").click()
    assert page.evaluate("document.activeElement.id") == "max_age"
    opened.press("Start over")
    opened.assert_all_as_predicted()
    assert page.locator("[aria-invalid=true]").count() == 0
    assert not page.is_visible("#problems")


def test_a_row_that_differs_is_loud(opened: Opened) -> None:
    governed: Any = opened.demo.api.app

    async def partly_governed(scope: Any, receive: Any, send: Any) -> None:
        async def bare(message: Any) -> None:
            await send({**message, "headers": []} if "headers" in message else message)

        # The page's response loses its headers, the model's does not.
        lost = scope["path"] == "/broken" and b"run=page-" in scope["query_string"]
        await governed(scope, receive, bare if lost else send)

    assert isinstance(opened.demo.api, CountedASGI)
    opened.demo.api.app = partly_governed
    opened.load()
    assert opened.matches() == {row.name: str(row.name != "server-error").lower() for row in ROWS}
    assert opened.score() == f"{len(ROWS) - 1} of {len(ROWS)} as predicted"
    assert opened.page.get_attribute("body", "data-run") == "bad"
    assert "differs" in opened.page.inner_text("[data-row=server-error]")


def test_the_page_says_that_the_demo_was_stopped(opened: Opened) -> None:
    opened.load()
    opened.stop()
    opened.press("Run again")
    assert opened.score() == "Stopped"
    assert "corscore demo" in opened.page.inner_text("#banner")


def test_a_row_explains_itself(opened: Opened) -> None:
    opened.load()
    page = opened.page
    row = page.locator("#row-delete")
    row.locator("> summary").focus()
    page.keyboard.press("Enter")
    assert "Safari" not in row.inner_text()
    for title in ("What other consoles say", "Why each header is there"):
        row.locator("summary", has_text=title).focus()
        page.keyboard.press("Enter")
    text = row.inner_text()
    assert "Refused. The policy does not allow the method" in text
    assert "Code method-not-allowed" in text
    assert 'Fix: add "DELETE" to allow_methods.' in text
    assert 'no "DELETE" is not covered' in text
    assert "Method DELETE is not allowed by Access-Control-Allow-Methods" in text
    assert "Safari" in text
    assert "max_age: for how many seconds" in text
    assert 'await fetch(api + "/articles/1", {' in text
    assert "OPTIONS /articles/1" in text
    assert "access-control-request-method: DELETE" in text
    assert "TypeError: Failed to fetch" in text
    # It stays open after the next run.
    opened.press("Run again")
    assert row.get_attribute("open") is not None
    assert row.locator("details[open]").count() == 2


def test_a_row_says_what_the_browser_does_not_know(loaded: Opened) -> None:
    details = loaded.page.locator("#row-other-origin")
    details.locator("> summary").click()
    text = details.inner_text()
    assert "localhost is not 127.0.0.1. The nearest is" in text
    assert "Code origin-host-differs" in text
    assert "All that the browser knows: no-allow-origin" in text


def test_text_of_the_api_never_becomes_markup(opened: Opened) -> None:
    assert isinstance(opened.demo.api, CountedASGI)
    served: Any = opened.demo.api.app

    async def hostile(scope: Any, receive: Any, send: Any) -> None:
        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                markup = (b"x-markup", b"<img src=x onerror=alert(1)>")
                message = {**message, "headers": [*message["headers"], markup]}
            await send(message)

        await served(scope, receive, answer)

    opened.demo.api.app = hostile
    opened.load()
    opened.assert_all_as_predicted()
    assert "x-markup: <img src=x onerror=alert(1)>" in opened.explanations()["own-origin"]
    assert opened.page.locator("img").count() == 0
    assert opened.errors == []


def test_the_other_name_of_loopback_leads_to_the_page(opened: Opened) -> None:
    opened.page.goto(opened.demo.site.pages["other"] + "/")
    assert opened.page.url == opened.demo.site.pages["page"] + "/"
    opened.wait()
    assert opened.score() == SCORE


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(mistaken: Page, scheme: Any) -> None:
    mistaken.set_viewport_size(PHONE)  # type: ignore[arg-type]
    mistaken.emulate_media(color_scheme=scheme)
    _assert_no_overflow(mistaken)
    # Controls are large enough for a finger, and no field makes the phone zoom in.
    for button in mistaken.locator("button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 32
    sizes = mistaken.evaluate(
        """() => [...document.querySelectorAll("textarea, input:not([type=checkbox])")]
            .map(field => parseFloat(getComputedStyle(field).fontSize))"""
    )
    assert min(sizes) >= 16


def _assert_no_overflow(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_every_control_of_the_policy_is_on_the_first_screen(loaded: Opened) -> None:
    loaded.page.wait_for_selector("#mistakes button")
    boxes = loaded.page.evaluate(
        """() => [...document.querySelectorAll(".policy button, .policy input, .policy textarea")]
            .map(control => control.getBoundingClientRect().toJSON())"""
    )
    assert len(boxes) == 10 + 7 + 2
    for box in boxes:
        assert box["height"] > 0
        assert 0 <= box["top"] < box["bottom"] <= DESKTOP["height"]
        assert 0 <= box["left"] < box["right"] <= DESKTOP["width"]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_nothing_scrolls_but_the_page_and_nothing_is_covered(mistaken: Page, viewport: Any) -> None:
    mistaken.set_viewport_size(viewport)
    scrolled = mistaken.evaluate(
        """() => [...document.querySelectorAll("main *")].filter(one =>
            !["TEXTAREA", "INPUT"].includes(one.tagName) &&
            !one.matches(".unseen, .cell-name") &&
            getComputedStyle(one).overflow !== "visible" &&
            (one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1)
        ).map(one => one.outerHTML.slice(0, 80))"""
    )
    assert scrolled == []
    covered = mistaken.evaluate(
        """() => [...document.querySelectorAll("main :is(button, input, textarea, a, summary)")]
            .filter(one => one.checkVisibility())
            .filter(one => {
                one.scrollIntoView({ block: "end", behavior: "instant" });
                const { left, top, width, height } = one.getClientRects()[0];
                const seen = document.elementFromPoint(left + width / 2, top + height / 2);
                return !(one.contains(seen) || seen?.contains(one));
            })
            .map(one => one.outerHTML.slice(0, 80))"""
    )
    assert covered == []


def test_nothing_is_coloured_before_the_browser_has_tried_it(opened: Opened) -> None:
    page, released = opened.page, threading.Event()
    governed: Any = opened.demo.api.app

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        if b"run=page-" in scope["query_string"]:
            await asyncio.to_thread(released.wait)
        await governed(scope, receive, send)

    assert isinstance(opened.demo.api, CountedASGI)
    opened.demo.api.app = slow
    page.goto(opened.demo.site.pages["page"] + "/")
    page.wait_for_selector("body[data-run=running] .row")
    assert page.locator("#boundary .may").all_inner_texts() == ["\N{HORIZONTAL ELLIPSIS}"] * 3
    assert page.locator("#boundary .is-waiting").count() == 3
    assert page.locator("#boundary .icon, .actual .icon").count() == 0
    assert set(page.locator(".match").all_inner_texts()) == {""}
    colours = page.evaluate(
        """() => [...new Set([...document.querySelectorAll(".who, #boundary .may")]
            .map(badge => getComputedStyle(badge).color))]"""
    )
    assert len(colours) == 1
    released.set()
    opened.wait()
    opened.assert_all_as_predicted()
    said = page.locator("#boundary .may").all_inner_texts()
    assert said == ["may read", "may not read", "may not read"]


def test_codes_are_links_to_their_pages(opened: Opened) -> None:
    opened.load()
    page = opened.page
    page.locator("#row-delete > summary").click()
    page.get_by_role("button", name="Trailing slash").click()
    page.wait_for_selector("#problems li")
    for container, code in (
        ("#row-delete", "method-not-allowed"),
        ("#problems", "origin-trailing-slash"),
    ):
        with page.expect_popup() as popup:
            page.locator(f"{container} a.reason").click()
        shown = popup.value
        assert shown.inner_text("h1") == code
        assert shown.locator("strong", has_text="Fix.").count() == 1
        shown.set_viewport_size(PHONE)  # type: ignore[arg-type]
        _assert_no_overflow(shown)
        shown.close()


def test_results_start_within_a_screen_and_a_half_of_a_phone(opened: Opened) -> None:
    opened.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    opened.load()
    box = opened.page.locator(".row").first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= PHONE["height"] * 1.5
    _assert_no_overflow(opened.page)


def test_every_control_has_a_name(loaded: Opened) -> None:
    nameless = loaded.page.evaluate(
        """() => [...document.querySelectorAll("input, textarea, iframe")]
            .filter(field => !(field.labels?.length || field.title))
            .map(field => field.outerHTML)"""
    )
    assert nameless == []
    assert loaded.page.locator("h1").count() == 1
    assert loaded.page.get_attribute("html", "lang") == "en"
