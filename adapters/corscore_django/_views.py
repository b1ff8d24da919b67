"""The policy of a view for a method, by the marks on the view and its class."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from corscore_django._marks import Mark, Marks, is_from_class, marks_in, marks_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from corscore_django._marks import RoutePolicy

NO_ROUTE: RoutePolicy = cast("Any", object())
"""The result if a request has no view, or its view has no policy of its own."""


def policy_of(view: Callable[..., Any], method: str) -> RoutePolicy:
    """Return the policy of a view for a method; ``NO_ROUTE`` without one.

    Args:
        view: The view in the URLs.
        method: The method, as sent.
    """
    try:
        return _policy_of(view, method, Marks.count)
    except TypeError:
        # A callable object may have no hash.
        return _policy_of.__wrapped__(view, method, Marks.count)


@lru_cache(maxsize=1000)
def _policy_of(view: Callable[..., Any], method: str, _count: int) -> RoutePolicy:
    """``policy_of``, remembered for as long as the number of marks is ``_count``."""
    method = method.lower()
    cls = _class_of(view)
    handler = _handler_of(view, cls, method)
    if handler is None:
        return NO_ROUTE
    names = (method, handler, "get") if method == "head" else (handler, method)
    for marks in _layers(view, cls, handler):
        best: tuple[tuple[bool, int], RoutePolicy] | None = None
        for mark, is_on_handler in marks:
            found = mark.policy_for(names)
            if found is None:
                continue
            # A mark on the handler, or by its name, beats one for all handlers.
            rank = found[0] or is_on_handler, mark.number
            if best is None or rank > best[0]:
                best = rank, found[1]
        if best is not None:
            return best[1]
    return NO_ROUTE


def policies_of(view: Callable[..., Any]) -> Iterator[RoutePolicy]:
    """Every policy of a view, for all methods."""
    cls = _class_of(view)
    names = {
        *getattr(cls, "http_method_names", ()),
        *(getattr(view, "actions", None) or {}).values(),
    }
    handlers = [getattr(cls, name, None) for name in names]
    for mark in (*marks_on(view), *(mark for base in cls.__mro__ for mark in marks_in(base))):
        yield from mark.policies()
    for handler in handlers:
        for mark in _marks_on_handler(handler):
            yield from mark.policies()


def _layers(view: object, cls: type, handler: str) -> list[list[tuple[Mark, bool]]]:
    """The marks for a handler, each with whether it is on the handler itself.

    Marks around the view come first, then those in its class, then those in the class's bases.
    """
    is_function = not is_from_class(view)
    layers = [[(mark, False) for mark in marks_on(view) if is_function or mark.is_outside]]
    by_class = _marks_by_class(cls, Marks.count)
    is_handler_found = False
    for base in cls.__mro__:
        layer = [(mark, False) for mark in by_class.get(base, ())]
        if not is_handler_found and handler in vars(base):
            is_handler_found = True
            layer += [(mark, True) for mark in _marks_on_handler(vars(base)[handler])]
        if layer:
            layers.append(layer)
    return layers


@lru_cache(maxsize=1000)
def _marks_by_class(cls: type, _count: int) -> dict[type, tuple[Mark, ...]]:
    """The marks of a class and its bases, without inherited ones, remembered for ``_count``."""
    found = {}
    seen: set[Mark] = set()
    for base in reversed(cls.__mro__):
        # A decorated `dispatch` has the marks of the base's `dispatch`, too.
        marks = tuple(mark for mark in marks_in(base) if mark not in seen)
        if marks:
            found[base] = marks
            seen.update(marks)
    return found


def _class_of(view: object) -> type:
    for name in ("view_class", "cls"):
        cls = getattr(view, name, None)
        if isinstance(cls, type):
            return cls
    # The class of a function has no marks; that of a callable object may have some.
    return type(view)


def _handler_of(view: object, cls: type, method: str) -> str | None:
    """The name of the handler for a method; None without one.

    A function does not say which methods it answers, so it counts as answering all.
    """
    initial = getattr(view, "view_initkwargs", None) or getattr(view, "initkwargs", None) or {}
    allowed = initial.get("http_method_names", getattr(cls, "http_method_names", None))
    if allowed is None:
        return method
    if method not in allowed:
        return None
    # Viewsets of Django REST framework have an action for each method.
    actions = getattr(view, "actions", None) or {}
    wanted = [actions.get(method), method]
    if method == "head":
        wanted += [actions.get("get"), "get"]
    for name in wanted:
        if name is not None and callable(getattr(cls, name, None)):
            return str(name)
    return None


def _marks_on_handler(handler: Any) -> Iterator[Mark]:
    yield from marks_on(handler)
    if getattr(handler, "__module__", None) == "rest_framework.decorators":
        # The result of `api_view` has none of the attributes of its function.
        for cell in getattr(handler, "__closure__", None) or ():
            yield from marks_on(cell.cell_contents)
