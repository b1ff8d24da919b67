"""CORS for any ASGI 3 application."""

from corscore_asgi._middleware import CORSMiddleware

__all__ = ("CORSMiddleware",)
