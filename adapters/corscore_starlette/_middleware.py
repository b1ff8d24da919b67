"""The ASGI middleware where ``app.add_middleware`` puts it: inside Starlette's error handling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

import corscore_asgi
from corscore import ConfigError, Policy, RequestInfo
from corscore_starlette._layers import Installed, note_two_layers, plain_error_layer, stop
from corscore_starlette._marks import Marks
from corscore_starlette._routed import RoutedMiddleware
from corscore_starlette._tree import Inside

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from typing_extensions import Unpack

    from corscore import Decision
    from corscore.integration import Policies
    from corscore_asgi import ASGIOptions

# The key of Starlette's body limit in the scope, since Starlette 1.6.
_BODY_LIMIT = "starlette.max_body_size"


class CORSMiddleware(RoutedMiddleware):
    """``app.add_middleware(CORSMiddleware, allow_origins=[...])``, for Starlette and FastAPI.

    The arguments are those of ``corscore_asgi.CORSMiddleware``, and routes may have policies of
    their own: see ``cors_policy``. A wrong configuration does not raise here but stops the server
    at its start. Starlette builds its middleware during the start-up events, where a server takes
    an exception as the sign of an application without such events.

    If it is the outermost of the user's middleware, the plain 500 that Starlette sends for an
    unhandled exception gets its headers too. Other answers of layers outside (a handler for
    ``Exception``, the debug page, the body limit) get none; ``corscore_starlette.install`` covers
    them.
    """

    def __init__(
        self,
        app: ASGIApp,
        policy: Policies | None = None,
        **options: Unpack[ASGIOptions],
    ) -> None:
        self._error: ConfigError | TypeError | None = None
        self._has_found_app = self._is_inside_install = self._covers_errors = False
        self._app: Starlette | None = None
        try:
            super().__init__(app, policy, **options)
        except (ConfigError, TypeError) as error:
            self.app = app
            self._error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if self._error is not None:
            await stop(self._error, scope, receive, send)
        if not self._has_found_app:
            # Before the app runs: an application mounted inside puts itself into the scope, too.
            self._find_app(scope.get("app"))
        if Marks.count:
            try:
                self.notice_routes()
            except ConfigError as error:
                self._error = error
                await stop(error, scope, receive, send)
        response = _Response(send)
        try:
            await super().__call__(scope, receive, response)
        except Exception as error:
            if scope["type"] == "http" and not self._is_inside_install:
                self._note_answer_outside(error, response, scope)
            raise

    def _find_app(self, app: object) -> None:
        self._has_found_app = True
        if not isinstance(app, Starlette):
            return
        self._app = app
        note_two_layers(app, self.notices)
        self._is_inside_install = isinstance(app, Installed)
        errors = plain_error_layer(self, app)
        if errors is not None:
            # An answer from here would end the response, and a tracer's span, before the exception
            # reached the layers between.
            errors.handler = self._plain_500
            self._covers_errors = True

    def find_router(self) -> Inside | None:
        """The router of the application that has this middleware."""
        inside = super().find_router()
        app = self._app
        # A middleware in between may hide the application's router; in a mount it is another one.
        if inside is None and app is not None and _is_added(self, app):
            return Inside(app.router, None)
        return inside

    async def _plain_500(self, request: Request, error: Exception) -> Response:
        """Starlette's plain 500, with the headers of the policy."""
        response = PlainTextResponse("Internal Server Error", status_code=500)
        decision = self._decision(request.scope)
        if decision is not None and not isinstance(error, HTTPException):
            response.raw_headers = decision.apply_raw(response.raw_headers)
        return response

    def _note_answer_outside(self, error: Exception, response: _Response, scope: Scope) -> None:
        if response.has_begun:
            # The body limit sends its own response instead of the one that the app begins.
            is_missed = not response.was_sent and _BODY_LIMIT in scope
        else:
            is_missed = not self._covers_errors or isinstance(error, HTTPException)
        decision = self._decision(scope)
        if decision is None or not is_missed:
            return
        if decision.kind == "actual" and decision.origin_allowed:
            self.notices.once(
                "answer-outside",
                "a layer outside CORSMiddleware answered a request, without CORS headers: browsers "
                "hide such an answer from scripts. corscore_starlette.install(app, ...) covers "
                "error handlers, debug pages and body limits too.",
            )

    def _decision(self, scope: Scope) -> Decision | None:
        decided = corscore_asgi.decision_of(scope)
        if decided is not None or not isinstance(self.governor.policies, Policy) or self.has_routes:
            return decided
        # Under one plain policy a gateway stores nothing in the scope.
        return self.policy.decide(RequestInfo.from_pairs(scope["method"], scope["headers"]))


def _is_added(layer: CORSMiddleware, app: Starlette) -> bool:
    added: list[object] = [middleware.cls for middleware in app.user_middleware]
    return type(layer) in added


class _Response:
    """A ``send`` that records whether the response began, and whether its start was sent."""

    __slots__ = ("_send", "has_begun", "was_sent")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = self.was_sent = False

    async def __call__(self, message: Message) -> None:
        begins = message["type"] == "http.response.start"
        self.has_begun = self.has_begun or begins
        await self._send(message)
        self.was_sent = self.was_sent or begins
