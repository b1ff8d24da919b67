"""The ASGI middleware: passes requests to the gateway, and adds its headers to responses.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore import Policy, RequestInfo
from corscore.integration import Governor, Notices, found_decision, read_arguments, scope_path

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any

    from typing_extensions import Unpack

    from corscore import Decision
    from corscore.integration import (
        AdapterOptions,
        OnDecision,
        PathPolicy,
        Policies,
        PolicyOptions,
    )

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

    class ASGIOptions(AdapterOptions, total=False):
        """The keyword arguments of ``CORSMiddleware``, for functions that pass them on."""

        check_websocket_origin: bool


_DENIAL = "websocket.http.response"
_ERROR = b"Internal Server Error"
_ERROR_TYPE = (
    (b"content-length", str(len(_ERROR)).encode()),
    (b"content-type", b"text/plain; charset=utf-8"),
)


class CORSMiddleware:
    """A CORS policy around an ASGI application.

    Preflights are answered here; every other HTTP request reaches the application, whose response
    gets its headers as it starts. Nothing is buffered, and other scopes pass untouched. If the
    application raises before its response starts, a page of another origin that the policy allows
    gets a plain 500 with the headers, and the exception goes on to the server. With ``debug=True``
    there is no such 500.

    Args:
        app: An ASGI 3 application.
        policy: A ready policy, a tuple of policies, a ``PolicyMap``, a ``PolicyResolver`` or a
            ``PolicyRef``; or leave it out and write the options of a policy.
        on_decision: ``fn(decision, request)``, called for every request that a policy governs.
        shadow: Policies on trial: requests that they would treat differently are logged.
        block_cross_site: Whether to answer 403 to requests that pages of other sites make with the
            visitor's cookies, and that CORS alone does not stop.
        own_origins: Further origins of the site itself, for ``block_cross_site``, WebSockets,
            resolvers and the log.
        check_websocket_origin: Whether to answer 403 to WebSockets of pages of other sites that
            the policy does not allow to use cookies.
        options: Keyword arguments of ``corscore.Policy``.

    Raises:
        ConfigError: Options are wrong; it has every problem.
        TypeError: Both a policy and options are given, or something that is no policy.
    """

    called_as = "CORSMiddleware(app, ...)"
    """The call that the user wrote, for messages."""

    policy: Policy
    """The policy if it is one plain ``Policy``; ``governor`` has all other kinds."""

    _answers_exceptions: bool = True
    """Whether an exception of the application is answered here, not by a framework's own layer."""

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
        cls = type(self)
        reads_host = cls.host_of is CORSMiddleware.host_of
        reads_natively = reads_host and cls.path_of is CORSMiddleware.path_of
        self._own_host_of = None if reads_host else self.host_of
        given = {
            "on_decision": on_decision,
            "shadow": shadow,
            "block_cross_site": block_cross_site,
            "own_origins": own_origins,
            "check_websocket_origin": check_websocket_origin,
        }
        policies, own = read_arguments(
            self.called_as, policy, {**options, **given}, ("check_websocket_origin",)
        )
        self._checks_handshakes: bool = own.pop("check_websocket_origin")
        self.governor: Governor = Governor(
            policies,
            is_async=True,
            request_of=self.request_of,
            on_conflict=self.notices.conflict,
            # By itself the gateway reads the path below the mount, and the Host as it was sent.
            path_of=None if reads_natively else self.path_of,
            host_of=None if reads_natively else self.host_of,
            **own,
        )
        if isinstance(self.governor.policies, Policy):
            self.policy = self.governor.policies
        self._sender: Callable[..., Any] = self.governor.gateway.sender

    def path_of(self, scope: Scope) -> str:
        """The path that policies are looked up by; a subclass returns what its framework routes."""
        return scope_path(scope)

    def host_of(self, scope: Scope) -> str | None:
        """The Host that policies are looked up by; a subclass returns what its framework reads."""
        return RequestInfo.from_pairs("GET", scope["headers"]).host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            if scope["type"] == "websocket" and self._checks_handshakes:
                await self._serve_handshake(scope, receive, send)
                return
            await self.app(scope, receive, send)
            return
        # For speed: attributes and `isinstance` cost Python twice as much as variables and `type`.
        sender = self._sender
        result = sender(scope, send)
        if type(result) is tuple:
            if len(result) == 2:
                start, end = result
                await send(start)
                await send(end)
                return
            result = await self.governor.resume(result, self.request_of(scope))
            if type(result) is tuple:
                for message in result:
                    await send(message)
                return
        app = self.app
        try:
            await app(scope, receive, result)
        except Exception:
            if self._answers_exceptions:
                await self._send_500(scope, result)
            raise

    async def _send_500(self, scope: Scope, send: Send) -> None:
        """Answer an exception of the application if a page of another origin waits for it."""
        decision = self.governor.pending(self.policy_at(scope), self.request_of(scope), send)
        if self.governor.is_awaited(decision):
            await send({"type": "http.response.start", "status": 500, "headers": list(_ERROR_TYPE)})
            await send({"type": "http.response.body", "body": _ERROR})

    def request_of(self, scope: Scope) -> RequestInfo:
        """The request of an ``http`` or ``websocket`` scope, for resolvers and observers."""
        return RequestInfo.from_pairs(
            # A handshake is a GET: https://www.rfc-editor.org/rfc/rfc6455#section-4.1
            scope.get("method", "GET"),
            scope["headers"],
            path_of=self.path_of,
            host_of=self._own_host_of,
            native=scope,
        )

    def policy_at(self, scope: Scope) -> PathPolicy:
        """The policy or policies of a request; None leaves it alone. Subclasses look up routes."""
        return self.governor.policies_for(self.request_of(scope), self.governor.policies)

    async def _serve_handshake(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = self.request_of(scope)
        policy = await self.governor.chosen_async(self.policy_at(scope), request)
        if policy is None or await self.governor.admits_handshake(policy, request):
            await self.app(scope, receive, send)
        else:
            await _deny_handshake(scope, receive, send)


def decision_of(scope: Scope) -> Decision | None:
    """The decision on a request; None under one plain policy, or if the request is left alone."""
    return found_decision(scope, RequestInfo.from_pairs(scope["method"], scope["headers"]))


async def _deny_handshake(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a WebSocket's handshake with 403."""
    await receive()
    if _DENIAL not in (scope.get("extensions") or {}):
        # Servers turn this into a 403 before the handshake is accepted.
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    headers = [(b"content-length", b"0"), (b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": f"{_DENIAL}.start", "status": 403, "headers": headers})
    await send({"type": f"{_DENIAL}.body", "body": b""})
