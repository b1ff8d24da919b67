"""The entry point: runs the command, or names the extra that is not installed."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from io import TextIOWrapper

_MISSING_EXTRA = (
    'corscore: the command needs the package {package}; run: pip install "corscore[cli]"\n'
)
_PACKAGES_OF_EXTRA = ("click", "httpx2", "rich", "uvicorn")


def main() -> None:
    """Run the command with the arguments of the process.

    Raises:
        SystemExit: Always: 0 fine, 1 findings, 2 a mistake in the call or a missing package.
    """
    for stream in (sys.stdout, sys.stderr):
        # A path may hold characters that the terminal's encoding lacks.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        # Imported late: click is missing without the extra `cli`.
        from corscore_cli.shell.command import corscore

        corscore(prog_name="corscore")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _PACKAGES_OF_EXTRA:
            raise
        if sys.argv[1:2] == ["code"]:
            # Messages name `corscore code`, so it works without the extra, too.
            from corscore_cli.shell.pages import print_page

            raise SystemExit(print_page(sys.argv[2:])) from None
        sys.stderr.write(_MISSING_EXTRA.format(package=package))
        raise SystemExit(2) from None
    except OSError as error:
        # A full disk behind ">" must not end with 1, the exit code for findings.
        sys.stderr.write(f"corscore: cannot go on: {error}\n")
        # Otherwise the interpreter tries to write the rest, and ends with another exit code.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        _end(2)
        raise SystemExit(2) from None
    except SystemExit as end:
        _close_stdout()
        _end(end.code if isinstance(end.code, int) else 1)
        raise


def _close_stdout() -> None:
    """Redirect stdout to stderr, where imported modules may print at exit or in a thread."""
    stdout = sys.__stdout__
    with suppress(OSError, ValueError):
        if stdout is not None and stdout is sys.stdout and stdout.fileno() == 1:
            stdout.flush()
            os.dup2(2, 1)


def _end(code: int) -> None:
    """End the process now if an imported module left threads that the interpreter waits for."""
    others = [one for one in threading.enumerate() if one is not threading.main_thread()]
    if any(not one.daemon for one in others):
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)
