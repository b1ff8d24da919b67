"""``RequestInfo`` of a Django request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import DisallowedHost

from corscore import RequestInfo

if TYPE_CHECKING:
    from django.http import HttpRequest


def request_of(request: HttpRequest) -> RequestInfo:
    """The request as policies, resolvers and observers read it."""
    return RequestInfo.from_environ(
        request.method or "", request.META, path_of=path_of, host_of=host_of, native=request
    )


def host_of(request: HttpRequest) -> str | None:
    """The Host that Django accepts, or None.

    ``ALLOWED_HOSTS`` and ``USE_X_FORWARDED_HOST`` decide.
    """
    meta = request.META
    is_forwarded = settings.USE_X_FORWARDED_HOST and "HTTP_X_FORWARDED_HOST" in meta
    if "HTTP_HOST" not in meta and not is_forwarded:
        # Django would return the name of the server.
        return None
    try:
        return request.get_host()
    except DisallowedHost:
        return None


def path_of(request: HttpRequest) -> str:
    """The path that policies are looked up by."""
    return request.path_info
