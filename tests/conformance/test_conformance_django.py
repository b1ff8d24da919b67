"""The adapter for Django, under WSGI and under ASGI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapter_suite import AdapterSuite
from django_site import serve_asgi, serve_wsgi

if TYPE_CHECKING:
    from corscore.integration import Policies
    from corscore.testing.conformance import Sender, Site


class DjangoSuite(AdapterSuite):
    has_routes = True


class TestDjangoUnderWSGI(DjangoSuite):
    def serve(self, site: Site, policies: Policies) -> Sender:
        return serve_wsgi(site, policies)


class TestDjangoUnderASGI(DjangoSuite):
    def serve(self, site: Site, policies: Policies) -> Sender:
        return serve_asgi(site, policies)
