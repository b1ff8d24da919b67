# cython: language_level=3, annotation_typing=False, nonecheck=True, binding=False
"""``Responder``: a policy's choice among its prepared answers; ``OriginTable``: policies by origin.

One source, two builds, as in ``matcher_py``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    # Modules, since the names of the classes are C types when compiled.
    from corscore._engine import answer_py, matcher_py


class Responder:
    """The origin lookup of a compiled policy, and its prepared answers.

    Args:
        matcher: The origins that patterns allow.
        other_origins: The check of an origin that no pattern covers (regex, ``null``), or None.
        answers: The answers by ``"not-cors"``, ``"actual-allowed"``, ``"actual-refused"``,
            ``"preflight-allowed"``, ``"preflight-refused"``, and ``"blocked-..."`` for the first
            three.
        any_origin: Whether the policy is ``*``, which ignores the value of Origin.
        credentials: Whether the policy allows credentials.
        has_resolver: Whether the policy has a resolver for origins that are refused.
        is_debug: Whether every request is examined, to log refused methods and headers too.
        late_answer: Makes the answer to an allowed preflight from its Access-Control-Request-*
            values; None for a policy that does not repeat them.
        debug_answer: Makes the answer to a refused preflight, with the reason in its body, from the
            origin; None without ``debug``.
    """

    def __init__(
        self,
        matcher: matcher_py.Matcher,
        other_origins: Callable[[bytes], bool] | None,
        answers: Mapping[str, answer_py.Answer],
        *,
        any_origin: bool,
        credentials: bool,
        has_resolver: bool,
        is_debug: bool,
        late_answer: Callable[[Sequence[bytes | str | None]], answer_py.Answer] | None,
        debug_answer: Callable[[bytes], answer_py.Answer] | None,
    ) -> None:
        self._matcher = matcher
        self.exact: frozenset[bytes] = matcher.exact
        self._other_origins = other_origins
        self._any_origin = any_origin
        self.credentials: bool = credentials
        self.has_resolver: bool = has_resolver
        self.is_debug: bool = is_debug
        self._late_answer = late_answer
        self.reads_questions: bool = late_answer is not None
        self._debug_answer = debug_answer
        self.not_cors: answer_py.Answer = answers["not-cors"]
        self.actual_allowed: answer_py.Answer = answers["actual-allowed"]
        self._actual_refused = answers["actual-refused"]
        self.preflight_allowed: answer_py.Answer = answers["preflight-allowed"]
        self._preflight_refused = answers["preflight-refused"]
        self._blocked_not_cors = answers["blocked-not-cors"]
        self._blocked_allowed = answers["blocked-actual-allowed"]
        self._blocked_refused = answers["blocked-actual-refused"]

    def allows(self, origin: object) -> bool:
        """Whether the policy allows an origin, ``str`` or ``bytes``. Never raises."""
        if self._any_origin:
            return True
        if type(origin) is not bytes:  # pragma: no mutate: for speed
            if isinstance(origin, str) and origin.isascii():
                origin = origin.encode()
            elif isinstance(origin, bytes):
                origin = bytes(origin)
            else:
                return False
        return self._allows(origin)

    def _allows(self, origin: bytes) -> bool:
        if origin in self.exact or self._matcher.matches_open(origin):
            return True
        return self._other_origins is not None and self._other_origins(origin)

    def answer(
        self,
        origin: bytes | None,
        is_preflight: bool,
        asked: Sequence[bytes | str | None] | None,
        verdict: bool | None,
    ) -> answer_py.Answer:
        """Return the answer to a request, preflight or not.

        https://fetch.spec.whatwg.org/#cors-preflight-request

        Args:
            origin: The value of Origin, or None.
            is_preflight: Whether the method is OPTIONS, with an Access-Control-Request-Method.
            asked: Access-Control-Request-Method, -Headers and -Private-Network; needed for a
                preflight where ``reads_questions``.
            verdict: A resolver's verdict on a well-formed origin, or None without one. A policy of
                ``*`` ignores it.
        """
        if origin is None:
            return self.not_cors
        if self._any_origin:
            allowed = True
        elif verdict is None:
            allowed = self._allows(origin)
        else:
            allowed = verdict
        if not is_preflight:
            return self.actual_allowed if allowed else self._actual_refused
        if allowed:
            if self._late_answer is None or asked is None:
                return self.preflight_allowed
            return self._late_answer(asked)
        if self._debug_answer is None:
            return self._preflight_refused
        return self._debug_answer(origin)

    def blocked(self, answer: answer_py.Answer) -> answer_py.Answer:
        """Return the 403 for an actual request that the application must not see."""
        if answer is self.not_cors:
            return self._blocked_not_cors
        return self._blocked_allowed if answer.origin_allowed else self._blocked_refused


class OriginTable:
    """Policies by origin: the first that allows a request's origin governs it, else the last.

    Args:
        policies: At least one compiled policy.
    """

    def __init__(self, policies: Sequence[Any]) -> None:
        *first, last = policies
        self._first = tuple(first)
        self._last = last

    def find(self, origin: object) -> Any:
        """Return the policy for a value of Origin, ``str`` or ``bytes`` or None. Never raises."""
        if origin is not None:
            for policy in self._first:
                responder: Responder = policy._responder
                if responder.allows(origin):
                    return policy
        return self._last
