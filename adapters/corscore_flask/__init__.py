"""CORS for Flask."""

from corscore_flask._extension import CORS, current_decision

__all__ = ("CORS", "current_decision")
