"""The arguments of adapters, read; and notices that are logged once."""

from __future__ import annotations

from corscore._config.spelling import Problems, Spelling, python_literal
from corscore._policy.map import PolicyMap
from corscore._policy.policy import Policy, build
from corscore._policy.reference import PolicyRef
from corscore._standard.fetch import is_forbidden_request_header
from corscore._standard.text import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from corscore.integration._governor import Policies


def policy_from(caller: str, policy: object, options: Mapping[str, Any]) -> Policy:
    """The policy that an adapter was given: ready-made, or as options.

    Args:
        caller: The call as its user writes it, such as ``"CORSMiddleware(app, ...)"``.
        policy: A ``Policy``, or None.
        options: Keyword arguments of ``Policy``.

    Raises:
        TypeError: When both were given, or something that is no policy; it says what to write.
        ConfigError: With all that is wrong with the options.
    """
    if policy is None:
        return Policy(**options)
    if not isinstance(policy, Policy):
        raise TypeError(
            f"{caller}: a Policy was expected, not {type(policy).__name__}; write "
            f"{caller.replace('...', 'allow_origins=[...]')} or "
            f"{caller.replace('...', 'Policy(allow_origins=[...])')}"
        )
    if options:
        names = ", ".join(options)
        raise TypeError(
            f"{caller}: a policy and options ({names}) were given; put them into the Policy, "
            "or leave it out"
        )
    return policy


def policies_from(caller: str, policy: object, options: Mapping[str, Any]) -> Policies:
    """The same for an adapter with a ``Governor``: also a ``PolicyMap`` or a ``PolicyRef``.

    The arguments and exceptions are those of ``policy_from``.
    """
    if not isinstance(policy, (PolicyMap, PolicyRef)):
        return policy_from(caller, policy, options)
    if options:
        names = ", ".join(options)
        raise TypeError(
            f"{caller}: a {type(policy).__name__} and options ({names}) were given; put them into "
            "its policies, or leave it out"
        )
    return policy


def translated_policy(
    options: Mapping[str, object], names: Mapping[str, str], separator: str
) -> Policy:
    """A policy from options that their users know under other names.

    Args:
        options: Names and values of ``Policy``'s arguments.
        names: Argument of ``Policy`` to the name that problems and hints speak of.
        separator: What stands between a name and its value where these users write them: ``"="``
            in a call, ``" = "`` in a settings file.

    Raises:
        ConfigError: As ``Policy`` does, in the users' own names.
    """
    return build(options, Problems(Spelling(names, python_literal, separator)))


def split_forbidden(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Request-header names that a script may send, and those that it never can.

    For adapters whose users bring old configurations, which are full of the latter.
    https://fetch.spec.whatwg.org/#forbidden-request-header
    """
    names = list(names)
    forbidden = [
        name for name in names if isinstance(name, str) and is_forbidden_request_header(name)
    ]
    return [name for name in names if name not in forbidden], forbidden


class Notices:
    """Says each thing once, to the logger ``corscore``: one instance for each application."""

    __slots__ = ("_said",)

    def __init__(self) -> None:
        self._said: set[str] = set()

    def once(self, key: str, message: str, *args: object) -> None:
        """Logs a warning, unless one of this key was logged before.

        Args:
            key: What it is about; one of a few words known at build time, never request data.
            message: As in ``logging``.
            args: As in ``logging``. Each is escaped and cut to 200 characters: it may come from
                a request.
        """
        if key in self._said:
            return
        self._said.add(key)
        # Imported late: logging is larger than the whole engine.
        from logging import getLogger

        getLogger("corscore").warning(message, *map(escaped, args))

    def conflict(self, name: str) -> None:
        """Says once that the application set a header which only the policy sets."""
        self.once(
            "conflict",
            "the application, or another CORS layer in it, sets %s itself; corscore replaced it, "
            "since browsers refuse a response with two. Remove it there.",
            name,
        )
