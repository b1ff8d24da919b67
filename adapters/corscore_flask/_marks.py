"""Marks: the policies of views and blueprints, kept until an application looks for them.

``cross_origin`` marks a view, and ``CORS(blueprint, ...)`` a blueprint. ``FlaskLayer`` finds the
marks of its application's views later.
"""

from __future__ import annotations

from functools import update_wrapper, wraps
from inspect import iscoroutinefunction
from types import FunctionType
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from flask import Blueprint, Flask, request, request_started
from flask.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from corscore.integration import Policies

# `functools.wraps` copies this attribute of a function to decorators around it.
_ATTRIBUTE = "_corscore_mark"


class Mark:
    """A policy of some routes.

    Args:
        where: The view or blueprint that has it, for messages.
        read: Takes an app's configuration, and returns the policies; raises ``ConfigError``.
    """

    def __init__(self, where: str, read: Callable[[Mapping[str, object]], Policies | None]) -> None:
        self.where = where
        self.read = read


class Marks:
    """All marks of this process, and the number of marks ever made."""

    def __init__(self) -> None:
        self.count = 0
        # Marks that no application with a policy has found; a signal refuses their requests.
        self._unfound: set[Mark] = set()
        self._blueprints: WeakKeyDictionary[object, Mark] = WeakKeyDictionary()
        self._classes: WeakKeyDictionary[type[View], Mark] = WeakKeyDictionary()
        # The marks of functions that were marked at their definition.
        self._functions: WeakKeyDictionary[Callable[..., Any], Mark] = WeakKeyDictionary()

    def put_on_blueprint(self, blueprint: Blueprint, mark: Mark) -> None:
        """Mark all routes of a blueprint, those of blueprints inside it included.

        Raises:
            RuntimeError: It has a mark already.
        """
        if blueprint in self._blueprints:
            raise RuntimeError("CORS(blueprint, ...) was called twice: a blueprint has one policy")
        self._blueprints[blueprint] = mark
        self._added(mark)

    def put_on_class(self, view_class: type[View], mark: Mark) -> None:
        """Mark the views that are made from a class.

        Raises:
            RuntimeError: It has a mark of its own already.
        """
        if view_class in self._classes:
            raise _twice(view_class)
        self._classes[view_class] = mark
        self._added(mark)

    def put_on_function(
        self, function: Callable[..., Any], mark: Mark, *, is_defined_here: bool
    ) -> Callable[..., Any]:
        """Mark a view, or a method of a view class.

        Args:
            function: The view.
            mark: Its mark.
            is_defined_here: Whether it is marked at its definition. Then an ``@app.route`` below
                may serve the function itself, so that it is marked, too.

        Returns:
            A copy with the mark: other routes may serve the given function without it.

        Raises:
            RuntimeError: It has a mark already.
        """
        if _own(function) is not None:
            raise _twice(function)
        marked = _copy(function)
        setattr(marked, _ATTRIBUTE, mark)
        if is_defined_here:
            self._functions[function] = mark
        self._added(mark)
        return marked

    def of_app(self, app: Flask) -> set[Mark]:
        """All marks on an application's routes."""
        views = list(app.view_functions.values())
        copied = own_marks(views)
        found = {mark for view in views for mark in self._of_view(view, None, copied)}
        for blueprint in list(app.blueprints.values()):
            if blueprint in self._blueprints:
                found.add(self._blueprints[blueprint])
        return found

    def of_route(self, app: Flask, endpoint: str, method: str, copied: set[Mark]) -> Mark | None:
        """The mark of a route: the view's, else that of the innermost blueprint.

        Args:
            app: The application.
            endpoint: The route's endpoint.
            method: The request's method.
            copied: ``own_marks`` of the application's views.
        """
        view = app.view_functions.get(endpoint)
        for mark in () if view is None else self._of_view(view, method, copied):
            return mark
        name = endpoint.rpartition(".")[0]
        while name:
            blueprint = app.blueprints.get(name)
            if blueprint is not None and blueprint in self._blueprints:
                return self._blueprints[blueprint]
            name = name.rpartition(".")[0]
        return None

    def _of_view(
        self, view: Callable[..., Any], method: str | None, copied: set[Mark]
    ) -> Iterator[Mark]:
        """The marks of a view for one method or all; the first one counts."""
        view_class = _class_of(view)
        for name in () if view_class is None else _handlers(view_class, method):
            mark = _own(getattr(view_class, name, None))
            if mark is not None:
                yield mark
        mark = _own(view) or self._of_function(view, copied)
        if mark is not None:
            yield mark
        for cls in () if view_class is None else view_class.__mro__:
            if cls in self._classes:
                yield self._classes[cls]

    def _of_function(self, view: Callable[..., Any], copied: set[Mark]) -> Mark | None:
        try:
            mark = self._functions.get(view)
        except TypeError:
            return None
        # If the app serves the marked copy, the mark is for the copy's routes alone.
        return None if mark in copied else mark

    def note_found(self, found: set[Mark]) -> None:
        """Note the marks that an application with a policy has found on its routes."""
        if self._unfound:
            self._unfound -= found
            if not self._unfound:
                # For speed: a receiver costs every request.
                request_started.disconnect(_refuse_ungoverned)

    def _added(self, mark: Mark) -> None:
        self.count += 1
        if not self._unfound:
            request_started.connect(_refuse_ungoverned)
        self._unfound.add(mark)


marks = Marks()


def own_marks(views: list[Callable[..., Any]]) -> set[Mark]:
    """The marks on functions themselves, which are those of marked copies."""
    return {mark for mark in map(_own, views) if mark is not None}


def _class_of(view: object) -> type[View] | None:
    view_class = getattr(view, "view_class", None)
    return view_class if isinstance(view_class, type) and issubclass(view_class, View) else None


def _own(function: object) -> Mark | None:
    mark = getattr(function, _ATTRIBUTE, None)
    return mark if isinstance(mark, Mark) else None


def _copy(function: Callable[..., Any]) -> Callable[..., Any]:
    if type(function) is FunctionType:
        # For speed: a call through a wrapper costs as much as the lookup of the policy.
        copied = FunctionType(
            function.__code__,
            function.__globals__,
            function.__name__,
            function.__defaults__,
            function.__closure__,
        )
        copied.__kwdefaults__ = function.__kwdefaults__
        return update_wrapper(copied, function)
    if iscoroutinefunction(function):

        @wraps(function)
        async def view_async(*args: Any, **kwargs: Any) -> Any:
            return await function(*args, **kwargs)

        return view_async

    @wraps(function)
    def view(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return view


def _handlers(view_class: type[View], method: str | None) -> list[str]:
    """The methods of a view class that may answer a method, as ``MethodView`` chooses them."""
    if method is None:
        return [*map(str.lower, view_class.methods or ()), "head", "dispatch_request"]
    name = method.lower()
    if name == "head" and not hasattr(view_class, name):
        name = "get"
    return [name, "dispatch_request"]


def _twice(marked: Any) -> RuntimeError:
    name = getattr(marked, "__qualname__", type(marked).__name__)
    return RuntimeError(
        f"cross_origin(...) was put on {name} twice: a view has one policy. Where one function "
        "serves several routes, decorate it anew for each of them"
    )


def _refuse_ungoverned(app: Flask, **_: object) -> None:
    """Refuse a request to a marked route of an application without ``CORS(app)``."""
    if "corscore" in app.extensions or request.endpoint is None:
        return
    views = list(app.view_functions.values())
    mark = marks.of_route(app, request.endpoint, request.method, own_marks(views))
    if mark is not None:
        raise RuntimeError(
            f"{mark.where} has a policy of its own, and the app has nothing that applies it: write "
            "CORS(app, PolicyMap({}, default=None)) where the app is made, or CORS(app, ...) with "
            "the policy of all other routes"
        )
