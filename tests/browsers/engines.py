"""Chromium, Firefox and WebKitGTK of Debian: each opens one URL, and writes its console."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

    from corscore.browser import Browser

_START_SECONDS = 90


class Engine(ABC):
    """A browser engine that runs on this machine."""

    name: Browser
    packages: str

    @classmethod
    @abstractmethod
    def program(cls) -> str | None:
        """Return the path of the program, or None."""

    @classmethod
    def version(cls) -> str:
        """Return the version as the program prints it."""
        program = cls.program()
        assert program is not None
        run = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        return run.stdout.strip()

    @classmethod
    @abstractmethod
    def open(cls, url: str) -> Any:
        """Open a URL for the time of the context, which returns the console's lines so far."""


class Chromium(Engine):
    name = "chromium"
    packages = "chromium"

    @classmethod
    def program(cls) -> str | None:
        named = os.environ.get("CORSCORE_CHROMIUM")
        return named or shutil.which("chromium") or shutil.which("google-chrome")

    @classmethod
    @contextmanager
    def open(cls, url: str) -> Iterator[Any]:
        with _folder() as folder:
            written = folder / "stderr"
            arguments = [
                "--headless",
                "--no-sandbox",  # otherwise it refuses to start for root
                "--disable-gpu",
                "--no-first-run",
                "--no-proxy-server",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--enable-logging=stderr",
                f"--user-data-dir={folder}/profile",
            ]
            with written.open("wb") as stderr, _running([cls._found(), *arguments, url], stderr):
                yield lambda: _chromium_console(written.read_text("utf-8", "replace"))

    @classmethod
    def _found(cls) -> str:
        program = cls.program()
        assert program is not None
        return program


_CHROMIUM_LINE = re.compile(
    r'^\[[^\]\n]*CONSOLE[^\]\n]*\] "(.*?)", source: [^\n]*$', re.MULTILINE | re.DOTALL
)


def _chromium_console(written: str) -> list[str]:
    return _CHROMIUM_LINE.findall(written)


class Firefox(Engine):
    name = "firefox"
    packages = "firefox-esr"

    @classmethod
    def program(cls) -> str | None:
        return shutil.which("firefox-esr") or shutil.which("firefox")

    @classmethod
    @contextmanager
    def open(cls, url: str) -> Iterator[Any]:
        program = cls.program()
        assert program is not None
        with _folder() as folder:
            profile = folder / "profile"
            profile.mkdir()
            (profile / "user.js").write_text(_FIREFOX_PREFERENCES)
            arguments = ["--headless", "--no-remote", "--profile", str(profile), "--marionette"]
            with (
                _running([program, *arguments, "--remote-allow-system-access"]),
                Marionette(profile / "MarionetteActivePort") as marionette,
            ):
                marionette("WebDriver:NewSession", {})
                marionette("WebDriver:Navigate", {"url": url})
                marionette("Marionette:SetContext", {"value": "chrome"})
                found: list[str] = []

                def lines() -> list[str]:
                    script = {"script": _FIREFOX_CONSOLE, "args": []}
                    found.extend(marionette("WebDriver:ExecuteScript", script)["value"])
                    return found

                yield lines


_FIREFOX_PREFERENCES = "".join(
    f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
    for name, value in {
        "marionette.port": 0,  # any free port, which is written to a file in the profile
        "browser.shell.checkDefaultBrowser": False,
        "browser.startup.page": 0,
        "app.update.enabled": False,
        "datareporting.policy.dataSubmissionEnabled": False,
        "network.captive-portal-service.enabled": False,
        "network.connectivity-service.enabled": False,
        "network.proxy.type": 0,
        # Once the address of a host is looked up again, its cached preflights no longer count.
        "network.dnsCacheExpiration": 86400,
    }.items()
)
# The service keeps the last 250 messages only, hence it is emptied each time.
_FIREFOX_CONSOLE = """
const found = Services.console.getMessageArray()
  .filter(message => message instanceof Ci.nsIScriptError)
  .filter(message => message.category.startsWith("CORS") || / fetch /.test(message.errorMessage))
  .map(message => message.errorMessage)
Services.console.reset()
return found
"""


class Marionette:
    """Firefox's remote protocol: https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html."""

    def __init__(self, port_file: Path) -> None:
        self._port_file = port_file
        self._last = 0

    def __enter__(self) -> Self:
        give_up = time.monotonic() + _START_SECONDS
        while True:
            with suppress(OSError, ValueError):
                port = int(self._port_file.read_text())
                self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
                break
            if time.monotonic() > give_up:
                raise RuntimeError("Firefox does not open its Marionette port")
            time.sleep(0.05)
        self._file = self._socket.makefile("rb")
        self._read()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def __call__(self, command: str, parameters: dict[str, Any]) -> Any:
        """Return the result of a command.

        Raises:
            RuntimeError: Firefox refuses it.
        """
        self._last += 1
        packet = json.dumps([0, self._last, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(packet), packet))
        _, _, error, result = self._read()
        if error is not None:
            raise RuntimeError(f"{command}: {error}")
        return result

    def _read(self) -> Any:
        length = b""
        while (byte := self._file.read(1)) != b":":
            if not byte:
                raise RuntimeError("Firefox went away")
            length += byte
        return json.loads(self._file.read(int(length)))


class WebKit(Engine):
    name = "safari"
    packages = "webkit2gtk-driver xvfb xauth"

    @classmethod
    def program(cls) -> str | None:
        # The program is in the library's folder, not on PATH.
        found = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
        return (
            str(found[-1])
            if found and shutil.which("xvfb-run") and shutil.which("WebKitWebDriver")
            else None
        )

    @classmethod
    def version(cls) -> str:
        # MiniBrowser's --version needs a display, so the library is asked.
        program = cls.program()
        assert program is not None
        library = f"lib{Path(program).parent.name}.so.0"
        code = (
            f"import ctypes; library = ctypes.CDLL({library!r})\n"
            "parts = 'major', 'minor', 'micro'\n"
            "print(*(getattr(library, f'webkit_get_{part}_version')() for part in parts), sep='.')"
        )
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        return f"WebKitGTK {run.stdout.strip()}"

    @classmethod
    @contextmanager
    def open(cls, url: str) -> Iterator[Any]:
        program = cls.program()
        assert program is not None
        with _folder() as folder:
            written = folder / "stdout"
            minibrowser = f"{program} --enable-write-console-messages-to-stdout=true '{url}'"
            # It needs a terminal, and with --private writes no console.
            command = ["xvfb-run", "-a", "script", "-qfc", minibrowser, str(written)]
            with _running(command, home=folder):
                yield lambda: _webkit_console(written.read_text("utf-8", "replace"))


_WEBKIT_LINE = re.compile(r"^(?:http\S+: )?CONSOLE \S+ (?:ERROR|WARN) (.*?)\r?$", re.MULTILINE)


def _webkit_console(written: str) -> list[str]:
    return _WEBKIT_LINE.findall(written)


ENGINES: tuple[type[Engine], ...] = (Chromium, Firefox, WebKit)


@contextmanager
def _folder() -> Iterator[Path]:
    # The processes of a browser may write to its profile until they have ended.
    with tempfile.TemporaryDirectory(prefix="corscore-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def _running(command: list[str], stderr: Any = subprocess.DEVNULL, home: Path | None = None) -> Any:
    environment = dict(os.environ)
    if home is not None:
        environment |= {"HOME": str(home), "XDG_CACHE_HOME": f"{home}/c"}
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        start_new_session=True,
        env=environment,
    )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
