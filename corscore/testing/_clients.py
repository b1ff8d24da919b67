"""Test clients and HTTP clients as transports of the browser model.

A client is known by the attributes that its kind has and no other; none is imported. Whatever the
kind, what goes out is what a browser would send: no default header of the client that a script did
not set, and the client's cookies only where a browser sends cookies.
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

# What a client adds for the connection's sake, of which CORS knows nothing.
_OF_CONNECTION = frozenset(
    ("host", "user-agent", "accept-encoding", "connection", "content-length", "transfer-encoding")
)

_SUPPORTED = (
    "Starlette's and FastAPI's TestClient, Client and AsyncClient of httpx2 and httpx, Flask's "
    "app.test_client(), django.test.Client, django.test.AsyncClient, requests.Session and "
    "requests itself"
)


class Sending(NamedTuple):
    """One request to send.

    Attributes:
        method: Its method.
        url: An absolute URL.
        headers: Names in lower case, and values.
        body: What follows, empty for none.
        with_cookies: Whether a browser would send, and keep, cookies.
    """

    method: str
    url: str
    headers: HeaderPairs
    body: bytes
    with_cookies: bool


class Received(NamedTuple):
    """What came back.

    Attributes:
        status: Its status.
        headers: All lines.
        response: The client's own response object.
    """

    status: int
    headers: HeaderPairs
    response: Any


class Client(ABC):
    """A client of one of the supported kinds.

    Attributes:
        base: What a relative URL is resolved against, or nothing.
        is_async: Whether ``asend`` is to be awaited, instead of a call of ``send``.
    """

    base: str = ""
    is_async: bool = False

    def __init__(self, client: Any) -> None:
        self._client = client

    @abstractmethod
    def send(self, sending: Sending) -> Received:
        """Sends one request, and follows no redirect; not for an asynchronous client."""

    async def asend(self, sending: Sending) -> Received:
        """The same, awaited."""
        return self.send(sending)


def client_of(client: Any) -> Client:
    """The client as a transport.

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


class _Httpx(Client):
    """A client of httpx2 or httpx, or Starlette's TestClient, which is a subclass of one."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.base = str(client.base_url)

    def send(self, sending: Sending) -> Received:
        with _cookies_kept(self._client.cookies.jar, sending):
            request = self._request(sending)
            response = self._client.send(request, auth=None, follow_redirects=False)
        return _received_from_httpx(response)

    def _request(self, sending: Sending) -> Any:
        request = self._client.build_request(
            sending.method, sending.url, headers=sending.headers, content=sending.body or None
        )
        own = _OF_CONNECTION.union(name for name, _ in sending.headers)
        if sending.with_cookies:
            own = own.union(("cookie",))
        for name in list(request.headers):
            if name.lower() not in own:
                del request.headers[name]
        return request


class _HttpxAsync(_Httpx):
    is_async = True

    async def asend(self, sending: Sending) -> Received:
        with _cookies_kept(self._client.cookies.jar, sending):
            request = self._request(sending)
            response = await self._client.send(request, auth=None, follow_redirects=False)
        return _received_from_httpx(response)


def _received_from_httpx(response: Any) -> Received:
    return Received(response.status_code, list(response.headers.multi_items()), response)


class _Werkzeug(Client):
    """Flask's test client, or Werkzeug's for any WSGI application."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        config = getattr(client.application, "config", {})
        scheme = config.get("PREFERRED_URL_SCHEME") or "http"
        self.base = f"{scheme}://{config.get('SERVER_NAME') or 'localhost'}/"

    def send(self, sending: Sending) -> Received:
        client = self._client
        if not sending.with_cookies:
            # Its cookies cannot be set aside, but another client of the same kind has none.
            app = client.application
            wrapper = getattr(app, "response_class", None)
            client = type(client)(app, wrapper, use_cookies=False)
        target = urlsplit(sending.url)
        response = client.open(
            target.path,
            base_url=f"{target.scheme}://{target.netloc}/",
            query_string=target.query,
            method=sending.method,
            headers=sending.headers,
            data=sending.body or None,
            follow_redirects=False,
        )
        return Received(response.status_code, list(response.headers.items()), response)


class _Django(Client):
    """Django's test client."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.base = f"http://{client.defaults.get('SERVER_NAME', 'testserver')}/"

    def send(self, sending: Sending) -> Received:
        with self._as_a_browser(sending):
            response = self._client.generic(*self._positional(sending), **self._options(sending))
        return Received(response.status_code, list(response.headers.items()), response)

    @contextmanager
    def _as_a_browser(self, sending: Sending) -> Iterator[None]:
        client = self._client
        cookies, defaults = client.cookies, client.defaults
        client.defaults = {
            name: value for name, value in defaults.items() if not name.startswith("HTTP_")
        }
        if not sending.with_cookies:
            client.cookies = SimpleCookie()
        try:
            yield
        finally:
            client.defaults = defaults
            if not sending.with_cookies:
                client.cookies = cookies

    def _positional(self, sending: Sending) -> tuple[str, str, bytes, str]:
        target = urlsplit(sending.url)
        path = f"{target.path}?{target.query}" if target.query else target.path
        content_type = dict(sending.headers).get("content-type", "application/octet-stream")
        return sending.method, path, sending.body, content_type

    def _options(self, sending: Sending) -> dict[str, Any]:
        target = urlsplit(sending.url)
        return {
            "secure": target.scheme == "https",
            "headers": {**dict(sending.headers), "host": target.netloc},
        }


class _DjangoAsync(_Django):
    is_async = True

    def _options(self, sending: Sending) -> dict[str, Any]:
        options = super()._options(sending)
        # This client sends a Host of its own beside any other, and Django refuses two.
        del options["headers"]["host"]
        return options

    async def asend(self, sending: Sending) -> Received:
        with self._as_a_browser(sending):
            call = self._client.generic(*self._positional(sending), **self._options(sending))
            response = await call
        return Received(response.status_code, list(response.headers.items()), response)


class _Requests(Client):
    """A session of requests."""

    def send(self, sending: Sending) -> Received:
        session = self._client
        # A header of the session that is None for one request is not sent with it.
        own = _OF_CONNECTION.union(name for name, _ in sending.headers)
        dropped = {name: None for name in session.headers if name.lower() not in own}
        with _cookies_kept(session.cookies, sending, empty=True):
            response = session.request(
                sending.method,
                sending.url,
                headers={**dropped, **dict(sending.headers)},
                data=sending.body or None,
                auth=_no_auth,
                allow_redirects=False,
                timeout=_TIMEOUT_SECONDS,
            )
        return Received(response.status_code, list(response.headers.items()), response)


class _RequestsModule(Client):
    """``requests`` itself: every request in a session of its own."""

    def send(self, sending: Sending) -> Received:
        with self._client.Session() as session:
            return _Requests(session).send(sending)


_TIMEOUT_SECONDS = 30


def _no_auth(request: Any) -> Any:
    # Neither the session's nor what a .netrc says: a browser would not send it.
    return request


@contextmanager
def _cookies_kept(jar: Any, sending: Sending, *, empty: bool = False) -> Iterator[None]:
    """Has a jar as it was, after a request that a browser makes without cookies."""
    if sending.with_cookies:
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
