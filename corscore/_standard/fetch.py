"""Vocabulary of the Fetch standard: https://fetch.spec.whatwg.org, each name with its section.

Header names are in lower case, methods in upper case. The engine, the checks of a configuration and
the browser model share these names, but not the rules for them.
"""

from __future__ import annotations

# Origin header: https://fetch.spec.whatwg.org/#origin-header
ORIGIN = "origin"
# The origin of a page that has no tuple origin:
# https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin
OPAQUE_ORIGIN = "null"

# CORS protocol, HTTP requests: https://fetch.spec.whatwg.org/#http-requests
PREFLIGHT_METHOD = "OPTIONS"
ACCESS_CONTROL_REQUEST_METHOD = "access-control-request-method"
ACCESS_CONTROL_REQUEST_HEADERS = "access-control-request-headers"

# CORS protocol, HTTP responses: https://fetch.spec.whatwg.org/#http-responses
ACCESS_CONTROL_ALLOW_ORIGIN = "access-control-allow-origin"
ACCESS_CONTROL_ALLOW_CREDENTIALS = "access-control-allow-credentials"
ACCESS_CONTROL_ALLOW_METHODS = "access-control-allow-methods"
ACCESS_CONTROL_ALLOW_HEADERS = "access-control-allow-headers"
ACCESS_CONTROL_MAX_AGE = "access-control-max-age"
ACCESS_CONTROL_EXPOSE_HEADERS = "access-control-expose-headers"

# The only value of Access-Control-Allow-Credentials, case-sensitive, and the wildcard:
# https://fetch.spec.whatwg.org/#http-new-header-syntax
ALLOW_CREDENTIALS_TRUE = "true"
WILDCARD = "*"

# Not in Fetch, but in Chrome's former Private Network Access:
# https://wicg.github.io/private-network-access/#headers
ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK = "access-control-request-private-network"
ACCESS_CONTROL_ALLOW_PRIVATE_NETWORK = "access-control-allow-private-network"

# https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header
CROSS_ORIGIN_RESOURCE_POLICY = "cross-origin-resource-policy"

# CORS protocol and HTTP caches: https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches
VARY = "vary"

# CORS non-wildcard request-header name: the only one that "*" never covers.
# https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
AUTHORIZATION = "authorization"

# CORS-safelisted method: https://fetch.spec.whatwg.org/#cors-safelisted-method
CORS_SAFELISTED_METHODS = ("GET", "HEAD", "POST")

# Forbidden method, in upper or lower case: https://fetch.spec.whatwg.org/#forbidden-method
FORBIDDEN_METHODS = frozenset(("CONNECT", "TRACE", "TRACK"))

# Normalize a method: only these are upper-cased, so "patch" stays "patch".
# https://fetch.spec.whatwg.org/#concept-method-normalize
NORMALISED_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"))

# CORS-safelisted request-header: the names; browsers limit the values as well.
# https://fetch.spec.whatwg.org/#cors-safelisted-request-header
CORS_SAFELISTED_REQUEST_HEADERS = (
    "accept",
    "accept-language",
    "content-language",
    "content-type",
    "range",
)
# The MIME types that a form can send, in the same section.
CORS_SAFELISTED_CONTENT_TYPES = frozenset(
    ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
)

# Forbidden request-header, step 1: https://fetch.spec.whatwg.org/#forbidden-request-header
FORBIDDEN_REQUEST_HEADERS = frozenset(
    (
        "accept-charset",
        "accept-encoding",
        "access-control-request-headers",
        "access-control-request-method",
        "connection",
        "content-length",
        "cookie",
        "cookie2",
        "date",
        "dnt",
        "expect",
        "host",
        "keep-alive",
        "origin",
        "referer",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    )
)
# Step 2.
FORBIDDEN_REQUEST_HEADER_PREFIXES = ("proxy-", "sec-")
# Step 3: forbidden only where the value names a forbidden method.
METHOD_OVERRIDE_HEADERS = frozenset(
    ("x-http-method", "x-http-method-override", "x-method-override"),
)

# Request-body-header name: dropped when a redirect turns the request into a GET.
# https://fetch.spec.whatwg.org/#request-body-header-name
REQUEST_BODY_HEADERS = frozenset(
    ("content-encoding", "content-language", "content-location", "content-type"),
)

# Location URL: https://fetch.spec.whatwg.org/#concept-response-location-url
LOCATION = "location"
# Redirect status: https://fetch.spec.whatwg.org/#redirect-status
REDIRECT_STATUSES = frozenset((301, 302, 303, 307, 308))

# CORS-safelisted response-header name, without those that a response exposes.
# https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name
CORS_SAFELISTED_RESPONSE_HEADERS = frozenset(
    (
        "cache-control",
        "content-language",
        "content-length",
        "content-type",
        "expires",
        "last-modified",
        "pragma",
    )
)

# Forbidden response-header name: no script can read it, exposed or not.
# https://fetch.spec.whatwg.org/#forbidden-response-header-name
FORBIDDEN_RESPONSE_HEADERS = frozenset(("set-cookie", "set-cookie2"))

# Special scheme: an origin does not contain the default port.
# https://url.spec.whatwg.org/#special-scheme
DEFAULT_PORTS = {"ftp": "21", "http": "80", "https": "443", "ws": "80", "wss": "443"}


def is_forbidden_request_header(name: str) -> bool:
    """Whether scripts can never set a header of this name, in lower or upper case.

    https://fetch.spec.whatwg.org/#forbidden-request-header, steps 1 and 2. False for the names in
    ``METHOD_OVERRIDE_HEADERS``: for those, the value decides (step 3).
    """
    lower = name.lower()
    return lower in FORBIDDEN_REQUEST_HEADERS or lower.startswith(FORBIDDEN_REQUEST_HEADER_PREFIXES)
