"""The lookup of a request's view and its policy, before the view runs."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.core.signals import setting_changed
from django.http import Http404
from django.middleware.locale import LocaleMiddleware
from django.urls import URLResolver, get_resolver
from django.urls.resolvers import LocalePrefixPattern
from django.utils import translation
from django.utils.module_loading import import_string

from corscore import ConfigError, Problem
from corscore_django._marks import Marks
from corscore_django._views import NO_ROUTE, policies_of, policy_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpRequest

    from corscore import RequestInfo
    from corscore.integration import Governor
    from corscore_django._marks import RoutePolicy

# Tests, and projects that reload their URLs, make new resolvers without end.
_MAX_KNOWN = 100


class _Root:
    """The project's own URLs.

    Attributes:
        changes: The number of changes of the setting ``ROOT_URLCONF``.
        imported: The value of ``changes`` when the URLs, and so all marks, were imported.
    """

    changes = 0
    imported = -1


class Urls(NamedTuple):
    """The result of a search for views with policies of their own.

    Attributes:
        marks: The number of marks at the time of the search.
        have_marks: Whether a view has a policy of its own.
        go_by_path: Whether the path alone decides on a request's view, not also its language.
    """

    marks: int
    have_marks: bool
    go_by_path: bool


_known: dict[URLResolver, Urls] = {}


def marked_urls(request: HttpRequest) -> Urls | None:
    """The URLs for a request if views in them have policies of their own; else None."""
    # Django reads this attribute as well, which a middleware above may have set.
    urlconf = getattr(request, "urlconf", None)
    if Marks.count == 0 and urlconf is None and _Root.imported == _Root.changes:
        return None
    try:
        known = _known_of(urlconf)
    except Exception:  # noqa: BLE001 - Django reports broken URLs itself
        return Urls(0, have_marks=True, go_by_path=False) if Marks.count else None
    return known if known.have_marks else None


def check(governor: Governor) -> None:
    """Check the policies of the project's views when the server starts.

    Raises:
        ConfigError: The middleware cannot serve some of them; it has every problem.
    """
    problems: list[Problem] = []
    views: list[Callable[..., Any]] = []
    with suppress(Exception):  # Django reports broken URLs itself, at the first request.
        if _known_of(None).have_marks:
            views += _views(get_resolver())
    for policy in (policy for view in views for policy in policies_of(view)):
        found = _problems_with(policy, governor)
        problems += [problem for problem in found if problem not in problems]
    if problems:
        raise ConfigError(tuple(problems))


def _problems_with(policy: RoutePolicy, governor: Governor) -> tuple[Problem, ...]:
    try:
        if policy is not None:
            governor.require(policy)
    except ConfigError as error:
        return error.problems
    return ()


def decorated_views() -> list[str]:
    """The names of the project's views that have policies of their own.

    Raises:
        Exception: Any exception from the import of the project's URLs.
    """
    return [
        getattr(view, "__qualname__", type(view).__qualname__)
        for view in _views(get_resolver())
        if _is_marked(view)
    ]


def route_policies() -> list[tuple[str, RoutePolicy]]:
    """The policies of the project's views, by the names of the views; for tools.

    Raises:
        Exception: Any exception from the import of the project's URLs.
    """
    return [
        (f"the view {getattr(view, '__qualname__', type(view).__qualname__)}", policy)
        for view in dict.fromkeys(_views(get_resolver()))
        for policy in dict.fromkeys(policies_of(view))
    ]


def policy_for(info: RequestInfo, path: str, urlconf: Any) -> RoutePolicy:
    """The policy or policies of a request's view; ``NO_ROUTE`` without any.

    A preflight is looked up as the request that it announces.

    Raises:
        Exception: Any exception of the project's path converters.
    """
    method = info.request_method if info.is_preflight else info.method
    view = _view_at(path, urlconf)
    return NO_ROUTE if view is None else policy_of(view, method or "")


def _known_of(urlconf: Any) -> Urls:
    # Read first, since the settings may change during the search.
    changes = _Root.changes
    resolver = get_resolver(urlconf)
    known = _known.get(resolver)
    if known is None or known.marks != Marks.count:
        known = _search(resolver)
    if urlconf is None:
        _Root.imported = changes
    return known


def _search(resolver: URLResolver) -> Urls:
    # Imports the views, and so makes their marks, before the first request needs them.
    views = list(_views(resolver))
    # Read first, so that marks which are made during the search start another one.
    count = Marks.count
    known = Urls(count, count > 0 and any(map(_is_marked, views)), not _is_translated(resolver))
    if len(_known) >= _MAX_KNOWN:
        _known.clear()
    _known[resolver] = known
    return known


def _is_translated(resolver: URLResolver) -> bool:
    """Whether some pattern of a resolver depends on the language of the request."""
    for entry in _patterns(resolver):
        pattern = getattr(entry, "pattern", None)
        # A translated text is no str but a lazy object.
        text = getattr(pattern, "_route", None) or getattr(pattern, "_regex", "")
        if isinstance(pattern, LocalePrefixPattern) or not isinstance(text, str):
            return True
    return False


def _is_marked(view: Callable[..., Any]) -> bool:
    return any(True for _ in policies_of(view))


def _view_at(path: str, urlconf: Any) -> Callable[..., Any] | None:
    # The thread may have the language of an earlier request.
    with translation.override(_language_of(path, urlconf)):
        try:
            return get_resolver(urlconf).resolve(path).func
        except Http404:
            return None


def _language_of(path: str, urlconf: Any) -> str:
    """The language in which Django routes a path, as far as a preflight shows it.

    A preflight has neither the cookie nor the user that may choose another one for the request.
    """
    language = None
    if _has_locale_middleware(tuple(settings.MIDDLEWARE)):
        has_prefixes, _ = is_language_prefix_patterns_used(urlconf or settings.ROOT_URLCONF)
        language = translation.get_language_from_path(path) if has_prefixes else None
    return language or settings.LANGUAGE_CODE


@lru_cache(maxsize=_MAX_KNOWN)
def _has_locale_middleware(middleware: tuple[str, ...]) -> bool:
    """Whether a middleware takes the language from a path's prefix, as `LocaleMiddleware` does."""
    layers = map(import_string, middleware)
    return any(isinstance(layer, type) and issubclass(layer, LocaleMiddleware) for layer in layers)


def _views(resolver: URLResolver) -> Iterator[Any]:
    for pattern in _patterns(resolver):
        if not isinstance(pattern, URLResolver):
            # A pattern of another library may have none.
            yield getattr(pattern, "callback", None)


def _patterns(resolver: URLResolver) -> Iterator[Any]:
    """Every pattern below a resolver."""
    waiting = [resolver]
    seen = set()
    while waiting:
        patterns = waiting.pop().url_patterns
        # URLs may include themselves.
        if id(patterns) in seen:
            continue
        seen.add(id(patterns))
        for pattern in patterns:
            yield pattern
            if isinstance(pattern, URLResolver):
                waiting.append(pattern)


def _forget(*, setting: str, **_: object) -> None:
    if setting == "ROOT_URLCONF":
        _Root.changes += 1


setting_changed.connect(_forget)
