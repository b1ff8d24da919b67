"""CORS for Flask."""

from corscore_flask._decorator import cross_origin
from corscore_flask._extension import CORS, current_decision

__all__ = ("CORS", "cross_origin", "current_decision")
