"""Policies of single routes, as the suite hands them to a driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from conformance.site import METHODS
from corscore import Policy

Routes = Mapping[tuple[str, str], Policy | None]
"""Path and method to the policy of that route; None leaves it alone. What is not in it has no
policy of its own. HEAD always has what GET has: frameworks route it with GET."""


class Route(NamedTuple):
    """One route that a driver registers.

    Attributes:
        methods: What it answers, and no other method; of ``METHODS``.
        is_marked: Whether it has a policy of its own, be it None.
        policy: What to decorate it with, where it is marked.
    """

    methods: list[str]
    is_marked: bool
    policy: Policy | None


def routes_of(routes: Routes, path: str) -> list[Route]:
    """The routes of a path: together they answer all of ``METHODS``, each method once."""
    groups: dict[tuple[bool, int], Route] = {}
    for method in METHODS:
        is_marked = (path, method) in routes
        policy = routes.get((path, method))
        group = groups.setdefault((is_marked, id(policy)), Route([], is_marked, policy))
        group.methods.append(method)
    return list(groups.values())
