"""The texts in a browser's developer console for a response that it refuses.

Chromium: third_party/blink/renderer/platform/loader/cors/cors_error_string.cc, and the order of its
checks in services/network/public/cpp/cors/cors.cc. Firefox: the strings ``CORS...`` of
dom/locales/en-US/chrome/security/security.properties, logged by nsCORSListenerProxy.cpp. Safari:
WebKit's CrossOriginAccessControl.cpp and CrossOriginPreflightResultCache.cpp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore._standard.fetch import (
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    LOCATION,
    OPAQUE_ORIGIN,
)
from corscore._standard.grammar import is_token
from corscore._standard.text import escaped
from corscore.browser._checks import cors_check, refused_headers
from corscore.browser._deviations import Browser, waives
from corscore.browser._headers import get
from corscore.browser._redirect import MAX_REDIRECTS
from corscore.browser._url import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore.browser._fetch import Exchange
    from corscore.browser._reasons import Reason

_VALID = "Have the server send the header with a valid value."
_PREFLIGHT = "Response to preflight request doesn't pass access control check: "


def console_messages(exchange: Exchange) -> Iterator[tuple[Browser, str]]:
    """Yield each browser's name and its text for a refused exchange.

    A browser that would take the response has no text, nor has one that writes nothing.

    Args:
        exchange: One with a ``reason``.
    """
    if exchange.reason is None:
        return
    refused = _Failure(exchange, exchange.reason)
    texts: tuple[tuple[Browser, str | None], ...] = (
        ("chromium", _chromium(refused)),
        ("firefox", _firefox(refused)),
        ("safari", _safari(refused)),
    )
    for browser, text in texts:
        if text is not None and not waives(browser, exchange.reason):
            yield browser, text


class _Failure:
    """A refused exchange, with the values that the texts quote escaped."""

    def __init__(self, exchange: Exchange, reason: Reason) -> None:
        self._request = exchange.request
        self._headers = exchange.response_headers
        self.reason: Reason = reason
        self.status = exchange.status
        self.is_preflight = exchange.is_preflight
        # Chromium and Firefox check the headers of a preflight before its status.
        self.by_headers: Reason = (
            exchange.is_preflight and cors_check(exchange.request, exchange.response_headers)
        ) or reason
        self.method = escaped(exchange.request.method)
        self.origin = escaped(exchange.request.origin)
        self.url = escaped(exchange.request.target.without_fragment)

    def value(self, name: str) -> str:
        """The response's value under a name, in latin-1; empty without one."""
        return escaped(get(self._headers, name) or "")

    @property
    def refused_header(self) -> str:
        """The first header of the request that is not allowed."""
        refused = refused_headers(self._request, self._headers)
        return escaped(refused[0]) if refused else ""

    def invalid_item(self, name: str) -> str:
        """The first item of a list that is no token."""
        items = (item.strip() for item in self.value(name).split(","))
        return next((item for item in items if item and not is_token(item)), "")


def _chromium(refused: _Failure) -> str | None:
    if refused.reason == "too-many-redirects":
        return f"GET {refused.url} net::ERR_TOO_MANY_REDIRECTS"
    if refused.reason == "redirect-invalid":
        return f"GET {refused.url} net::ERR_INVALID_REDIRECT"
    text = _chromium_reason(refused)
    if text is None:
        return None
    # Chromium checks these later, outside the access control check.
    later = ("method-not-allowed", "header-not-allowed", "authorization-needs-explicit")
    under_heading = refused.is_preflight and refused.reason not in (
        *later,
        "invalid-allow-methods",
        "invalid-allow-headers",
    )
    return (
        f"Access to fetch at '{refused.url}' from origin '{refused.origin}' has been blocked by "
        f"CORS policy: {_PREFLIGHT if under_heading else ''}{text}"
    )


def _chromium_reason(refused: _Failure) -> str | None:
    allow_origin = refused.value(ACCESS_CONTROL_ALLOW_ORIGIN)
    reason = refused.by_headers
    if refused.reason == "preflight-redirected":
        # Chromium checks nothing else of a redirect.
        reason = refused.reason
    return {
        "preflight-redirected": "Redirect is not allowed for a preflight request.",
        "preflight-not-ok": "It does not have HTTP ok status.",
        "no-allow-origin": (
            "No 'Access-Control-Allow-Origin' header is present on the requested resource."
        ),
        "multiple-allow-origin": (
            "The 'Access-Control-Allow-Origin' header contains multiple values "
            f"'{allow_origin}', but only one is allowed. {_VALID}"
        ),
        "wildcard-with-credentials": (
            "The value of the 'Access-Control-Allow-Origin' header in the response must not be "
            "the wildcard '*' when the request's credentials mode is 'include'."
        ),
        "origin-mismatch": (
            f"The 'Access-Control-Allow-Origin' header has a value '{allow_origin}' that is not "
            f"equal to the supplied origin. {_VALID}"
            if allow_origin == OPAQUE_ORIGIN or parse_url(allow_origin)
            else f"The 'Access-Control-Allow-Origin' header contains the invalid value "
            f"'{allow_origin}'. {_VALID}"
        ),
        "credentials-not-allowed": (
            "The value of the 'Access-Control-Allow-Credentials' header in the response is "
            f"'{refused.value(ACCESS_CONTROL_ALLOW_CREDENTIALS)}' which must be 'true' when the "
            "request's credentials mode is 'include'."
        ),
        "invalid-allow-methods": (
            "Cannot parse Access-Control-Allow-Methods response header field in preflight response."
        ),
        "invalid-allow-headers": (
            "Cannot parse Access-Control-Allow-Headers response header field in preflight response."
        ),
        "method-not-allowed": (
            f"Method {refused.method} is not allowed by "
            "Access-Control-Allow-Methods in preflight response."
        ),
        "header-not-allowed": (
            f"Request header field {refused.refused_header} is not allowed by "
            "Access-Control-Allow-Headers in preflight response."
        ),
        "redirect-with-credentials": (
            f"Redirect location '{refused.value(LOCATION)}' contains a username and password, "
            "which is disallowed for cross-origin requests."
        ),
    }.get(reason)


def _firefox(refused: _Failure) -> str | None:
    status = f" Status code: {refused.status}."
    allow_origin = "CORS header ‘Access-Control-Allow-Origin’"  # noqa: RUF001  (as Firefox has it)
    texts: dict[str, str | tuple[str, str]] = {
        "preflight-redirected": "CORS request external redirect not allowed",
        "preflight-not-ok": ("CORS preflight response did not succeed", status),
        "no-allow-origin": (f"{allow_origin} missing", status),
        "multiple-allow-origin": f"Multiple {allow_origin} not allowed",
        "wildcard-with-credentials": f"Credential is not supported if the {allow_origin} is ‘*’",  # noqa: RUF001
        "origin-mismatch": (
            f"{allow_origin} does not match ‘{refused.value(ACCESS_CONTROL_ALLOW_ORIGIN)}’"  # noqa: RUF001
        ),
        "credentials-not-allowed": (
            "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’"  # noqa: RUF001
        ),
        "invalid-allow-methods": (
            f"invalid token ‘{refused.invalid_item(ACCESS_CONTROL_ALLOW_METHODS)}’ in "  # noqa: RUF001
            "CORS header ‘Access-Control-Allow-Methods’"  # noqa: RUF001
        ),
        "invalid-allow-headers": (
            f"invalid token ‘{refused.invalid_item(ACCESS_CONTROL_ALLOW_HEADERS)}’ in "  # noqa: RUF001
            "CORS header ‘Access-Control-Allow-Headers’"  # noqa: RUF001
        ),
        "method-not-allowed": (
            "Did not find method in CORS header ‘Access-Control-Allow-Methods’"  # noqa: RUF001
        ),
        "header-not-allowed": (
            f"header ‘{refused.refused_header}’ is not allowed according to header "  # noqa: RUF001
            "‘Access-Control-Allow-Headers’ from CORS preflight response"  # noqa: RUF001
        ),
        "redirect-with-credentials": "CORS request external redirect not allowed",
    }
    reason = refused.reason
    found = texts.get(reason if reason == "preflight-redirected" else refused.by_headers)
    if found is None:
        return None
    text, behind = found if isinstance(found, tuple) else (found, "")
    return (
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote "
        f"resource at {refused.url}. (Reason: {text}).{behind}"
    )


def _safari(refused: _Failure) -> str | None:
    status = f"Status code: {refused.status}"
    text = {
        "preflight-redirected": f"Preflight response is not successful. {status}",
        "preflight-not-ok": f"Preflight response is not successful. {status}",
        "no-allow-origin": (
            f"Origin {refused.origin} is not allowed by Access-Control-Allow-Origin. {status}"
        ),
        "multiple-allow-origin": "Access-Control-Allow-Origin cannot contain more than one origin.",
        "wildcard-with-credentials": (
            "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true."
        ),
        "origin-mismatch": (
            f"Origin {refused.origin} is not allowed by Access-Control-Allow-Origin. {status}"
        ),
        "credentials-not-allowed": (
            'Credentials flag is true, but Access-Control-Allow-Credentials is not "true".'
        ),
        "method-not-allowed": (
            f"Method {refused.method} is not allowed by Access-Control-Allow-Methods."
        ),
        "header-not-allowed": (
            f"Request header field {refused.refused_header} is not allowed by "
            "Access-Control-Allow-Headers."
        ),
        "too-many-redirects": f"More than {MAX_REDIRECTS} redirects",
    }.get(refused.reason)
    if text is None:
        return None
    return f"{text}\nFetch API cannot load {refused.url} due to access control checks."
