"""The ASGI middleware: carries a request to the policy, and its decision to the response.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore import Policy
from corscore.integration import Governor, Notices, policies_from
from corscore_asgi._governed import (
    DECISION,
    deny_handshake,
    no_sender,
    path_of,
    request_context,
    respond,
    with_headers,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any

    from typing_extensions import Unpack

    from corscore import Decision
    from corscore.integration import OnDecision, Policies, PolicyOptions, RequestContext

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class CORSMiddleware:
    """Puts a CORS policy around an ASGI application.

    Preflights are answered here; every other HTTP request reaches the application, whose response
    gets its headers as it starts. Nothing is buffered, and other scopes pass untouched.

    Args:
        app: An ASGI 3 application.
        policy: A ready policy, a ``PolicyMap`` or a ``PolicyRef``; or leave it out and write the
            options of a policy.
        on_decision: ``fn(decision, request)``, called for every request that a policy governs.
        shadow: Policies to compare with: requests on which a browser would be treated differently
            are logged.
        block_cross_site: Whether to refuse, with 403, requests that pages of other sites make
            with the visitor's cookies, and that CORS itself lets pass.
        own_origins: Further origins of the site itself, for ``block_cross_site`` and WebSockets.
        check_websocket_origin: Whether to refuse, with 403, WebSockets that pages of other sites
            open and that the policy does not allow to use cookies.
        options: Keyword arguments of ``corscore.Policy``.

    Raises:
        ConfigError: With all that is wrong with the options.
        TypeError: When both a policy and options, or something that is no policy, are given.
    """

    policy: Policy
    """The policy, where one plain ``Policy`` was given; for all others see ``governor``."""

    def __init__(
        self,
        app: ASGIApp,
        policy: Policies | None = None,
        *,
        on_decision: OnDecision | None = None,
        shadow: Policies | None = None,
        block_cross_site: bool = False,
        own_origins: list[str] | tuple[str, ...] | set[str] | frozenset[str] = (),
        check_websocket_origin: bool = False,
        **options: Unpack[PolicyOptions],
    ) -> None:
        self.app = app
        self.notices: Notices = Notices()
        self.governor: Governor = Governor(
            policies_from("CORSMiddleware(app, ...)", policy, options),
            is_async=True,
            on_decision=on_decision,
            shadow=shadow,
            block_cross_site=block_cross_site,
            own_origins=own_origins,
        )
        self._checks_handshakes = check_websocket_origin
        self._on_conflict = self.notices.conflict
        # Chosen here, once: a plain policy's requests pass nothing of what is below.
        self._sender: Callable[[Any, Any], Any] = no_sender
        if isinstance(self.governor.policies, Policy):
            self.policy = self.governor.policies
        if self.governor.plain is not None:
            gateway = self.governor.plain.gateway(self._on_conflict, self._note_refusal)
            self._sender = gateway.sender

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] != "http":
            if scope["type"] == "websocket" and self._checks_handshakes:
                await self._serve_handshake(scope, receive, send)
                return
            await self.app(scope, receive, send)
            return
        # In variables first, and `type` rather than isinstance: Python calls them in half the time.
        sender = self._sender
        answer = sender(scope, send)
        if type(answer) is not tuple:
            app = self.app
            await app(scope, receive, answer)
        elif answer:
            start, end = answer
            await send(start)
            await send(end)
        else:
            await self._serve_governed(scope, receive, send)

    def govern_all(self) -> None:
        """Takes every request the long way, through ``policy_at``: for a subclass with routes."""
        self._sender = no_sender

    def path_of(self, scope: Scope) -> str:
        """The path that policies are looked up by: as the application routes it, below its mount.

        A subclass whose framework knows better where it is mounted says so here.
        """
        return path_of(scope)

    def policy_at(self, request: RequestContext) -> Policy | None:
        """What governs a request; None leaves it alone. A subclass may know of routes.

        Args:
            request: Its ``native`` is the scope.
        """
        return self.governor.policy_for(request.path)

    def _note_refusal(self, scope: Scope) -> None:
        self.governor.note_refusal(self.policy, request_context(scope, self.path_of(scope)))

    async def _serve_governed(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = request_context(scope, self.path_of(scope))
        policy = self.policy_at(request)
        if policy is None:
            self.governor.leave_alone(request)
            await self.app(scope, receive, send)
            return
        outcome = await self.governor.govern_async(policy, request)
        scope[DECISION] = outcome.decision
        if outcome.response is not None:
            await respond(outcome, send)
            return
        await self.app(scope, receive, with_headers(outcome.decision, send, self._on_conflict))

    async def _serve_handshake(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = request_context(scope, self.path_of(scope))
        policy = self.policy_at(request)
        if policy is None or await self.governor.admits_handshake(policy, request):
            await self.app(scope, receive, send)
        else:
            await deny_handshake(scope, receive, send)


def decision_of(scope: Scope) -> Decision | None:
    """The decision about a request that more than a plain policy governs; None for all others."""
    decision: Decision | None = scope.get(DECISION)
    return decision
