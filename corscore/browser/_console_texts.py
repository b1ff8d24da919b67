"""The texts of the three engines' consoles about CORS, by reason.

Chromium: third_party/blink/renderer/platform/loader/cors/cors_error_string.cc. Firefox: the strings
``CORS...`` of dom/locales/en-US/chrome/security/security.properties. Safari: WebKit's
CrossOriginAccessControl.cpp, CrossOriginPreflightResultCache.cpp and SubresourceLoader.cpp.

A name in braces is a value: ``{value}`` may hold anything, and no other holds a space. A reason
with several texts has keys such as ``"redirect-invalid/ftp"``.
"""

# ruff: noqa: RUF001 - the quotes are Firefox's

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CHROMIUM: Mapping[str, str] = MappingProxyType(
    {
        "preflight-redirected": "Redirect is not allowed for a preflight request.",
        "preflight-not-ok": "It does not have HTTP ok status.",
        "no-allow-origin": (
            "No 'Access-Control-Allow-Origin' header is present on the requested resource."
        ),
        "multiple-allow-origin": (
            "The 'Access-Control-Allow-Origin' header contains multiple values '{value}', but only "
            "one is allowed."
        ),
        "wildcard-with-credentials": (
            "The value of the 'Access-Control-Allow-Origin' header in the response must not be "
            "the wildcard '*' when the request's credentials mode is 'include'."
        ),
        "origin-mismatch": (
            "The 'Access-Control-Allow-Origin' header has a value '{value}' that is not equal to "
            "the supplied origin."
        ),
        "origin-mismatch/invalid": (
            "The 'Access-Control-Allow-Origin' header contains the invalid value '{value}'."
        ),
        "credentials-not-allowed": (
            "The value of the 'Access-Control-Allow-Credentials' header in the response is "
            "'{value}' which must be 'true' when the request's credentials mode is 'include'."
        ),
        "invalid-allow-methods": (
            "Cannot parse Access-Control-Allow-Methods response header field in preflight response."
        ),
        "invalid-allow-headers": (
            "Cannot parse Access-Control-Allow-Headers response header field in preflight response."
        ),
        "method-not-allowed": (
            "Method {method} is not allowed by Access-Control-Allow-Methods in preflight response."
        ),
        "header-not-allowed": (
            "Request header field {header} is not allowed by Access-Control-Allow-Headers in "
            "preflight response."
        ),
        "redirect-with-credentials": (
            "Redirect location '{value}' contains a username and password, which is disallowed "
            "for cross-origin requests."
        ),
        "redirect-invalid": (
            "Cross origin requests are only supported for protocol schemes: {value}."
        ),
    }
)
CHROMIUM_HEAD = (
    "Access to {kind} at '{url}' {redirected}from origin '{origin}' has been blocked by CORS "
    "policy: "
)
CHROMIUM_PREFLIGHT = "Response to preflight request doesn't pass access control check: "
CHROMIUM_ERRORS: Mapping[str, str] = MappingProxyType(
    {
        "too-many-redirects": "{method} {url} net::ERR_TOO_MANY_REDIRECTS",
        "redirect-invalid": "{method} {url} net::ERR_INVALID_REDIRECT",
    }
)
CHROMIUM_FOR_FETCH = " Have the server send the header with a valid value."
CHROMIUM_FOR_XHR = (
    " The credentials mode of requests initiated by the XMLHttpRequest is controlled by the "
    "withCredentials attribute."
)

FIREFOX: Mapping[str, str] = MappingProxyType(
    {
        "preflight-redirected": "CORS request external redirect not allowed",
        "preflight-not-ok": "CORS preflight response did not succeed",
        "no-allow-origin": "CORS header ‘Access-Control-Allow-Origin’ missing",
        "multiple-allow-origin": "Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed",
        "wildcard-with-credentials": (
            "Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’"
        ),
        "origin-mismatch": "CORS header ‘Access-Control-Allow-Origin’ does not match ‘{value}’",
        "credentials-not-allowed": (
            "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’"
        ),
        "invalid-allow-methods": (
            "invalid token ‘{value}’ in CORS header ‘Access-Control-Allow-Methods’"
        ),
        "invalid-allow-headers": (
            "invalid token ‘{value}’ in CORS header ‘Access-Control-Allow-Headers’"
        ),
        "method-not-allowed": ("Did not find method in CORS header ‘Access-Control-Allow-Methods’"),
        "header-not-allowed": (
            "header ‘{header}’ is not allowed according to header ‘Access-Control-Allow-Headers’ "
            "from CORS preflight response"
        ),
        "redirect-invalid": "CORS request not http",
        # The last line of most refusals.
        "network-error": "CORS request did not succeed",
    }
)
FIREFOX_WARNING = (
    "Cross-Origin Request Warning: The Same Origin Policy will disallow reading the remote "
    "resource at {url} soon. (Reason: "
)
FIREFOX_HEAD = (
    "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource "
    "at {url}. (Reason: "
)

WEBKIT: Mapping[str, str] = MappingProxyType(
    {
        "preflight-not-ok": "Preflight response is not successful. Status code: {status}",
        "no-allow-origin": (
            "Origin {origin} is not allowed by Access-Control-Allow-Origin. Status code: {status}"
        ),
        "multiple-allow-origin": "Access-Control-Allow-Origin cannot contain more than one origin.",
        "wildcard-with-credentials": (
            "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true."
        ),
        "credentials-not-allowed": (
            'Credentials flag is true, but Access-Control-Allow-Credentials is not "true".'
        ),
        "invalid-allow-methods": (
            "Header Access-Control-Allow-Methods has an invalid value: {value}"
        ),
        "invalid-allow-headers": (
            "Header Access-Control-Allow-Headers has an invalid value: {value}"
        ),
        "method-not-allowed": "Method {method} is not allowed by Access-Control-Allow-Methods.",
        "header-not-allowed": (
            "Request header field {header} is not allowed by Access-Control-Allow-Headers."
        ),
        "redirect-invalid": (
            "not allowed to follow a cross-origin CORS redirection with non CORS scheme"
        ),
        "redirect-invalid/ftp": "FTP URLs are disabled",
        "redirect-invalid/no-cors": "Redirection to URL with a scheme that is not HTTP(S).",
        "resource-policy-refused": (
            "Cancelled load to {url} because it violates the resource's "
            "Cross-Origin-Resource-Policy response header."
        ),
        "redirect-refused": "Not allowed to follow a redirection while loading {url}",
        "redirect-with-credentials": "redirection URL {location} has credentials",
        "too-many-redirects": "Load cannot follow more than 20 redirections",
    }
)
WEBKIT_REDIRECT = (
    "Cross-origin redirection to {target} denied by Cross-Origin Resource Sharing policy: "
)
WEBKIT_TAIL = "{kind} cannot load {url} due to access control checks."
