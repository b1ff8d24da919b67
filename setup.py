"""Build the optional compiled origin matcher. Metadata lives in pyproject.toml.

CORSCORE_PURE_PYTHON=1       do not build it (the wheel is py3-none-any)
CORSCORE_REQUIRE_EXTENSION=1 fail the build if it cannot be compiled
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

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
    )
    made.cython_c_in_temp = True  # no .c files in the source tree or the wheel
    return made


class BuildWithPages(build_py):
    """Ships the pages of docs/codes with the command, which shows them: `corscore code`."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        folder = Path(self.build_lib, "corscore_cli", "codes")
        self.mkpath(str(folder))
        for page in sorted(Path("docs", "codes").glob("*.md")):
            self.copy_file(str(page), str(folder / page.name))


setup(
    cmdclass={"build_py": BuildWithPages},
    ext_modules=[] if PURE_PYTHON else [extension(name) for name in COMPILED],
)
