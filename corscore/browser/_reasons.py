"""The reasons for which a browser refuses a response."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Reason = Literal[
    "preflight-redirected",
    "preflight-not-ok",
    "no-allow-origin",
    "multiple-allow-origin",
    "wildcard-with-credentials",
    "origin-mismatch",
    "credentials-not-allowed",
    "invalid-allow-methods",
    "invalid-allow-headers",
    "method-not-allowed",
    "authorization-needs-explicit",
    "header-not-allowed",
    "resource-policy-refused",
    "redirect-refused",
    "redirect-invalid",
    "too-many-redirects",
    "redirect-with-credentials",
    "redirect-leaves-origin",
    "header-not-exposed",
]
"""The stable codes, in the order of a browser's checks."""

REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        # https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7: the status must be ok
        "preflight-redirected": (
            "the preflight was answered with a redirect: 301, 302, 303, 307 or 308"
        ),
        "preflight-not-ok": "the preflight's status is outside 200 to 299",
        # https://fetch.spec.whatwg.org/#concept-cors-check
        "no-allow-origin": "the response has no Access-Control-Allow-Origin",
        "multiple-allow-origin": "Access-Control-Allow-Origin has more than one value",
        "wildcard-with-credentials": (
            'Access-Control-Allow-Origin is "*", which does not count with credentials'
        ),
        "origin-mismatch": "Access-Control-Allow-Origin is neither the page's origin nor a valid *",
        "credentials-not-allowed": (
            'Access-Control-Allow-Credentials is not "true", which credentials need'
        ),
        # https://fetch.spec.whatwg.org/#cors-preflight-fetch, steps 7.1 to 7.7
        "invalid-allow-methods": "Access-Control-Allow-Methods is not a list of methods",
        "invalid-allow-headers": "Access-Control-Allow-Headers is not a list of header names",
        "method-not-allowed": "Access-Control-Allow-Methods does not cover the request's method",
        "authorization-needs-explicit": (
            'Access-Control-Allow-Headers has "*", which never covers Authorization'
        ),
        "header-not-allowed": "Access-Control-Allow-Headers does not cover a header of the request",
        # https://fetch.spec.whatwg.org/#concept-http-fetch, steps 6 and 8.5
        "resource-policy-refused": (
            "Cross-Origin-Resource-Policy keeps the response from other origins or sites"
        ),
        "redirect-refused": 'the response is a redirect, and the request\'s redirect is "error"',
        # https://fetch.spec.whatwg.org/#concept-http-redirect-fetch, steps 4 to 9
        "redirect-invalid": "a redirect's Location is not one HTTP(S) URL",
        "too-many-redirects": "there were more than 20 redirects",
        "redirect-with-credentials": (
            "a redirect across origins leads to a URL with a user name or password in it"
        ),
        # https://fetch.spec.whatwg.org/#concept-main-fetch, step 12
        "redirect-leaves-origin": (
            'a redirect leads to another origin, and the request\'s mode is "same-origin"'
        ),
        # https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name
        "header-not-exposed": "the response does not expose this header to other origins",
    }
)
"""The meaning of each reason, in one sentence without its full stop."""
