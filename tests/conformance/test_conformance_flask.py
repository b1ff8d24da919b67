"""The adapter for Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapter_suite import AdapterSuite
from flask_site import serve

if TYPE_CHECKING:
    from corscore.integration import Policies
    from corscore.testing.conformance import Sender, Site


class TestFlask(AdapterSuite):
    has_routes = True

    def serve(self, site: Site, policies: Policies) -> Sender:
        return serve(site, policies)
