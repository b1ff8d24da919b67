"""The table of the demo: what a page tries, and what it should get under the policies at the start.

The outcomes are written by hand. ``corscore demo --once`` fails when the browser model, asking the
real server, comes to another one.
"""

from __future__ import annotations

from corscore_cli.demo.rows import TOKEN, Group, Outcome, Row

_JSON = ("Content-Type", "application/json")
_AUTHORIZED = ("Authorization", TOKEN)

GROUPS = (
    Group(
        "Who is asking",
        (
            Row(
                "own-origin",
                "Read the articles",
                Outcome(status=200),
                "A plain GET is sent without asking first. Whether the script may read the answer "
                "depends on the answer's headers.",
            ),
            Row(
                "other-origin",
                "Read from another origin",
                Outcome("no-allow-origin"),
                "Scheme, host and port make an origin: localhost is not 127.0.0.1. The request "
                "reaches the server all the same. CORS decides who may read, not who may ask.",
                page="other",
            ),
            Row(
                "other-origin-put",
                "Write from another origin",
                Outcome("preflight-not-ok", preflights=1),
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
                Outcome("no-allow-origin"),
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
                Outcome(status=200, preflights=1),
                "The preflight asks for the method, for Content-Type because JSON is no form, and "
                "for Authorization.",
                method="PUT",
                path="/articles/1",
                headers=(_JSON, _AUTHORIZED),
                body='{"title": "Hello"}',
            ),
            Row(
                "delete",
                "DELETE, which is not listed",
                Outcome("method-not-allowed", preflights=1),
                "GET, HEAD and POST are always allowed; any other method must be listed.",
                method="DELETE",
                path="/articles/1",
            ),
            Row(
                "patch-lower-case",
                "patch, in lower case",
                Outcome("method-not-allowed", preflights=1),
                "Browsers write get, post, put, delete, head and options in upper case for you. "
                "They send patch as it is, and patch is not PATCH.",
                method="patch",
                path="/articles/1",
            ),
            Row(
                "unlisted-header",
                "A header that is not listed",
                Outcome("header-not-allowed", preflights=1),
                "Any header of your own must be listed, even on a GET.",
                headers=(("X-Trace", "1"),),
            ),
        ),
    ),
    Group(
        "Cookies",
        (
            Row(
                "sign-in",
                "Sign in, keep the cookie",
                Outcome(status=200),
                "The cookie is kept only when the script says credentials: include. It is kept "
                "even when the script may not read the answer.",
                method="POST",
                path="/session",
                credentials="include",
            ),
            Row(
                "with-cookie",
                "Who am I, with the cookie",
                Outcome(status=200),
                "With credentials the answer must name the origin, not *, and allow credentials.",
                path="/session",
                credentials="include",
            ),
            Row(
                "without-cookie",
                "Who am I, without it",
                Outcome(status=401),
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
                "An exposed response header",
                Outcome(status=200, header="3"),
                "Scripts see seven harmless headers of another origin, and those it exposes.",
                reads="X-Total-Count",
            ),
            Row(
                "hidden-header",
                "A hidden response header",
                Outcome("header-not-exposed", status=200),
                "The developer tools show it, headers.get() gives null.",
                reads="X-Served-By",
            ),
            Row(
                "server-error",
                "The body of a 500",
                Outcome(status=500),
                "The exception is handled by nobody. Many servers lose their CORS headers on that "
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
                Outcome(status=200, preflights=1),
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
                Outcome(status=200),
                "/public/* has a policy of its own, and that one is for everyone. What you change "
                "in the other policy does not reach it.",
                page="other",
                path="/public/news",
            ),
            Row(
                "public-null",
                "Public news in a sandbox",
                Outcome(status=200),
                "* is every origin, null included. That is safe, since * never counts with "
                "cookies: anyone could read as much with a program of their own.",
                page="null",
                path="/public/news",
            ),
            Row(
                "public-with-cookie",
                "Public news with a cookie",
                Outcome("wildcard-with-credentials"),
                "What everyone may read is the same for everyone: a page that sends cookies along "
                "gets nothing, even the page that may send them to the other paths.",
                path="/public/news",
                credentials="include",
            ),
            Row(
                "internal",
                "Internal health",
                Outcome("no-allow-origin"),
                "/internal/* has None: CORS leaves these responses alone, adds nothing and removes "
                "nothing. So no page of another origin reads them.",
                path="/internal/health",
            ),
        ),
    ),
)
ROWS = tuple(row for group in GROUPS for row in group.rows)

AFTER_CHANGE = {
    "other-origin": Outcome(status=200),
    "other-origin-put": Outcome(status=200, preflights=1),
    "delete": Outcome(status=200, preflights=1),
}
"""The rows that come out otherwise under ``changed_options``."""
