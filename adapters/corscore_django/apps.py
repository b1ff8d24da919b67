"""The application for ``INSTALLED_APPS``, with the system checks."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register


class CorscoreConfig(AppConfig):
    """The application, which registers the system checks."""

    name = "corscore_django"

    def ready(self) -> None:
        """Register the checks; called by Django once all applications are loaded."""
        from corscore_django.checks import (
            check_deployment,
            check_middleware,
            check_settings,
            check_websockets,
        )

        register(check_settings, Tags.security)
        register(check_middleware, Tags.security)
        register(check_websockets, Tags.security)
        register(check_deployment, Tags.security, deploy=True)
