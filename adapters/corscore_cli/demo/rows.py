"""What the rows of the demo's table are made of, and the policy that they were written for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from corscore.browser import Credentials, Reason

Page = Literal["page", "other", "null"]
"""Who asks: the page that the policy allows, another one, or a sandboxed frame."""

TOKEN = "Bearer demo"  # noqa: S105  (it opens nothing but the demo)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a script gets.

    Attributes:
        reason: Why it does not get all that it asked for, a key of ``corscore.browser.REASONS``.
        status: The response's status; None when the browser keeps the response to itself.
        preflights: How often the browser asked first.
        header: The value of the response header that the script wants, None if it is not shown.
    """

    reason: Reason | None = None
    status: int | None = None
    preflights: int = 0
    header: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One fetch that a page tries.

    Attributes:
        name: Unique, for programs.
        title: What the script does, for people.
        expected: What comes of it under ``start_options``.
        lesson: What to know about such a request, whatever the policy.
        page: Who asks.
        method: As the script writes it.
        path: At the API.
        headers: The script's.
        credentials: The mode of ``fetch``.
        body: The request's, for methods that have one.
        reads: A response header that the script wants to read.
        repeats: How often it does so, one after the other.
    """

    name: str
    title: str
    expected: Outcome
    lesson: str
    page: Page = "page"
    method: str = "GET"
    path: str = "/articles"
    headers: tuple[tuple[str, str], ...] = ()
    credentials: Credentials = "same-origin"
    body: str | None = None
    reads: str | None = None
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class Group:
    """Rows about one question."""

    title: str
    rows: tuple[Row, ...]


def start_options(page_origin: str) -> dict[str, object]:
    """The options of the policy that the demo starts with."""
    return {
        "allow_origins": [page_origin],
        "allow_methods": ["PUT", "PATCH"],
        "allow_headers": ["Authorization"],
        "expose_headers": ["X-Total-Count"],
        "allow_credentials": True,
        "allow_null_origin": False,
        "max_age": 600,
    }


def changed_options(page_origin: str, other_origin: str) -> dict[str, object]:
    """The options that the terminal puts in their place while the API serves, and takes back."""
    return {
        **start_options(page_origin),
        "allow_origins": [page_origin, other_origin],
        "allow_methods": ["PUT", "PATCH", "DELETE"],
    }
