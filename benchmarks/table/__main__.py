"""The command that prints the table: ``python -m benchmarks.table [--into FOLDER]``.

Each section runs in another process, ``python -m benchmarks.table --section NAME``, so that a
million patterns in memory, or Django's settings, do not slow down other sections.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from benchmarks.table.figures import Figures


class _Section(NamedTuple):
    """A function, and whether it runs without the compiled matcher."""

    function: str
    plain: bool = False


_SECTIONS = {
    "asgi": _Section("frameworks:asgi"),
    "plain-asgi": _Section("frameworks:asgi_plain", plain=True),
    "wsgi": _Section("frameworks:wsgi"),
    "flask": _Section("frameworks:flask"),
    "django": _Section("frameworks:django"),
    "engine": _Section("engine:decisions"),
    "hostile": _Section("engine:hostile"),
    "plain-hostile": _Section("engine:hostile", plain=True),
    "large": _Section("scale:large"),
    "huge": _Section("scale:huge"),
    "build": _Section("scale:build"),
    "import": _Section("startup:startup"),
    "server": _Section("server:server"),
    "ways": _Section("ways:ways"),
}


def main() -> None:
    """Run one section and print its figures, or run all of them and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table")
    parser.add_argument("--section", choices=_SECTIONS, help="run this one, and print JSON")
    parser.add_argument("--into", type=Path, help="write the figures and the plot to this folder")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    arguments = parser.parse_args()
    if arguments.section:
        json.dump(_measure(arguments.section), sys.stdout)
        return
    _require_compiled()
    started = time.monotonic()
    from benchmarks.table import report

    figures: Figures = {}
    for name in _SECTIONS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        figures |= _in_process(name)
    text = report.text(figures)
    print(text)
    if arguments.into:
        report.write(arguments.into, text, report.plot(figures))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    print(f"\nMeasured in {time.monotonic() - started:.0f} seconds.")


def _measure(name: str) -> Figures:
    from importlib import import_module

    from corscore._engine import matcher

    expected = "python" if _SECTIONS[name].plain else "cython"
    if expected != matcher.IMPLEMENTATION:
        raise SystemExit(f"{name}: this process has the matcher in {matcher.IMPLEMENTATION}")
    module, _, function = _SECTIONS[name].function.partition(":")
    figures: Figures = getattr(import_module(f"benchmarks.table.{module}"), function)()
    return figures


def _in_process(name: str) -> Figures:
    plain = _SECTIONS[name].plain
    environ = {**os.environ, "PYTHONHASHSEED": "0"}
    environ.pop("CORSCORE_PURE_PYTHON", None)
    if plain:
        environ["CORSCORE_PURE_PYTHON"] = "1"
    command = [sys.executable, "-m", "benchmarks.table", "--section", name]
    run = subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE)  # noqa: S603
    figures: Figures = json.loads(run.stdout)
    return {f"plain-{key}": value for key, value in figures.items()} if plain else figures


def _require_compiled() -> None:
    from corscore._engine import matcher

    if matcher.IMPLEMENTATION != "cython":
        raise SystemExit("the matcher is not compiled here: install with a C compiler first")


if __name__ == "__main__":
    main()
