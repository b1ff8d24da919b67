"""``Outcome``: a decision with its response; ``found_decision``: the decision of a gateway."""

from __future__ import annotations

from corscore._engine import matcher
from corscore._policy.tenant import PolicyResolver
from corscore._policy.tuple import PolicyTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from corscore._engine.decision import Decision
    from corscore._engine.matcher import Answer
    from corscore._engine.request import RequestInfo
    from corscore.integration._governor import PathPolicy

    Pairs = tuple[tuple[str, str], ...]

# The key in a scope or environ for a pair: the value of `FOUND`, and the decision made from it.
_DECISION = "corscore.decision"


class Outcome:
    """The decision on a request, with the response to send instead of the application's.

    Attributes:
        decision: The policy's decision; ``apply`` changes the headers of the app's response.
        response: Status, headers and body to send now, without calling the application: the answer
            to a preflight, or the 403 of ``block_cross_site``. None if the application answers.
    """

    __slots__ = ("decision", "response")

    def __init__(self, decision: Decision, answer: Answer) -> None:
        self.decision: Decision = decision
        self.response: tuple[int, Pairs, bytes] | None = None
        if answer.status:
            headers = answer.apply([], decision._request.origin)
            self.response = (answer.status, tuple(headers), answer.body)


def found_decision(native: Any, request: RequestInfo) -> Decision | None:
    """Return the decision on a request that passed a gateway; None without a policy.

    Args:
        native: The scope or environ that passed it.
        request: Its ``RequestInfo``.
    """
    found: Any = native.get(matcher.FOUND)
    made: tuple[object, Decision] | None = native.get(_DECISION)
    if made is not None and made[0] is found:
        return made[1]
    decision: Decision
    if found is None:
        return None
    if isinstance(found, tuple):
        governing, answer = found
        decision = governing._decision(answer, request)
    else:
        policies: PathPolicy = found()
        if isinstance(policies, PolicyResolver):
            # Only in a sync adapter: an async one has already awaited the policy.
            policies = policies.find(request)
        policy = by_origin(policies, request)
        if policy is None:
            return None
        decision = policy.decide(request)
    native[_DECISION] = (found, decision)
    return decision


def by_origin(policies: Any, request: RequestInfo) -> Any:
    """The policy for a request's origin in a tuple; anything else as it is."""
    return policies.for_origin(request.origin) if isinstance(policies, PolicyTuple) else policies
