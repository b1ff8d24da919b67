"""A policy as requests ask it: who answers, with what, and why a browser will refuse."""

from __future__ import annotations

from corscore._engine import matcher
from corscore._engine.answers import ORIGIN_REFUSALS, Answers
from corscore._engine.decision import Decision, Question
from corscore._engine.refusal import origin_refusal, preflight_refusal
from corscore._standard.fetch import OPAQUE_ORIGIN, WILDCARD
from corscore._standard.grammar import MAX_REQUEST_HEADERS_LENGTH
from corscore._standard.origin import parse_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from corscore._config.options import Options
    from corscore._config.pattern import Pattern
    from corscore._engine.request import RequestInfo


class Compiled:
    """The responders of one policy.

    Args:
        options: Of the policy.
        patterns: Those that ``options.allow_origins`` means.
        vary: Request headers that the origin resolver's verdict depends on.

    Attributes:
        responders: Who answers, by the verdict of somebody else on the request's origin; under
            None the policy judges for itself.
    """

    __slots__ = ("_answers", "_options", "responders")

    def __init__(
        self, options: Options, patterns: Iterable[Pattern], vary: tuple[str, ...] = ()
    ) -> None:
        self._options = options
        answers = Answers(options, vary)
        self._answers = answers
        has_others = options.allow_null_origin or options.allow_origin_regex is not None
        own = matcher.Matcher(patterns)
        nobody = matcher.Matcher(())
        self.responders = {
            verdict: matcher.Responder(
                own if verdict is None else nobody,
                other_origins,
                answers.by_kind,
                any_origin=WILDCARD in options.allow_origins,
                late_answer=answers.late if answers.is_late else None,
                debug_answer=self._debug_answer if options.debug else None,
            )
            for verdict, other_origins in (
                (None, self._allows_beyond_patterns if has_others else None),
                # Whoever says so: what is no origin, or null, is not for others to allow.
                (True, _is_origin),
                (False, None),
            )
        }

    def decide(self, request: RequestInfo, origin_allowed: bool | None) -> Decision:
        """What a request gets; see ``Policy.decide``."""
        responder = self.responders[origin_allowed]
        origin = None if request.origin is None else _sent(request.origin)
        # What is no OPTIONS asks nothing: seen at once, where a property is a call.
        if origin is None or request.request_method is None or not request.is_preflight:
            answer = responder.actual(origin)
        else:
            asked = None
            if self._answers.is_late:
                asked = (
                    request.request_method,
                    request.request_headers,
                    request.request_private_network,
                )
            answer = responder.preflight(origin, asked)
        return Decision(answer, origin if answer.echoes_origin else None, request, self._refusal)

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
        text = ORIGIN_REFUSALS[origin_refusal(origin.decode("latin-1"))]
        return self._answers.refused_preflight(text)

    def _refusal(self, answer: matcher.Answer, request: RequestInfo) -> str | None:
        if request.origin is None:
            return None
        if not answer.origin_allowed:
            return origin_refusal(request.origin)
        if not request.is_preflight:
            return None
        options = self._options
        return preflight_refusal(
            request,
            options.allow_methods,
            options.allow_headers,
            repeats=options.allow_credentials,
        )


class AskingCompiled(Compiled):
    """The same for a policy with an origin resolver; apart, so that no other one pays for it."""

    __slots__ = ()

    def decide(self, request: RequestInfo, origin_allowed: bool | None) -> Decision:
        """As above; a ``Question`` where nobody has a verdict yet."""
        decision = super().decide(request, origin_allowed)
        if origin_allowed is not None or request.origin is None or decision.origin_allowed:
            return decision
        # A malformed Origin and "null" are refused whoever says otherwise, and a request of the
        # site's own pages needs no permission.
        if origin_refusal(request.origin) != "origin-not-allowed" or request.is_own_origin:
            return decision
        return Question.about(decision)


def _is_origin(origin: bytes) -> bool:
    return parse_origin(origin.decode("latin-1")) is not None


def _sent(value: str) -> bytes:
    # Nothing reads more than the longest of them.
    if len(value) > MAX_REQUEST_HEADERS_LENGTH:
        value = value[: MAX_REQUEST_HEADERS_LENGTH + 1]
    # What is not ASCII becomes a "?", which neither an origin nor a token can have in it.
    return value.encode() if value.isascii() else value.encode("ascii", "replace")
