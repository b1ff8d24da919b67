"""The settings of ``server_django`` with a mistake in them, found when the server starts."""

from server_django import *  # noqa: F403

CORS_ALLOWED_ORIGINS = ["https://app.example/"]
