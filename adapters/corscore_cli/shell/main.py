"""The entry point: loads the command, or says in one line what is not installed."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from io import TextIOWrapper

_MISSING_EXTRA = (
    'corscore: the command needs the package {package}; run: pip install "corscore[cli]"\n'
)
_EXTRA = ("click", "httpx", "rich", "uvicorn")


def main() -> None:
    """Runs the command with the arguments of the process.

    Raises:
        SystemExit: Always: 0 fine, 1 findings, 2 a mistake in the call or something not installed.
    """
    for stream in (sys.stdout, sys.stderr):
        # What an encoding cannot say is no reason for a traceback: a path may hold anything.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # Here and not above: without the extra `cli` there is nothing to import.
    try:
        from corscore_cli.shell.command import corscore
    except ModuleNotFoundError as error:
        end_if_not_installed(error)
        raise
    try:
        corscore(prog_name="corscore")
    except OSError as error:
        # A full disk behind ">": whoever reads the exit code must not take it for findings.
        sys.stderr.write(f"corscore: cannot go on: {error}\n")
        # The interpreter would try to write the rest, and end with a code of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        _end(2)
        raise SystemExit(2) from None
    except SystemExit as end:
        _close_stdout()
        _end(end.code if isinstance(end.code, int) else 1)
        raise


def _close_stdout() -> None:
    """Sends to stderr what a module that was looked at still prints: at exit, or in a thread."""
    stdout = sys.__stdout__
    with suppress(OSError, ValueError):
        if stdout is not None and stdout is sys.stdout and stdout.fileno() == 1:
            stdout.flush()
            os.dup2(2, 1)


def _end(code: int) -> None:
    """Ends the process now if a module that was looked at left threads that never end.

    The interpreter would wait for them.
    """
    others = [one for one in threading.enumerate() if one is not threading.main_thread()]
    if any(not one.daemon for one in others):
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def end_if_not_installed(error: ModuleNotFoundError) -> None:
    """Ends the process with one line if what is missing belongs to the extra ``cli``.

    Raises:
        SystemExit: With 2.
    """
    package = (error.name or "").partition(".")[0]
    if package in _EXTRA:
        sys.stderr.write(_MISSING_EXTRA.format(package=package))
        raise SystemExit(2) from None
