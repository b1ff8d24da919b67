"""The entry point: loads the command, or says in one line what is not installed."""

from __future__ import annotations

import sys
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
        from corscore_cli._command import corscore
    except ModuleNotFoundError as error:
        end_if_not_installed(error)
        raise
    corscore(prog_name="corscore")


def end_if_not_installed(error: ModuleNotFoundError) -> None:
    """Ends the process with one line if what is missing belongs to the extra ``cli``.

    Raises:
        SystemExit: With 2.
    """
    package = (error.name or "").partition(".")[0]
    if package in _EXTRA:
        sys.stderr.write(_MISSING_EXTRA.format(package=package))
        raise SystemExit(2) from None
