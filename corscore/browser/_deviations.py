"""``KNOWN_DEVIATIONS``: where the engines of real browsers differ from the Fetch standard.

Each was seen in the version that it names, and the tests in ``tests/browsers`` reproduce it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

    from corscore.browser._reasons import Reason

Browser = Literal["chromium", "firefox", "safari"]
"""The browser engines whose deviations are known; None means the standard."""

VERSIONS: Mapping[Browser, str] = MappingProxyType(
    {"chromium": "Chromium 156", "firefox": "Firefox 153", "safari": "WebKitGTK 2.50"}
)
"""The version of each engine in which its deviations were seen."""

MAX_AGE_LIMITS: Mapping[Browser, int] = MappingProxyType(
    {"chromium": 7200, "firefox": 86400, "safari": 600}
)
"""The longest that each keeps a preflight, in seconds, whatever Access-Control-Max-Age says."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """A difference between a browser and the standard.

    Attributes:
        browser: The browser.
        code: The name of the difference; several browsers may share it.
        when: The requests or responses that it is about, as a clause.
        what: What the browser does then, in one sentence without its full stop.
        source: The address or the source file of the browser's rule.
        version: The version in which it was seen.
        reason: The reason for which the standard refuses and this browser does not; mostly None.
    """

    browser: Browser
    code: str
    when: str
    what: str
    source: str
    version: str
    reason: Reason | None = None


_CHROMIUM = "Chromium, services/network/public/cpp/cors/cors.cc"
_CHROMIUM_CACHE = "Chromium, services/network/public/cpp/cors/preflight_cache.cc"
_CHROMIUM_RESULT = "Chromium, services/network/public/cpp/cors/preflight_result.cc"
_CHROMIUM_LOADER = "Chromium, services/network/cors/cors_url_loader.cc"
_CHROMIUM_POLICY = "Chromium, services/network/public/cpp/cross_origin_resource_policy.cc"
_CHROMIUM_NET = "Chromium, net/http/http_response_headers.cc"
_STORAGE_ACCESS = "https://privacycg.github.io/storage-access-headers/"
_FIREFOX = "Firefox, netwerk/protocol/http/nsCORSListenerProxy.cpp"
_FIREFOX_HEADERS = "Firefox, netwerk/protocol/http/nsHttpHeaderArray.cpp"
_FIREFOX_SAFE = "Firefox, dom/base/nsContentUtils.cpp"
_FIREFOX_FETCH = "Firefox, dom/fetch/InternalHeaders.cpp"
_WEBKIT = "WebKit, Source/WebKit/NetworkProcess/NetworkLoadChecker.cpp"
_WEBKIT_CACHE = "WebKit, Source/WebCore/loader/CrossOriginPreflightResultCache.cpp"
_WEBKIT_SAFE = "WebKit, Source/WebCore/platform/network/HTTPParsers.cpp"
_WEBKIT_SUBRESOURCE = "WebKit, Source/WebCore/loader/SubresourceLoader.cpp"
_WEBKIT_SOUP = "WebKit, Source/WebKit/NetworkProcess/soup/NetworkDataTaskSoup.cpp"

_Row = tuple[str, str, str, dict[Browser, str]]

# Code, when, what, and the source of each browser's rule.
_ROWS: tuple[_Row, ...] = (
    # Which headers and requests need a preflight
    (
        "client-hints-are-safe",
        "valid Save-Data, DPR, Device-Memory, Downlink, Width, Viewport-Width, RTT and ECT",
        "they need no preflight",
        {"chromium": _CHROMIUM},
    ),
    (
        "user-agent-is-forbidden",
        "a script sets User-Agent",
        "it is dropped, like a forbidden header",
        {"chromium": "https://crbug.com/571722"},
    ),
    (
        "long-range-is-unsafe",
        "a Range with a number of 20 digits",
        "it needs a preflight",
        {"chromium": _CHROMIUM, "firefox": _FIREFOX_SAFE, "safari": _WEBKIT_SAFE},
    ),
    (
        "range-unit-in-any-case",
        'a Range that begins with "Bytes="',
        "it needs no preflight",
        {"safari": _WEBKIT_SAFE},
    ),
    (
        "accept-is-ascii",
        "an Accept or a Content-Type that is not ASCII, or a Content-Type with a comma",
        "it needs a preflight",
        {"firefox": _FIREFOX_SAFE},
    ),
    (
        "repeated-headers-are-joined",
        "fetch is given a header twice",
        "the values are judged as one, joined by a comma",
        {"chromium": _CHROMIUM, "safari": _WEBKIT},
    ),
    (
        "repeated-headers-are-repeated",
        "fetch is given a header twice",
        "Access-Control-Request-Headers names it twice",
        {"firefox": _FIREFOX},
    ),
    (
        "values-without-total",
        "safelisted values of more than 1,024 bytes in total, given to fetch",
        "they need no preflight",
        {"firefox": _FIREFOX_SAFE},
    ),
    (
        "origin-with-storage-access",
        'a frame whose Origin is null, "no-cors" with credentials, and a URL of its page\'s site',
        "the Origin is sent with a GET, too",
        {"chromium": _STORAGE_ACCESS, "firefox": _STORAGE_ACCESS},
    ),
    # Redirects
    (
        "preflight-after-redirect",
        "a redirect makes a request harmless that needed a preflight before",
        "it is preflighted again",
        {"firefox": _FIREFOX, "safari": _WEBKIT},
    ),
    (
        "client-hints-are-dropped",
        "a client hint other than Save-Data, and a redirect away from the page's origin",
        "the hint is dropped",
        {"chromium": _CHROMIUM_LOADER},
    ),
    (
        "redirects-with-credentials",
        'credentials: "same-origin", and a redirect has led away from the page\'s origin',
        "a further redirect must allow credentials",
        {"safari": _WEBKIT_SUBRESOURCE},
    ),
    (
        "passwords-are-refused-late",
        "a redirect leads from the page's origin to another, to a URL with a user name",
        "the fetch fails after the preflight there",
        {"safari": _WEBKIT_SUBRESOURCE},
    ),
    (
        "dropped-headers-come-back",
        "a redirect has dropped a header, and another redirect follows",
        "the preflight asks for the header again",
        {"firefox": _FIREFOX},
    ),
    (
        "method-must-be-listed",
        "a preflight for an upload listener is answered without Access-Control-Allow-Methods",
        "a method that is not safelisted is refused",
        {"chromium": _CHROMIUM_RESULT, "firefox": _FIREFOX, "safari": _WEBKIT_CACHE},
    ),
    (
        "cache-covers-uploads",
        "an upload listener, and a cache that knows the URL, but not the method",
        "a safelisted method needs no preflight",
        {"chromium": _CHROMIUM_RESULT, "firefox": _FIREFOX, "safari": _WEBKIT_CACHE},
    ),
    (
        "preflight-of-first-headers",
        "a redirect drops Authorization or Content-Type",
        "the preflight asks for the headers of the script, dropped ones included",
        {"safari": _WEBKIT},
    ),
    (
        "preflight-from-page",
        "a redirect between foreign origins has made the Origin null",
        "the preflight has the page's Origin, and the request has null",
        {"firefox": _FIREFOX},
    ),
    (
        "equal-locations-are-one",
        "a redirect has the same Location twice",
        "it is followed",
        {"chromium": _CHROMIUM_NET, "firefox": _FIREFOX_HEADERS},
    ),
    (
        "locations-are-joined",
        "a redirect has two Locations",
        "they are read as one URL, joined by a comma",
        {"safari": _WEBKIT_SOUP},
    ),
    (
        "empty-location-is-none",
        "the Location of a redirect is empty",
        "the redirect is the final response",
        {"chromium": _CHROMIUM_NET},
    ),
    (
        "empty-location-is-invalid",
        "the Location of a redirect is empty",
        "the fetch fails",
        {"safari": _WEBKIT_SOUP},
    ),
    (
        "no-passwords-in-redirects",
        "a redirect within the page's origin leads to a URL with a user name, for fetch",
        "the fetch fails",
        {"chromium": _CHROMIUM_LOADER},
    ),
    (
        "error-needs-location",
        'redirect: "error", and a redirect without a Location or with an empty one',
        "the script gets it",
        {"chromium": _CHROMIUM_NET, "safari": _WEBKIT_SOUP},
    ),
    (
        "manual-needs-one-location",
        'redirect: "manual", and a redirect with two Locations',
        "the fetch fails",
        {"chromium": _CHROMIUM_NET, "firefox": _FIREFOX_HEADERS},
    ),
    (
        "manual-needs-a-url",
        'redirect: "manual", and a redirect whose Location is no URL',
        "the fetch fails",
        {"chromium": _CHROMIUM_LOADER},
    ),
    (
        "manual-refuses-ftp",
        'redirect: "manual", and a redirect to an ftp: URL',
        "the fetch fails",
        {"safari": _WEBKIT_SOUP},
    ),
    (
        "no-cors-redirects-taint",
        'a redirect of a POST in mode "no-cors" leads away from the page\'s origin',
        "the Origin becomes null",
        {"chromium": _CHROMIUM_LOADER},
    ),
    (
        "storage-access-origin-stays",
        "a GET that has an Origin for the Storage Access API is redirected to another origin",
        "the Origin is still sent",
        {"chromium": _STORAGE_ACCESS},
    ),
    (
        "delete-becomes-get",
        "a redirect of a DELETE leads to another origin (in WebKitGTK)",
        "the next request is a GET",
        {"safari": _WEBKIT_SOUP},
    ),
    (
        "origin-stays",
        "a redirect within the page's origin turns a request into a GET (in WebKitGTK)",
        "the Origin is still sent",
        {"safari": _WEBKIT_SOUP},
    ),
    # The preflight cache
    (
        "cache-replaces",
        "a preflight is answered for an origin and a URL that the cache knows",
        "the entry is replaced, not added to; one that does not cover a request is removed",
        {"chromium": _CHROMIUM_CACHE, "safari": _WEBKIT_CACHE},
    ),
    (
        "cache-survives-failures",
        "a request fails after its preflight",
        "the cache keeps what the preflight allowed",
        {"chromium": _CHROMIUM_CACHE, "safari": _WEBKIT_CACHE},
    ),
    (
        "cache-survives-refused-redirects",
        'a fetch with redirect: "error" fails at a redirect',
        "the cache keeps what the preflight allowed",
        {"firefox": _FIREFOX},
    ),
    (
        "cache-cleared-by-any-failure",
        'a request in mode "cors" that needed no preflight fails',
        "the cache is cleared for its URL",
        {"firefox": _FIREFOX},
    ),
    (
        "cache-stores-refusals",
        "a preflight passes the CORS check, but allows too little",
        "its answer is stored nevertheless",
        {"safari": _WEBKIT_CACHE},
    ),
    (
        "cache-by-credentials",
        "requests for a URL with and without credentials",
        "neither counts for the other",
        {"firefox": _FIREFOX},
    ),
    (
        "cache-without-wildcards",
        "a preflight is answered with *",
        "it counts for that request only",
        {"firefox": _FIREFOX},
    ),
    (
        "cache-checks-head",
        "a HEAD request with a header that the cache has",
        "it is preflighted unless the cache has the method, too",
        {"firefox": _FIREFOX},
    ),
    (
        "cache-wildcards-by-credentials",
        "a preflight with credentials is answered with *",
        "it does not count for requests without credentials",
        {"chromium": _CHROMIUM_RESULT},
    ),
    (
        "cache-wildcard-covers-authorization",
        "a preflight is answered with Access-Control-Allow-Headers: *",
        "it counts for later requests with Authorization",
        {"safari": _WEBKIT_CACHE},
    ),
    (
        "cache-not-of-null",
        "the Origin is null",
        "nothing is stored",
        {"chromium": _CHROMIUM_CACHE},
    ),
    (
        "cache-ends-with-fetch",
        "a redirect between foreign origins has made the Origin null",
        "what is stored counts for that fetch only",
        {"safari": _WEBKIT_CACHE},
    ),
    (
        "negative-age-is-zero",
        "Access-Control-Max-Age is negative",
        "nothing is stored",
        {"chromium": _CHROMIUM_RESULT, "safari": _WEBKIT_CACHE},
    ),
    (
        "signed-age-counts",
        "Access-Control-Max-Age begins with a plus",
        "it is read as a number",
        {"chromium": _CHROMIUM_RESULT, "safari": _WEBKIT_CACHE},
    ),
    (
        "long-age-is-invalid",
        "Access-Control-Max-Age has 20 digits",
        "it counts as malformed",
        {"chromium": _CHROMIUM_RESULT, "safari": _WEBKIT_CACHE},
    ),
    (
        "malformed-age-stores-nothing",
        "Access-Control-Max-Age is 0, malformed or sent twice",
        "nothing is stored, and older entries stay",
        {"firefox": _FIREFOX},
    ),
    (
        "cache-bypassed-by-conditions",
        "a fetch with If-None-Match or another condition, or cache: no-store or reload",
        "the preflight is always sent",
        {"chromium": _CHROMIUM_LOADER, "firefox": _FIREFOX},
    ),
    (
        "cache-bypassed-by-xhr",
        "an XMLHttpRequest with If-None-Match or another condition",
        "the preflight is always sent",
        {"chromium": _CHROMIUM_LOADER},
    ),
    (
        "cache-bypassed-by-no-cache",
        "the request has cache: no-cache",
        "the preflight is always sent",
        {"chromium": _CHROMIUM_LOADER},
    ),
    # Responses
    (
        "resource-policy-of-frame",
        "Cross-Origin-Resource-Policy: same-site, and a frame whose Origin is null",
        "the site is that of the page which has the frame",
        {"chromium": _CHROMIUM_POLICY},
    ),
    (
        "empty-lines-are-ignored",
        "a header is sent twice, and one of the two is empty",
        "only the other counts",
        {"firefox": _FIREFOX_HEADERS},
    ),
    (
        "expose-star-before-errors",
        "Access-Control-Expose-Headers has a * before an element that is no name, for fetch",
        "all headers are exposed",
        {"firefox": _FIREFOX_FETCH},
    ),
    (
        "wildcard-covers-authorization",
        "Access-Control-Allow-Headers is *, and there are no credentials",
        "it covers Authorization",
        {
            "chromium": "https://chromestatus.com/feature/5742041264816128",
            "firefox": "https://bugzilla.mozilla.org/show_bug.cgi?id=1687364",
            "safari": _WEBKIT_CACHE,
        },
    ),
)

_WAIVED: Mapping[str, Reason] = MappingProxyType(
    {"wildcard-covers-authorization": "authorization-needs-explicit"}
)

KNOWN_DEVIATIONS: tuple[Deviation, ...] = tuple(
    Deviation(browser, code, when, what, source, VERSIONS[browser], _WAIVED.get(code))
    for code, when, what, sources in _ROWS
    for browser, source in sources.items()
)

_WAIVING = frozenset((known.browser, known.reason) for known in KNOWN_DEVIATIONS)
_CODES = {
    browser: frozenset(known.code for known in KNOWN_DEVIATIONS if known.browser == browser)
    for browser in get_args(Browser)
}


def check_browser(browser: Browser | None) -> None:
    """Raise on an unknown name, which would silently mean the standard.

    Raises:
        ValueError: The name is neither in ``Browser`` nor None.
    """
    if browser is not None and browser not in get_args(Browser):
        known = ", ".join(f'"{name}"' for name in get_args(Browser))
        raise ValueError(f"browser={browser!a} is not known: use {known} or None")


def deviates(browser: Browser | None, code: str) -> bool:
    """Return whether this browser has the deviation of that code."""
    return browser is not None and code in _CODES[browser]


def waives(browser: Browser | None, reason: Reason) -> bool:
    """Return whether this browser allows what the standard refuses for this reason."""
    return (browser, reason) in _WAIVING
