"""What an application of the suite answers, in terms that every framework has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

Headers = list[tuple[str, str]]
Transport = Callable[[str, str, Headers], tuple[int, Headers]]
"""Sends one request: method, URL and header pairs to status and all header lines of the answer."""

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY", "PURGE")
"""Every page answers all of these. Some frameworks only route methods in upper case."""


class Page(NamedTuple):
    """One answer, whatever the method.

    Attributes:
        status: Of the answer.
        headers: What the application sets itself, in this order; no name occurs twice.
        chunks: The body. More than one is streamed, and none is an empty body.
        raises: Whether the view raises instead of answering.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    chunks: tuple[bytes, ...] = (b"page",)
    raises: bool = False


class Crash(Exception):
    """What a view raises that nobody handles."""


class Site:
    """An application's pages by path, and a record of what reached it."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self.pages = pages
        self.visits: list[tuple[str, str]] = []

    def visit(self, method: str, path: str) -> Page:
        """Called once by the view for each request that reaches it.

        Raises:
            Crash: On a page that raises.
        """
        self.visits.append((method, path))
        page = self.pages[path]
        if page.raises:
            raise Crash(path)
        return page
