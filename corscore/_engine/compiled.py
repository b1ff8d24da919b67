"""The compiled policy: origin lookup and prepared answers.

https://fetch.spec.whatwg.org/#http-responses
"""

from __future__ import annotations

from corscore._config.pattern import parse_pattern
from corscore._engine import matcher
from corscore._engine.decision import Decision
from corscore._engine.headers import canonical
from corscore._engine.refusal import origin_refusal, preflight_refusal
from corscore._standard.fetch import (
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_ALLOW_PRIVATE_NETWORK,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD,
    ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK,
    ALLOW_CREDENTIALS_TRUE,
    AUTHORIZATION,
    CORS_SAFELISTED_METHODS,
    CORS_SAFELISTED_REQUEST_HEADERS,
    OPAQUE_ORIGIN,
    ORIGIN,
    VARY,
    WILDCARD,
)
from corscore._standard.grammar import (
    MAX_REQUEST_HEADERS_LENGTH,
    OWS,
    is_requested_method,
    parse_requested_headers,
)
from corscore._standard.origin import parse_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from corscore._config.options import Options
    from corscore._config.pattern import Pattern
    from corscore._engine.headers import Pairs
    from corscore._engine.matcher import Responder
    from corscore._engine.request import RequestInfo
    from corscore._policy.policy import Policy

# The body of a debug answer. Any client may read it, so it quotes neither policy nor request.
ORIGIN_REFUSALS = {
    "origin-not-allowed": "The request's Origin is not one that the policy allows.",
    "origin-malformed": "The request's Origin is not in the form that browsers send.",
    "null-not-allowed": 'The request\'s Origin is "null", which the policy does not allow.',
}

_ALLOW_METHODS = canonical(ACCESS_CONTROL_ALLOW_METHODS)
_ALLOW_HEADERS = canonical(ACCESS_CONTROL_ALLOW_HEADERS)
_PRIVATE_NETWORK: Pairs = ((canonical(ACCESS_CONTROL_ALLOW_PRIVATE_NETWORK), "true"),)
_CONTENT_TYPE = ("Content-Type", "text/plain; charset=utf-8")
_FORBIDDEN = 403


class Compiled:
    """A policy's responder and the answers that cannot be prepared.

    Args:
        options: The checked options of the policy.
        patterns: The patterns of ``options.allow_origins``; they are not kept.
        vary: Request headers that a resolver's verdict depends on, beside Origin.
        has_resolver: Whether a resolver is asked about origins that the options do not allow.
        varying: The request headers that every answer depends on; None for those of the options.

    Attributes:
        responder: The origin lookup and the prepared answers.
    """

    __slots__ = (
        "_echo_headers",
        "_echo_methods",
        "_has_resolver",
        "_options",
        "_preflight_allowed",
        "_varying",
        "responder",
    )

    def __init__(
        self,
        options: Options,
        patterns: Iterable[Pattern],
        vary: tuple[str, ...],
        *,
        has_resolver: bool,
        varying: tuple[str, ...] | None = None,
    ) -> None:
        self._options = options
        self._has_resolver = has_resolver
        # With credentials a browser takes "*" for a name: such a policy repeats what was asked.
        self._echo_methods = options.allow_credentials and WILDCARD in options.allow_methods
        self._echo_headers = options.allow_credentials and WILDCARD in options.allow_headers
        is_late = self._echo_methods or self._echo_headers or options.allow_private_network
        any_origin = WILDCARD in options.allow_origins
        # Refusals depend on these headers, too.
        self._varying: tuple[str, ...] = () if any_origin else (ORIGIN, *vary)
        if varying is not None:
            self._varying = varying
        has_others = options.allow_null_origin or options.allow_origin_regex is not None
        self._preflight_allowed = self._allowed_preflight(None, None, is_private=False)
        self.responder: Responder = matcher.Responder(
            matcher.Matcher(patterns),
            self._allows_beyond_patterns if has_others else None,
            {
                **self._prepared(any_origin=any_origin),
                "preflight-allowed": self._preflight_allowed,
                "preflight-refused": self._refused_preflight(),
            },
            any_origin=any_origin,
            credentials=options.allow_credentials,
            has_resolver=has_resolver,
            is_debug=options.debug,
            late_answer=self._late_answer if is_late else None,
            debug_answer=self._debug_answer if options.debug else None,
        )

    def _prepared(self, *, any_origin: bool) -> dict[str, matcher.Answer]:
        """The answers to all requests but preflights, plain and blocked."""
        readable = _allowing(self._options) + _exposed(self._options)
        vary = _vary(*self._varying)
        prepared = {}
        for prefix, status in (("", 0), ("blocked-", _FORBIDDEN)):
            entity = _entity(status) if status else ()
            prepared[f"{prefix}not-cors"] = matcher.Answer(
                "not-cors",
                origin_allowed=any_origin,
                # "*" is sent without an Origin, too: a shared cache may keep one answer for all.
                pairs=(readable if any_origin else ()) + entity,
                vary=vary,
                status=status,
            )
            prepared[f"{prefix}actual-allowed"] = matcher.Answer(
                "actual",
                origin_allowed=True,
                echoes_origin=not any_origin,
                pairs=readable + entity,
                vary=vary,
                status=status,
            )
            prepared[f"{prefix}actual-refused"] = matcher.Answer(
                "actual", origin_allowed=False, pairs=entity, vary=vary, status=status
            )
        return prepared

    def varying_by(self, headers: Iterable[str]) -> Compiled:
        """This policy with the request headers in every ``Vary``; itself if they are there."""
        known = set(map(str.lower, self._varying))
        more = [name for name in headers if name.lower() not in known]
        if not more:
            return self
        return Compiled(
            self._options,
            filter(None, map(parse_pattern, self._options.allow_origins)),
            (),
            has_resolver=self._has_resolver,
            varying=(*self._varying, *more),
        )

    def decide(self, policy: Policy, request: RequestInfo, verdict: bool | None) -> Decision:
        """The decision of ``policy``, whose compiled form this is; see ``Policy.decide``."""
        text = request.origin
        # Compiled code takes no subclass of str, and `str` of one may be another text.
        if text is not None and type(text) is not str:
            text = str.__str__(text)
        origin = None if text is None else matcher.sent(text)
        if verdict and request.origin is not None:
            # A resolver cannot allow "null" or a malformed origin.
            verdict = parse_origin(request.origin) is not None
        is_preflight = request.is_preflight
        asked = None
        if is_preflight and self.responder.reads_questions:
            asked = (
                request.request_method,
                request.request_headers,
                request.request_private_network,
            )
        answer = self.responder.answer(origin, is_preflight, asked, verdict)
        return Decision(answer, request, self, policy, is_final=verdict is not None)

    def needs_resolver(self, answer: matcher.Answer, request: RequestInfo) -> bool:
        """Whether a resolver has yet to be asked about the request's origin.

        It is not asked about a malformed Origin or "null", which it cannot allow, nor about the
        site's own origin.
        """
        return (
            self._has_resolver
            and request.origin is not None
            and not answer.origin_allowed
            and not request.is_own_origin
            and origin_refusal(request.origin) == "origin-not-allowed"
        )

    def refusal(self, answer: matcher.Answer, request: RequestInfo) -> str | None:
        """The reason why a browser refuses what the request asks, or None."""
        if request.origin is None:
            return None
        if not answer.origin_allowed:
            return origin_refusal(request.origin)
        if answer.kind != "preflight":
            return None
        options = self._options
        return preflight_refusal(
            request,
            options.allow_methods,
            options.allow_headers,
            repeats=options.allow_credentials,
        )

    def _allows_beyond_patterns(self, origin: bytes) -> bool:
        text = origin.decode("latin-1")
        if text == OPAQUE_ORIGIN:
            return self._options.allow_null_origin
        regex = self._options.allow_origin_regex
        return (
            regex is not None
            and parse_origin(text) is not None
            and regex.fullmatch(text) is not None
        )

    def _debug_answer(self, origin: bytes) -> matcher.Answer:
        return self._refused_preflight(ORIGIN_REFUSALS[origin_refusal(origin.decode("latin-1"))])

    def _late_answer(self, asked: Sequence[bytes | str | None]) -> matcher.Answer:
        """The answer to an allowed preflight, made from its Access-Control-Request-* values."""
        method = _read(asked[0]) if self._echo_methods else None
        if method is not None and not is_requested_method(method):
            method = None
        headers = _read(asked[1]) if self._echo_headers else None
        if headers is not None:
            # Joining an empty line leaves a blank, which no header value may begin or end with.
            headers = headers.strip(OWS) if parse_requested_headers(headers) else None
        is_private = self._options.allow_private_network and _read(asked[2]) == "true"
        if method is None and headers is None and not is_private:
            # The prepared answer, since a request with invalid values must not cost more.
            return self._preflight_allowed
        return self._allowed_preflight(method, headers, is_private=is_private)

    def _allowed_preflight(
        self, method: str | None, headers: str | None, *, is_private: bool
    ) -> matcher.Answer:
        """The answer that names all that the policy allows; only ``*`` repeats what was asked."""
        # One preflight then fills the browser's cache for all later requests.
        options = self._options
        vary = [*self._varying]
        pairs = _allowing(options)
        if self._echo_methods:
            vary.append(ACCESS_CONTROL_REQUEST_METHOD)
        else:
            method = _methods(options)
        if method is not None:
            pairs += ((_ALLOW_METHODS, method),)
        if self._echo_headers:
            vary.append(ACCESS_CONTROL_REQUEST_HEADERS)
        else:
            headers = _headers(options)
        if headers is not None:
            pairs += ((_ALLOW_HEADERS, headers),)
        if options.allow_private_network:
            vary.append(ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK)
            if is_private:
                pairs += _PRIVATE_NETWORK
        status = options.preflight_status
        return matcher.Answer(
            "preflight",
            origin_allowed=True,
            echoes_origin=WILDCARD not in options.allow_origins,
            pairs=pairs + _max_age(options) + _entity(status),
            vary=_vary(*vary),
            status=status,
        )

    def _refused_preflight(self, text: str = "") -> matcher.Answer:
        """The answer to a preflight of a refused origin; with ``debug``, the reason is its text."""
        body = text.encode("ascii")
        return matcher.Answer(
            "preflight",
            origin_allowed=False,
            pairs=_entity(_FORBIDDEN, body),
            vary=_vary(*self._varying),
            status=_FORBIDDEN,
            body=body,
        )


def _read(value: bytes | str | None) -> str | None:
    """A header's value as text; None if it is missing or too long."""
    if value is None or len(value) > MAX_REQUEST_HEADERS_LENGTH:
        return None
    return value if isinstance(value, str) else value.decode("latin-1")


def _vary(*names: str) -> tuple[str, str] | None:
    return (canonical(VARY), ", ".join(map(canonical, names))) if names else None


def _allowing(options: Options) -> Pairs:
    """The headers that make a response readable, without an echoed origin."""
    pairs: Pairs = ()
    if WILDCARD in options.allow_origins:
        pairs += ((canonical(ACCESS_CONTROL_ALLOW_ORIGIN), WILDCARD),)
    if options.allow_credentials:
        pairs += ((canonical(ACCESS_CONTROL_ALLOW_CREDENTIALS), ALLOW_CREDENTIALS_TRUE),)
    return pairs


def _exposed(options: Options) -> Pairs:
    if not options.expose_headers:
        return ()
    return ((canonical(ACCESS_CONTROL_EXPOSE_HEADERS), ", ".join(options.expose_headers)),)


def _methods(options: Options) -> str:
    if WILDCARD in options.allow_methods:
        return WILDCARD
    return ", ".join((*CORS_SAFELISTED_METHODS, *options.allow_methods))


def _headers(options: Options) -> str:
    if WILDCARD in options.allow_headers:
        # The wildcard does not cover Authorization, which must be named:
        # https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
        return f"{WILDCARD},{AUTHORIZATION}"
    # Each once: configurations often list Content-Type, which is always allowed.
    names = dict.fromkeys((*CORS_SAFELISTED_REQUEST_HEADERS, *options.allow_headers))
    return ", ".join(names)


def _max_age(options: Options) -> Pairs:
    if options.max_age is None:
        return ()
    return ((canonical(ACCESS_CONTROL_MAX_AGE), str(options.max_age)),)


def _entity(status: int, body: bytes = b"") -> Pairs:
    # RFC 9110 section 8.6: a 204 has no Content-Length.
    return () if status == 204 else (("Content-Length", str(len(body))), _CONTENT_TYPE)
