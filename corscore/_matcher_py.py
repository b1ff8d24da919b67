# cython: language_level=3, annotation_typing=False, freethreading_compatible=True
"""What every request pays for: a look at its headers, a look-up of its origin, a new header list.

One source, two builds: this file runs as it is, and Cython compiles it a second time as
``_matcher_c`` with the C types of ``_matcher_c.pxd``. It works on bytes, as servers hand them over;
it compares, and never folds, repairs or raises. Nothing in it changes after it was built.
"""

from __future__ import annotations

from corscore._merge import merge, merge_raw, raw_pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
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
_DEFAULT_PORTS = {
    b"http://": b"80",
    b"https://": b"443",
    b"ws://": b"80",
    b"wss://": b"443",
    b"ftp://": b"21",
}
_NO_SCHEMES: frozenset[bytes] = frozenset()

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
        suffixes: dict[bytes, frozenset[bytes]] = {}
        any_port_suffixes: dict[bytes, frozenset[bytes]] = {}
        shared: dict[frozenset[bytes], frozenset[bytes]] = {}
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
            schemes = table.get(suffix, _NO_SCHEMES) | {scheme}
            # Most suffixes have the same one: kept once, and not a hundred thousand times.
            table[suffix] = shared.setdefault(schemes, schemes)
        self._exact = frozenset(exact)
        self._any_port = frozenset(any_port)
        self._suffixes = suffixes
        self._any_port_suffixes = any_port_suffixes
        self._max_depth = max(depths)
        self._depths = bytes(depth in depths for depth in range(self._max_depth + 1))
        self._is_open = bool(any_port or suffixes or any_port_suffixes)

    def matches(self, origin: bytes) -> bool:
        """Whether a pattern covers ``origin``, byte for byte as a request sent it."""
        if origin in self._exact:
            return True
        return self._is_open and self._matches_open(origin)

    def _matches_open(self, origin: bytes) -> bool:
        """The patterns that leave something open: the labels before a suffix, or the port."""
        length = len(origin)
        if length > _MAX_ORIGIN_LENGTH:
            return False
        start = _start_of_host(origin, length)
        end = _end_of_host(origin, start, length)
        if end < length and not _is_port(origin, start, end + 1):
            return False
        if self._any_port and origin[:end] in self._any_port:
            return True
        depth = 0
        dot = end
        while depth < self._max_depth:
            dot -= 1
            # No farther than a label is long: a longer one is in no origin, nor in a pattern.
            stop = max(start, dot - _MAX_LABEL_LENGTH)
            while dot >= stop and origin[dot] != _DOT:
                dot -= 1
            if dot < stop:
                return False
            depth += 1
            if self._depths[depth]:
                schemes = self._suffixes.get(origin[dot:])
                if schemes is None or origin[:start] not in schemes:
                    if not self._any_port_suffixes:
                        continue
                    schemes = self._any_port_suffixes.get(origin[dot:end])
                    if schemes is None or origin[:start] not in schemes:
                        continue
                # No need to walk on: a longer suffix would only leave fewer of the same labels.
                return end - start <= _MAX_HOST_LENGTH and _are_labels(origin, start, dot)
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


def _is_port(origin: bytes, host: int, start: int) -> bool:
    """Whether what starts there is a port, and not the default one of the scheme."""
    length = len(origin) - start
    if not 0 < length <= _MAX_PORT_LENGTH or origin[start] == _ZERO:
        return False
    number = 0
    for i in range(start, start + length):
        if not _ZERO <= origin[i] <= _NINE:
            return False
        number = number * 10 + (origin[i] - _ZERO)
    return number <= 65535 and origin[start:] != _DEFAULT_PORTS.get(origin[:host])


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
            return (("Access-Control-Allow-Origin", origin.decode("latin-1")), *self.pairs)
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
        late_answer: Callable[[list[bytes | None]], Answer] | None,
        debug_answer: Callable[[bytes], Answer] | None,
    ) -> None:
        self._matcher = matcher
        self._other_origins = other_origins
        self._any_origin = any_origin
        self._late_answer = late_answer
        self._debug_answer = debug_answer
        self._actual_allowed = answers["actual-allowed"]
        self._preflight_allowed = answers["preflight-allowed"]
        # Made once: these go out with no origin in them.
        self._not_cors = (answers["not-cors"], None)
        self._any_actual = (self._actual_allowed, None)
        self._any_preflight = (self._preflight_allowed, None)
        self._actual_refused = (answers["actual-refused"], None)
        self._preflight_refused = (answers["preflight-refused"], None)

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
        if self._matcher.matches(origin):
            return True
        return self._other_origins is not None and self._other_origins(origin)

    def answer(self, method: str, headers: Iterable[RawPair]) -> tuple[Answer, bytes | None]:
        """The answer to a request with these raw headers, and its origin where that is allowed."""
        origin = None
        is_preflight = False
        try:
            for name, value in headers:
                # Length and first byte first: no other header of most requests gets further.
                if (
                    len(name) == _ORIGIN_LENGTH
                    and name[0] in _O
                    and name.lower() == _ORIGIN
                    and isinstance(value, bytes)
                ):
                    # A second line makes it no origin at all.
                    origin = value if origin is None else _SEVERAL
            if method == _PREFLIGHT_METHOD:
                for name, value in headers:
                    if (
                        len(name) == _REQUEST_METHOD_LENGTH
                        and name.lower() == _REQUEST_METHOD
                        and isinstance(value, bytes)
                    ):
                        is_preflight = True
                        break
        except TypeError:
            # Not all bytes: no server's doing. The compiled build takes nothing else.
            origin, request_method = scan(headers)[:2]
            is_preflight = method == _PREFLIGHT_METHOD and request_method is not None
        if origin is None:
            return self._not_cors
        if not is_preflight:
            return self.actual(origin)
        return self.preflight(origin, None if self._late_answer is None else scan(headers)[1:4])

    def sender(
        self, scope: Mapping[str, Any], send: Callable[[Any], Any], on_conflict: OnConflict
    ) -> Sender:
        """What ``answer`` says, as a ``send`` for ASGI.

        Args:
            scope: Of an ``http`` connection.
            send: What the server or an outer layer passed.
            on_conflict: As in ``Answer.apply_raw``.
        """
        answer, origin = self.answer(scope["method"], scope["headers"])
        # Without a constructor, whose arguments would cost as much as all the rest.
        sender = Sender.__new__(Sender)
        sender._answer = answer
        sender._origin = origin
        sender._send = send
        sender._on_conflict = on_conflict
        sender.preflight = None
        if answer.status:
            sender.preflight = (
                {
                    "type": _RESPONSE_START,
                    "status": answer.status,
                    "headers": answer.apply_raw([], origin),
                },
                {"type": "http.response.body", "body": answer.body},
            )
        return sender

    def starter(
        self,
        environ: Mapping[str, Any],
        start_response: Callable[..., Any],
        on_conflict: OnConflict,
    ) -> Starter:
        """What ``answer`` says, as a ``start_response`` for WSGI.

        Args:
            environ: Of the request.
            start_response: What the server or an outer layer passed.
            on_conflict: As in ``Answer.apply``.
        """
        env = environ if type(environ) is dict else dict(environ)
        origin = env.get("HTTP_ORIGIN")
        if origin is None:
            answer, allowed = self._not_cors
        elif (
            env.get("REQUEST_METHOD") == _PREFLIGHT_METHOD
            and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in env
        ):
            asked = None
            if self._late_answer is not None:
                asked = [_sent(env[key]) if key in env else None for key in _ASKED]
            answer, allowed = self.preflight(_sent(origin), asked)
        else:
            answer, allowed = self.actual(_sent(origin))
        starter = Starter.__new__(Starter)
        starter._answer = answer
        starter._origin = origin if allowed is not None else None
        starter._start_response = start_response
        starter._on_conflict = on_conflict
        starter.preflight = None
        if answer.status:
            starter.preflight = (answer.status, answer.apply([], starter._origin), answer.body)
        return starter

    def actual(self, origin: bytes) -> tuple[Answer, bytes | None]:
        """The answer to an actual request, and its origin where that is allowed."""
        if self._any_origin:
            return self._any_actual
        if self.allows(origin):
            return self._actual_allowed, origin
        return self._actual_refused

    def preflight(
        self, origin: bytes, asked: list[bytes | None] | None
    ) -> tuple[Answer, bytes | None]:
        """The answer to a preflight, and its origin where that is allowed.

        Args:
            origin: The value of Origin.
            asked: Access-Control-Request-Method, -Headers and -Private-Network.
        """
        if self._any_origin:
            return self._any_preflight
        if self.allows(origin):
            if self._late_answer is None or asked is None:
                return self._preflight_allowed, origin
            return self._late_answer(asked), origin
        if self._debug_answer is None:
            return self._preflight_refused
        return self._debug_answer(origin), None


def _sent(value: str) -> bytes:
    # What is not ASCII becomes a "?", which neither an origin nor a token can have in it.
    return value.encode() if value.isascii() else value.encode("ascii", "replace")


class Sender:
    """ASGI's ``send``, whose response starts with the headers of an answer.

    Here and not in the adapter because every message of every response passes through it.

    Attributes:
        preflight: The two messages of a preflight's answer, to be sent instead of calling the
            application; else None.
    """

    __slots__ = ("_answer", "_on_conflict", "_origin", "_send", "preflight")

    _answer: Answer
    _origin: bytes | None
    _send: Callable[[Any], Any]
    _on_conflict: OnConflict
    preflight: tuple[dict[str, Any], dict[str, Any]] | None

    def __call__(self, message: Mapping[str, Any]) -> Any:
        """Passes the message on, and returns what the server's ``send`` returns."""
        if message["type"] == _RESPONSE_START:
            # A copy: an application may send one constant message to everybody.
            started = dict(message)
            started["headers"] = self._answer.apply_raw(
                started.get("headers", ()), self._origin, self._on_conflict
            )
            return self._send(started)
        return self._send(message)


class Starter:
    """WSGI's ``start_response``, whose response starts with the headers of an answer.

    Attributes:
        preflight: Status, headers and body of a preflight's answer, to be sent instead of calling
            the application; else None.
    """

    __slots__ = ("_answer", "_on_conflict", "_origin", "_start_response", "preflight")

    _answer: Answer
    _origin: str | None
    _start_response: Callable[..., Any]
    _on_conflict: OnConflict
    preflight: tuple[int, list[tuple[str, str]], bytes] | None

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """Starts the response, and returns what the server's ``start_response`` returns."""
        merged = self._answer.apply(headers, self._origin, self._on_conflict)
        if exc_info is None:
            return self._start_response(status, merged)
        try:
            return self._start_response(status, merged, exc_info)
        finally:
            # Its traceback leads to this very frame, which must not lead back to it.
            exc_info = None
