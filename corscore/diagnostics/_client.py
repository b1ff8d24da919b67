"""A server that is asked a few things more than a browser would ask: only what changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore._standard.fetch import ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, PREFLIGHT_METHOD
from corscore.browser import Exchange, Response
from corscore.browser._headers import header_list
from corscore.browser._request import derived, preflight_headers, request_headers
from corscore.diagnostics._curl import CREDENTIAL_HEADERS, without_userinfo
from corscore.diagnostics._diagnosis import NoResponse

if TYPE_CHECKING:
    from corscore.browser import Sent, Transport
    from corscore.browser._headers import HeaderList
    from corscore.browser._request import Request
    from corscore.browser._url import Url

# Those that promise to change nothing, of the ones that every server knows:
# https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1
SAFE_METHODS = ("GET", "HEAD")


class Server:
    """What one server answers. Nothing is asked twice, and no credentials are ever sent.

    Args:
        transport: Sends a request; raises ``NoResponse`` where nothing comes back.
        most: How many requests go out beside those of the fetch itself.
    """

    def __init__(self, transport: Transport, most: int) -> None:
        self._transport = transport
        self._left = most
        self._known: dict[tuple[str, str, HeaderList], Exchange | None] = {}
        self.exchanges: list[Exchange] = []
        self.last_sent: Sent = ("", "", [])

    def send(self, method: str, url: str, headers: list[tuple[str, str]]) -> Response:
        """Sends a request of the fetch: a transport for ``corscore.browser.fetch``."""
        exchange = self._exchange(method, url, tuple(headers))
        self.exchanges.append(exchange)
        return exchange.status, exchange.response_headers

    def preflight(self, request: Request, origin: str) -> Exchange | None:
        """What a preflight for this request is answered with; None without an answer."""
        headers = preflight_headers(derived(request, origin=origin))
        return self._ask(PREFLIGHT_METHOD, request.target.without_fragment, headers)

    def get(
        self, request: Request, origin: str | None, target: Url | None = None
    ) -> Exchange | None:
        """What a GET of the request's URL, or of another one, is answered with.

        Args:
            request: Whose URL and method; a method that is not safe becomes GET.
            origin: The Origin to send, or None for no such header.
            target: Another URL.
        """
        method = request.method if request.method in SAFE_METHODS else "GET"
        target = target or request.target
        script = derived(
            request, method=method, headers=(), target=target, origin=origin or request.origin
        )
        headers = request_headers(script)
        if origin is None:
            headers = tuple(pair for pair in headers if pair[0] != ORIGIN)
        return self._ask(method, target.without_fragment, headers)

    def _ask(self, method: str, url: str, headers: HeaderList) -> Exchange | None:
        key = (method, url, _without_credentials(headers))
        if key not in self._known:
            if self._left <= 0:
                return None
            self._left -= 1
            try:
                self._exchange(method, url, headers)
            except NoResponse:
                self._known[key] = None
        return self._known[key]

    def _exchange(self, method: str, url: str, headers: HeaderList) -> Exchange:
        sent = _without_credentials(headers)
        self.last_sent = (method, url, list(sent))
        status, received = self._transport(method, without_userinfo(url), list(sent))
        asks = any(name == ACCESS_CONTROL_REQUEST_METHOD for name, _ in sent)
        exchange = Exchange(method, url, sent, status, header_list(received), asks)
        self._known[method, url, sent] = exchange
        return exchange


def _without_credentials(headers: HeaderList) -> HeaderList:
    return tuple(pair for pair in headers if pair[0] not in CREDENTIAL_HEADERS)
