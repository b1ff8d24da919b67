"""The adapter for Starlette, with Starlette and with FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapter_suite import AdapterSuite
from starlette_site import serve_fastapi, serve_installed, serve_middleware

if TYPE_CHECKING:
    from corscore.integration import Policies
    from corscore.testing.conformance import Sender, Site


class StarletteSuite(AdapterSuite):
    has_routes = True


class TestMiddlewareOfStarlette(StarletteSuite):
    def serve(self, site: Site, policies: Policies) -> Sender:
        return serve_middleware(site, policies)


class TestInstallInStarlette(StarletteSuite):
    def serve(self, site: Site, policies: Policies) -> Sender:
        return serve_installed(site, policies)


class TestInstallInFastAPI(StarletteSuite):
    def serve(self, site: Site, policies: Policies) -> Sender:
        return serve_fastapi(site, policies)
