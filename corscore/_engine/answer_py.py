# cython: language_level=3, annotation_typing=False, nonecheck=True, binding=False
"""``Answer``: a response, or its headers, prepared when the policy is built.

One source, two builds, as in ``matcher_py``.
"""

from __future__ import annotations

from corscore._engine.headers import merge, merge_raw, raw_pairs, update

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Literal

    from corscore._engine.headers import OnConflict, Pairs, RawPair

    Kind = Literal["not-cors", "actual", "preflight"]

_A = b"aA"
_V = b"vV"
_VARY_LENGTH = len("vary")
_SHORTEST_CORS_LENGTH = len("access-control-max-age")
_RESPONSE_START = "http.response.start"
_ALLOW_ORIGIN = b"access-control-allow-origin"
_ALLOW_ORIGIN_TEXT = "Access-Control-Allow-Origin"
_LATIN_1 = "latin-1"
# The request's origin replaces the value.
_PLACEHOLDER = ((_ALLOW_ORIGIN_TEXT, ""),)


class Answer:
    """A prepared response to one kind of request, or the headers for the application's.

    Args:
        kind: ``"not-cors"``, ``"actual"`` or ``"preflight"``.
        origin_allowed: Whether the policy allows the origin that gets this answer.
        echoes_origin: Whether to send the request's origin back, as every policy but ``*`` does.
        pairs: The headers to set, without ``Vary`` and without an origin that is sent back.
        vary: ``Vary`` and the names of request headers that the answer depends on, or None.
        status: A preflight's status; 0 where the application answers.
        body: A preflight's body.
    """

    def __init__(
        self,
        kind: Kind,
        *,
        origin_allowed: bool,
        echoes_origin: bool = False,
        pairs: Pairs = (),
        vary: tuple[str, str] | None = None,
        status: int = 0,
        body: bytes = b"",
    ) -> None:
        self.kind: Kind = kind
        self.origin_allowed = origin_allowed
        self.echoes_origin = echoes_origin
        self.pairs = pairs
        self.vary = vary
        self.status = status
        self.body = body
        self._text = [*(_PLACEHOLDER if echoes_origin else ()), *pairs, *((vary,) if vary else ())]
        self._raw = raw_pairs(self._text)
        # The two ASGI messages of a preflight, without the headers.
        self.start: dict[str, Any] = {"type": _RESPONSE_START, "status": status, "headers": ()}
        self.end: dict[str, Any] = {"type": "http.response.body", "body": body}

    def raw(self, origin: bytes | None) -> list[RawPair]:
        """Return the headers of a response that has no others, as a new list.

        Args:
            origin: The request's origin; needed where the answer echoes it.
        """
        headers = self._raw[:]
        if self.echoes_origin and origin is not None:
            headers[0] = (_ALLOW_ORIGIN, origin)
        return headers

    def apply_raw(
        self,
        headers: Iterable[RawPair],
        origin: bytes | None = None,
        on_conflict: OnConflict | None = None,
    ) -> list[RawPair]:
        """Return a response's headers with those of the answer, as a new list.

        Args:
            headers: The application's raw header pairs, names in upper or lower case.
            origin: The request's origin; needed where the answer echoes it.
            on_conflict: Called with the lower-case name of each header that was removed because
                the policy alone may set it.
        """
        theirs = headers if type(headers) is list else list(headers)  # pragma: no mutate: for speed
        try:
            for name, _ in theirs:
                length = len(name)
                # Vary or a CORS header: length and first byte exclude almost all others.
                if (length == _VARY_LENGTH and name[0] in _V) or (
                    length >= _SHORTEST_CORS_LENGTH and name[0] in _A
                ):
                    break
            else:
                # The application's headers, then ours with the origin filled in.
                merged = theirs + self._raw
                if self.echoes_origin and origin is not None:
                    merged[len(theirs)] = (_ALLOW_ORIGIN, origin)
                return merged
        except TypeError:
            pass  # Some servers accept names that are not bytes, and so does `merge_raw`.
        text = None if origin is None else origin.decode(_LATIN_1)
        return merge_raw(theirs, self.own(text), self.vary, on_conflict)

    def apply(
        self,
        headers: Iterable[tuple[str, str]],
        origin: str | None = None,
        on_conflict: OnConflict | None = None,
    ) -> list[tuple[str, str]]:
        """``apply_raw`` for headers that are text, as in WSGI."""
        theirs = headers if type(headers) is list else list(headers)  # pragma: no mutate: for speed
        try:
            for name, _ in theirs:
                length = len(name)
                if (length == _VARY_LENGTH and name[0] in "vV") or (
                    length >= _SHORTEST_CORS_LENGTH and name[0] in "aA"
                ):
                    break
            else:
                merged = theirs + self._text
                if self.echoes_origin and origin is not None:
                    merged[len(theirs)] = (_ALLOW_ORIGIN_TEXT, origin)
                return merged
        except TypeError:
            pass  # A subclass of str, as a member of a StrEnum, which the compiled build refuses.
        return merge(theirs, self.own(origin), self.vary, on_conflict)

    def update(
        self, headers: Any, origin: str | None = None, on_conflict: OnConflict | None = None
    ) -> None:
        """``apply`` in place, for a mapping of case-insensitive names to single values."""
        update(headers, self.own(origin), self.vary, on_conflict)

    def own(self, origin: str | None) -> Pairs:
        """The headers to set, without ``Vary``, as text."""
        if self.echoes_origin and origin is not None:
            # A sum takes half the time of one tuple display when compiled.
            first = ((_ALLOW_ORIGIN_TEXT, origin),)
            return first + self.pairs
        return self.pairs
