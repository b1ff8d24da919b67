"""The API and the page on loopback, with policies that are replaced while the API serves."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from corscore import PolicyRef
from corscore_cli.demo.model import Prediction, Site, predict
from corscore_cli.demo.page import PageApp
from corscore_cli.demo.policies import build_policies, start_options
from corscore_cli.demo.servers import HOST, listen, serving_asgi, serving_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from corscore import PolicyMap
    from corscore.browser import Browser
    from corscore_cli.demo.apps import App


_MAX_REMEMBERED = 1_000


class PreflightCounts:
    """Counts of the preflights that arrived, by query string.

    Every row of every run has a query string of its own, so a browser cannot use a preflight that
    it cached under an earlier policy. The oldest counts are dropped.
    """

    def __init__(self) -> None:
        self._counts: OrderedDict[str, int] = OrderedDict()
        # The WSGI server answers each request in another thread.
        self._lock = threading.Lock()

    def note(self, method: str, query: str) -> None:
        """Count a preflight: every ``OPTIONS`` request, since no script of the demo sends one."""
        if method != "OPTIONS":
            return
        with self._lock:
            self._counts[query] = self._counts.get(query, 0) + 1
            if len(self._counts) > _MAX_REMEMBERED:
                self._counts.popitem(last=False)

    def count(self, query: str) -> int:
        """Return the count of a query string."""
        return self._counts.get(query, 0)


class CountedASGI:
    """An ASGI application whose preflights are counted."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.preflights: PreflightCounts = PreflightCounts()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        self.preflights.note(scope["method"], scope["query_string"].decode("latin-1"))
        await self.app(scope, receive, send)


class CountedWSGI:
    """A WSGI application whose preflights are counted."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app
        self.preflights: PreflightCounts = PreflightCounts()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        self.preflights.note(environ["REQUEST_METHOD"], environ["QUERY_STRING"])
        return self.app(environ, start_response)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The policy and its predictions at one moment.

    Attributes:
        options: The options of the edited policy.
        run: A word that no other snapshot has, for the next run of a real browser.
        predictions: The results of the browser model, row by row.
    """

    options: Mapping[str, object]
    run: str
    predictions: list[Prediction]


class Demo:
    """An API with its policies, before it is served.

    Args:
        app: The framework of the API.
        site: The origins of the demo.

    Attributes:
        ref: The policies of the API; a change replaces them here, without a restart.
        start: The options of the edited policy at the start.
        options: The options of the edited policy now.
        on_change: Called with the changes, a line each.

    Raises:
        NotInstalled: The framework is not installed.
    """

    def __init__(self, app: App, site: Site) -> None:
        self.title: str = app.title
        self.site = site
        self.start: Mapping[str, object] = start_options(site.pages["page"])
        self.options: Mapping[str, object] = self.start
        self.on_change: Callable[[list[str]], object] = lambda _: None
        self._policies: PolicyMap = build_policies(self.start, site.pages["page"])
        self.ref: PolicyRef = PolicyRef(self._policies)
        built = app.build(self.ref)
        self.api: CountedASGI | CountedWSGI = (
            CountedASGI(built) if app.interface == "asgi" else CountedWSGI(built)
        )
        self._runs = count(1)
        # A policy must not change between the first row and the last.
        self._lock = threading.Lock()

    def snapshot(self, browser: Browser | None = None) -> Snapshot:
        """Return what the browser model gets from the API, which must be served by now."""
        with self._lock:
            run, page_run = f"model-{next(self._runs)}", f"page-{next(self._runs)}"
            predictions = predict(self.site, self._policies, run, page_run, browser)
            return Snapshot(self.options, page_run, predictions)

    def apply(self, options: Mapping[str, object]) -> list[str]:
        """Replace the policy of the API while it serves.

        Args:
            options: Options with names in ``start``; missing ones take the policy's default.

        Returns:
            The changes, a line each.

        Raises:
            ConfigError: The options are refused; the old policy stays in force.
        """
        new = build_policies(options, self.site.pages["page"])
        with self._lock:
            changes = [
                _in_words(one.option, one.before, one.after) for one in self.ref.replace(new)
            ]
            self._policies, self.options = new, options
        self.on_change(changes)
        return changes


def _in_words(option: str, before: object, after: object) -> str:
    """Return a change of an option of the edited policy as a line for people."""
    if not isinstance(before, tuple) or not isinstance(after, tuple):
        return f"{option}: {after}, was {before}"
    added = [item for item in after if item not in before]
    removed = [item for item in before if item not in after]
    pairs = (("added", added), ("removed", removed))
    return f"{option}: " + "; ".join(f"{word} {', '.join(items)}" for word, items in pairs if items)


@contextmanager
def running(app: App, port: int, page_port: int) -> Iterator[Demo]:
    """Serve the API and the page for as long as the context lasts.

    Args:
        app: The framework of the API.
        port: The port of the API; 0 takes any free one.
        page_port: The port of the page; 0 takes any free one.

    Raises:
        PortUnavailable: A port cannot be used.
        NotInstalled: The framework is not installed.
    """
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        api_socket = stack.enter_context(listen(port))
        page_socket = stack.enter_context(listen(page_port))
        api, page = api_socket.getsockname()[1], page_socket.getsockname()[1]
        site = Site(
            f"http://{HOST}:{api}",
            {
                "page": f"http://{HOST}:{page}",
                # To a browser, the same server under another name is another origin.
                "other": f"http://localhost:{page}",
                "null": "null",
            },
        )
        demo = Demo(app, site)
        if isinstance(demo.api, CountedASGI):
            stack.enter_context(serving_asgi(demo.api, api_socket))
        else:
            stack.enter_context(serving_wsgi(demo.api, api_socket))
        stack.enter_context(serving_wsgi(PageApp(demo), page_socket))
        yield demo


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the refusal log off the terminal, which shows refusals in the table."""
    logger, handler = logging.getLogger("corscore"), logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
