"""The frameworks that the demo can serve its API with, as parameters of a test."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from corscore_cli.demo.apps import APPS

if TYPE_CHECKING:
    from collections.abc import Iterator

EACH_APP = pytest.mark.parametrize("name", [*APPS])


@contextmanager
def as_in_a_process_of_its_own(name: str) -> Iterator[None]:
    """Hide the settings of Django, as when the demo starts, and restore them."""
    if name != "django":
        yield
        return
    from django.conf import settings
    from django.core.signals import setting_changed
    from django.utils.functional import empty

    logger = logging.getLogger("django.request")
    wrapped, level = settings._wrapped, logger.level
    settings._wrapped = empty
    try:
        yield
    finally:
        settings._wrapped = wrapped
        logger.setLevel(level)
        # The policies of the demo's settings must be forgotten.
        setting_changed.send(sender=logger, setting="CORS_POLICY", value=None, enter=False)
