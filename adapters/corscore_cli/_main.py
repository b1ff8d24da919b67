"""The entry point: loads the command, or says in one line what is not installed."""

from __future__ import annotations

import sys

_MISSING_EXTRA = (
    'corscore: the command needs the package {package}; run: pip install "corscore[cli]"\n'
)
_EXTRA = ("click", "httpx", "rich", "uvicorn")


def main() -> None:
    """Runs the command with the arguments of the process.

    Raises:
        SystemExit: Always: 0 fine, 1 findings, 2 a mistake in the call or something not installed.
    """
    # Here and not above: without the extra `cli` there is nothing to import.
    try:
        from corscore_cli._command import corscore
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRA:
            raise
        sys.stderr.write(_MISSING_EXTRA.format(package=package))
        raise SystemExit(2) from None
    corscore(prog_name="corscore")
