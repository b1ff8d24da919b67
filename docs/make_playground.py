"""Put the playground into the built site: its page, Pyodide, the engine and how options are spelt.

Takes the site's folder and the folder of npm's package ``pyodide``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

from option_table import spellings

ROOT = Path(__file__).parents[1]
PYODIDE = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "pyodide-lock.json",
    "python_stdlib.zip",
)


def make(site: Path, pyodide: Path) -> None:
    """Write ``docs/playground/`` below the site."""
    into = site / "docs" / "playground"
    shutil.rmtree(into, ignore_errors=True)
    source = ROOT / "docs" / "playground"
    shutil.copytree(source, into, ignore=shutil.ignore_patterns("package*", "compile*"))
    (into / "pyodide").mkdir()
    for name in PYODIDE:
        shutil.copy(pyodide / name, into / "pyodide" / name)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(  # noqa: S603 - pip, for the wheel without compiled modules
            [
                sys.executable,
                "-m",
                "pip",
                "--disable-pip-version-check",
                "wheel",
                "--quiet",
                "--no-deps",
                "--no-cache-dir",
                "--wheel-dir",
                folder,
                str(ROOT),
            ],
            check=True,
            env={**os.environ, "CORSCORE_PURE_PYTHON": "1"},
        )
        (wheel,) = Path(folder).glob("*-py3-none-any.whl")
        with zipfile.ZipFile(into / "engine.zip", "w", zipfile.ZIP_DEFLATED) as made:
            # The engine alone: a visitor waits for each file that is unpacked.
            with zipfile.ZipFile(wheel) as archive:
                for name in archive.namelist():
                    if name.startswith("corscore/"):
                        made.writestr(name, archive.read(name))
            for name in ("idna", "publicsuffixlist"):
                _add_package(made, name)
    archives = [into / "engine.zip", into / "pyodide" / "python_stdlib.zip"]
    subprocess.run(["node", source / "compile.mjs", pyodide, *archives], check=True)  # noqa: S603, S607
    text = json.dumps(spellings(), indent=1)
    (into / "spellings.json").write_text(text, encoding="utf-8")


def _add_package(archive: zipfile.ZipFile, name: str) -> None:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{name} is not installed")
    package = Path(spec.origin).parent
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            archive.write(path, path.relative_to(package.parent))


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
