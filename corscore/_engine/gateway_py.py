# cython: language_level=3, annotation_typing=False, nonecheck=True, binding=False
"""``Gateway``: find a request's policy, look its origin up, merge prepared headers.

One source, two builds, as in ``matcher_py``. Every request passes a gateway, whatever its policy
is.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Protocol

    # Modules, since the names of the classes are C types when compiled.
    from corscore._engine import answer_py, responder_py
    from corscore._engine.headers import OnConflict, RawPair

    class Extras(Protocol):
        """The calls for requests that need more than the prepared answer of their policy."""

        def verdict(self, policy: Any, native: Any, origin: Any) -> bool | None: ...
        def examine(
            self,
            policy: Any,
            verdict: bool | None,
            native: Any,
            answer: answer_py.Answer,
            origin: bytes | None,
        ) -> bool: ...
        def left_alone(self, native: Any) -> object: ...
        def policies_of(self, resolver: Any, native: Any) -> Any: ...


# The names that a request is scanned for, in the order of what `scan` returns.
_NAMES = (
    b"origin",
    b"access-control-request-method",
    b"access-control-request-headers",
    b"access-control-request-private-network",
    b"host",
    b"sec-fetch-site",
)
_SLOTS = {name: slot for slot, name in enumerate(_NAMES)}
_ORIGIN, _REQUEST_METHOD = _NAMES[:2]
_A = b"aA"
_O = b"oO"
_ORIGIN_LENGTH = len(_ORIGIN)
# The value for several lines of Origin, which only "*" allows.
_SEVERAL = b", "
_LONGEST_READ = 4096
_REQUEST_METHOD_LENGTH = len(_REQUEST_METHOD)
_PREFLIGHT_METHOD = "OPTIONS"
_ASKED = tuple(f"HTTP_{name.decode().upper().replace('-', '_')}" for name in _NAMES[1:4])
_RESPONSE_START = "http.response.start"
FOUND = "corscore.policy"
"""The key in a scope or environ for policy and answer, or for a function that finds the policy."""

# RFC 9110 section 9.2.1, without TRACE.
_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))


def scan(pairs: Iterable[RawPair]) -> list[bytes | None]:
    """Read all headers that CORS needs, in one pass over raw header pairs.

    Returns:
        Origin, Access-Control-Request-Method, -Headers, -Private-Network, Host and Sec-Fetch-Site:
        a value or None for each. Lines of one name are joined as RFC 9110 section 5.3 says.
    """
    found: list[bytes | None] = [None] * len(_NAMES)
    for name, value in pairs:
        if isinstance(name, bytes) and isinstance(value, bytes):
            slot = _SLOTS.get(name.lower())
            if slot is not None:
                earlier = found[slot]
                if earlier is None:
                    # A subclass of bytes may define its own comparison.
                    found[slot] = value if type(value) is bytes else bytes(value)
                elif len(earlier) <= _LONGEST_READ:
                    # A longer value is refused, and joining it would take quadratic time.
                    found[slot] = earlier + b", " + value
    return found


def origin_of(headers: Iterable[RawPair]) -> bytes | None:
    """The Origin in raw header pairs, or None; for several lines, a value that is no origin."""
    origin: bytes | None = None
    try:
        for name, value in headers:
            # Length and first byte exclude almost all others; servers send lower case.
            if (
                len(name) == _ORIGIN_LENGTH
                and name[0] in _O
                and (name == _ORIGIN or name.lower() == _ORIGIN)
            ):
                # No call for the first line, which is nearly always the only one.
                origin = value if origin is None and type(value) is bytes else _value(value, origin)
    except TypeError:
        # The compiled build raises for names or values that are no bytes, which tests may send.
        return scan(headers)[0]
    return origin


def asking_origin_of(headers: Iterable[RawPair]) -> bytes | None:
    """``origin_of``, or None without an Access-Control-Request-Method."""
    origin: bytes | None = None
    asks = False
    try:
        for name, value in headers:
            length = len(name)
            if length == _ORIGIN_LENGTH:
                if name[0] in _O and (name == _ORIGIN or name.lower() == _ORIGIN):
                    origin = _value(value, origin)
            elif (
                length == _REQUEST_METHOD_LENGTH
                and name[0] in _A
                and (name == _REQUEST_METHOD or name.lower() == _REQUEST_METHOD)
            ):
                asks = asks or isinstance(value, bytes)
    except TypeError:
        origin, request_method = scan(headers)[:2]
        asks = request_method is not None
    return origin if asks else None


def _value(value: object, earlier: bytes | None) -> bytes | None:
    if type(value) is not bytes:
        if not isinstance(value, bytes):
            return earlier
        # As in `scan`.
        value = bytes(value)
    return value if earlier is None else _SEVERAL


def sent(value: str) -> bytes:
    """A header's text as bytes, cut if it is longer than any value that is read."""
    if len(value) > _LONGEST_READ:
        value = value[: _LONGEST_READ + 1]
    # Beyond ASCII a character becomes "?", which neither an origin nor a token contains.
    return value.encode() if value.isascii() else value.encode("ascii", "replace")


def _messages(answer: answer_py.Answer, origin: bytes | None) -> Any:
    # Copies: an outer layer may change the messages.
    start = answer.start.copy()
    start["headers"] = answer.raw(origin)
    return start, answer.end.copy()


def _prepared(
    answer: answer_py.Answer,
    origin: bytes | None,
    send: Callable[[Any], Any],
    on_conflict: OnConflict,
) -> Sender:
    sender = Sender.__new__(Sender)
    sender.answer = answer
    sender._origin = origin
    sender._send = send
    sender._on_conflict = on_conflict
    return sender


class Gateway:
    """The way of every request between a server and one application.

    Args:
        source: A ``Policy``, ``PolicyTuple``, ``PolicyMap``, ``PolicyResolver`` or ``PolicyRef``.
        extras: Called for requests that need more than the prepared answer of their policy.
        on_conflict: As in ``Answer.apply_raw``.
        path_of: Returns the path to look policies up by; None for the path relative to the mount.
        host_of: Returns the Host to look policies up by; needed if ``path_of`` is given.
        examines_all: Whether ``extras`` examines every request, not only refused ones.
        blocks_cross_site: Whether ``extras`` examines requests with an unsafe method.
        awaits_all: Whether every request is resumed: a shadow policy may have an async resolver.
    """

    def __init__(
        self,
        source: Any,
        extras: Extras,
        on_conflict: OnConflict,
        path_of: Callable[[Any], str] | None = None,
        host_of: Callable[[Any], str | None] | None = None,
        *,
        examines_all: bool = False,
        blocks_cross_site: bool = False,
        awaits_all: bool = False,
    ) -> None:
        self._source = source
        # Looked up on the class: reading it on a reference may begin to watch a file.
        self._is_reference: bool = hasattr(type(source), "current")
        # Set for one plain policy, which needs no lookup.
        self._policy = None
        # For a map, one of the two is set: the first if keys have hosts.
        self._hosts: Any = None
        self._table = None
        if not self._is_reference and source._responder is not None:
            self._policy = source
        elif not self._is_reference and source._hosts is not None:
            self._hosts = source._hosts
        elif not self._is_reference:
            self._table = source._table
        # Whether a path may have several policies, by origin or tenant.
        self._chooses: bool = self._is_reference or source._is_choice
        self._extras = extras
        self._on_conflict = on_conflict
        self._path_of = path_of
        self._host_of = host_of
        self._examines_all = examines_all
        self._blocks_cross_site = blocks_cross_site
        self._awaits_all = awaits_all
        self._is_watched: bool = examines_all or blocks_cross_site or awaits_all
        # The responder of every request, if only the origin decides.
        quick: Any = None if self._policy is None else source._responder
        self._quick: Any = None if self._is_watched or (quick and quick.is_debug) else quick
        self._by_route: Callable[[Any], Any] | None = None
        self._later: Callable[[Any], Callable[[], Any]] | None = None

    def use_routes(
        self,
        policy_at: Callable[[Any], Any],
        later: Callable[[Any], Callable[[], Any]] | None = None,
    ) -> None:
        """Find the policies of all later requests by their routes.

        Args:
            policy_at: Returns the policy that governs a scope or environ, or None.
            later: Returns, for an actual request, the function that finds its policy when the
                response starts. If None, ``policy_at`` finds it before the application runs.
        """
        self._quick = None
        self._chooses = True
        self._by_route = policy_at
        self._later = later

    def policy_for(self, native: Any, is_scope: bool) -> Any:
        """The current policies for a request's route, or without routes for its path; or None."""
        if self._by_route is not None:
            return self._by_route(native)
        if self._policy is not None:
            return self._policy
        table = self._table
        if table is None:
            hosts = self._hosts
            if hosts is not None and is_scope and self._path_of is None:
                return hosts.find_scope(native)
            current = self._source.current if self._is_reference else self._source
            hosts = current._hosts
            if hosts is not None:
                if self._path_of is None or self._host_of is None:
                    return hosts.find_scope(native) if is_scope else hosts.find_environ(native)
                return hosts.find(self._path_of(native), self._host_of(native))
            table = current._table
            if table is None:
                return current
        if self._path_of is not None:
            return table.find(self._path_of(native))
        return table.find_scope(native) if is_scope else table.find_environ(native)

    def chosen(self, source: Any, native: Any, origin: object) -> Any:
        """The policy for an Origin, or None, among those that ``policy_for`` has found.

        A ``PolicyResolver`` that has to be awaited is returned itself.
        """
        if source is not None and source._is_choice and source._by_origin is None:
            source = self._extras.policies_of(source, native)
        if source is None or not source._is_choice or source._by_origin is None:
            return source
        table: responder_py.OriginTable = source._by_origin
        return table.find(origin)

    def answer(
        self,
        policy: Any,
        verdict: bool | None,
        native: Any,
        method: str,
        origin: Any,
        is_preflight: bool,
        asked: Sequence[bytes | str | None] | None,
        is_resumed: bool,
    ) -> answer_py.Answer | None:
        """Return the answer to a request; None if it has to be resumed with a resolver's verdict.

        Args:
            policy: The policy that governs the request.
            verdict: A resolver's verdict, as for ``Responder.answer``.
            native: The scope, environ or request.
            method: The request's method.
            origin: The value of Origin, or None.
            is_preflight: Whether the request is a preflight, if it has an Origin.
            asked: As for ``Responder.answer``.
            is_resumed: Whether the resolver was asked already.
        """
        responder: responder_py.Responder = policy._responder
        if self._awaits_all and not is_resumed:
            return None
        answer = responder.answer(origin, is_preflight, asked, verdict)
        is_refused = origin is not None and not answer.origin_allowed
        if is_refused and responder.has_resolver and verdict is None and not is_resumed:
            verdict = self._extras.verdict(policy, native, origin)
            if verdict is None:
                return None
            if verdict:
                answer = responder.answer(origin, is_preflight, asked, verdict)
                is_refused = not answer.origin_allowed
        if (
            is_refused
            or self._examines_all
            or responder.is_debug
            or (
                self._blocks_cross_site
                and method not in _SAFE_METHODS
                # An origin that may send cookies is not blocked.
                and not (answer.origin_allowed and responder.credentials)
            )
        ) and self._extras.examine(policy, verdict, native, answer, origin):
            answer = responder.blocked(answer)
        return answer

    def sender(self, scope: Any, send: Callable[[Any], Any]) -> Any:
        """Answer a request under ASGI, or prepare its response.

        Args:
            scope: The scope of an ``http`` connection.
            send: The ``send`` of the server or an outer layer.

        Returns:
            The ``send`` for the application, or a tuple:

            - two messages: send them, and do not call the application;
            - three values, the first a ``PolicyResolver``: await it, then call ``sender_for``;
            - six values, the first a policy: await its resolver, then call ``resume``.
        """
        responder = self._quick
        policy = None
        is_quick = True
        if responder is None:
            if self._later is not None and scope["method"] != _PREFLIGHT_METHOD:
                return self._deferred_sender(scope, send)
            policy = self._found(scope)
            responder = None if policy is None else policy._responder
            if responder is None:
                return self._without_policy(policy, scope, send)
            is_quick = not (self._is_watched or responder.is_debug)
        headers = scope["headers"]
        answer = None
        asked = None
        origin = asking_origin_of(headers) if scope["method"] == _PREFLIGHT_METHOD else None
        is_preflight = origin is not None
        if is_preflight:
            asked = scan(headers)[1:4] if responder.reads_questions else None
            if is_quick and asked is None and origin in responder.exact:
                answer = responder.preflight_allowed
        else:
            origin = origin_of(headers)
            if is_quick:
                if origin is None:
                    answer = responder.not_cors
                elif origin in responder.exact:
                    answer = responder.actual_allowed
        if answer is None:
            return self._answered(None, policy, scope, send, origin, is_preflight, asked, False)
        if policy is not None:
            scope[FOUND] = (policy, answer)
        if is_preflight:
            return _messages(answer, origin)
        # No constructor: passing its arguments would cost as much as all else.
        sender = Sender.__new__(Sender)
        sender.answer = answer
        sender._origin = origin
        sender._send = send
        sender._on_conflict = self._on_conflict
        return sender.send

    def _found(self, scope: Any) -> Any:
        source = self.policy_for(scope, True)
        if not self._chooses or source is None or source._responder is not None:
            return source
        return self.chosen(source, scope, origin_of(scope["headers"]))

    def sender_for(self, policy: Any, scope: Any, send: Callable[[Any], Any]) -> Any:
        """``sender`` for a request whose policy has been awaited."""
        if policy is None:
            return self._left_alone(scope, send)
        headers = scope["headers"]
        origin = asking_origin_of(headers) if scope["method"] == _PREFLIGHT_METHOD else None
        is_preflight = origin is not None
        asked = scan(headers)[1:4] if is_preflight and policy._responder.reads_questions else None
        if not is_preflight:
            origin = origin_of(headers)
        return self._answered(None, policy, scope, send, origin, is_preflight, asked, False)

    def _without_policy(self, source: Any, scope: Any, send: Callable[[Any], Any]) -> Any:
        return self._left_alone(scope, send) if source is None else (source, scope, send)

    def resume(self, verdict: bool | None, waiting: tuple[Any, ...]) -> Any:
        """Go on with the six values of ``sender``, after a resolver's verdict or without one."""
        policy, scope, send, origin, is_preflight, asked = waiting
        return self._answered(verdict, policy, scope, send, origin, is_preflight, asked, True)

    def _answered(
        self,
        verdict: bool | None,
        policy: Any,
        scope: Any,
        send: Callable[[Any], Any],
        origin: bytes | None,
        is_preflight: bool,
        asked: Sequence[bytes | str | None] | None,
        is_resumed: bool,
    ) -> Any:
        policy = self._policy if policy is None else policy
        answer = self.answer(
            policy, verdict, scope, scope["method"], origin, is_preflight, asked, is_resumed
        )
        if answer is None:
            return policy, scope, send, origin, is_preflight, asked
        if policy is not self._policy or is_resumed:
            scope[FOUND] = (policy, answer)
        if answer.status:
            return _messages(answer, origin)
        return _prepared(answer, origin, send, self._on_conflict).send

    def _left_alone(self, native: Any, passed_on: Any) -> Any:
        """Note a request that no policy governs, and return what the application gets."""
        if self._examines_all:
            self._extras.left_alone(native)
        return passed_on

    def _deferred_sender(self, scope: Any, send: Callable[[Any], Any]) -> Callable[[Any], Any]:
        sender = LateSender.__new__(LateSender)
        sender._send = send
        sender._origin = origin_of(scope["headers"])
        sender._gateway = self
        sender._scope = scope
        if self._later is not None:
            sender._find = scope[FOUND] = self._later(scope)
        return sender.send

    def starter(self, environ: Any, start_response: Callable[..., Any]) -> Any:
        """Answer a request under WSGI, or prepare its response.

        Args:
            environ: The request's environ.
            start_response: The ``start_response`` of the server or an outer layer.

        Returns:
            The ``start_response`` for the application; or a tuple of status, headers and body to
            send without calling it.
        """
        if self._later is not None and environ.get("REQUEST_METHOD") != _PREFLIGHT_METHOD:
            return self._deferred_starter(environ, start_response)
        policy = self.policy_for(environ, False)
        text = environ.get("HTTP_ORIGIN")
        if type(text) is not str:
            # Servers send str, tests may send anything.
            text = str.__str__(text) if isinstance(text, str) else None
        if self._chooses:
            policy = self.chosen(policy, environ, text)
        if policy is None:
            return self._left_alone(environ, start_response)
        answer = self.answer_to(policy, None, environ, environ, text, False)
        environ[FOUND] = (policy, answer)
        if answer.status:
            return answer.status, answer.apply([], text), answer.body
        starter = Starter.__new__(Starter)
        starter.has_started = False
        starter.answer = answer
        starter._origin = text
        starter._start_response = start_response
        starter._on_conflict = self._on_conflict
        return starter

    def answer_to(
        self,
        policy: Any,
        verdict: bool | None,
        native: Any,
        environ: Any,
        text: str | None,
        is_resumed: bool,
    ) -> Any:
        """``answer`` for a request with headers in ``environ``, and ``text`` for its Origin."""
        origin = None if text is None else sent(text)
        method = environ.get("REQUEST_METHOD")
        is_preflight = (
            method == _PREFLIGHT_METHOD and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        )
        asked = None
        if is_preflight and policy._responder.reads_questions:
            asked = [environ.get(key) for key in _ASKED]
        return self.answer(policy, verdict, native, method, origin, is_preflight, asked, is_resumed)

    def _deferred_starter(self, environ: Any, start_response: Callable[..., Any]) -> Starter:
        starter = Starter.__new__(Starter)
        starter.has_started = False
        starter.answer = None
        starter._origin = environ.get("HTTP_ORIGIN")
        starter._start_response = start_response
        starter._on_conflict = self._on_conflict
        starter._gateway = self
        starter._environ = environ
        if self._later is not None:
            starter._find = environ[FOUND] = self._later(environ)
        return starter


class Sender:
    """ASGI's ``send`` that adds the headers of an answer when the response starts.

    ``answer`` is None once the response has started.
    """

    __slots__ = ("_on_conflict", "_origin", "_send", "answer")

    answer: answer_py.Answer | None
    _origin: bytes | None
    _send: Callable[[Any], Any]
    _on_conflict: OnConflict

    def send(self, message: Mapping[str, Any]) -> Any:
        """Pass the message on, and return what the server's ``send`` returns."""
        # Plain Python calls a variable in half the time of an attribute.
        send = self._send
        answer = self.answer
        if answer is None or message["type"] != _RESPONSE_START:
            return send(message)
        self.answer = None
        # A copy: an application may send one constant message to all clients.
        theirs = message if type(message) is dict else dict(message)
        start = theirs.copy()
        start["headers"] = answer.apply_raw(
            start.get("headers", ()), self._origin, self._on_conflict
        )
        return send(start)


class LateSender:
    """ASGI's ``send`` that finds the policy when the response starts."""

    __slots__ = ("_find", "_gateway", "_origin", "_scope", "_send")

    _origin: bytes | None
    _send: Callable[[Any], Any]
    _gateway: Gateway
    _scope: Any
    _find: Callable[[], Any]

    def send(self, message: Mapping[str, Any]) -> Any:
        """Pass the message on, and return what the server's ``send`` returns."""
        gateway = self._gateway
        policy = self._find() if message["type"] == _RESPONSE_START else None
        policy = gateway.chosen(policy, self._scope, self._origin)
        if policy is None:
            return self._send(message)
        # Any method will do: policies are found late only without cross-site blocking.
        answer: Any = gateway.answer(
            policy, None, self._scope, "GET", self._origin, False, None, True
        )
        self._scope[FOUND] = (policy, answer)
        return _prepared(answer, self._origin, self._send, gateway._on_conflict).send(message)


class Starter:
    """WSGI's ``start_response`` that adds the headers of an answer.

    ``answer`` is None until the policy is found; ``has_started`` once the application has called.
    """

    __slots__ = (
        "_environ",
        "_find",
        "_gateway",
        "_on_conflict",
        "_origin",
        "_start_response",
        "answer",
        "has_started",
    )

    has_started: bool
    answer: answer_py.Answer | None
    _origin: str | None
    _start_response: Callable[..., Any]
    _on_conflict: OnConflict
    _gateway: Gateway
    _environ: Any
    _find: Callable[[], Any]

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """Start the response, and return what the server's ``start_response`` returns."""
        self.has_started = True
        if self.answer is None:
            policy = self._gateway.chosen(self._find(), self._environ, self._origin)
            if policy is not None:
                self.answer = self._gateway.answer_to(
                    policy, None, self._environ, self._environ, self._origin, False
                )
                self._environ[FOUND] = (policy, self.answer)
        if self.answer is not None:
            headers = self.answer.apply(headers, self._origin, self._on_conflict)
        if exc_info is None:
            return self._start_response(status, headers)
        try:
            return self._start_response(status, headers, exc_info)
        finally:
            # The traceback in it refers to this frame, which must not refer back.
            exc_info = None
