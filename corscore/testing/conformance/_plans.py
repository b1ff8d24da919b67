"""Policies by path and by route, drawn as data, and what they mean, without the engine."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import strategies as st

from corscore._policy.map import PolicyMap
from corscore._policy.policy import Policy
from corscore._policy.reference import PolicyRef
from corscore.testing.conformance import _strategies as strategies
from corscore.testing.conformance._site import METHODS as SITE_METHODS
from corscore.testing.conformance._site import Page

Options = dict[str, Any]

PATHS = ("/plain", "/stream", "/unchanged", "/crash", "/missing", "/api", "/api/a", "/api/b/c")
"""No redirect: what it leads to is governed by another policy."""

METHODS = (*SITE_METHODS, "delete", "M" * 64)
"""Of scripts. Some frameworks route ``patch`` as PATCH, which to a browser it is not."""

_KEYS = (*PATHS, "/*", "/api/*", "/api/b/*", "/api/a/*")
# HEAD goes with GET: see `Site`.
_METHODS = (("GET", "HEAD"), ("POST",), ("PUT",), ("DELETE",), ("OPTIONS",), ("QUERY", "PURGE"))


class Plan(NamedTuple):
    """Which of a few policies governs what: the policies are numbers, -1 is None.

    Attributes:
        options: The arguments of each policy.
        keys: Keys of a ``PolicyMap`` to numbers.
        default: The number for all other paths.
        routes: Path and method to numbers.
        by_reference: Whether the adapter is given a ``PolicyRef``.
    """

    options: list[Options]
    keys: dict[str, int]
    default: int
    routes: dict[tuple[str, str], int]
    by_reference: bool = False

    def number(self, path: str, method: str) -> int:
        """What governs a request: its route, else the literal path, else the longest prefix."""
        if (path, method) in self.routes:
            return self.routes[path, method]
        if path in self.keys:
            return self.keys[path]
        prefixes = [key for key in self.keys if key[-2:] == "/*" and path.startswith(key[:-1])]
        return self.keys[max(prefixes, key=len)] if prefixes else self.default

    def governing(self, path: str, method: str) -> Options | None:
        """The options of what governs a request; None where it is left alone."""
        number = self.number(path, method)
        return None if number < 0 else self.options[number]

    def build(self) -> tuple[PolicyMap | PolicyRef, dict[tuple[str, str], Policy | None]]:
        """The same as an adapter takes it: policies by path, and those of routes."""
        policies: list[Policy | None] = [*(Policy(**options) for options in self.options), None]
        by_path = PolicyMap(
            {key: policies[number] for key, number in self.keys.items()},
            default=policies[self.default],
        )
        routes = {route: policies[number] for route, number in self.routes.items()}
        return (PolicyRef(by_path) if self.by_reference else by_path), routes


@st.composite
def plans(draw: st.DrawFn, options: list[Options], *, with_routes: bool) -> Plan:
    """A plan over ``PATHS``.

    Args:
        draw: Hypothesis's.
        options: The arguments of its policies.
        with_routes: Whether single routes have policies, too.
    """
    numbers = st.integers(-1, len(options) - 1)
    routes: dict[tuple[str, str], int] = {}
    if with_routes:
        paths = st.sampled_from([path for path in PATHS if path != "/missing"])
        group = st.tuples(paths, st.sampled_from(_METHODS))
        for (path, methods), number in draw(st.dictionaries(group, numbers, max_size=6)).items():
            routes.update(((path, method), number) for method in methods)
    return Plan(
        options,
        draw(st.dictionaries(st.sampled_from(_KEYS), numbers, max_size=5)),
        draw(numbers),
        routes,
        draw(st.booleans()),
    )


@st.composite
def pages(draw: st.DrawFn) -> dict[str, Page]:
    """A site with a page at each of ``PATHS`` but ``/missing``."""
    drawn = draw(strategies.pages())
    nested = {path: drawn["/plain"] for path in PATHS if path.startswith("/api")}
    return {**drawn, **nested}
