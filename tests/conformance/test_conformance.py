"""The adapters for any ASGI and any WSGI application, around one without a framework."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import corscore_asgi
import corscore_wsgi
from adapter_suite import AdapterSuite
from corscore.testing.conformance import (
    Sender,
    Site,
    asgi_sender,
    asgi_site,
    wsgi_sender,
    wsgi_site,
)

if TYPE_CHECKING:
    from corscore.integration import Policies

pytestmark = pytest.mark.usefixtures("build")

IN_DEBUG = {"/crash": "a debugger outside shows its page"}


class TestASGI(AdapterSuite):
    out_of_reach_in_debug = IN_DEBUG

    def serve(self, site: Site, policies: Policies) -> Sender:
        return asgi_sender(corscore_asgi.CORSMiddleware(asgi_site(site), policies))


class TestWSGI(AdapterSuite):
    out_of_reach_in_debug = IN_DEBUG

    def serve(self, site: Site, policies: Policies) -> Sender:
        return wsgi_sender(corscore_wsgi.CORSMiddleware(wsgi_site(site), policies))
