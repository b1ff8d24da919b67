"""The texts in a browser's developer console for a response that it refuses.

The order of the checks is that of Chromium's services/network/public/cpp/cors/cors.cc, Firefox's
netwerk/protocol/http/nsCORSListenerProxy.cpp and WebKit's NetworkLoadChecker.cpp.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from corscore._standard.fetch import (
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    CORS_SAFELISTED_METHODS,
    LOCATION,
    OPAQUE_ORIGIN,
    REDIRECT_STATUSES,
)
from corscore._standard.grammar import is_token
from corscore._standard.text import escaped
from corscore.browser import _console_texts as texts
from corscore.browser._checks import (
    allowed_methods,
    cors_check,
    covers_method,
    preflight_check,
    refused_headers,
)
from corscore.browser._deviations import Browser, waives
from corscore.browser._headers import as_received, get, items, values
from corscore.browser._request import derived
from corscore.browser._url import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore.browser._fetch import Exchange
    from corscore.browser._reasons import Reason

_OTHER_SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_REDIRECT_REASONS = ("redirect-invalid", "too-many-redirects", "redirect-with-credentials")
# Chromium writes these without the sentence about the access control check.
_AFTER_CORS_CHECK = (
    "method-not-allowed",
    "header-not-allowed",
    "invalid-allow-methods",
    "invalid-allow-headers",
)
# Chromium keeps the headers of a request in a hash map, so its order had to be measured.
_CHROMIUM_ORDER = (
    *("traceparent", "if-none-match", "viewport-width", "x-auth-token", "x-request-id"),
    *("authorization", "dpr", "save-data", "x-csrf-token", "x-csrftoken", "cache-control"),
    *("x-xsrf-token", "ect", "width", "x-requested-with", "last-event-id", "accept-language"),
    *("idempotency-key", "accept", "device-memory", "if-modified-since", "pragma", "x-one"),
    *("range", "content-language", "content-type", "if-match", "x-api-key", "rtt", "x-two"),
    *("downlink", "user-agent"),
)
_CHROMIUM_RANKS = {name: rank for rank, name in enumerate(_CHROMIUM_ORDER)}
_CHROMIUM_SCHEMES = (
    "chrome, chrome-experimental-site-token-provider, chrome-extension, chrome-untrusted, data, "
    "http, https, isolated-app"
)
# WebKit's spelling of the names in its HTTPHeaderNames.in that scripts may set.
_WEBKIT_NAMES = {
    name.lower(): name
    for name in (
        *("Accept", "Accept-Language", "Authorization", "Cache-Control", "Content-Disposition"),
        *("Content-Encoding", "Content-Language", "Content-Range", "Content-Type", "ETag"),
        *("Expires", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range"),
        *("If-Unmodified-Since", "Last-Event-ID", "Last-Modified", "Pragma", "Range"),
        *("User-Agent", "X-Frame-Options"),
    )
}


def console_messages(exchange: Exchange) -> Iterator[tuple[Browser, str]]:
    """Yield each browser's name and its text for a refused exchange.

    A browser that accepts the response, or writes nothing about it, is left out.

    Args:
        exchange: An exchange; without a ``reason`` there are no texts.
    """
    if exchange.reason is None:
        return
    refused = _Refusal(exchange, exchange.reason)
    consoles: tuple[tuple[Browser, str], ...] = (
        ("chromium", _chromium(refused)),
        ("firefox", _firefox(refused)),
        ("safari", _safari(refused)),
    )
    for browser, text in consoles:
        if text and not waives(browser, exchange.reason):
            yield browser, text


class _Refusal:
    """A refused exchange, and the values that texts quote, escaped."""

    def __init__(self, exchange: Exchange, reason: Reason) -> None:
        self.request = request = exchange.request
        self.headers = as_received(exchange.response_headers, request.browser)
        self.reason: Reason = reason
        self.status = exchange.status
        self.is_preflight = exchange.is_preflight
        self.method = escaped(request.method)
        self.first = request.first or request
        self.url = str(request.target)
        # Chromium and Firefox check the headers of a preflight before its status.
        self.header_reason: Reason | None = cors_check(request, self.headers)
        locations = values(self.headers, LOCATION)
        self.location = ", ".join(locations)
        self.location_url = parse_url(self.location, request.target)
        self.is_redirect = exchange.status in REDIRECT_STATUSES and bool(locations)
        self.is_followed = self.is_redirect and (
            exchange.is_preflight or request.redirect_mode == "follow"
        )
        # WebKit refuses some redirects only after the preflight of the next request.
        self.is_late = self.is_preflight and (
            preflight_check(request, exchange.status, self.headers) != reason
        )
        # Chromium and Firefox refuse two Locations before they look at any other header.
        self.has_two_locations = self.is_redirect and len(set(locations)) > 1

    def value(self, name: str) -> str:
        """Return the response's value of a header; empty without one."""
        return escaped(get(self.headers, name) or "")

    @property
    def target(self) -> str:
        """The URL that the response redirects to, or the Location if it is no URL."""
        return str(self.location_url or escaped(self.location))

    @property
    def refused_names(self) -> tuple[str, ...]:
        """The headers of the request that are not allowed, sorted; an empty one if all are."""
        return tuple(map(escaped, refused_headers(self.request, self.headers))) or ("",)

    def fill(self, template: str, **more: object) -> str:
        """Return a text with the values that it names."""
        return template.format_map(
            {
                "method": self.method,
                "url": self.url,
                "status": self.status,
                "header": self.refused_names[0],
                "origin": escaped(self.request.origin),
                **more,
            }
        )


def _chromium(refused: _Refusal) -> str:
    reason: Reason = refused.reason
    if refused.request.mode != "cors":
        return ""
    target = refused.location_url
    stays = (
        target is not None
        and target.origin == refused.request.origin
        and not refused.request.is_cross_origin
    )
    if reason == "redirect-refused" and target is not None and target.userinfo and not stays:
        reason = "redirect-with-credentials"
    if reason == "too-many-redirects":
        return refused.fill(texts.CHROMIUM_ERRORS[reason])
    is_data = reason == "redirect-invalid" and refused.location.lower().startswith("data:")
    if is_data or (not refused.is_preflight and _is_network_error(refused)):
        return refused.fill(texts.CHROMIUM_ERRORS["redirect-invalid"])
    if reason == "preflight-not-ok" or (
        reason == "preflight-redirected" and not refused.is_followed
    ):
        reason = refused.header_reason or "preflight-not-ok"
    key, value = _chromium_text(refused, reason)
    if key not in texts.CHROMIUM or (reason == "redirect-with-credentials" and stays):
        return ""
    text = texts.CHROMIUM[key]
    if refused.first.is_xhr and reason in ("wildcard-with-credentials", "credentials-not-allowed"):
        text += texts.CHROMIUM_FOR_XHR
    elif not refused.first.is_xhr and key.startswith(("multiple", "origin-mismatch")):
        text += texts.CHROMIUM_FOR_FETCH
    about_check = refused.is_preflight and reason not in _AFTER_CORS_CHECK
    first = str(refused.first.target)
    url = refused.target if reason == "redirect-invalid" else refused.url
    return refused.fill(
        texts.CHROMIUM_HEAD + (texts.CHROMIUM_PREFLIGHT if about_check else "") + text,
        kind="XMLHttpRequest" if refused.first.is_xhr else "fetch",
        header=_first_in_chromium(refused.refused_names),
        url=url,
        redirected="" if first == url else f"(redirected from '{first}') ",
        origin=escaped(refused.first.origin),
        value=value,
    )


def _chromium_text(refused: _Refusal, reason: Reason) -> tuple[str, str]:
    """Return the key of a text, and the value in it."""
    if reason == "credentials-not-allowed":
        return reason, refused.value(ACCESS_CONTROL_ALLOW_CREDENTIALS)
    if reason == "redirect-with-credentials":
        return reason, ""  # Chromium never fills the URL in.
    if reason == "redirect-invalid":
        return reason, _CHROMIUM_SCHEMES
    value = refused.value(ACCESS_CONTROL_ALLOW_ORIGIN)
    if reason == "origin-mismatch" and " " in value:
        return "multiple-allow-origin", value
    if reason == "origin-mismatch" and not _is_url(value):
        return "origin-mismatch/invalid", value
    return reason, value


def _is_network_error(refused: _Refusal) -> bool:
    """Return whether Chromium's network stack refuses a redirect before any check of CORS."""
    if refused.has_two_locations:
        return True
    return refused.is_followed and not (
        _OTHER_SCHEME.match(refused.location) or refused.location_url
    )


def _first_in_chromium(names: tuple[str, ...]) -> str:
    return min(names, key=lambda name: _CHROMIUM_RANKS.get(name, len(_CHROMIUM_RANKS)))


def _is_url(value: str) -> bool:
    return value == OPAQUE_ORIGIN or bool(_OTHER_SCHEME.match(value) or parse_url(value))


def _firefox(refused: _Refusal) -> str:
    lines = [_firefox_line(refused, kind) for kind in _firefox_reasons(refused)]
    return "\n".join(lines)


def _firefox_reasons(refused: _Refusal) -> Iterator[str]:
    """Yield the reason of each line."""
    reason: str = refused.reason
    if refused.request.mode != "cors":
        return
    if reason == "redirect-refused" and not refused.has_two_locations:
        return
    header_reason = refused.header_reason
    if refused.is_preflight:
        if reason in ("preflight-redirected", "preflight-not-ok"):
            if refused.is_followed and header_reason:
                yield header_reason
                yield "network-error"
            elif refused.is_followed:
                yield "preflight-redirected"
                target = refused.location_url
                following = refused.request
                if target is not None and target.origin != following.target.origin:
                    origin = OPAQUE_ORIGIN if following.is_cross_origin else following.origin
                    following = derived(following, origin=origin, target=target)
                yield cors_check(following, refused.headers) or "preflight-not-ok"
            else:
                yield header_reason or "preflight-not-ok"
        elif reason == "invalid-allow-headers" and not _covers_method(refused):
            yield "method-not-allowed"
        else:
            yield reason
        yield "network-error"
        return
    scheme = refused.location.lower().partition(":")[0]
    is_early = refused.has_two_locations or (refused.is_followed and scheme == "data")
    is_ftp = reason == "redirect-invalid" and scheme == "ftp"
    if is_ftp or not (is_early or reason in _REDIRECT_REASONS):
        yield reason
    if (refused.is_followed or refused.has_two_locations) and (
        refused.request.is_cross_origin or reason == "redirect-with-credentials"
    ):
        yield "network-error"


def _covers_method(refused: _Refusal) -> bool:
    request = refused.request
    return request.method in CORS_SAFELISTED_METHODS or covers_method(
        request, allowed_methods(request, refused.headers) or (), request.method
    )


def _firefox_line(refused: _Refusal, reason: str) -> str:
    head = texts.FIREFOX_HEAD
    text = texts.FIREFOX.get(reason, "")
    value = refused.value(ACCESS_CONTROL_ALLOW_ORIGIN)
    if reason == "wildcard-with-credentials":
        head = head.replace("{url}", "‘{url}’")  # noqa: RUF001
    elif (
        reason == "multiple-allow-origin"
        and len(values(refused.headers, ACCESS_CONTROL_ALLOW_ORIGIN)) == 1
    ):
        text = texts.FIREFOX["origin-mismatch"]
    elif reason.startswith("invalid-allow"):
        is_methods = reason == "invalid-allow-methods"
        name = ACCESS_CONTROL_ALLOW_METHODS if is_methods else ACCESS_CONTROL_ALLOW_HEADERS
        wrong = (item for item in items(refused.headers, name) if not is_token(item))
        value = escaped(next(wrong, ""))
    end = {
        "network-error": " Status code: (null).",
        "no-allow-origin": " Status code: {status}.",
        "preflight-not-ok": " Status code: {status}.",
    }.get(reason, "")
    url = refused.location if reason == "redirect-invalid" else refused.url
    return refused.fill(f"{head}{text}).{end}", url=url, value=value)


def _safari(refused: _Refusal) -> str:
    reason = refused.reason
    target, url = refused.target, refused.url
    if refused.is_late:
        # The exchange is the next request's preflight, and the text is about the redirect.
        url, target = refused.request.redirected_from or refused.url, refused.url
    if refused.request.mode == "cors":
        url = _without_userinfo(url)
    text, value = _webkit_text(refused)
    if reason == "redirect-leaves-origin":
        url = target
    elif not text:
        return ""
    elif refused.is_late or (refused.location and refused.is_redirect and not refused.is_preflight):
        if text == texts.WEBKIT["redirect-invalid/ftp"]:
            url = str(refused.first.target)
        elif text == texts.WEBKIT["redirect-invalid/no-cors"]:
            url = target
        elif reason not in ("too-many-redirects", "redirect-refused"):
            text = texts.WEBKIT_REDIRECT + text
    elif reason == "redirect-invalid":
        return ""
    return refused.fill(
        f"{text}\n{texts.WEBKIT_TAIL}".lstrip("\n"),
        kind="XMLHttpRequest" if refused.first.is_xhr else "Fetch API",
        header=_first_in_webkit(refused),
        url=url,
        target=_without_userinfo(target),
        location=target,
        value=value,
    )


def _webkit_text(refused: _Refusal) -> tuple[str, str]:
    """Return the first line without ``WEBKIT_REDIRECT``, and the value in it."""
    reason = refused.reason
    if reason == "preflight-redirected":
        reason = "preflight-not-ok"
    elif reason == "origin-mismatch":
        reason = "no-allow-origin"
    is_redirect = refused.is_redirect and not refused.is_preflight
    if is_redirect and refused.location.lower().startswith("ftp:"):
        return texts.WEBKIT["redirect-invalid/ftp"], ""
    if reason == "redirect-invalid":
        has_scheme = _OTHER_SCHEME.match(refused.location) is not None
        if refused.request.mode == "no-cors":
            return (texts.WEBKIT["redirect-invalid/no-cors"] if has_scheme else ""), ""
        if not (refused.request.is_cross_origin or has_scheme):
            return "", ""
    value = ""
    if reason == "invalid-allow-methods":
        value = refused.value(ACCESS_CONTROL_ALLOW_METHODS)
    elif reason == "invalid-allow-headers":
        value = refused.value(ACCESS_CONTROL_ALLOW_HEADERS)
    return texts.WEBKIT.get(reason, ""), value


def _without_userinfo(url: str) -> str:
    target = parse_url(url)
    return url if target is None else str(replace(target, userinfo=""))


def _first_in_webkit(refused: _Refusal) -> str:
    """Return the first refused header: WebKit lists names it knows first, else as written."""
    written = [_WEBKIT_NAMES.get(name.lower(), name) for name in refused.first.written_names]
    known = _WEBKIT_NAMES.values()
    ordered = sorted(written, key=lambda name: name not in known)
    names = refused.refused_names
    return next((escaped(name) for name in ordered if name.lower() in names), names[0])
