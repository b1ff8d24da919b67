"""A request as everything beyond a plain policy reads it: with its path, and with what it came in.

A policy alone needs a few headers of requests that have an Origin. Paths, resolvers, enforcement
and callbacks need more, of every request, and pay for it only where they are in use.
"""

from __future__ import annotations

from corscore._engine.request import RequestInfo, read_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class RequestContext(RequestInfo):
    """What resolvers and ``on_decision`` are handed.

    Args:
        method: As in ``RequestInfo``.
        get: A header's name to its value, or None. Several lines must come joined by a comma.
        path: As the framework routes it: decoded once, relative to where the app is mounted.
        native: The framework's own request, a scope or an ``environ``; what the adapter has.
    """

    __slots__ = ("_get", "native", "path")

    def __init__(
        self,
        method: str,
        get: Callable[[str], str | None],
        *,
        path: str = "/",
        native: object = None,
    ) -> None:
        # All of it whatever the kind: a form that a page of another site posts may have no Origin,
        # and a WebSocket's handshake is a GET.
        super().__init__(method, **read_headers(get))
        self._get = get
        self.path: str = path
        self.native: object = native

    @classmethod
    def from_raw(
        cls,
        method: str,
        pairs: Iterable[tuple[bytes, bytes]],
        *,
        path: str = "/",
        native: object = None,
    ) -> RequestContext:
        """Reads raw header pairs, names in any case, as an ASGI scope has them.

        Several lines of one header count as one joined list.
        """
        values: dict[str, str] = {}
        lists: dict[str, list[str]] = {}
        for raw_name, raw_value in pairs:
            # As `scan` does: anything else is no header of a request.
            if not (isinstance(raw_name, bytes) and isinstance(raw_value, bytes)):
                continue
            name, value = raw_name.lower().decode("latin-1"), raw_value.decode("latin-1")
            if name in values:
                lists.setdefault(name, [values[name]]).append(value)
            else:
                values[name] = value
        # Joined at the end: one by one, many lines of one header would cost their square.
        values.update((name, ", ".join(lines)) for name, lines in lists.items())
        return cls(method, lambda name: values.get(name.lower()), path=path, native=native)

    def header(self, name: str) -> str | None:
        """The value of a request header, names in any case; None without one."""
        return self._get(name)
