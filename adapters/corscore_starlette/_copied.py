"""FastAPI before 0.137, which includes a router by copying the routes that it has then.

A copy has nothing of the router that it comes from, and of its route little more than path,
endpoint and name. So the name carries the mark: it is a string as before, and goes from copy to
copy.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.routing import BaseRoute

    from corscore_starlette._marks import Mark


class _Name(str):
    """The name of a route, with the mark of what it was included from."""

    __slots__ = ("_corscore_mark",)

    _corscore_mark: Mark


class _Routes(list[Any]):
    """The routes of a marked router: those that are added later are marked, too."""

    def __init__(self, routes: Iterable[BaseRoute], mark: Mark) -> None:
        super().__init__(routes)
        self._mark = mark
        for route in self:
            _mark_name(route, mark)

    def append(self, route: Any) -> None:
        _mark_name(route, self._mark)
        super().append(route)


def mark_copies(marked: Any, mark: Mark) -> None:
    """Lets copies of a route, or of the routes in a router, have its mark, where copies are made.

    Args:
        marked: A route or a router that was marked.
        mark: Its mark.
    """
    fastapi: Any = sys.modules.get("fastapi.routing")
    if fastapi is None or hasattr(fastapi, "_IncludedRouter"):
        return
    if isinstance(marked, fastapi.APIRouter):
        marked.routes = _Routes(marked.routes, mark)
    elif hasattr(marked, "name"):
        _mark_name(marked, mark)


def _mark_name(route: Any, mark: Mark) -> None:
    # What was marked further inside stays as it is.
    name = getattr(route, "name", None)
    if isinstance(name, str) and not isinstance(name, _Name):
        route.name = _Name(name)
        route.name._corscore_mark = mark
