"""``cors_policy``: the policy of an endpoint, of a route, or of a group of routes.

The policy is kept on the object that the user wrote. The framework keeps that object in its routes,
where the lookup finds it.
"""

from __future__ import annotations

import functools
import inspect
import sys
from typing import TYPE_CHECKING, Any, TypeVar, cast

from starlette.routing import BaseRoute, Router

from corscore import Policy, PolicyMap, PolicyRef, PolicyResolver
from corscore.integration import compiled_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from corscore.integration import Policies

_T = TypeVar("_T")

_ATTRIBUTE = "_corscore_mark"


class Mark:
    """The attribute that ``cors_policy`` sets: policies, a reference to some, or None."""

    __slots__ = ("source",)

    def __init__(self, source: Policies | None) -> None:
        self.source = source


class Marks:
    """The marks of this process.

    Attributes:
        count: The number of marks made. Applications look for marks when it changes.
    """

    count = 0


def cors_policy(
    policy: Policy | tuple[Policy, ...] | PolicyResolver | PolicyRef | None,
) -> Callable[[_T], _T]:
    """Give a route a policy of its own, which beats those by path and that of the application.

    ``CORSMiddleware`` or ``install`` on the application looks the route up and applies the policy;
    without them it has no effect.

    Goes on an endpoint, on either side of the route's decorator; on an ``HTTPEndpoint`` or single
    methods of one; on a ``Route``, for an endpoint that several routes share; on a ``Router`` or
    ``APIRouter``, for the routes in it; on a ``Mount`` or ``Host``, for everything below it. The
    innermost policy counts.

    Args:
        policy: A ``Policy``, a tuple of policies by origin, a ``PolicyResolver``, or a
            ``PolicyRef`` to one of these. None leaves the route alone: nothing is added, removed,
            logged or blocked, and ``OPTIONS`` reaches the application.

    Returns:
        A decorator that returns its object, or for a bound method a ``functools.partial`` of it.

    Raises:
        ConfigError: A policy is in the wrong place of the tuple.
        TypeError: ``policy`` is none of these; or, from the decorator, its object is no part of a
            route.
        RuntimeError: From the decorator: its object has another policy already.
    """
    current = policy.policy if isinstance(policy, PolicyRef) else policy
    if current is not None and not isinstance(current, (Policy, tuple, PolicyResolver)):
        raise TypeError(_no_policy(policy))
    mark = Mark(None if policy is None else compiled_source("cors_policy(...)", policy))

    def decorate(target: _T) -> _T:
        if not _takes_mark(target):
            raise TypeError(_no_target(target))
        marked: Any = target
        if inspect.ismethod(target):
            # A method has the attributes of its function, which all instances share.
            marked = functools.update_wrapper(functools.partial(target), target)
        before = vars(marked).get(_ATTRIBUTE)
        if before is not None and before.source != policy:
            raise RuntimeError(
                f"cors_policy(...): {_name(target)} has another policy already, and it can have "
                "one: where it serves several routes, mark the routes, as in "
                "cors_policy(policy)(Route(path, endpoint))"
            )
        setattr(marked, _ATTRIBUTE, mark)
        if isinstance(marked, (BaseRoute, Router)):
            _mark_copies(marked, mark)
        Marks.count += 1
        return cast("_T", marked)

    return decorate


def mark_of(marked: object) -> Mark | None:
    """The mark of an endpoint, a method, a route, the name of a copied route, or a router."""
    mark = getattr(marked, _ATTRIBUTE, None)
    while mark is None and isinstance(marked, functools.partial):
        marked = marked.func
        mark = getattr(marked, _ATTRIBUTE, None)
    # An object with a `__getattr__` may have an attribute of any name.
    return mark if isinstance(mark, Mark) else None


def _takes_mark(target: object) -> bool:
    if isinstance(target, (BaseRoute, Router, functools.partial)):
        return True
    # A `staticmethod` does not pass its attributes on.
    is_function = inspect.isroutine(target) and not isinstance(target, (staticmethod, classmethod))
    return (is_function or inspect.isclass(target)) and hasattr(target, "__dict__")


def _name(target: object) -> str:
    return str(getattr(target, "__qualname__", type(target).__name__))


def _no_policy(policy: object) -> str:
    if isinstance(policy, (PolicyMap, PolicyRef)):
        return (
            "cors_policy(...): a route has one policy, not a PolicyMap; write "
            "add_middleware(CORSMiddleware, policy=PolicyMap(...)), or install(app, PolicyMap(...))"
        )
    if callable(policy):
        return (
            f"@cors_policy on {_name(policy)} lacks its policy; write @cors_policy(policy) or "
            "@cors_policy(None)"
        )
    return (
        f"cors_policy(...): a Policy was expected, not {type(policy).__name__}; write "
        "cors_policy(Policy(allow_origins=[...])), or cors_policy(None)"
    )


def _no_target(target: object) -> str:
    return (
        f"cors_policy(...) goes on an endpoint, a route, a router or a Mount, not on "
        f"{_name(target)}; for a whole application write install(app, policy), or "
        'cors_policy(policy)(Mount("/path", app)) where it is mounted'
    )


class _Name(str):
    """The name of a route, with the mark of the route or router that it was copied from."""

    __slots__ = ("_corscore_mark",)

    _corscore_mark: Mark


class _MarkingList(list[Any]):
    """The routes of a marked router; a route that is added later is marked, too."""

    def __init__(self, routes: Iterable[BaseRoute], mark: Mark) -> None:
        super().__init__(routes)
        self._mark = mark
        for route in self:
            _mark_name(route, mark)

    def append(self, route: Any) -> None:
        _mark_name(route, self._mark)
        super().append(route)


def _mark_copies(marked: Any, mark: Mark) -> None:
    """Put the mark of a route or router on the names of routes, for copies that FastAPI makes.

    FastAPI before 0.137 includes a router by copying its routes. A copy keeps path, endpoint and
    name; the marked name is still a string.
    """
    fastapi: Any = sys.modules.get("fastapi.routing")
    if fastapi is None or hasattr(fastapi, "_IncludedRouter"):
        return
    if isinstance(marked, fastapi.APIRouter):
        marked.routes = _MarkingList(marked.routes, mark)
    elif hasattr(marked, "name"):
        _mark_name(marked, mark)


def _mark_name(route: Any, mark: Mark) -> None:
    # An inner mark beats an outer one.
    name = getattr(route, "name", None)
    if isinstance(name, str) and not isinstance(name, _Name):
        route.name = _Name(name)
        route.name._corscore_mark = mark
