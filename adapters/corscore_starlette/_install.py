"""``install``: a policy around a whole application, which stays the same object."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from starlette.applications import Starlette
from starlette.middleware.errors import ServerErrorMiddleware

from corscore import ConfigError
from corscore_starlette._layers import Installed, note_two_layers, stop
from corscore_starlette._marks import Marks
from corscore_starlette._routed import RoutedMiddleware

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send
    from typing_extensions import Unpack

    from corscore.integration import Policies
    from corscore_asgi import ASGIOptions


def install(
    app: Starlette,
    policy: Policies | None = None,
    **options: Unpack[ASGIOptions],
) -> None:
    """Put a policy outside everything in ``app``: error handlers, debug pages, body limits.

    ``app`` stays the same object. Routes, middleware and instrumentation may be added before or
    after, and the policy stays outermost. Routes may have policies of their own: see
    ``cors_policy``.

    Args:
        app: A Starlette or FastAPI application.
        policy: A ready policy, a tuple of policies, a ``PolicyMap``, a ``PolicyResolver`` or a
            ``PolicyRef``; or leave it out and write the options of a policy.
        on_decision: As for ``corscore_asgi.CORSMiddleware``, like all that follow.
        shadow: Policies on trial.
        block_cross_site: Whether to answer 403 to requests of other sites' pages with the visitor's
            cookies.
        own_origins: Further origins of the site itself.
        check_websocket_origin: Whether to answer 403 to WebSockets of other sites' pages.
        options: Keyword arguments of ``corscore.Policy``.

    Raises:
        ConfigError: Options are wrong; it has every problem.
        RuntimeError: The app has a policy already.
        TypeError: ``app`` is no Starlette application, ``policy`` is no policy, or both a policy
            and options are given.
    """
    if isinstance(app, Installed):
        raise RuntimeError(  # noqa: TRY004 - the type is right, and the call is the second
            "install(app, ...) was called twice on one app, which has one policy: keep one call"
        )
    if not isinstance(app, Starlette):
        raise TypeError(
            "install(app, ...) takes a Starlette or FastAPI application, not "
            f"{type(app).__name__}; around another ASGI application write "
            "corscore_asgi.CORSMiddleware(app, ...)"
        )
    cls = type(app)
    # Outside the application's own: a user's handler for `Exception` runs there, and may fail.
    inside = ServerErrorMiddleware(_Inside(app, cls))
    try:
        layer = _Layer(inside, policy, **options)
    except (ConfigError, TypeError) as error:
        # Without our frames, the traceback ends with the user's line.
        raise error.with_traceback(None) from None
    # Servers call `type(app).__call__`, so the instance needs a class of its own; a new
    # `build_middleware_stack` would hide Starlette's outermost layer from instrumentation.
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    app.__class__ = type(cls.__name__, (_InstalledApp, cls), names)
    cast("_InstalledApp", app).corscore_layer = layer


class _Layer(RoutedMiddleware):
    called_as = "install(app, ...)"


class _InstalledApp(Installed, Starlette):
    corscore_layer: RoutedMiddleware

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.middleware_stack is None:
            note_two_layers(self, self.corscore_layer.notices)
        if Marks.count:
            try:
                self.corscore_layer.notice_routes()
            except ConfigError as error:
                await stop(error, scope, receive, send)
        await self.corscore_layer(scope, receive, send)


class _Inside:
    """The application without the policy around it."""

    def __init__(self, app: Starlette, cls: type[Starlette]) -> None:
        self.app = app
        self._cls = cls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Looked up at each call: error trackers replace the method when they start.
        await self._cls.__call__(self.app, scope, receive, send)
