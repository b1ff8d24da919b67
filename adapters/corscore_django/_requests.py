"""``RequestInfo`` of a Django request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore import RequestInfo

if TYPE_CHECKING:
    from django.http import HttpRequest


def request_of(request: HttpRequest) -> RequestInfo:
    """The request for policies, resolvers and observers."""
    return RequestInfo.from_environ(
        request.method or "", request.META, path_of=path_of, native=request
    )


def path_of(request: HttpRequest) -> str:
    """The path that policies are looked up by."""
    return request.path_info
