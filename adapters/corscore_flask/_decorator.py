"""``cross_origin`` and what ``CORS`` does to a blueprint: policies of routes, read and checked."""

from __future__ import annotations

from inspect import currentframe, unwrap
from types import CodeType
from typing import TYPE_CHECKING, TypeVar, cast

from flask.views import View

from corscore import ConfigError, Policy, PolicyMap, PolicyRef
from corscore.integration import Governor, Notices
from corscore_flask._marks import Mark, marks
from corscore_flask._options import OF_THE_APP
from corscore_flask._resources import policies_from_flask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType
    from typing import Any

    from flask import Blueprint
    from typing_extensions import Unpack

    from corscore.integration import Policies
    from corscore_flask._marks import PolicyFor
    from corscore_flask._options import RouteOptions

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class _Missing:
    """No argument, since None is one."""

    def __repr__(self) -> str:
        return "..."


_MISSING = _Missing()

# An app may accept these risks for all of its routes: whether a decorator's options are wrong
# without them is known when the app is.
_ACCEPTED_BY_THE_APP = {
    "CORS_DANGEROUSLY_ALLOW_INSECURE_ORIGINS": True,
    "CORS_DANGEROUSLY_ALLOW_PUBLIC_SUFFIXES": True,
    "CORS_DANGEROUSLY_ALLOW_SLOW_REGEX": True,
}


def cross_origin(
    policy: Policy | PolicyRef | _Missing | None = _MISSING, **options: Unpack[RouteOptions]
) -> Callable[[Decorated], Decorated]:
    """Gives a view a policy of its own, which beats those of its path, blueprint and app.

    On a function, on either side of ``@app.route``; on a ``View`` class or in its ``decorators``;
    on a single method of a ``MethodView``. The app itself needs ``CORS(app, ...)``, be it
    ``CORS(app, PolicyMap({}, default=None))``, and raises at the view's first request without.

    Args:
        policy: A ready policy; None to leave the route alone altogether, so that its OPTIONS
            reaches the app, too; or nothing, and options.
        options: As for ``CORS``. What is not given is taken from ``app.config``.

    Raises:
        ConfigError: With all that is wrong with the options; what depends on ``app.config`` is told
            at the app's first request.
        RuntimeError: When the view has a policy already.
        TypeError: When the policy is none, when there are both a policy and options, or when what
            is decorated is no view.
    """
    caller = "cross_origin(...)"
    if isinstance(policy, PolicyMap):
        raise TypeError(
            f"{caller}: a Policy was expected, not PolicyMap; a route has one policy, and "
            "CORS(app, PolicyMap(...)) has those of paths"
        )
    if callable(policy) and not isinstance(policy, type):
        raise TypeError("cross_origin: write @cross_origin(...), with the parentheses")
    _check_names(caller, options, (*OF_THE_APP, "resources"))
    read = _reader(caller, policy, options)

    def decorate(view: Decorated) -> Decorated:
        where = f"the view {getattr(view, '__qualname__', type(view).__name__)}"
        if isinstance(view, type) and issubclass(view, View):
            marks.put_on_class(view, Mark(where, read))
            return cast("Decorated", view)
        if isinstance(view, type) or not callable(view):
            raise TypeError(
                f"cross_origin(...) decorates a view, a View class or a method of one, not {view}"
            )
        is_defined_here = _is_defined_at(view, currentframe())
        marked = marks.put_on_function(view, Mark(where, read), is_defined_here=is_defined_here)
        return cast("Decorated", marked)

    return decorate


def _is_defined_at(view: Callable[..., Any], decorator: FrameType | None) -> bool:
    """Whether what calls the decorator is the line above a ``def``, or one that reads like it.

    ``cross_origin(policy)(view)`` elsewhere leaves the view as it is for other routes.
    """
    caller = None if decorator is None else decorator.f_back
    code = getattr(unwrap(view), "__code__", None)
    if caller is None or not isinstance(code, CodeType):
        return False
    lines = [line for *_, line in code.co_lines() if line is not None]
    return (
        caller.f_code.co_filename == code.co_filename
        and code.co_firstlineno <= caller.f_lineno <= max(lines)
    )


def govern_blueprint(
    blueprint: Blueprint, policy: Policies | None, options: Mapping[str, object]
) -> None:
    """Gives all routes of a blueprint a policy.

    Raises:
        ConfigError, RuntimeError, TypeError: As ``CORS`` does.
    """
    caller = "CORS(blueprint, ...)"
    _check_names(caller, options, OF_THE_APP)
    read = _reader(caller, _MISSING if policy is None else policy, options)
    marks.put_on_blueprint(blueprint, Mark(f"the blueprint {blueprint.name!r}", read))


def _check_names(caller: str, options: Mapping[str, object], refused: tuple[str, ...]) -> None:
    for name in refused:
        if name in options:
            raise TypeError(f"{caller}: {name} is for the whole app; write CORS(app, {name}=...)")


def _reader(
    caller: str, policy: object, options: Mapping[str, object]
) -> Callable[[Mapping[str, object]], PolicyFor]:
    """What reads the policy of an app's routes from its configuration."""
    if isinstance(policy, _Missing):
        _check_early(options)
        # What is only to be mentioned is mentioned once, however many apps there are.
        notices = Notices()
        return lambda config: _policy_for(
            policies_from_flask(options, _without_paths(config), notices)
        )
    if policy is not None and not isinstance(policy, (Policy, PolicyMap, PolicyRef)):
        raise TypeError(
            f"{caller}: a Policy was expected, not {type(policy).__name__}; write "
            f"{caller.replace('...', 'origins=[...]')} or "
            f"{caller.replace('...', 'Policy(allow_origins=[...])')}"
        )
    if options:
        raise TypeError(
            f"{caller}: a policy and options ({', '.join(options)}) were given; put them into the "
            "Policy, or leave it out"
        )
    policy_for = _policy_for(policy)
    return lambda _: policy_for


def _without_paths(config: Mapping[str, object]) -> dict[str, object]:
    """The configuration but for the app's own policies by path, which a route beats."""
    return {key: value for key, value in config.items() if key != "CORS_RESOURCES"}


def _check_early(options: Mapping[str, object]) -> None:
    """Tells what is wrong whatever the configuration of the app will be.

    Raises:
        ConfigError: With all of that.
    """
    try:
        policies_from_flask(options, _ACCEPTED_BY_THE_APP, _Silent())
    except ConfigError as error:
        # The app may say who is allowed.
        problems = tuple(found for found in error.problems if found.code != "origins-missing")
        if problems:
            raise ConfigError(problems) from None


class _Silent(Notices):
    __slots__ = ()

    def once(self, key: str, message: str, *args: object) -> None:
        pass


def _policy_for(policies: Policies | None) -> PolicyFor:
    if policies is None:
        return lambda _: None
    # It sees to it that a resolver can be asked here, also that of a policy put there later.
    return Governor(policies, is_async=False).policy_for
