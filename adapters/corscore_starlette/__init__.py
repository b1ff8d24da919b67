"""CORS for Starlette and FastAPI."""

from corscore_starlette._install import install
from corscore_starlette._marks import cors_policy
from corscore_starlette._middleware import CORSMiddleware

__all__ = ("CORSMiddleware", "cors_policy", "install")
