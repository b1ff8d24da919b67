"""The tests that every adapter passes, ours and yours: subclass, and write one function.

    from corscore.testing.conformance import ConformanceSuite, wsgi_sender, wsgi_site

    class TestMyAdapter(ConformanceSuite):
        out_of_reach = {"/crash": "the server answers what the application does not"}

        def serve(self, site, policies):
            return wsgi_sender(MyMiddleware(wsgi_site(site), policies))

The suite draws policies, applications and requests, and sends the requests through the adapter.
What the model browser lets a script do and read must be what the policy means: for errors,
redirects and streams, for policies by path and by route, for shared caches that honour ``Vary``,
and for requests that no browser sends. A failure says what the browser does and why.

With a framework, write the application as its users would: a route for each of ``site.pages`` and
for all of ``METHODS``; where the adapter knows routes, with the policies of ``site.routes(path)``.
``wsgi_sender`` and ``asgi_sender`` send requests in process; for another kind of server write a
function that returns an ``Answer``. Needs ``pytest`` and ``hypothesis``.

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
