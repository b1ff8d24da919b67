"""The demo as a whole: an API behind a policy that can be exchanged, and what comes of it."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from corscore import Policy
from corscore_cli._model import Prediction, Site, predict
from corscore_cli._page import PageApp
from corscore_cli._rows import start_options
from corscore_cli._servers import HOST, listen, serving_asgi, serving_wsgi
from corscore_cli._switch import SwitchedASGI, SwitchedWSGI

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from corscore.browser import Browser
    from corscore_cli._apps import App


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What holds at one moment.

    Attributes:
        options: The options of the policy in force.
        run: A word for the next run of the rows by a real browser; never given twice.
        predictions: What the browser model got, row by row.
    """

    options: Mapping[str, object]
    run: str
    predictions: list[Prediction]


class Demo:
    """An API with a policy, before it is served.

    Args:
        app: How to serve the API.
        site: Where everything will be.

    Raises:
        NotInstalled: The framework is not there.
    """

    def __init__(self, app: App, site: Site) -> None:
        self.title = app.title
        self.site = site
        self.start: Mapping[str, object] = start_options(site.pages["page"])
        self.options: Mapping[str, object] = self.start
        self._make = app.make
        made = app.make(Policy.from_options(self.start))
        self.api = SwitchedASGI(made) if app.interface == "asgi" else SwitchedWSGI(made)
        self._runs = count(1)
        # No policy changes between the first row and the last.
        self._lock = threading.Lock()

    def snapshot(self, browser: Browser | None = None) -> Snapshot:
        """Has the browser model ask the API, which must be served by now."""
        with self._lock:
            predictions = predict(self.site, f"model-{next(self._runs)}", browser)
            return Snapshot(self.options, f"page-{next(self._runs)}", predictions)

    def apply(self, options: Mapping[str, object]) -> None:
        """Puts another policy in force.

        Args:
            options: Any of the names in ``start``; what is left out takes the policy's default.

        Raises:
            ConfigError: It cannot be built; the old one stays in force.
        """
        policy = Policy.from_options(options)
        with self._lock:
            self.api.app = self._make(policy)
            self.options = options


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
        if isinstance(demo.api, SwitchedASGI):
            stack.enter_context(serving_asgi(demo.api, api_socket))
        else:
            stack.enter_context(serving_wsgi(demo.api, api_socket))
        stack.enter_context(serving_wsgi(PageApp(demo), page_socket))
        yield demo
