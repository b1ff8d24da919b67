"""A transport over httpx2: one request at a time, without redirects, cookies and bodies."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx2

from corscore.diagnostics import NoResponse
from corscore_cli.shell.output import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corscore.browser import Response, Transport

_USER_AGENT = "Mozilla/5.0 (compatible; corscore probe)"
_HEAD = "corscore.head"
_NO_CORS = "CORS is not the cause."
_SERVER_HINT = "check that the server runs, and that scheme, name and port of the URL are right"
_CERTIFICATE_HINT = "open the URL in a tab of a browser to see what is wrong with the certificate"
# By OpenSSL's numbers, X509_V_ERR_...
_CERTIFICATE_ERRORS = {
    10: "the certificate is out of date",
    9: "the certificate is not valid yet",
    18: "the certificate is self-signed",
    19: "a certificate in its chain is self-signed",
    20: "no known authority signed the certificate",
    62: "the certificate is for another name",
    64: "the certificate is for another address",
}


@contextmanager
def open_transport(timeout: float, total: float) -> Iterator[Transport]:
    """Open a transport for ``corscore.diagnostics.probe``, which raises ``NoResponse``.

    It reads only the head of each response, of which httpx2 takes at most 100 KiB.

    Args:
        timeout: Seconds for one response, its connection included.
        total: Seconds for all responses together.

    Raises:
        Mistake: The environment names a proxy or certificates that cannot be used.
    """
    loop = asyncio.new_event_loop()
    try:
        client = httpx2.AsyncClient(
            timeout=timeout,
            follow_redirects=False,
            # Without it httpx2 would send the user name and password of a URL.
            auth=httpx2.Auth(),
            event_hooks={"response": [_keep_head]},
            headers={"User-Agent": _USER_AGENT},
            limits=httpx2.Limits(max_keepalive_connections=0),
        )
    except (ValueError, OSError, ImportError) as error:
        loop.close()
        raise Mistake(
            f"the proxy or the certificates that the environment names cannot be used: {error!a}"
        ) from None
    # In another thread, since this one may already run a loop.
    with ThreadPoolExecutor(1) as thread:
        try:
            yield _Sender(client, loop, thread, timeout, time.monotonic() + total).send
        finally:
            thread.submit(loop.run_until_complete, client.aclose()).result()
            loop.close()


class _Sender:
    def __init__(
        self,
        client: httpx2.AsyncClient,
        loop: asyncio.AbstractEventLoop,
        thread: ThreadPoolExecutor,
        timeout: float,
        deadline: float,
    ) -> None:
        self._client = client
        self._loop = loop
        self._thread = thread
        self._timeout = timeout
        self._deadline = deadline
        self._task: asyncio.Task[Response] | None = None

    def send(self, method: str, url: str, headers: list[tuple[str, str]]) -> Response:
        """Send one request.

        Raises:
            NoResponse: No response came.
        """
        left = min(self._timeout, self._deadline - time.monotonic())
        try:
            return self._thread.submit(self._run, method, url, headers, max(left, 0)).result()
        except (TimeoutError, asyncio.TimeoutError, httpx2.TimeoutException):
            seconds = f"{self._timeout:g} s"
            message = f"{_origin(url)} did not answer within {seconds}. {_NO_CORS}"
            raise NoResponse("network-error", message, _SERVER_HINT) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise _no_response(error, url) from None
        except KeyboardInterrupt:
            # Closing the transport waits for the thread.
            if self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)
            raise

    def _run(
        self, method: str, url: str, headers: list[tuple[str, str]], seconds: float
    ) -> Response:
        sending = asyncio.wait_for(self._send(method, url, headers), seconds)
        self._task = self._loop.create_task(sending)
        return self._loop.run_until_complete(self._task)

    async def _send(self, method: str, url: str, headers: list[tuple[str, str]]) -> Response:
        # Cookies of one response must not reach the next request.
        self._client.cookies.clear()
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        request = self._client.build_request(method, url, headers=pairs)
        # httpx2 changes the method to upper case, and browsers do not.
        request.method = method
        response = await self._client.send(request, stream=True)
        await response.aclose()
        return response.status_code, response.extensions[_HEAD]


async def _keep_head(response: httpx2.Response) -> None:
    """Keep the head, and hide Location from httpx2, which may fail to parse it."""
    response.extensions[_HEAD] = list(response.headers.raw)
    response.headers.pop("location", None)


def _no_response(error: Exception, url: str) -> NoResponse:
    """Return the kind of a failure; its message says that CORS is not the cause."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            what = _CERTIFICATE_ERRORS.get(cause.verify_code, cause.verify_message)
            return NoResponse("tls-error", f"TLS failed: {what}. {_NO_CORS}", _CERTIFICATE_HINT)
        if isinstance(cause, ssl.SSLError):
            reason = (cause.reason or "").replace("_", " ").lower()
            if "wrong version" in reason or "record layer" in reason:
                plain = f"http://{url.partition('://')[2]}"
                message = f"The port of {_origin(url)} does not speak TLS. {_NO_CORS}"
                return NoResponse("tls-error", message, f"write {plain}")
            what = reason or "the handshake broke off"
            return NoResponse("tls-error", f"TLS failed: {what}. {_NO_CORS}", _CERTIFICATE_HINT)
    what = _network_failure(causes, url)
    return NoResponse("network-error", f"There was no response: {what}. {_NO_CORS}", _SERVER_HINT)


def _network_failure(causes: list[BaseException], url: str) -> str:
    origin = _origin(url)
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return f"the name in {origin} is not known"
        if isinstance(cause, ConnectionRefusedError):
            return f"no server listens at {origin}"
        if isinstance(cause, httpx2.RemoteProtocolError):
            return f"{origin} broke off, or does not speak HTTP"
        if isinstance(cause, httpx2.ProxyError):
            return "the proxy did not let it through"
        if isinstance(cause, (ConnectionError, httpx2.ReadError, httpx2.WriteError)):
            return f"{origin} closed the connection"
        if isinstance(cause, (httpx2.InvalidURL, httpx2.UnsupportedProtocol)):
            return f"{origin} is no URL that can be asked"
    return f"{origin} cannot be reached"


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
