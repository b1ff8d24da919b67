"""Instructions that one turn of each loop takes, by valgrind."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import corscore
import corscore_asgi
from benchmarks.guard.loop import ADDED, CASES, REFERENCE

BUILDS = ("cython", "python")

# Enough for the interpreter to have settled on its specialised instructions.
_WARM = 100
_TURNS = 500

# glibc and the interpreter choose routines for the processor they find; without these features
# they choose the same ones on every machine. Names differ between releases of glibc, which ignores
# what it does not know.
_FEATURES = (
    *("AVX", "AVX2", "AVX512F", "AVX512VL", "AVX512BW", "EVEX", "BMI1", "BMI2", "LZCNT"),
    *("MOVBE", "RTM", "ERMS", "FSRM", "SSE4_1", "SSE4_2", "SSSE3"),
    *("AVX_Usable", "AVX2_Usable", "AVX512F_Usable", "BMI2_Usable"),
    *("AVX_Fast_Unaligned_Load", "AVX_Prefer_No_VZEROUPPER", "Prefer_ERMS", "Prefer_FSRM"),
)


def python_key() -> str:
    """What a baseline is for: ``CPython 3.11 x86_64``."""
    version = ".".join(platform.python_version_tuple()[:2])
    return f"{platform.python_implementation()} {version} {platform.machine()}"


def count(valgrind: str) -> dict[str, dict[str, int]]:
    """A build of the matcher to a case to its instructions a turn.

    The start of the interpreter falls out: a run with more turns of one case, minus a run with the
    fewest of all.
    """
    few = [_WARM] * len(CASES)
    for build in BUILDS:
        _run(build, [0] * len(CASES))  # writes the bytecode caches
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {}
        for build in BUILDS:
            runs[build, ""] = pool.submit(_instructions, valgrind, build, few)
            for index, name in enumerate(CASES):
                more = few.copy()
                more[index] += _TURNS
                runs[build, name] = pool.submit(_instructions, valgrind, build, more)
    return {
        build: _per_turn({name: runs[build, name].result() for name in ("", *CASES)})
        for build in BUILDS
    }


def _per_turn(totals: dict[str, int]) -> dict[str, int]:
    found = {name: round((totals[name] - totals[""]) / _TURNS) for name in CASES}
    # The application's own share would hide what a layer adds to it.
    return {name: found[name] - (found[REFERENCE] if name in ADDED else 0) for name in CASES}


def _instructions(valgrind: str, build: str, counts: list[int]) -> int:
    output = _run(
        build,
        counts,
        [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null"],
    )
    found = re.search(r"Collected\s*:\s*(\d+)", output)
    if found is None:
        raise RuntimeError(f"valgrind counted nothing:\n{output}")
    return int(found[1])


def _run(build: str, counts: list[int], before: list[str] | None = None) -> str:
    environ = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONHASHSEED": "0",
        "PYTHONMALLOC": "pymalloc",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=" + ",".join(f"-{name}" for name in _FEATURES),
    }
    if build == "python":
        environ["CORSCORE_PURE_PYTHON"] = "1"
    # No site: its hooks vary between environments.
    roots = dict.fromkeys(
        [
            str(Path(__file__).resolve().parents[2]),
            str(Path(corscore.__file__).parents[1]),
            str(Path(corscore_asgi.__file__).parents[1]),
        ]
    )
    code = (
        f"import sys; sys.path[:0] = {list(roots)!r}\n"
        f"from benchmarks.guard.loop import main; main({build!r}, {[*map(str, counts)]!r})"
    )
    ran = subprocess.run(  # noqa: S603 -- valgrind, and our own interpreter
        [*(before or []), sys.executable, "-S", "-c", code],
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        raise RuntimeError(f"{build}: {ran.stderr}")
    return ran.stderr
