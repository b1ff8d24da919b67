"""``resources``: policies by path, as users of flask-cors write them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from corscore import ConfigError, Policy, PolicyMap, PolicyResolver, Problem
from corscore.integration import compiled_source, python_literal
from corscore_flask._given import GivenOptions, Resource
from corscore_flask._options import policy_from_flask

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from corscore.integration import Notices, Policies

    GivenPolicy = Policy | tuple[Policy, ...] | PolicyResolver | None

_OPTION = "resources"
_EVERY_PATH = "/*"
# The ways to write every path for flask-cors, which takes some of them for regexes.
_EVERY_PATH_SPELLINGS = ("*", "/*", ".*", "/.*")


def policies_from_flask(
    given: Mapping[str, object], config: Mapping[str, object], notices: Notices | None = None
) -> Policies:
    """Return a Flask user's policies: one, or one for each of ``resources``.

    Args:
        given: The arguments of ``CORS``; they beat ``config``.
        config: ``app.config``; its keys that begin with ``CORS_`` are read.
        notices: The notices to use; None is new ones.

    Raises:
        ConfigError: Options are wrong; it has every problem, under the name that the user wrote.
        TypeError: ``resources``, or a value in it, has a wrong type.
    """
    user_options = GivenOptions(given, config, notices=notices)
    if user_options.written.get(_OPTION) is None:
        return policy_from_flask(user_options)
    resources = user_options.written[_OPTION]
    written = user_options.name(_OPTION)
    if isinstance(resources, str) and resources in _EVERY_PATH_SPELLINGS:
        user_options.notices.once(
            _OPTION, f"{written} is not needed: a policy governs the whole app. Drop it."
        )
        return policy_from_flask(user_options)
    reader = _Reader(given, config, user_options.notices)
    if isinstance(resources, Mapping):
        for path, value in resources.items():
            place = f"{written}[{python_literal(_source(path))}]"
            reader.add(place, path, value)
    else:
        reader.add_all(written, _paths(written, resources))
    return reader.policies()


class _Reader:
    """A collector of policies by path and their problems."""

    def __init__(
        self, given: Mapping[str, object], config: Mapping[str, object], notices: Notices
    ) -> None:
        self._given = given
        self._config = config
        self._notices = notices
        self._found: dict[str, GivenPolicy] = {}
        # A dict, so that a problem which every path inherits is reported once.
        self._problems: dict[Problem, None] = {}

    def add(self, place: str, path: object, value: object) -> None:
        """Read the options or the policies of one path."""
        policy: GivenPolicy
        if isinstance(value, Mapping):
            policy = self._policy(Resource(place, value))
        elif value is None or isinstance(value, (Policy, tuple, PolicyResolver)):
            policy = value
        else:
            raise TypeError(
                f"{place}: a dict of options, a Policy, a tuple or None was expected, not "
                f'{type(value).__name__}; write {{"origins": [...]}}'
            )
        self._add_path(place, path, policy)

    def add_all(self, place: str, paths: Iterable[object]) -> None:
        """Give every path the policy of the app's own options."""
        paths = list(paths)
        policy = self._policy(None) if paths else None
        for path in paths:
            self._add_path(place, path, policy)

    def policies(self) -> Policies:
        """Return the policies; one for every path comes without a map.

        Raises:
            ConfigError: Options are wrong; it has every problem.
        """
        if self._problems:
            raise ConfigError(tuple(self._problems))
        only = self._found.get(_EVERY_PATH)
        if len(self._found) == 1 and only is not None:
            return only if isinstance(only, Policy) else compiled_source(_OPTION, only)
        return PolicyMap(self._found, default=None)

    def _policy(self, place: Resource | None) -> Policy | None:
        user_options = GivenOptions(self._given, self._config, place, self._notices)
        try:
            return policy_from_flask(user_options)
        except ConfigError as error:
            self._problems.update(dict.fromkeys(error.problems))
            return None

    def _add_path(self, place: str, path: object, policy: GivenPolicy) -> None:
        if not isinstance(path, Hashable):
            raise TypeError(f"{place}: a path was expected, not {type(path).__name__}")
        key: Any = _EVERY_PATH if path in _EVERY_PATH_SPELLINGS else path
        if key in self._found:
            self._note(
                "path-invalid",
                place,
                path,
                f"{python_literal(_source(path))} means every path, as another key does.",
                f"write {python_literal(_EVERY_PATH)} once",
            )
            return
        try:
            # A map for each path, so that each problem gets its path's name.
            PolicyMap({key: policy})
        except ConfigError as error:
            for problem in error.problems:
                self._note(problem.code, place, path, problem.message, problem.hint)
        else:
            self._found[key] = policy

    def _note(self, code: str, field: str, value: object, message: str, hint: str) -> None:
        self._problems[Problem(code, field, value, message, hint)] = None


def _paths(written: str, resources: object) -> Iterable[object]:
    if isinstance(resources, (str, re.Pattern)):
        return [resources]
    if isinstance(resources, (list, tuple)):
        return resources
    if isinstance(resources, (set, frozenset)):
        # A set has no order; problems have one.
        return sorted(resources, key=str)
    raise TypeError(
        f"{written}: paths were expected, not {type(resources).__name__}; write "
        f'{written}={{"/api/*": {{"origins": [...]}}}}'
    )


def _source(path: object) -> object:
    return path.pattern if isinstance(path, re.Pattern) else path
