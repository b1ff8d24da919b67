"""``cors_policy``: the policy of a view, kept on the view until a request comes for it.

A mark is an attribute of the decorated view. Each has a name of its own, since other decorators
copy the view's attributes over theirs.
"""

from __future__ import annotations

from functools import partial, wraps
from inspect import ismethod
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from asgiref.sync import iscoroutinefunction

from corscore import Policy, PolicyRef, PolicyResolver
from corscore.integration import compiled_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    RoutePolicy = Policy | tuple[Policy, ...] | PolicyResolver | PolicyRef | None

_View = TypeVar("_View")

_ON_CLASS = "_corscore_marks"
_EXAMPLE = 'cors_policy(Policy(allow_origins=["https://app.example.com"]))'
_NOT_GIVEN: Any = object()
# Numbers marks in the order in which they were made: outer ones are later.
_numbers = count(1)


class Mark:
    """The policies that one decorator gives a view.

    Attributes:
        number: The order of marks; of two that fit a request, the later one counts.
        by_name: The policies of handlers or actions, by name in lower case.
        is_outside: Whether it is around the result of ``as_view``, where it beats marks in the
            class.
    """

    __slots__ = ("_policy", "by_name", "is_outside", "number")

    def __init__(
        self, policy: RoutePolicy, by_name: dict[str, RoutePolicy], *, is_outside: bool
    ) -> None:
        self.number = next(_numbers)
        self._policy = policy
        self.by_name = by_name
        self.is_outside = is_outside

    def policies(self) -> Iterator[RoutePolicy]:
        """Every policy of the mark."""
        yield from self.by_name.values()
        if self._policy is not _NOT_GIVEN:
            yield self._policy

    def policy_for(self, names: tuple[str, ...]) -> tuple[bool, RoutePolicy] | None:
        """Return whether the mark names the handler, and its policy; None without a policy.

        Args:
            names: The names of the request's handler, the most specific first.
        """
        for name in names:
            if name in self.by_name:
                return True, self.by_name[name]
        return None if self._policy is _NOT_GIVEN else (False, self._policy)


class Marks:
    """The marks of this process.

    Attributes:
        count: The number of marks made. A project's views are searched when it changes.
    """

    count = 0


def cors_policy(
    policy: RoutePolicy = _NOT_GIVEN, /, **policies: RoutePolicy
) -> Callable[[_View], _View]:
    """Give a view a policy, which beats those of its path and of the application.

    Goes on function views, sync and async; on view classes, and through ``method_decorator`` on
    their ``dispatch``; on a single handler, or an action of a viewset; and around ``as_view()``.

    Args:
        policy: The policy, a tuple of policies by origin, a ``PolicyResolver`` or a ``PolicyRef``;
            None leaves the view alone.
        policies: Policies for methods, ``cors_policy(get=a, delete=b)``, or for the actions of a
            viewset, ``cors_policy(list=a, destroy=b)``. ``get`` is for HEAD, too, unless ``head``
            is given. All other names have ``policy``, or else no policy of their own.

    Raises:
        ConfigError: A policy is in the wrong place of a tuple.
        TypeError: Nothing is given, or something that is no policy, or the class has no such
            handler.
    """
    given = dict(policies) if policy is _NOT_GIVEN else {"": policy, **policies}
    if not given:
        raise TypeError(f"cors_policy() without a policy; write {_EXAMPLE}, or cors_policy(None)")
    if [*given] == ["policy"]:
        raise TypeError(f"cors_policy: policy= would be an action of that name; write {_EXAMPLE}")
    compiled = {name: _compiled(name, each) for name, each in given.items()}
    policy = compiled.pop("", _NOT_GIVEN)
    by_name = {name.lower(): each for name, each in compiled.items()}

    def decorate(view: Any) -> Any:
        if not _is_bound(view):
            Marks.count += 1
        if isinstance(view, type):
            _check_names(view, by_name)
            mark = Mark(policy, by_name, is_outside=False)
            # Bases and subclasses have marks of their own.
            setattr(view, _ON_CLASS, (*vars(view).get(_ON_CLASS, ()), mark))
            return view
        if not callable(view):
            raise TypeError(f"cors_policy: a view was expected, not {type(view).__name__}")
        wrapper = _wrapper(view)
        mark = Mark(policy, by_name, is_outside=is_from_class(view))
        setattr(wrapper, f"_corscore_mark_{mark.number}", mark)
        return wrapper

    return decorate


def marks_on(view: object) -> Iterator[Mark]:
    """The marks on a function, those on what it wraps included."""
    for value in getattr(view, "__dict__", {}).values():
        if isinstance(value, Mark):
            yield value


def marks_in(cls: type) -> Iterator[Mark]:
    """The marks on a class itself, and on a ``dispatch`` of its own."""
    attributes = vars(cls)
    yield from attributes.get(_ON_CLASS, ())
    yield from marks_on(attributes.get("dispatch"))


def is_from_class(view: object) -> bool:
    """Whether a view is the result of ``as_view``, of Django or Django REST framework."""
    return hasattr(view, "view_class") or hasattr(view, "cls")


def _is_bound(view: object) -> bool:
    """Whether this is a bound method, which ``method_decorator`` decorates for each request."""
    return isinstance(view, partial) and ismethod(view.func)


def _wrapper(view: Callable[..., Any]) -> Callable[..., Any]:
    if iscoroutinefunction(view):

        @wraps(view)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            return await view(*args, **kwargs)

        return call_async

    @wraps(view)
    def call(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return call


def _compiled(name: str, policy: object) -> RoutePolicy:
    if policy is None:
        return None
    if isinstance(policy, (Policy, tuple, PolicyResolver, PolicyRef)):
        compiled: Any = compiled_source("cors_policy", policy)
        return compiled  # type: ignore[no-any-return]
    if callable(policy):
        raise TypeError(f"cors_policy: it needs a policy before its view; write @{_EXAMPLE}")
    kind = type(policy).__name__
    example = _EXAMPLE if not name else _EXAMPLE.replace("(Policy", f"({name}=Policy")
    raise TypeError(f"cors_policy: a Policy or None was expected, not {kind}; write {example}")


def _check_names(cls: type, by_name: dict[str, RoutePolicy]) -> None:
    # The methods of a viewset of Django REST framework are those of its routes.
    methods = getattr(cls, "http_method_names", ()) if hasattr(cls, "get_extra_actions") else ()
    unknown = [
        name
        for name in by_name
        if name != "head" and name not in methods and not callable(getattr(cls, name, None))
    ]
    if unknown:
        raise TypeError(
            f"cors_policy: {cls.__name__} has no {' and no '.join(unknown)}; write the names of "
            "its handlers, such as get, or of its actions, such as list"
        )
