"""The ASGI middleware: carries a request to the policy, and its decision to the response.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore import Policy
from corscore.adapting import Notices, policy_from

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any

    from typing_extensions import Unpack

    from corscore.adapting import PolicyOptions

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
        policy: A ready policy; or leave it out and write its options.
        options: Keyword arguments of ``corscore.Policy``.

    Raises:
        ConfigError: With all that is wrong with the options.
        TypeError: When both a policy and options, or something that is no policy, are given.
    """

    def __init__(
        self, app: ASGIApp, policy: Policy | None = None, **options: Unpack[PolicyOptions]
    ) -> None:
        self.app = app
        self.policy = policy_from("CORSMiddleware(app, ...)", policy, options)
        self.notices = Notices()
        self._sender = self.policy.sender
        self._on_conflict = self.notices.conflict

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sender = self._sender(scope, send, self._on_conflict)
        if sender.preflight is None:
            await self.app(scope, receive, sender)
            return
        for message in sender.preflight:
            await send(message)
