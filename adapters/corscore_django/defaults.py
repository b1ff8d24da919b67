"""The defaults of the settings for methods and headers, which are those of django-cors-headers.

A setting may extend one: ``CORS_ALLOW_HEADERS = (*default_headers, "x-api-key")``.
"""

from __future__ import annotations

default_headers: tuple[str, ...] = (
    "accept",
    "authorization",
    "content-type",
    "user-agent",
    "x-csrftoken",
    "x-requested-with",
)
"""The default of ``CORS_ALLOW_HEADERS``."""

default_methods: tuple[str, ...] = ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT")
"""The default of ``CORS_ALLOW_METHODS``."""
