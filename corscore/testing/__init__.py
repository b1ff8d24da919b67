"""What a browser would let a script do with an application, asked in its tests.

    from corscore.testing import assert_cors_allowed, assert_cors_refused, fetch

    def test_the_app_may_save(client):                     # any of the clients below
        result = fetch(client, "/articles/1", origin="https://app.example.com", method="PUT")
        assert_cors_allowed(result)

    def test_nobody_else_may(client):
        result = fetch(client, "/articles", origin="https://evil.example")
        assert_cors_refused(result, reason="no-allow-origin")

Clients: Starlette's and FastAPI's ``TestClient``, a ``Client`` of httpx2 or httpx, Flask's
``app.test_client()``, ``django.test.Client``, a ``requests.Session`` or ``requests`` itself; and to
be awaited, an ``AsyncClient`` of httpx2 or httpx and ``django.test.AsyncClient``. A client is one
server to the model, wherever a redirect leads. With pytest the fixture ``cors_browser`` is there
without being asked for.
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
