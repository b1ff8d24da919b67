"""The comparison with the baseline, or its update: ``python -m benchmarks.guard [--update]``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

BASELINE = Path(__file__).parents[1] / "baseline.json"
# The most that a case may grow.
_MAX_GROWTH = 0.10
# Interpreters whose own work differs by more are not compared.
_MAX_DIFFERENCE = 0.15

_MOVE = (
    "Where that is the price of something wanted, move the baseline: make bench-baseline, and "
    "commit benchmarks/baseline.json."
)


def main() -> int:
    """Count, compare, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard")
    parser.add_argument("--update", action="store_true", help="write the counts to the baseline")
    parser.add_argument("--group", action="append", help="count this group of cases alone")
    arguments = parser.parse_args()
    required = bool(os.environ.get("CORSCORE_REQUIRE_VALGRIND"))
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return _skip("valgrind is not installed (apt-get install valgrind)", required)

    from benchmarks.guard.counting import count, python_key
    from benchmarks.guard.loop import ENGINE, GROUPS

    key = python_key()
    baselines: dict[str, Any] = json.loads(BASELINE.read_text(encoding="utf-8"))
    counts = count(valgrind, arguments.group or GROUPS)
    status = judge_ways(counts)
    if not any(ENGINE in found for found in counts.values()):
        return status
    engine = {build: found[ENGINE] for build, found in counts.items()}
    if arguments.update:
        made_with = f"{platform.python_version()}, {platform.python_compiler()}"
        baselines[key] = {"made with": made_with, **engine}
        text = json.dumps(baselines, indent=2, sort_keys=True) + "\n"
        BASELINE.write_text(text, encoding="utf-8")
        print(f"The baseline for {key} is written.")
        return status
    if key not in baselines:
        why = f"there is no baseline for {key}; make bench-baseline writes one"
        return _skip(why, required) or status
    return judge(key, baselines[key], engine, required=required) or status


def _skip(why: str, required: bool) -> int:
    print(f"bench-check {'cannot run' if required else 'skipped'}: {why}")
    return int(required)


def judge(
    key: str, baseline: dict[str, Any], counts: dict[str, dict[str, int]], *, required: bool
) -> int:
    """Print counts beside a baseline.

    Args:
        key: The key of the baseline.
        baseline: The baseline's counts, and the interpreter that they were made with.
        counts: The instructions a turn, by build of the matcher and case.
        required: Whether to fail where the counts cannot be compared.

    Returns:
        The exit status: 1 if a case has grown too much.
    """
    from benchmarks.guard.loop import REFERENCE

    grown = []
    print(f"Instructions a turn, {key}; the baseline was made with {baseline['made with']}.")
    for build, found in counts.items():
        # Interpreters of one version that were built differently take more or less for all code.
        scale = found[REFERENCE] / baseline[build][REFERENCE]
        if abs(scale - 1) > _MAX_DIFFERENCE:
            why = f"this interpreter takes {scale:.2f} times the baseline's for code not ours"
            return _skip(f"{why}; make bench-baseline writes a baseline for it", required)
        for name, now in found.items():
            before = baseline[build][name] * scale
            change = now / before - 1
            mark = ""
            if change > _MAX_GROWTH:
                mark = f"  more than {_MAX_GROWTH:.0%}"
                grown.append(f"{build} {name}")
            print(
                f"  {build:<7} {name:<17} {now:>7,}  baseline {before:>9,.0f}  {change:+.1%}{mark}"
            )
    if grown:
        print(f"Grown by more than {_MAX_GROWTH:.0%}: {', '.join(grown)}.\n{_MOVE}")
        return 1
    return 0


def judge_ways(counts: dict[str, dict[str, dict[str, int]]]) -> int:
    """Print what each case of ``benchmarks.ways`` adds, beside its limit.

    Args:
        counts: The instructions a turn, by build of the matcher, group and case.

    Returns:
        The exit status: 1 if a case adds more than its limit.
    """
    from benchmarks.ways import PEERS, compare

    above = []
    for build, groups in counts.items():
        for group in groups:
            if group not in PEERS:
                continue
            print(f"Instructions added to a request, {group}, {build}:")
            for row in compare(group, groups[group], build):
                mark = "" if row.is_met else "  above its limit"
                print(
                    f"  {row.case:<28} {row.added:>9,}  {row.ratio:>6.2f} x {row.than}, "
                    f"at most {row.limit:g}{mark}"
                )
                if mark:
                    above.append(f"{build} {group}: {row.case}")
    if above:
        print(f"Above their limits: {', '.join(above)}.")
    return int(bool(above))


if __name__ == "__main__":
    sys.exit(main())
