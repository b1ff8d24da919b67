"""What a release needs: one version everywhere, the same bytes twice, what pipelines call."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from importlib import import_module
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
import tomli

import corscore

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(sys.executable).parent
PROJECT: dict[str, Any] = tomli.loads((ROOT / "pyproject.toml").read_text("utf-8"))
NAMED = {
    "corscore/__init__.py": '__version__ = "1.2.3"\n',
    "CITATION.cff": "version: 1.2.3\n",
    "CHANGELOG.md": "## [1.2.3] - 2027-01-31\n\n[1.2.3]: ../../compare/v1.2.2...v1.2.3\n",
    "setup.py": 'ADDRESS = "https://docs.example"\nREPOSITORY = "https://code.example/c"\n',
}
GOOD = 'allow_origins = ["https://app.example.com"]\n'
BAD = 'allow_origins = ["https://app.example.com/"]\n'


@pytest.fixture
def setup_names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("setuptools.setup", lambda **options: None)
    return run_path("setup.py")


@pytest.fixture
def cors_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cors.toml"


def run(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(SCRIPTS), os.environ["PATH"]))
    return subprocess.run(
        command,
        check=False,
        env={**os.environ, "PATH": path, **env},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("file", "change", "mistake"),
    [
        ("setup.py", ("", ""), None),
        ("CITATION.cff", ("3", "4"), "CITATION.cff says 1.2.4, corscore/__init__.py 1.2.3"),
        ("corscore/__init__.py", ("3", "4"), "the tag is v1.2.3, the version 1.2.4"),
        ("CHANGELOG.md", (" - 2027-01-31", ""), "CHANGELOG.md has no heading ## [1.2.3]"),
        ("CHANGELOG.md", ("\n[1.2.3]: ", "\n"), "CHANGELOG.md: [1.2.3] has no compare link"),
        ("setup.py", ("https://docs.example", ""), "setup.py: ADDRESS is empty"),
        ("setup.py", ("https://code.example/c", ""), "setup.py: REPOSITORY is empty"),
    ],
)
def test_a_release_is_named_alike_everywhere(
    file: str, change: tuple[str, str], mistake: str | None, tmp_path: Path
) -> None:
    for name, text in NAMED.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace(*change) if name == file else text, "utf-8")
    mistakes = run_path(str(ROOT / ".ci" / "release.py"))["mistakes"]
    mistakes.__globals__["ROOT"] = tmp_path
    found = mistakes("v1.2.3")
    assert found == [] if mistake is None else any(one.startswith(mistake) for one in found)


def test_this_version_is_named_alike_everywhere() -> None:
    assert run_path(str(ROOT / ".ci" / "release.py"))["mistakes"](None) == []
    assert corscore.__version__ in (ROOT / "CITATION.cff").read_text("utf-8")


def test_the_metadata_have_all_addresses_once_two_are_filled_in(
    setup_names: dict[str, Any],
) -> None:
    urls = setup_names["urls"]
    assert urls("", "") == {}
    named = urls("https://docs.example", "https://code.example/c")
    assert list(named) == ["Documentation", "Source", "Changelog", "Issues"]
    assert named["Issues"] == "https://code.example/c/issues"


def test_each_declared_python_has_wheels_and_a_job() -> None:
    declared = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    wheels = PROJECT["tool"]["cibuildwheel"]["build"].split()
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8")
    (matrix,) = re.findall(r"python: \[(.*)\]", workflow)
    assert wheels == [f"cp{version.replace('.', '')}-*" for version in declared]
    assert re.findall(r'"(3\.\d+)"', matrix) == declared
    assert PROJECT["project"]["requires-python"] == f">={declared[0]}"


def test_a_source_distribution_is_the_same_bytes_at_another_time_with_other_permissions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setup_names: dict[str, Any]
) -> None:
    command = setup_names["ReproducibleSdist"](import_module("setuptools").Distribution())
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1798761600")
    made = []
    for number, mode in enumerate((0o644, 0o600)):
        folder = tmp_path / str(number) / "corscore-1"
        folder.mkdir(parents=True, mode=mode | 0o111)
        for name in ("b.py", "a.py")[:: 1 if number else -1]:
            (folder / name).write_text(name, "utf-8")
            (folder / name).chmod(mode)
            os.utime(folder / name, (number, number))
        made.append(
            command.make_archive(
                str(tmp_path / str(number) / "made"), "gztar", str(folder.parent), "corscore-1"
            )
        )
    first, second = (Path(name).read_bytes() for name in made)
    assert first == second
    with tarfile.open(made[0]) as archive:
        assert {entry.mtime for entry in archive} == {1798761600}


@pytest.mark.parametrize(("policy", "status"), [(GOOD, 0), (BAD, 1)])
def test_the_hook_refuses_a_broken_policy(policy: str, status: int, cors_toml: Path) -> None:
    cors_toml.write_text(policy, "utf-8")
    hook = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    (entry,) = re.findall(r"entry: (.+)", hook)
    (arguments,) = re.findall(r"args: \[(.+)\]", hook)
    assert run(*entry.split(), *arguments.split(", ")).returncode == status


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("policy", "step", "status", "printed"),
    [
        (GOOD, "Write SARIF", 0, ""),
        (BAD, "Write SARIF", 0, ""),
        (GOOD, "Check", 0, ""),
        (BAD, "Check", 1, "::error"),
    ],
)
def test_a_step_of_the_action_annotates_and_fails_on_a_broken_policy(
    policy: str, step: str, status: int, printed: str, cors_toml: Path
) -> None:
    cors_toml.write_text(policy, "utf-8")
    action = (ROOT / "action.yml").read_text("utf-8")
    (command,) = re.findall(rf"- name: {step}\n(?: +.*\n)*? +run: '(.*)'", action)
    done = run(
        *("bash", "-euo", "pipefail", "-c", command),
        PYTHON=sys.executable,
        TARGET="cors.toml",
        SARIF="cors.sarif",
    )
    assert done.returncode == status, done.stderr
    assert printed in done.stdout
    if step == "Write SARIF":
        found = (cors_toml.parent / "cors.sarif").read_text("utf-8")
        assert ('"level"' in found) == (policy == BAD)
