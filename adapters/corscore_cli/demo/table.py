"""The rows of the demo's table, with the results that are expected under ``start_options``.

The expected results are written by hand. ``corscore demo --once`` fails when the browser model
gets another one from the running server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from corscore_cli.demo.api import TOKEN

if TYPE_CHECKING:
    from corscore import Policy
    from corscore.browser import Credentials, Reason

Page = Literal["page", "other", "null"]
"""The page that the policy allows, a page of another origin, or a sandboxed frame."""


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """What a fetch gives to its script.

    Attributes:
        reason: Why something is hidden from the script, a key of ``corscore.browser.REASONS``.
        status: The response's status; None where the script gets no response.
        preflights: The number of preflights that were sent.
        header: The value of the response header that the script reads; None if it is hidden.
    """

    reason: Reason | None = None
    status: int | None = None
    preflights: int = 0
    header: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One fetch that a page tries.

    Attributes:
        name: A unique name, for programs.
        title: What the script does, for people, under any policy.
        expected: The result under ``start_options``.
        lesson: The rule behind the result, under any policy.
        page: The page that the script is on.
        method: The method, as the script writes it.
        path: The path at the API.
        headers: The headers that the script sets.
        credentials: The credentials mode of ``fetch``.
        body: The body of the request, or None.
        reads: A response header that the script reads, or None.
        repeats: The number of fetches, one after the other.
        needs: An option of the policy, and an item that the script needs in it, for the title.
    """

    name: str
    title: str
    expected: ScriptResult
    lesson: str
    page: Page = "page"
    method: str = "GET"
    path: str = "/articles"
    headers: tuple[tuple[str, str], ...] = ()
    credentials: Credentials = "same-origin"
    body: str | None = None
    reads: str | None = None
    repeats: int = 1
    needs: tuple[Literal["allow_methods", "allow_headers", "expose_headers"], str] | None = None

    def title_under(self, policy: Policy | None) -> str:
        """Return the title, with whether a policy lists the item that the script needs."""
        if self.needs is None or policy is None:
            return self.title
        option, item = self.needs
        verb = "exposed" if option == "expose_headers" else "listed"
        items = {listed.lower() for listed in getattr(policy, option)}
        if "*" in items:
            return f"{self.title}, {verb} by *"
        return f"{self.title}, {verb if item.lower() in items else f'not {verb}'}"


@dataclass(frozen=True, slots=True)
class Group:
    """Rows about one subject."""

    title: str
    rows: tuple[Row, ...]


_JSON = ("Content-Type", "application/json")
_AUTHORIZED = ("Authorization", TOKEN)

GROUPS = (
    Group(
        "Who is asking",
        (
            Row(
                "own-origin",
                "Read the articles",
                ScriptResult(status=200),
                "A plain GET is sent without asking first. Whether the script may read the answer "
                "depends on the answer's headers.",
            ),
            Row(
                "other-origin",
                "Read from another origin",
                ScriptResult("no-allow-origin"),
                "Scheme, host and port make an origin: localhost is not 127.0.0.1. The request "
                "reaches the server all the same. CORS decides who may read, not who may ask.",
                page="other",
            ),
            Row(
                "other-origin-put",
                "Write from another origin",
                ScriptResult("preflight-not-ok", preflights=1),
                "A PUT is announced by a preflight. When that is refused, the PUT is never sent.",
                page="other",
                method="PUT",
                path="/articles/1",
                headers=(_JSON, _AUTHORIZED),
                body='{"title": "Hello"}',
            ),
            Row(
                "null-origin",
                "Read in a sandboxed frame",
                ScriptResult("no-allow-origin"),
                "Sandboxed frames, file: pages and some redirects all call themselves null, so "
                "allowing it allows every site.",
                page="null",
            ),
        ),
    ),
    Group(
        "What it asks for",
        (
            Row(
                "put-json",
                "PUT with JSON and a token",
                ScriptResult(status=200, preflights=1),
                "The preflight asks for the method, for Content-Type because JSON is no form, and "
                "for Authorization.",
                method="PUT",
                path="/articles/1",
                headers=(_JSON, _AUTHORIZED),
                body='{"title": "Hello"}',
            ),
            Row(
                "delete",
                "A DELETE",
                ScriptResult("method-not-allowed", preflights=1),
                "GET, HEAD and POST are always allowed; any other method must be listed.",
                method="DELETE",
                path="/articles/1",
                needs=("allow_methods", "DELETE"),
            ),
            Row(
                "patch-lower-case",
                "patch, in lower case",
                ScriptResult("method-not-allowed", preflights=1),
                "Browsers write get, post, put, delete, head and options in upper case for you. "
                "They send patch as it is, and patch is not PATCH.",
                method="patch",
                path="/articles/1",
            ),
            Row(
                "unlisted-header",
                "The header X-Trace",
                ScriptResult("header-not-allowed", preflights=1),
                "Any header of your own must be listed, even on a GET.",
                headers=(("X-Trace", "1"),),
                needs=("allow_headers", "X-Trace"),
            ),
        ),
    ),
    Group(
        "Cookies",
        (
            Row(
                "sign-in",
                "Sign in, keep the cookie",
                ScriptResult(status=200),
                "The cookie is kept only when the script says credentials: include. It is kept "
                "even when the script may not read the answer.",
                method="POST",
                path="/session",
                credentials="include",
            ),
            Row(
                "with-cookie",
                "Who am I, with the cookie",
                ScriptResult(status=200),
                "With credentials the answer must name the origin, not *, and allow credentials.",
                path="/session",
                credentials="include",
            ),
            Row(
                "without-cookie",
                "Who am I, without it",
                ScriptResult(status=401),
                "Without credentials: include no cookie goes to another origin. The 401 carries "
                "the headers too, so the script can tell it from a network error.",
                path="/session",
            ),
        ),
    ),
    Group(
        "What it may read",
        (
            Row(
                "exposed-header",
                "X-Total-Count",
                ScriptResult(status=200, header="3"),
                "Scripts see seven harmless headers of another origin, and those it exposes.",
                reads="X-Total-Count",
                needs=("expose_headers", "X-Total-Count"),
            ),
            Row(
                "hidden-header",
                "X-Served-By",
                ScriptResult("header-not-exposed", status=200),
                "The developer tools show it, headers.get() gives null.",
                reads="X-Served-By",
                needs=("expose_headers", "X-Served-By"),
            ),
            Row(
                "server-error",
                "The body of a 500",
                ScriptResult(status=500),
                "No handler catches the exception. Many servers lose their CORS headers on that "
                "way out, and then the console blames CORS for what was a bug.",
                path="/broken",
            ),
        ),
    ),
    Group(
        "How often it asks first",
        (
            Row(
                "preflight-cache",
                "Three PUTs in a row",
                ScriptResult(status=200, preflights=1),
                "max_age is how long a browser may go on without asking again. With the developer "
                "tools open and their cache disabled, it asks every time.",
                method="PUT",
                path="/articles/1",
                headers=(_JSON, _AUTHORIZED),
                body='{"title": "Hello"}',
                repeats=3,
            ),
        ),
    ),
    Group(
        "Paths with another policy",
        (
            Row(
                "public",
                "Public news, anywhere",
                ScriptResult(status=200),
                "/public/* has a policy of its own, and that one is for everyone. What you change "
                "in the other policy does not reach it.",
                page="other",
                path="/public/news",
            ),
            Row(
                "public-null",
                "Public news in a sandbox",
                ScriptResult(status=200),
                "* is every origin, null included. That is safe, since * never counts with "
                "cookies: anyone could read as much with a program of their own.",
                page="null",
                path="/public/news",
            ),
            Row(
                "public-with-cookie",
                "Public news with a cookie",
                ScriptResult("wildcard-with-credentials"),
                "What everyone may read is the same for everyone: a page that sends cookies along "
                "gets nothing, even the page that may send them to the other paths.",
                path="/public/news",
                credentials="include",
            ),
            Row(
                "shared-with-cookie",
                "Shared prices with a cookie",
                ScriptResult(status=200),
                "/shared/* has a tuple of policies: the first that allows the page's origin "
                "governs. The first is for this page, and allows cookies.",
                path="/shared/prices",
                credentials="include",
            ),
            Row(
                "shared-anywhere",
                "Shared prices, anywhere",
                ScriptResult(status=200),
                "The first policy of the tuple does not allow this origin, and the last is for "
                "everyone, without cookies. Every answer has Vary: Origin, so that a shared cache "
                "keeps the two apart.",
                page="other",
                path="/shared/prices",
            ),
            Row(
                "internal",
                "Internal health",
                ScriptResult("no-allow-origin"),
                "/internal/* has None: CORS leaves these responses alone, adds nothing and removes "
                "nothing. So no page of another origin reads them.",
                path="/internal/health",
            ),
        ),
    ),
)
ROWS = tuple(row for group in GROUPS for row in group.rows)

AFTER_CHANGE = {
    "other-origin": ScriptResult(status=200),
    "other-origin-put": ScriptResult(status=200, preflights=1),
    "delete": ScriptResult(status=200, preflights=1),
}
"""The results that ``changed_options`` changes."""
