"""The Django middleware: carries a request to the policy, and its decision to the response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from corscore.integration import Notices
from corscore_django._exchange import Exchange, simple_decision
from corscore_django._governed import GovernedExchange
from corscore_django._routes import are_in_use, check
from corscore_django._settings import configuration
from corscore_django.signals import is_enabled, is_enabled_async

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


class CorsMiddleware:
    """Puts the policy of the ``CORS_*`` settings around everything below it in ``MIDDLEWARE``.

    Preflights are answered here; every other request reaches what is below, whose response gets
    its headers on the way out, error pages included. ``request.cors`` is the ``Decision``, or None
    where the settings, or the view's own policy, leave a request alone.

    Raises:
        ConfigError: With all that is wrong with the settings, as Django loads its middleware, or
            with the policies of views.
        TypeError: When a setting that takes a policy or a function has neither, or ``CORS_POLICY``
            stands beside settings that it replaces.
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
        self._on_conflict = self.notices.conflict
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        check(configuration().governor(is_async=self._is_async))

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Serves one request."""
        if self._is_async:
            return self._serve_async(request)
        config = configuration()
        decision = None if are_in_use(request) else simple_decision(request, config)
        if decision is not None:
            served: HttpResponseBase
            # In a variable first: Python calls it in half the time.
            get_response = self.get_response
            try:
                served = get_response(request)
            except Exception as error:
                resort = self._exchange(request).last_resort(error)
                if resort is None:
                    raise
                served = resort
            decision.update(served.headers, self._on_conflict)
            return served
        exchange = self._exchange(request)
        if exchange.is_open and is_enabled(request):
            exchange.allow()
        if exchange.is_governed:
            exchange.govern()
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
        config = configuration()
        decision = None if are_in_use(request) else simple_decision(request, config)
        if decision is not None:
            served: HttpResponseBase
            get_response = self.get_response
            try:
                served = await get_response(request)
            except Exception as error:
                resort = self._exchange(request).last_resort(error)
                if resort is None:
                    raise
                served = resort
            decision.update(served.headers, self._on_conflict)
            return served
        exchange = self._exchange(request)
        if exchange.is_open and await is_enabled_async(request):
            exchange.allow()
        if exchange.is_governed:
            await exchange.govern_async()
        response = exchange.answer()
        if response is None:
            try:
                response = await self.get_response(request)
            except Exception as error:
                response = exchange.last_resort(error)
                if response is None:
                    raise
        return exchange.finish(response, self.notices)

    def _exchange(self, request: HttpRequest) -> Exchange:
        config = configuration()
        has_routes = are_in_use(request)
        if config.plain is not None and not has_routes:
            return Exchange(request, config.plain, config)
        governor = config.governor(is_async=self._is_async)
        return GovernedExchange(request, config, governor, has_routes=has_routes)
