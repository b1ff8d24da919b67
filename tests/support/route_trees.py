"""Policies, marks and requests of generated trees of routes, whatever the framework."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from cors_headers import NO_ORIGIN, governing_each, named
from corscore import Policy, PolicyMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from corscore.testing.conformance import Sender

POLICIES = PolicyMap({"/a/*": named("1"), "/b": None}, default=named("2"))
MARKS: list[Policy | None] = [named("3"), named("4"), None]
HOSTS = ["one.example", "two.example"]
UNMARKED = "unmarked"

marks = st.sampled_from([UNMARKED, UNMARKED, 0, 1, 2])


class Node(NamedTuple):
    """A route, or a node with other nodes inside.

    Attributes:
        kind: The kind of route, mount or router.
        path: Its part of the path.
        methods: The methods of a route.
        number: The index of the earlier node inside, if there is one; of a route, its host.
        mark: The index of the policy in ``MARKS``, or ``UNMARKED``.
    """

    kind: str
    path: str
    methods: tuple[str, ...]
    number: int
    mark: Any


Level = tuple[list[Node], Any]


def trees(kinds: Sequence[str], paths: Sequence[str]) -> st.SearchStrategy[list[Level]]:
    """Draw levels of nodes: each may have earlier nodes inside, and more than once."""
    nodes = st.builds(
        Node,
        st.sampled_from(kinds),
        st.sampled_from(paths),
        st.sampled_from([("GET",), ("POST",), ("GET", "PUT"), ("DELETE",)]),
        st.integers(0, 3),
        marks,
    )
    level = st.tuples(st.lists(nodes, min_size=1, max_size=4), marks)
    return st.lists(level, min_size=1, max_size=4)


def requests(*more_paths: str) -> st.SearchStrategy[list[tuple[str, str, str]]]:
    """Draw methods, paths and hosts."""
    paths = ["/", "/a", "/b", "/a/", "/b/", "/a/b", "/a/b/", "/a/b/a", "/b/a/", "/a/a/a/b", "/c"]
    one = st.tuples(
        st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "put"]),
        st.sampled_from([*paths, *more_paths]),
        st.sampled_from(HOSTS),
    )
    return st.lists(one, min_size=4, max_size=8)


def assert_one_policy(
    send: Sender,
    sent: Iterable[tuple[str, str, str]],
    *,
    may_differ: bool,
    headers: Sequence[tuple[str, str]] = (),
) -> None:
    """Fail unless a preflight and its request have the same policy.

    Args:
        send: Sends a request to the application.
        sent: Drawn from ``requests``.
        may_differ: Whether a middleware may bring a request to another route than its URL's; then
            it may be refused.
        headers: Headers of the requests, but not of the preflights.
    """
    for method, path, host in sent:
        announced, got = governing_each(send, method, f"https://{host}{path}", headers)
        assert got == announced or (may_differ and got == NO_ORIGIN), (method, path, host)
