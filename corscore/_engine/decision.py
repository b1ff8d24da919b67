"""``Decision``: what a policy decides on one request, and the headers that follow."""

from __future__ import annotations

from corscore._engine.headers import raw_pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from corscore._engine.answer_py import Kind
    from corscore._engine.compiled import Compiled
    from corscore._engine.headers import HeaderMapping, OnConflict, Pairs, RawPair
    from corscore._engine.matcher import Answer
    from corscore._engine.request import RequestInfo
    from corscore._policy.policy import Policy


class Decision:
    """A policy's decision on one request.

    An adapter sends a preflight's ``status``, ``headers`` (or ``raw_headers``) and ``body`` itself,
    and the application never sees the request. For any other kind it calls the application and
    passes the response's headers through ``apply`` (or ``apply_raw``, or ``update``).
    """

    # `_source` makes `_request` when it is first used.
    __slots__ = ("_answer", "_compiled", "_is_final", "_request", "_source", "policy")

    policy: Policy
    """The policy that governs the request, for example one of a map, a tuple or a tenant."""

    _request: RequestInfo
    _source: tuple[Callable[[Any], RequestInfo], object]

    def __init__(
        self,
        answer: Answer,
        request: RequestInfo,
        compiled: Compiled,
        policy: Policy,
        *,
        is_final: bool,
    ) -> None:
        self.policy = policy
        self._answer = answer
        self._request = request
        self._compiled = compiled
        self._is_final = is_final

    @classmethod
    def of_native(
        cls,
        answer: Answer,
        policy: Policy,
        request_of: Callable[[Any], RequestInfo],
        native: object,
    ) -> Decision:
        """Return the decision on a framework's own request, which is read when it is needed.

        Args:
            answer: The answer to the request.
            policy: The policy that governs it.
            request_of: Returns the ``RequestInfo`` of ``native``.
            native: The framework's own request.
        """
        decision = cls.__new__(cls)
        decision._answer = answer
        decision._compiled = policy._compiled
        decision.policy = policy
        decision._is_final = True
        decision._source = (request_of, native)
        return decision

    def __getattr__(self, name: str) -> Any:
        # Called for a slot that is not set.
        if name != "_request":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        request_of, native = self._source
        self._request = request_of(native)
        return self._request

    @property
    def needs_resolver(self) -> bool:
        """Whether the policy's ``origin_resolver`` has yet to be asked about the request's origin.

        Pass its verdict to ``Policy.decide`` as ``origin_allowed``. Until then this decision
        refuses the origin.
        """
        return not self._is_final and self._compiled.needs_resolver(self._answer, self._request)

    @property
    def _origin(self) -> bytes | None:
        """The origin to send back, which is ASCII where the policy allows it."""
        if not self._answer.echoes_origin or self._request.origin is None:
            return None
        return self._request.origin.encode("ascii")

    @property
    def kind(self) -> Kind:
        """``"not-cors"`` (no Origin), ``"actual"`` or ``"preflight"``."""
        return self._answer.kind

    @property
    def is_preflight(self) -> bool:
        """Whether to answer now, with ``status``, the headers and ``body``."""
        return self._answer.kind == "preflight"

    @property
    def origin_allowed(self) -> bool:
        """Whether the policy allows the origin; without an Origin, whether it allows every one."""
        return self._answer.origin_allowed

    @property
    def reason(self) -> str | None:
        """The reason why a browser will refuse, a stable code; None if it will not.

        One of ``origin-not-allowed``, ``origin-malformed``, ``null-not-allowed`` and, for a
        preflight, ``method-not-allowed`` and ``header-not-allowed``. Computed when it is read.
        """
        return self._compiled.refusal(self._answer, self._request)

    @property
    def allowed(self) -> bool:
        """Whether the origin is allowed, and in a preflight its method and headers, too."""
        return self.reason is None

    @property
    def status(self) -> int:
        """The status of a preflight's answer; 0 where the application answers."""
        return self._answer.status

    @property
    def body(self) -> bytes:
        """The body of a preflight's answer: empty without ``debug=True``."""
        return self._answer.body

    @property
    def headers(self) -> Pairs:
        """The headers that the decision sets on a response that has none, as text."""
        vary = self._answer.vary
        return self._answer.own(self._request.origin) + ((vary,) if vary is not None else ())

    @property
    def raw_headers(self) -> tuple[RawPair, ...]:
        """``headers`` as bytes, names in lower case."""
        return tuple(raw_pairs(self.headers))

    def apply(
        self, pairs: Iterable[tuple[str, str]], on_conflict: OnConflict | None = None
    ) -> list[tuple[str, str]]:
        """Return a response's headers with those of the policy, as a new list.

        Headers that only the policy may set are replaced. Names that the application exposes are
        kept where the response may be read. ``Vary`` is merged.

        Args:
            pairs: The application's headers; names in upper or lower case.
            on_conflict: Called with the lower-case name of each header that was removed.
        """
        return self._answer.apply(pairs, self._request.origin, on_conflict)

    def apply_raw(
        self, pairs: Iterable[RawPair], on_conflict: OnConflict | None = None
    ) -> list[RawPair]:
        """``apply`` for raw headers, as in ASGI."""
        return self._answer.apply_raw(pairs, self._origin, on_conflict)

    def update(self, headers: HeaderMapping, on_conflict: OnConflict | None = None) -> None:
        """``apply`` in place, for a mapping of case-insensitive names to single values."""
        self._answer.update(headers, self._request.origin, on_conflict)

    def __repr__(self) -> str:
        result = "allowed" if self.allowed else self.reason
        return f"<Decision {self.kind} {result} headers={self.headers!r}>"
