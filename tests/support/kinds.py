"""Markers of pytest by what a test starts, found in the code that it and its fixtures call.

``tests/conftest.py`` sets them, so that no test has to.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

_TESTS = str(Path(__file__).parents[1])

_STARTS: dict[Any, str] = {
    subprocess: "subprocess",
    subprocess.run: "subprocess",
    subprocess.Popen: "subprocess",
    asyncio.create_subprocess_exec: "subprocess",
    uvicorn.Server: "server",
    socket.create_server: "server",
}
# By name, since tests import the modules, too.
_METHODS = {
    "create_server": "server",
    "make_server": "server",
    "start_server": "server",
    "Popen": "subprocess",
}


def kinds(item: pytest.Function) -> set[str]:
    """Return the markers of a test: ``"browser"``, ``"server"``, ``"subprocess"``."""
    found = set(_started(item.function))
    # pytest has no public name for the fixtures.
    definitions = item._fixtureinfo.name2fixturedefs
    for definition in (one for many in definitions.values() for one in many):
        found |= _started(definition.func)
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    for value in parameters.values():
        for one in value if isinstance(value, tuple) else (value,):
            found |= _started(one)
    if "chromium" in item.fixturenames or item.path.parent.name == "browsers":
        found.add("browser")
    if "store_servers" in item.fixturenames and parameters.get("store") not in ("file", "sqlite"):
        found |= {"server", "subprocess"}
    return found


def _started(function: Any) -> frozenset[str]:
    function = getattr(function, "hypothesis", function)
    function = getattr(function, "inner_test", function)
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    function = getattr(function, "__func__", function)
    return _of_function(function) if isinstance(function, FunctionType) else frozenset()


@cache
def _of_function(function: FunctionType) -> frozenset[str]:
    found: set[str] = set()
    seen: set[FunctionType] = set()
    waiting = [function]
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        for name in _names(function.__code__):
            if name in _METHODS:
                found.add(_METHODS[name])
            value = function.__globals__.get(name)
            if _is_key(value) and value in _STARTS:
                found.add(_STARTS[value])
            waiting += _functions(value)
    return frozenset(found)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _is_key(value: Any) -> bool:
    try:
        hash(value)
    except (TypeError, RuntimeError):  # the latter from Flask's proxies, outside of a request
        return False
    return True


def _functions(value: Any) -> list[FunctionType]:
    """Return the function of a global, or the methods of a class, of the tests or the command."""
    if isinstance(value, type) and value.__module__ != "builtins":
        values = [getattr(member, "__func__", member) for member in vars(value).values()]
    else:
        while hasattr(value, "__wrapped__"):
            value = value.__wrapped__
        values = [value]
    return [
        found
        for found in values
        if isinstance(found, FunctionType)
        and (
            found.__code__.co_filename.startswith(_TESTS)
            or found.__module__.startswith("corscore_cli.")
        )
    ]
