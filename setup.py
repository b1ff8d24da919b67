"""Build the optional compiled origin matcher. Metadata lives in pyproject.toml.

CORSCORE_PURE_PYTHON=1       do not build it (the wheel is py3-none-any)
CORSCORE_REQUIRE_EXTENSION=1 fail the build if it cannot be compiled
"""

from __future__ import annotations

import os
import sys

from setuptools import Extension, setup

PURE_PYTHON = bool(os.environ.get("CORSCORE_PURE_PYTHON")) or sys.implementation.name != "cpython"

# One source, two modules: _matcher_py.py runs as it is, and is compiled a second time as
# _matcher_c with the C types of _matcher_c.pxd. An install without a C compiler goes on without
# it, unless the extension was asked for by name: a wheel for publishing must never lack it, for
# its file name would promise a compiled module all the same.
matcher = Extension(
    "corscore._matcher_c",
    sources=["corscore/_matcher_py.py"],
    depends=["corscore/_matcher_c.pxd"],
    optional=not os.environ.get("CORSCORE_REQUIRE_EXTENSION"),
)
matcher.cython_c_in_temp = True  # no .c files in the source tree or the wheel

setup(ext_modules=[] if PURE_PYTHON else [matcher])
