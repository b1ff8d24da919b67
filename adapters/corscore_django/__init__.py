"""CORS for Django: put ``corscore_django.middleware.CorsMiddleware`` first in ``MIDDLEWARE``."""

from corscore_django._marks import cors_policy
from corscore_django.defaults import default_headers, default_methods
from corscore_django.middleware import CorsMiddleware
from corscore_django.signals import check_request_enabled

__all__ = (
    "CorsMiddleware",
    "check_request_enabled",
    "cors_policy",
    "default_headers",
    "default_methods",
)
