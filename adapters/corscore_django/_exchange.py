"""One request under one plain policy, and what becomes of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.http import HttpResponse, HttpResponseServerError
from django.utils.cache import patch_vary_headers

from corscore import RequestInfo
from corscore.integration import RequestContext, environ_getter
from corscore_django.signals import check_request_enabled

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from corscore import Decision, Policy
    from corscore.integration import Notices
    from corscore_django._configuration import Configuration

# Where Django itself logs what comes out of a view.
_logger = logging.getLogger("django.request")


def simple_decision(request: HttpRequest, config: Configuration) -> Decision | None:
    """The decision about a request with which nothing else is to be done: most of them.

    Also puts it into ``request.cors``. None where there is more to it: then an ``Exchange`` is
    needed.
    """
    policy = config.plain
    if policy is None or config.urls is not None:
        return None
    info = RequestInfo.from_environ(request.method or "", request.META)
    if info.request_method is not None:
        return None  # a preflight, most likely
    decision = policy.decide(info)
    if info.origin is not None and not decision.origin_allowed:
        if check_request_enabled.has_listeners():
            return None
        _note_refusal(request, info.origin, policy, config)
    request.cors = decision  # type: ignore[attr-defined]
    return decision


def _note_refusal(request: HttpRequest, origin: str, policy: Policy, config: Configuration) -> None:
    # Under a plain policy it says the same whether somebody awaits it or not.
    governor = config.governor(is_async=True)
    if not governor.wants_refusal(origin):
        return
    context = RequestContext(
        request.method or "",
        environ_getter(request.META),
        path=request.path_info,
        native=request,
    )
    governor.note_refusal(policy, context)


class Exchange:
    """One request, and what becomes of it.

    Args:
        request: The request.
        policy: What governs it.
        config: The settings.

    Attributes:
        is_open: Whether the receivers of the signal have a say in it.
    """

    __slots__ = (
        "_config",
        "_decision",
        "_if_allowed",
        "_info",
        "_policy",
        "_request",
        "_varies",
        "is_open",
    )

    is_governed: ClassVar[bool] = False
    """Whether there is more to it than the policy itself: then it is to be governed first."""

    def __init__(self, request: HttpRequest, policy: Policy, config: Configuration) -> None:
        self._config = config
        self._policy: Policy | None = policy
        info = RequestInfo.from_environ(request.method or "", request.META)
        self._info = info
        self._request = request
        # None for a path that the settings leave out.
        self._decision: Decision | None = None
        self._if_allowed: Decision | None = None
        self._varies = self.is_open = False
        is_governed = config.urls is None or config.governs(request.path_info)
        if is_governed:
            self._decision = policy.decide(info)
            if self._decision.origin_allowed or info.origin is None:
                return
        if check_request_enabled.has_listeners():
            # A receiver may allow any path, and then no cache may take one answer for another.
            self._varies = not is_governed
            if info.origin is not None:
                self._if_allowed = policy.decide(info, origin_allowed=True)
                self.is_open = self._if_allowed.origin_allowed

    def govern(self) -> None:
        """Decides about a request that is governed."""

    async def govern_async(self) -> None:
        """The same under ASGI."""

    def allow(self) -> None:
        """Takes a receiver's word for the origin."""
        self._decision = self._if_allowed

    def answer(self) -> HttpResponseBase | None:
        """The response to a preflight; None where the view is to be asked."""
        decision = self._decision
        request = self._request
        request.cors = decision  # type: ignore[attr-defined]
        policy = self._policy
        if decision is None or policy is None:
            return None
        origin = self._info.origin
        if not decision.origin_allowed and origin is not None:
            _note_refusal(request, origin, policy, self._config)
        if not decision.is_preflight:
            return None
        response = HttpResponse(decision.body, status=decision.status)
        # The decision has one where there is a body.
        del response.headers["Content-Type"]
        return response

    def last_resort(self, error: Exception) -> HttpResponseBase | None:
        """The response to an exception, which only comes here when Django's own page failed too.

        None where it is for the server to answer, without CORS headers: nobody misses them there.
        """
        decision = self._decision
        if (
            decision is None
            or decision.kind == "not-cors"
            or not decision.origin_allowed
            or self._info.is_own_origin
            or settings.DEBUG_PROPAGATE_EXCEPTIONS
        ):
            return None
        _logger.error(
            "Internal Server Error: %s",
            self._request.path,
            exc_info=error,
            extra={"status_code": 500, "request": self._request},
        )
        return HttpResponseServerError("Internal Server Error", content_type="text/plain")

    def finish(self, response: HttpResponseBase, notices: Notices) -> HttpResponseBase:
        """The response with the headers that the decision wants."""
        if self._decision is not None:
            self._decision.update(response.headers, notices.conflict)
        if self._varies:
            patch_vary_headers(response, ["Origin"])
        return response
