"""Requests that more than one plain policy is about: carried to the governor, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore.integration import RequestContext

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from corscore import Decision


def no_starter(environ: Any, start_response: Any) -> tuple[()]:  # noqa: ARG001
    """In the place of a plain policy's ``starter``: it answers nothing.

    So the adapter learns what to do from a look that it takes anyway.
    """
    return ()


def request_context(
    environ: WSGIEnvironment, get: Callable[[str], str | None], path: str
) -> RequestContext:
    """What the governor reads of a request.

    Args:
        environ: The request.
        get: A header's name to its value.
        path: As the application routes it.
    """
    return RequestContext(environ["REQUEST_METHOD"], get, path=path, native=environ)


def path_of(environ: WSGIEnvironment) -> str:
    """The path of a request, decoded, and below where the application is mounted (SCRIPT_NAME)."""
    # PEP 3333: bytes of the path, decoded once by the server, in the guise of latin-1.
    path = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace")
    return path or "/"


class DecisionStarter:
    """A ``start_response`` that puts the headers of a decision into the response.

    Attributes:
        has_started: Whether the application has called it.
    """

    def __init__(
        self,
        decision: Decision,
        start_response: StartResponse,
        on_conflict: Callable[[str], object],
    ) -> None:
        self._decision = decision
        self._start_response = start_response
        self._on_conflict = on_conflict
        self.has_started = False

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
    ) -> Callable[[bytes], object]:
        self.has_started = True
        headers = self._decision.apply(headers, self._on_conflict)
        if exc_info is None:
            return self._start_response(status, headers)
        try:
            return self._start_response(status, headers, exc_info)
        finally:
            # Its traceback leads to this very frame, which must not lead back to it.
            exc_info = None
