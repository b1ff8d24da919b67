"""``ProbeClient``: a client that asks a server more than a browser would, and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corscore.browser._fetch import judge, sent_message
from corscore.browser._headers import header_list
from corscore.browser._request import derived
from corscore.diagnostics._curl import CREDENTIAL_HEADERS, without_userinfo
from corscore.diagnostics._diagnosis import NoResponse

if TYPE_CHECKING:
    from corscore.browser import Exchange, Response, Transport
    from corscore.browser._headers import HeaderList
    from corscore.browser._request import Request
    from corscore.browser._url import Url

# The safe methods that every server knows: https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1
SAFE_METHODS = ("GET", "HEAD")


class ProbeClient:
    """A client of one server. It sends no request twice, and never any credentials.

    Args:
        transport: Sends a request; raises ``NoResponse`` if no response comes back.
        limit: The most requests that it may send beside those of the fetch itself.
    """

    def __init__(self, transport: Transport, limit: int) -> None:
        self._transport = transport
        self._left = limit
        self._known: dict[tuple[str, str, HeaderList], Response | None] = {}

    def send(self, method: str, url: str, headers: list[tuple[str, str]]) -> Response:
        """Send a request without credentials: a transport for ``corscore.browser.fetch``."""
        sent = tuple(pair for pair in headers if pair[0] not in CREDENTIAL_HEADERS)
        status, received = self._transport(method, without_userinfo(url), list(sent))
        response = (status, header_list(received))
        self._known[method, url, sent] = response
        return response

    def preflight(self, request: Request, origin: str) -> Exchange | None:
        """Send a preflight for this request from another origin.

        Returns:
            None if no response comes back, or the limit is reached.
        """
        return self._exchange(derived(request, origin=origin), is_preflight=True)

    def get(
        self, request: Request, origin: str | None, target: Url | None = None
    ) -> Exchange | None:
        """Send a GET, or for a HEAD request a HEAD, without the request's headers.

        Args:
            request: The request.
            origin: The Origin to send; None sends none, as a page on the server's own origin does.
            target: The URL to ask for; None is the request's own.

        Returns:
            None if no response comes back, or the limit is reached.
        """
        target = target or request.target
        script = derived(
            request,
            method=request.method if request.method in SAFE_METHODS else "GET",
            headers=(),
            cookie=None,
            target=target,
            origin=origin or target.origin,
        )
        return self._exchange(script, is_preflight=False)

    def _exchange(self, request: Request, *, is_preflight: bool) -> Exchange | None:
        method, url, headers = sent_message(request, is_preflight=is_preflight)
        key = (method, url, tuple(headers))
        if key not in self._known:
            if self._left <= 0:
                return None
            self._left -= 1
            try:
                self.send(method, url, headers)
            except NoResponse:
                self._known[key] = None
        response = self._known[key]
        return None if response is None else judge(request, response, is_preflight=is_preflight)
