"""``cross_origin`` and ``CORS(blueprint, ...)``: policies of routes."""

from __future__ import annotations

from inspect import currentframe, unwrap
from types import CodeType
from typing import TYPE_CHECKING, TypeVar, cast

from flask.views import View

from corscore import ConfigError, Policy, PolicyMap, PolicyRef, PolicyResolver
from corscore.integration import GOVERNOR_OPTIONS, SOURCES, Notices, check_sync, checked_source
from corscore_flask._marks import Mark, marks
from corscore_flask._resources import policies_from_flask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType
    from typing import Any

    from flask import Blueprint
    from typing_extensions import Unpack

    from corscore.integration import Policies
    from corscore_flask._options import RouteOptions

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])
    RoutePolicy = Policy | tuple[Policy, ...] | PolicyResolver | PolicyRef | None


class _NotGiven:
    """The default of an argument for which None is a value."""

    def __repr__(self) -> str:
        return "..."


_NOT_GIVEN = _NotGiven()

# An app may accept these risks for all of its routes, so that problems due to them are reported
# when the app is known.
_ACCEPTED_BY_THE_APP = {
    "CORS_DANGEROUSLY_ALLOW_INSECURE_ORIGINS": True,
    "CORS_DANGEROUSLY_ALLOW_PUBLIC_SUFFIXES": True,
    "CORS_DANGEROUSLY_ALLOW_SLOW_REGEX": True,
}


def cross_origin(
    policy: RoutePolicy | _NotGiven = _NOT_GIVEN,
    **options: Unpack[RouteOptions],
) -> Callable[[Decorated], Decorated]:
    """Give a view a policy of its own, which beats those of its path, blueprint and app.

    Goes on a function, on either side of ``@app.route``; on a ``View`` class or in its
    ``decorators``; on a single method of a ``MethodView``. The app needs ``CORS(app, ...)``, for
    example ``CORS(app, PolicyMap({}, default=None))``; without it, requests to the view raise.

    Args:
        policy: A ready policy, or a tuple of policies by origin. None leaves the route alone, so
            that its OPTIONS reaches the app. Or leave it out and write options.
        options: As for ``CORS``. Options that are not given come from ``app.config``.

    Raises:
        ConfigError: Options are wrong; it has every problem. Problems that depend on
            ``app.config`` are raised at the app's first request.
        RuntimeError: The view has a policy already.
        TypeError: ``policy`` is no policy, both a policy and options are given, or the decorated
            object is no view.
    """
    caller = "cross_origin(...)"
    if isinstance(policy, PolicyMap):
        raise TypeError(
            f"{caller}: a Policy was expected, not PolicyMap; a route has one policy, and "
            "CORS(app, PolicyMap(...)) has those of paths"
        )
    if callable(policy) and not isinstance(policy, type):
        raise TypeError("cross_origin: write @cross_origin(...), with the parentheses")
    _check_names(caller, options, (*GOVERNOR_OPTIONS, "resources"))
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
    """Whether the decorator is called at the definition of the view, as with ``@``.

    Elsewhere, ``cross_origin(policy)(view)`` leaves ``view`` itself unmarked for other routes.
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
    """Give all routes of a blueprint a policy.

    Raises:
        ConfigError, RuntimeError, TypeError: As ``CORS`` does.
    """
    caller = "CORS(blueprint, ...)"
    _check_names(caller, options, GOVERNOR_OPTIONS)
    read = _reader(caller, _NOT_GIVEN if policy is None else policy, options)
    marks.put_on_blueprint(blueprint, Mark(f"the blueprint {blueprint.name!r}", read))


def _check_names(caller: str, options: Mapping[str, object], refused: tuple[str, ...]) -> None:
    for name in refused:
        if name in options:
            raise TypeError(f"{caller}: {name} is for the whole app; write CORS(app, {name}=...)")


def _reader(
    caller: str, policy: object, options: Mapping[str, object]
) -> Callable[[Mapping[str, object]], Policies | None]:
    """Return the function that reads a route's policy from an app's configuration."""
    if isinstance(policy, _NotGiven):
        _check_early(options)
        # Shared by all apps, so that each notice is logged once.
        notices = Notices()
        return lambda config: policies_from_flask(options, _without_paths(config), notices)
    if policy is not None and not isinstance(policy, SOURCES):
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
    source = None if policy is None else checked_source(caller, policy, check_sync)
    return lambda _: source


def _without_paths(config: Mapping[str, object]) -> dict[str, object]:
    """The configuration without the policies by path, which a route's policy beats."""
    return {key: value for key, value in config.items() if key != "CORS_RESOURCES"}


def _check_early(options: Mapping[str, object]) -> None:
    """Check options before the app's configuration is known.

    Raises:
        ConfigError: Options are wrong under every configuration.
    """
    try:
        policies_from_flask(options, _ACCEPTED_BY_THE_APP, _SilentNotices())
    except ConfigError as error:
        # The configuration may list the origins.
        problems = tuple(found for found in error.problems if found.code != "origins-missing")
        if problems:
            raise ConfigError(problems) from None


class _SilentNotices(Notices):
    __slots__ = ()

    def once(self, key: str, message: str, *args: object) -> None:
        pass
