"""What CORS reads of a request: a few strings, whatever framework it came through."""

from __future__ import annotations

from corscore._engine import matcher
from corscore._standard.fetch import PREFLIGHT_METHOD
from corscore._standard.origin import is_own_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

_NAMES = (
    "method",
    "origin",
    "host",
    "request_headers",
    "request_method",
    "request_private_network",
    "sec_fetch_site",
)


class RequestInfo:
    """The part of an HTTP request that a policy decides on.

    Args:
        method: The request's method, as sent.
        origin: Value of ``Origin``; None without one. Several lines are one value, joined by
            ``", "``, which no policy but ``*`` allows.
        request_method: Value of ``Access-Control-Request-Method``, or None.
        request_headers: Value of ``Access-Control-Request-Headers``, or None.
        request_private_network: Value of ``Access-Control-Request-Private-Network``, or None.
        host: Value of ``Host``, or None.
        sec_fetch_site: Value of ``Sec-Fetch-Site``, or None.

    Values are ``str``; bytes of a header stand in it as latin-1, as in WSGI (PEP 3333).
    """

    __slots__ = _NAMES

    method: str
    origin: str | None
    request_method: str | None
    request_headers: str | None
    request_private_network: str | None
    host: str | None
    sec_fetch_site: str | None

    def __init__(
        self,
        method: str,
        *,
        origin: str | None = None,
        request_method: str | None = None,
        request_headers: str | None = None,
        request_private_network: str | None = None,
        host: str | None = None,
        sec_fetch_site: str | None = None,
    ) -> None:
        self.method = method
        self.origin = origin
        self.request_method = request_method
        self.request_headers = request_headers
        self.request_private_network = request_private_network
        self.host = host
        self.sec_fetch_site = sec_fetch_site

    @classmethod
    def from_getter(cls, method: str, get: Callable[[str], str | None]) -> RequestInfo:
        """Reads a framework's header mapping.

        Args:
            method: The request's method.
            get: A header's name to its value, or None when the request has no such header. Several
                lines must come joined by a comma, as RFC 9110 section 5.3 says.
        """
        return cls(method, **read_headers(get))

    @classmethod
    def from_environ(cls, method: str, environ: Mapping[str, Any]) -> RequestInfo:
        """Reads a WSGI environ, or what has the same keys, as Django's ``META`` under ASGI too.

        What only a preflight asks is not read of a request that is none by its method.

        https://peps.python.org/pep-3333/#environ-variables
        """
        get = environ.get
        # One by one, for keyword arguments would cost more than all the rest.
        info = cls.__new__(cls)
        info.method = method
        info.origin = get("HTTP_ORIGIN")
        info.host = get("HTTP_HOST")
        info.sec_fetch_site = get("HTTP_SEC_FETCH_SITE")
        if method == PREFLIGHT_METHOD:
            info.request_method = get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
            info.request_headers = get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS")
            info.request_private_network = get("HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK")
        else:
            info.request_method = info.request_headers = info.request_private_network = None
        return info

    @classmethod
    def from_pairs(cls, method: str, pairs: Iterable[tuple[bytes, bytes]]) -> RequestInfo:
        """Reads raw header pairs, names in any case, as an ASGI scope has them.

        Several lines of one header count as one joined list.
        """
        values = [
            None if value is None else value.decode("latin-1") for value in matcher.scan(pairs)
        ]
        return cls(
            method,
            origin=values[0],
            request_method=values[1],
            request_headers=values[2],
            request_private_network=values[3],
            host=values[4],
            sec_fetch_site=values[5],
        )

    @property
    def is_preflight(self) -> bool:
        """Whether this is a CORS-preflight request.

        https://fetch.spec.whatwg.org/#cors-preflight-request: ``OPTIONS`` with ``Origin`` and
        ``Access-Control-Request-Method``. Any other ``OPTIONS`` is the application's to answer.
        """
        return (
            self.request_method is not None
            and self.origin is not None
            and self.method == PREFLIGHT_METHOD
        )

    @property
    def is_own_origin(self) -> bool:
        """Whether the Origin is the site's own, as in every form that a page posts to its site."""
        if self.origin is None:
            return False
        if self.sec_fetch_site == "same-origin":
            return True
        return self.host is not None and is_own_origin(self.origin, self.host)

    def _values(self) -> tuple[str | None, ...]:
        return tuple(getattr(self, name) for name in _NAMES)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RequestInfo):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        given = "".join(
            f", {name}={getattr(self, name)!r}"
            for name in _NAMES[1:]
            if getattr(self, name) is not None
        )
        return f"RequestInfo({self.method!r}{given})"


# Fields to the headers that they are read from.
_HEADERS = {
    "origin": "Origin",
    "request_method": "Access-Control-Request-Method",
    "request_headers": "Access-Control-Request-Headers",
    "request_private_network": "Access-Control-Request-Private-Network",
    "host": "Host",
    "sec_fetch_site": "Sec-Fetch-Site",
}


def read_headers(get: Callable[[str], str | None]) -> dict[str, str | None]:
    """The arguments of ``RequestInfo`` that are headers, through a function that takes names."""
    return {field: get(name) for field, name in _HEADERS.items()}


class _Keys(dict[str, str]):
    """Names of headers to what they are called in an environ; a handful is ever asked for."""

    def __missing__(self, name: str) -> str:
        key = name.upper().replace("-", "_")
        # PEP 3333: two have no prefix.
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        self[name] = key
        return key


_keys = _Keys()


def environ_getter(environ: Mapping[str, Any]) -> Callable[[str], str | None]:
    """How to read headers of a WSGI environ, or of what has the same keys, by their names.

    https://peps.python.org/pep-3333/#environ-variables
    """
    get = environ.get
    return lambda name: get(_keys[name])
