"""The demo as a whole: an API behind policies that are replaced live, and what comes of it."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from corscore import PolicyRef
from corscore_cli.demo.model import Prediction, Site, predict
from corscore_cli.demo.page import PageApp
from corscore_cli.demo.policies import policies
from corscore_cli.demo.preflights import CountedASGI, CountedWSGI
from corscore_cli.demo.rows import start_options
from corscore_cli.demo.servers import HOST, listen, serving_asgi, serving_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from corscore import PolicyMap
    from corscore.browser import Browser
    from corscore_cli.demo.apps import App


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What holds at one moment.

    Attributes:
        options: The options of the policy that the page edits.
        run: A word for the next run of the rows by a real browser; never given twice.
        predictions: What the browser model got, row by row.
    """

    options: Mapping[str, object]
    run: str
    predictions: list[Prediction]


class Demo:
    """An API with its policies, before it is served.

    Args:
        app: How to serve the API.
        site: Where everything will be.

    Attributes:
        ref: What the API was given. Nothing else changes when the policy does: not the application,
            and not the server.
        start: The options of the policy that is edited, at the start.
        options: And now.
        on_change: Is told what changed, in lines as ``PolicyRef`` logs them.

    Raises:
        NotInstalled: The framework is not there.
    """

    def __init__(self, app: App, site: Site) -> None:
        self.title = app.title
        self.site = site
        self.start: Mapping[str, object] = start_options(site.pages["page"])
        self.options: Mapping[str, object] = self.start
        self.on_change: Callable[[list[str]], object] = lambda _: None
        self._policies: PolicyMap = policies(self.start)
        self.ref = PolicyRef(self._policies)
        made = app.make(self.ref)
        self.api = CountedASGI(made) if app.interface == "asgi" else CountedWSGI(made)
        self._runs = count(1)
        # No policy changes between the first row and the last.
        self._lock = threading.Lock()

    def snapshot(self, browser: Browser | None = None) -> Snapshot:
        """Has the browser model ask the API, which must be served by now."""
        with self._lock:
            run, page_run = f"model-{next(self._runs)}", f"page-{next(self._runs)}"
            predictions = predict(self.site, self._policies, run, page_run, browser)
            return Snapshot(self.options, page_run, predictions)

    def apply(self, options: Mapping[str, object]) -> list[str]:
        """Replaces the policy of the API while it serves.

        Args:
            options: Any of the names in ``start``; what is left out takes the policy's default.

        Returns:
            What changed, a line each.

        Raises:
            ConfigError: It cannot be built; the old one stays in force.
        """
        new = policies(options)
        with self._lock:
            changes = [str(change) for change in self.ref.replace(new)]
            self._policies, self.options = new, options
        self.on_change(changes)
        return changes


@contextmanager
def running(app: App, port: int, page_port: int) -> Iterator[Demo]:
    """Serves the API and the page for as long as the context lasts.

    Args:
        app: How to serve the API.
        port: The API's; 0 takes any free one.
        page_port: The page's, likewise.

    Raises:
        PortUnavailable: One of them cannot be had.
        NotInstalled: The framework is not there.
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
                # The same server under another name: to a browser that is a stranger.
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
    """Keeps what the API refuses off the terminal: the table says it, and why."""
    logger, handler = logging.getLogger("corscore"), logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
