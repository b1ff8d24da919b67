"""Requests that more than one plain policy is about: carried to the governor, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore.adapting import RequestContext

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from corscore import Decision


class _ToBeGoverned:
    preflight = ()


_TO_BE_GOVERNED = _ToBeGoverned()


def no_starter(environ: Any, start_response: Any, on_conflict: Any) -> Any:  # noqa: ARG001
    """What ``Policy.starter`` is where there is no plain policy.

    It answers nothing, and says so where the adapter looks anyway.
    """
    return _TO_BE_GOVERNED


def request_context(environ: WSGIEnvironment, get: Callable[[str], str | None]) -> RequestContext:
    """What the governor reads of a request.

    Args:
        environ: The request.
        get: A header's name to its value.
    """
    # PEP 3333: bytes of the path, decoded once by the server, in the guise of latin-1. Below where
    # the application is mounted, which is SCRIPT_NAME.
    path = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace")
    return RequestContext(environ["REQUEST_METHOD"], get, path=path or "/", native=environ)


def with_headers(
    decision: Decision, start_response: StartResponse, on_conflict: Callable[[str], object]
) -> StartResponse:
    """A ``start_response`` that puts the headers of a decision into the response."""

    def start(
        status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
    ) -> Callable[[bytes], object]:
        headers = decision.apply(headers, on_conflict)
        if exc_info is None:
            return start_response(status, headers)
        try:
            return start_response(status, headers, exc_info)
        finally:
            # Its traceback leads to this very frame, which must not lead back to it.
            exc_info = None

    return start
