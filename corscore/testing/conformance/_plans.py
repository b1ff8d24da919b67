"""Policies by path, route and origin, drawn as data, and their meaning without the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from corscore._policy.map import PolicyMap
from corscore._policy.policy import Policy
from corscore._policy.reference import PolicyRef
from corscore._policy.tenant import PolicyResolver
from corscore.testing.conformance import _strategies as strategies
from corscore.testing.conformance._oracle import SERVER, allows_origin
from corscore.testing.conformance._site import METHODS as SITE_METHODS
from corscore.testing.conformance._site import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

Options = dict[str, Any]
Entry = int | tuple[int, ...]
Given = Policy | tuple[Policy, ...] | PolicyResolver | None
Policies = Policy | tuple[Policy, ...] | PolicyMap | PolicyResolver | PolicyRef

PATHS = ("/plain", "/stream", "/unchanged", "/crash", "/missing", "/api", "/api/a", "/api/b/c")
"""Paths of scripts. No redirect is among them: another policy may govern its target."""

METHODS = (*SITE_METHODS, "delete", "M" * 64)
"""Methods of scripts. Not ``patch``, which some frameworks route as PATCH, unlike browsers."""

SERVERS = ("https://api.example.com", "https://www.example.com", "https://example.com:8443")
"""The origins of the site in a plan with hosts."""

_KEYS = (*PATHS, "/*", "/api/*", "/api/b/*", "/api/a/*")
_HOSTS = ("api.example.com", "*.example.com", "example.com", "*.api.example.com", "*.com")
_SHARED_KEYS = ("/*", "/plain", "/stream", "api.example.com/*", "*.example.com/plain")
# Frameworks route HEAD with GET.
_METHODS = (("GET", "HEAD"), ("POST",), ("PUT",), ("DELETE",), ("OPTIONS",), ("QUERY", "PURGE"))


class Plan(NamedTuple):
    """The policies of paths and routes, as numbers; -1 is no policy.

    Attributes:
        options: The arguments of each policy.
        keys: The number, or a tuple of numbers, for each key of a ``PolicyMap``.
        default: The number or the tuple for all other paths.
        routes: The number or the tuple for each path and method.
        by_reference: Whether the adapter gets a ``PolicyRef``.
        by_tenant: Whether a ``PolicyResolver`` gives the policy of all other paths.
    """

    options: list[Options]
    keys: Mapping[str, Entry]
    default: Entry
    routes: dict[tuple[str, str], Entry]
    by_reference: bool = False
    by_tenant: bool = False

    def number(self, path: str, method: str, origin: str, server: str = SERVER) -> int:
        """Return the policy that governs a request: of a tuple the first to allow its origin."""
        entry = self._entry(path, method, server)
        if isinstance(entry, int):
            return entry
        *first, last = entry
        return next((one for one in first if allows_origin(self.options[one], origin)), last)

    def _entry(self, path: str, method: str, server: str) -> Entry:
        """Return the entry of a request's route, else of its host's keys, else of any host's."""
        if (path, method) in self.routes:
            return self.routes[path, method]
        host = server.removeprefix("https://").partition(":")[0]
        named = {key.partition("/")[0] for key in self.keys}
        wildcards = [name for name in named if name[:2] == "*." and host.endswith(name[1:])]
        chosen = host if host in named else max(wildcards, key=len, default="")
        for key_host in dict.fromkeys((chosen, "")):
            entry = self._on_host(key_host, path)
            if entry is not None:
                return entry
        return self.default

    def _on_host(self, host: str, path: str) -> Entry | None:
        """Return the entry of a path among one host's keys: the literal, or the longest prefix."""
        keys = {
            key.removeprefix(host): self.keys[key]
            for key in self.keys
            if key.partition("/")[0] == host
        }
        if path in keys:
            return keys[path]
        prefixes = [key for key in keys if key[-2:] == "/*" and path.startswith(key[:-1])]
        return keys[max(prefixes, key=len)] if prefixes else None

    def governing(
        self, path: str, method: str, origin: str, server: str = SERVER
    ) -> Options | None:
        """Return the options of the policy that governs a request; None where it is left alone."""
        number = self.number(path, method, origin, server)
        return None if number < 0 else self.options[number]

    def build(self) -> tuple[Policies, dict[tuple[str, str], Given]]:
        """Return the policies for the adapter, and those of routes."""
        policies = [Policy(**options) for options in self.options]
        given: dict[Entry, Given] = {-1: None, **dict(enumerate(policies))}
        for entry in (*self.keys.values(), self.default, *self.routes.values()):
            if isinstance(entry, tuple):
                given[entry] = tuple(policies[number] for number in entry)
        if self.by_tenant:
            default = given[self.default]
            # A time-out needs an async adapter.
            given[self.default] = PolicyResolver(lambda _: default, timeout=None)
        of_all: Given | PolicyMap = given[self.default]
        if self.keys or of_all is None:
            by_key = {key: given[entry] for key, entry in self.keys.items()}
            of_all = PolicyMap(by_key, default=given[self.default])
        routes = {route: given[entry] for route, entry in self.routes.items()}
        return (PolicyRef(of_all) if self.by_reference else of_all), routes


@st.composite
def plans(draw: st.DrawFn, options: list[Options], *, with_routes: bool) -> Plan:
    """Draw a plan over ``PATHS``.

    Args:
        draw: Hypothesis's.
        options: The arguments of its policies.
        with_routes: Whether single routes have policies, too.
    """
    entries = st.integers(-1, len(options) - 1) | tuples(options)
    routes: dict[tuple[str, str], Entry] = {}
    if with_routes:
        paths = st.sampled_from([path for path in PATHS if path != "/missing"])
        group = st.tuples(paths, st.sampled_from(_METHODS))
        for (path, methods), entry in draw(st.dictionaries(group, entries, max_size=6)).items():
            routes.update(((path, method), entry) for method in methods)
    hosts = draw(st.lists(st.sampled_from(_HOSTS), max_size=2))
    keys = st.builds("".join, st.tuples(st.sampled_from(["", *hosts]), st.sampled_from(_KEYS)))
    by_key: dict[str, Entry] = draw(st.dictionaries(keys, entries, max_size=5))
    default = draw(entries)
    if any(key[0] != "/" for key in by_key):
        # A map with hosts refuses credentials for any host.
        by_key["/*"] = _without_credentials(by_key.get("/*", -1), options)
        default = _without_credentials(default, options)
    return Plan(options, by_key, default, routes, draw(st.booleans()), draw(st.booleans()))


@st.composite
def shared(draw: st.DrawFn, options: list[Options]) -> Plan:
    """Draw a plan by host, path and origin in which a policy governs every request.

    Args:
        draw: Hypothesis's.
        options: The arguments of its policies.
    """
    entries = st.integers(0, len(options) - 1) | tuples(options)
    by_key: dict[str, Entry] = draw(
        st.dictionaries(st.sampled_from(_SHARED_KEYS), entries, max_size=3)
    )
    default = draw(entries)
    of_any_host = [default, *(entry for key, entry in by_key.items() if key == "/*")]
    if any(_without_credentials(entry, options) == -1 for entry in of_any_host):
        # A map with hosts refuses credentials for any host.
        by_key = {key: entry for key, entry in by_key.items() if key[0] == "/"}
    return Plan(options, by_key, default, {}, by_tenant=draw(st.booleans()))


def _without_credentials(entry: Entry, options: list[Options]) -> Entry:
    numbers = [entry] if isinstance(entry, int) else entry
    is_any = any(number >= 0 and options[number].get("allow_credentials") for number in numbers)
    return -1 if is_any else entry


@st.composite
def tuples(draw: st.DrawFn, options: list[Options]) -> tuple[int, ...]:
    """Draw the numbers of policies of which only the last may allow every origin.

    Args:
        draw: Hypothesis's.
        options: The arguments of the policies.
    """
    numbers = range(len(options))
    first = [number for number in numbers if "*" not in options[number]["allow_origins"]]
    some = draw(st.lists(st.sampled_from(first), max_size=2)) if first else []
    return (*some, draw(st.sampled_from(numbers)))


@st.composite
def pages(draw: st.DrawFn) -> dict[str, Page]:
    """Draw a site with a page at each of ``PATHS`` but ``/missing``."""
    drawn = draw(strategies.pages())
    nested = {path: drawn["/plain"] for path in PATHS if path.startswith("/api")}
    return {**drawn, **nested}
