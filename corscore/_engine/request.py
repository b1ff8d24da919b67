"""``RequestInfo``: the method, path and headers that CORS reads of a request."""

from __future__ import annotations

from corscore._engine import matcher
from corscore._standard.fetch import PREFLIGHT_METHOD
from corscore._standard.origin import is_own_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

# The headers by the fields that hold them, in the order of `matcher.scan`.
_HEADERS = {
    "origin": "Origin",
    "request_method": "Access-Control-Request-Method",
    "request_headers": "Access-Control-Request-Headers",
    "request_private_network": "Access-Control-Request-Private-Network",
    "host": "Host",
    "sec_fetch_site": "Sec-Fetch-Site",
}
_FIELDS = ("method", *_HEADERS)


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
        path: As the framework routes it: decoded once, relative to where the app is mounted.
        native: The framework's own request, scope or environ.

    Values are ``str``, with the bytes of a header as latin-1, as in WSGI (PEP 3333). Two objects
    are equal if their methods and headers are. ``from_getter``, ``from_pairs`` and ``from_environ``
    read a framework's request when a field is first used.
    """

    # `_get`, `_pairs`, `_path_of` and `_host_of` set the fields when one is first used.
    __slots__ = (
        *_FIELDS,
        "_get",
        "_host_of",
        "_pairs",
        "_path_of",
        "native",
        "own_origins",
        "path",
    )

    method: str
    origin: str | None
    request_method: str | None
    request_headers: str | None
    request_private_network: str | None
    host: str | None
    sec_fetch_site: str | None
    path: str
    native: Any
    own_origins: frozenset[str]
    """Further origins of the site itself: the middleware's ``own_origins``."""
    _host_of: Callable[[Any], str | None] | None
    _get: Callable[[str], str | None] | None
    _pairs: Iterable[tuple[bytes, bytes]] | None
    _path_of: Callable[[Any], str]

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
        path: str = "/",
        native: object = None,
    ) -> None:
        self.method = method
        self.origin = origin
        self.request_method = request_method
        self.request_headers = request_headers
        self.request_private_network = request_private_network
        self.host = host
        self.sec_fetch_site = sec_fetch_site
        self.path = path
        self.native = native
        self._get = self._pairs = self._host_of = None

    @classmethod
    def from_getter(
        cls,
        method: str,
        get: Callable[[str], str | None],
        *,
        path: str = "/",
        native: object = None,
    ) -> RequestInfo:
        """Read a framework's header mapping.

        Args:
            method: The request's method.
            get: Returns a header's value by its name, or None if the request has no such header.
                Several lines must come joined by a comma, as RFC 9110 section 5.3 says.
            path: As for the class.
            native: As for the class.
        """
        info = cls.__new__(cls)
        info.method = method
        info._get = get
        info._pairs = info._host_of = None
        info.path = path
        info.native = native
        return info

    @classmethod
    def from_environ(
        cls,
        method: str,
        environ: Mapping[str, Any],
        *,
        path_of: Callable[[Any], str] | None = None,
        host_of: Callable[[Any], str | None] | None = None,
        native: object = None,
    ) -> RequestInfo:
        """Read a WSGI environ, or a mapping with the same keys, such as Django's ``META``.

        https://peps.python.org/pep-3333/#environ-variables

        Args:
            method: The request's method.
            environ: The request.
            path_of: The function that reads ``path`` from ``native``.
            host_of: The function that reads the accepted Host from ``native``; None for the header.
            native: The framework's own request; None for the environ itself.
        """
        info = cls.__new__(cls)
        get = environ.get
        info.method = method
        info._get = lambda name: get(_keys[name])
        info.native = environ if native is None else native
        info._pairs = None
        info._host_of = host_of
        info._path_of = path_of or matcher.environ_path
        return info

    @classmethod
    def from_pairs(
        cls,
        method: str,
        pairs: Iterable[tuple[bytes, bytes]],
        *,
        path_of: Callable[[Any], str] | None = None,
        host_of: Callable[[Any], str | None] | None = None,
        native: object = None,
    ) -> RequestInfo:
        """Read raw header pairs, names in any case, as an ASGI scope has them.

        Several lines of one header count as one joined list.

        Args:
            method: The request's method.
            pairs: Names and values.
            path_of: The function that reads ``path`` from ``native``; ``"/"`` without one.
            host_of: The function that reads the accepted Host from ``native``; None for the header.
            native: As for the class.

        Raises:
            TypeError: When the pairs are not bytes.
        """
        first = pairs[0] if pairs and isinstance(pairs, (list, tuple)) else (b"", b"")
        if str in (type(first[0]), type(first[1])):
            raise TypeError(
                "RequestInfo.from_pairs: the pairs have to be bytes, as an ASGI scope has them; "
                "for str write RequestInfo.from_getter(method, headers.get)"
            )
        info = cls.__new__(cls)
        info.method = method
        info._get = None
        info._pairs = pairs
        info._host_of = host_of
        info.native = native
        if path_of is None:
            info.path = "/"
        else:
            info._path_of = path_of
        return info

    def __getattr__(self, name: str) -> Any:
        # Called for a slot that is not set: the first look at a header reads all of them.
        if name in _HEADERS:
            self._read()
            return object.__getattribute__(self, name)
        if name == "path":
            self.path = self._path_of(self.native)
            return self.path
        if name == "own_origins":
            self.own_origins = frozenset()
            return self.own_origins
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def host_name(self) -> str | None:
        """The host that policies are looked up by, or None.

        It is the Host that the framework accepts, in lower case, without its port and without one
        dot at its end.
        """
        # In variables, since reading an attribute of a class with `__getattr__` takes long.
        host_of, pairs = self._host_of, self._pairs
        if host_of is not None:
            host = host_of(self.native)
        elif pairs is not None:
            # One header takes less time than all.
            line = matcher.host_of(pairs)
            host = None if line is None else line.decode("latin-1")
        else:
            host = self.host
        return matcher.host_name(host)

    def _read(self) -> None:
        get = self._get
        if get is None:
            found: list[Any] = matcher.scan(self._pairs or ())
            for slot, value in enumerate(found):
                if value is not None:
                    found[slot] = value.decode("latin-1")
        else:
            found = [get(header) for header in _HEADERS.values()]
        self.origin, self.request_method, self.request_headers = found[:3]
        self.request_private_network, self.host, self.sec_fetch_site = found[3:]

    def header(self, name: str) -> str | None:
        """Return the value of a request header, or None; ``name`` may be in any case."""
        if self._get is not None:
            return self._get(name)
        wanted = name.lower()
        if self._pairs is None:
            known = (field for field, header in _HEADERS.items() if header.lower() == wanted)
            value: str | None = next((getattr(self, field) for field in known), None)
            return value
        raw = wanted.encode("latin-1", "replace")
        lines = [
            value
            for key, value in self._pairs
            if isinstance(key, bytes) and isinstance(value, bytes) and key.lower() == raw
        ]
        return b", ".join(lines).decode("latin-1") if lines else None

    @property
    def is_preflight(self) -> bool:
        """Whether this is a CORS-preflight request.

        https://fetch.spec.whatwg.org/#cors-preflight-request: ``OPTIONS`` with ``Origin`` and
        ``Access-Control-Request-Method``. Any other ``OPTIONS`` is the application's to answer.
        """
        return (
            self.method == PREFLIGHT_METHOD
            and self.origin is not None
            and self.request_method is not None
        )

    @property
    def is_own_origin(self) -> bool:
        """Whether the Origin is the site's own, as when a page posts a form to its own site."""
        if self.origin is None:
            return False
        if self.sec_fetch_site == "same-origin" or self.origin in self.own_origins:
            return True
        return self.host is not None and is_own_origin(self.origin, self.host)

    def _values(self) -> tuple[str | None, ...]:
        return tuple(getattr(self, name) for name in _FIELDS)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RequestInfo):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        given = "".join(
            f", {name}={getattr(self, name)!r}"
            for name in _HEADERS
            if getattr(self, name) is not None
        )
        return f"RequestInfo({self.method!r}{given})"


class _Keys(dict[str, str]):
    """The keys of an environ by header names, which come from code, so that there are few."""

    def __missing__(self, name: str) -> str:
        key = name.upper().replace("-", "_")
        # PEP 3333: two have no prefix.
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        self[name] = key
        return key


_keys = _Keys()
