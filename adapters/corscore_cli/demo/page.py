"""The page of the demo as a WSGI application: files, state as JSON, and changes of the policy.

Since it replaces the policy of a running server, it checks the Host of a request, against DNS
rebinding, and the Origin of a change, against other pages in the same browser.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, get_args
from urllib.parse import parse_qs

from corscore import ConfigError
from corscore.browser import KNOWN_DEVIATIONS, Browser
from corscore_cli.demo.model import query
from corscore_cli.demo.policies import ABOUT, as_python
from corscore_cli.demo.table import GROUPS
from corscore_cli.shell.pages import NoPage, read_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from corscore.browser import Exchange
    from corscore_cli.demo.demo import Demo, Snapshot
    from corscore_cli.demo.model import Prediction, Site

    Reply = tuple[int, str, bytes]

_MAX_BODY = 65_536
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
# Frames of other origins get these files only; the page's own origin gets all.
_FRAME_FILES = ("frame.html", "frame.js", "run.js")
_PAGE_FILES = ("demo.css", "demo.js", "element.js", "explain.js", "form.js", "view.js")
_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"
_PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>{code}</title>
    <link rel="stylesheet" href="/demo.css">
  </head>
  <body class="page-of-code">
    <p><a href="/">corscore demo</a></p>
{body}  </body>
</html>
"""
# Headers that every exchange has, under any policy.
_COMMON_HEADERS = {"date", "server", "accept", "accept-encoding", "user-agent"}


class PageApp:
    """The server of a demo's page."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        pages = demo.site.pages
        self._hosts = {pages[name].partition("//")[2]: name for name in ("page", "other")}
        self._policy = _content_security_policy(pages["page"], pages["other"], demo.site.api)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        status, content_type, body = self._reply(environ)
        headers = [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", self._policy),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        if status == HTTPStatus.TEMPORARY_REDIRECT:
            headers.append(("Location", self._demo.site.pages["page"] + "/"))
        start_response(f"{status:d} {HTTPStatus(status).phrase}", headers)
        return [body]

    def _reply(self, environ: WSGIEnvironment) -> Reply:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        host = self._hosts.get(environ.get("HTTP_HOST", ""))
        name = path[1:]
        if host is None:
            return _refusal("This server goes by another name.")
        if method == "GET" and name in _FRAME_FILES:
            return _file(name)
        if host == "other":
            if method == "GET" and path == "/":
                return HTTPStatus.TEMPORARY_REDIRECT, _TEXT, b""
            return _not_found()
        if method == "GET":
            return self._get(name, environ)
        if method == "POST" and path == "/policy":
            return self._apply(environ)
        return _not_found()

    def _get(self, name: str, environ: WSGIEnvironment) -> Reply:
        if name == "":
            return _file("demo.html")
        if name in _PAGE_FILES:
            return _file(name)
        if name.startswith("codes/"):
            return _code_page(name.removeprefix("codes/"))
        if name == "state":
            return self._state(environ)
        if name == "preflights":
            count = self._demo.api.preflights.count(environ["QUERY_STRING"])
            return _json(HTTPStatus.OK, {"count": count})
        return _not_found()

    def _state(self, environ: WSGIEnvironment) -> Reply:
        asked = parse_qs(environ["QUERY_STRING"]).get("browser", [""])[0]
        browser = next((known for known in get_args(Browser) if known == asked), None)
        return _json(HTTPStatus.OK, demo_state(self._demo, browser))

    def _apply(self, environ: WSGIEnvironment) -> Reply:
        body = _body(environ)
        if environ.get("HTTP_ORIGIN") != self._demo.site.pages["page"]:
            return _refusal("Only the page of the demo changes the policy.")
        options = _options(environ, body)
        if options is None or not options.keys() <= self._demo.start.keys():
            return HTTPStatus.BAD_REQUEST, _TEXT, b"A JSON object of options was expected."
        try:
            changes = self._demo.apply(options)
        except ConfigError as error:
            problems = [
                {
                    "code": problem.code,
                    "field": problem.field,
                    "message": problem.message,
                    "hint": problem.hint,
                    "page": f"/codes/{problem.code}",
                }
                for problem in error.problems
            ]
            return _json(HTTPStatus.UNPROCESSABLE_ENTITY, {"problems": problems, "changes": []})
        return _json(HTTPStatus.OK, {"problems": [], "changes": changes})


def _content_security_policy(page: str, other: str, api: str) -> str:
    # Origins instead of 'self', which matches nothing in a sandboxed frame.
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {page} {other}",
            f"style-src {page}",
            "img-src data:",
            f"connect-src {page} {api}",
            f"frame-src {page} {other}",
            f"frame-ancestors {page}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _body(environ: WSGIEnvironment) -> bytes | None:
    """Return the request's body, or None if it is too large."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit() and len(length) <= len(str(_MAX_BODY))):
        return None
    size = int(length)
    if size > _MAX_BODY:
        return None
    read: bytes = environ["wsgi.input"].read(size)
    return read


def _options(environ: WSGIEnvironment, body: bytes | None) -> dict[str, object] | None:
    if body is None or environ.get("CONTENT_TYPE") != _JSON:
        return None
    try:
        options = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return options if isinstance(options, dict) else None


def _file(name: str) -> Reply:
    content_type = f"{_TYPES[name.rpartition('.')[2]]}; charset=utf-8"
    return HTTPStatus.OK, content_type, files("corscore_cli.demo").joinpath(name).read_bytes()


def _code_page(code: str) -> Reply:
    """Return the page of a code as HTML."""
    # Imported late: only a page of a code needs it.
    from markdown_it import MarkdownIt

    try:
        text = read_page(code)
    except NoPage:
        return _not_found()
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    page = _PAGE.format(code=code, body=body)
    return HTTPStatus.OK, "text/html; charset=utf-8", page.encode()


def _json(status: int, value: object) -> Reply:
    return status, _JSON, json.dumps(value).encode()


def _refusal(text: str) -> Reply:
    return HTTPStatus.FORBIDDEN, _TEXT, text.encode()


def _not_found() -> Reply:
    return HTTPStatus.NOT_FOUND, _TEXT, b"There is no such thing here."


def demo_state(demo: Demo, browser: Browser | None) -> dict[str, object]:
    """Return the policies in force, the rows and their predictions, as JSON for the page."""
    snapshot = demo.snapshot(browser)
    predictions = {prediction.row.name: prediction for prediction in snapshot.predictions}
    return {
        "app": demo.title,
        "api": demo.site.api,
        "pages": dict(demo.site.pages),
        "browser": browser,
        "deviations": [
            {"what": f"{known.when}: {known.what}", "source": known.source}
            for known in KNOWN_DEVIATIONS
            if known.browser == browser
        ],
        "start": dict(demo.start),
        "options": dict(snapshot.options),
        "python": as_python(snapshot.options, demo.site.pages["page"]),
        "groups": [
            {
                "title": group.title,
                "rows": [
                    _row_state(predictions[row.name], demo.site, snapshot) for row in group.rows
                ],
            }
            for group in GROUPS
        ],
    }


def _row_state(prediction: Prediction, site: Site, snapshot: Snapshot) -> dict[str, object]:
    row, explanation = prediction.row, prediction.explanation
    return {
        "name": row.name,
        "title": prediction.title,
        "lesson": row.lesson,
        "page": row.page,
        "path": row.path,
        "policy": {"key": prediction.key, "about": _about(prediction)},
        "query": query(row, snapshot.run),
        "fetch": {
            "url": site.url(row, snapshot.run),
            "method": row.method,
            "headers": dict(row.headers),
            "credentials": row.credentials,
            "body": row.body,
            "reads": row.reads,
            "repeats": row.repeats,
        },
        "predicted": {
            **asdict(prediction.script_result),
            "explanation": {
                **explanation.to_dict(),
                "page": explanation.reason and f"/codes/{explanation.reason}",
            },
            "exchanges": [_exchange_state(exchange) for exchange in prediction.result.exchanges],
        },
    }


def _about(prediction: Prediction) -> str:
    """Return which policy governs a row, and why no other one of a tuple does."""
    _, _, number = (prediction.governing.place or "").partition(", ")
    notes = (number, *prediction.governing.notes)
    return "; ".join((ABOUT[prediction.key], *filter(None, notes)))


def _exchange_state(exchange: Exchange) -> dict[str, object]:
    return {
        "method": exchange.method,
        "status": exchange.status,
        "is_preflight": exchange.is_preflight,
        "sent": [pair for pair in exchange.request_headers if pair[0] not in _COMMON_HEADERS],
        "received": [pair for pair in exchange.response_headers if pair[0] not in _COMMON_HEADERS],
    }
