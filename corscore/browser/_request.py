"""``Request``: a script's request, with the headers that a browser sends for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Literal, get_args

from corscore._standard.fetch import (
    ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD,
    CORS_SAFELISTED_METHODS,
    FORBIDDEN_METHODS,
    NORMALISED_METHODS,
    OPAQUE_ORIGIN,
    ORIGIN,
)
from corscore._standard.grammar import is_token
from corscore._standard.host import ends_in_number, has_valid_punycode
from corscore._standard.origin import parse_origin
from corscore._standard.public_suffix import registrable_domain
from corscore.browser._deviations import Browser, deviates
from corscore.browser._headers import (
    HeaderList,
    HeadersInput,
    author_headers,
    decoded_headers,
    header_value,
    sort_and_combine,
    unsafe_names,
    values,
)
from corscore.browser._url import Url, parse_url

Credentials = Literal["omit", "same-origin", "include"]
Mode = Literal["cors", "no-cors", "same-origin"]
RedirectMode = Literal["follow", "error", "manual"]
CacheMode = Literal["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"]

# https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch: with one of these headers the
# cache mode is "no-store".
_CONDITIONS = frozenset(
    ("if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since")
)


@dataclass(frozen=True, init=False, slots=True)
class Request:
    """A script's ``fetch(url, {method, headers, credentials, mode, redirect})``.

    https://fetch.spec.whatwg.org/#dom-request and https://fetch.spec.whatwg.org/#concept-request.
    A body is not part of the model; give its type as a ``Content-Type`` among the headers.

    Attributes:
        method: The normalised method: DELETE, GET, HEAD, OPTIONS, POST and PUT in upper case.
        url: The URL as a browser writes it.
        origin: The origin that is sent; ``"null"`` after a redirect that hides the page's origin.
        headers: The author's headers that a browser keeps, names in lower case.
        credentials: The credentials mode.
        cookie: The cookies that the browser has for the URL's host.
        use_cors_preflight: Whether it needs a preflight although method and headers are safelisted.
        partition: The network partition, which separates the preflight caches of sites.
        redirects: The number of redirects that led here.
        cache_mode: The cache mode, which the standard's preflight cache ignores.
        is_xhr: Whether ``XMLHttpRequest`` sends it, which joins repeated headers.
        mode: The request mode: with ``"no-cors"`` a script can read no response of another origin.
        redirect_mode: The redirect mode.
        browser: The browser whose known deviations apply; None is the standard. ``fetch`` sets it.
        first: The script's own request if redirects led here, else None.
        redirected_from: The URL that its last redirect leads away from, else None.
        preflighted: Whether it needed a preflight before its last redirect.
        dropped: The names of the headers that its last redirect drops.
        sends_origin: Whether the request before its last redirect had an Origin.
        written_names: The names of its headers as the script writes them.
        target: ``url``, parsed.
        cookie_host: The host that ``cookie`` is for.
    """

    method: str
    url: str
    origin: str
    headers: HeaderList
    credentials: Credentials
    cookie: str | None = field(repr=False)
    use_cors_preflight: bool
    partition: str
    redirects: int
    cache_mode: CacheMode
    is_xhr: bool
    mode: Mode
    redirect_mode: RedirectMode
    browser: Browser | None = field(repr=False, compare=False)
    first: Request | None = field(repr=False, compare=False)
    redirected_from: str | None = field(repr=False, compare=False)
    preflighted: bool = field(repr=False, compare=False)
    dropped: frozenset[str] = field(repr=False, compare=False)
    sends_origin: bool = field(repr=False, compare=False)
    written_names: tuple[str, ...] = field(repr=False, compare=False)
    target: Url = field(repr=False, compare=False)
    cookie_host: str = field(repr=False)

    def __init__(
        self,
        method: str,
        url: str,
        *,
        origin: str,
        headers: HeadersInput = (),
        credentials: Credentials = "same-origin",
        cookie: str | None = None,
        use_cors_preflight: bool = False,
        partition: str | None = None,
        cache_mode: CacheMode = "default",
        is_xhr: bool = False,
        mode: Mode = "cors",
        redirect_mode: RedirectMode = "follow",
    ) -> None:
        """Create the request of a script.

        Args:
            method: Any token but CONNECT, TRACE and TRACK.
            url: An absolute HTTP(S) URL without user name and password.
            origin: The page's origin, ``"https://app.example"`` or ``"null"``.
            headers: The author's headers: pairs or a mapping. Forbidden ones are dropped silently,
                as ``fetch`` drops them.
            credentials: ``"omit"``, ``"same-origin"`` (the default of ``fetch``) or ``"include"``.
            cookie: The value of a ``Cookie`` header for the URL's host, sent with credentials.
            use_cors_preflight: Set for a streamed body or a listener on an upload's progress.
            partition: The origin of the top-level page if this page is a frame in it; None is the
                page's own.
            cache_mode: The ``cache`` of ``fetch``.
            is_xhr: Whether ``XMLHttpRequest`` sends it.
            mode: The ``mode`` of ``fetch``.
            redirect_mode: The ``redirect`` of ``fetch``.

        Raises:
            ValueError: An argument is invalid, or ``fetch`` refuses to send such a request.
        """
        target = _valid_url(url)
        for option, value, kind in (
            ("credentials", credentials, Credentials),
            ("cache_mode", cache_mode, CacheMode),
            ("mode", mode, Mode),
            ("redirect_mode", redirect_mode, RedirectMode),
        ):
            if value not in get_args(kind):
                known = ", ".join(f'"{one}"' for one in get_args(kind))
                raise ValueError(f"{option}={value!a} is not known: use {known}")
        object.__setattr__(self, "method", _valid_method(method))
        object.__setattr__(self, "url", str(target))
        object.__setattr__(self, "origin", _valid_origin(origin))
        written = decoded_headers(headers)
        kept = author_headers(written, no_cors=mode == "no-cors")
        # https://xhr.spec.whatwg.org/#the-setrequestheader()-method
        object.__setattr__(self, "headers", sort_and_combine(kept) if is_xhr else kept)
        object.__setattr__(self, "credentials", credentials)
        object.__setattr__(self, "cookie", cookie and header_value(cookie))
        object.__setattr__(self, "use_cors_preflight", use_cors_preflight)
        object.__setattr__(self, "partition", origin if partition is None else partition)
        object.__setattr__(self, "redirects", 0)
        object.__setattr__(self, "cache_mode", cache_mode)
        object.__setattr__(self, "is_xhr", is_xhr)
        object.__setattr__(self, "mode", mode)
        object.__setattr__(self, "redirect_mode", redirect_mode)
        object.__setattr__(self, "browser", None)
        object.__setattr__(self, "first", None)
        object.__setattr__(self, "redirected_from", None)
        object.__setattr__(self, "preflighted", False)
        object.__setattr__(self, "dropped", frozenset())
        object.__setattr__(self, "sends_origin", False)
        object.__setattr__(self, "written_names", tuple(name for name, _ in written))
        object.__setattr__(self, "target", target)
        object.__setattr__(self, "cookie_host", target.host)
        _check_modes(self)

    @property
    def is_cross_origin(self) -> bool:
        """Whether the URL is of another origin; an opaque origin differs from every other."""
        return self.origin != self.target.origin

    @property
    def tainting(self) -> Literal["basic", "cors", "opaque"]:
        """Which response the script gets; CORS applies to the second.

        https://fetch.spec.whatwg.org/#concept-request-response-tainting
        """
        if not self.is_cross_origin:
            return "basic"
        return "opaque" if self.mode == "no-cors" else "cors"

    @property
    def with_credentials(self) -> bool:
        """Whether the CORS protocol counts this as a request with credentials.

        https://fetch.spec.whatwg.org/#cors-protocol-and-credentials: by mode, not by cookies.
        """
        return self.credentials == "include"

    @property
    def header_list(self) -> HeaderList:
        """The author's headers, and the Accept that a browser adds to them.

        https://fetch.spec.whatwg.org/#concept-fetch adds it before it looks for unsafe headers.
        """
        if values(self.headers, "accept"):
            return self.headers
        return (*self.headers, ("accept", "*/*"))

    @property
    def unsafe_names(self) -> tuple[str, ...]:
        """The names of its headers that another origin must allow, sorted."""
        if self.first is not None and deviates(self.browser, "preflight-of-first-headers"):
            return unsafe_names(self.first.header_list, self.browser)
        if self.first is not None and deviates(self.browser, "dropped-headers-come-back"):
            asked = unsafe_names(self.first.header_list, self.browser)
            return tuple(name for name in asked if name not in self.dropped)
        return unsafe_names(self.header_list, self.browser)

    @property
    def bypasses_cache(self) -> bool:
        """Whether this browser sends the preflight even if the preflight cache covers it."""
        if self.cache_mode == "no-cache":
            return deviates(self.browser, "cache-bypassed-by-no-cache")
        if not deviates(self.browser, "cache-bypassed-by-conditions"):
            return False
        if self.is_xhr and not deviates(self.browser, "cache-bypassed-by-xhr"):
            return False
        return self.cache_mode in ("no-store", "reload") or any(
            name in _CONDITIONS for name, _ in self.headers
        )


def _check_modes(request: Request) -> None:
    # https://fetch.spec.whatwg.org/#dom-request, and #concept-main-fetch, step 12.
    is_foreign = request.is_cross_origin
    if request.is_xhr and (request.mode, request.redirect_mode) != ("cors", "follow"):
        raise ValueError("XMLHttpRequest has neither mode nor redirect_mode")
    if request.mode == "no-cors" and request.method not in CORS_SAFELISTED_METHODS:
        raise ValueError(f'method="{request.method}" is refused by fetch in mode "no-cors"')
    if request.mode == "no-cors" and request.use_cors_preflight:
        raise ValueError('use_cors_preflight=True is refused by fetch in mode "no-cors"')
    if request.mode == "same-origin" and is_foreign:
        raise ValueError(
            f'url="{request.url}" is not of the origin {request.origin}, which mode "same-origin" '
            "needs"
        )
    if request.mode == "no-cors" and request.redirect_mode != "follow" and is_foreign:
        raise ValueError(
            f'redirect_mode="{request.redirect_mode}" is refused by fetch in mode "no-cors" for '
            "another origin"
        )


def _valid_method(method: str) -> str:
    # https://fetch.spec.whatwg.org/#dom-request, and #concept-method-normalize
    upper = method.upper()
    if not is_token(method):
        raise ValueError(f"method={method!a} is not a method: it must be a token")
    if upper in FORBIDDEN_METHODS:
        raise ValueError(f'method="{method}" is forbidden to scripts')
    return upper if upper in NORMALISED_METHODS else method


def _valid_url(url: str) -> Url:
    target = parse_url(url)
    if target is None:
        meant = _meant_url(url)
        hint = f': write "{meant}"' if meant is not None else ""
        raise ValueError(f"url={url!a} is not an absolute HTTP(S) URL{hint}")
    if target.userinfo:
        raise ValueError(f"url={url!a} has a user name or password in it, which fetch refuses")
    return target


def _meant_url(text: str) -> Url | None:
    """Return the URL that a text with a missing or misspelt scheme means, or None."""
    written, separator, rest = text.strip().partition("://")
    if separator and not get_close_matches(written.lower(), ("http", "https"), 1, cutoff=0.7):
        return None
    if not separator:
        # "https//a.example" and "//a.example", but no path.
        rest = re.sub(r"^(?:https?:?/+|//)", "", text.strip(), flags=re.IGNORECASE)
    host = re.split("[/:?#]", rest)[0].lower()
    if "." not in host and host != "localhost":
        return None
    scheme = "http" if host == "localhost" or host.startswith("127.") else "https"
    url = parse_url(f"{scheme}://{rest}")
    return None if url is None or url.userinfo or not _is_sendable_origin(url.origin) else url


def _valid_origin(origin: str) -> str:
    if not _is_sendable_origin(origin):
        url = parse_url(origin) or _meant_url(origin)
        meant = None if url is None or not _is_sendable_origin(url.origin) else url.origin
        hint = f': write "{meant}"' if meant else ', such as "https://app.example" or "null"'
        raise ValueError(f"origin={origin!a} is not an origin as browsers send it{hint}")
    return origin


def _is_sendable_origin(origin: str) -> bool:
    parsed = parse_origin(origin)
    if parsed is None:
        return origin == OPAQUE_ORIGIN
    return has_valid_punycode(parsed.host)


def needs_preflight(request: Request) -> bool:
    """Return whether the request needs a preflight, unless the cache covers it.

    https://fetch.spec.whatwg.org/#concept-main-fetch, step 12: another origin, and a method or
    header that is not safelisted.
    """
    if request.tainting != "cors":
        return False
    if (
        request.use_cors_preflight
        or request.method not in CORS_SAFELISTED_METHODS
        or request.unsafe_names
    ):
        return True
    if request.first is None or not deviates(request.browser, "preflight-after-redirect"):
        return False
    return request.preflighted or bool(unsafe_names(request.first.header_list, request.browser))


def as_preflighted(request: Request) -> Request:
    """Return the request that its preflight announces: in Firefox, from the page's own origin."""
    if request.first is None or not deviates(request.browser, "preflight-from-page"):
        return request
    return derived(request, origin=request.first.origin)


def in_browser(request: Request, browser: Browser | None) -> Request:
    """Return the request as this browser sends it; None changes nothing."""
    if browser is None or browser == request.browser:
        return request
    headers = request.headers
    if deviates(browser, "user-agent-is-forbidden"):
        headers = tuple(pair for pair in headers if pair[0] != "user-agent")
    return derived(request, browser=browser, headers=headers)


def preflight_headers(request: Request) -> HeaderList:
    """Return the headers of the preflight for this request.

    https://fetch.spec.whatwg.org/#cors-preflight-fetch, steps 1 to 5; never any credentials.
    """
    names = request.unsafe_names
    # Step 5 joins with a comma alone, unlike "combine" elsewhere in the standard.
    asked = ((ACCESS_CONTROL_REQUEST_HEADERS, ",".join(names)),) if names else ()
    return (
        ("accept", "*/*"),
        (ACCESS_CONTROL_REQUEST_METHOD, request.method),
        *asked,
        (ORIGIN, request.origin),
    )


def request_headers(request: Request) -> HeaderList:
    """Return the headers of the request itself.

    Origin is sent where CORS applies, and elsewhere with every method but GET and HEAD:
    https://fetch.spec.whatwg.org/#append-a-request-origin-header. Cookies are sent as the
    credentials mode says, and only to the host they were given for:
    https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch, includeCredentials.
    """
    headers = request.header_list
    if request.tainting == "cors" or request.sends_origin or has_storage_access(request):
        headers = (*headers, (ORIGIN, request.origin))
    elif request.method not in ("GET", "HEAD"):
        # The default referrer policy hides the origin of an https page from a server on http.
        is_downgrade = request.origin.startswith("https:") and request.target.scheme == "http"
        is_hidden = is_downgrade and request.mode != "cors"
        headers = (*headers, (ORIGIN, OPAQUE_ORIGIN if is_hidden else request.origin))
    sends_credentials = request.with_credentials or (
        request.credentials == "same-origin" and not request.is_cross_origin
    )
    if sends_credentials and request.cookie and request.target.host == request.cookie_host:
        headers = (*headers, ("cookie", request.cookie))
    return headers


def has_storage_access(request: Request) -> bool:
    """Return whether a browser sends Origin because of the Storage Access API.

    https://privacycg.github.io/storage-access-headers/: seen in frames whose origin is null, for
    URLs of the top-level page's site.
    """
    return (
        deviates(request.browser, "origin-with-storage-access")
        and request.first is None
        and request.origin == OPAQUE_ORIGIN
        and (request.mode, request.credentials) == ("no-cors", "include")
        and is_same_site(request.partition, request.target)
    )


def is_same_site(page: str, target: Url) -> bool:
    """Return whether a page's origin and a URL are of one site.

    A page on http and a URL on https never are: https://html.spec.whatwg.org/#schemelessly-same-site,
    and the second condition of
    https://fetch.spec.whatwg.org/#cross-origin-resource-policy-internal-check.
    """
    url = parse_url(page)
    if url is None or (url.scheme == "http" and target.scheme == "https"):
        return False
    if url.host == target.host:
        return True
    if any(host.startswith("[") or ends_in_number(host) for host in (url.host, target.host)):
        return False
    site = registrable_domain(url.host)
    return site is not None and site == registrable_domain(target.host)


def derived(request: Request, **changes: object) -> Request:
    """Return a copy with other values, without the checks of ``__init__``.

    A redirect may lead to more than a script may ask for, such as a URL with a password.
    """
    copy = object.__new__(Request)
    for attribute in fields(Request):
        value = changes.get(attribute.name, getattr(request, attribute.name))
        object.__setattr__(copy, attribute.name, value)
    return copy
