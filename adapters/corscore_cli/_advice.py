"""What to change so that a row gets through, in one sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from corscore.browser import refused_headers

if TYPE_CHECKING:
    from corscore.browser import Request
    from corscore_cli._model import Prediction

_NULL = (
    "allow_null_origin=True would, but any site can put its script into a sandboxed frame: "
    "give the frame an origin of its own instead"
)


def advice(prediction: Prediction) -> str | None:
    """What would have the script get all it asked for; None if it did, or if it is no policy's
    fault."""
    request, row = prediction.request, prediction.row
    received = prediction.result.exchanges[-1].response_headers
    reason = prediction.outcome.reason
    if reason in {"no-allow-origin", "origin-mismatch", "preflight-not-ok"}:
        return _allow_origin(request)
    if reason == "method-not-allowed":
        upper = request.method.upper()
        if request.method != upper:
            return f"write {_quoted(upper)} in the script, and list it: allow_methods"
        return f"add {_quoted(request.method)} to allow_methods"
    if reason == "header-not-allowed":
        names = ", ".join(map(_quoted, refused_headers(request, received)))
        return f"add {names} to allow_headers"
    if reason == "header-not-exposed":
        return f"add {_quoted(row.reads)} to expose_headers"
    if reason == "credentials-not-allowed":
        return "set allow_credentials=True"
    if reason == "wildcard-with-credentials":
        return (
            f"list the origin, allow_origins=[{_quoted(request.origin)}], and set "
            "allow_credentials=True"
        )
    return None


def _allow_origin(request: Request) -> str:
    if request.origin == "null":
        return _NULL
    return f"add {_quoted(request.origin)} to allow_origins"


def _quoted(value: str | None) -> str:
    return json.dumps(value)
