"""A Django request as policies read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore import RequestInfo

if TYPE_CHECKING:
    from django.http import HttpRequest


def request_of(request: HttpRequest) -> RequestInfo:
    """What policies, resolvers and observers read of a request."""
    return RequestInfo.from_environ(
        request.method or "", request.META, path_of=_path_of, native=request
    )


def _path_of(request: HttpRequest) -> str:
    return request.path_info
