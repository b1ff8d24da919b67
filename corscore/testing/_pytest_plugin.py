"""The pytest plugin: the fixture ``cors_browser``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from corscore.testing import CORSBrowser


@pytest.fixture
def cors_browser() -> CORSBrowser:
    """A browser with an empty preflight cache: ``cors_browser.fetch(client, url, origin=...)``.

    Its ``assert_allowed`` and ``assert_refused`` fail with the browser's explanation.
    """
    # Every run of pytest loads this plugin, and few runs need the model.
    from corscore.testing import CORSBrowser

    return CORSBrowser()
