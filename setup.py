"""Build the optional compiled modules. Metadata lives in pyproject.toml.

CORSCORE_PURE_PYTHON=1       do not build them (the wheel is py3-none-any)
CORSCORE_REQUIRE_EXTENSION=1 fail the build if they cannot be compiled
SOURCE_DATE_EPOCH=seconds    the time that all files in the archives get; `make dist` sets it
"""

from __future__ import annotations

import gzip
import os
import re
import sys
import tarfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

# Where the site is published, without a slash at the end; empty until it is. The links of the
# metadata, of README on the package index, and of the command's messages follow from it.
ADDRESS = ""
# Where its source is hosted, likewise.
REPOSITORY = ""

PURE_PYTHON = bool(os.environ.get("CORSCORE_PURE_PYTHON")) or sys.implementation.name != "cpython"

# One source, two modules: matcher_py.py runs as it is, and is compiled a second time as matcher_c
# with the C types of matcher_c.pxd; likewise the others. An install without a C compiler goes on
# without them, unless they were asked for by name: a wheel for publishing must never lack them, for
# its file name would promise compiled modules all the same.
# nonecheck: an object made without its constructor raises instead of ending the process. Nothing
# claims freethreading_compatible: no free-threaded interpreter has run the tests.
COMPILED = ("matcher", "answer", "paths", "responder", "gateway")


def extension(name: str) -> Extension:
    made = Extension(
        f"corscore._engine.{name}_c",
        sources=[f"corscore/_engine/{name}_py.py"],
        # Each may use the C types of the others.
        depends=[f"corscore/_engine/{other}_c.pxd" for other in COMPILED],
        optional=not os.environ.get("CORSCORE_REQUIRE_EXTENSION"),
        # Without debug information: it more than doubles the wheel, and names the folder of the
        # build. Where CFLAGS are given (`make sanitize`), they decide about it.
        extra_compile_args=["-g0"] if os.name == "posix" and "CFLAGS" not in os.environ else [],
    )
    made.cython_c_in_temp = True  # no .c files in the source tree or the wheel
    return made


def readme(address: str) -> str:
    """README for the package index, where links into the project lead nowhere."""
    text = Path("README.md").read_text(encoding="utf-8")
    if not address:
        text = re.sub(r"!\[[^\]]*\]\((?!https?:)[^)]*\)\n*", "", text)
        return re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", text)
    text = re.sub(r"\]\((?!https?:)([^)]+)\.md(#[^)]*)?\)", rf"]({address}/\1.html\2)", text)
    return re.sub(r"\]\((?!https?:)(?:[\w-]+/)*([\w.-]+\.svg)\)", rf"]({address}/_images/\1)", text)


def urls(address: str, repository: str) -> dict[str, str]:
    """[project.urls] of the metadata, as far as they are known."""
    named = {"Documentation": address} if address else {}
    if repository:
        named |= {
            "Source": repository,
            "Changelog": f"{repository}/blob/HEAD/CHANGELOG.md",
            "Issues": f"{repository}/issues",
        }
    return named


class BuildWithPages(build_py):
    """Ships the pages that messages point to, which `corscore code` shows."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        folder = Path(self.build_lib, "corscore_cli", "codes")
        self.mkpath(str(folder))
        for page in (*sorted(Path("docs", "codes").glob("*.md")), Path("docs", "django-checks.md")):
            self.copy_file(str(page), str(folder / page.name))


class ReproducibleSdist(sdist):
    """Writes the same bytes for the same files, whenever, wherever and by whom it is run."""

    def make_archive(self, base_name, kind, root_dir=None, base_dir=None, **owners):
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        if kind != "gztar" or epoch is None:
            return super().make_archive(base_name, kind, root_dir, base_dir, **owners)

        def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
            entry.mtime = int(epoch)
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
            return entry

        made = Path(f"{base_name}.tar.gz")
        # tarfile adds the entries of a folder in the order of their names.
        with (
            made.open("wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=int(epoch)) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            archive.add(Path(root_dir or ".", base_dir), arcname=base_dir, filter=plain)
        return str(made)


setup(
    long_description=readme(ADDRESS),
    long_description_content_type="text/markdown",
    project_urls=urls(ADDRESS, REPOSITORY),
    cmdclass={"build_py": BuildWithPages, "sdist": ReproducibleSdist},
    ext_modules=[] if PURE_PYTHON else [extension(name) for name in COMPILED],
)
