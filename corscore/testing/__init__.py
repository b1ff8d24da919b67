"""Tests of an application as a browser sees it: ``fetch``, assertions and a pytest fixture.

    from corscore.testing import assert_cors_allowed, assert_cors_refused, fetch

    def test_the_app_may_save(client):                     # any of the clients below
        result = fetch(client, "/articles/1", origin="https://app.example.com", method="PUT")
        assert_cors_allowed(result)

    def test_other_sites_may_not(client):
        result = fetch(client, "/articles", origin="https://evil.example")
        assert_cors_refused(result, reason="no-allow-origin")

Clients: Starlette's and FastAPI's ``TestClient``, a ``Client`` of httpx2 or httpx, Flask's
``app.test_client()``, ``django.test.Client``, a ``requests.Session`` or ``requests`` itself. With
an ``AsyncClient`` of httpx2 or httpx and with ``django.test.AsyncClient``, write ``await
afetch(...)``. A test client answers for every host that a redirect leads to. pytest finds the
fixture ``cors_browser`` by itself.
"""

from __future__ import annotations

from corscore.testing._browser import (
    CORSBrowser,
    FetchResult,
    afetch,
    assert_cors_allowed,
    assert_cors_refused,
    fetch,
)

__all__ = (
    "CORSBrowser",
    "FetchResult",
    "afetch",
    "assert_cors_allowed",
    "assert_cors_refused",
    "fetch",
)
