"""The suite's application as data: its pages and routes, for any framework to serve."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from corscore._policy.policy import Policy
    from corscore._policy.tenant import PolicyResolver

    Given = Policy | tuple[Policy, ...] | PolicyResolver | None

Headers = list[tuple[str, str]]

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY", "PURGE")
"""The methods that every page answers."""


class Answer(NamedTuple):
    """The response to one request, as a server would send it.

    Attributes:
        status: The status.
        headers: Every header line, repeated ones as well.
        body: The whole body, empty for none.
    """

    status: int
    headers: Iterable[tuple[str, str]] = ()
    body: bytes = b""


Sender = Callable[[str, str, Headers], Answer]
"""Sends one request through the adapter: method, absolute URL, header pairs."""


Transport = Callable[[str, str, Headers], tuple[int, Headers]]
"""Sends one request for the model browser, and returns the status and the header lines."""


def transport_of(send: Sender) -> Transport:
    """Return a sender as a transport of ``corscore.browser.fetch``, which takes no body."""

    def transport(method: str, url: str, headers: Headers) -> tuple[int, Headers]:
        answer = send(method, url, headers)
        return answer.status, list(answer.headers)

    return transport


class Page(NamedTuple):
    """The answer at one path, the same for each method.

    Attributes:
        status: The status.
        headers: The headers that the application sets, in this order; no name occurs twice.
        chunks: The body; several chunks are streamed, and none are an empty body.
        raises: Whether the view raises ``Crash`` instead of answering.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    chunks: tuple[bytes, ...] = (b"page",)
    raises: bool = False


class Crash(Exception):
    """The exception of a page that raises; no handler catches it."""


class Route(NamedTuple):
    """One route to register at a path.

    Attributes:
        methods: The only methods that it answers, from ``METHODS``.
        is_marked: Whether it has a policy of its own, which may be None.
        policy: If it is marked, the policy to decorate it with: a policy, a tuple of them, a
            resolver or None.
    """

    methods: list[str]
    is_marked: bool
    policy: Given


_NO_POLICIES: Mapping[tuple[str, str], Given] = MappingProxyType({})


class Site:
    """An application's pages by path, and a record of the requests that reached it.

    Attributes:
        pages: The page at each path. Any other path gets the framework's own 404.
        visits: The method and path of each request that reached a view.
    """

    def __init__(
        self,
        pages: Mapping[str, Page],
        policies: Mapping[tuple[str, str], Given] = _NO_POLICIES,
    ) -> None:
        """Describe an application.

        Args:
            pages: The page at each path.
            policies: The policy for each path and method of a marked route; None leaves it alone.
                HEAD and GET of a path have the same: frameworks route them together.
        """
        self.pages: Mapping[str, Page] = pages
        self.visits: list[tuple[str, str]] = []
        self._policies = policies

    def visit(self, method: str, path: str) -> Page:
        """Return the page to answer with; a view calls this once for each request.

        Raises:
            Crash: On a page that raises.
        """
        self.visits.append((method, path))
        page = self.pages[path]
        if page.raises:
            raise Crash(path)
        return page

    def routes(self, path: str) -> list[Route]:
        """Return the routes of a path: together they answer ``METHODS``, each method once."""
        groups: dict[tuple[bool, int], Route] = {}
        for method in METHODS:
            is_marked = (path, method) in self._policies
            policy = self._policies.get((path, method))
            group = groups.setdefault((is_marked, id(policy)), Route([], is_marked, policy))
            group.methods.append(method)
        return list(groups.values())
