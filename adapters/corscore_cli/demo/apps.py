"""Which frameworks the demo can serve its API with."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from corscore import PolicyRef


class App(NamedTuple):
    """One way to serve the API.

    Attributes:
        title: The framework's name.
        module: Has ``make_app(ref)``, which answers as ``_api`` says.
        interface: What ``make_app`` returns.
        extra: The extra of corscore that installs the framework.
    """

    title: str
    module: str
    interface: Literal["asgi", "wsgi"]
    extra: str

    def make(self, ref: PolicyRef) -> Any:
        """The application behind the policies of the moment.

        Raises:
            NotInstalled: The framework is not there.
        """
        try:
            module = importlib.import_module(self.module)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package.startswith("corscore"):
                raise
            raise NotInstalled(package) from error
        return module.make_app(ref)


class NotInstalled(Exception):
    """A framework that is not there. Its text is the package's name."""


APPS = {
    "fastapi": App("FastAPI", "corscore_cli.demo.app_fastapi", "asgi", "fastapi"),
    "flask": App("Flask", "corscore_cli.demo.app_flask", "wsgi", "flask"),
    "django": App("Django", "corscore_cli.demo.app_django", "wsgi", "django"),
    "wsgi": App("WSGI", "corscore_cli.demo.app_wsgi", "wsgi", "wsgi"),
}
