"""The Django middleware: carries a request to the policy, and its decision to the response."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpResponse, HttpResponseServerError
from django.utils.cache import patch_vary_headers

from corscore import RequestInfo
from corscore.adapting import Notices
from corscore_django._settings import configuration
from corscore_django.signals import check_request_enabled, is_enabled, is_enabled_async

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from corscore import Decision

# Where Django itself logs what comes out of a view.
_logger = logging.getLogger("django.request")


class CorsMiddleware:
    """Puts the policy of the ``CORS_*`` settings around everything below it in ``MIDDLEWARE``.

    Preflights are answered here; every other request reaches what is below, whose response gets
    its headers on the way out, error pages included. ``request.cors`` is the ``Decision``, or None
    where ``CORS_URLS_REGEX`` leaves a path out.

    Raises:
        ConfigError: With all that is wrong with the settings, as Django loads its middleware.
        TypeError: When ``CORS_POLICY`` is no policy, or stands beside settings that it replaces.
    """

    sync_capable = True
    async_capable = True

    def __init__(
        self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]
    ) -> None:
        # Django's name for it, and the one that tools which walk a stack look for.
        self.get_response: Callable[[HttpRequest], Any] = get_response
        self.app = get_response
        self.notices: Notices = Notices()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        configuration()

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Serves one request."""
        if self._is_async:
            return self._serve_async(request)
        exchange = _Exchange(request)
        if exchange.is_open and is_enabled(request):
            exchange.allow()
        response = exchange.answer()
        if response is None:
            try:
                response = self.get_response(request)
            except Exception as error:
                response = exchange.last_resort(error)
                if response is None:
                    raise
        return exchange.finish(response, self.notices)

    async def _serve_async(self, request: HttpRequest) -> HttpResponseBase:
        exchange = _Exchange(request)
        if exchange.is_open and await is_enabled_async(request):
            exchange.allow()
        response = exchange.answer()
        if response is None:
            try:
                response = await self.get_response(request)
            except Exception as error:
                response = exchange.last_resort(error)
                if response is None:
                    raise
        return exchange.finish(response, self.notices)


class _Exchange:
    """One request, and what becomes of it.

    Attributes:
        is_open: Whether the receivers of the signal have a say in it.
    """

    __slots__ = ("_decision", "_if_allowed", "_info", "_request", "_varies", "is_open")

    def __init__(self, request: HttpRequest) -> None:
        config = configuration()
        get = request.META.get
        info = RequestInfo.from_getter(request.method or "", lambda name: get(_keys[name]))
        self._info = info
        self._request = request
        # None for a path that the settings leave out.
        self._decision: Decision | None = None
        self._if_allowed: Decision | None = None
        self._varies = self.is_open = False
        is_governed = config.governs(request.path_info)
        if is_governed:
            self._decision = config.policy.decide(info)
            if self._decision.origin_allowed or info.origin is None:
                return
        if check_request_enabled.has_listeners():
            # A receiver may allow any path, and then no cache may take one answer for another.
            self._varies = not is_governed
            if info.origin is not None:
                self._if_allowed = config.policy.decide(info, origin_allowed=True)
                self.is_open = self._if_allowed.origin_allowed

    def allow(self) -> None:
        """Takes a receiver's word for the origin."""
        self._decision = self._if_allowed

    def answer(self) -> HttpResponseBase | None:
        """The response to a preflight; None where the view is to be asked."""
        decision = self._decision
        self._request.cors = decision  # type: ignore[attr-defined]
        if decision is None or not decision.is_preflight:
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


class _Keys(dict[str, str]):
    """Header names as they stand in ``request.META``; the engine asks for a handful.

    ``request.headers`` would read all of a request's headers for each request.
    """

    def __missing__(self, name: str) -> str:
        key = self[name] = f"HTTP_{name.upper().replace('-', '_')}"
        return key


_keys = _Keys()
