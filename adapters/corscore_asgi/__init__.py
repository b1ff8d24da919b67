"""CORS for any ASGI 3 application."""

from corscore_asgi._middleware import CORSMiddleware, decision_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from corscore_asgi._middleware import ASGIOptions as ASGIOptions

__all__ = ("CORSMiddleware", "decision_of")
