# cython: language_level=3, annotation_typing=False, binding=False, freethreading_compatible=True
"""What every request pays for: a look at its headers, a look-up of its origin, and its answer.

One source, two builds, as ``_matcher_py``.
"""

from __future__ import annotations

from time import monotonic

from corscore._standard.origin import MAX_ORIGIN_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    # Not the classes by name: compiled, those names are C types already.
    from corscore._engine import answer_py, matcher_py
    from corscore._engine.headers import OnConflict, RawPair

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
# In the place of several lines of Origin: no policy but "*" allows it, and it takes no joining.
_SEVERAL = b", "
_LONGEST_READ = 4096
_REQUEST_METHOD_LENGTH = len(_REQUEST_METHOD)
_PREFLIGHT_METHOD = "OPTIONS"
_ASKED = tuple(f"HTTP_{name.decode().upper().replace('-', '_')}" for name in _NAMES[1:4])
_RESPONSE_START = "http.response.start"
_QUIET_SECONDS = 60.0
_MOST_QUIET = 1000


def scan(pairs: Iterable[RawPair]) -> list[bytes | None]:
    """All that CORS reads of a request, in one pass over its raw header pairs.

    Args:
        pairs: Names and values; names in any case, several lines of one name are one list.

    Returns:
        Six values or None: Origin, Access-Control-Request-Method, -Headers, -Private-Network,
        Host, Sec-Fetch-Site. Lines of one name are joined as RFC 9110 section 5.3 says.
    """
    found: list[bytes | None] = [None] * len(_NAMES)
    for name, value in pairs:
        if isinstance(name, bytes) and isinstance(value, bytes):
            slot = _SLOTS.get(name.lower())
            if slot is not None:
                earlier = found[slot]
                if earlier is None:
                    # Of a subclass, what is plain bytes: it may compare as it likes.
                    found[slot] = value if type(value) is bytes else bytes(value)
                elif len(earlier) <= _LONGEST_READ:
                    # What is longer is refused as it is; joining on would cost a line its square.
                    found[slot] = earlier + b", " + value
    return found


def origin_of(headers: Iterable[RawPair]) -> bytes | None:
    """The value of Origin in raw header pairs, or None; of two lines, what is no origin at all."""
    origin: bytes | None = None
    try:
        for name, value in headers:
            # Length and first byte first: no other header of most requests gets further. And as it
            # is before in lower case, for servers send it so.
            if (
                len(name) == _ORIGIN_LENGTH
                and name[0] in _O
                and (name == _ORIGIN or name.lower() == _ORIGIN)
            ):
                # Most often it is the only one, and needs no call.
                origin = value if origin is None and type(value) is bytes else _value(value, origin)
    except TypeError:
        # Not all bytes: no server's doing. The compiled build takes nothing else.
        return scan(headers)[0]
    return origin


def asking_origin_of(headers: Iterable[RawPair]) -> bytes | None:
    """The same, but None where no Access-Control-Request-Method says that this is a preflight."""
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
        # A subclass may compare as it likes.
        value = bytes(value)
    return value if earlier is None else _SEVERAL


class Responder:
    """Which answer a request gets.

    Args:
        matcher: The origins that patterns allow.
        other_origins: Asked about an origin that no pattern covers (a regex, ``null``), or None.
        answers: ``"not-cors"``, ``"actual-allowed"``, ``"actual-refused"``,
            ``"preflight-allowed"`` and ``"preflight-refused"`` to the answer.
        any_origin: Whether the policy is ``*``: then the origin is never looked at.
        late_answer: For a policy whose answer to an allowed preflight repeats its questions: the
            values that ``scan`` calls Access-Control-Request-* to the answer; else None.
        debug_answer: For a policy that says why it refuses a preflight: the origin to the answer;
            else None.
    """

    def __init__(
        self,
        matcher: matcher_py.Matcher,
        other_origins: Callable[[bytes], bool] | None,
        answers: Mapping[str, answer_py.Answer],
        *,
        any_origin: bool,
        late_answer: Callable[[Sequence[bytes | str | None]], answer_py.Answer] | None,
        debug_answer: Callable[[bytes], answer_py.Answer] | None,
    ) -> None:
        self._matcher = matcher
        self.exact: frozenset[bytes] = matcher.exact
        self._other_origins = other_origins
        self._any_origin = any_origin
        self._late_answer = late_answer
        self.reads_questions: bool = late_answer is not None
        self._debug_answer = debug_answer
        self.actual_allowed: answer_py.Answer = answers["actual-allowed"]
        self._preflight_allowed = answers["preflight-allowed"]
        self.not_cors: answer_py.Answer = answers["not-cors"]
        self._actual_refused = answers["actual-refused"]
        self._preflight_refused = answers["preflight-refused"]

    def allows(self, origin: object) -> bool:
        """Whether the policy allows an origin, ``str`` or ``bytes``. Never raises."""
        if self._any_origin:
            return True
        if type(origin) is not bytes:
            if isinstance(origin, str) and origin.isascii():
                origin = origin.encode("ascii")
            elif isinstance(origin, bytes):
                origin = bytes(origin)
            else:
                return False
        return self._allows(origin)

    def _allows(self, origin: bytes) -> bool:
        if origin in self.exact or self._matcher.matches_open(origin):
            return True
        return self._other_origins is not None and self._other_origins(origin)

    def gateway(self, on_conflict: OnConflict, on_refusal: Callable[[Any], object]) -> Gateway:
        """What gives these answers under ASGI and WSGI; the arguments are those of ``Gateway``."""
        return Gateway(self, on_conflict, on_refusal)

    def answer(
        self, method: str, headers: Iterable[RawPair]
    ) -> tuple[answer_py.Answer, bytes | None]:
        """The answer to a request with these raw headers, and the origin where it is sent back."""
        origin = asking_origin_of(headers) if method == _PREFLIGHT_METHOD else None
        if origin is not None:
            asked = scan(headers)[1:4] if self.reads_questions else None
            answer = self.preflight(origin, asked)
        else:
            origin = origin_of(headers)
            answer = self.actual(origin)
        return answer, (origin if answer.echoes_origin else None)

    def actual(self, origin: bytes | None) -> answer_py.Answer:
        """The answer to a request that is no preflight; None for one without Origin."""
        if origin is None:
            return self.not_cors
        if self._any_origin or self._allows(origin):
            return self.actual_allowed
        return self._actual_refused

    def preflight(
        self, origin: bytes, asked: Sequence[bytes | str | None] | None
    ) -> answer_py.Answer:
        """The answer to a preflight.

        Args:
            origin: The value of Origin.
            asked: Access-Control-Request-Method, -Headers and -Private-Network, or None where the
                answer repeats none of them.
        """
        if self._any_origin:
            return self._preflight_allowed
        if self._allows(origin):
            if self._late_answer is None or asked is None:
                return self._preflight_allowed
            return self._late_answer(asked)
        if self._debug_answer is None:
            return self._preflight_refused
        return self._debug_answer(origin)


def _sent(value: str) -> bytes:
    # What is not ASCII becomes a "?", which neither an origin nor a token can have in it.
    return value.encode() if value.isascii() else value.encode("ascii", "replace")


class Gateway:
    """What stands between a server and one application: a policy as ASGI and WSGI call it.

    Args:
        responder: The policy's.
        on_conflict: As in ``Answer.apply_raw``.
        on_refusal: Called with the scope or environ of a request from a refused origin: mostly
            once a minute for each origin.
    """

    def __init__(
        self,
        responder: Responder,
        on_conflict: OnConflict,
        on_refusal: Callable[[Any], object],
    ) -> None:
        self._responder = responder
        # At hand: so most requests are answered without another call.
        self._exact = responder.exact
        self._not_cors = responder.not_cors
        self._actual_allowed = responder.actual_allowed
        self._on_conflict = on_conflict
        self._on_refusal = on_refusal
        # Refused origins to when there is something to say about them again.
        self._quiet_until: dict[bytes, float] = {}

    def sender(
        self, scope: Mapping[str, Any], send: Callable[[Any], Any]
    ) -> Callable[[Any], Any] | tuple[dict[str, Any], dict[str, Any]]:
        """The answer to a request under ASGI.

        Args:
            scope: Of an ``http`` connection.
            send: What the server or an outer layer passed.

        Returns:
            For a preflight the two messages that answer it, to be sent instead of calling the
            application; for any other request the ``send`` that the application gets.
        """
        headers = scope["headers"]
        if scope["method"] == _PREFLIGHT_METHOD:
            origin = asking_origin_of(headers)
            if origin is not None:
                asked = scan(headers)[1:4] if self._responder.reads_questions else None
                answer = self._responder.preflight(origin, asked)
                if not answer.origin_allowed:
                    self._note_refusal(origin, scope)
                # Copies: a layer outside may write into what it is sent.
                start = answer.start.copy()
                start["headers"] = answer.raw(origin)
                return start, answer.end.copy()
        origin = origin_of(headers)
        if origin is None:
            answer = self._not_cors
        elif origin in self._exact:
            answer = self._actual_allowed
        else:
            answer = self._responder.actual(origin)
            if not answer.origin_allowed:
                self._note_refusal(origin, scope)
        # Without a constructor, whose arguments would cost as much as all the rest.
        sender = Sender.__new__(Sender)
        sender._answer = answer
        sender._origin = origin
        sender._send = send
        sender._on_conflict = self._on_conflict
        return sender.send

    def starter(
        self, environ: Mapping[str, Any], start_response: Callable[..., Any]
    ) -> Starter | tuple[int, list[tuple[str, str]], bytes]:
        """The answer to a request under WSGI.

        Args:
            environ: Of the request.
            start_response: What the server or an outer layer passed.

        Returns:
            For a preflight its status, headers and body, to be sent instead of calling the
            application; for any other request the ``start_response`` that the application gets.
        """
        env = environ if type(environ) is dict else dict(environ)
        text = env.get("HTTP_ORIGIN")
        if type(text) is not str:
            # No server's doing, but a test's, perhaps.
            text = str.__str__(text) if isinstance(text, str) else None
        origin = None if text is None else _sent(text)
        if (
            origin is not None
            and env.get("REQUEST_METHOD") == _PREFLIGHT_METHOD
            and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in env
        ):
            asked = None
            if self._responder.reads_questions:
                asked = [env.get(key) for key in _ASKED]
            answer = self._responder.preflight(origin, asked)
            if not answer.origin_allowed:
                self._note_refusal(origin, environ)
            return answer.status, answer.apply([], text), answer.body
        answer = self._responder.actual(origin)
        if origin is not None and not answer.origin_allowed:
            self._note_refusal(origin, environ)
        starter = Starter.__new__(Starter)
        starter.has_started = False
        starter._answer = answer
        starter._origin = text
        starter._start_response = start_response
        starter._on_conflict = self._on_conflict
        return starter

    def _note_refusal(self, origin: bytes, request: object) -> None:
        if len(origin) > MAX_ORIGIN_LENGTH:
            # Strangers choose its length, too; what is cut off makes no origin of it.
            origin = origin[:MAX_ORIGIN_LENGTH]
        now = monotonic()
        quiet_until = self._quiet_until
        if quiet_until.get(origin, 0.0) > now:
            return
        if len(quiet_until) >= _MOST_QUIET:
            # Attackers choose the origins. What is told too often then has a limit of its own.
            quiet_until.clear()
        quiet_until[origin] = now + _QUIET_SECONDS
        self._on_refusal(request)


class Sender:
    """ASGI's ``send``, whose response starts with the headers of an answer.

    Here and not in the adapter because every message of every response passes through it.
    """

    __slots__ = ("_answer", "_on_conflict", "_origin", "_send")

    _answer: answer_py.Answer
    _origin: bytes | None
    _send: Callable[[Any], Any]
    _on_conflict: OnConflict

    def send(self, message: Mapping[str, Any]) -> Any:
        """Passes the message on, and returns what the server's ``send`` returns."""
        # In a variable first: plain Python calls an attribute like that in half the time.
        send = self._send
        if message["type"] != _RESPONSE_START:
            return send(message)
        # A copy: an application may send one constant message to everybody.
        theirs = message if type(message) is dict else dict(message)
        start = theirs.copy()
        start["headers"] = self._answer.apply_raw(
            start.get("headers", ()), self._origin, self._on_conflict
        )
        return send(start)


class Starter:
    """WSGI's ``start_response``, whose response starts with the headers of an answer.

    Attributes:
        has_started: Whether the application has called it.
    """

    __slots__ = ("_answer", "_on_conflict", "_origin", "_start_response", "has_started")

    has_started: bool
    _answer: answer_py.Answer
    _origin: str | None
    _start_response: Callable[..., Any]
    _on_conflict: OnConflict

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """Starts the response, and returns what the server's ``start_response`` returns."""
        self.has_started = True
        merged = self._answer.apply(headers, self._origin, self._on_conflict)
        if exc_info is None:
            return self._start_response(status, merged)
        try:
            return self._start_response(status, merged, exc_info)
        finally:
            # Its traceback leads to this very frame, which must not lead back to it.
            exc_info = None
