"""Every way to give an adapter one policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from corscore import Policy, PolicyResolver

if TYPE_CHECKING:
    from collections.abc import Callable

    from corscore.integration import Policies


def as_it_is(policy: Policy) -> Policies:
    return policy


def last_of_a_tuple(policy: Policy) -> Policies:
    """Return a tuple whose first policy allows no origin of the tests."""
    return Policy(allow_origins=["https://first.invalid"], allow_credentials=True), policy


def of_a_tenant(policy: Policy) -> Policies:
    return PolicyResolver(lambda host: policy, timeout=None)


WAYS: list[Callable[[Policy], Policies]] = [as_it_is, last_of_a_tuple, of_a_tenant]
IN_EVERY_WAY = pytest.mark.parametrize("way", WAYS)
