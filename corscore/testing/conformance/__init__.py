"""The tests that every adapter passes, ours and yours: subclass, and write one function.

    from corscore.testing.conformance import ConformanceSuite, wsgi_sender, wsgi_site

    class TestMyAdapter(ConformanceSuite):
        out_of_reach = {"/crash": "the server answers what the application does not"}

        def serve(self, site, policies):
            return wsgi_sender(MyMiddleware(wsgi_site(site), policies))

The suite draws policies, applications and requests, sends them through the adapter and compares
what a model browser lets a script do and read with what the policy means: errors, redirects,
streams, policies by path and by route, shared caches that go by ``Vary``, and requests that no
browser sends. A failure says what the browser does and why.

An application that uses a framework is written as its users would: a route for each of
``site.pages`` and for all of ``METHODS``, with the policies that ``site.routes(path)`` names where
the adapter knows routes. ``wsgi_sender`` and ``asgi_sender`` send requests in process; for another
kind of server write a function that returns an ``Answer``. Needs ``pytest`` and ``hypothesis``.

``docs/writing-an-adapter.md`` has a complete adapter.
"""

from __future__ import annotations

from corscore.testing.conformance._asgi import asgi_sender, asgi_site
from corscore.testing.conformance._site import METHODS, Answer, Crash, Page, Route, Sender, Site
from corscore.testing.conformance._suite import ConformanceSuite
from corscore.testing.conformance._wsgi import wsgi_sender, wsgi_site

__all__ = (
    "METHODS",
    "Answer",
    "ConformanceSuite",
    "Crash",
    "Page",
    "Route",
    "Sender",
    "Site",
    "asgi_sender",
    "asgi_site",
    "wsgi_sender",
    "wsgi_site",
)
