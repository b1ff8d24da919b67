"""CORS for Starlette and FastAPI."""

from corscore_starlette._install import install
from corscore_starlette._middleware import CORSMiddleware

__all__ = ("CORSMiddleware", "install")
