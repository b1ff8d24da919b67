"""The Django middleware: the policy of the ``CORS_*`` settings around all below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from corscore import ConfigError
from corscore.integration import Notices
from corscore_django._governed import GovernedRequest, simple_answer
from corscore_django._routes import check, marked_urls
from corscore_django._settings import configuration
from corscore_django.signals import is_enabled, is_enabled_async

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from corscore_django._configuration import Configuration


class CorsMiddleware:
    """The policy of the ``CORS_*`` settings around everything below it in ``MIDDLEWARE``.

    Preflights are answered here; every other request reaches what is below, whose response gets
    its headers on the way out, error pages included. ``request.cors`` is the ``Decision``, or None
    if the settings, or the view's own policy, leave a request alone. In a project whose views have
    policies it is a lazy object.

    Raises:
        ConfigError: Settings or policies of views are wrong; it has every problem, and is raised
            when Django loads its middleware.
        TypeError: A setting for a policy or a function has neither, or ``CORS_POLICY`` is set
            beside settings that it replaces.
    """

    sync_capable = True
    async_capable = True

    def __init__(
        self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]
    ) -> None:
        # Django reads `get_response`, and tools that walk a stack read `app`.
        self.get_response: Callable[[HttpRequest], Any] = get_response
        self.app = get_response
        self.notices: Notices = Notices()
        self._on_conflict = self.notices.conflict
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        try:
            self._use(configuration())
            check(self._governor)
        except (ConfigError, TypeError) as error:
            # Without our frames, the text stands alone at the end of the output.
            raise error.with_traceback(None) from None
        self._note_another_library()

    def _note_another_library(self) -> None:
        """Log which settings do more under django-cors-headers, since servers run no checks."""
        # The checks import this middleware by the settings.
        from corscore_django.checks import another_library_messages

        for message in another_library_messages(configuration()):
            if not message.is_silenced():
                hint = str(message.hint)
                self.notices.once(
                    str(message.id), f"{message.msg} {hint[:1].upper()}{hint[1:]}. [{message.id}]"
                )

    def _use(self, config: Configuration) -> None:
        self._config = config
        self._governor = config.governor(is_async=self._is_async)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Serve one request."""
        if self._is_async:
            return self._serve_async(request)
        answer, governed = self._begin(request)
        if governed is not None:
            if governed.asks_receivers:
                governed.take_receivers(allowed=is_enabled(request))
            early = governed.early_response()
            if early is not None:
                return governed.finish(early)
        # For speed: an attribute costs Python twice as much as a variable.
        get_response = self.get_response
        try:
            response = get_response(request)
        except Exception as error:  # noqa: BLE001 - raised again, or answered
            response = self._answer_error(request, governed, error)
        if governed is not None:
            governed.settle()
            return governed.finish(response)
        answer.update(response.headers, request.META.get("HTTP_ORIGIN"), self._on_conflict)
        return response  # type: ignore[no-any-return]

    async def _serve_async(self, request: HttpRequest) -> HttpResponseBase:
        answer, governed = self._begin(request)
        if governed is not None:
            if governed.resolver is not None:
                governed.take(await self._governor.chosen_async(governed.resolver, governed.info))
            if governed.asks_receivers:
                governed.take_receivers(allowed=await is_enabled_async(request))
            await self._ask(governed)
            early = governed.early_response()
            if early is not None:
                return governed.finish(early)
        try:
            response: HttpResponseBase = await self.get_response(request)
        except Exception as error:  # noqa: BLE001
            response = self._answer_error(request, governed, error)
        if governed is not None:
            governed.settle()
            await self._ask(governed)
            return governed.finish(response)
        answer.update(response.headers, request.META.get("HTTP_ORIGIN"), self._on_conflict)
        return response

    def _begin(self, request: HttpRequest) -> tuple[Any, GovernedRequest | None]:
        """The answer if it is a simple one, else the request in progress."""
        config = configuration()
        if config is not self._config:
            self._use(config)
        urls = marked_urls(request)
        answer = simple_answer(request, config, self._governor, urls)
        if answer is not None:
            return answer, None
        return None, GovernedRequest(request, config, self._governor, urls, self.notices)

    async def _ask(self, governed: GovernedRequest) -> None:
        if governed.awaits and governed.policy is not None:
            governed.resume(await self._governor.ask_async(governed.policy, governed.info))

    def _answer_error(
        self, request: HttpRequest, governed: GovernedRequest | None, error: Exception
    ) -> HttpResponseBase:
        if governed is None:
            urls = marked_urls(request)
            governed = GovernedRequest(request, self._config, self._governor, urls, self.notices)
        return governed.last_resort(error)
