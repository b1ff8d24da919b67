"""``Policy``: what a server allows to whom, compiled once, and asked for every request."""

from __future__ import annotations

from corscore._config.options import LISTS, OPTIONS, Options, read_options
from corscore._config.spelling import KEYWORDS, Problems, rebuilding
from corscore._engine.compiled import AskingCompiled, Compiled
from corscore._policy.resolver import resolver_of
from corscore._standard.fetch import CORS_SAFELISTED_REQUEST_HEADERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, NoReturn

    from corscore._config.options import Names, Regex, Seconds
    from corscore._engine.decision import Decision
    from corscore._engine.headers import OnConflict, RawPair
    from corscore._engine.matcher import Answer, Gateway
    from corscore._engine.request import RequestInfo
    from corscore._explain.explanation import Explanation
    from corscore._policy.resolver import OriginResolver, Resolver
    from corscore.browser._request import Request


class Policy(Options):
    """A CORS policy: https://fetch.spec.whatwg.org/#http-cors-protocol.

    Frozen, hashable, safe to share between threads; policies are equal when they mean the same,
    and the ``repr`` rebuilds one. Every argument is an attribute of the same name.

    Args:
        allow_origins: Origin patterns: ``"https://example.com"``, ``"https://*.example.com"`` (one
            or more labels), ``"http://localhost:*"`` (any port), or ``"*"`` alone for everyone.
        allow_methods: Methods beyond GET, HEAD and POST, which CORS always allows; ``"*"`` for any.
        allow_headers: Request headers beyond the five safelisted names (Accept, Accept-Language,
            Content-Language, Content-Type, Range), which are always allowed; ``"*"`` for any.
        expose_headers: Response headers that scripts may read beyond the safelisted ones.
        allow_credentials: Whether browsers may send cookies and the like, and show the answer.
        max_age: How long a browser may remember a preflight: seconds from 0 (not at all) to 86400,
            a ``timedelta``, or None to send no such header (browsers then take 5 seconds).
        allow_origin_regex: A regex over the whole origin, asked last, for what patterns cannot say.
        origin_resolver: Asked about a well-formed origin that nothing above covers:
            ``fn(origin, request)``, sync or async, returns True or False, and is asked every time;
            an ``OriginResolver`` remembers. The adapters ask it, ``allows_origin`` does not.
        allow_null_origin: Whether to allow ``Origin: null``, which any page can send.
        allow_private_network: Answer Chrome's former Private Network Access preflights. Current
            versions ask the user instead (Local Network Access), and no header helps.
        dangerously_allow_insecure_origins: Accept plain-http origins beside credentials.
        dangerously_allow_public_suffixes: Accept ``*.`` below a public suffix beside credentials.
        dangerously_allow_slow_regex: Accept a regex with nested unbounded repeats.
        preflight_status: 204, or 200 for clients that need it.
        debug: Say in a refused preflight's body why it was refused, and in the log, at most once a
            minute for an origin and a reason, all that ``explain`` says of a refusal.

    Raises:
        ConfigError: With all that is wrong at once, each problem with the corrected literal.
    """

    __slots__ = ("_compiled", "allows_origin", "answer", "resolver")

    _compiled: Compiled

    resolver: Resolver | None
    """The origin resolver, or None."""

    allows_origin: Callable[[str | bytes], bool]
    """Whether the policy allows an origin, as a request sent it. Never raises.

    Under ``"*"`` the answer is True for anything. Otherwise origins are compared byte for byte: no
    case folding, no URL parsing, no normalisation.
    """

    answer: Callable[[str, Iterable[RawPair]], tuple[Answer, bytes | None]]
    """For ASGI: a method and raw header pairs to the answer, and the origin where it is allowed.

    The fast way to what ``decide`` says: one pass over the pairs, and no strings. The answer's
    ``apply_raw`` takes the response's headers and that origin. Never raises.
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
        # All arguments by their names: only the signature and the option table list them.
        arguments = dict(locals())
        given = {name: arguments[name] for name in OPTIONS}
        # A misspelt option is a problem like the others, and not Python's TypeError.
        self._build({**given, **unknown}, Problems(KEYWORDS))

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> Policy:
        """Read a policy from a table, such as that of a configuration file.

        Args:
            mapping: Option names (``allow_origins``, or as in the environment
                ``CORS_ALLOW_ORIGINS``) to values: of the arguments' own types, or ``str`` in the
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

        Lists are separated by commas; booleans are ``true false 1 0 yes no on off`` in any case;
        ``CORS_MAX_AGE=none`` sends no such header; a regex is taken whole. An unset or empty
        variable leaves the default, and no origin at all is an error.

        Args:
            prefix: What the variables' names start with.
            environ: The variables; ``os.environ`` when None.

        Raises:
            ConfigError: As the class does; its problems name the variables.
        """
        from corscore._config.sources import read_environment

        return build(*read_environment(prefix, environ), cls)

    def _build(self, given: Mapping[str, object], problems: Problems) -> None:
        options, patterns = read_options(given, problems)
        # The compiled policy keeps `options`: if it kept the policy, the two would refer to each
        # other, and a replaced policy would stay in memory until the garbage collector runs.
        for name in OPTIONS:
            object.__setattr__(self, name, getattr(options, name))
        resolver = resolver_of(options.origin_resolver)
        compiled = (
            Compiled(options, patterns)
            if resolver is None
            else AskingCompiled(options, patterns, resolver.vary)
        )
        responder = compiled.responders[None]
        object.__setattr__(self, "resolver", resolver)
        object.__setattr__(self, "_compiled", compiled)
        # Bound here, so that a request pays for one call and not for two.
        object.__setattr__(self, "allows_origin", responder.allows)
        object.__setattr__(self, "answer", responder.answer)

    def decide(self, request: RequestInfo, *, origin_allowed: bool | None = None) -> Decision:
        """What ``request`` gets. Pure, and never raises, whatever the request says.

        Args:
            request: The request.
            origin_allowed: The verdict of somebody else on the request's origin, in the place of
                the policy's own: a database, a signal. True counts for a well-formed origin only,
                and never for ``null``. Under ``"*"`` neither counts: there every request gets the
                same. None asks the policy.
        """
        return self._compiled.decide(request, origin_allowed)

    def gateway(self, on_conflict: OnConflict, on_refusal: Callable[[Any], object]) -> Gateway:
        """The fast way to what ``decide`` says, for one ASGI or WSGI application.

        Args:
            on_conflict: Called with the lower-case name of each header of a response that was
                removed because the policy alone may set it.
            on_refusal: Called with the scope or environ of a request from a refused origin: mostly
                once a minute for each origin.

        Returns:
            An object with the methods ``sender(scope, send)`` and ``starter(environ,
            start_response)``. Each returns what the application gets in the place of ``send`` or
            ``start_response``; for a preflight its answer, as a tuple: two messages, or status,
            headers and body.
        """
        return self._compiled.responders[None].gateway(on_conflict, on_refusal)

    def explain(
        self,
        request: RequestInfo | Request,
        *,
        reads: Iterable[str] = (),
        origin_allowed: bool | None = None,
    ) -> Explanation:
        """Why a browser lets a script go on under this policy, or does not. Never raises.

        The model of ``corscore.browser`` runs over this policy's own decisions, against a server
        that answers 200. The patterns are compared one by one: this is for people, logs and tests.

        Args:
            request: What a script asks for, ``corscore.browser.Request``, with its method, headers
                and credentials; its preflight and its request are explained. Or one HTTP request,
                a ``RequestInfo``: a preflight is taken for what it asks, and any other request for
                that of a script without credentials, whose preflight comes first if it needs one.
            reads: Names of response headers that the script wants to read.
            origin_allowed: The verdict of somebody else on the origin, as ``decide`` takes it; an
                origin resolver is not asked.
        """
        from corscore._explain.policy import explain

        return explain(self, request, reads, origin_allowed)

    def _meaning(self) -> tuple[object, ...]:
        """What policies are compared by: lists without order, nor what CORS allows anyway."""
        return (
            frozenset(self.allow_origins),
            frozenset(self.allow_methods),
            frozenset(self.allow_headers).difference(CORS_SAFELISTED_REQUEST_HEADERS),
            frozenset(map(str.lower, self.expose_headers)),
            *(getattr(self, name) for name in OPTIONS if name not in LISTS),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Policy):
            return NotImplemented
        return self._meaning() == other._meaning()

    def __hash__(self) -> int:
        return hash(self._meaning())

    def __repr__(self) -> str:
        given = (
            f"{name}={rebuilding(getattr(self, name))}"
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
        problems: The names that problems get, and the problems so far.
        cls: The class of the policy.

    Raises:
        ConfigError: As ``Policy`` does.
    """
    policy = cls.__new__(cls)
    policy._build(given, problems)
    return policy


def _rebuilt(options: dict[str, Any]) -> Policy:
    return Policy(**options)
