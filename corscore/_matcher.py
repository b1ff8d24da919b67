"""Picks the build of the matcher: compiled where there is one, the same source in Python if not.

``CORSCORE_PURE_PYTHON=1`` asks for Python. The engine reaches the matcher through this module's
attributes, so that a test can put either build in its place.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING or os.environ.get("CORSCORE_PURE_PYTHON"):
    from corscore._matcher_py import Answer, Gateway, Matcher, Responder, scan

    IMPLEMENTATION = "python"
else:
    try:
        from corscore._matcher_c import Answer, Gateway, Matcher, Responder, scan

        IMPLEMENTATION = "cython"
    except ImportError:
        from corscore._matcher_py import Answer, Gateway, Matcher, Responder, scan

        IMPLEMENTATION = "python"

__all__ = ("IMPLEMENTATION", "Answer", "Gateway", "Matcher", "Responder", "scan")
