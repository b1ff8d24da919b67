"""A browser's side of CORS by the Fetch standard: may this page read that response?

Pure data in, data out: ``fetch`` runs a whole fetch over any callable, and each other function is
one check of it. The model follows https://fetch.spec.whatwg.org to the letter;
``KNOWN_DEVIATIONS`` lists where real browsers differ, and ``browser=`` applies that::

    result = fetch(
        Request("PUT", "https://api.example/1", origin="https://app.example"),
        lambda method, url, headers: (204, {"Access-Control-Allow-Origin": "*"}),
    )
    result.readable, result.reason      # False, "method-not-allowed"

Not modelled, because no header of the server decides it: mixed content, Content Security Policy,
blocked ports, Local Network Access, HTTP authentication prompts, the HTTP cache, service workers.
"""

from __future__ import annotations

from corscore.browser._cache import DEFAULT_MAX_AGE, PreflightCache, max_age
from corscore.browser._checks import (
    cors_check,
    header_check,
    preflight_check,
    readable_headers,
    refused_headers,
    resource_policy_check,
)
from corscore.browser._deviations import KNOWN_DEVIATIONS, MAX_AGE_LIMITS, Browser, Deviation
from corscore.browser._fetch import (
    AsyncTransport,
    Exchange,
    FetchResult,
    Response,
    ResponseType,
    Sent,
    Transport,
    afetch,
    fetch,
)
from corscore.browser._reasons import REASONS, Reason
from corscore.browser._redirect import MAX_REDIRECTS, redirect_check, redirected
from corscore.browser._request import (
    Credentials,
    Mode,
    RedirectMode,
    Request,
    needs_preflight,
    preflight_headers,
    request_headers,
)

__all__ = (
    "DEFAULT_MAX_AGE",
    "KNOWN_DEVIATIONS",
    "MAX_AGE_LIMITS",
    "MAX_REDIRECTS",
    "REASONS",
    "AsyncTransport",
    "Browser",
    "Credentials",
    "Deviation",
    "Exchange",
    "FetchResult",
    "Mode",
    "PreflightCache",
    "Reason",
    "RedirectMode",
    "Request",
    "Response",
    "ResponseType",
    "Sent",
    "Transport",
    "afetch",
    "cors_check",
    "fetch",
    "header_check",
    "max_age",
    "needs_preflight",
    "preflight_check",
    "preflight_headers",
    "readable_headers",
    "redirect_check",
    "redirected",
    "refused_headers",
    "request_headers",
    "resource_policy_check",
)
