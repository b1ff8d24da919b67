"""The build of the modules that every request passes: the compiled one, or else Python.

``CORSCORE_PURE_PYTHON=1`` selects Python. The engine reaches these names through this module, so
that a test can replace the build.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING or os.environ.get("CORSCORE_PURE_PYTHON"):
    from corscore._engine.answer_py import Answer
    from corscore._engine.gateway_py import FOUND, Gateway, scan, sent
    from corscore._engine.matcher_py import Matcher
    from corscore._engine.paths_py import (
        HostTable,
        PathTable,
        environ_path,
        host_name,
        host_of,
        scope_path,
        single_slash_path,
    )
    from corscore._engine.responder_py import OriginTable, Responder

    IMPLEMENTATION = "python"
else:
    try:
        from corscore._engine.answer_c import Answer
        from corscore._engine.gateway_c import FOUND, Gateway, scan, sent
        from corscore._engine.matcher_c import Matcher
        from corscore._engine.paths_c import (
            HostTable,
            PathTable,
            environ_path,
            host_name,
            host_of,
            scope_path,
            single_slash_path,
        )
        from corscore._engine.responder_c import OriginTable, Responder

        IMPLEMENTATION = "cython"
    except ImportError:
        from corscore._engine.answer_py import Answer
        from corscore._engine.gateway_py import FOUND, Gateway, scan, sent
        from corscore._engine.matcher_py import Matcher
        from corscore._engine.paths_py import (
            HostTable,
            PathTable,
            environ_path,
            host_name,
            host_of,
            scope_path,
            single_slash_path,
        )
        from corscore._engine.responder_py import OriginTable, Responder

        IMPLEMENTATION = "python"

__all__ = (
    "FOUND",
    "IMPLEMENTATION",
    "Answer",
    "Gateway",
    "HostTable",
    "Matcher",
    "OriginTable",
    "PathTable",
    "Responder",
    "environ_path",
    "host_name",
    "host_of",
    "scan",
    "scope_path",
    "sent",
    "single_slash_path",
)
