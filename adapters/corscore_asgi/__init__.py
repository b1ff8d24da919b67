"""CORS for any ASGI 3 application."""

from corscore_asgi._middleware import CORSMiddleware, decision_of

__all__ = ("CORSMiddleware", "decision_of")
