"""The application of the suite: what each page answers, in terms that every framework has."""

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
        status: Of the response.
        headers: Every header line, doubled ones too.
        body: All of it, empty for none.
    """

    status: int
    headers: Iterable[tuple[str, str]] = ()
    body: bytes = b""


Sender = Callable[[str, str, Headers], Answer]
"""Sends one request through the adapter: method, absolute URL, header pairs."""


Transport = Callable[[str, str, Headers], tuple[int, Headers]]
"""The same as the model browser takes it: status and header lines."""


def transport_of(send: Sender) -> Transport:
    """Return a function for ``corscore.browser.fetch``, which wants no body."""

    def transport(method: str, url: str, headers: Headers) -> tuple[int, Headers]:
        answer = send(method, url, headers)
        return answer.status, list(answer.headers)

    return transport


class Page(NamedTuple):
    """The answer at one path, the same for each method.

    Attributes:
        status: Of the response.
        headers: What the application sets itself, in this order; no name occurs twice.
        chunks: The body. More than one is streamed, and none is an empty body.
        raises: Whether the view raises ``Crash`` instead of answering.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    chunks: tuple[bytes, ...] = (b"page",)
    raises: bool = False


class Crash(Exception):
    """What a view raises, and no handler catches."""


class Route(NamedTuple):
    """One route to register at a path.

    Attributes:
        methods: What it answers, and no other method; of ``METHODS``.
        is_marked: Whether it has policies of its own, which may be None.
        policy: What to decorate it with, where it is marked: a policy, a tuple of them,
            a resolver or None.
    """

    methods: list[str]
    is_marked: bool
    policy: Given


_NO_POLICIES: Mapping[tuple[str, str], Given] = MappingProxyType({})


class Site:
    """An application's pages by path, and a record of the requests that reached it.

    Attributes:
        pages: Path to page. A request for any other path gets the framework's own 404.
        visits: Method and path of each request that reached a view.
    """

    def __init__(
        self,
        pages: Mapping[str, Page],
        policies: Mapping[tuple[str, str], Given] = _NO_POLICIES,
    ) -> None:
        """Describe an application.

        Args:
            pages: Path to page.
            policies: Path and method to the policy of that route; None leaves it alone. HEAD has
                what GET has: frameworks route it with GET.
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
