"""The layers of an application's stack around a middleware."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

from starlette.middleware.errors import ServerErrorMiddleware

if TYPE_CHECKING:
    from typing import NoReturn

    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send

    from corscore.integration import Notices

_noted: WeakSet[Starlette] = WeakSet()


class Installed:
    """Base of the classes of applications that ``install`` has put a policy around."""


def plain_error_layer(layer: ASGIApp, app: Starlette) -> ServerErrorMiddleware | None:
    """Return the layer of Starlette that answers an exception from ``layer`` with a plain 500.

    None if something else may answer: a middleware of the user outside, a user's handler for
    ``Exception`` or 500, the debug page.

    Args:
        layer: A middleware.
        app: The application whose stack it may be in, built.
    """
    errors = None
    current: object = app.middleware_stack
    # Layers of Starlette, FastAPI and instrumentation come first, then the user's. The outermost of
    # the user's is of the class that was added last.
    outermost: object = app.user_middleware[0].cls if app.user_middleware else None
    while current is not None and type(current) is not outermost:
        if isinstance(current, ServerErrorMiddleware):
            errors = current
        current = getattr(current, "app", None)
    if current is not layer or errors is None or errors.debug or errors.handler is not None:
        return None
    return errors


def note_two_layers(app: Starlette, notices: Notices) -> None:
    """Log, once per application, that it has more than one layer of CORS.

    Args:
        app: The application, with all of its middleware added.
        notices: The notices of the calling layer.
    """
    added = sum(map(_is_cors, (middleware.cls for middleware in app.user_middleware)))
    if added + isinstance(app, Installed) < 2 or app in _noted:
        return
    _noted.add(app)
    # The key of `Notices.conflict`, which would report each header of the inner layer as well.
    notices.once(
        "conflict",
        "two layers of CORS are on one app: the outermost decides, the others only confuse. Keep "
        "one of add_middleware(CORSMiddleware, ...) and install(app, ...).",
    )


def _is_cors(middleware: object) -> bool:
    # Starlette's, ours or a subclass of one; a middleware need not be a class.
    return any(cls.__name__ == "CORSMiddleware" for cls in getattr(middleware, "__mro__", ()))


async def stop(error: Exception, scope: Scope, receive: Receive, send: Send) -> NoReturn:
    """Stop a server at its start, and fail every request of a server without start-up events."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.failed", "message": str(error)})
    # The traceback would grow each time the error is raised.
    raise error.with_traceback(None)
