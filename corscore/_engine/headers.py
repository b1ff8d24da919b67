"""A response's headers with those of CORS: owned ones replaced, shared ones merged.

The application's own list is never written to: it may be a constant, shared between requests.
"""

from __future__ import annotations

from corscore._standard.fetch import (
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_ALLOW_PRIVATE_NETWORK,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
    VARY,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Protocol

    Pairs = tuple[tuple[str, str], ...]
    RawPair = tuple[bytes, bytes]
    OnConflict = Callable[[str], object]

    class HeaderMapping(Protocol):
        """A mutable mapping of case-insensitive header names to single values.

        ``pop`` returns a value, or as in Django a name with its value.
        """

        def __iter__(self) -> Iterator[Any]: ...
        def keys(self) -> Iterable[str]: ...
        def __setitem__(self, name: str, value: str, /) -> None: ...
        def pop(self, name: str, default: None, /) -> str | tuple[str, str] | None: ...


OWNED = (
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_ALLOW_PRIVATE_NETWORK,
)
"""Response headers that only the policy sets, on every response."""

_CONCERNED = frozenset((*OWNED, ACCESS_CONTROL_EXPOSE_HEADERS, VARY))


def canonical(name: str) -> str:
    """A header's name with capitals: ``Access-Control-Max-Age``."""
    return "-".join(map(str.capitalize, name.split("-")))


def raw_pairs(pairs: Iterable[tuple[str, str]]) -> list[RawPair]:
    """Header pairs as in ASGI: bytes, names in lower case."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def merge(
    pairs: Iterable[tuple[str, str]],
    ours: Pairs,
    vary: tuple[str, str] | None,
    on_conflict: OnConflict | None,
) -> list[tuple[str, str]]:
    """Return a response's headers with those of the policy, as a new list.

    Args:
        pairs: The application's headers; names in upper or lower case.
        ours: The policy's headers, without ``Vary``; empty if the response may not be read.
        vary: The name ``Vary`` and the value to merge, or None.
        on_conflict: Called with the lower-case name of each header that was removed because the
            policy alone may set it.
    """
    kept: list[tuple[str, str]] = []
    concerned: list[tuple[str, str]] = []
    for pair in pairs:
        lower = pair[0].lower()
        if lower in _CONCERNED:
            concerned.append((lower, pair[1]))
        else:
            kept.append(pair)
    return kept + _settle(concerned, ours, vary, on_conflict)


def merge_raw(
    pairs: Iterable[RawPair],
    ours: Pairs,
    vary: tuple[str, str] | None,
    on_conflict: OnConflict | None,
) -> list[RawPair]:
    """``merge`` for raw headers; headers that do not concern CORS stay as they are."""
    kept: list[RawPair] = []
    concerned: list[tuple[str, str]] = []
    for pair in pairs:
        lower = _text(pair[0]).lower()
        if lower in _CONCERNED:
            concerned.append((lower, _text(pair[1])))
        else:
            kept.append(pair)
    return kept + raw_pairs(_settle(concerned, ours, vary, on_conflict))


def _text(value: bytes | str) -> str:
    # ASGI requires bytes, but some servers accept text, and so applications send it.
    return value if isinstance(value, str) else bytes(value).decode("latin-1")


def update(
    headers: HeaderMapping,
    ours: Pairs,
    vary: tuple[str, str] | None,
    on_conflict: OnConflict | None,
) -> None:
    """``merge`` in place, for a mapping with one value per name."""
    try:
        names = [name for name in headers if name.lower() in _CONCERNED]
    except AttributeError:
        # Werkzeug's Headers iterate over pairs. For others, `keys()` would be slower, as in Django.
        keys = headers.keys()
        names = [name for name in keys if name.lower() in _CONCERNED]
    if not names:
        # Most responses have nothing to merge.
        for name, value in ours:
            headers[name] = value
        if vary is not None:
            headers[vary[0]] = vary[1]
        return
    concerned: list[tuple[str, str]] = []
    for name in names:
        found = headers.pop(name, None)
        if found is not None:
            concerned.append((name.lower(), found[1] if isinstance(found, tuple) else found))
    for name, value in _settle(concerned, ours, vary, on_conflict):
        headers[name] = value


def _settle(
    theirs: list[tuple[str, str]],
    ours: Pairs,
    vary: tuple[str, str] | None,
    on_conflict: OnConflict | None,
) -> list[tuple[str, str]]:
    """Merge the application's headers that concern CORS with ours."""
    if not theirs:
        return [*ours] if vary is None else [*ours, vary]
    exposed = []
    varied = []
    for name, value in theirs:
        if name == VARY:
            varied.append(value)
        elif name == ACCESS_CONTROL_EXPOSE_HEADERS:
            exposed.append(value)
        elif on_conflict is not None:
            on_conflict(name)
    settled = list(ours)
    if exposed and ours:
        # A view may expose headers of its own, such as Content-Disposition.
        name = canonical(ACCESS_CONTROL_EXPOSE_HEADERS)
        exposed = [value for known, value in ours if known == name] + exposed
        settled = [pair for pair in ours if pair[0] != name]
        settled.append((name, ", ".join(_union(exposed))))
    if vary is not None:
        varied.append(vary[1])
    if varied:
        elements = _union(varied)
        # RFC 9110 section 12.5.5: a "*" leaves nothing to add.
        settled.append((canonical(VARY), "*" if "*" in elements else ", ".join(elements)))
    return settled


def _union(values: list[str]) -> list[str]:
    """The elements of several list values in order, each once, compared without case."""
    elements: dict[str, str] = {}
    for value in values:
        for part in value.split(","):
            element = part.strip()
            if element:
                elements.setdefault(element.lower(), element)
    return list(elements.values())
