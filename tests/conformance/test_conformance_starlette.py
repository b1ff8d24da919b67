"""The adapter for Starlette, with Starlette and with FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapter_suite import AdapterSuite
from corscore.testing.conformance import Sender, Site, asgi_sender
from corscore_starlette import CORSMiddleware, install
from starlette_site import fastapi_app, starlette_app

if TYPE_CHECKING:
    from corscore.integration import Policies


class StarletteSuite(AdapterSuite):
    has_routes = True


class TestMiddlewareOfStarlette(StarletteSuite):
    def serve(self, site: Site, policies: Policies) -> Sender:
        app = starlette_app(site)
        app.add_middleware(CORSMiddleware, policy=policies)
        return asgi_sender(app)


class TestInstallInStarlette(StarletteSuite):
    def serve(self, site: Site, policies: Policies) -> Sender:
        app = starlette_app(site)
        install(app, policies)
        return asgi_sender(app)


class TestInstallInFastAPI(StarletteSuite):
    def serve(self, site: Site, policies: Policies) -> Sender:
        app = fastapi_app(site)
        install(app, policies)
        return asgi_sender(app)
