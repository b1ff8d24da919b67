"""The pytest plugin: the fixture ``cors_browser``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from corscore.testing import CORSBrowser


@pytest.fixture
def cors_browser() -> CORSBrowser:
    """A browser that starts with an empty preflight cache: ``cors_browser.fetch(client, url,
    origin=...)``, and ``assert_allowed`` and ``assert_refused``, whose failures explain themselves.
    """
    # Imported late: every run of pytest loads this plugin, and few need the model.
    from corscore.testing import CORSBrowser

    return CORSBrowser()
