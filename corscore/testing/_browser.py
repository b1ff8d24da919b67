"""The model browser over test clients, and its assertions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from corscore import browser
from corscore.browser._url import parse_url
from corscore.diagnostics import Explanation, explain_fetch
from corscore.testing._clients import ClientResponse, ClientTransport, SentRequest, transport_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from corscore.browser import Browser, Credentials, PreflightCache, Request
    from corscore.browser._headers import HeadersInput


@dataclass(frozen=True, slots=True)
class FetchResult(browser.FetchResult):
    """The result of a fetch as its script sees it, and the client's last response.

    Attributes:
        request: The script's request.
        response: The client's own last response object, whether or not the script may read it.
    """

    request: Request = field(repr=False)
    response: Any = field(repr=False, compare=False)

    @property
    def explanation(self) -> Explanation:
        """The explanation why the script got the response, or did not."""
        return explain_fetch(self)


def fetch(
    client: Any,
    url: str,
    *,
    origin: str,
    method: str = "GET",
    headers: HeadersInput = (),
    credentials: Credentials = "same-origin",
    body: bytes | str = b"",
    cache: PreflightCache | None = None,
    browser: Browser | None = None,
) -> FetchResult:
    """Do what a browser does when a script calls ``fetch``: preflight, request and redirects.

    Args:
        client: One of the clients that ``corscore.testing`` names.
        url: An absolute URL, or one relative to the client's base URL.
        origin: The page's origin, ``"https://app.example.com"`` or ``"null"``.
        method: The method as the script writes it.
        headers: The script's headers: pairs or a mapping. None of the client's own is sent.
        credentials: ``"omit"``, ``"same-origin"`` (the default of ``fetch``) or ``"include"``. The
            client's cookies are sent, and kept, where a browser would.
        body: The request's body; its ``Content-Type`` is one of the headers.
        cache: The browser's preflight cache, read and filled; None sends every preflight.
        browser: The browser whose known deviations apply; None is the standard.

    Returns:
        The result; with an asynchronous client an awaitable of it, as from ``afetch``.

    Raises:
        TypeError: The client is of no supported kind.
        ValueError: An argument is invalid, or a browser refuses to send such a request.
        Exception: Any exception of the client, such as one of a view.
    """
    fetching = _Fetch(transport_for(client), url, origin, method, headers, credentials, body)
    if fetching.transport.is_async:
        # Typed for the clients of most tests; `afetch` has the type of the others.
        return fetching.arun(cache, browser)  # type: ignore[return-value]
    return fetching.run(cache, browser)


async def afetch(
    client: Any,
    url: str,
    *,
    origin: str,
    method: str = "GET",
    headers: HeadersInput = (),
    credentials: Credentials = "same-origin",
    body: bytes | str = b"",
    cache: PreflightCache | None = None,
    browser: Browser | None = None,
) -> FetchResult:
    """``fetch`` as a coroutine, for asynchronous clients and for all others."""
    fetching = _Fetch(transport_for(client), url, origin, method, headers, credentials, body)
    return await fetching.arun(cache, browser)


class _Fetch:
    """One fetch over a client."""

    def __init__(
        self,
        transport: ClientTransport,
        url: str,
        origin: str,
        method: str,
        headers: HeadersInput,
        credentials: Credentials,
        body: bytes | str,
    ) -> None:
        self.transport = transport
        base = parse_url(transport.base)
        target = parse_url(url, base)
        if target is None:
            hint = "" if base else ": this client has no base URL, so that it must be absolute"
            raise ValueError(f"url={url!a} is not an HTTP(S) URL{hint}")
        self._request = browser.Request(
            method, str(target), origin=origin, headers=headers, credentials=credentials
        )
        self._body = body.encode() if isinstance(body, str) else body
        self._last: ClientResponse | None = None

    def run(self, cache: PreflightCache | None, engine: Browser | None) -> FetchResult:
        def send(method: str, url: str, headers: list[tuple[str, str]]) -> browser.Response:
            return self._receive(self.transport.send(self._sent(method, url, headers)))

        return self._result(browser.fetch(self._request, send, cache, browser=engine))

    async def arun(self, cache: PreflightCache | None, engine: Browser | None) -> FetchResult:
        async def send(method: str, url: str, headers: list[tuple[str, str]]) -> browser.Response:
            return self._receive(await self.transport.asend(self._sent(method, url, headers)))

        return self._result(await browser.afetch(self._request, send, cache, browser=engine))

    def _sent(self, method: str, url: str, headers: list[tuple[str, str]]) -> SentRequest:
        is_preflight = any(name == "access-control-request-method" for name, _ in headers)
        credentials = self._request.credentials
        target = parse_url(url)
        is_same_origin = target is not None and target.origin == self._request.origin
        return SentRequest(
            method,
            url,
            headers,
            # A redirect that turns the method into GET drops the body.
            b"" if is_preflight or method in ("GET", "HEAD") else self._body,
            not is_preflight
            and (credentials == "include" or (credentials == "same-origin" and is_same_origin)),
        )

    def _receive(self, response: ClientResponse) -> browser.Response:
        self._last = response
        return response.status, response.headers

    def _result(self, result: browser.FetchResult) -> FetchResult:
        return FetchResult(
            result.reason,
            result.status,
            result.headers,
            result.hidden,
            result.preflight_cached,
            result.exchanges,
            result.type,
            self._request,
            None if self._last is None else self._last.response,
        )


def assert_cors_allowed(
    result: Any, url: str | None = None, *, exposes: Iterable[str] = (), **options: Any
) -> FetchResult:
    """Fail unless the script got the response; the failure says why it did not, and what to do.

    Args:
        result: The result of ``fetch``, or a client to fetch with.
        url: With a client, the URL to fetch.
        exposes: Names of response headers that the script has to be able to read.
        options: With a client, the other arguments of ``fetch``.

    Returns:
        The result.

    Raises:
        AssertionError: The browser refused; the text is the explanation.
        TypeError: ``result`` is neither a result nor a client.
    """
    __tracebackhide__ = True
    fetched = _fetched(result, url, options)
    explanation = explain_fetch(fetched, reads=exposes)
    if not explanation.allowed:
        raise AssertionError(_text("a browser does not allow this", fetched, explanation))
    return fetched


def assert_cors_refused(
    result: Any, url: str | None = None, *, reason: str | None = None, **options: Any
) -> FetchResult:
    """Fail unless the browser kept the response from the script.

    Args:
        result: The result of ``fetch``, or a client to fetch with.
        url: With a client, the URL to fetch.
        reason: The code that it must be for: a key of ``corscore.browser.REASONS``, or the cause
            that the explanation finds behind it, such as ``"method-case"``. None is any.
        options: With a client, the other arguments of ``fetch``.

    Returns:
        The result.

    Raises:
        AssertionError: The browser did not refuse, or for another reason; the text is the
            explanation.
        TypeError: ``result`` is neither a result nor a client.
    """
    __tracebackhide__ = True
    fetched = _fetched(result, url, options)
    explanation = fetched.explanation
    if explanation.allowed:
        raise AssertionError(_text("a browser allows this", fetched, explanation))
    if reason is not None and reason not in (explanation.reason, explanation.browser_reason):
        verdict = f"refused, but for {explanation.reason!a} and not for {reason!a}"
        raise AssertionError(_text(verdict, fetched, explanation))
    return fetched


def _fetched(result: Any, url: str | None, options: dict[str, Any]) -> FetchResult:
    if url is not None:
        result = fetch(result, url, **options)
    if isinstance(result, FetchResult):
        return result
    if hasattr(result, "__await__"):
        raise TypeError("a result was expected, not something to await; write `await fetch(...)`")
    raise TypeError(f"a result of corscore.testing.fetch was expected, not {type(result).__name__}")


def _text(verdict: str, result: FetchResult, explanation: Explanation) -> str:
    request = result.request
    return f"{verdict}: {request.method} {request.url} from {request.origin}\n{explanation}"


class CORSBrowser:
    """A browser with a preflight cache of its own: the fixture ``cors_browser``.

    Attributes:
        cache: The preflight cache of all its fetches.
    """

    def __init__(self) -> None:
        self.cache: PreflightCache = browser.PreflightCache()

    def fetch(self, client: Any, url: str, *, origin: str, **options: Any) -> FetchResult:
        """Call ``corscore.testing.fetch`` with this browser's cache; the same arguments."""
        return fetch(client, url, origin=origin, **{"cache": self.cache, **options})

    def afetch(
        self, client: Any, url: str, *, origin: str, **options: Any
    ) -> Awaitable[FetchResult]:
        """Call ``corscore.testing.afetch`` with this browser's cache; the same arguments."""
        return afetch(client, url, origin=origin, **{"cache": self.cache, **options})

    def assert_allowed(self, client: Any, url: str, *, origin: str, **options: Any) -> FetchResult:
        """Fetch, and fail with the explanation unless the script gets the response.

        Takes the arguments of ``fetch``, and ``exposes`` as ``assert_cors_allowed`` does.
        """
        __tracebackhide__ = True
        exposes = options.pop("exposes", ())
        result = self.fetch(client, url, origin=origin, **options)
        return assert_cors_allowed(result, exposes=exposes)

    def assert_refused(
        self, client: Any, url: str, *, origin: str, reason: str | None = None, **options: Any
    ) -> FetchResult:
        """Fetch, and fail with the explanation unless the browser refuses for this reason.

        Takes the arguments of ``fetch``, and ``reason`` as ``assert_cors_refused`` does.
        """
        __tracebackhide__ = True
        result = self.fetch(client, url, origin=origin, **options)
        return assert_cors_refused(result, reason=reason)
