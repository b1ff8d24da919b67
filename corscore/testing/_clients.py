"""Test clients and HTTP clients as transports of the browser model.

A client is recognised by attributes that only its kind has, so that no framework is imported. Each
transport sends what a browser would: no default headers of the client, and its cookies only where a
browser sends cookies.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from http.cookies import SimpleCookie
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HeaderPairs = list[tuple[str, str]]

# Clients add these for the connection, and CORS does not depend on them.
_CONNECTION_HEADERS = frozenset(
    ("host", "user-agent", "accept-encoding", "connection", "content-length", "transfer-encoding")
)

_SUPPORTED = (
    "Starlette's and FastAPI's TestClient, Client and AsyncClient of httpx2 and httpx, Flask's "
    "app.test_client(), django.test.Client, django.test.AsyncClient, requests.Session and "
    "requests itself"
)


class SentRequest(NamedTuple):
    """A request of the browser model.

    Attributes:
        method: The method.
        url: The absolute URL.
        headers: The headers, names in lower case.
        body: The body, empty for none.
        with_cookies: Whether a browser would send, and keep, cookies.
    """

    method: str
    url: str
    headers: HeaderPairs
    body: bytes
    with_cookies: bool


class ClientResponse(NamedTuple):
    """A client's response.

    Attributes:
        status: The status.
        headers: All header lines.
        response: The client's own response object.
    """

    status: int
    headers: HeaderPairs
    response: Any


class ClientTransport(ABC):
    """A client of one of the supported kinds, as a transport.

    Attributes:
        base: The base of relative URLs; empty without one.
        is_async: Whether only ``asend`` works.
    """

    base: str = ""
    is_async: bool = False

    def __init__(self, client: Any) -> None:
        self._client = client

    @abstractmethod
    def send(self, sent: SentRequest) -> ClientResponse:
        """Send a request without following redirects; not for an asynchronous client."""

    async def asend(self, sent: SentRequest) -> ClientResponse:
        """Send a request without following redirects."""
        return self.send(sent)


def transport_for(client: Any) -> ClientTransport:
    """Return the transport for a client.

    Raises:
        TypeError: It is of no supported kind; the text names those that are.
    """
    if _has(client, "build_request", "send", "base_url", "cookies"):
        return _HttpxAsync(client) if _has(client, "aclose") else _Httpx(client)
    if _has(client, "open", "application"):
        return _Werkzeug(client)
    if _has(client, "generic", "handler", "defaults", "cookies"):
        return _DjangoAsync(client) if iscoroutinefunction(client.request) else _Django(client)
    if _has(client, "request", "mount", "adapters", "cookies"):
        return _Requests(client)
    if _has(client, "request", "Session", "adapters"):
        return _RequestsModule(client)
    kind = type(client)
    raise TypeError(
        f"{kind.__module__}.{kind.__qualname__} is no client that corscore.testing knows; "
        f"it takes {_SUPPORTED}"
    )


def _has(client: Any, *names: str) -> bool:
    return all(hasattr(client, name) for name in names)


class _Httpx(ClientTransport):
    """A client of httpx2 or httpx, or Starlette's TestClient, which is a subclass of one."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.base = str(client.base_url)

    def send(self, sent: SentRequest) -> ClientResponse:
        with _cookies_kept(self._client.cookies.jar, sent):
            request = self._request(sent)
            response = self._client.send(request, auth=None, follow_redirects=False)
        return _httpx_response(response)

    def _request(self, sent: SentRequest) -> Any:
        request = self._client.build_request(
            sent.method, sent.url, headers=sent.headers, content=sent.body or None
        )
        kept = _CONNECTION_HEADERS.union(name for name, _ in sent.headers)
        if sent.with_cookies:
            kept = kept.union(("cookie",))
        for name in list(request.headers):
            if name.lower() not in kept:
                del request.headers[name]
        return request


class _HttpxAsync(_Httpx):
    is_async = True

    async def asend(self, sent: SentRequest) -> ClientResponse:
        with _cookies_kept(self._client.cookies.jar, sent):
            request = self._request(sent)
            response = await self._client.send(request, auth=None, follow_redirects=False)
        return _httpx_response(response)


def _httpx_response(response: Any) -> ClientResponse:
    return ClientResponse(response.status_code, list(response.headers.multi_items()), response)


class _Werkzeug(ClientTransport):
    """Flask's test client, or Werkzeug's for any WSGI application."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        config = getattr(client.application, "config", {})
        scheme = config.get("PREFERRED_URL_SCHEME") or "http"
        self.base = f"{scheme}://{config.get('SERVER_NAME') or 'localhost'}/"

    def send(self, sent: SentRequest) -> ClientResponse:
        client = self._client
        if not sent.with_cookies:
            # This client's cookies cannot be taken out for one request; a new client has none.
            app = client.application
            wrapper = getattr(app, "response_class", None)
            client = type(client)(app, wrapper, use_cookies=False)
        target = urlsplit(sent.url)
        response = client.open(
            target.path,
            base_url=f"{target.scheme}://{target.netloc}/",
            query_string=target.query,
            method=sent.method,
            headers=sent.headers,
            data=sent.body or None,
            follow_redirects=False,
        )
        return ClientResponse(response.status_code, list(response.headers.items()), response)


class _Django(ClientTransport):
    """Django's test client."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.base = f"http://{client.defaults.get('SERVER_NAME', 'testserver')}/"

    def send(self, sent: SentRequest) -> ClientResponse:
        with self._without_defaults(sent):
            response = self._client.generic(*self._positional(sent), **self._options(sent))
        return ClientResponse(response.status_code, list(response.headers.items()), response)

    @contextmanager
    def _without_defaults(self, sent: SentRequest) -> Iterator[None]:
        client = self._client
        cookies, defaults = client.cookies, client.defaults
        client.defaults = {
            name: value for name, value in defaults.items() if not name.startswith("HTTP_")
        }
        if not sent.with_cookies:
            client.cookies = SimpleCookie()
        try:
            yield
        finally:
            client.defaults = defaults
            if not sent.with_cookies:
                client.cookies = cookies

    def _positional(self, sent: SentRequest) -> tuple[str, str, bytes, str]:
        target = urlsplit(sent.url)
        path = f"{target.path}?{target.query}" if target.query else target.path
        content_type = dict(sent.headers).get("content-type", "application/octet-stream")
        return sent.method, path, sent.body, content_type

    def _options(self, sent: SentRequest) -> dict[str, Any]:
        target = urlsplit(sent.url)
        return {
            "secure": target.scheme == "https",
            "headers": {**dict(sent.headers), "host": target.netloc},
        }


class _DjangoAsync(_Django):
    is_async = True

    def _options(self, sent: SentRequest) -> dict[str, Any]:
        options = super()._options(sent)
        # This client adds a Host of its own, and Django refuses two.
        del options["headers"]["host"]
        return options

    async def asend(self, sent: SentRequest) -> ClientResponse:
        with self._without_defaults(sent):
            call = self._client.generic(*self._positional(sent), **self._options(sent))
            response = await call
        return ClientResponse(response.status_code, list(response.headers.items()), response)


class _Requests(ClientTransport):
    """A session of requests."""

    def send(self, sent: SentRequest) -> ClientResponse:
        session = self._client
        # The value None drops a header of the session from this request.
        kept = _CONNECTION_HEADERS.union(name for name, _ in sent.headers)
        dropped = {name: None for name in session.headers if name.lower() not in kept}
        with _cookies_kept(session.cookies, sent, empty=True):
            response = session.request(
                sent.method,
                sent.url,
                headers={**dropped, **dict(sent.headers)},
                data=sent.body or None,
                auth=_no_auth,
                allow_redirects=False,
                timeout=_TIMEOUT_SECONDS,
            )
        return ClientResponse(response.status_code, list(response.headers.items()), response)


class _RequestsModule(ClientTransport):
    """``requests`` itself: each request in a new session."""

    def send(self, sent: SentRequest) -> ClientResponse:
        with self._client.Session() as session:
            return _Requests(session).send(sent)


_TIMEOUT_SECONDS = 30


def _no_auth(request: Any) -> Any:
    # A browser sends the credentials neither of the session nor of a .netrc.
    return request


@contextmanager
def _cookies_kept(jar: Any, sent: SentRequest, *, empty: bool = False) -> Iterator[None]:
    """Restore the cookies after a request that a browser makes without them.

    Args:
        jar: The client's cookies.
        sent: The request.
        empty: Whether the request sends what is in the jar.
    """
    if sent.with_cookies:
        yield
        return
    before: Sequence[Any] = list(jar)
    if empty:
        jar.clear()
    try:
        yield
    finally:
        jar.clear()
        for cookie in before:
            jar.set_cookie(cookie)
