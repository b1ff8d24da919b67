"""CORS for Django: put ``corscore_django.middleware.CorsMiddleware`` first in ``MIDDLEWARE``."""

from corscore_django.defaults import default_headers, default_methods
from corscore_django.middleware import CorsMiddleware
from corscore_django.signals import check_request_enabled

__all__ = ("CorsMiddleware", "check_request_enabled", "default_headers", "default_methods")
