"""Stands around the API and counts preflights: what a browser sends without the page knowing."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_MAX_REMEMBERED = 1_000


class Preflights:
    """How many arrived for each query string, the most recent ones.

    Every row of every run has a query of its own: so no browser has a preflight of it cached from
    before the policy was changed, and each request is counted to its row.
    """

    def __init__(self) -> None:
        self._counts: OrderedDict[str, int] = OrderedDict()
        # A WSGI server answers each request in a thread of its own.
        self._lock = threading.Lock()

    def note(self, method: str, query: str) -> None:
        """Counts the request if it is an ``OPTIONS``; no script of the demo sends one itself."""
        if method != "OPTIONS":
            return
        with self._lock:
            self._counts[query] = self._counts.get(query, 0) + 1
            if len(self._counts) > _MAX_REMEMBERED:
                self._counts.popitem(last=False)

    def count(self, query: str) -> int:
        """How many there were."""
        return self._counts.get(query, 0)


class CountedASGI:
    """An ASGI application, its preflights counted."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.preflights = Preflights()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serves one connection."""
        self.preflights.note(scope["method"], scope["query_string"].decode("latin-1"))
        await self.app(scope, receive, send)


class CountedWSGI:
    """A WSGI application, its preflights counted."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app
        self.preflights = Preflights()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serves one request."""
        self.preflights.note(environ["REQUEST_METHOD"], environ["QUERY_STRING"])
        return self.app(environ, start_response)
