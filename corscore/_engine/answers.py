"""The answers of a policy, precomputed: every cell of the table of what a request gets.

https://fetch.spec.whatwg.org/#http-responses
"""

from __future__ import annotations

from corscore._engine import matcher
from corscore._engine.headers import canonical
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from corscore._config.options import Options
    from corscore._engine.headers import Pairs

# Why an origin is refused, as a person may read it in a debug answer. Nothing of the policy and
# nothing of the request is in it: both would tell a stranger, or a log, more than it should know.
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


class Answers:
    """What each kind of request gets from one policy.

    Args:
        options: Of the policy.
        varying: Request headers that all answers depend on, beside Origin.

    Attributes:
        by_kind: The precomputed answers, as ``Responder`` wants them.
        is_late: Whether an allowed preflight's answer repeats its questions; then ``late``
            makes it.
    """

    __slots__ = ("_echo_headers", "_echo_methods", "_options", "_varying", "by_kind", "is_late")

    def __init__(self, options: Options, varying: tuple[str, ...] = ()) -> None:
        self._options = options
        # "*" means nothing to a browser that sends credentials: such a policy repeats the question.
        self._echo_methods = options.allow_credentials and WILDCARD in options.allow_methods
        self._echo_headers = options.allow_credentials and WILDCARD in options.allow_headers
        self.is_late = self._echo_methods or self._echo_headers or options.allow_private_network
        any_origin = WILDCARD in options.allow_origins
        # What every answer depends on, refusals included.
        self._varying: tuple[str, ...] = () if any_origin else (ORIGIN, *varying)
        readable = _allowing(options) + _exposed(options)
        vary = _vary(*self._varying)
        self.by_kind = {
            "not-cors": matcher.Answer(
                "not-cors",
                origin_allowed=any_origin,
                # Sent without being asked: a shared cache may keep this answer for everybody.
                pairs=readable if any_origin else (),
                vary=vary,
            ),
            "actual-allowed": matcher.Answer(
                "actual",
                origin_allowed=True,
                echoes_origin=not any_origin,
                pairs=readable,
                vary=vary,
            ),
            "actual-refused": matcher.Answer("actual", origin_allowed=False, vary=vary),
            "preflight-allowed": self._allowed_preflight(None, None, is_private=False),
            "preflight-refused": self.refused_preflight(),
        }

    def late(self, asked: Sequence[bytes | str | None]) -> matcher.Answer:
        """The answer to a preflight of an allowed origin whose policy repeats questions.

        Args:
            asked: Access-Control-Request-Method, -Headers and -Private-Network.
        """
        method = _read(asked[0]) if self._echo_methods else None
        if method is not None and not is_requested_method(method):
            method = None
        headers = _read(asked[1]) if self._echo_headers else None
        if headers is not None:
            # An empty line leaves a blank where lines are joined, and servers send no such value.
            headers = headers.strip(OWS) if parse_requested_headers(headers) else None
        is_private = self._options.allow_private_network and _read(asked[2]) == "true"
        if method is None and headers is None and not is_private:
            # Made once: whoever asks for what no browser asks for shall not keep us busy.
            return self.by_kind["preflight-allowed"]
        return self._allowed_preflight(method, headers, is_private=is_private)

    def _allowed_preflight(
        self, method: str | None, headers: str | None, *, is_private: bool
    ) -> matcher.Answer:
        """It names everything that the policy allows, whatever was asked.

        So one preflight fills the browser's cache for all later requests. Only ``*`` beside
        credentials repeats a question.
        """
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

    def refused_preflight(self, text: str = "") -> matcher.Answer:
        """The answer to a preflight of a refused origin.

        Args:
            text: Its body: the reason, where the policy tells it.
        """
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
    """What a preflight asks, as text; None in the place of what is too long to be answered."""
    if value is None or len(value) > MAX_REQUEST_HEADERS_LENGTH:
        return None
    return value if isinstance(value, str) else value.decode("latin-1")


def _vary(*names: str) -> tuple[str, str] | None:
    return (canonical(VARY), ", ".join(map(canonical, names))) if names else None


def _allowing(options: Options) -> Pairs:
    """What makes a response readable, but for an origin that is the request's own."""
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
    # Each once: people list Content-Type although it is always allowed.
    names = dict.fromkeys((*CORS_SAFELISTED_REQUEST_HEADERS, *options.allow_headers))
    return ", ".join(names)


def _max_age(options: Options) -> Pairs:
    if options.max_age is None:
        return ()
    return ((canonical(ACCESS_CONTROL_MAX_AGE), str(options.max_age)),)


def _entity(status: int, body: bytes = b"") -> Pairs:
    # RFC 9110 section 8.6: no Content-Length in a 204.
    return () if status == 204 else (("Content-Length", str(len(body))), _CONTENT_TYPE)
