"""Pages that are followed as by a reader, who gets what the page says.

A block that begins with a comment of a file's name is that file. A block ``diff`` changes a file
of the page. A block ``console`` has commands after ``$``; the lines below one are in its output, in
this order, and ``...`` stands for any lines. A command that serves goes on until the next one of
its port, or until the page ends. Other blocks in Python run at the end, as one program. ``sh`` and
``text`` are shown and not run. With a browser, the prose between the blocks is followed too: an
address that it opens, buttons that it presses, and quotes, which the console has to show.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from runpy import run_path
from time import monotonic, sleep
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
# The wheel to follow the pages with, in an environment made from it: make docs-check.
WHEEL = os.environ.get("CORSCORE_WHEEL")
# Other pages start servers, which takes seconds, so their tests are slow ones.
QUICK = ["README.md"]
FOLLOWED = [
    "README.md",
    *(
        f"docs/{name}.md"
        for name in (
            "cookies",
            "environments",
            "explanation",
            "fastapi",
            "faq",
            "jwt",
            "mcp",
            "nextjs",
            "options",
            "proxies",
            "react-vite",
            "transfers",
            "tutorial",
        )
    ),
]
# Pages that install packages which the tests do not have.
INSTALL = ["docs/mcp.md"]

_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"\A(?:#|//|<!--|/\*) ([\w.-]+\.\w+)(?: -->| \*/|:.*)?$", re.MULTILINE)
_COMMAND = re.compile(r"^[$] (.*)\n((?:(?![$] ).*\n)*)", re.MULTILINE)
_SERVES = re.compile(r"\b(?:run|runserver|http\.server|uvicorn|gunicorn)\b.*?\b\d+$")
# Commands that make the reader's environment, which the tests have already.
_MAKES_ENVIRONMENT = re.compile(r"(?:python3? -m venv|\.) \.venv")
_INSTALLS = re.compile(r"(?:pip install|npm) ")
_PORTS = re.compile(r"(?<=[ :])(?:8000|5173)\b")
_OPENED = re.compile(r"open <(http://localhost:\d+/[\w.]+)>")
_PRESSED = re.compile(
    r"[Pp]ress \*([\w ]+)\*(?:\. The page shows `(.*?)`)?|\*([\w ]+)\* shows `(.*?)`"
)
_QUOTED = re.compile(r"(?:^> .*\n)+", re.MULTILINE)
_PATIENCE = 60


class Block(NamedTuple):
    """A fenced block of a page, or the prose before one."""

    language: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    parts = _FENCED.split(page.read_text(encoding="utf-8"))
    for number in range(0, len(parts) - 1, 3):
        yield Block("prose", parts[number])
        yield Block(parts[number + 1], parts[number + 2])
    yield Block("prose", parts[-1])


class Reader:
    """A reader, who follows one page in an empty folder.

    Args:
        folder: An empty folder.
        scripts: The folder with the environment's commands, such as ``.venv/bin``.
        wheel: What to install for ``pip install``; None to leave installations out.
        visitor: The browser's page that the prose is followed in, or None.
    """

    def __init__(
        self, folder: Path, scripts: Path, wheel: Path | None, visitor: Visitor | None = None
    ) -> None:
        self._folder = folder
        self._wheel = wheel
        self._visitor = visitor
        self._ports: dict[str, str] = {}
        self._servers: dict[str, subprocess.Popen[bytes]] = {}
        self._files: dict[str, str] = {}
        self._environment = {
            "PATH": f"{scripts}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "COLUMNS": "88",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def follow(self, page: Path) -> None:
        program = ""
        try:
            for block in blocks(page):
                text = _PORTS.sub(self._port, block.text)
                name = _NAMED.match(text)
                if block.language == "prose":
                    if self._visitor:
                        self._visitor.follow(text)
                elif block.language == "console":
                    for command, output in _COMMAND.findall(text):
                        self._run(command, output)
                elif block.language == "diff":
                    self._change(text)
                elif name and block.language not in ("text", "sh"):
                    self._write(name[1], text)
                elif block.language == "python":
                    program += text
            if program:
                self._check("the page's program", ["python", "-W", "error", "-c", program], "")
        finally:
            for server in self._servers.values():
                _end(server)

    def _port(self, found: re.Match[str]) -> str:
        """Return a free port for a port of the page, the same at each call."""
        if found[0] not in self._ports:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self._ports[found[0]] = str(free.getsockname()[1])
        return self._ports[found[0]]

    def _write(self, name: str, text: str) -> None:
        self._files[name] = text
        (self._folder / name).write_text(text, encoding="utf-8")

    def _change(self, text: str) -> None:
        for old, new in _changes(text):
            name = next((name for name, has in self._files.items() if old in has), None)
            assert name, f"no file of the page has these lines:\n{old}"
            self._write(name, self._files[name].replace(old, new))

    def _run(self, command: str, output: str) -> None:
        if _MAKES_ENVIRONMENT.match(command):
            return
        if _INSTALLS.match(command):
            if self._wheel is None:
                return
            command = re.sub(r'"(?:corscore|\.)(\[[\w,]*\])?"', rf'"{self._wheel}\1"', command)
            command = command.replace("pip ", "python -m pip --quiet ", 1)
        serves = _SERVES.search(command)
        if serves:
            port = next(port for port in self._ports.values() if port in command)
            if port in self._servers:
                _end(self._servers.pop(port))
            if not output:
                self._servers[port] = self._serve(command, int(port))
                return
        self._check(command, ["bash", "-c", command], output)

    def _serve(self, command: str, port: int) -> subprocess.Popen[bytes]:
        log = self._folder / "server.log"
        with log.open("wb") as stream:
            server = subprocess.Popen(  # noqa: S602 - a page's own command
                f"exec {command}",
                shell=True,
                cwd=self._folder,
                env=self._environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = monotonic() + _PATIENCE
        while monotonic() < deadline and server.poll() is None:
            with socket.socket() as asked:
                if asked.connect_ex(("127.0.0.1", port)) == 0:
                    return server
            sleep(0.02)
        _end(server)
        raise AssertionError(f"{command} did not start:\n{log.read_text(errors='replace')}")

    def _check(self, name: str, command: list[str], output: str) -> None:
        done = subprocess.run(
            command,
            check=False,
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE,
        )
        printed = done.stdout.decode(errors="replace").splitlines()
        if not output:
            assert done.returncode == 0, f"{name}\n" + "\n".join(printed)
        rest = iter(printed)
        for line in output.splitlines():
            expected = line.rstrip()
            if expected not in ("", "..."):
                assert any(expected == one.rstrip() for one in rest), (
                    f"{name}\ndoes not print\n{expected}\nbut\n" + "\n".join(printed)
                )


class Visitor:
    """A page in a browser, and what its console has shown."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._console: list[str] = []
        page.on("console", lambda message: self._console.append(message.text))

    def follow(self, prose: str) -> None:
        if opened := _OPENED.search(prose):
            self._page.goto(opened[1])
        for pressed, shown, button, shows in _PRESSED.findall(prose):
            expected = shown or shows
            self._page.evaluate("document.querySelector('pre').textContent = ''")
            self._page.get_by_role("button", name=pressed or button, exact=True).click()
            self._page.wait_for_function("document.querySelector('pre').textContent")
            text = self._page.locator("pre").inner_text()
            assert not expected or text.strip() == expected
        for quote in _QUOTED.findall(prose):
            expected = " ".join(quote.replace("> ", "").split())
            deadline = monotonic() + _PATIENCE
            while not any(expected in line for line in self._console):
                assert monotonic() < deadline, f"{expected}\nis not in\n{self._console}"
                self._page.wait_for_timeout(20)


def _changes(text: str) -> Iterator[tuple[str, str]]:
    """Yield the old and the new lines of each change of a diff."""
    for part in re.findall(r"(?:^[-+ ].*\n)+", text, re.MULTILINE):
        lines = part.splitlines()
        old, new = ([one[1:] for one in lines if one[0] in (" ", sign)] for sign in "-+")
        yield "\n".join(old), "\n".join(new)


def _end(server: subprocess.Popen[bytes]) -> None:
    """End a server, with the processes that it started."""
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


@pytest.fixture(scope="session")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of commands: of this environment, or of a new empty one."""
    if WHEEL is None:
        return Path(sys.executable).parent
    folder = tmp_path_factory.mktemp("reader") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder / "bin"


def page_cases() -> list[object]:
    slow = pytest.mark.slow
    return [
        pytest.param(page, id=page, marks=() if page in QUICK or WHEEL else slow)
        for page in FOLLOWED
        if WHEEL or page not in INSTALL
    ]


def test_every_option_is_in_the_table_under_its_names() -> None:
    # The page's program is no module of a package.
    program = run_path(str(ROOT / "docs" / "option_table.py"))
    text = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert program["page"](text) == text


@pytest.mark.parametrize("page", page_cases())
def test_a_page_can_be_followed(page: str, scripts: Path, tmp_path: Path) -> None:
    wheel = Path(WHEEL).resolve() if WHEEL else None
    Reader(tmp_path, scripts, wheel).follow(ROOT / page)


@pytest.mark.slow
def test_the_tutorial_shows_in_chromium_what_it_says(
    chromium: Browser, scripts: Path, tmp_path: Path
) -> None:
    page = chromium.new_page()
    wheel = Path(WHEEL).resolve() if WHEEL else None
    Reader(tmp_path, scripts, wheel, Visitor(page)).follow(ROOT / "docs" / "tutorial.md")
    page.close()
