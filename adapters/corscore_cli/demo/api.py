"""What the demo's API answers, whatever framework serves it.

===========================  =====================================================================
``GET /articles``            200, ``ARTICLES`` as JSON, with ``HEADERS``
``PUT /articles/{id}``       200, ``SAVED`` as JSON; 401 without ``Authorization: Bearer demo``
``PATCH``, ``DELETE``        the same path: 200, ``SAVED``
``POST /session``            200, ``SESSION`` as JSON, and sets the cookie
``GET /session``             200, ``SESSION`` as JSON; 401 without the cookie
``GET /broken``              raises ``Broken``
``GET /public/news``         200, ``NEWS`` as JSON
``GET /internal/health``     200, ``HEALTH`` as JSON
===========================  =====================================================================
"""

from __future__ import annotations

ARTICLES: list[dict[str, int | str]] = [
    {"id": 1, "title": "Same-origin policy"},
    {"id": 2, "title": "Cross-origin resource sharing"},
    {"id": 3, "title": "Preflight"},
]
HEADERS = {"X-Total-Count": str(len(ARTICLES)), "X-Served-By": "backend-7"}
SAVED = {"saved": True}
SESSION = {"user": "demo"}
NEWS = {"news": "a policy for each path"}
HEALTH = {"healthy": True}
UNAUTHORIZED = {"detail": "not signed in"}

COOKIE_NAME = "corscore_demo"
COOKIE_VALUE = "signed-in"
SET_COOKIE = f"{COOKIE_NAME}={COOKIE_VALUE}; HttpOnly; Path=/; SameSite=Lax"


class Broken(RuntimeError):
    """The exception that nobody handles."""
