"""What a browser writes into its developer console when it refuses a response.

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
from corscore.browser._headers import get
from corscore.browser._reasons import Browser, waives
from corscore.browser._redirect import MAX_REDIRECTS
from corscore.browser._url import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore.browser._headers import HeaderList
    from corscore.browser._reasons import Reason
    from corscore.browser._request import Request

_VALID = "Have the server send the header with a valid value."
_PREFLIGHT = "Response to preflight request doesn't pass access control check: "


class Refusal:
    """One response that a browser does not take.

    Args:
        reason: Why, a key of ``corscore.browser.REASONS``.
        request: The request that it answers, or that its preflight was for.
        status: Its status.
        headers: Its headers, names in lower case.
        is_preflight: Whether it answers a preflight.
    """

    def __init__(
        self,
        reason: Reason,
        request: Request,
        status: int,
        headers: HeaderList,
        *,
        is_preflight: bool,
    ) -> None:
        self.reason: Reason = reason
        self.request = request
        self.status = status
        self.headers = headers
        self.is_preflight = is_preflight
        # Chromium and Firefox look at the headers of a preflight before they look at its status.
        self.by_headers: Reason = (is_preflight and cors_check(request, headers)) or reason
        self.origin: str = escaped(request.origin)
        self.url: str = escaped(request.target.without_fragment)

    def value(self, name: str) -> str:
        """What the response says under a name, in latin-1; nothing where it says nothing."""
        return escaped(get(self.headers, name) or "")

    @property
    def refused_header(self) -> str:
        """The first header of the request that is not allowed."""
        refused = refused_headers(self.request, self.headers)
        return escaped(refused[0]) if refused else ""

    def invalid_item(self, name: str) -> str:
        """What in a list is no token."""
        items = (item.strip() for item in self.value(name).split(","))
        return next((item for item in items if item and not is_token(item)), "")


def console_messages(refusal: Refusal) -> Iterator[tuple[Browser, str]]:
    """What each browser writes that refuses the response too, in its own words."""
    texts: tuple[tuple[Browser, str | None], ...] = (
        ("chromium", _chromium(refusal)),
        ("firefox", _firefox(refusal)),
        ("safari", _safari(refusal)),
    )
    for browser, text in texts:
        if text is not None and not waives(browser, refusal.reason):
            yield browser, text


def _chromium(refusal: Refusal) -> str | None:
    if refusal.reason == "too-many-redirects":
        return f"GET {refusal.url} net::ERR_TOO_MANY_REDIRECTS"
    if refusal.reason == "redirect-invalid":
        return f"GET {refusal.url} net::ERR_INVALID_REDIRECT"
    text = _chromium_reason(refusal)
    if text is None:
        return None
    # These two are checked later, and not under the heading of the access control check.
    later = ("method-not-allowed", "header-not-allowed", "authorization-needs-explicit")
    under_heading = refusal.is_preflight and refusal.reason not in (
        *later,
        "invalid-allow-methods",
        "invalid-allow-headers",
    )
    return (
        f"Access to fetch at '{refusal.url}' from origin '{refusal.origin}' has been blocked by "
        f"CORS policy: {_PREFLIGHT if under_heading else ''}{text}"
    )


def _chromium_reason(refusal: Refusal) -> str | None:
    allow_origin = refusal.value(ACCESS_CONTROL_ALLOW_ORIGIN)
    reason = refusal.by_headers
    if refusal.reason == "preflight-redirected":
        # Chromium does not look at anything else of a redirect.
        reason = refusal.reason
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
            f"'{refusal.value(ACCESS_CONTROL_ALLOW_CREDENTIALS)}' which must be 'true' when the "
            "request's credentials mode is 'include'."
        ),
        "invalid-allow-methods": (
            "Cannot parse Access-Control-Allow-Methods response header field in preflight response."
        ),
        "invalid-allow-headers": (
            "Cannot parse Access-Control-Allow-Headers response header field in preflight response."
        ),
        "method-not-allowed": (
            f"Method {escaped(refusal.request.method)} is not allowed by "
            "Access-Control-Allow-Methods in preflight response."
        ),
        "header-not-allowed": (
            f"Request header field {refusal.refused_header} is not allowed by "
            "Access-Control-Allow-Headers in preflight response."
        ),
        "redirect-with-credentials": (
            f"Redirect location '{refusal.value(LOCATION)}' contains a username and password, "
            "which is disallowed for cross-origin requests."
        ),
    }.get(reason)


def _firefox(refusal: Refusal) -> str | None:
    status = f" Status code: {refusal.status}."
    allow_origin = "CORS header ‘Access-Control-Allow-Origin’"  # noqa: RUF001  (as Firefox has it)
    texts: dict[str, str | tuple[str, str]] = {
        "preflight-redirected": "CORS request external redirect not allowed",
        "preflight-not-ok": ("CORS preflight response did not succeed", status),
        "no-allow-origin": (f"{allow_origin} missing", status),
        "multiple-allow-origin": f"Multiple {allow_origin} not allowed",
        "wildcard-with-credentials": f"Credential is not supported if the {allow_origin} is ‘*’",  # noqa: RUF001
        "origin-mismatch": (
            f"{allow_origin} does not match ‘{refusal.value(ACCESS_CONTROL_ALLOW_ORIGIN)}’"  # noqa: RUF001
        ),
        "credentials-not-allowed": (
            "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’"  # noqa: RUF001
        ),
        "invalid-allow-methods": (
            f"invalid token ‘{refusal.invalid_item(ACCESS_CONTROL_ALLOW_METHODS)}’ in "  # noqa: RUF001
            "CORS header ‘Access-Control-Allow-Methods’"  # noqa: RUF001
        ),
        "invalid-allow-headers": (
            f"invalid token ‘{refusal.invalid_item(ACCESS_CONTROL_ALLOW_HEADERS)}’ in "  # noqa: RUF001
            "CORS header ‘Access-Control-Allow-Headers’"  # noqa: RUF001
        ),
        "method-not-allowed": (
            "Did not find method in CORS header ‘Access-Control-Allow-Methods’"  # noqa: RUF001
        ),
        "header-not-allowed": (
            f"header ‘{refusal.refused_header}’ is not allowed according to header "  # noqa: RUF001
            "‘Access-Control-Allow-Headers’ from CORS preflight response"  # noqa: RUF001
        ),
        "redirect-with-credentials": "CORS request external redirect not allowed",
    }
    reason = refusal.reason
    found = texts.get(reason if reason == "preflight-redirected" else refusal.by_headers)
    if found is None:
        return None
    text, behind = found if isinstance(found, tuple) else (found, "")
    return (
        "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote "
        f"resource at {refusal.url}. (Reason: {text}).{behind}"
    )


def _safari(refusal: Refusal) -> str | None:
    status = f"Status code: {refusal.status}"
    text = {
        "preflight-redirected": f"Preflight response is not successful. {status}",
        "preflight-not-ok": f"Preflight response is not successful. {status}",
        "no-allow-origin": (
            f"Origin {refusal.origin} is not allowed by Access-Control-Allow-Origin. {status}"
        ),
        "multiple-allow-origin": "Access-Control-Allow-Origin cannot contain more than one origin.",
        "wildcard-with-credentials": (
            "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true."
        ),
        "origin-mismatch": (
            f"Origin {refusal.origin} is not allowed by Access-Control-Allow-Origin. {status}"
        ),
        "credentials-not-allowed": (
            'Credentials flag is true, but Access-Control-Allow-Credentials is not "true".'
        ),
        "method-not-allowed": (
            f"Method {escaped(refusal.request.method)} is not allowed by "
            "Access-Control-Allow-Methods."
        ),
        "header-not-allowed": (
            f"Request header field {refusal.refused_header} is not allowed by "
            "Access-Control-Allow-Headers."
        ),
        "too-many-redirects": f"More than {MAX_REDIRECTS} redirects",
    }.get(refusal.reason)
    if text is None:
        return None
    return f"{text}\nFetch API cannot load {refusal.url} due to access control checks."
