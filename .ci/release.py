"""Checks that one release is named everywhere: `python .ci/release.py v1.2.3`.

Reads the version of the package, the changelog, CITATION.cff and the addresses in setup.py; without
a tag only what holds between releases, too.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def text(name: str) -> str:
    """Return the text of a file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def found(pattern: str, name: str) -> str:
    """Return the group of a pattern, which occurs in a file."""
    match = re.search(pattern, text(name), re.MULTILINE)
    return match[1] if match else "nothing"


def mistakes(tag: str | None) -> list[str]:
    """Return what keeps a tag, or the next commit, from being a release."""
    version = found(r'^__version__ = "(.+)"$', "corscore/__init__.py")
    wrong = []
    cited = found(r"^version: (.+)$", "CITATION.cff")
    if cited != version:
        wrong.append(f"CITATION.cff says {cited}, corscore/__init__.py {version}")
    changelog = text("CHANGELOG.md")
    released = re.findall(r"^## \[([^\]]+)\]", changelog, re.MULTILINE)
    wrong += [
        f"CHANGELOG.md: [{name}] has no compare link"
        for name in released
        if not re.search(rf"^\[{re.escape(name)}\]: \S+$", changelog, re.MULTILINE)
    ]
    if tag is None:
        return wrong
    if tag != f"v{version}":
        wrong.append(f"the tag is {tag}, the version {version}")
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$"
    if not re.search(heading, changelog, re.MULTILINE):
        wrong.append(f"CHANGELOG.md has no heading ## [{version}] - YYYY-MM-DD")
    wrong += [
        f"setup.py: {name} is empty"
        for name in ("ADDRESS", "REPOSITORY")
        if not re.search(rf'^{name} = ".+"$', text("setup.py"), re.MULTILINE)
    ]
    return wrong


if __name__ == "__main__":
    wrong = mistakes(sys.argv[1] if len(sys.argv) > 1 else None)
    sys.stdout.writelines(f"{one}\n" for one in wrong)
    sys.exit(bool(wrong))
