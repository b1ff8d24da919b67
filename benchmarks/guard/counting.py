"""The instructions of one turn of each loop, as valgrind counts them."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import corscore
import corscore_asgi
from benchmarks.guard.loop import ADDED, GROUPS, REFERENCE, turns

if TYPE_CHECKING:
    from collections.abc import Sequence

    # The instructions a turn, by case.
    Counts = dict[str, int]

BUILDS = ("cython", "python")

# glibc and the interpreter choose routines by the processor's features, and without these choose
# the same ones on every machine. glibc ignores names that it does not know.
_FEATURES = (
    *("AVX", "AVX2", "AVX512F", "AVX512VL", "AVX512BW", "EVEX", "BMI1", "BMI2", "LZCNT"),
    *("MOVBE", "RTM", "ERMS", "FSRM", "SSE4_1", "SSE4_2", "SSSE3"),
    *("AVX_Usable", "AVX2_Usable", "AVX512F_Usable", "BMI2_Usable"),
    *("AVX_Fast_Unaligned_Load", "AVX_Prefer_No_VZEROUPPER", "Prefer_ERMS", "Prefer_FSRM"),
)


def python_key() -> str:
    """Return the key of this interpreter's baseline: ``CPython 3.11 x86_64``."""
    version = ".".join(platform.python_version_tuple()[:2])
    return f"{platform.python_implementation()} {version} {platform.machine()}"


def count(valgrind: str, groups: Sequence[str] = GROUPS) -> dict[str, dict[str, Counts]]:
    """Count the instructions of every case.

    Args:
        valgrind: The path of valgrind.
        groups: Names of ``GROUPS``.

    Returns:
        The instructions a turn, by build of the matcher, group and case.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {
            (build, group): pool.submit(_instructions, valgrind, build, group)
            for group in groups
            for build in BUILDS
        }
    return {build: {group: runs[build, group].result() for group in groups} for build in BUILDS}


def _instructions(valgrind: str, build: str, group: str) -> Counts:
    with TemporaryDirectory() as folder:
        output = _run(
            build,
            group,
            [
                *(valgrind, "--tool=callgrind", "--dump-before=getppid"),
                f"--callgrind-out-file={folder}/%p",
            ],
        )
        children: Counts = json.loads(output)
        found = {name: _total(Path(folder, f"{child}.2")) for name, child in children.items()}
    counts = {name: round(total / turns(group)) for name, total in found.items()}
    # Without the application's own instructions, which would hide what a layer adds.
    return {name: n - (counts[REFERENCE] if name in ADDED else 0) for name, n in counts.items()}


def _total(dump: Path) -> int:
    found = re.search(r"^totals: (\d+)", dump.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"valgrind counted nothing: {dump.name}")
    return int(found[1])


def _run(build: str, group: str, before: list[str]) -> str:
    environ = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONHASHSEED": "0",
        "PYTHONMALLOC": "pymalloc",
        "PYTHONWARNINGS": "ignore",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=" + ",".join(f"-{name}" for name in _FEATURES),
    }
    if build == "python":
        environ["CORSCORE_PURE_PYTHON"] = "1"
    # Without site, whose hooks vary between environments.
    roots = dict.fromkeys(
        [
            str(Path(__file__).resolve().parents[2]),
            str(Path(corscore.__file__).parents[1]),
            str(Path(corscore_asgi.__file__).parents[1]),
            *sys.path,
        ]
    )
    code = (
        f"import sys; sys.path[:] = {list(roots)!r}\n"
        f"from benchmarks.guard.loop import main; main({build!r}, {group!r})"
    )
    ran = subprocess.run(  # noqa: S603 -- valgrind, and our own interpreter
        [*before, sys.executable, "-S", "-c", code],
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        raise RuntimeError(f"{build}: {ran.stderr}")
    return ran.stdout
