"""CORS for any WSGI application."""

from corscore_wsgi._middleware import CORSMiddleware, decision_of

__all__ = ("CORSMiddleware", "decision_of")
