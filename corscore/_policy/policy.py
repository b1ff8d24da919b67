"""``Policy``: which origins may do what, checked and compiled once."""

from __future__ import annotations

from corscore._config.options import LISTS, OPTIONS, Options, read_options
from corscore._config.spelling import (
    KEYWORDS,
    Problems,
    json_value,
    python_expression,
    regex_meaning,
)
from corscore._engine.compiled import Compiled
from corscore._engine.decision import Decision
from corscore._standard.fetch import CORS_SAFELISTED_REQUEST_HEADERS
from corscore._standard.problem import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, NoReturn

    from corscore._config.options import Names, Regex, Seconds
    from corscore._engine.matcher import Answer, Responder
    from corscore._engine.request import RequestInfo
    from corscore._explain.types import Explanation
    from corscore._policy.resolver import OriginResolver, Resolver
    from corscore.browser._deviations import Browser
    from corscore.browser._request import Request

# Options whose values can differ and mean the same.
_WITH_SPELLINGS = (*LISTS, "allow_origin_regex")


class Policy(Options):
    """A CORS policy: https://fetch.spec.whatwg.org/#http-cors-protocol.

    Frozen, hashable, safe to share between threads; policies are equal when they mean the same,
    and the ``repr`` rebuilds one. Every argument is an attribute of the same name.

    Args:
        allow_origins: Origin patterns: ``"https://example.com"``, ``"https://*.example.com"`` (one
            or more labels), ``"http://localhost:*"`` (any port), or ``"*"`` alone for every origin.
        allow_methods: Methods beyond GET, HEAD and POST, which CORS always allows; ``"*"`` for any.
        allow_headers: Request headers beyond the five safelisted names (Accept, Accept-Language,
            Content-Language, Content-Type, Range), which are always allowed; ``"*"`` for any.
        expose_headers: Response headers that scripts may read beyond the safelisted ones.
        allow_credentials: Whether scripts may read responses to requests with cookies, HTTP
            authentication or client certificates.
        max_age: How long a browser may cache a preflight: seconds from 0 (not at all) to 86400, a
            ``timedelta``, or None to send no such header (browsers then cache for 5 seconds).
        allow_origin_regex: A regex for the whole origin, tried where no pattern covers it.
        origin_resolver: Decides on a well-formed origin that patterns and regex do not cover:
            ``fn(origin, request)``, sync or async, returns True or False and is called every time;
            an ``OriginResolver`` caches. The adapters call it, ``allows_origin`` does not.
        allow_null_origin: Whether to allow ``Origin: null``, which any page can send.
        allow_private_network: Answer Chrome's former Private Network Access preflights. Current
            versions ask the user instead (Local Network Access), and no header helps.
        dangerously_allow_insecure_origins: Accept plain-http origins beside credentials.
        dangerously_allow_public_suffixes: Accept ``*.`` below a public suffix beside credentials.
        dangerously_allow_slow_regex: Accept a regex that may take very long.
        preflight_status: 204, or 200 for clients that need it.
        debug: Whether to put the reason into the body of a refused preflight, and the whole
            explanation of a refusal into the log, at most once a minute for an origin and a reason.

    Raises:
        ConfigError: With every problem at once; also for an unknown keyword.
    """

    __slots__ = ("_compiled", "_responder", "allows_origin", "resolver")

    _compiled: Compiled
    _responder: Responder
    # A gateway reads these of every source of policies; one policy needs no lookup.
    _table = None
    _hosts = None
    _is_choice = False

    resolver: Resolver | OriginResolver | None
    """The origin resolver, or None."""

    allows_origin: Callable[[str | bytes], bool]
    """Whether the policy allows an origin, as a request sent it; never raises.

    Under ``"*"`` it returns True for anything. Otherwise origins are compared byte for byte: no
    case folding, no URL parsing, no normalisation.
    """

    def __init__(
        self,
        /,
        *,
        allow_origins: Names = (),
        allow_methods: Names = (),
        allow_headers: Names = (),
        expose_headers: Names = (),
        allow_credentials: bool = False,
        max_age: Seconds = 600,
        allow_origin_regex: Regex = None,
        origin_resolver: Callable[..., Any] | OriginResolver | None = None,
        allow_null_origin: bool = False,
        allow_private_network: bool = False,
        dangerously_allow_insecure_origins: bool = False,
        dangerously_allow_public_suffixes: bool = False,
        dangerously_allow_slow_regex: bool = False,
        preflight_status: int = 204,
        debug: bool = False,
        **unknown: NoReturn,
    ) -> None:
        # Read from `locals`, so that only the signature and the option table list the options.
        arguments = dict(locals())
        given = {name: arguments[name] for name in OPTIONS}
        try:
            # A misspelt option is a problem like the others, and not Python's TypeError.
            self._build({**given, **unknown}, Problems(KEYWORDS))
        except ConfigError as error:
            # Without our frames, the traceback ends at the user's line.
            raise error.with_traceback(None) from None

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> Policy:
        """Read a policy from a table, such as that of a configuration file.

        Args:
            mapping: Values by option names (``allow_origins``, or as in the environment
                ``CORS_ALLOW_ORIGINS``). Each is of the argument's own type, or a ``str`` in the
                form that ``from_env`` reads.

        Raises:
            ConfigError: As the class does; its problems name the keys.
        """
        # Imported late: only a policy from a table or the environment needs it.
        from corscore._config.sources import read_mapping

        return build(*read_mapping(mapping), cls)

    @classmethod
    def from_env(cls, prefix: str = "CORS_", environ: Mapping[str, str] | None = None) -> Policy:
        """Read a policy from environment variables such as ``CORS_ALLOW_ORIGINS``.

        Items of a list are separated by commas; booleans are ``true false 1 0 yes no on off``, in
        upper or lower case; ``CORS_MAX_AGE=none`` sends no such header; a regex is not split. An
        unset or empty variable leaves the default, and no origin at all is an error.

        Args:
            prefix: The start of the variables' names.
            environ: The variables; ``os.environ`` when None.

        Raises:
            ConfigError: As the class does; its problems name the variables.
        """
        from corscore._config.sources import read_environment

        return build(*read_environment(prefix, environ), cls)

    def to_mapping(self, *, resolvers: Mapping[str, object] | None = None) -> dict[str, object]:
        """Return the options that differ from the defaults, as ``from_mapping`` reads them.

        Values are of the types that JSON and TOML share: ``max_age=None`` becomes ``"none"``, and a
        regex begins with its flags, as in ``"(?i)..."``.

        Args:
            resolvers: Origin resolvers by name; the table has the name, since a resolver is code.

        Raises:
            TypeError: The policy has an origin resolver without a name.
        """
        table = {
            name: json_value(getattr(self, name))
            for name, option in OPTIONS.items()
            if name != "origin_resolver" and getattr(self, name) != option.default
        }
        if self.origin_resolver is not None:
            name = resolver_name(self.origin_resolver, resolvers)
            if name is None:
                raise TypeError(
                    "Policy.to_mapping(): origin_resolver is a function, and no data; store a "
                    "policy without it, and give it to the Policy that you build, or name it: "
                    'to_mapping(resolvers={"tenants": is_allowed})'
                )
            table["origin_resolver"] = name
        return table

    def _build(self, given: Mapping[str, object], problems: Problems) -> None:
        options, patterns = read_options(given, problems)
        # The compiled policy keeps `options` and not the policy: two that refer to each other would
        # stay in memory after a replacement until the garbage collector runs.
        for name in OPTIONS:
            object.__setattr__(self, name, getattr(options, name))
        resolver = None
        if options.origin_resolver is not None:
            # Imported late: most policies have none.
            from corscore._policy.resolver import resolver_of

            resolver = resolver_of(options.origin_resolver)
        vary = () if resolver is None else resolver.vary
        object.__setattr__(self, "resolver", resolver)
        self._take(Compiled(options, patterns, vary, has_resolver=resolver is not None))

    def _take(self, compiled: Compiled) -> None:
        object.__setattr__(self, "_compiled", compiled)
        object.__setattr__(self, "_responder", compiled.responder)
        # Bound here, so that a request pays for one call and not for two.
        object.__setattr__(self, "allows_origin", compiled.responder.allows)

    def _varying_by(self, *headers: str) -> Policy:
        """An equal policy whose answers all have these request headers in Vary."""
        compiled = self._compiled.varying_by(headers)
        if compiled is self._compiled:
            return self
        policy = Policy.__new__(Policy)
        for name in (*OPTIONS, "resolver"):
            object.__setattr__(policy, name, getattr(self, name))
        policy._take(compiled)
        return policy

    def decide(self, request: RequestInfo, *, origin_allowed: bool | None = None) -> Decision:
        """Return the decision on a request; never raises.

        Args:
            request: The request.
            origin_allowed: A verdict on the origin that overrides the policy, such as that of a
                database or a signal; None leaves it to the policy. True counts for a well-formed
                origin only, and not for ``null``. A policy of ``"*"`` ignores it.
        """
        return self._compiled.decide(self, request, origin_allowed)

    def _decision(self, answer: Answer, request: RequestInfo) -> Decision:
        """The decision on a request whose answer is known."""
        return Decision(answer, request, self._compiled, self, is_final=True)

    def explain(
        self,
        request: RequestInfo | Request,
        *,
        reads: Iterable[str] = (),
        origin_allowed: bool | None = None,
        browser: Browser | None = None,
    ) -> Explanation:
        """Explain why a browser, under this policy, lets a script read a response or not.

        The model of ``corscore.browser`` fetches under this policy from a server that answers 200.
        All patterns are compared one by one, too slowly for every request. No request makes it
        raise.

        Args:
            request: A script's request, a ``corscore.browser.Request``: its preflight and the
                request itself are explained. Or one HTTP request, a ``RequestInfo``: for a
                preflight, the request that it announces is explained; for any other, the request
                of a script without credentials, with its preflight if it needs one.
            reads: Names of response headers that the script reads.
            origin_allowed: As for ``decide``; the origin resolver is not called.
            browser: The browser whose known deviations apply; None is the standard. Where the two
                differ, the message says so.

        Raises:
            ValueError: There is no such browser.
        """
        from corscore._explain.policy import explain

        return explain(self, request, reads, origin_allowed, browser)

    def _meaning(self) -> tuple[object, ...]:
        """The values that equality compares: without order, and without what CORS always allows."""
        return (
            frozenset(self.allow_origins),
            frozenset(self.allow_methods),
            frozenset(self.allow_headers).difference(CORS_SAFELISTED_REQUEST_HEADERS),
            frozenset(map(str.lower, self.expose_headers)),
            None if self.allow_origin_regex is None else regex_meaning(self.allow_origin_regex),
            *(getattr(self, name) for name in OPTIONS if name not in _WITH_SPELLINGS),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Policy):
            return NotImplemented
        return self._meaning() == other._meaning()

    def __hash__(self) -> int:
        return hash(self._meaning())

    def __repr__(self) -> str:
        given = (
            f"{name}={python_expression(getattr(self, name))}"
            for name, option in OPTIONS.items()
            if getattr(self, name) != option.default
        )
        return f"Policy({', '.join(given)})"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuilt, ({name: getattr(self, name) for name in OPTIONS},))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Policy is frozen: {name!r} cannot be set; build another one")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Policy is frozen: {name!r} cannot be deleted")


def build(given: Mapping[str, object], problems: Problems, cls: type[Policy] = Policy) -> Policy:
    """Build a policy from options that are written under other names.

    Args:
        given: Names and values of the arguments of ``Policy``.
        problems: The problems so far, with the user's names of the options.
        cls: The class of the policy.

    Raises:
        ConfigError: As ``Policy`` does.
    """
    policy = cls.__new__(cls)
    policy._build(given, problems)
    return policy


def _rebuilt(options: dict[str, Any]) -> Policy:
    return Policy(**options)


NO_ORIGIN: Policy = Policy(allow_origins=["https://none.invalid"])
"""A policy that allows no origin of a real page: for requests whose policy is in doubt."""


def resolver_name(resolver: object, resolvers: Mapping[str, object] | None) -> str | None:
    """The name under which a resolver is known, or None."""
    return next((name for name, one in (resolvers or {}).items() if one == resolver), None)
