"""The model browser over test clients, and its assertions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from corscore import browser
from corscore.browser._url import parse_url
from corscore.diagnostics import Explanation, explain_fetch
from corscore.testing._clients import Client, Received, Sending, client_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from corscore.browser import Browser, Credentials, PreflightCache, Request
    from corscore.browser._headers import HeadersInput


@dataclass(frozen=True, slots=True)
class FetchResult(browser.FetchResult):
    """What a script got, and what the client got before it.

    Attributes:
        request: What the script asked for.
        response: The client's own response object, the last one, whether or not the script may
            read it.
    """

    request: Request = field(repr=False)
    response: Any = field(repr=False, compare=False)

    @property
    def explanation(self) -> Explanation:
        """Why the script got the response, or did not."""
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
    """Does what a browser does when a script calls ``fetch``: preflight, request and redirects.

    Args:
        client: One of those that the module names.
        url: Absolute, or relative to the client's base URL.
        origin: The page's origin, ``"https://app.example.com"`` or ``"null"``.
        method: As the script writes it.
        headers: The script's headers: pairs or a mapping. None of the client's own is sent.
        credentials: ``"omit"``, ``"same-origin"`` (the default of ``fetch``) or ``"include"``. The
            client's cookies are sent, and kept, where a browser would.
        body: Sent with the request; its ``Content-Type`` is one of the headers.
        cache: A preflight cache, read and filled; None has each preflight sent.
        browser: Whose known deviations to take into account; None is the standard.

    Returns:
        What the script got. For an asynchronous client something to await, as ``afetch`` is.

    Raises:
        TypeError: The client is of no supported kind.
        ValueError: An argument is not what a script could say.
        Exception: Whatever the client raises, such as what a view raised.
    """
    exchange = _Fetch(client_of(client), url, origin, method, headers, credentials, body)
    if exchange.client.is_async:
        # Typed for the clients of most tests; `afetch` has the type of the others.
        return exchange.arun(cache, browser)  # type: ignore[return-value]
    return exchange.run(cache, browser)


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
    """``fetch``, awaited: for asynchronous clients, and for the others as well."""
    exchange = _Fetch(client_of(client), url, origin, method, headers, credentials, body)
    return await exchange.arun(cache, browser)


class _Fetch:
    """One fetch over a client."""

    def __init__(
        self,
        client: Client,
        url: str,
        origin: str,
        method: str,
        headers: HeadersInput,
        credentials: Credentials,
        body: bytes | str,
    ) -> None:
        self.client = client
        base = parse_url(client.base)
        target = parse_url(url, base)
        if target is None:
            hint = "" if base else ": this client has no base URL, so that it must be absolute"
            raise ValueError(f"url={url!a} is not an HTTP(S) URL{hint}")
        self._request = browser.Request(
            method, str(target), origin=origin, headers=headers, credentials=credentials
        )
        self._body = body.encode() if isinstance(body, str) else body
        self._last: Received | None = None

    def run(self, cache: PreflightCache | None, engine: Browser | None) -> FetchResult:
        def send(method: str, url: str, headers: list[tuple[str, str]]) -> browser.Response:
            return self._answer(self.client.send(self._sending(method, url, headers)))

        return self._result(browser.fetch(self._request, send, cache, browser=engine))

    async def arun(self, cache: PreflightCache | None, engine: Browser | None) -> FetchResult:
        async def send(method: str, url: str, headers: list[tuple[str, str]]) -> browser.Response:
            return self._answer(await self.client.asend(self._sending(method, url, headers)))

        return self._result(await browser.afetch(self._request, send, cache, browser=engine))

    def _sending(self, method: str, url: str, headers: list[tuple[str, str]]) -> Sending:
        is_preflight = any(name == "access-control-request-method" for name, _ in headers)
        credentials = self._request.credentials
        target = parse_url(url)
        is_own = target is not None and target.origin == self._request.origin
        return Sending(
            method,
            url,
            headers,
            # A redirect that turns the method into GET drops the body.
            b"" if is_preflight or method in ("GET", "HEAD") else self._body,
            not is_preflight
            and (credentials == "include" or (credentials == "same-origin" and is_own)),
        )

    def _answer(self, received: Received) -> browser.Response:
        self._last = received
        return received.status, received.headers

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
    """Fails unless the script got the response; the failure says why it did not, and what to do.

    Args:
        result: What ``fetch`` returned; or a client, to fetch with it first.
        url: With a client, what to fetch.
        exposes: Names of response headers that the script has to be able to read.
        options: With a client, the arguments of ``fetch``.

    Returns:
        The result.

    Raises:
        AssertionError: With the explanation.
        TypeError: It is something else.
    """
    __tracebackhide__ = True
    got = _fetched(result, url, options)
    told = explain_fetch(got, reads=exposes)
    if not told.allowed:
        raise AssertionError(_text("a browser does not allow this", got, told))
    return got


def assert_cors_refused(
    result: Any, url: str | None = None, *, reason: str | None = None, **options: Any
) -> FetchResult:
    """Fails unless the browser kept the response from the script.

    Args:
        result: What ``fetch`` returned; or a client, to fetch with it first.
        url: With a client, what to fetch.
        reason: The code that it must be for: a key of ``corscore.browser.REASONS``, or the cause
            that the explanation finds behind it, such as ``"method-case"``. None is any.
        options: With a client, the arguments of ``fetch``.

    Returns:
        The result.

    Raises:
        AssertionError: With the explanation.
        TypeError: It is something else.
    """
    __tracebackhide__ = True
    got = _fetched(result, url, options)
    told = got.explanation
    if told.allowed:
        raise AssertionError(_text("a browser allows this", got, told))
    if reason is not None and reason not in (told.reason, told.browser_reason):
        raise AssertionError(
            _text(f"refused, but for {told.reason!a} and not for {reason!a}", got, told)
        )
    return got


def _fetched(result: Any, url: str | None, options: dict[str, Any]) -> FetchResult:
    if url is not None:
        result = fetch(result, url, **options)
    if isinstance(result, FetchResult):
        return result
    if hasattr(result, "__await__"):
        raise TypeError("a result was expected, not something to await; write `await fetch(...)`")
    raise TypeError(f"a result of corscore.testing.fetch was expected, not {type(result).__name__}")


def _text(verdict: str, result: FetchResult, told: Explanation) -> str:
    request = result.request
    return f"{verdict}: {request.method} {request.url} from {request.origin}\n{told}"


class CORSBrowser:
    """A browser with a preflight cache of its own: the fixture ``cors_browser``.

    Attributes:
        cache: What earlier preflights allowed.
    """

    def __init__(self) -> None:
        self.cache: PreflightCache = browser.PreflightCache()

    def fetch(self, client: Any, url: str, *, origin: str, **options: Any) -> FetchResult:
        """``corscore.testing.fetch`` with this browser's cache; the same arguments."""
        return fetch(client, url, origin=origin, **{"cache": self.cache, **options})

    def afetch(
        self, client: Any, url: str, *, origin: str, **options: Any
    ) -> Awaitable[FetchResult]:
        """``corscore.testing.afetch`` with this browser's cache; the same arguments."""
        return afetch(client, url, origin=origin, **{"cache": self.cache, **options})

    def assert_allowed(self, client: Any, url: str, *, origin: str, **options: Any) -> FetchResult:
        """Fetches, and fails with the explanation unless the script gets the response.

        Beside the arguments of ``fetch`` it takes ``exposes``, as ``assert_cors_allowed`` does.
        """
        __tracebackhide__ = True
        exposes = options.pop("exposes", ())
        result = self.fetch(client, url, origin=origin, **options)
        return assert_cors_allowed(result, exposes=exposes)

    def assert_refused(
        self, client: Any, url: str, *, origin: str, reason: str | None = None, **options: Any
    ) -> FetchResult:
        """Fetches, and fails with the explanation unless the browser refuses, for that reason."""
        __tracebackhide__ = True
        result = self.fetch(client, url, origin=origin, **options)
        return assert_cors_refused(result, reason=reason)
