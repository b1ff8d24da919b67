# cython: language_level=3, annotation_typing=False, binding=False, freethreading_compatible=True
"""What every request pays for: a look at its headers, a look-up of its origin, a new header list.

One source, two builds: this file runs as it is, and Cython compiles it a second time as
``_matcher_c`` with the C types of ``_matcher_c.pxd``. It works on bytes, as servers hand them over;
it compares, and never folds, repairs or raises. Nothing in it changes after it was built.
"""

from __future__ import annotations

from time import monotonic

from corscore._merge import merge, merge_raw, raw_pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Literal

    from corscore._merge import OnConflict, Pairs, RawPair
    from corscore._pattern import Pattern

    Kind = Literal["not-cors", "actual", "preflight"]

_MAX_SCHEME_LENGTH = 64
_MAX_HOST_LENGTH = 253
# The longest scheme, "://", the longest host, ":65535".
_MAX_ORIGIN_LENGTH = _MAX_SCHEME_LENGTH + 3 + _MAX_HOST_LENGTH + 6
_MAX_LABEL_LENGTH = 63
_MAX_PORT_LENGTH = 5
_MAX_LAST_LENGTH = _MAX_LABEL_LENGTH + 1 + _MAX_PORT_LENGTH
_DEFAULT_PORTS = {
    b"http://": b"80",
    b"https://": b"443",
    b"ws://": b"80",
    b"wss://": b"443",
    b"ftp://": b"21",
}

_DOT = 0x2E
_SLASH = 0x2F
_ZERO = 0x30
_NINE = 0x39
_COLON = 0x3A
_BRACKET = 0x5D
_A = b"aA"
_O = b"oO"
_V = b"vV"
_VARY_LENGTH = len("vary")
_SHORTEST_CORS_LENGTH = len("access-control-max-age")
# One byte for each byte: whether it may stand in a label.
_IN_LABEL = bytes(byte in b"abcdefghijklmnopqrstuvwxyz0123456789-_" for byte in range(256))


class Matcher:
    """The origins that a list of patterns covers.

    Looking an origin up costs the same for ten patterns and for a million: one probe for the whole
    origin, one without its port, and one for each suffix of the host at a depth that occurs in the
    configuration. The labels before a suffix are looked at only when the suffix is a known one.
    """

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        exact = set()
        any_port = set()
        # ".example.com:8443" -> the schemes that were configured with it, as b"https://".
        suffixes: dict[bytes, tuple[bytes, ...]] = {}
        any_port_suffixes: dict[bytes, tuple[bytes, ...]] = {}
        shared: dict[tuple[bytes, ...], tuple[bytes, ...]] = {}
        depths = {0}
        for pattern in patterns:
            if not pattern.subdomains and not pattern.any_port:
                exact.add(str(pattern).encode("ascii"))
                continue
            scheme = f"{pattern.scheme}://".encode("ascii")
            host = pattern.host.encode("ascii")
            if not pattern.subdomains:
                any_port.add(scheme + host)
                continue
            suffix = b"." + host
            depths.add(suffix.count(b"."))
            table = any_port_suffixes
            if not pattern.any_port:
                table = suffixes
                suffix += b":" + pattern.port.encode("ascii") if pattern.port else b""
            schemes = table.get(suffix, ())
            if scheme not in schemes:
                # Most suffixes have the same one: kept once, and not a hundred thousand times.
                schemes = (*schemes, scheme)
                table[suffix] = shared.setdefault(schemes, schemes)
        self.exact: frozenset[bytes] = frozenset(exact)
        self._any_port = frozenset(any_port)
        self._suffixes = suffixes
        self._any_port_suffixes = any_port_suffixes
        self._max_depth = max(depths)
        self._depths = bytes(depth in depths for depth in range(self._max_depth + 1))
        self._has_any_port = bool(any_port or any_port_suffixes)
        self._is_open = bool(suffixes or self._has_any_port)

    def matches_open(self, origin: bytes) -> bool:
        """The patterns that leave something open: the labels before a suffix, or the port."""
        length = len(origin)
        if not self._is_open or length > _MAX_ORIGIN_LENGTH:
            return False
        if self._is_below(origin, length, self._suffixes):
            return True
        if not self._has_any_port:
            return False
        # The same bytes; compiled, a pointer to them, which costs nothing to index or to slice.
        text = origin
        start = _start_of_host(text, length)
        end = _end_of_host(text, start, length)
        if end < length and not _is_port(text, start, end + 1, length):
            return False
        return text[:end] in self._any_port or self._is_below(origin, end, self._any_port_suffixes)

    def _is_below(
        self, origin: bytes, end: int, suffixes: dict[bytes, tuple[bytes, ...]]
    ) -> bool:
        """Whether what ends there is one or more labels before a suffix of the table."""
        text = origin
        depth = 0
        dot = end
        while depth < self._max_depth:
            dot -= 1
            # No farther than a label is long, and the last one's port: what is longer is in no
            # origin, nor in a pattern.
            stop = max(0, dot - _MAX_LAST_LENGTH)
            while dot >= stop and text[dot] != _DOT:
                dot -= 1
            if dot < stop:
                return False
            depth += 1
            if self._depths[depth]:
                schemes = suffixes.get(text[dot:end])
                if schemes is not None and origin.startswith(schemes):
                    # Only now is it worth to look at the rest. No need to walk on: a longer suffix
                    # would only leave fewer of the same labels.
                    start = _start_of_host(text, end)
                    host = _end_of_host(text, start, end) - start
                    return host <= _MAX_HOST_LENGTH and _are_labels(text, start, dot)
        return False


def _start_of_host(origin: bytes, length: int) -> int:
    """Where the host starts, or the end when no "://" stands before one."""
    i = 0
    while i < length and i <= _MAX_SCHEME_LENGTH and origin[i] != _COLON:
        i += 1
    if i + 2 < length and origin[i + 1] == _SLASH and origin[i + 2] == _SLASH:
        return i + 3
    return length


def _end_of_host(origin: bytes, start: int, length: int) -> int:
    """Where the port's colon is, or the end; colons inside brackets belong to an address."""
    i = length - 1
    # No farther than a port is long: behind that a colon is no port's, nor of any host.
    stop = max(start, i - _MAX_PORT_LENGTH)
    while i >= stop and origin[i] != _BRACKET:
        if origin[i] == _COLON:
            return i
        i -= 1
    return length


def _is_port(origin: bytes, host: int, start: int, end: int) -> bool:
    """Whether what stands there is a port, and not the default one of the scheme."""
    if not 0 < end - start <= _MAX_PORT_LENGTH or origin[start] == _ZERO:
        return False
    number = 0
    for i in range(start, end):
        if not _ZERO <= origin[i] <= _NINE:
            return False
        number = number * 10 + (origin[i] - _ZERO)
    return number <= 65535 and origin[start:end] != _DEFAULT_PORTS.get(origin[:host])


def _are_labels(origin: bytes, start: int, end: int) -> bool:
    """Whether everything from ``start`` to ``end`` is labels of a host, in lower case."""
    length = 0
    for i in range(start, end):
        if origin[i] == _DOT:
            if length == 0:
                return False
            length = 0
        elif not _IN_LABEL[origin[i]] or length == _MAX_LABEL_LENGTH:
            return False
        else:
            length += 1
    return length > 0


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
_ALLOW_ORIGIN = b"access-control-allow-origin"


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
                    found[slot] = value
                elif len(earlier) <= _LONGEST_READ:
                    # What is longer is refused as it is; joining on would cost a line its square.
                    found[slot] = earlier + b", " + value
    return found


def origin_of(headers: Iterable[RawPair]) -> bytes | None:
    """The value of Origin in raw header pairs, or None; of two lines, what is no origin at all."""
    origin: bytes | None = None
    try:
        for name, value in headers:
            # Length and first byte first: no other header of most requests gets further.
            if len(name) == _ORIGIN_LENGTH and name[0] in _O and name.lower() == _ORIGIN:
                # Most often it is the only one, and needs no call.
                origin = (
                    value
                    if origin is None and type(value) is bytes
                    else _value(value, origin)
                )
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
                if name[0] in _O and name.lower() == _ORIGIN:
                    origin = _value(value, origin)
            elif length == _REQUEST_METHOD_LENGTH and name.lower() == _REQUEST_METHOD:
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


class Answer:
    """All of a decision that is known when the policy is built.

    Args:
        kind: ``"not-cors"``, ``"actual"`` or ``"preflight"``.
        origin_allowed: Whether the policy allows the origin that gets this answer.
        echoes_origin: Whether to send the request's origin back: what allows it, unless ``*`` does.
        pairs: Further headers to set, without ``Vary``.
        vary: ``Vary`` and the names of request headers that the answer depends on, or None.
        status: A preflight's status; 0 where the application answers.
        body: A preflight's body.
    """

    def __init__(
        self,
        kind: Kind,
        *,
        origin_allowed: bool,
        echoes_origin: bool = False,
        pairs: Pairs = (),
        vary: tuple[str, str] | None = None,
        status: int = 0,
        body: bytes = b"",
    ) -> None:
        self.kind: Kind = kind
        self.origin_allowed = origin_allowed
        self.echoes_origin = echoes_origin
        self.pairs = pairs
        self.vary = vary
        self.status = status
        self.body = body
        placeholder: Pairs = ((_ALLOW_ORIGIN.decode(), ""),) if echoes_origin else ()
        self._text = [*placeholder, *pairs, *((vary,) if vary else ())]
        self._raw = raw_pairs(self._text)
        # Of a preflight's two ASGI messages, all that is the same for everybody.
        self.start: dict[str, Any] = {"type": _RESPONSE_START, "status": status, "headers": ()}
        self.end: dict[str, Any] = {"type": "http.response.body", "body": body}

    def raw(self, origin: bytes | None) -> list[RawPair]:
        """The headers of a response that has no others, as a new list.

        Args:
            origin: The request's origin; needed where the answer echoes it.
        """
        headers = self._raw.copy()
        if self.echoes_origin and origin is not None:
            headers[0] = (_ALLOW_ORIGIN, origin)
        return headers

    def apply_raw(
        self,
        headers: Iterable[RawPair],
        origin: bytes | None = None,
        on_conflict: OnConflict | None = None,
    ) -> list[RawPair]:
        """The headers of a response with ours in them, as a new list.

        Args:
            headers: The application's raw header pairs, names in any case.
            origin: The request's origin; needed where the answer echoes it.
            on_conflict: Called with the lower-case name of each header that was removed because
                the policy alone may set it.
        """
        theirs = headers if type(headers) is list else list(headers)
        try:
            for name, _ in theirs:
                length = len(name)
                # Vary, or one of CORS? Length and first byte tell almost all others apart.
                if (length == _VARY_LENGTH and name[0] in _V) or (
                    length >= _SHORTEST_CORS_LENGTH and name[0] in _A
                ):
                    return merge_raw(theirs, self.own(origin), self.vary, on_conflict)
        except TypeError:
            # Names that are not bytes, which some servers take: the careful way takes them too.
            return merge_raw(theirs, self.own(origin), self.vary, on_conflict)
        # Nothing of the application's to merge: ours behind theirs, with one place filled in.
        merged = theirs + self._raw
        if self.echoes_origin and origin is not None:
            merged[len(theirs)] = (_ALLOW_ORIGIN, origin)
        return merged

    def apply(
        self,
        headers: Iterable[tuple[str, str]],
        origin: str | None = None,
        on_conflict: OnConflict | None = None,
    ) -> list[tuple[str, str]]:
        """The same for headers that are text, as in WSGI."""
        theirs = headers if type(headers) is list else list(headers)
        for name, _ in theirs:
            length = len(name)
            if (length == _VARY_LENGTH and name[0] in "vV") or (
                length >= _SHORTEST_CORS_LENGTH and name[0] in "aA"
            ):
                sent = None if origin is None else origin.encode("ascii", "replace")
                return merge(theirs, self.own(sent), self.vary, on_conflict)
        merged = theirs + self._text
        if self.echoes_origin and origin is not None:
            merged[len(theirs)] = ("Access-Control-Allow-Origin", origin)
        return merged

    def own(self, origin: bytes | None) -> Pairs:
        """The headers to set, without ``Vary``, as text."""
        if self.echoes_origin and origin is not None:
            first = ("Access-Control-Allow-Origin", origin.decode("latin-1"))
            return (first,) + self.pairs  # noqa: RUF005 -- a sum is half the price when compiled
        return self.pairs


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
        matcher: Matcher,
        other_origins: Callable[[bytes], bool] | None,
        answers: Mapping[str, Answer],
        *,
        any_origin: bool,
        late_answer: Callable[[Sequence[bytes | str | None]], Answer] | None,
        debug_answer: Callable[[bytes], Answer] | None,
    ) -> None:
        self._matcher = matcher
        self.exact: frozenset[bytes] = matcher.exact
        self._other_origins = other_origins
        self._any_origin = any_origin
        self._late_answer = late_answer
        self.reads_questions: bool = late_answer is not None
        self._debug_answer = debug_answer
        self.actual_allowed: Answer = answers["actual-allowed"]
        self._preflight_allowed = answers["preflight-allowed"]
        self.not_cors: Answer = answers["not-cors"]
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

    def answer(self, method: str, headers: Iterable[RawPair]) -> tuple[Answer, bytes | None]:
        """The answer to a request with these raw headers, and the origin where it is sent back."""
        origin = asking_origin_of(headers) if method == _PREFLIGHT_METHOD else None
        if origin is not None:
            asked = scan(headers)[1:4] if self.reads_questions else None
            answer = self.preflight(origin, asked)
        else:
            origin = origin_of(headers)
            answer = self.actual(origin)
        return answer, (origin if answer.echoes_origin else None)

    def actual(self, origin: bytes | None) -> Answer:
        """The answer to a request that is no preflight; None for one without Origin."""
        if origin is None:
            return self.not_cors
        if self._any_origin or self._allows(origin):
            return self.actual_allowed
        return self._actual_refused

    def preflight(self, origin: bytes, asked: Sequence[bytes | str | None] | None) -> Answer:
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
        if len(origin) > _MAX_ORIGIN_LENGTH:
            # Strangers choose its length, too; what is cut off makes no origin of it.
            origin = origin[:_MAX_ORIGIN_LENGTH]
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

    _answer: Answer
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
        start = message.copy() if type(message) is dict else dict(message)
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
    _answer: Answer
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
