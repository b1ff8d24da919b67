"""Policies from the arguments of adapters, and notices that are logged once."""

from __future__ import annotations

from corscore._config import values
from corscore._config.options import (
    ADAPTER_OPTIONS,
    GOVERNOR_OPTIONS,
    OPTIONS,
    check_names,
    did_you_mean,
)
from corscore._config.spelling import KEYWORDS, Problems, Spelling, python_literal
from corscore._policy.policy import Policy, build
from corscore._policy.reference import SOURCES, check_every, compiled_source
from corscore._standard.fetch import is_forbidden_request_header
from corscore._standard.problem import ConfigError
from corscore._standard.text import escaped
from corscore.integration._cross_site import read_own_origins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypedDict

    from corscore._config.options import PolicyOptions
    from corscore._policy.tenant import PolicyResolver
    from corscore._standard.problem import Problem
    from corscore.integration._governor import OnDecision, Policies

    class GovernorOptions(TypedDict, total=False):
        """The keyword arguments of ``Governor`` that users of an adapter give."""

        on_decision: OnDecision | None
        shadow: Policies | None
        block_cross_site: bool
        own_origins: list[str] | tuple[str, ...] | set[str] | frozenset[str]

    class AdapterOptions(PolicyOptions, GovernorOptions, total=False):
        """The keyword arguments of an adapter."""


def policies_from(caller: str, policy: object, options: Mapping[str, Any]) -> Policies:
    """Return the policies given to an adapter, ready or as the options of one.

    Args:
        caller: The call as its user writes it, such as ``"CORSMiddleware(app, ...)"``.
        policy: As for ``Governor``, or None.
        options: Keyword arguments of ``Policy``.

    Raises:
        TypeError: When both are given, or ``policy`` is no policy.
        ConfigError: With every problem of the options, or when a policy is in the wrong place of
            a tuple.
    """
    if policy is None:
        return Policy(**options)
    if not isinstance(policy, SOURCES):
        # A str or a list most likely has the origins.
        items = [policy] if isinstance(policy, str) else policy
        origins = python_literal(items) if isinstance(items, (list, tuple)) else "[...]"
        raise TypeError(
            f"{caller}: a Policy was expected, not {type(policy).__name__}; write "
            f"{caller.replace('...', f'allow_origins={origins}')} or "
            f"{caller.replace('...', f'Policy(allow_origins={origins})')}"
        )
    if options:
        names = ", ".join(options)
        is_one = isinstance(policy, Policy)
        raise TypeError(
            f"{caller}: a {'policy' if is_one else type(policy).__name__} and options ({names}) "
            f"were given; put them into {'the Policy' if is_one else 'its policies'}, or leave it "
            "out"
        )
    return compiled_source(caller, policy)


def read_governor_options(
    given: Mapping[str, object],
    problems: list[Problem],
    name: Callable[[str], str] = str,
    separator: str = "=",
) -> dict[str, Any]:
    """Pick the arguments of ``Governor`` from those of an adapter, and note their problems.

    Args:
        given: Values by the names of arguments.
        problems: Gets the problems.
        name: Returns the user's name of an argument, for problems and hints.
        separator: The text between a name and its value.
    """
    found = {option: given[option] for option in GOVERNOR_OPTIONS if option in given}
    option = name("block_cross_site")
    read_switch(found.get("block_cross_site", False), option, separator, problems=problems)
    try:
        read_own_origins(found.get("own_origins", ()), name("own_origins"), separator)
    except ConfigError as error:
        problems += error.problems
    return found


def read_arguments(
    caller: str, policy: object, options: Mapping[str, Any], switches: tuple[str, ...] = ()
) -> tuple[Policies, dict[str, Any]]:
    """Return the policies that an adapter was given, and its other arguments.

    Args:
        caller: The call as its user writes it, such as ``"CORSMiddleware(app, ...)"``.
        policy: As for ``Governor``; or None if ``options`` are those of a policy.
        options: The keyword arguments: of ``Policy``, of ``Governor``, and ``switches``.
        switches: Names of further arguments of the adapter, each True or False.

    Raises:
        ConfigError: With every problem of the options.
        TypeError: As ``policies_from`` does.
    """
    problems = Problems(KEYWORDS)
    own_names = (*GOVERNOR_OPTIONS, *switches)
    known = (*OPTIONS, *own_names)
    misspelled = {
        name: value
        for name, value in options.items()
        # With a ready policy, `policies_from` refuses every other name.
        if name not in known
        and (
            policy is None
            or name.lower() in ADAPTER_OPTIONS
            or did_you_mean(name, known) in own_names
        )
    }
    check_names(problems, misspelled, known)
    own = read_governor_options(options, problems.found)
    for name in switches:
        own[name] = values.read_switch(problems, name, options.get(name, False))
    elsewhere = (*own_names, *misspelled)
    of_policy = {name: value for name, value in options.items() if name not in elsewhere}
    try:
        policies = policies_from(caller, policy, of_policy)
    except ConfigError as error:
        raise ConfigError((*problems.found, *error.problems)) from None
    problems.raise_all()
    return policies, own


def translated_policy(
    options: Mapping[str, object], names: Mapping[str, str], separator: str
) -> Policy:
    """Build a policy from options that the framework's users write under other names.

    Args:
        options: Names and values of the arguments of ``Policy``.
        names: The users' names for arguments of ``Policy``, in problems and hints.
        separator: The text between a name and its value: ``"="`` in a call, ``" = "`` in a
            settings file.

    Raises:
        ConfigError: As ``Policy`` does, in the users' names.
    """
    return build(options, Problems(Spelling(names, python_literal, separator)))


def read_switch(value: object, name: str, separator: str = "=", *, problems: list[Problem]) -> bool:
    """Read True or False; note a problem with any other value, and return the switch it means.

    Args:
        value: As the user wrote it.
        name: The user's name of the option.
        separator: The text between the name and a value, in hints.
        problems: Where to note the problem.
    """
    found = Problems(Spelling({}, python_literal, separator))
    meant = values.read_switch(found, name, value)
    problems += found.found
    return meant


def split_forbidden(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Split request-header names into those that a script may send, and forbidden ones.

    Configurations of other libraries often list forbidden names:
    https://fetch.spec.whatwg.org/#forbidden-request-header
    """
    names = list(names)
    forbidden = [
        name for name in names if isinstance(name, str) and is_forbidden_request_header(name)
    ]
    return [name for name in names if name not in forbidden], forbidden


class Notices:
    """Warnings of one application to the logger ``corscore``, each logged once."""

    __slots__ = ("_logged",)

    def __init__(self) -> None:
        self._logged: set[str] = set()

    def once(self, key: str, message: str, *args: object) -> None:
        """Log a warning, unless one with this key was logged before.

        Args:
            key: A constant for the kind of warning, never request data.
            message: As in ``logging``.
            args: As in ``logging``. Each is escaped and cut to 200 characters, since it may come
                from a request.
        """
        if key in self._logged:
            return
        self._logged.add(key)
        # Imported late: logging is larger than the whole engine.
        from logging import getLogger

        getLogger("corscore").warning(message, *map(escaped, args))

    def conflict(self, name: str) -> None:
        """Warn once that the application set a header that only the policy may set."""
        self.once(
            "conflict",
            "the application, or another CORS layer in it, sets %s itself; corscore replaced it, "
            "since browsers refuse a response with two. Remove it there.",
            name,
        )


# For the whole process, since one policy may be in many governors.
_notices = Notices()


def _note_unasked(policy: Policy | PolicyResolver) -> None:
    """Log that a regex matches ``null`` or ``file://``, which other libraries allow by regexes."""
    if not isinstance(policy, Policy) or policy.dangerously_allow_slow_regex:
        return
    regex = policy.allow_origin_regex
    if regex is None:
        return
    texts = ["file://"] if policy.allow_null_origin else ["null", "file://"]
    found = " and ".join(f'"{text}"' for text in texts if regex.fullmatch(text))
    if found:
        _notices.once(
            f"texts of {regex.pattern}",
            "the regex %s matches %s, but no regex is asked about these: only about origins with a "
            "host. allow_null_origin=True allows sandboxed frames and local files.",
            regex.pattern,
            found,
        )


def checked_source(
    caller: str, policies: object, check: Callable[[Policy | PolicyResolver], None]
) -> Policies:
    """Return a source of policies as ``compiled_source`` does, every policy checked.

    Args:
        caller: The call as its user writes it, for exceptions.
        policies: As for ``compiled_source``.
        check: Raises ``ConfigError`` about a policy or resolver that the adapter cannot serve; of a
            reference, it checks later policies, too. ``check_sync`` is that of sync adapters.

    Raises:
        ConfigError, TypeError: As ``compiled_source`` and ``check`` do.
    """
    source = compiled_source(caller, policies)
    check_every(source, check)
    check_every(source, _note_unasked)
    return source


def check_observer(on_decision: object, name: str = "on_decision") -> None:
    """Check a function that is called for every decision.

    Args:
        on_decision: The function.
        name: The user's name of the option, for exceptions.

    Raises:
        TypeError: When ``on_decision`` is no sync function.
    """
    # Imported late: inspect is larger than the whole engine.
    from inspect import iscoroutinefunction

    if not callable(on_decision):
        raise TypeError(f"{name}: a function was expected, not {type(on_decision).__name__}")
    if iscoroutinefunction(on_decision):
        raise TypeError(f"{name}: nothing awaits it; write it as def on_decision(...)")
