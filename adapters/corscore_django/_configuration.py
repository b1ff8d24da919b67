"""``Configuration``: the policies of the settings, their paths and governors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corscore import ConfigError, Policy, PolicyRef, Problem
from corscore.integration import Governor, check_every
from corscore_django._requests import host_of, path_of, request_of

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Mapping

    from corscore.integration import Policies


class Configuration:
    """The checked settings.

    Args:
        policy: A ``Policy``, ``PolicyTuple``, ``PolicyMap`` or ``PolicyRef``.
        urls: A regex for the paths that the policy governs; None for every path.
        options: Further arguments of ``Governor``.
        names: The user's setting for each field of a ``Problem``.

    Attributes:
        plain: The policy if one governs every path; else None.
        is_simple: Whether the policies govern every path, and nothing observes or blocks requests.
    """

    __slots__ = ("_governors", "_names", "_options", "is_simple", "plain", "policy", "urls")

    def __init__(
        self,
        policy: Policies,
        urls: re.Pattern[str] | None,
        options: Mapping[str, Any],
        names: Mapping[str, str],
    ) -> None:
        self.policy: Policies = policy
        self.urls: re.Pattern[str] | None = urls
        self._options = options
        self._names = names
        self._governors: dict[bool, Governor] = {}
        self.plain: Policy | None = None
        if isinstance(policy, Policy) and urls is None:
            self.plain = policy
        self.is_simple: bool = urls is None and not any(options.values())

    def governs(self, path: str) -> bool:
        """Whether the policy applies to a request's ``path_info``."""
        return self.urls is None or self.urls.fullmatch(path) is not None

    def governor(self, *, is_async: bool) -> Governor:
        """The governor of the middleware: one for WSGI, one for ASGI.

        Raises:
            ConfigError: A resolver cannot be called there.
        """
        governor = self._governors.get(is_async)
        if governor is None:
            try:
                governor = Governor(
                    self.policy,
                    is_async=is_async,
                    request_of=request_of,
                    path_of=path_of,
                    host_of=host_of,
                    **self._options,
                )
            except ConfigError as error:
                raise ConfigError(renamed(error.problems, self._names)) from None
            self._governors[is_async] = governor
        return governor

    def each_policy(self) -> tuple[Policy, ...]:
        """Every current policy."""
        found: list[Policy] = []
        policy = self.policy.policy if isinstance(self.policy, PolicyRef) else self.policy
        check_every(policy, lambda one: found.append(one) if isinstance(one, Policy) else None)
        return tuple(found)


def renamed(problems: Iterable[Problem], names: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return problems under the names of settings.

    Args:
        problems: Problems under the names of arguments.
        names: The setting for each argument.
    """
    return tuple(
        Problem(
            problem.code,
            names.get(problem.field, problem.field),
            problem.value,
            problem.message,
            problem.hint.replace(
                f"{problem.field}=", f"{names.get(problem.field, problem.field)} = "
            ),
        )
        for problem in problems
    )
