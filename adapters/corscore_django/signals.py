"""The signal with which a project's own code allows origins."""

from __future__ import annotations

import logging
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync, sync_to_async
from django.dispatch import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest

check_request_enabled: Signal = Signal()
"""Sent at most once for a request whose origin the settings do not allow.

Receivers take ``sender`` (None), ``request`` and ``**kwargs``, and may be asynchronous. The origin
is allowed if one of them returns a true value. If one raises, the origin is refused, and the
exception is logged. Receivers cannot allow ``null`` or a malformed Origin.
"""

# Django 4.2 has no `asend`, and does not await what asynchronous receivers return.
_send_async: Any = getattr(check_request_enabled, "asend", None) or sync_to_async(
    check_request_enabled.send
)
_logger = logging.getLogger("corscore")
_FAILED = "a receiver of check_request_enabled failed, and the origin is refused"


def is_enabled(request: HttpRequest) -> bool:
    """Whether a receiver allows the request's origin."""
    try:
        sent = check_request_enabled.send(sender=None, request=request)
        results = [result for _, result in sent]
        if any(map(isawaitable, results)):
            results = async_to_sync(_awaited)(results)
        return any(results)
    except Exception:
        _logger.exception(_FAILED)
        return False


async def is_enabled_async(request: HttpRequest) -> bool:
    """``is_enabled`` under ASGI, with asynchronous receivers in this thread."""
    try:
        sent = await _send_async(sender=None, request=request)
        return any(await _awaited(result for _, result in sent))
    except Exception:
        _logger.exception(_FAILED)
        return False


async def _awaited(results: Iterable[Any]) -> list[Any]:
    # Any coroutine counts as true until it is awaited.
    return [await result if isawaitable(result) else result for result in results]
