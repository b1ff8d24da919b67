"""``PolicyTuple``: policies by origin."""

from __future__ import annotations

from corscore._engine import matcher
from corscore._policy.policy import Policy
from corscore._standard.fetch import ORIGIN, WILDCARD
from corscore._standard.problem import ConfigError, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from typing_extensions import Self

    from corscore._engine.matcher import OriginTable


def place_of(key: str | None, number: int, count: int) -> str | None:
    """The place of a policy in words: ``"/api/*, policy 1 of 2"``.

    Args:
        key: The key of a ``PolicyMap``, or None.
        number: Its number in a tuple, from 1.
        count: The number of policies in the tuple; 1 without a tuple.
    """
    if count == 1:
        return key
    in_tuple = f"policy {number} of {count}"
    return in_tuple if key is None else f"{key}, {in_tuple}"


class PolicyTuple(tuple[Policy, ...]):  # noqa: SLOT001 - a subclass of tuple can have none
    """Policies by origin: the first that allows a request's origin governs it, else the last.

    Users write a plain tuple, which equals this one. A request without an Origin, or with one that
    is malformed, is governed by the last.

    Args:
        policies: At least one policy. All but the last without an origin resolver and without
            ``"*"``.
        place: Where the user wrote them, for exceptions: an option, a call or a key.

    Raises:
        ConfigError: With all policies that are in the wrong place (``policy-unreachable``,
            ``resolver-not-last``).
        TypeError: When there is none, or an item is no ``Policy``.
    """

    # A gateway finds the policy by `_by_origin` if these are None.
    _responder = None
    _table = None
    _hosts = None
    _is_choice = True

    _by_origin: OriginTable

    def __new__(cls, policies: Iterable[Policy], place: str = "policy") -> Self:
        self = super().__new__(cls, policies)
        if not self:
            raise TypeError(f"{place}: an empty tuple has no policy; write a Policy, or None")
        for policy in self:
            if not isinstance(policy, Policy):
                raise TypeError(
                    f"{place}: a tuple of policies has a {type(policy).__name__} in it, and takes "
                    "nothing but a Policy"
                )
        problems = tuple(self._problems(place))
        if problems:
            raise ConfigError(problems)
        # The Origin selects the policy, so that every answer depends on it.
        self._by_origin = matcher.OriginTable([policy._varying_by(ORIGIN) for policy in self])
        return self

    def _problems(self, place: str) -> Iterator[Problem]:
        count = len(self)
        for number, policy in enumerate(self[:-1], 1):
            name = f"policy {number} of {count}"
            if WILDCARD in policy.allow_origins:
                yield Problem(
                    "policy-unreachable",
                    place,
                    policy,
                    f'{name} allows every origin ("*"): the policies after it govern no request.',
                    f"put policy {number} last, or drop the policies after it",
                )
            if policy.origin_resolver is not None:
                yield Problem(
                    "resolver-not-last",
                    place,
                    policy,
                    f"{name} has an origin_resolver, which would be asked about the origins that "
                    "the policies after it allow.",
                    f"put policy {number} last, or write its origin_resolver into the last policy",
                )

    def for_origin(self, origin: str | None) -> Policy:
        """The policy that governs a request with this value of Origin; None is no Origin."""
        policy: Policy = self._by_origin.find(origin)
        return policy

    def to_mapping(self) -> dict[str, object]:
        """Return the policies as the table of a file with ``[[policy]]``.

        Raises:
            TypeError: A policy has an origin resolver, which is code.
        """
        return {"policy": [policy.to_mapping() for policy in self]}

    def __reduce__(self) -> tuple[object, ...]:
        return (PolicyTuple, (tuple(self),))
